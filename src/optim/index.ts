import { blockKey, chanceAt, signedEvent } from '../core/chance.ts';
import type { Real } from '../core/layout.ts';
import type { Optimizer } from '../core/plugins.ts';

export type OptimizerSettings =
  | { readonly kind: 'sgd' }
  | { readonly kind: 'momentum'; readonly momentum: number }
  | { readonly kind: 'adam'; readonly beta1: number; readonly beta2: number; readonly epsilon: number }
  | { readonly kind: 'one-step' /** One for each block of weights. */; readonly deltas: readonly number[] };

/** @param key of the draws of an optimiser that makes any, 32 bits */
export function createOptimizer(settings: OptimizerSettings, key = 0): Optimizer {
  switch (settings.kind) {
    case 'sgd':
      return {
        kind: 'sgd',
        kernel: { name: 'sgd' },
        slots: [],
        step: (gradient, _slots, rate) => scale(gradient, rate),
      };
    case 'momentum':
      return {
        kind: 'momentum',
        kernel: { name: 'momentum', momentum: settings.momentum },
        slots: ['velocity'],
        step: (gradient, [velocity], rate) => momentumStep(gradient, velocity, rate, settings.momentum),
      };
    case 'adam':
      return {
        kind: 'adam',
        kernel: { name: 'adam', beta1: settings.beta1, beta2: settings.beta2, epsilon: settings.epsilon },
        slots: ['mean', 'square'],
        step: (gradient, [mean, square], rate, count) => adamStep(gradient, mean, square, rate, count, settings),
      };
    case 'one-step': {
      const { deltas } = settings;
      return {
        kind: 'one-step',
        kernel: { name: 'one-step', deltas, key },
        slots: [],
        step: (gradient, _slots, rate, count, block) =>
          stepOnce(gradient, rate, deltas[block], blockKey(key, block), count),
      };
    }
    default:
      return settings satisfies never;
  }
}

/** step = rate g. */
function scale(gradient: Real, rate: number): void {
  for (let s = 0; s < gradient.length; s++) gradient[s] *= rate;
}

/** u <- momentum u + g;  step = rate u. */
function momentumStep(gradient: Real, velocity: Real, rate: number, momentum: number): void {
  for (let s = 0; s < gradient.length; s++) {
    velocity[s] = momentum * velocity[s] + gradient[s];
    gradient[s] = rate * velocity[s];
  }
}

/**
 * m <- b1 m + (1-b1) g;  v <- b2 v + (1-b2) g^2;  step = rate sqrt(1-b2^n) / (1-b1^n) m / (sqrt(v) + epsilon).
 * Epsilon is outside the bias correction, where TensorFlow and NEST have it; Kingma and Ba 2015 have it inside.
 */
function adamStep(
  gradient: Real,
  mean: Real,
  square: Real,
  rate: number,
  count: number,
  { beta1, beta2, epsilon }: { beta1: number; beta2: number; epsilon: number },
): void {
  const corrected = (rate * Math.sqrt(1 - beta2 ** count)) / (1 - beta1 ** count);
  for (let s = 0; s < gradient.length; s++) {
    const g = gradient[s];
    mean[s] = beta1 * mean[s] + (1 - beta1) * g;
    square[s] = beta2 * square[s] + (1 - beta2) * g * g;
    gradient[s] = (corrected * mean[s]) / (Math.sqrt(square[s]) + epsilon);
  }
}

/**
 * step = delta sign(g) with probability min(1, |rate g| / delta), else 0: the mean is rate g, and no weight has more digits than
 * delta. ReckOn's update (Frenkel and Indiveri 2022, ISSCC), with draws that are independent from weight to weight.
 */
function stepOnce(gradient: Real, rate: number, delta: number, key: number, count: number): void {
  for (let s = 0; s < gradient.length; s++)
    gradient[s] = signedEvent(rate * gradient[s], delta, chanceAt(key, count, s));
}
