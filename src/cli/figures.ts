import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Bound } from '../core/events.ts';
import {
  type NetworkSpec,
  ownLossesOf,
  type PopulationSpec,
  type ReadoutSpec,
  type Weights,
  type Whole,
  wholesOf,
} from '../core/network.ts';
import type { OwnLoss } from '../core/plugins.ts';
import { createExperiment, type Experiment } from '../experiment/experiment.ts';
import {
  hasCanvas,
  type LinesSection,
  type NetworkEdge,
  type NetworkNode,
  type Population,
  type RasterPanel,
  renderLearningCurve,
  renderLearningCurves,
  renderNetwork,
  renderRaster,
  renderStacked,
  renderWeights,
  type StackedData,
} from '../plot/index.ts';
import { METRICS_CSV, readMetrics, writeAtomic } from '../record/index.ts';
import type { AuditReport } from './auditReport.ts';
import { catalogue } from './catalogue.ts';
import { type Observation, observe } from './observe.ts';
import { shownProjections } from './projections.ts';
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
  const losses = drawLosses(title, [folder], experiment);
  if (losses) paths.push(save('losses.png', losses));
  const drawn = drawnProjections(experiment);
  for (const { name, parts } of drawn) {
    const only = drawn.length === 1;
    const unit = only && parts[0].pre === parts[0].post ? 'recurrent weight' : `weight of ${name}`;
    paths.push(save(only ? 'weights.png' : `weights-${name}.png`, drawWeights(title, name, unit, fresh, experiment)));
  }
  return paths;
}

/** Pairs of neurons beyond which a sparse projection is not drawn: a synapse would be far less than a pixel. */
const mostPairs = 4_000_000;

/** Projections between neurons. */
function drawnProjections({ run }: Experiment): Whole[] {
  return wholesOf(run.network.spec).filter(({ parts, synapses: { dense, nPre, nPost } }) => {
    return parts[0].pre !== null && (dense || nPre * nPost <= mostPairs);
  });
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

/** Losses of all that a rule learns, over seeds: the task, and what its signals learn for themselves; null where that is nothing. */
export function drawLosses(title: string, folders: readonly string[], experiment: Experiment): Uint8Array | null {
  const { task } = experiment;
  const own = ownLossesOf(experiment.run.network.spec);
  if (own.length === 0) return null;
  const expected = task.statesExpected;
  const runs = begun(folders.map((folder) => curve(folder, expected)));
  if (runs.length === 0) return null;
  const panel = ({ name, label, unit }: OwnLoss) => ({
    xLabel: task.mode.kind === 'stream' ? 'symbols' : 'trials',
    yLabel: unit,
    bounds: [],
    groups: [{ label, runs: begun(folders.map((folder) => ownCurve(folder, name))) }],
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
      ...own.map(panel),
    ],
  });
}

function ownCurve(folder: string, name: string): { x: number[]; y: number[] } {
  const rows = readMetrics(join(folder, METRICS_CSV)).filter((row) => row.type === 'trial');
  return { x: rows.map((row) => row.amount), y: rows.map((row) => row.ownLosses[name] || Number.NaN) };
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

/** A panel of the input and one of every neuron, by population. */
function rasters({ rows }: Observation, { task, run }: Experiment): RasterPanel[] {
  const { populations } = run.network.spec;
  const input: Population[] = task.inputPopulations.map(({ label, size }) => ({ label, size }));
  return [
    { label: 'input', populations: input, spikes: spikesIn([{ rows: rows['task.x'], width: task.nIn }], populations) },
    {
      label: populations.length > 1 ? 'neurons' : 'recurrent neurons',
      populations: populations.flatMap((population) => labelled(population, rows, populations.length)),
      spikes: spikesIn(
        populations.map(({ name, size }) => ({ rows: rows[`population.${name}.z`], width: size })),
        populations,
      ),
    },
  ];
}

/** Events of several groups, one below the other; graded ones where neurons have rates. */
function spikesIn(
  groups: readonly { readonly rows: readonly Float64Array[]; readonly width: number }[],
  populations: readonly PopulationSpec[],
) {
  const t: number[] = [];
  const index: number[] = [];
  const value: number[] = [];
  let first = 0;
  for (const { rows, width } of groups) {
    rows.forEach((row, step) => {
      for (let j = 0; j < width; j++) {
        if (row[j] === 0) continue;
        t.push(step);
        index.push(first + j);
        value.push(Math.abs(row[j]));
      }
    });
    first += width;
  }
  return populations.every(({ spiking }) => spiking) ? { t, index } : { t, index, value };
}

/** A population under its name, a silent one said to be; the only one by its kind, adaptive neurons apart from the others. */
function labelled(population: PopulationSpec, rows: Observation['rows'], count: number): Population[] {
  const { name, size, kind, neuron } = population;
  if (count > 1) {
    const silent = rows[`population.${name}.z`].every((row) => row.every((value) => value === 0));
    return [{ label: silent ? `${name} (silent)` : name, size }];
  }
  const dynamics = neuron.eligibility;
  const strength = dynamics && dynamics.form !== 'linear' ? dynamics.adaptation?.strength : undefined;
  if (!strength) return [{ label: kind === 'lif' ? 'LIF' : kind, size }];
  const plain = strength.findIndex((value) => value > 0);
  const sorted = plain >= 0 && strength.subarray(plain).every((value) => value > 0);
  if (!sorted || plain === 0) return [{ label: 'ALIF', size }];
  return [
    { label: 'LIF', size: plain },
    { label: 'ALIF', size: size - plain },
  ];
}

function stacked(observation: Observation, experiment: Experiment, title: string): StackedData {
  const { dtMs, steps, rows } = observation;
  const { spec } = experiment.run.network;
  const { populations, readouts, direct } = spec;
  const panels: StackedData['panels'][number][] = [
    ...rasters(observation, experiment).map((panel) => ({ kind: 'raster' as const, ...panel })),
    ...populations.flatMap((population, p) =>
      cellPanels(population, rows, populations, p, population.rule !== null && !direct),
    ),
    ...readouts.flatMap((readout) => readoutPanels(readout, rows, readouts.length, experiment.task.statesExpected)),
  ];
  return { title, dtMs, steps, panels };
}

/** Membranes with thresholds, pseudo-derivatives and learning signals of the most active neurons of a population. */
function cellPanels(
  { name, size, spiking, neuron }: PopulationSpec,
  rows: Observation['rows'],
  all: readonly PopulationSpec[],
  place: number,
  learns: boolean,
): LinesSection[] {
  const count = all.length;
  const before = all.slice(0, place).reduce((sum, population) => sum + population.size, 0);
  // The raster counts over all populations, everything else within each.
  const label = (j: number) => (count > 1 ? `${name} ${j} (row ${before + j})` : `neuron ${j}`);
  const rowsOf = (field: string) => rows[`population.${name}.${field}`];
  // Of several populations one neuron each, or the figure has no end.
  const chosen = activeNeurons(rowsOf('z'), size).slice(0, count > 1 ? 1 : shownNeurons);
  const column = (field: string, j: number) => Float64Array.from(rowsOf(field), (row) => row[j]);
  // Of several populations each has the colour of its spikes.
  const color = count > 1 ? { population: place } : {};
  const traces = (field: string) => chosen.map((j) => ({ label: label(j), values: column(field, j), ...color }));
  const of = (label: string) => (count > 1 ? `${name}: ${label}` : label);
  const thresholds = neuron.threshold
    ? chosen.map((j, c) => ({
        label: c === 0 ? 'threshold' : '',
        values: column('threshold', j),
        dashed: true,
        colorOf: c,
        ...color,
      }))
    : [];
  const panels: LinesSection[] = [
    {
      kind: 'lines',
      label: of(spiking ? 'membrane potential v' : `state ${neuron.membrane}`),
      series: [...traces(neuron.membrane), ...thresholds],
    },
  ];
  if (count === 1) panels.push({ kind: 'lines', label: 'pseudo-derivative ψ', series: traces('psi') });
  if (learns) panels.push({ kind: 'lines', label: of('learning signal L'), zeroLine: true, series: traces('signal') });
  return panels;
}

function readoutPanels(
  { name, size, loss }: ReadoutSpec,
  rows: Observation['rows'],
  count: number,
  expected: boolean,
): LinesSection[] {
  const rowsOf = (field: string) => rows[`readout.${name}.${field}`];
  const { classification } = loss;
  const outputs = Array.from({ length: Math.min(size, 2) }, (_, k) => k).slice(0, classification ? 1 : 2);
  const of = (label: string) => (count > 1 ? `${name}: ${label}` : label);
  const panel = readoutPanel(rowsOf, outputs, classification, expected);
  return [
    { ...panel, label: of(panel.label) },
    {
      kind: 'lines',
      label: of('error'),
      zeroLine: true,
      step: classification,
      series: outputs.map((k) => ({
        label: outputs.length > 1 ? `output ${k}` : '',
        values: Float64Array.from(rowsOf('error'), (row) => row[k]),
      })),
    },
  ];
}

/** y with its target; for a classifier the probability that the softmax gives, which is the error plus its target. */
function readoutPanel(
  rowsOf: (field: string) => readonly Float64Array[],
  outputs: readonly number[],
  classification: boolean,
  expected: boolean,
): LinesSection {
  const column = (field: string, k: number) => Float64Array.from(rowsOf(field), (row) => row[k]);
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

/** One projection before and after training. */
function drawWeights(title: string, name: string, unit: string, before: Experiment, after: Experiment): Uint8Array {
  const matrix = (label: string, { run }: Experiment) => {
    const found = wholesOf(run.network.spec).find((whole) => whole.name === name) as Whole;
    const { nPre, nPost } = found.synapses;
    return { label, pre: nPre, post: nPost, values: matrixOf(found, run.network.weights) };
  };
  return renderWeights({
    title,
    unit,
    matrices: [matrix('before training', before), matrix('after training', after)],
  });
}

/** Weights of a projection with all its delays, NaN where there is no synapse. [pre][post] */
function matrixOf({ synapses: { nPre, nPost }, parts }: Whole, weights: Weights): Float64Array {
  const values = new Float64Array(nPre * nPost).fill(Number.NaN);
  for (const { name, synapses } of parts) {
    const { rowStart, post } = synapses;
    for (let i = 0; i < nPre; i++) {
      for (let s = rowStart[i]; s < rowStart[i + 1]; s++) values[i * nPost + post[s]] = weights[name][s];
    }
  }
  return values;
}

/** The network as boxes and arrows: the input, populations by layers, readouts. */
export function drawNetwork({ run, config, task }: Experiment): Uint8Array {
  const { spec } = run.network;
  const columns = layersOf(spec);
  const last = Math.max(...columns) + 1;
  const nodes: NetworkNode[] = [
    { name: 'input', lines: [`${task.nIn} units`], kind: 'input', column: 0 },
    ...spec.populations.map(
      ({ name, size, kind }, p): NetworkNode => ({
        name,
        lines: [`${size} ${kind}`],
        kind: 'population',
        column: columns[p],
      }),
    ),
    ...spec.readouts.map(
      ({ name, size, lossKind }): NetworkNode => ({
        name: `readout ${name}`,
        lines: [`${size} ${size === 1 ? 'output' : 'outputs'}`, lossKind],
        kind: 'readout',
        column: last,
      }),
    ),
  ];
  const edges = shownProjections(spec).map(
    ({ from, to, synapses, delayMs: [low, high], sign, plastic }): NetworkEdge => {
      const delay = low === high ? `${low} ms` : `${low} to ${high} ms`;
      const label = `${synapses.toLocaleString('en-US')}, ${delay}`;
      return { from, to, label, sign: sign === 'free' || sign === 'mixed' ? 'either' : sign, plastic };
    },
  );
  const read = spec.readouts.flatMap(({ name, reads }) =>
    reads.map((p): NetworkEdge => {
      return { from: spec.populations[p].name, to: `readout ${name}`, label: '', sign: 'either', plastic: true };
    }),
  );
  return renderNetwork({ title: config.name, nodes, edges: [...edges, ...read] });
}

/** Column of each population: behind those whose spikes reach it in the same step. */
function layersOf({ populations, projections }: NetworkSpec): number[] {
  const columns = populations.map(() => 1);
  populations.forEach((_, p) => {
    for (const { pre, post, delay } of projections) {
      if (post === p && pre !== null && pre < p && delay === 0) columns[p] = Math.max(columns[p], columns[pre] + 1);
    }
  });
  return columns;
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

/** One measure of an audit over the training, for at most two projections: recurrent weights first. */
export function drawAudit(report: AuditReport, measure: keyof typeof auditMeasures): Uint8Array {
  const { rules, points, task, seed } = report;
  const shownBlocks = report.blocks.slice(0, 2);
  const { yLabel, bounds, shown } = auditMeasures[measure];
  const master = rules.find(({ role }) => role === 'master')?.label;
  const drawn = rules.flatMap(({ role, label }, n) => (role === 'master' || role === 'audited' ? [{ label, n }] : []));
  const values = drawn.flatMap(({ n }) =>
    points.flatMap(({ alignments }) => shownBlocks.map((block) => alignments[n][block][measure])),
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
  const panel = (block: string, legend: 'labels' | 'none') => ({
    label: `weights of ${block}`,
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
      panels: shownBlocks.map((block, n) => panel(block, n === 0 ? 'labels' : 'none')),
    },
    { height: 450 },
  );
}

/** A gap where nothing is defined; a gradient of 0 has no place on a logarithmic axis. */
function drawable(value: number | null, measure: keyof typeof auditMeasures): number {
  return value === null || (measure === 'norm' && value === 0) ? Number.NaN : value;
}
