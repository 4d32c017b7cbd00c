import type { z } from 'zod';
import { ConfigError } from '../core/errors.ts';
import type { Catalogue } from '../core/plugins.ts';
import { graphOf } from './graph.ts';
import { type ExperimentConfig, graphSchema, isGraph, type ShortConfig, shortSchema } from './schema.ts';

type Issue = z.core.$ZodIssue;

/** Checks an experiment in either form and fills in its defaults. @throws ConfigError with path, value, range and unit */
export function parseExperiment(input: unknown, catalogue: Catalogue): ExperimentConfig {
  const { graph, short } = schemasOf(catalogue);
  const written = isGraph(input) ? input : graphOf(parseWith(short, input) as ShortConfig);
  // A short form goes through both schemas, so that its keys have the order of a graph that is read again.
  return withoutSchema(parseWith(graph, written));
}

function withoutSchema({ $schema: _, ...config }: ExperimentConfig): ExperimentConfig {
  return config;
}

interface Schemas {
  readonly graph: ReturnType<typeof graphSchema>;
  readonly short: ReturnType<typeof shortSchema>;
}

/** To put a schema together takes longer than to check an experiment with it. */
const schemas = new WeakMap<Catalogue, Schemas>();

function schemasOf(catalogue: Catalogue): Schemas {
  const known = schemas.get(catalogue) ?? { graph: graphSchema(catalogue), short: shortSchema(catalogue) };
  schemas.set(catalogue, known);
  return known;
}

/** Checks any value against a schema; `prefix` is put before the path in messages. */
export function parseWith<T>(schema: z.ZodType<T>, input: unknown, prefix = ''): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw errorOf(mostTelling(result.error.issues), input, prefix);
}

/** The same, all that is wrong at once: the first is the error, the others are in its message, a line each. */
export function parseWhole<T>(schema: z.ZodType<T>, input: unknown, prefix: string): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const errors = result.error.issues.map((issue) => errorOf(mostTelling([issue]), input, prefix));
  throw errors[0].with(errors.slice(1));
}

/** Levels of nesting at most of what is named, compared and written again. */
const deepest = 200;

/** Refuses what no JSON file could hold, and what is nested too deeply to be compared. @throws ConfigError with the path */
export function assertJson(input: unknown, prefix: string, keys: readonly string[] = []): void {
  const at = () => pathOf(prefix, keys.length > 20 ? keys.slice(0, 20) : keys);
  if (keys.length > deepest) throw new ConfigError(at(), input, `at most ${deepest} levels of nesting`);
  if (input === null || typeof input === 'string' || typeof input === 'boolean' || Number.isFinite(input)) return;
  const isList = Array.isArray(input);
  if (!isList && (typeof input !== 'object' || ![Object.prototype, null].includes(Object.getPrototypeOf(input)))) {
    throw new ConfigError(at(), input, 'JSON');
  }
  // A hole in a list is an entry too.
  const entries = isList
    ? Array.from(input, (value, at) => [`${at}`, value] as const)
    : Object.entries(input as object);
  for (const [key, value] of entries) {
    if (isList || value !== undefined) assertJson(value, prefix, [...keys, key]);
  }
}

function errorOf(issue: Issue, input: unknown, prefix: string): ConfigError {
  const at = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]] : issue.path;
  const path = pathOf(prefix, at.map(String)) || 'experiment';
  return new ConfigError(path, valueAt(input, at), expectation(issue) + unitOf(path));
}

/** Names of keys with dots between them; a key that would not be read as one, such as the empty one, in brackets. */
function pathOf(prefix: string, keys: readonly string[]): string {
  return keys.reduce((path, key) => {
    if (!/^[^\s\p{C}"[\]]{1,80}$/u.test(key)) return `${path}[${quoted(key)}]`;
    return path === '' ? key : `${path}.${key}`;
  }, prefix);
}

function quoted(key: string): string {
  return JSON.stringify(key.slice(0, 80));
}

/** Of the branches of a union, the one that the input came closest to. */
function mostTelling(issues: readonly Issue[]): Issue {
  const first = issues.find((issue) => issue.code === 'unrecognized_keys') ?? issues[0];
  if (first.code !== 'invalid_union' || first.errors.length === 0) return first;
  const branches = first.errors.map((branch) => mostTelling(branch)).sort((a, b) => closeness(b) - closeness(a));
  return { ...branches[0], path: [...first.path, ...branches[0].path] };
}

function closeness(issue: Issue): number {
  if (issue.code === 'unrecognized_keys') return 0;
  return issue.path.length * 2 + (issue.code === 'invalid_type' ? 0 : 1);
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return `no key ${issue.keys.slice(0, 5).map(quoted).join(', ')} here`;
    case 'invalid_type':
      return issue.expected === 'int' ? 'a whole number' : `a value of type ${issue.expected}`;
    case 'too_small':
      return `${measured(issue.origin)} ${issue.inclusive ? '>=' : '>'} ${issue.minimum}`;
    case 'too_big':
      return `${measured(issue.origin)} ${issue.inclusive ? '<=' : '<'} ${issue.maximum}`;
    case 'invalid_value':
      return `one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'invalid_key':
      return mostTelling(issue.issues as Issue[]).message;
    case 'invalid_union':
      return 'options' in issue && Array.isArray(issue.options)
        ? `one of ${issue.options.map((value) => JSON.stringify(value)).join(', ')}`
        : issue.message;
    default:
      return issue.message;
  }
}

function measured(origin: string): string {
  return origin === 'number' || origin === 'int' ? 'a number' : 'a length';
}

function unitOf(path: string): string {
  if (path.endsWith('Ms')) return ' (ms)';
  if (path.endsWith('Hz')) return ' (Hz)';
  if (path.endsWith('Steps')) return ' (steps)';
  return '';
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}
