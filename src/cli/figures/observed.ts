import { ConfigError } from '../../core/errors.ts';
import type { PopulationSpec, ReadoutSpec } from '../../core/network.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import type { LinesSection, Population, RasterPanel, Series, SpikeColumns, StackedData } from '../../plot/index.ts';
import type { Observation, Window } from '../observe.ts';

/** Steps shown of a stream; a trial is shown whole. */
const shownSteps = 120;
/** Neurons whose membrane, psi and signal are drawn. */
const shownNeurons = 3;
/** Of a window that is asked for: more are no longer told apart, and are kept whole. */
const mostSteps = 20_000;

const panelNames = ['input', 'neurons', 'v', 'psi', 'signal', 'readout', 'error'] as const;
type PanelName = (typeof panelNames)[number];
type Section = StackedData['panels'][number];
/** A panel of a stacked figure under the name that asks for it. */
type Named = { readonly name: PanelName; readonly section: Section };

/** What is shown of a run; what is left out is chosen by what there is to see. */
export interface View {
  /** ms from the start of a trial, or of a stream after its first chunk. */
  readonly window?: readonly [number, number];
  /** Rows of the raster whose traces are drawn. */
  readonly neurons?: readonly number[];
  readonly panels?: readonly string[];
}

/** The steps that a view is of. @throws ConfigError for a window outside a trial */
export function windowShown({ task, run }: Experiment, { window }: View = {}): Window {
  const { mode } = task;
  const { dtMs, sizes } = run.network.spec;
  const whole =
    mode.kind === 'stream' ? Math.min(shownSteps * mode.stepsPerSymbol, sizes.step) : Math.min(mode.steps, sizes.step);
  if (!window) return { from: 0, steps: whole };
  const [from, to] = window.map((ms) => Math.round(ms / dtMs));
  const end = mode.kind === 'stream' ? Number.POSITIVE_INFINITY : mode.steps;
  if (to > end) throw new ConfigError('--window', window.join(':'), `within the trial of ${end * dtMs} ms`);
  if (to - from < 2 || to - from > mostSteps) {
    throw new ConfigError('--window', window.join(':'), `2 to ${mostSteps} steps of ${dtMs} ms`);
  }
  return { from, steps: to - from };
}

/** @throws ConfigError for a name that no panel has */
function wanted(panels: readonly string[] | undefined): (panel: Named) => boolean {
  const odd = panels?.find((name) => !(panelNames as readonly string[]).includes(name));
  if (odd !== undefined) throw new ConfigError('--panels', odd, `some of ${panelNames.join(', ')}`);
  return ({ name }) => panels === undefined || panels.includes(name);
}

/** A panel of the input and one of every neuron, by population. */
export function rasters({ rows }: Observation, { task, run }: Experiment): RasterPanel[] {
  const { populations } = run.network.spec;
  const input: Population[] = task.inputPopulations.map(({ label, size }) => ({ label, size }));
  return [
    { label: 'input', populations: input, spikes: eventsIn([{ rows: rows['task.x'], width: task.nIn }]) },
    {
      label: populations.length > 1 ? 'neurons' : 'recurrent neurons',
      populations: populations.flatMap((population) => labelled(population, rows, populations.length)),
      spikes: eventsIn(populations.map(({ name, size }) => ({ rows: rows[`population.${name}.z`], width: size }))),
    },
  ];
}

/** Everything but silence of several groups, one below the other, with its size: spikes are of one size, rates and graded inputs are not. */
function eventsIn(
  groups: readonly { readonly rows: readonly Float64Array[]; readonly width: number }[],
): Required<SpikeColumns> {
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
  return { t, index, value };
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

/** Panels of what was seen, one below the other. @throws ConfigError for neurons or panels that are not there */
export function stacked(observation: Observation, experiment: Experiment, title: string, view: View = {}): StackedData {
  const { dtMs, steps, from, rows } = observation;
  const { populations, readouts } = experiment.run.network.spec;
  const chosen = neuronsShown(populations, rows, view.neurons);
  const panels = [
    ...rasters(observation, experiment).map(
      (panel, n): Named => ({ name: panelNames[n], section: { kind: 'raster', ...panel } }),
    ),
    ...populations.flatMap((_, p) => cellPanels(populations, p, chosen[p], rows)),
    ...readouts.flatMap((readout) => readoutPanels(readout, rows, readouts.length, experiment.task.statesExpected)),
  ].filter(wanted(view.panels));
  if (panels.length === 0) throw new ConfigError('--panels', view.panels, 'a panel that this network has');
  return { title, dtMs, steps, startStep: from, panels: panels.map(({ section }) => section) };
}

/** Indices within each population: those that are asked for, or the most active ones; of several populations one each, or the figure has no end. */
function neuronsShown(
  populations: readonly PopulationSpec[],
  rows: Observation['rows'],
  asked: readonly number[] | undefined,
): number[][] {
  const total = populations.reduce((sum, { size }) => sum + size, 0);
  const odd = asked?.find((row) => row >= total);
  if (odd !== undefined) throw new ConfigError('--neurons', odd, `rows of the raster, 0 to ${total - 1}`);
  let first = 0;
  return populations.map(({ name, size }) => {
    const before = first;
    first += size;
    if (asked) return asked.filter((row) => row >= before && row < before + size).map((row) => row - before);
    return activeNeurons(rows[`population.${name}.z`], size).slice(0, populations.length > 1 ? 1 : shownNeurons);
  });
}

/** Membranes with thresholds, pseudo-derivatives and learning signals of chosen neurons of a population. */
function cellPanels(
  all: readonly PopulationSpec[],
  place: number,
  chosen: readonly number[],
  rows: Observation['rows'],
): Named[] {
  if (chosen.length === 0) return [];
  const { name, spiking, neuron, rule } = all[place];
  const learns = rule !== null && `population.${name}.signal` in rows;
  const count = all.length;
  const before = all.slice(0, place).reduce((sum, population) => sum + population.size, 0);
  // The raster counts over all populations, everything else within each.
  const label = (j: number) => (count > 1 ? `${name} ${j} (row ${before + j})` : `neuron ${j}`);
  const rowsOf = (field: string) => rows[`population.${name}.${field}`];
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
  const lines = (name: PanelName, label: string, series: Series[], more: Partial<LinesSection> = {}): Named => ({
    name,
    section: { kind: 'lines', label, series, ...more },
  });
  const membrane = spiking ? 'membrane potential v' : `state ${neuron.membrane}`;
  return [
    lines('v', of(membrane), [...traces(neuron.membrane), ...thresholds]),
    ...(count === 1 ? [lines('psi', 'pseudo-derivative ψ', traces('psi'))] : []),
    ...(learns ? [lines('signal', of('learning signal L'), traces('signal'), { zeroLine: true })] : []),
  ];
}

function readoutPanels(readout: ReadoutSpec, rows: Observation['rows'], count: number, expected: boolean): Named[] {
  const { name, size, loss } = readout;
  const { classification } = loss;
  const outputs = outputsShown(size, classification);
  const of = (label: string) => (count > 1 ? `${name}: ${label}` : label);
  const panel = readoutLines(readout, rows, expected);
  const error: LinesSection = {
    kind: 'lines',
    label: of('error'),
    zeroLine: true,
    step: classification,
    series: outputs.map((k) => ({
      label: outputs.length > 1 ? `output ${k}` : '',
      values: Float64Array.from(rows[`readout.${name}.error`], (row) => row[k]),
    })),
  };
  return [
    { name: 'readout', section: { ...panel, label: of(panel.label) } },
    { name: 'error', section: error },
  ];
}

const outputsShown = (size: number, classification: boolean) =>
  Array.from({ length: Math.min(size, 2) }, (_, k) => k).slice(0, classification ? 1 : 2);

/** The first outputs of a readout, each with its target. */
export function readoutLines(
  { name, size, loss }: ReadoutSpec,
  rows: Observation['rows'],
  expected: boolean,
): LinesSection {
  return readoutPanel(
    (field) => rows[`readout.${name}.${field}`],
    outputsShown(size, loss.classification),
    loss,
    expected,
  );
}

/** y with its target, if it has one; for a classifier the probability that the softmax gives, which is the error plus its target. */
function readoutPanel(
  rowsOf: (field: string) => readonly Float64Array[],
  outputs: readonly number[],
  { classification, targetless = false }: ReadoutSpec['loss'],
  expected: boolean,
): LinesSection {
  const column = (field: string, k: number) => Float64Array.from(rowsOf(field), (row) => row[k]);
  const series = outputs.flatMap((k, c) => {
    const target = column(expected ? 'expected' : 'target', k);
    const labelOf = column('target', k);
    const y = classification ? column('error', k).map((error, t) => error + labelOf[t]) : column('y', k);
    const name = outputs.length > 1 ? ` ${k}` : '';
    const drawn = { label: classification ? 'network' : `y${name}`, values: y, at: c };
    if (targetless) return [drawn];
    const aim = classification && expected ? 'ideal predictor' : `target${name}`;
    return [drawn, { label: aim, values: target, dashed: true, at: c }];
  });
  return {
    kind: 'lines',
    label: classification ? 'P(y = 1)' : 'readout',
    step: classification,
    series: series.map(({ at, ...line }) => ('dashed' in line ? { ...line, colorOf: 2 * at } : line)),
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
