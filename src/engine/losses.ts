import { isScored, type Network } from '../core/network.ts';
import { type Rows, rowAt } from '../core/rows.ts';

/** Loss of all readouts at step t of a stream against such targets, without the weight of the step. */
export function lossAt({ spec, trial }: Network, target: Rows, b: number, t: number): number {
  const row = rowAt(trial.y, b, t);
  let sum = 0;
  for (const readout of spec.readouts) {
    if (!isScored(readout, t)) continue;
    const { loss, weight: share, column, size } = readout;
    sum += share * loss.value(trial.y.data, target.data, row + column, size);
  }
  return sum;
}

/** Loss of the last pass or trial of every stream, with its scale. out: [stream] */
export function lossOfStreams(network: Network, lossScale: Float64Array, steps: number, out: Float64Array): void {
  const { target, weight: weights } = network.trial;
  for (let b = 0; b < out.length; b++) {
    let sum = 0;
    for (let t = 0; t < steps; t++) {
      const weight = weights.data[rowAt(weights, b, t)];
      if (weight !== 0) sum += weight * lossAt(network, target, b, t);
    }
    out[b] = lossScale[b] * sum;
  }
}
