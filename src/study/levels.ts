import { parseWith } from '../config/parse.ts';
import { ConfigError } from '../core/errors.ts';
import { createRng } from '../core/rng.ts';
import { nameOfDraw, nameOfValue } from './names.ts';
import { type Factor, labelSchema, mostRuns, type Study, settingsSchema } from './schema.ts';
import { sobol, sobolDimensions } from './sobol.ts';

/** Settings by path. */
export type Settings = Readonly<Record<string, unknown>>;

/** One value of one factor. */
export interface Level {
  /** Part of the name of a cell; unique among the levels of its factor. */
  readonly name: string;
  /** What tables and figures say. */
  readonly label: string;
  /** What filters compare: a value or, of a level with a label, the label. */
  readonly value: unknown;
  readonly set: Settings;
}

/** Levels of one factor, or of all that are drawn together: each has a value for every factor in `of`. */
export interface Axis {
  readonly of: readonly string[];
  readonly points: readonly AxisPoint[];
}

export interface AxisPoint {
  /** Part of the name of a cell. */
  readonly name: string;
  /** Levels of the factors of the axis, in their order. */
  readonly levels: readonly Level[];
}

type Drawn = { readonly low: number; readonly high: number; readonly log: boolean; readonly whole: boolean };

/** The axes of a study: one for each factor with levels of its own, then one for all that are drawn. @throws ConfigError */
export function axesOf(study: Study): Axis[] {
  const drawn = Object.entries(study.factors).filter(([, factor]) => isDrawn(factor));
  const listed = Object.entries(study.factors).filter(([, factor]) => !isDrawn(factor));
  const axes = listed.map(([name, factor]) => axisOf(name, levelsOf(name, factor)));
  if (drawn.length === 0 && study.draws) {
    throw new ConfigError('study.draws', study.draws, 'a factor with "uniform" or "logUniform" beside it');
  }
  const all = drawn.length > 0 ? [...axes, drawnAxis(drawn, study)] : axes;
  assertApart(all);
  return all;
}

/** A setting belongs to one factor: of two the last one would silently win. */
function assertApart(axes: readonly Axis[]): void {
  const owners = new Map<string, string>();
  for (const { of, points } of axes) {
    for (const { levels } of points) {
      levels.forEach(({ set }, at) => {
        for (const path of Object.keys(set)) {
          const owner = owners.get(path) ?? of[at];
          if (owner !== of[at]) throw new ConfigError(`study.factors.${of[at]}`, path, `no setting of factor ${owner}`);
          owners.set(path, owner);
        }
      });
    }
  }
}

function axisOf(factor: string, levels: readonly Level[]): Axis {
  const names = new Set(levels.map(({ name }) => name.toLowerCase()));
  if (names.size < levels.length) {
    const twice = levels.find(({ name }, at) => levels.findIndex((other) => other.name === name) < at)?.value;
    throw new ConfigError(
      `study.factors.${factor}`,
      twice,
      'every level once; upper and lower case are one on some disks',
    );
  }
  return { of: [factor], points: levels.map((level) => ({ name: level.name, levels: [level] })) };
}

const isDrawn = (factor: Factor): boolean => !Array.isArray(factor) && ('uniform' in factor || 'logUniform' in factor);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value for all paths of a factor. */
const setAll = (paths: readonly string[], value: unknown): Settings =>
  Object.fromEntries(paths.map((path) => [path, value]));

function levelsOf(name: string, factor: Factor): Level[] {
  const at = `study.factors.${name}`;
  const given = Array.isArray(factor) ? { levels: factor } : (factor as Exclude<Factor, readonly unknown[]>);
  const { paths = [name] } = given as { readonly paths?: readonly string[] | undefined };
  if ('levels' in given) return given.levels.map((level) => levelOf(name, level, paths));
  return numbersOf(given, at).map((value) => levelOf(name, value, paths));
}

function levelOf(factor: string, given: unknown, paths: readonly string[]): Level {
  const keys = isObject(given) ? Object.keys(given).sort().join() : '';
  if (isObject(given) && typeof given.label === 'string' && (keys === 'label,set' || keys === 'label,value')) {
    const label = parseWith(labelSchema, given.label, `study.factors.${factor}.label`);
    const moved = () => parseWith(settingsSchema, given.set, `study.factors.${factor}.set`);
    const set = keys === 'label,set' ? moved() : setAll(paths, given.value);
    return { name: label, label, value: label, set };
  }
  const name = nameOfValue(given);
  const label = typeof given === 'string' ? given : JSON.stringify(given);
  return { name: `${nameOfValue(factor)}=${name}`, label, value: given, set: setAll(paths, given) };
}

/** Numbers of a range or a grid; each is made from its place, so that none carries the rounding of those before it. */
function numbersOf(factor: Exclude<Factor, readonly unknown[]>, at: string): number[] {
  if ('range' in factor) {
    const [low, high, step] = factor.range;
    const count = Math.floor((high - low) / step + 1e-9) + 1;
    if (!(count >= 1 && count <= mostRuns)) {
      throw new ConfigError(`${at}.range`, factor.range, `first <= last, and at most ${mostRuns} steps`);
    }
    return Array.from({ length: count }, (_, n) => tidy(low + n * step));
  }
  if ('linear' in factor || 'log' in factor) {
    const isLog = 'log' in factor;
    const [low, high, count] = isLog ? factor.log : factor.linear;
    if (count > 1 && low === high) throw new ConfigError(`${at}.${isLog ? 'log' : 'linear'}`, [low, high], 'two ends');
    const part = (n: number) => (count === 1 ? 0 : n / (count - 1));
    const numbers = Array.from({ length: count }, (_, n) =>
      tidy(isLog ? low * (high / low) ** part(n) : low + (high - low) * part(n)),
    );
    return factor.whole ? numbers.map(Math.round) : numbers;
  }
  throw new ConfigError(at, factor, 'levels, a range, or a grid');
}

/** Twelve digits: 0.1 + 2 * 0.1 is 0.3. */
const tidy = (value: number): number => Number(value.toPrecision(12));

/** All drawn factors together: point d has the same values whatever n is. */
function drawnAxis(drawn: readonly (readonly [string, Factor])[], { draws }: Study): Axis {
  if (!draws)
    throw new ConfigError('study.draws', draws, `how many points of ${drawn.map(([name]) => name).join(', ')}`);
  const { n, kind, seed } = draws;
  if (kind === 'sobol' && drawn.length > sobolDimensions) {
    throw new ConfigError('study.draws.kind', kind, `"random" for more than ${sobolDimensions} factors that are drawn`);
  }
  const rng = createRng(seed).split('draws');
  // One generator for each factor: a further factor does not move the draws of the others.
  const own = drawn.map(([name]) => rng.split(name));
  const points =
    kind === 'sobol'
      ? sobol(
          n,
          drawn.length,
          own.map((each) => each.integer(2 ** 32)),
        )
      : Array.from({ length: n }, () => own.map((each) => each.uniform()));
  const spreads = drawn.map(([name, factor]) => spreadOf(name, factor));
  return {
    of: drawn.map(([name]) => name),
    points: points.map((point, d) => {
      const values = point.map((u, f) => drawnValue(u, spreads[f]));
      const levels = values.map((value, f): Level => {
        const { paths = [drawn[f][0]] } = drawn[f][1] as { readonly paths?: readonly string[] | undefined };
        return { name: '', label: String(value), value, set: setAll(paths, value) };
      });
      return { name: nameOfDraw(d, values), levels };
    }),
  };
}

function spreadOf(name: string, factor: Factor): Drawn {
  const given = factor as { uniform?: [number, number]; logUniform?: [number, number]; whole: boolean };
  const [low, high] = given.uniform ?? given.logUniform ?? [0, 0];
  if (!(low < high)) throw new ConfigError(`study.factors.${name}`, [low, high], 'low < high');
  return { low, high, log: given.logUniform !== undefined, whole: given.whole };
}

function drawnValue(u: number, { low, high, log, whole }: Drawn): number {
  const value = log ? low * (high / low) ** u : low + (high - low) * u;
  return whole ? Math.round(value) : value;
}
