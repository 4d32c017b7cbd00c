import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Bound } from '../core/events.ts';
import type { AuditBlock } from '../experiment/alignment.ts';
import { createExperiment, type Experiment } from '../experiment/experiment.ts';
import {
  hasCanvas,
  type LinesSection,
  type Population,
  type RasterPanel,
  renderLearningCurve,
  renderLearningCurves,
  renderRaster,
  renderStacked,
  renderWeights,
  type StackedData,
} from '../plot/index.ts';
import { METRICS_CSV, readMetrics, writeAtomic } from '../record/index.ts';
import { catalogue } from './catalogue.ts';
import type { AuditReport } from './commands/audit.ts';
import { type Observation, observe } from './observe.ts';
import { files, loadRun } from './runFolder.ts';

/** Steps shown of a stream; a trial is shown whole. */
const shownSteps = 120;
/** Neurons whose membrane, psi and signal are drawn. */
const shownNeurons = 3;

/** Says in a line why there are no figures, where there can be none. */
export function canDraw(say: (line: string) => void): boolean {
  if (!hasCanvas()) say('no figures: the package @napi-rs/canvas was left out of the installation (--omit=optional)');
  return hasCanvas();
}

/** Figures of one run: learning curve, raster, stacked figure before and after training, weights. @returns their paths */
export function drawRun(folder: string): string[] {
  const experiment = loadRun(folder);
  const fresh = createExperiment(experiment.config, catalogue);
  const out = join(folder, files.figures);
  const { name, rule, seed } = experiment.config;
  const title = `${name}, ${String(rule.name)}, seed ${seed}`;
  const after = observe(experiment, lengthShown(experiment));
  const before = observe(fresh, lengthShown(experiment));
  mkdirSync(out, { recursive: true });
  const save = (file: string, png: Uint8Array) => {
    const path = join(out, file);
    writeAtomic(path, png);
    return path;
  };
  const paths = [
    save(
      'raster.png',
      renderRaster({ title, dtMs: after.dtMs, steps: after.steps, panels: rasters(after, experiment) }),
    ),
    save('stacked-before.png', renderStacked(stacked(before, fresh, `${title}, before training`))),
    save('stacked-after.png', renderStacked(stacked(after, experiment, `${title}, after training`))),
  ];
  const curves = drawCurves(title, [{ label: String(rule.name), folders: [folder] }], experiment);
  if (curves) paths.push(save('learning-curve.png', curves));
  const losses = experiment.run.network.spec.rule?.signal.keepsLosses ? drawLosses(title, [folder], experiment) : null;
  if (losses) paths.push(save('losses.png', losses));
  if (experiment.run.network.spec.projections.rec.dense) {
    paths.push(save('weights.png', drawWeights(title, fresh, experiment)));
  }
  return paths;
}

/**
 * The learning curves of several runs: every seed thin, the mean of each group bold, the bounds dashed. Runs without a trial are left
 * out. @returns null where none has one
 */
export function drawCurves(
  title: string,
  groups: readonly { readonly label: string; readonly folders: readonly string[] }[],
  experiment: Experiment,
): Uint8Array | null {
  const { task } = experiment;
  const bounds: readonly Bound[] = task.bounds;
  const expected = task.statesExpected;
  const drawn = groups
    .map(({ label, folders }) => ({ label, runs: begun(folders.map((folder) => curve(folder, expected))) }))
    .filter(({ runs }) => runs.length > 0);
  if (drawn.length === 0) return null;
  return renderLearningCurve({
    title,
    xLabel: task.mode.kind === 'stream' ? 'symbols' : 'trials',
    yLabel: expected ? 'expected cross-entropy (nats)' : 'loss per step',
    yAxis: expected ? 'linear' : 'log',
    bounds,
    groups: drawn,
  });
}

/** Losses of all that a segregated-dendrite rule learns, over seeds: the task by W, the credit by A, the next step by J. */
export function drawLosses(title: string, folders: readonly string[], experiment: Experiment): Uint8Array | null {
  const { task } = experiment;
  const expected = task.statesExpected;
  const runs = begun(folders.map((folder) => curve(folder, expected)));
  if (runs.length === 0) return null;
  const panel = (label: string, yLabel: string, field: 'lossA' | 'lossJ') => ({
    xLabel: task.mode.kind === 'stream' ? 'symbols' : 'trials',
    yLabel,
    bounds: [],
    groups: [{ label, runs: begun(folders.map((folder) => predictorCurve(folder, field))) }],
  });
  return renderLearningCurves({
    title,
    panels: [
      {
        xLabel: task.mode.kind === 'stream' ? 'symbols' : 'trials',
        yLabel: expected ? 'cross-entropy (nats)' : 'loss per step',
        yAxis: expected ? 'linear' : 'log',
        bounds: task.bounds,
        groups: [{ label: 'W: the task', runs }],
      },
      panel('A: the credit', 'squared error', 'lossA'),
      panel('J: the next step', 'squared error', 'lossJ'),
    ],
  });
}

function predictorCurve(folder: string, field: 'lossA' | 'lossJ'): { x: number[]; y: number[] } {
  const rows = readMetrics(join(folder, METRICS_CSV)).filter((row) => row.type === 'trial');
  return { x: rows.map((row) => row.amount), y: rows.map((row) => row[field] || Number.NaN) };
}

function curve(folder: string, expected: boolean): { x: number[]; y: number[] } {
  const rows = readMetrics(join(folder, METRICS_CSV)).filter((row) => row.type === 'trial');
  const gap = (value: number | null) => (value !== null && Number.isFinite(value) ? value : Number.NaN);
  return {
    x: rows.map((row) => row.amount),
    y: rows.map((row) => (expected ? gap(row.expectedLoss) : gap(row.lossPerStep || null))),
  };
}

function begun<T extends { readonly x: readonly number[] }>(runs: readonly T[]): T[] {
  return runs.filter(({ x }) => x.length > 0);
}

function lengthShown({ task }: Experiment): number {
  return task.mode.kind === 'stream' ? shownSteps * task.mode.stepsPerSymbol : task.mode.steps;
}

/** Input and recurrent panels with every neuron. */
function rasters({ rows }: Observation, { task, run }: Experiment): RasterPanel[] {
  const { bias, sizes } = run.network.spec;
  const input: Population[] = task.inputPopulations.map(({ label, size }) => ({ label, size }));
  const spikes = (field: string, width: number) => {
    const t: number[] = [];
    const index: number[] = [];
    const value: number[] = [];
    rows[field].forEach((row, step) => {
      for (let j = 0; j < width; j++) {
        if (row[j] === 0) continue;
        t.push(step);
        index.push(j);
        value.push(Math.abs(row[j]));
      }
    });
    return run.network.spec.spiking ? { t, index } : { t, index, value };
  };
  return [
    { label: 'input', populations: input, spikes: spikes('x', sizes.in - (bias ? 1 : 0)) },
    { label: 'recurrent neurons', populations: populationsOf(run), spikes: spikes('z', sizes.rec) },
  ];
}

/** Adaptive neurons apart from the others. */
function populationsOf({ network }: Experiment['run']): Population[] {
  const { sizes, neuron, kinds } = network.spec;
  const strength = neuron.eligibility?.adaptation?.strength;
  if (!strength) return [{ label: kinds.neuron === 'lif' ? 'LIF' : kinds.neuron, size: sizes.rec }];
  const plain = strength.findIndex((value) => value > 0);
  const sorted = plain >= 0 && strength.subarray(plain).every((value) => value > 0);
  if (!sorted || plain === 0) return [{ label: 'ALIF', size: sizes.rec }];
  return [
    { label: 'LIF', size: plain },
    { label: 'ALIF', size: sizes.rec - plain },
  ];
}

function stacked(observation: Observation, experiment: Experiment, title: string): StackedData {
  const { dtMs, steps, rows } = observation;
  const { spec } = experiment.run.network;
  const { rec, out } = spec.sizes;
  const chosen = activeNeurons(rows.z, rec);
  const column = (field: string, j: number) => Float64Array.from(rows[field], (row) => row[j]);
  const traces = (field: string) => chosen.map((j) => ({ label: `neuron ${j}`, values: column(field, j) }));
  const membrane = `neuron.${spec.neuron.membrane}`;
  const thresholds = spec.neuron.threshold
    ? chosen.map((j, c) => ({
        label: c === 0 ? 'threshold' : '',
        values: column('threshold', j),
        dashed: true,
        colorOf: c,
      }))
    : [];
  const panels: StackedData['panels'][number][] = [
    ...rasters(observation, experiment).map((panel) => ({ kind: 'raster' as const, ...panel })),
    {
      kind: 'lines',
      label: spec.spiking ? 'membrane potential v' : `state ${spec.neuron.membrane}`,
      series: [...traces(membrane), ...thresholds],
    },
    { kind: 'lines', label: 'pseudo-derivative ψ', series: traces('psi') },
  ];
  if (spec.rule && !spec.direct)
    panels.push({ kind: 'lines', label: 'learning signal L', zeroLine: true, series: traces('signal') });
  const outputs = Array.from({ length: Math.min(out, 2) }, (_, k) => k).slice(0, spec.loss.classification ? 1 : 2);
  panels.push(readoutPanel(rows, outputs, spec.loss.classification, experiment.task.statesExpected));
  panels.push({
    kind: 'lines',
    label: 'error',
    zeroLine: true,
    step: spec.loss.classification,
    series: outputs.map((k) => ({ label: outputs.length > 1 ? `output ${k}` : '', values: column('error', k) })),
  });
  return { title, dtMs, steps, panels };
}

/** y with its target; for a classifier the probability that the softmax gives, which is the error plus its target. */
function readoutPanel(
  rows: Observation['rows'],
  outputs: readonly number[],
  classification: boolean,
  expected: boolean,
): LinesSection {
  const column = (field: string, k: number) => Float64Array.from(rows[field], (row) => row[k]);
  const series = outputs.flatMap((k, c) => {
    const target = column(expected ? 'expected' : 'target', k);
    const labelOf = column('target', k);
    const y = classification ? column('error', k).map((error, t) => error + labelOf[t]) : column('y', k);
    const name = outputs.length > 1 ? ` ${k}` : '';
    return [
      { label: classification ? 'network' : `y${name}`, values: y, at: c },
      { label: classification && expected ? 'ideal predictor' : `target${name}`, values: target, dashed: true, at: c },
    ];
  });
  return {
    kind: 'lines',
    label: classification ? 'P(y = 1)' : 'readout',
    step: classification,
    series: series.map(({ at, ...line }) => (line.dashed ? { ...line, colorOf: 2 * at } : line)),
  };
}

/** The neurons with the most spikes, lowest index first among equals: a silent one shows nothing. */
function activeNeurons(z: readonly Float64Array[], n: number): number[] {
  const counts = Array.from({ length: n }, (_, j) => z.reduce((sum, row) => sum + Math.abs(row[j]), 0));
  return counts
    .map((count, j) => ({ count, j }))
    .sort((a, b) => b.count - a.count || a.j - b.j)
    .slice(0, shownNeurons)
    .map(({ j }) => j)
    .sort((a, b) => a - b);
}

function drawWeights(title: string, before: Experiment, after: Experiment): Uint8Array {
  const matrix = (label: string, { run }: Experiment) => {
    const { nPre, nPost } = run.network.spec.projections.rec;
    return { label, pre: nPre, post: nPost, values: run.network.weights.wRec };
  };
  return renderWeights({
    title,
    unit: 'recurrent weight',
    matrices: [matrix('before training', before), matrix('after training', after)],
  });
}

/** Names of the measures on the axes, the range that is always shown, and the values that mean something in them. */
const auditMeasures = {
  cosine: {
    yLabel: 'cosine',
    shown: [-0.1, 1.05],
    bounds: [
      { label: 'BPTT', value: 1 },
      { label: 'orthogonal', value: 0 },
    ],
  },
  sign: {
    yLabel: 'sign agreement',
    shown: [0.45, 1.03],
    bounds: [
      { label: 'BPTT', value: 1 },
      { label: 'chance', value: 0.5 },
    ],
  },
  norm: { yLabel: 'norm ratio', shown: [0.2, 5], bounds: [{ label: 'BPTT', value: 1 }] },
} as const;

/** One measure of an audit over the training, for recurrent and for input weights. */
export function drawAudit(report: AuditReport, measure: keyof typeof auditMeasures): Uint8Array {
  const { rules, points, task, seed } = report;
  const { yLabel, bounds, shown } = auditMeasures[measure];
  const master = rules.find(({ role }) => role === 'master')?.label;
  const drawn = rules.flatMap(({ role, label }, n) => (role === 'master' || role === 'audited' ? [{ label, n }] : []));
  const values = drawn.flatMap(({ n }) =>
    points.flatMap(({ alignments }) => [alignments[n].wRec[measure], alignments[n].wIn[measure]]),
  );
  const [low, high] = shown;
  // Both panels have one range, so that they can be compared.
  const yRange = values.reduce<readonly [number, number]>(
    ([min, max], value) => {
      const y = drawable(value, measure);
      return Number.isNaN(y) ? [min, max] : [Math.min(min, y), Math.max(max, y)];
    },
    [low, high],
  );
  const panel = (label: string, block: AuditBlock, legend: 'labels' | 'none') => ({
    label,
    legend,
    xLabel: report.unit,
    yLabel,
    yAxis: measure === 'norm' ? ('log' as const) : ('linear' as const),
    bounds,
    yRange,
    groups: drawn.map((rule) => ({
      label: rule.label === master ? `${rule.label} (trains)` : rule.label,
      runs: [
        {
          x: points.map(({ amount }) => amount),
          y: points.map(({ alignments }) => drawable(alignments[rule.n][block][measure], measure)),
        },
      ],
    })),
  });
  return renderLearningCurves(
    {
      title: `${task}, trained by ${master}, seed ${seed}: updates against BPTT`,
      panels: [panel('recurrent weights', 'wRec', 'labels'), panel('input weights', 'wIn', 'none')],
    },
    { height: 450 },
  );
}

/** A gap where nothing is defined; a gradient of 0 has no place on a logarithmic axis. */
function drawable(value: number | null, measure: keyof typeof auditMeasures): number {
  return value === null || (measure === 'norm' && value === 0) ? Number.NaN : value;
}
