import type { Real } from '../core/layout.ts';
import type { Loss } from '../core/plugins.ts';

/** E = 1/2 sum_k (y_k - y*_k)^2;  dE/dy = y - y*. */
export const square: Loss = {
  kind: 'square',
  classification: false,
  error(error, y, target, row, nOut) {
    for (let k = 0; k < nOut; k++) error[row + k] = y[row + k] - target[row + k];
  },
  value(y, target, row, nOut) {
    let sum = 0;
    for (let k = 0; k < nOut; k++) sum += (y[row + k] - target[row + k]) ** 2;
    return 0.5 * sum;
  },
};

/** E = - sum_k y*_k ln softmax(y)_k in nats;  dE/dy = softmax(y) - y*, for targets that sum to 1. */
export const softmaxCrossEntropy: Loss = {
  kind: 'softmax',
  classification: true,
  error(error, y, target, row, nOut) {
    const shift = logSumExp(y, row, nOut);
    for (let k = 0; k < nOut; k++) error[row + k] = Math.exp(y[row + k] - shift) - target[row + k];
  },
  value(y, target, row, nOut) {
    const shift = logSumExp(y, row, nOut);
    let sum = 0;
    for (let k = 0; k < nOut; k++) sum += target[row + k] * (shift - y[row + k]);
    return sum;
  },
};

/** E = - sum_k [y*_k ln s(y_k) + (1 - y*_k) ln(1 - s(y_k))] in nats, s logistic;  dE/dy = s(y) - y*. */
export const bernoulliCrossEntropy: Loss = {
  kind: 'bernoulli',
  classification: true,
  error(error, y, target, row, nOut) {
    for (let k = 0; k < nOut; k++) error[row + k] = 1 / (1 + Math.exp(-y[row + k])) - target[row + k];
  },
  value(y, target, row, nOut) {
    let sum = 0;
    for (let k = 0; k < nOut; k++) {
      const logit = y[row + k];
      sum += Math.max(logit, 0) - logit * target[row + k] + Math.log1p(Math.exp(-Math.abs(logit)));
    }
    return sum;
  },
};

export const losses: readonly Loss[] = [square, softmaxCrossEntropy, bernoulliCrossEntropy];

/** ln sum_k exp(y_k), shifted by the largest so that it cannot overflow. */
function logSumExp(y: Real, row: number, nOut: number): number {
  let largest = y[row];
  for (let k = 1; k < nOut; k++) if (y[row + k] > largest) largest = y[row + k];
  let sum = 0;
  for (let k = 0; k < nOut; k++) sum += Math.exp(y[row + k] - largest);
  return largest + Math.log(sum);
}
