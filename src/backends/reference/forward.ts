import type { Real } from '../../core/layout.ts';
import { scratchOf } from '../../core/loops.ts';
import type { Network, Stages } from '../../core/network.ts';
import type { Projection } from '../../core/projection.ts';

/** Input and recurrent current, neuron, readout, error. */
export function bindForward(network: Network): Pick<Stages, 'forward' | 'readout' | 'error'> {
  const { spec, state, trial, weights, loops } = network;
  const { sizes, projections, borderSpikes, loss } = spec;
  const { stream: nStream, step: stride, rec: n, in: nIn, out: nOut, history } = sizes;
  const { addCurrent } = { ...plain, ...loops };
  const current = scratchOf(loops)(n);
  const neuron = spec.neuron.bind({ sizes, state: state.views('neuron'), trial, current, loops });
  const read = spec.readout.bind({ sizes, state: state.views('readout'), trial, weights, loops });
  return {
    forward(t0, t1) {
      for (let b = 0; b < nStream; b++) {
        for (let t = t0; t < t1; t++) {
          current.fill(0);
          if (t > 0 || borderSpikes === 'keep') {
            addCurrent(current, weights.wIn, trial.x, projections.in, (b * stride + t) * nIn);
            addCurrent(current, weights.wRec, trial.z, projections.rec, (b * (history + stride) + t) * n);
          }
          if (trial.current.length > 0) trial.current.set(current, (b * stride + t) * n);
          neuron(b, t);
        }
      }
    },
    readout(t0, t1) {
      for (let b = 0; b < nStream; b++) for (let t = t0; t < t1; t++) read(b, t);
    },
    error(t0, t1, scale) {
      for (let b = 0; b < nStream; b++) {
        for (let t = t0; t < t1; t++) {
          const step = b * stride + t;
          const weight = scale[b] * trial.weight[step];
          if (weight === 0) clearRow(trial.error, step * nOut, nOut);
          else {
            loss.error(trial.error, trial.y, trial.target, step * nOut, nOut);
            scaleRow(trial.error, weight, step * nOut, nOut);
          }
        }
      }
    },
  };
}

/** I_j += sum_i p_i w_ij over the active presynaptic neurons.   current: [rec]; w: [syn]; p: row at `from`, [pre] */
function addCurrent(current: Real, w: Real, p: Real, { nPre, rowStart, post }: Projection, from: number): void {
  for (let i = 0; i < nPre; i++) {
    const activity = p[from + i];
    if (activity === 0) continue;
    const end = rowStart[i + 1];
    for (let s = rowStart[i]; s < end; s++) current[post[s]] += activity * w[s];
  }
}

const plain = { addCurrent };

function clearRow(x: Real, row: number, n: number): void {
  for (let k = 0; k < n; k++) x[row + k] = 0;
}

function scaleRow(x: Real, factor: number, row: number, n: number): void {
  for (let k = 0; k < n; k++) x[row + k] *= factor;
}
