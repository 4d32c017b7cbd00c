import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import type { createJiti } from 'jiti';
import * as zod from 'zod';
import type { ChipProfile } from '../../hardware/index.ts';
import * as hardware from '../../hardware/index.ts';
import * as models from '../../models/index.ts';
import * as tasks from '../../tasks/index.ts';
import { ConfigError, FileError } from '../core/errors.ts';
import { keyOf } from '../core/keyOf.ts';
import { once } from '../core/once.ts';
import type { Catalogue } from '../core/plugins.ts';
import * as spiketrace from '../index.ts';
import { ensureWritableFolder, readBytes, writeAtomic } from '../record/index.ts';
import { catalogue, extendCatalogue } from './catalogue.ts';
import { addChips, chipsOf } from './chips.ts';

/** A file of somebody's own, whose entries are in the catalogue now. */
export interface Plugin {
  /** Where it was read from. */
  readonly path: string;
  /** What a run folder calls its copy. */
  readonly file: string;
  /** SHA-256 of its bytes, hexadecimal. */
  readonly sha256: string;
  /** By the user, and not by a run folder. */
  readonly named: boolean;
  readonly bytes: Uint8Array;
}

type KnownPlugin = Pick<Plugin, 'path' | 'sha256' | 'named'>;

/** In the order in which they were loaded. */
const loaded: Plugin[] = [];

/** In a run folder: copies of the plug-ins that it was made with, and their hashes. */
const kept = { folder: 'plugins', list: 'plugins.json' } as const;

/** What a plug-in may import: the package itself, and what it describes parameters with. */
const modules = {
  spiketrace,
  'spiketrace/models': models,
  'spiketrace/tasks': tasks,
  'spiketrace/hardware': hardware,
  zod,
};

/** The loader of TypeScript, brought in with the first plug-in: most commands have none. */
const loader = once(() => {
  const jiti = createRequire(import.meta.url)('jiti') as { readonly createJiti: typeof createJiti };
  return jiti.createJiti(import.meta.url, { fsCache: false, moduleCache: false, virtualModules: modules });
});

/** What was loaded, for a thread that has to load the same. */
export const loadedPlugins = (): readonly KnownPlugin[] =>
  loaded.map(({ path, sha256, named }) => ({ path, sha256, named }));

/**
 * Runs files that the user has named, and adds what they export to the catalogue. A file that is loaded is not run again.
 * @throws FileError, ConfigError naming file, list and entry
 */
export function loadPlugins(paths: readonly string[]): void {
  for (const path of paths) load({ path: resolve(path), said: path, bytes: readBytes(path), named: true });
}

/** The same of files whose bytes have to be known ones. */
export function loadKnown(plugins: readonly KnownPlugin[]): void {
  for (const { path, sha256, named } of plugins) {
    const bytes = readBytes(path);
    if (hashOf(bytes) !== sha256) throw new FileError(path, 'has changed while the program runs');
    load({ path, said: path, bytes, named });
  }
}

/** @param said what the user called it, for messages */
function load({
  path,
  said,
  bytes,
  named,
}: Pick<Plugin, 'path' | 'bytes' | 'named'> & { readonly said: string }): void {
  const sha256 = hashOf(bytes);
  if (loaded.some((one) => one.sha256 === sha256)) return;
  const { parts, chips } = partsOf(evaluate(path, bytes, said), said);
  extendCatalogue(parts, said);
  addChips(chips);
  loaded.push({ path, file: nameOf(path), sha256, named, bytes });
}

/** Two plug-ins of one name are kept under two. */
function nameOf(path: string): string {
  const name = basename(path);
  return loaded.some(({ file }) => file === name) ? `${loaded.length}-${name}` : name;
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Of a file: `from './x'`, `import('./x')`, `require('./x')`. */
const neighbour = /\b(?:from|import|require)\s*\(?\s*(['"])(\.{1,2}\/[^'"]*)\1/;

function evaluate(path: string, bytes: Uint8Array, said: string): unknown {
  const source = new TextDecoder().decode(bytes);
  const [, , beside] = neighbour.exec(source) ?? [];
  if (beside) {
    const advice = 'a plug-in is one file, of which runs keep a copy; put them together, or bundle them';
    throw new FileError(said, `imports "${beside}": ${advice}`);
  }
  try {
    const module = loader().evalModule(source, { filename: path, ext: extensionOf(path), forceTranspile: true });
    return (module as { readonly default?: unknown } | undefined)?.default;
  } catch (error) {
    const message = (error instanceof Error ? error.message : String(error)).split(/\s*\n\s*/, 2).join(' ');
    throw new FileError(said, `cannot be loaded as a plug-in: ${message}`);
  }
}

const extensionOf = (path: string) => /\.[^.]*$/.exec(path)?.[0] ?? '.ts';

/** @throws ConfigError for an export that is no part of a catalogue and no chip */
function partsOf(
  given: unknown,
  said: string,
): { readonly parts: Partial<Catalogue>; readonly chips: readonly ChipProfile[] } {
  const known = [...Object.keys(catalogue), 'chips'];
  const expected = `an object of lists: ${known.join(', ')}`;
  if (typeof given !== 'object' || given === null) throw new ConfigError(`${said}: default export`, given, expected);
  const names = Object.keys(given);
  const odd = names.find((name) => !known.includes(name));
  if (odd !== undefined || names.length === 0) throw new ConfigError(`${said}: default export`, odd ?? given, expected);
  const { chips = [], ...parts } = given as Record<string, unknown>;
  for (const [list, entries] of Object.entries({ chips, ...parts })) {
    if (!Array.isArray(entries)) throw new ConfigError(`${said}: ${list}`, entries, 'a list');
  }
  for (const list of Object.keys(parts) as (keyof Catalogue)[]) {
    (parts[list] as unknown[]).forEach((entry, at) => {
      checkEntry(entry, list, `${said}: ${list}.${at}`);
    });
  }
  return { parts, chips: chipsOf(chips as unknown[], said) };
}

function checkEntry(entry: unknown, list: keyof Catalogue, path: string): void {
  if (typeof entry !== 'object' || entry === null) throw new ConfigError(path, entry, `one of the ${list}`);
  const fields = entry as Record<string, unknown>;
  const key = keyOf(list);
  const name = fields[key];
  if (typeof name !== 'string' || name === '') throw new ConfigError(`${path}.${key}`, name, 'a name');
  if (typeof fields.source !== 'string') throw new ConfigError(`${path}.source`, fields.source, 'a paper, or "own"');
  const make = list === 'rules' ? 'parts' : 'derive';
  if (typeof fields[make] !== 'function') throw new ConfigError(`${path}.${make}`, fields[make], 'a function');
  if (literalOf(fields.params, key) !== name) {
    const expected = `z.strictObject({ ${key}: z.literal(${JSON.stringify(name)}), ... })`;
    throw new ConfigError(`${path}.params`, 'another schema', expected);
  }
}

/** The only value that an object's schema allows for a key; undefined where there is no such. */
function literalOf(schema: unknown, key: string): unknown {
  const def = (schema as { _zod?: { def?: { shape?: Record<string, { _zod?: { def?: { values?: unknown[] } } }> } } })
    ?._zod?.def;
  const values = def?.shape?.[key]?._zod?.def?.values;
  return values?.length === 1 ? values[0] : undefined;
}

/**
 * `plugins` of an experiment file: paths, relative to it, of what it needs. They are not loaded from here, so that a
 * configuration never runs code: the command line has to name them.
 * @returns the experiment without them @throws ConfigError for one that is not loaded
 */
export function withoutPlugins(experiment: unknown, source: string): unknown {
  if (typeof experiment !== 'object' || experiment === null || !Object.hasOwn(experiment, 'plugins')) return experiment;
  const { plugins, ...rest } = experiment as { readonly plugins: unknown };
  if (!Array.isArray(plugins) || plugins.some((path) => typeof path !== 'string')) {
    throw new ConfigError('plugins', plugins, 'a list of paths');
  }
  plugins.forEach((name: string, at) => {
    const path = resolve(dirname(source), name);
    if (loaded.some((one) => one.path === path)) return;
    throw new ConfigError(
      `plugins.${at}`,
      name,
      `a file that the command line names (an experiment never runs code): add --plugin ${name}`,
    );
  });
  return rest;
}

/** Leaves copies and hashes of what is loaded in the folder of a new run, and of what was named anew in that of an old one. */
export function keepPlugins(folder: string, isNew: boolean): void {
  if (!loaded.some(({ named }) => isNew || named)) return;
  ensureWritableFolder(join(folder, kept.folder));
  for (const { file, bytes } of loaded) writeAtomic(join(folder, kept.folder, file), bytes);
  const list = loaded.map(({ file, sha256 }) => ({ file, sha256 }));
  writeAtomic(join(folder, kept.list), new TextEncoder().encode(`${JSON.stringify(list, null, 2)}\n`));
}

/**
 * Loads what a run folder was made with, from its own copies; a file of the same name that the user has named stands for it.
 * @throws FileError for a copy that is not the one whose hash was recorded, and for another one than that of a run before
 */
export function loadKept(folder: string): void {
  for (const { file, sha256 } of keptPlugins(folder)) {
    const other = loaded.find((one) => one.file === file);
    if (other?.named || loaded.some((one) => one.sha256 === sha256)) continue;
    const path = join(folder, kept.folder, file);
    if (other) throw new FileError(path, `is another plug-in than ${other.path}: take these runs one at a time`);
    const bytes = readBytes(path);
    if (hashOf(bytes) !== sha256) {
      const advice = `bring the former file back, or name the one to use: --plugin ${path}`;
      throw new FileError(path, `is not the plug-in that the run was made with (SHA-256 ${sha256}): ${advice}`);
    }
    load({ path: resolve(path), said: path, bytes, named: false });
  }
}

/** Names and hashes of the plug-ins that a folder was made with. @throws FileError for a list that is none */
export function keptPlugins(folder: string): readonly { readonly file: string; readonly sha256: string }[] {
  const path = join(folder, kept.list);
  if (!existsSync(path)) return [];
  const odd = () => new FileError(path, 'is no list of plug-ins: [{ "file": "mine.ts", "sha256": "..." }]');
  let list: unknown;
  try {
    list = JSON.parse(new TextDecoder().decode(readBytes(path)));
  } catch (error) {
    if (error instanceof SyntaxError) throw odd();
    throw error;
  }
  const fits = ({ file, sha256 }: Record<string, unknown>) =>
    typeof file === 'string' && file !== '' && basename(file) === file && /^[0-9a-f]{64}$/.test(String(sha256));
  if (!Array.isArray(list) || !list.every((one) => typeof one === 'object' && one !== null && fits(one))) throw odd();
  return list;
}
