import { bindingOfReadout } from '../../core/bindings.ts';
import { bindPopulation } from '../../core/forward.ts';
import type { Real } from '../../core/layout.ts';
import { isScored, type Network, type Stages } from '../../core/network.ts';
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

function clearRow(x: Real, row: number, n: number): void {
  for (let k = 0; k < n; k++) x[row + k] = 0;
}

function scaleRow(x: Real, factor: number, row: number, n: number): void {
  for (let k = 0; k < n; k++) x[row + k] *= factor;
}
