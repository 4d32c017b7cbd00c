import type { Measure } from '../../core/findings.ts';
import type { ProjectionSpec } from '../../core/network.ts';
import type { NeuronInstance } from '../../core/plugins.ts';
import type { Experiment } from '../experiment.ts';
import { predictedShare } from './regression.ts';
import type { Samples, Sequence } from './samples.ts';
import { now, unmeasured } from './updates.ts';

/** Neurons of a projection, and steps of each sequence. */
const most = { neurons: 16, steps: 3000 };
/** Time constants of the traces of what single cells add, from which it may be foretold, and values before them; steps. */
const past = { taus: [4, 16, 64, 256], values: 12 };

/**
 * Noise against signal of what comes from the input, of every projection from it. The cells of one group of the input say the same thing, so
 * that the signal of a neuron is what it would get if all of them had their mean, and the noise what single cells add to it:
 *
 *     I_j(t) = sum_g (sum_(i in g) w_ij) xbar_g(t)  +  sum_i w_ij (x_i(t) - xbar_g(t))
 *
 * both filtered by the neuron's membrane. What of the second is foretold by its own past, longer ago than the membrane remembers, is no noise:
 * cells that fire regularly, or whose rates differ for good.
 */
export function measureDrive({ run, task }: Experiment, samples: Samples): Measure[] {
  const { spec, weights } = run.network;
  const inputs = spec.projections.filter(({ pre }) => pre === null);
  const refuse = (why: string) => inputs.map(({ name }) => unmeasured('driveNoise', name, why));
  if (samples.oneTrial) return refuse('the input of every trial is the same');
  if (samples.groups.every((size) => size === 1)) return refuse('no two cells of the input say the same');
  if (task.environment) return refuse('the task answers: its input depends on what the network does');
  return inputs.map((projection) => {
    const neuron = spec.populations[projection.post].neuron;
    const value = noiseOf(projection, weights[projection.name], neuron, samples);
    return value === null
      ? unmeasured('driveNoise', projection.name, 'its input does not change')
      : now('driveNoise', projection.name, value);
  });
}

function noiseOf(
  projection: ProjectionSpec,
  weights: ArrayLike<number>,
  neuron: NeuronInstance,
  samples: Samples,
): number | null {
  const decay = decayOf(neuron);
  const { nPost } = projection.synapses;
  const stride = Math.max(1, Math.floor(nPost / most.neurons));
  const chosen = Array.from({ length: Math.min(nPost, most.neurons) }, (_, n) => n * stride);
  let [signal, noise] = [0, 0];
  for (const j of chosen) {
    const column = columnOf(projection, weights, j);
    const parts = samples.sequences.slice(0, 8).map((sequence) => driveOf(sequence, column, projection.from, samples));
    const ofMean = variance(parts.map(({ mean }) => filtered(mean, decay)));
    const single = parts.map(({ alone }) => filtered(alone, decay));
    const ofCells = variance(single);
    // Three time constants of the membrane.
    const horizon = decay > 0 ? Math.ceil(-3 / Math.log(decay)) : 1;
    const foretold = Math.max(0, foretoldShare(single, horizon));
    signal += ofMean + foretold * ofCells;
    noise += (1 - foretold) * ofCells;
  }
  return signal + noise > 0 ? noise / Math.max(signal, 1e-12 * noise) : null;
}

/** Of the membrane; 0 for what filters nothing, or in another form. */
function decayOf({ eligibility }: NeuronInstance): number {
  return eligibility && eligibility.form === 'filter-then-post' ? eligibility.decay : 0;
}

/** Weights onto neuron j of every presynaptic cell. [pre] */
function columnOf({ synapses }: ProjectionSpec, weights: ArrayLike<number>, j: number): Float64Array {
  const { nPre, rowStart, post } = synapses;
  const column = new Float64Array(nPre);
  for (let i = 0; i < nPre; i++)
    for (let s = rowStart[i]; s < rowStart[i + 1]; s++) if (post[s] === j) column[i] += weights[s];
  return column;
}

/** Both parts of the drive of one neuron. [step] each */
function driveOf(
  { cells, input, steps }: Sequence,
  column: Float64Array,
  from: number,
  { groups, nIn }: Samples,
): { readonly mean: Float64Array; readonly alone: Float64Array } {
  const n = Math.min(steps, most.steps);
  const mean = new Float64Array(n);
  const alone = new Float64Array(n);
  const groupOf = groups.flatMap((size, g) => Array.from({ length: size }, () => g));
  for (let t = 0; t < n; t++) {
    // The last presynaptic unit may be the constant of a bias, which has no cell.
    for (let i = 0; i < column.length && from + i < nIn; i++) {
      const x = cells[t * nIn + from + i];
      const common = input[t * groups.length + groupOf[from + i]];
      mean[t] += column[i] * common;
      alone[t] += column[i] * (x - common);
    }
  }
  return { mean, alone };
}

function filtered(x: Float64Array, decay: number): Float64Array {
  const out = new Float64Array(x.length);
  let v = 0;
  for (let t = 0; t < x.length; t++) {
    v = decay * v + x[t];
    out[t] = v;
  }
  return out;
}

/** Over time, and over trials as well. */
function variance(parts: readonly Float64Array[]): number {
  let [n, sum, squares] = [0, 0, 0];
  for (const part of parts) {
    for (const value of part) {
      n += 1;
      sum += value;
      squares += value * value;
    }
  }
  return n > 0 ? squares / n - (sum / n) ** 2 : 0;
}

/** Share of x(t) that its own past up to t - horizon foretells, on data that have not been fitted. */
function foretoldShare(parts: readonly Float64Array[], horizon: number): number {
  const half = () => ({ x: [] as Float64Array[], y: [] as Float64Array[] });
  const [train, test] = [half(), half()];
  parts.forEach((part, n) => {
    const traces = new Float64Array(past.taus.length);
    for (let t = 0; t < part.length; t++) {
      const from = t - horizon;
      if (from < past.values) continue;
      past.taus.forEach((tau, c) => {
        traces[c] += (part[from] - traces[c]) / tau;
      });
      const first = parts.length > 1 ? n % 2 === 0 : t < part.length / 2;
      const { x, y } = first ? train : test;
      x.push(Float64Array.from([...traces, ...part.subarray(from - past.values, from + 1)]));
      y.push(part.slice(t, t + 1));
    }
  });
  return predictedShare(train, test);
}
