import { z } from 'zod';
import { once } from '../src/core/once.ts';
import type { Split } from '../src/core/plugins.ts';
import { createRng, type Rng } from '../src/core/rng.ts';

/** Which examples are held out: not the seed of the run, so that several runs are scored on the same ones. */
export const splitSeed = z
  .number()
  .int()
  .min(0)
  .max(2 ** 31 - 1)
  .default(1);

/** Examples of a data set by their numbers: those that are trained with, and those that are kept for the test. */
export interface Examples {
  readonly train: ArrayLike<number>;
  readonly test: ArrayLike<number>;
}

/** A shuffle of n examples by a seed, of which the first `count` are held out; drawn when it is first asked for. */
export function heldOut(n: number, count: number, seed: number): () => Examples {
  return once(() => {
    const order = shuffled(n, createRng(seed).split('held out'));
    return { train: order.subarray(count), test: order.subarray(0, count) };
  });
}

/**
 * The example of a trial: in training every epoch is a shuffle of all by the run's seed; test trial n shows the n-th of those held out, begun
 * anew behind the last.
 */
export function examples(sets: () => Examples, rng: Rng): (n: number, split: Split) => number {
  const epochs = lastOf((epoch) => shuffled(sets().train.length, rng.split('epochs').split(epoch)));
  return (n, split) => {
    const { train, test } = sets();
    if (split === 'test') return test[n % test.length];
    return train[epochs(Math.floor(n / train.length))[n % train.length]];
  };
}

/** 0 .. n-1 in a drawn order (Fisher and Yates). */
function shuffled(n: number, rng: Rng): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, k) => k);
  for (let k = n - 1; k > 0; k--) {
    const other = rng.integer(k + 1);
    [order[k], order[other]] = [order[other], order[k]];
  }
  return order;
}

/** What `make` says of a key, kept until another is asked for. */
function lastOf<T>(make: (key: number) => T): (key: number) => T {
  let last: { readonly key: number; readonly value: T } | null = null;
  return (key) => {
    if (last?.key !== key) last = { key, value: make(key) };
    return last.value;
  };
}
