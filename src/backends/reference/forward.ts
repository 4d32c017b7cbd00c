import { bindingOfNeuron, bindingOfReadout, presynapticRows } from '../../core/bindings.ts';
import type { Real } from '../../core/layout.ts';
import { scratchOf } from '../../core/loops.ts';
import { isScored, type Network, type Stages } from '../../core/network.ts';
import type { Projection } from '../../core/projection.ts';
import { rowAt } from '../../core/rows.ts';

/** Currents, neurons, readouts, errors. Within a step populations come in the order of their list. */
export function bindForward(network: Network): Pick<Stages, 'forward' | 'readout' | 'error'> {
  const { spec } = network;
  const nStream = spec.sizes.stream;
  const populations = spec.populations.map((_, p) => bindPopulation(network, p));
  const reads = spec.readouts.map(({ readout }, r) => readout.bind(bindingOfReadout(network, r)));
  return {
    forward(t0, t1) {
      for (let b = 0; b < nStream; b++) {
        for (let t = t0; t < t1; t++) for (let p = 0; p < populations.length; p++) populations[p](b, t);
      }
    },
    readout(t0, t1) {
      for (let b = 0; b < nStream; b++) {
        for (let t = t0; t < t1; t++) for (let r = 0; r < reads.length; r++) reads[r](b, t);
      }
    },
    error: bindError(network),
  };
}

/** dE/dy of each step and readout, times the factor of its stream. */
export function bindError({ spec, trial }: Network): Stages['error'] {
  const { y, target, error, weight: weights } = trial;
  return (t0, t1, scale) => {
    for (let b = 0; b < spec.sizes.stream; b++) {
      for (let t = t0; t < t1; t++) {
        const factor = scale[b] * weights.data[rowAt(weights, b, t)];
        for (const readout of spec.readouts) {
          const { loss, weight, column, size } = readout;
          const row = rowAt(error, b, t) + column;
          if (factor * weight === 0 || !isScored(readout, t)) clearRow(error.data, row, size);
          else {
            loss.error(error.data, y.data, target.data, row, size);
            scaleRow(error.data, factor * weight, row, size);
          }
        }
      }
    }
  };
}

/** One step of one population: what arrives, in the order of the projections, then its neurons. */
function bindPopulation(network: Network, p: number): (b: number, t: number) => void {
  const { spec, activity, weights, loops } = network;
  const { size, neuron, current: constant } = spec.populations[p];
  const { addCurrent } = { ...plain, ...loops };
  const current = scratchOf(loops)(size);
  const step = neuron.bind(bindingOfNeuron(network, p, current));
  const { current: kept, injected } = activity[p];
  const arriving = spec.projections.flatMap(({ name, post, delay, synapses }, q) =>
    post === p ? [{ rows: presynapticRows(network, q), weights: weights[name], delay, synapses }] : [],
  );
  return (b, t) => {
    if (constant) current.set(constant);
    else current.fill(0);
    if (t > 0 || spec.borderSpikes === 'keep') {
      for (const { rows, weights: w, delay, synapses } of arriving) {
        addCurrent(current, w, rows.data, synapses, rowAt(rows, b, t - delay));
      }
    }
    if (injected.width > 0) addRow(current, injected.data, rowAt(injected, b, t), size);
    if (kept.data.length > 0) kept.data.set(current, rowAt(kept, b, t));
    step(b, t);
  };
}

/** I_j += sum_i p_i w_ij over the active presynaptic neurons.   current: [self]; w: [syn]; p: row at `from`, [pre] */
function addCurrent(current: Real, w: Real, p: Real, { nPre, rowStart, post }: Projection, from: number): void {
  for (let i = 0; i < nPre; i++) {
    const activity = p[from + i];
    if (activity === 0) continue;
    const end = rowStart[i + 1];
    for (let s = rowStart[i]; s < end; s++) current[post[s]] += activity * w[s];
  }
}

const plain = { addCurrent };

function addRow(sum: Real, x: Real, row: number, n: number): void {
  for (let j = 0; j < n; j++) sum[j] += x[row + j];
}

function clearRow(x: Real, row: number, n: number): void {
  for (let k = 0; k < n; k++) x[row + k] = 0;
}

function scaleRow(x: Real, factor: number, row: number, n: number): void {
  for (let k = 0; k < n; k++) x[row + k] *= factor;
}
