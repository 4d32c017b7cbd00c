import { type Experiment, type NetworkSpec, type Rows, type Run, rowAt } from '../../src/browser.ts';
import type { Line, Spikes } from '../views/types.ts';

/** Neurons whose lines are drawn, of a single population; of several one each. */
const drawnNeurons = 3;
/** Outputs whose lines are drawn. */
const drawnOutputs = 2;

/** A neuron by its population and its place in it. */
export interface Cell {
  readonly population: number;
  readonly neuron: number;
  readonly label: string;
  readonly colour: number;
}

/** Room for the spikes of a trial, kept from frame to frame. */
const room = { t: new Uint32Array(1 << 12), index: new Uint32Array(1 << 12), value: new Float32Array(1 << 12) };

/** Everything but silence in the rows of several owners, one below the other, of stream 0. */
export function spikesOf(parts: readonly Rows[], steps: number, graded: boolean): Spikes {
  let n = 0;
  let first = 0;
  for (const part of parts) {
    const { data, size } = part;
    reserve(n + size * steps);
    const { t, index, value } = room;
    for (let step = 0; step < steps; step++) {
      const row = rowAt(part, 0, step);
      for (let j = 0; j < size; j++) {
        const z = data[row + j];
        if (z === 0) continue;
        t[n] = step;
        index[n] = first + j;
        value[n] = Math.abs(z);
        n++;
      }
    }
    first += size;
  }
  const value = graded ? room.value.slice(0, n) : null;
  const largest = value?.reduce((most, z) => Math.max(most, z), 0) ?? 1;
  for (let k = 0; value && k < n; k++) value[k] /= largest;
  return { t: room.t.slice(0, n), index: room.index.slice(0, n), value };
}

function reserve(length: number): void {
  if (room.t.length >= length) return;
  const grown = <T extends Uint32Array | Float32Array>(to: T, from: T): T => {
    to.set(from);
    return to;
  };
  room.t = grown(new Uint32Array(length), room.t);
  room.index = grown(new Uint32Array(length), room.index);
  room.value = grown(new Float32Array(length), room.value);
}

/** Where step t of stream 0 begins, when it has just been done: some backends keep the row of one step only. */
export const rowNow = (rows: Rows, t: number): number => rowAt(rows, 0, Math.min(t, rows.steps - 1));

/** Column j of the rows of stream 0. [steps] */
export function column(rows: Rows, j: number, steps: number): Float32Array {
  const values = new Float32Array(steps);
  for (let t = 0; t < steps; t++) values[t] = rows.data[rowAt(rows, 0, t) + j];
  return values;
}

/** The neurons that fired most in a trial, lowest index first among equals. @param spikes of all populations */
export function activeCells({ network }: Run, { index, value }: Spikes): Cell[] {
  const { populations } = network.spec;
  const several = populations.length > 1;
  const sums = new Float64Array(populations.reduce((sum, { size }) => sum + size, 0));
  for (let n = 0; n < index.length; n++) sums[index[n]] += value ? value[n] : 1;
  let first = 0;
  return populations.flatMap(({ name, size }, population) => {
    const own = sums.subarray(first, first + size);
    first += size;
    const order = Array.from(own.keys()).sort((a, b) => own[b] - own[a] || a - b);
    return order.slice(0, several ? 1 : drawnNeurons).map((neuron, n) => ({
      population,
      neuron,
      label: several ? `${name} ${neuron}` : `neuron ${neuron}`,
      colour: several ? population : n,
    }));
  });
}

/** The spikes (or rates) of all populations in the trial just done. */
export function neuronSpikes({ network: { spec, activity } }: Run, steps: number): Spikes {
  const graded = spec.populations.some(({ spiking }) => !spiking);
  return spikesOf(
    activity.map(({ z }) => z),
    steps,
    graded,
  );
}

/** Outputs and their targets; of a classifier the probability of its first class, where the task scores it. */
export function outputLines({ run, task, config }: Experiment, steps: number): Line[] {
  const { spec, trial } = run.network;
  const several = spec.readouts.length > 1;
  return spec.readouts.flatMap((readout, r) => {
    const { name, size, column: first, loss } = readout;
    const aim = task.statesExpected ? trial.expected : trial.target;
    const asProbability = loss.classification && !loss.targetless && config.modulator === null;
    const shown = asProbability ? 1 : Math.min(size, drawnOutputs);
    return Array.from({ length: shown }, (_, k) => {
      const colour = r * drawnOutputs + k;
      const of = (what: string) => [several ? name : '', what, shown > 1 ? String(k) : ''].filter(Boolean).join(' ');
      const values = asProbability ? probability(run, readout, steps) : column(trial.y, first + k, steps);
      const y: Line = { label: of(asProbability ? 'P(first class)' : 'y'), values, dashed: false, colour };
      if (loss.targetless) return [y];
      const label = of(asProbability && task.statesExpected ? 'ideal predictor' : 'target');
      return [y, { label, values: column(aim, first + k, steps), dashed: true, colour }];
    }).flat();
  });
}

/** p(t) = target(t) + error(t) / scale, NaN where nothing is scored: the error of a classifier is p - target. */
function probability(
  { network: { trial }, lossScale }: Run,
  { column: k, weight }: Pick<NetworkSpec['readouts'][number], 'column' | 'weight'>,
  steps: number,
): Float32Array {
  const scale = lossScale[0] * weight;
  const values = new Float32Array(steps).fill(Number.NaN);
  for (let t = 0; t < steps; t++) {
    if (trial.weight.data[rowAt(trial.weight, 0, t)] === 0) continue;
    values[t] =
      trial.target.data[rowAt(trial.target, 0, t) + k] + trial.error.data[rowAt(trial.error, 0, t) + k] / scale;
  }
  return values;
}
