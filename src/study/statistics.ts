import { createRng } from '../core/rng.ts';
import { deviationOf, meanOf } from '../core/statistics.ts';

/** Mean, spread and a confidence interval of the mean. */
export interface Summary {
  readonly n: number;
  readonly mean: number;
  /** With n - 1; NaN for a single value. */
  readonly sd: number;
  /** NaN for a single value. */
  readonly low: number;
  readonly high: number;
}

/** A test of paired values. */
export interface PairedTest {
  /** Pairs. */
  readonly n: number;
  /** Mean of the differences, and its interval. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  /** Two-sided; NaN for a single pair. */
  readonly p: number;
}

/** Signs are tried one by one up to this many pairs, and drawn beyond. */
const exactPairs = 16;
const drawnSigns = 20_000;
const resamples = 2000;

/**
 * Interval of the mean by percentiles of resampled means (Efron 1979, Ann. Stat. 7:1). Of few values it is too narrow: three
 * have ten different resamples. @param level share of the distribution within @param seed of the resampling
 */
export function bootstrapInterval(values: readonly number[], level = 0.95, seed = 1): readonly [number, number] {
  const n = values.length;
  if (n < 2) return [Number.NaN, Number.NaN];
  const chosen = resampled(n, seed);
  const means = Float64Array.from({ length: resamples }, (_, r) => {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += values[chosen[r * n + k]];
    return sum / n;
  }).sort();
  const at = (share: number) => means[Math.round(share * (resamples - 1))];
  return [at((1 - level) / 2), at((1 + level) / 2)];
}

/** Which values each resample takes, [resample][n]: the same for all of one length, so that a table of thousands draws them once. */
function resampled(n: number, seed: number): Uint32Array {
  const key = `${n}/${seed}`;
  const known = drawn.get(key);
  if (known) return known;
  const rng = createRng(seed).split('bootstrap');
  const chosen = Uint32Array.from({ length: resamples * n }, () => rng.integer(n));
  drawn.set(key, chosen);
  return chosen;
}

const drawn = new Map<string, Uint32Array>();

export function summarise(values: readonly number[]): Summary {
  const [low, high] = bootstrapInterval(values);
  return { n: values.length, mean: meanOf(values), sd: deviationOf(values), low, high };
}

/**
 * Sign-flip test of the mean difference (Fisher 1935, The Design of Experiments, 21): p = share of sign patterns with |sum| as large as that
 * found, of all 2^n patterns up to 16 pairs, of 20,000 drawn ones and the one found beyond.
 */
export function pairedTest(differences: readonly number[], seed = 1): PairedTest {
  const n = differences.length;
  const [low, high] = bootstrapInterval(differences, 0.95, seed);
  const difference = meanOf(differences);
  return { n, difference, low, high, p: n < 2 ? Number.NaN : signFlip(differences, seed) };
}

function signFlip(differences: readonly number[], seed: number): number {
  const n = differences.length;
  const found = Math.abs(differences.reduce((sum, value) => sum + value, 0));
  // Sums of the same numbers in another order differ in their last digits.
  const least = found - 1e-12 * differences.reduce((sum, value) => sum + Math.abs(value), 0);
  const isAsLarge = (signOf: (k: number) => number) => {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += signOf(k) * differences[k];
    return Math.abs(sum) >= least;
  };
  let count = 0;
  if (n <= exactPairs) {
    for (let pattern = 0; pattern < 2 ** n; pattern++) if (isAsLarge((k) => ((pattern >>> k) & 1 ? -1 : 1))) count++;
    return count / 2 ** n;
  }
  const rng = createRng(seed).split('signs');
  for (let draw = 0; draw < drawnSigns; draw++) if (isAsLarge(() => 2 * rng.bernoulli(0.5) - 1)) count++;
  return (count + 1) / (drawnSigns + 1);
}

/** p of several tests, each made larger so that none is below 0.05 by chance in more than one family of twenty (Holm 1979). NaN stays. */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((p, at) => ({ p, at })).filter(({ p }) => !Number.isNaN(p));
  order.sort((a, b) => a.p - b.p);
  const adjusted = [...ps];
  let largest = 0;
  order.forEach(({ p, at }, rank) => {
    largest = Math.max(largest, Math.min(1, p * (order.length - rank)));
    adjusted[at] = largest;
  });
  return adjusted;
}
