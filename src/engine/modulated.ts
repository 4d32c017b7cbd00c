import type { Network } from '../core/network.ts';
import { isScored } from '../core/network.ts';
import { rowAt } from '../core/rows.ts';

/** The modulator of a network, bound to the rows of its trials. */
export interface BoundModulator {
  readonly late: 0 | 1;
  /** m(t) of every stream. [stream] */
  at(t: number, steps: number): Float64Array;
  /**
   * Scales the errors of a whole trial. Since G(t) keeps a share of what came before,
   *
   *     sum_t m(t) G(t) = sum_t M(t) trace(t) signal(t),      M(t) = m(t) + keep M(t+1)
   *
   * and a signal is linear in the errors that it hears. `factor`: of the loss, for each stream.
   */
  scaleErrors(steps: number, factor: Float64Array): void;
}

/** @returns null for a network without one */
export function bindModulator({ spec, trial }: Network): BoundModulator | null {
  const { modulator, readouts, sizes } = spec;
  if (!modulator) return null;
  const { keep, late } = modulator;
  const { error, y, target, weight } = trial;
  const value = modulator.bind({ reward: trial.reward, y });
  const now = new Float64Array(sizes.stream);
  // An episode that ends within its trial is followed by steps without weight.
  const isLast = (b: number, t: number, steps: number) => t + 1 === steps || weight.data[rowAt(weight, b, t + 1)] === 0;
  const scored = (b: number, t: number) => weight.data[rowAt(weight, b, t)] !== 0;
  return {
    late,
    at(t, steps) {
      for (let b = 0; b < sizes.stream; b++) now[b] = scored(b, t) ? value(b, t, isLast(b, t, steps)) : 0;
      return now;
    },
    scaleErrors(steps, factor) {
      for (let b = 0; b < sizes.stream; b++) {
        let M = 0;
        for (let t = steps - 1; t >= 0; t--) {
          M = scored(b, t) ? value(b, t, isLast(b, t, steps)) + keep * M : 0;
          for (const readout of readouts) {
            const { column, size, loss, weight: share } = readout;
            const row = rowAt(error, b, t) + column;
            for (let k = 0; k < size; k++) error.data[row + k] *= M;
            const by = factor[b] * share * weight.data[rowAt(weight, b, t)];
            if (by !== 0 && isScored(readout, t)) loss.aside?.(error.data, y.data, target.data, row, size, by);
          }
        }
      }
    },
  };
}
