import type { Measure, Quantity } from '../../core/findings.ts';
import { square } from '../../core/linearMaps.ts';
import { type WeightBlock, type Weights, wholesOf } from '../../core/network.ts';
import { type Run, runTrial } from '../../engine/run.ts';
import { lostIn } from '../../engine/vitals.ts';
import type { Experiment } from '../experiment.ts';

/** Updates looked at, where one trial has more than one, and trials at most. */
const most = { updates: 64, trials: 64 };

/** Blocks of weights that are taken as one: all delays of a projection together. */
interface Part {
  readonly name: string;
  readonly kind: WeightBlock['kind'];
  readonly blocks: readonly string[];
}

/**
 * |w(now)| / |w(start)| of all that learns in the network, and how far it has come, over the share of the training that is done. Readouts may
 * begin as small as they like.
 */
export function measureWay(run: Run, fresh: Run): Measure[] {
  const parts = plasticParts(run).filter(isOfNetwork);
  const [before, after] = [fresh.network.weights, run.network.weights];
  const share = Math.min(1, run.clock.step / run.totalSteps);
  const ways = parts.map((part) => ratio(distance(part, after, before), norm(part, after)));
  return [
    ...parts.map((part) => {
      const start = norm(part, before);
      if (start === 0) return unmeasured('growth', part.name, 'weights that begin at 0');
      const size = norm(part, after);
      // Weights that are no numbers any more have grown beyond all.
      return now('growth', part.name, Number.isNaN(size) ? Number.POSITIVE_INFINITY : size / start);
    }),
    share === 0 || parts.length === 0
      ? unmeasured('drift', 'all projections', share === 0 ? 'no training yet' : 'no projection learns')
      : now('drift', 'all projections', Math.max(...ways) / share),
  ];
}

/**
 * What updates are like: a copy of the network learns for some trials, at the rates that schedules begin with. Of |dw| / |w|, w the weights
 * before the update, `step` is the largest, `readoutStep` the mean; `reach` is the mean times all updates of the training, which is what they
 * could do if all of them pointed one way.
 */
export function measureUpdates(experiment: Experiment, when: Measure['when']): Measure[] {
  const { run, feed } = experiment.observer();
  try {
    const { spec } = run.network;
    const parts = plasticParts(run);
    const moved = watchUpdates(run, parts);
    const trial = (freeze: boolean) => {
      feed.fill(spec.sizes.step);
      runTrial(moved.run, spec.sizes.step, { learn: true, answer: feed.answer, freeze });
    };
    // A stream is looked at after one chunk, when its targets are about inputs that it has seen.
    if (spec.state === 'carry') {
      trial(true);
      clearGradient(run);
    }
    for (let n = 0; n < most.trials && moved.count() < (spec.update.unit === 'step' ? most.updates : 4); n++)
      trial(false);
    const inNetwork = parts.filter(isOfNetwork);
    const main = inNetwork.length > 0 ? inNetwork : parts;
    const farthest = Math.max(...main.map(({ name }) => moved.mean(name)));
    const everything = inNetwork.length > 0 ? 'all projections' : 'all readouts';
    const measures = [
      ...inNetwork.map(({ name }) => {
        const largest = moved.largest(name);
        return largest === null ? unmeasured('step', name, 'weights that begin at 0') : now('step', name, largest);
      }),
      ...readoutSteps(parts, inNetwork.length > 0, moved.mean),
      main.length > 0
        ? now('reach', everything, plannedUpdates(experiment.run) * farthest)
        : unmeasured('reach', everything, 'nothing learns'),
      ...lost(run),
    ];
    return measures.map((measure) => ({ ...measure, when }));
  } finally {
    run.stages.close();
  }
}

/** Updates of a whole training. */
export function plannedUpdates({ network, totalSteps }: Run): number {
  const { update, sizes } = network.spec;
  return Math.max(1, totalSteps / update.every / (update.unit === 'trial' ? sizes.step : 1));
}

/** A readout that is all that learns may move as it likes. */
function readoutSteps(parts: readonly Part[], others: boolean, stepOf: (name: string) => number): Measure[] {
  return parts
    .filter(({ kind }) => kind === 'readout')
    .map(({ name }) =>
      others ? now('readoutStep', name, stepOf(name)) : unmeasured('readoutStep', name, 'readouts are all that learns'),
    );
}

function lost(run: Run): Measure[] {
  const measured = lostIn(run);
  return measured.length > 0 ? measured : [unmeasured('lost', 'the weights', 'no number of theirs is rounded')];
}

/** The run with a look at every update, of which as many as needed are measured. */
function watchUpdates(run: Run, parts: readonly Part[]) {
  const { weights } = run.network;
  const before: Weights = Object.fromEntries(
    parts.flatMap(({ blocks }) => blocks.map((name) => [name, weights[name].slice()])),
  );
  const seen = new Map(parts.map(({ name }) => [name, { sum: 0, largest: 0, fromZero: false }]));
  let count = 0;
  const watched: Run = {
    ...run,
    stages: {
      ...run.stages,
      update(_, number, trials) {
        // At progress 0, whatever the clock says: of a short training one chunk is all, and then rates may be 0.
        if (count >= most.updates) return run.stages.update(0, number, trials);
        for (const [name, copy] of Object.entries(before)) copy.set(weights[name]);
        run.stages.update(0, number, trials);
        count += 1;
        for (const part of parts) {
          const own = seen.get(part.name);
          const size = norm(part, before);
          if (!own) continue;
          // Of weights that are 0, by what they become.
          const step = ratio(distance(part, weights, before), size > 0 ? size : norm(part, weights));
          own.sum += step;
          // What leads beyond all numbers is as large as can be.
          own.largest = Math.max(own.largest, Number.isFinite(step) ? step : Number.MAX_VALUE);
          own.fromZero ||= size === 0;
        }
      },
    },
  };
  return {
    run: watched,
    count: () => count,
    mean: (name: string) => ratio(seen.get(name)?.sum ?? 0, count),
    /** null of weights that were 0. */
    largest: (name: string) => (seen.get(name)?.fromZero ? null : (seen.get(name)?.largest ?? null)),
  };
}

function plasticParts({ network: { spec } }: Run): Part[] {
  const plastic = spec.blocks.filter((block) => block.plastic);
  const names = new Set(plastic.map(({ name }) => name));
  const projections = wholesOf(spec).flatMap(({ name, parts }): Part[] => {
    const blocks = parts.map((part) => part.name).filter((block) => names.has(block));
    return blocks.length > 0 ? [{ name, kind: 'projection', blocks }] : [];
  });
  const others = plastic.filter(({ kind }) => kind === 'readout' || kind === 'signal');
  return [...projections, ...others.map(({ name, kind }): Part => ({ name, kind, blocks: [name] }))];
}

function isOfNetwork({ kind }: Part): boolean {
  return kind === 'projection' || kind === 'signal';
}

function clearGradient({ network: { gradient } }: Run): void {
  for (const block of Object.values(gradient)) block.fill(0);
}

export function now(quantity: Quantity, where: string, value: number | null): Measure {
  return { quantity, where, when: 'now', value };
}

export function unmeasured(quantity: Quantity, where: string, why: string): Measure {
  return { quantity, where, when: 'now', value: null, why };
}

/** a / b, 0 of nothing. */
function ratio(a: number, b: number): number {
  return b === 0 ? 0 : a / b;
}

function norm({ blocks }: Part, weights: Weights): number {
  let sum = 0;
  for (const name of blocks) sum += square(weights[name], 0, weights[name].length);
  return Math.sqrt(sum);
}

function distance({ blocks }: Part, weights: Weights, before: Weights): number {
  let sum = 0;
  for (const name of blocks) {
    const [x, y] = [weights[name], before[name]];
    for (let s = 0; s < x.length; s++) sum += (x[s] - y[s]) ** 2;
  }
  return Math.sqrt(sum);
}
