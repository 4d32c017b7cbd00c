import { fixed as fixedBackend } from '../backends/fixed/index.ts';
import type { ExperimentConfig } from '../config/schema.ts';
import { ConfigError, DivergenceError } from '../core/errors.ts';
import {
  type FieldStatistics,
  type FieldWidth,
  type GroupedField,
  narrowestBits,
  type WidthKind,
  widthKinds,
} from '../core/format.ts';
import type { NetworkSpec } from '../core/network.ts';
import type { Catalogue } from '../core/plugins.ts';
import { spread } from '../core/statistics.ts';
import { formattableFields } from '../engine/network.ts';
import { type Accuracy, observedRanges, type Ranges, trainedLoss, withWidths } from './deployment.ts';
import { createExperiment, type Experiment } from './experiment.ts';

/** Bits of each group; a group that is not there stays in floating point. */
export type Widths = Readonly<Record<string, number>>;

const leastBits = 2;
const mostBits = 16;

export interface TriedWidth {
  readonly bits: number;
  /** Infinity for a training that diverged; null in JSON. */
  readonly loss: number;
}

/** The smallest width that held, and the one a bit narrower, which did not; null where none is narrower. */
export interface FoundWidth extends TriedWidth {
  readonly group: string;
  readonly narrower: TriedWidth | null;
}

/**
 * Narrows one group after the other to the smallest width whose loss is at most `limit`, the others as wide as found so far, from
 * `start`. Bisects, so it assumes that a group loses no less with fewer bits: where a narrow width
 * is better than a wider one by chance, what is found still holds, but need not be the smallest. What the first groups use up of the
 * margin the later ones do not have.
 */
export function narrowWidths(
  groups: readonly string[],
  start: TriedWidth,
  limit: number,
  lossAt: (widths: Widths) => number,
): FoundWidth[] {
  const widths = allOf(groups, start.bits);
  let loss = start.loss;
  return groups.map((group) => {
    const found = bisect({ bits: start.bits, loss }, limit, (bits) => lossAt({ ...widths, [group]: bits }));
    widths[group] = found.bits;
    loss = found.loss;
    return { group, ...found };
  });
}

function allOf(groups: readonly string[], bits: number): Record<string, number> {
  return Object.fromEntries(groups.map((group) => [group, bits]));
}

/** Every width from `narrower` on downwards misses the limit, every one from `held` on upwards does not. */
function bisect(from: TriedWidth, limit: number, lossAt: (bits: number) => number): Omit<FoundWidth, 'group'> {
  let held = from;
  let narrower: TriedWidth | null = null;
  for (let below = leastBits - 1; held.bits - below > 1; below = narrower?.bits ?? below) {
    const bits = Math.floor((held.bits + below) / 2);
    const tried = { bits, loss: lossAt(bits) };
    if (tried.loss <= limit) held = tried;
    else narrower = tried;
  }
  return { ...held, narrower };
}

/** A training that was done, of `widths` or, null, of floating point. */
export interface WidthSearchProgress {
  readonly widths: Widths | null;
  readonly seed: number;
  readonly loss: number;
}

export interface WidthSearchOptions {
  readonly seeds: readonly number[];
  /** What the mean loss may lose to floating point: in units of the loss (nats of a cross-entropy), or as its share, '5%'. */
  readonly margin: number | string;
  /** Groups that get a width, by name or all of a kind; the others stay in floating point. All that the network has. */
  readonly groups?: readonly string[] | undefined;
  /** Of weights and traces, which sum up small changes; signals and membranes are rounded to the nearest. 'stochastic' */
  readonly rounding?: string | undefined;
  /** Bits that the search starts from. 16 */
  readonly start?: number | undefined;
  /** Told after each training. */
  readonly progress?: ((done: WidthSearchProgress) => void) | undefined;
}

/** Fields that get one width. */
interface Group {
  readonly name: string;
  readonly kind: WidthKind;
  /** Numbers in one network. */
  readonly numbers: number;
}

export interface GroupResult extends FoundWidth {
  readonly kind: WidthKind;
  /** Numbers in one network. */
  readonly numbers: number;
  readonly rounding: FieldWidth['rounding'];
}

/** What became of a field in the joint trainings of all seeds. */
export interface FieldResult {
  readonly field: string;
  readonly group: string;
  readonly bits: number;
  /** The observed magnitude, rounded up to a power of two. */
  readonly range: number;
  readonly signed: boolean;
  /** Bits that would have held all numbers, at the same step. */
  readonly narrowestBits: number;
  /** Stores of another number than the stored one; of these, saturated ones and changes below a step. */
  readonly stores: number;
  readonly saturated: number;
  readonly lost: number;
}

export interface SeedLosses {
  readonly losses: readonly number[];
  readonly mean: number;
  /** Standard deviation over seeds; 0 for one. A margin that is not well above it measures chance. */
  readonly sd: number;
}

export interface WidthSearch {
  readonly measure: Accuracy['measure'];
  readonly seeds: readonly number[];
  /** In floating point. */
  readonly float: SeedLosses;
  /** In units of the loss. */
  readonly margin: number;
  readonly limit: number;
  readonly start: TriedWidth;
  /** In the order in which they were narrowed: the most numbers first. */
  readonly groups: readonly GroupResult[];
  /** All groups trained once more at their final widths. */
  readonly joint: SeedLosses & { readonly holds: boolean };
  readonly fields: readonly FieldResult[];
  /** State that could have a format and has none. */
  readonly floating: readonly string[];
  /** Trainings of one seed. */
  readonly trainings: number;
  /** In fixed point; another `seed` gives the joint training of that seed. */
  readonly experiment: ExperimentConfig;
}

/**
 * A search for the smallest widths of words at which an experiment still learns: trains in floating point, takes the range of every
 * field from there, and narrows the groups of fields with `narrowWidths`, every width by trainings of all seeds. Everything is
 * checked here; what is returned does the trainings.
 * @param groupsOf the fields of a network by group
 * @throws ConfigError, UnsupportedError for a rule that has no fixed-point form
 */
export function createWidthSearch(
  config: ExperimentConfig,
  groupsOf: (spec: NetworkSpec) => readonly GroupedField[],
  catalogue: Catalogue,
  options: WidthSearchOptions,
): () => WidthSearch {
  const plan = planOf(config, groupsOf, catalogue, options);
  return () => search(plan, catalogue, options);
}

interface Plan {
  readonly float: ExperimentConfig;
  readonly measure: Accuracy['measure'];
  readonly margin: (loss: number) => number;
  readonly start: number;
  readonly rounding: (kind: WidthKind) => FieldWidth['rounding'];
  readonly fields: readonly GroupedField[];
  /** The most numbers first. */
  readonly groups: readonly Group[];
  readonly floating: readonly string[];
}

function planOf(
  config: ExperimentConfig,
  groupsOf: (spec: NetworkSpec) => readonly GroupedField[],
  catalogue: Catalogue,
  options: WidthSearchOptions,
): Plan {
  const margin = marginOf(options.margin);
  const start = startOf(options.start ?? mostBits);
  const rounding = roundingOf(options.rounding ?? 'stochastic');
  const float = { ...config, seed: options.seeds[0], backend: 'auto', fixed: null } as ExperimentConfig;
  const { task, run } = createExperiment(withWidths(float, [], new Map()), catalogue);
  const names = formattableFields(run.network.spec, fixedBackend);
  const all = groupsOf(run.network.spec).filter(({ field }) => names.includes(field));
  const fields = options.groups ? wantedFields(all, options.groups) : all;
  return {
    float,
    measure: task.statesExpected ? 'expected loss' : 'loss per step',
    margin,
    start,
    rounding,
    fields,
    groups: groupsIn(fields),
    floating: names.filter((name) => !fields.some(({ field }) => field === name)),
  };
}

function search(plan: Plan, catalogue: Catalogue, options: WidthSearchOptions): WidthSearch {
  const { float, fields, groups, rounding, measure, start } = plan;
  const trainer = createTrainer(catalogue, options);
  const ranges = new Map<string, readonly [number, number]>();
  const plain = trainer.train(float, null, (trained) => widen(ranges, observedRanges(trained, catalogue)));
  const inFormats = (widths: Widths) =>
    withWidths(
      float,
      fields.map(({ field, group, kind }) => ({ field, bits: widths[group], rounding: rounding(kind) })),
      ranges,
    );
  const lossAt = (widths: Widths) => trainer.train(inFormats(widths), widths).mean;
  const margin = plan.margin(plain.mean);
  const limit = plain.mean + margin;
  const names = groups.map(({ name }) => name);
  const first = { bits: start, loss: lossAt(allOf(names, start)) };
  if (!(first.loss <= limit)) throw tooNarrow(options.margin, plain.mean, limit, first, measure);
  const found = narrowWidths(names, first, limit, lossAt);
  const final: Widths = Object.fromEntries(found.map(({ group, bits }) => [group, bits]));
  const experiment = inFormats(final);
  const statistics = new Map<string, FieldStatistics>();
  const joint = trainer.train(experiment, final, ({ run }) =>
    addStatistics(statistics, run.stages.statistics?.() ?? []),
  );
  return {
    measure,
    seeds: options.seeds,
    float: plain,
    margin,
    limit,
    start: first,
    groups: found.map((one, g) => {
      const { kind, numbers } = groups[g];
      return { ...one, kind, numbers, rounding: rounding(kind) };
    }),
    joint: { ...joint, holds: joint.mean <= limit },
    fields: fieldResults(fields, experiment, statistics),
    floating: plan.floating,
    trainings: trainer.trainings(),
    experiment,
  };
}

/** Trains an experiment with every seed, and counts. Fixed point may diverge: that is a width that misses. */
function createTrainer(catalogue: Catalogue, { seeds, progress }: WidthSearchOptions) {
  let trainings = 0;
  return {
    trainings: () => trainings,
    train(given: ExperimentConfig, widths: Widths | null, after?: (trained: Experiment) => void): SeedLosses {
      const losses = seeds.map((seed) => {
        const experiment = createExperiment({ ...given, seed }, catalogue);
        const loss = widths ? lossOrInfinity(experiment) : trainedLoss(experiment);
        trainings += 1;
        progress?.({ widths, seed, loss });
        after?.(experiment);
        experiment.close();
        return loss;
      });
      return { losses, ...spread(losses) };
    },
  };
}

function marginOf(given: number | string): (loss: number) => number {
  const text = String(given).trim();
  const value = Number.parseFloat(text);
  if (!Number.isFinite(value) || !/^(\d+\.?\d*|\.\d+)(e[-+]?\d+)?%?$/i.test(text)) {
    const expected =
      'a number >= 0 (in units of the loss, nats of a cross-entropy), or a share of the float loss as in 5%';
    throw new ConfigError('margin', given, expected);
  }
  return text.endsWith('%') ? (loss) => (value / 100) * loss : () => value;
}

function startOf(bits: number): number {
  if (Number.isInteger(bits) && bits >= leastBits && bits <= mostBits) return bits;
  throw new ConfigError('start', bits, `a whole number >= ${leastBits} and <= ${mostBits} (bits)`);
}

function roundingOf(given: string): Plan['rounding'] {
  if (given !== 'stochastic' && given !== 'nearest') throw new ConfigError('rounding', given, 'stochastic or nearest');
  return (kind) => (kind === 'weights' || kind === 'traces' ? given : 'nearest');
}

/** Fields of the groups that are named, or are of a kind that is. */
function wantedFields(fields: readonly GroupedField[], wanted: readonly string[]): GroupedField[] {
  const known = [...new Set<string>([...widthKinds, ...fields.map(({ group }) => group)])];
  const odd = wanted.find((name, index) => !known.includes(name) || wanted.indexOf(name) < index);
  if (odd !== undefined || wanted.length === 0) {
    throw new ConfigError('groups', odd ?? wanted, `one or more of ${known.join(', ')}, each once`);
  }
  const absent = wanted.find((name) => !fields.some(({ group, kind }) => group === name || kind === name));
  if (absent) throw new ConfigError('groups', absent, 'groups of which this network and its rule have fields');
  return fields.filter(({ group, kind }) => wanted.includes(group) || wanted.includes(kind));
}

/** The most numbers first; where there are as many, in the order of their kinds. */
function groupsIn(fields: readonly GroupedField[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { group: name, kind, count } of fields) {
    groups.set(name, { name, kind, numbers: count + (groups.get(name)?.numbers ?? 0) });
  }
  const order = ({ kind }: Group) => widthKinds.indexOf(kind);
  return [...groups.values()].sort((a, b) => b.numbers - a.numbers || order(a) - order(b));
}

function lossOrInfinity(experiment: Experiment): number {
  try {
    return trainedLoss(experiment);
  } catch (error) {
    if (error instanceof DivergenceError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

function tooNarrow(
  margin: number | string,
  float: number,
  limit: number,
  { bits, loss }: TriedWidth,
  measure: string,
): ConfigError {
  const number = (value: number) => String(Number(value.toPrecision(4)));
  // Rounded up, so that a margin of what is printed is one that holds.
  const enough = number(Math.ceil((loss - float) * 1e4) / 1e4);
  return new ConfigError(
    'margin',
    margin,
    `at least ${enough} (units of the loss): the ${measure} is ${number(loss)} with ${bits} bits in every group and ` +
      `${number(float)} in floating point, which misses the margin by ${number(loss - limit)}`,
  );
}

function widen(ranges: Map<string, readonly [number, number]>, more: Ranges): void {
  for (const [field, [low, high]] of more) {
    const [least, most] = ranges.get(field) ?? [0, 0];
    ranges.set(field, [Math.min(least, low), Math.max(most, high)]);
  }
}

function addStatistics(sums: Map<string, FieldStatistics>, more: readonly FieldStatistics[]): void {
  for (const one of more) {
    const sum = sums.get(one.field);
    if (!sum) {
      sums.set(one.field, { ...one });
      continue;
    }
    for (const count of ['tried', 'fired', 'lost', 'saturated', 'wrapped', 'flushed'] as const)
      sum[count] += one[count];
    sum.smallest = Math.min(sum.smallest, one.smallest);
    sum.largest = Math.max(sum.largest, one.largest);
  }
}

function fieldResults(
  fields: readonly GroupedField[],
  { fixed }: ExperimentConfig,
  statistics: ReadonlyMap<string, FieldStatistics>,
): FieldResult[] {
  return fields.flatMap(({ field, group }) => {
    const counts = statistics.get(field);
    const range = fixed?.formats[field].range;
    if (!counts || range === undefined) return [];
    const { format, tried: stores, saturated, lost } = counts;
    const { bits, signed } = format;
    return [{ field, group, bits, range, signed, narrowestBits: narrowestBits(counts), stores, saturated, lost }];
  });
}
