import { isScored, type Network } from '../core/network.ts';
import { rowAt } from '../core/rows.ts';

/** Loss of the last pass or trial of every stream, with its scale. out: [stream] */
export function lossOfStreams(
  { spec, trial }: Network,
  lossScale: Float64Array,
  steps: number,
  out: Float64Array,
): void {
  for (let b = 0; b < out.length; b++) {
    let sum = 0;
    for (let t = 0; t < steps; t++) {
      const weight = trial.weight.data[rowAt(trial.weight, b, t)];
      if (weight === 0) continue;
      const row = rowAt(trial.y, b, t);
      for (const readout of spec.readouts) {
        if (!isScored(readout, t)) continue;
        const { loss, weight: share, column, size } = readout;
        sum += weight * share * loss.value(trial.y.data, trial.target.data, row + column, size);
      }
    }
    out[b] = lossScale[b] * sum;
  }
}
