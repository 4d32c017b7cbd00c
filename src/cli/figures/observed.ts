import type { PopulationSpec, ReadoutSpec } from '../../core/network.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import type { LinesSection, Population, RasterPanel, SpikeColumns, StackedData } from '../../plot/index.ts';
import type { Observation } from '../observe.ts';

/** Steps shown of a stream; a trial is shown whole. */
const shownSteps = 120;
/** Neurons whose membrane, psi and signal are drawn. */
const shownNeurons = 3;

export function lengthShown({ task }: Experiment): number {
  return task.mode.kind === 'stream' ? shownSteps * task.mode.stepsPerSymbol : task.mode.steps;
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

export function stacked(observation: Observation, experiment: Experiment, title: string): StackedData {
  const { dtMs, steps, rows } = observation;
  const { spec } = experiment.run.network;
  const { populations, readouts } = spec;
  const panels: StackedData['panels'][number][] = [
    ...rasters(observation, experiment).map((panel) => ({ kind: 'raster' as const, ...panel })),
    ...populations.flatMap((population, p) =>
      cellPanels(
        population,
        rows,
        populations,
        p,
        population.rule !== null && `population.${population.name}.signal` in rows,
      ),
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
  const panel = readoutPanel(rowsOf, outputs, loss, expected);
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
