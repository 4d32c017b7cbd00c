import type { ExperimentConfig } from '../config/schema.ts';
import { ConfigError } from '../core/errors.ts';
import { createRng, type Rng } from '../core/rng.ts';

/** Numbers of an experiment that are searched as one: all are multiplied by the same factor. */
export interface TuneFactor {
  readonly label: string;
  /** Paths of numbers > 0, as `--set` writes them. */
  readonly paths: readonly string[];
  /** Smallest and largest multiplier. */
  readonly range: readonly [number, number];
}

/** One setting: a multiplier for every factor, in their order. */
export interface TuneCandidate {
  /** From 0, in the order in which they were drawn. */
  readonly index: number;
  readonly multipliers: readonly number[];
}

/** Candidates that are trained for the same time. */
export interface TuneRung {
  readonly rung: number;
  /** Of the whole training. */
  readonly share: number;
  readonly candidates: readonly TuneCandidate[];
}

export interface TunedCandidate extends TuneCandidate {
  readonly rung: number;
  readonly share: number;
  /** What is made small; Infinity for a training that diverged. */
  readonly cost: number;
}

export interface TuneOptions {
  readonly factors: readonly TuneFactor[];
  /** Trainings of one seed: short ones, a quarter of the whole on the average at most. At least 5. */
  readonly budget: number;
  /** Of the draws. */
  readonly seed: number;
}

/** How much of the budget each rung has, and of the training each of its candidates. */
const rungs = [
  { budget: 0.6, share: 1 / 8 },
  { budget: 0.25, share: 1 / 4 },
  { budget: 0.15, share: 1 / 2 },
] as const;

/** Neighbours are drawn within this factor of the best. */
const reach = 10 ** 0.5;

/** The range of a factor that has none of its own. */
export const wideRange = [1 / 100, 100] as const;

/**
 * The learning rates of the network as one factor, those of the readouts as another.
 * @throws ConfigError where no rate is above 0
 */
export function rateFactors({ network, optimizer }: ExperimentConfig): TuneFactor[] {
  const pathsOf = (isReadout: boolean) =>
    Object.entries(optimizer.rates).flatMap(([name, given]) => {
      if (Object.hasOwn(network.readouts, name) !== isReadout) return [];
      const own = typeof given === 'number' ? null : given;
      if ((own?.rate ?? given) === 0) return [];
      return [`optimizer.rates.${name}${own ? '.rate' : ''}`];
    });
  const found = [
    { label: 'rates of the network', paths: pathsOf(false), range: wideRange },
    { label: 'rates of readouts', paths: pathsOf(true), range: wideRange },
  ].filter(({ paths }) => paths.length > 0);
  if (found.length === 0) throw new ConfigError('optimizer.rates', optimizer.rates, 'a rate above 0 to search from');
  return found;
}

/**
 * Reads `path[,path...][=low:high]`: numbers to be searched together, between low and high times what they are.
 * @throws ConfigError
 */
export function readFactor(text: string): TuneFactor {
  const [left, right] = [text.slice(0, cutOf(text)), text.slice(cutOf(text) + 1)];
  const paths = left.split(',').map((path) => path.trim());
  if (paths.some((path) => path === '')) throw new ConfigError('--search', text, 'path[,path...][=low:high]');
  const range = right === '' ? wideRange : right.split(':').map(Number);
  const [low, high] = range;
  if (range.length !== 2 || !(low > 0 && low < high && Number.isFinite(high))) {
    throw new ConfigError('--search', text, 'multipliers low:high with 0 < low < high, for example =0.1:10');
  }
  return { label: left, paths, range: [low, high] };
}

const cutOf = (text: string) => (text.includes('=') ? text.indexOf('=') : text.length);

/** A raw experiment with the numbers of a candidate in it. @throws ConfigError for a path that leads to no number > 0 */
export function withCandidate(
  raw: unknown,
  factors: readonly TuneFactor[],
  { multipliers }: Pick<TuneCandidate, 'multipliers'>,
): unknown {
  const tuned = structuredClone(raw);
  factors.forEach(({ paths }, f) => {
    for (const path of paths) scaleAt(tuned, path, multipliers[f]);
  });
  return tuned;
}

/** Three digits: what a reader may remember, and what the search can tell apart. */
function scaleAt(root: unknown, path: string, by: number): void {
  const keys = path.split('.');
  const last = keys[keys.length - 1];
  let node = root;
  for (const key of keys.slice(0, -1)) node = isObject(node) && Object.hasOwn(node, key) ? node[key] : undefined;
  const value = isObject(node) && Object.hasOwn(node, last) ? node[last] : undefined;
  if (!isObject(node) || typeof value !== 'number' || !(value > 0)) {
    throw new ConfigError(path, value, 'a number > 0 in the experiment: the search multiplies it');
  }
  if (by !== 1) node[last] = Number((value * by).toPrecision(3));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/**
 * Random search and successive halving (Jamieson and Talwalkar 2016), with neighbours. The first rung is the experiment as it is and
 * a Latin hypercube over the logarithms of the multipliers, trained for an eighth of the time. Each later rung trains twice as long: half of it are the
 * best so far, half are drawn around the very best, within half a decade and within the range. The best of the last rung is what is found.
 *
 * Yields rungs; takes the costs of their candidates, in order, and returns all of them, the best first.
 * @throws ConfigError
 */
export function* searchRates(options: TuneOptions): Generator<TuneRung, readonly TunedCandidate[], readonly number[]> {
  const { factors, budget, seed } = options;
  if (!(Number.isInteger(budget) && budget >= 5)) throw new ConfigError('budget', budget, 'a whole number >= 5 (runs)');
  if (factors.length === 0) throw new ConfigError('search', factors, 'at least one factor');
  const rng = createRng(seed).split('tune');
  const sizes = sizesOf(budget);
  const done: TunedCandidate[] = [];
  let drawn = 0;
  const drawnAs = (multipliers: readonly number[]): TuneCandidate => ({ index: drawn++, multipliers });
  let candidates = [factors.map(() => 1), ...hypercube(rng.split('first'), factors, sizes[0] - 1)].map(drawnAs);
  for (let rung = 0; rung < rungs.length; rung++) {
    if (rung > 0) {
      const before = done.filter((one) => one.rung === rung - 1).sort(byCost);
      const kept = before
        .slice(0, Math.ceil(sizes[rung] / 2))
        .map(({ index, multipliers }) => ({ index, multipliers }));
      const own = rng.split(rung);
      const near = Array.from({ length: sizes[rung] - kept.length }, () =>
        neighbour(own, factors, kept[0].multipliers),
      );
      candidates = [...kept, ...near.map(drawnAs)];
    }
    const { share } = rungs[rung];
    const costs = yield { rung, share, candidates };
    candidates.forEach((one, c) => {
      done.push({ ...one, rung, share, cost: Number.isFinite(costs[c]) ? costs[c] : Number.POSITIVE_INFINITY });
    });
  }
  return done.sort((a, b) => b.rung - a.rung || byCost(a, b));
}

/** Two in the last rung at least, so that it chooses. */
function sizesOf(budget: number): number[] {
  const last = Math.max(2, Math.round(rungs[2].budget * budget));
  const middle = Math.max(1, Math.round(rungs[1].budget * budget));
  return [budget - middle - last, middle, last];
}

const byCost = (a: TunedCandidate, b: TunedCandidate) => (a.cost === b.cost ? a.index - b.index : a.cost - b.cost);

/** Each factor has one draw in each of `n` equal parts of its logarithm. @returns [n][factor] */
function hypercube(rng: Rng, factors: readonly TuneFactor[], n: number): number[][] {
  const columns = factors.map(({ range: [low, high] }, f) => {
    const own = rng.split(f);
    const parts = Array.from({ length: n }, (_, at) => at);
    for (let at = n - 1; at > 0; at--) {
      const other = own.integer(at + 1);
      [parts[at], parts[other]] = [parts[other], parts[at]];
    }
    return parts.map((part) => low * (high / low) ** ((part + own.uniform()) / n));
  });
  return Array.from({ length: n }, (_, at) => columns.map((column) => column[at]));
}

function neighbour(rng: Rng, factors: readonly TuneFactor[], around: readonly number[]): number[] {
  return factors.map(({ range: [low, high] }, f) =>
    Math.min(high, Math.max(low, around[f] * reach ** (2 * rng.uniform() - 1))),
  );
}
