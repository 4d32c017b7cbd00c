import type { z } from 'zod';
import { ConfigError } from '../core/errors.ts';
import type { Catalogue } from '../core/plugins.ts';
import { schemaFor } from './schema.ts';

type Path = readonly string[];
type Json = Record<string, unknown>;

/**
 * Applies `--set path=value` settings to a raw experiment. Values are JSON where they parse as JSON, else text. With a catalogue a
 * member of a choice takes the place of the others: `tauMs` that of `decay`, a new `kind` or `name` that of parameters that only the
 * former one has. What is set beside it stays, to be refused by the schema where it does not belong.
 * @throws ConfigError for a setting without "=", or of what is no object
 */
export function applySettings(input: unknown, settings: readonly string[], catalogue?: Catalogue): unknown {
  return apply(input, settings.map(parseSetting), catalogue);
}

/** The same of values by their paths. @throws ConfigError of what is no object, or for a path with an empty key */
export function applyValues(input: unknown, values: Readonly<Record<string, unknown>>, catalogue?: Catalogue): unknown {
  const settings = Object.entries(values).map(([path, value]) => ({ path: keysOf(path, path), value }));
  return apply(input, settings, catalogue);
}

interface Setting {
  readonly path: Path;
  readonly value: unknown;
}

function apply(input: unknown, settings: readonly Setting[], catalogue: Catalogue | undefined): unknown {
  if (!isObject(input)) throw new ConfigError('experiment', input, 'an object');
  const result = structuredClone(input);
  for (const { path, value } of settings) setAt(result, path, structuredClone(value));
  if (!catalogue) return result;
  const given = new Set(settings.map(({ path }) => path.join('.')));
  const schema = schemaFor(result, catalogue);
  for (const { path } of settings) dropOthers(schema, result, path, given);
  return result;
}

/** @throws ConfigError for a setting without "=" */
export function parseSetting(setting: string): Setting {
  const cut = setting.indexOf('=');
  if (cut < 1) throw new ConfigError('--set', setting, 'path=value, for example training.total=64000');
  return { path: keysOf(setting.slice(0, cut), setting), value: parseValue(setting.slice(cut + 1)) };
}

function keysOf(path: string, setting: string): Path {
  const keys = path.split('.');
  if (keys.some((key) => key === '' || key === '__proto__')) {
    throw new ConfigError('--set', setting, 'names of keys between the dots');
  }
  return keys;
}

function setAt(target: Json, path: Path, value: unknown): void {
  let node = target;
  for (const key of path.slice(0, -1)) {
    const next = Object.hasOwn(node, key) ? node[key] : undefined;
    if (typeof next !== 'object' || next === null) node[key] = {};
    node = node[key] as Json;
  }
  node[path[path.length - 1]] = value;
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What zod says of a schema about itself. */
interface Def {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly options?: readonly z.ZodType[];
  readonly discriminator?: string;
  /** Of a record: what stands behind every key. */
  readonly valueType?: z.ZodType;
}

const defOf = (schema: z.ZodType): Def => schema._zod.def as unknown as Def;

/** The schema within defaults, nulls and transformations. */
function bare(schema: z.ZodType): Def {
  let def = defOf(schema);
  for (let inner = def.innerType ?? def.in; inner; inner = def.innerType ?? def.in) def = defOf(inner);
  return def;
}

/** At every choice on the way of a setting: keys that no chosen member has, and that nobody has set now, are dropped. */
function dropOthers(schema: z.ZodType, root: Json, path: Path, given: ReadonlySet<string>): void {
  let def = bare(schema);
  let node: unknown = root;
  for (let depth = 0; depth < path.length && isObject(node); depth++) {
    const key = path[depth];
    if (def.type === 'record' && def.valueType) {
      def = bare(def.valueType);
      node = node[key];
      continue;
    }
    const shapes = def.type === 'union' ? chosen(def, node, key) : def.shape ? [def.shape] : [];
    if (shapes.length === 0) return;
    if (def.type === 'union') {
      const at = path.slice(0, depth);
      for (const other of Object.keys(node)) {
        const known = shapes.some((shape) => Object.hasOwn(shape, other));
        if (!known && !given.has([...at, other].join('.'))) delete node[other];
      }
    }
    const next = shapes.find((shape) => Object.hasOwn(shape, key))?.[key];
    if (!next) return;
    def = bare(next);
    node = node[key];
  }
}

/** Shapes of the members of a union that an object with this key may be. */
function chosen({ options = [], discriminator }: Def, node: Json, key: string): NonNullable<Def['shape']>[] {
  const shapes = options.map((option) => bare(option).shape).filter((shape) => shape !== undefined);
  if (discriminator === undefined) return shapes.filter((shape) => Object.hasOwn(shape, key));
  return shapes.filter((shape) => shape[discriminator].safeParse(node[discriminator]).success);
}
