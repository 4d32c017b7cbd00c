import type { Real } from '../../src/core/layout.ts';

/** ln sum_k exp(y_k), shifted by the largest so that it cannot overflow. */
export function logSumExp(y: Real, row: number, nOut: number): number {
  let largest = y[row];
  for (let k = 1; k < nOut; k++) if (y[row + k] > largest) largest = y[row + k];
  let sum = 0;
  for (let k = 0; k < nOut; k++) sum += Math.exp(y[row + k] - largest);
  return largest + Math.log(sum);
}
