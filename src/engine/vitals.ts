import type { Curve, Scores } from '../core/events.ts';
import { type Finding, findingsIn, type Measure } from '../core/findings.ts';
import { rewardName, type WeightBlock } from '../core/network.ts';
import { measureActivity } from './activity.ts';
import type { Run } from './run.ts';
import { scoreOf } from './scores.ts';

/** What can be seen of a training without slowing it down. */
export interface Vitals {
  /** After every trial, with its scores. @returns causes that were there at the last two looks and not before; none where this is no time for one */
  after(steps: number, scores: Scores): readonly Finding[];
  /** The causes that were there at the last two looks. */
  standing(): readonly Finding[];
  /** First and last losses; null where there are too few. */
  curve(): Curve | null;
}

/** Looks of a training; weights of a block that are looked at; share of the training before which nothing is said of weights. */
const looks = 50;
const most = 512;
const early = 0.1;
/** Tenths of a training. */
const tenths = 10;

/**
 * Activity, pseudo-derivatives and weights at fifty times of a training, the first trial among them; sampled, so that a look costs some
 * thousand additions. Weights are held against those that it began with.
 */
export function createVitals(run: Run): Vitals {
  const { spec } = run.network;
  const trials = Math.ceil(run.totalSteps / spec.sizes.step);
  const every = Math.max(1, Math.ceil(trials / looks));
  const weights = sampledWeights(run);
  const losses = lossCurve(trials);
  let count = 0;
  let seen: readonly Finding[] = [];
  let standing: readonly Finding[] = [];
  return {
    after(steps, scores) {
      losses.add(scores);
      count += 1;
      if ((count - 1) % every !== 0) return [];
      const found = findingsIn([...measureActivity(run, steps, 'now'), ...weights.measure(), ...lostIn(run)], false);
      const isIn = (list: readonly Finding[]) => (finding: Finding) =>
        list.some(({ cause }) => cause === finding.cause);
      const lasting = found.filter(isIn(seen));
      const fresh = lasting.filter((finding) => !isIn(standing)(finding));
      seen = found;
      standing = lasting;
      return fresh;
    },
    standing: () => standing,
    curve: losses.ends,
  };
}

/** How far the weights of the network have come since this began. */
function sampledWeights({ network, clock, totalSteps }: Run) {
  const { spec, weights } = network;
  const began = { step: clock.step, updates: clock.updates };
  const samples = spec.blocks
    .filter(({ plastic, kind }) => plastic && (kind === 'projection' || kind === 'signal'))
    .map((block) => sampleOf(block, weights[block.name]));
  return {
    measure(): Measure[] {
      const share = (clock.step - began.step) / totalSteps;
      if (clock.updates === began.updates || share < early || samples.length === 0) return [];
      const farthest = Math.max(...samples.map((sample) => sample.moved()));
      return [
        ...samples.flatMap((sample) => sample.growth()),
        { quantity: 'drift', where: 'all projections', when: 'now', value: farthest / share },
      ];
    },
  };
}

function sampleOf({ name }: WeightBlock, weights: ArrayLike<number>) {
  const stride = Math.max(1, Math.ceil(weights.length / most));
  const start = Float64Array.from({ length: Math.ceil(weights.length / stride) }, (_, n) => weights[n * stride]);
  const norm = (of: (n: number) => number) => {
    let sum = 0;
    for (let n = 0; n < start.length; n++) sum += of(n) ** 2;
    return Math.sqrt(sum);
  };
  const before = norm((n) => start[n]);
  return {
    growth(): Measure[] {
      if (before === 0) return [];
      return [{ quantity: 'growth', where: name, when: 'now', value: norm((n) => weights[n * stride]) / before }];
    },
    moved() {
      const now = norm((n) => weights[n * stride]);
      const way = norm((n) => weights[n * stride] - start[n]);
      return now > 0 ? way / now : 0;
    },
  };
}

/** Changes of weights that rounding has taken away so far; what stochastic rounding takes it gives back elsewhere. */
export function lostIn({ stages, network: { spec } }: Run): Measure[] {
  const statistics = stages.statistics?.() ?? [];
  const learning = spec.blocks.filter(({ plastic }) => plastic).map(({ name }) => `.${name}.weights`);
  return statistics
    .filter(({ field, tried }) => tried > 0 && learning.some((end) => field.endsWith(end)))
    .map(({ field, format, tried, lost }): Measure => {
      const about = { quantity: 'lost', where: field, when: 'now' } as const;
      return format.rounding === 'stochastic'
        ? { ...about, value: null, why: 'stochastic rounding loses nothing on average' }
        : { ...about, value: lost / tried };
    });
}

/** Mean, and squares around it, of the scores of the first and of the last tenth of the trials. */
function lossCurve(trials: number) {
  const tenth = Math.floor(trials / tenths);
  const sums = [0, 1].map(() => ({ n: 0, sum: 0, squares: 0 }));
  let count = 0;
  let higherIsBetter = false;
  return {
    add(scores: Scores) {
      higherIsBetter = scores.own[rewardName] !== undefined;
      const value = scoreOf(scores);
      const part = count < tenth ? sums[0] : count >= trials - tenth ? sums[1] : null;
      count += 1;
      if (!part || !Number.isFinite(value)) return;
      part.n += 1;
      part.sum += value;
      part.squares += value * value;
    },
    ends(): Curve | null {
      const [first, last] = sums.map(({ n, sum, squares }) => ({
        mean: sum / n,
        variance: Math.max(0, squares / n - (sum / n) ** 2) / Math.max(1, n - 1),
        n,
      }));
      if (first.n < 3 || last.n < 3) return null;
      const better = (higherIsBetter ? -1 : 1) * (first.mean - last.mean);
      const flat = better <= 3 * Math.sqrt(first.variance + last.variance);
      return { flat, first: first.mean, last: last.mean };
    },
  };
}
