import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { preset, presetNames } from '../../config/presets.ts';
import { ConfigError, FileError, LockedError } from '../../core/errors.ts';
import { attempt, codeOf, ensureWritableFolder, readBytes, writeAtomic } from '../../record/index.ts';
import { type Plan, type PlannedRun, planStudy } from '../../study/plan.ts';
import { parseStudy, type Study } from '../../study/schema.ts';
import type { State } from '../../study/table.ts';
import { experimentIn } from '../commands/run.ts';
import type { JobResult } from '../execute.ts';
import { readJson } from '../json.ts';
import { LOCK, lockFolder, lockState } from '../lock.ts';
import { keepPlugins, loadKept } from '../plugins.ts';
import { files } from '../runFolder.ts';
import { differences } from '../sameRun.ts';

/** Names in the folder of a study, and in that of a run of one. */
export const studyFiles = { study: 'study.json', failed: 'failed.json', table: 'table.csv', slurm: 'slurm' } as const;

/** A study whose base is an experiment, with its plan. */
export interface PlannedStudy {
  readonly study: Study & { readonly base: Record<string, unknown> };
  readonly plan: Plan;
}

/** A study and where its runs lie. */
export interface OpenStudy extends PlannedStudy {
  readonly folder: string;
}

/**
 * Reads a study file and what its base names. @param settings of the command line, for all cells, by path
 * @throws ConfigError, FileError
 */
export function readStudy(path: string, settings: Readonly<Record<string, unknown>> = {}): PlannedStudy {
  if (!existsSync(path)) throw new ConfigError('FILE', path, 'a study file');
  const { set, ...study } = parseStudy(readJson(path));
  return planned({ ...study, set: { ...set, ...settings }, base: baseOf(study.base, path) });
}

/** @param from the study file, which paths are relative to */
function baseOf(base: Study['base'], from: string): Record<string, unknown> {
  const read = () => {
    if (typeof base !== 'string') return experimentIn(base, from);
    if (presetNames.includes(base as never)) return structuredClone(preset(base));
    const source = resolve(dirname(from), base);
    if (!existsSync(source)) {
      throw new ConfigError('study.base', base, `a file beside ${from}, or one of ${presetNames.join(', ')}`);
    }
    return experimentIn(readJson(source), source);
  };
  const found = read();
  if (typeof found !== 'object' || found === null) throw new ConfigError('study.base', base, 'an experiment');
  return found as Record<string, unknown>;
}

export function planned(study: Study): PlannedStudy {
  if (typeof study.base === 'string') throw new ConfigError('study.base', study.base, 'an experiment');
  return { study: study as PlannedStudy['study'], plan: planStudy(study) };
}

/**
 * Makes a folder that of a study, or adds what is new in the file to the one that lies there. Factors, filters, seeds and measures may
 * change; what would change the runs that are there may not.
 * @throws ConfigError naming what differs, FileError
 */
export async function saveStudy(made: PlannedStudy, folder: string): Promise<OpenStudy> {
  await writeStudy(made, folder, (before) => assertSameRuns(folder, before, made.study));
  return { ...made, folder };
}

/** Leaves the file of a study in its folder. @param accept refuses it beside that of another study which lies there */
export async function writeStudy(
  { study }: PlannedStudy,
  folder: string,
  accept: (before: Study) => void = () => {},
): Promise<void> {
  ensureWritableFolder(folder);
  const path = join(folder, studyFiles.study);
  const text = `${JSON.stringify(study, null, 2)}\n`;
  if (existsSync(path) && new TextDecoder().decode(readBytes(path)) === text) return;
  await alone(folder, () => {
    if (existsSync(path)) accept(readSaved(folder));
    writeAtomic(path, new TextEncoder().encode(text));
    keepPlugins(folder, true);
  });
}

/** Several processes may begin one study: each writes when the others are through. */
async function alone(folder: string, action: () => void): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      const lock = lockFolder(folder);
      try {
        return action();
      } finally {
        lock.release();
      }
    } catch (error) {
      if (!(error instanceof LockedError) || tries > 300) throw error;
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}

function assertSameRuns(folder: string, before: Study, now: Study): void {
  const fixedParts = ({ base, set, stop }: Study) => ({ base, set, stop });
  const odd = differences(fixedParts(before), fixedParts(now));
  if (odd.length === 0) return;
  const list = odd.map(({ path, got, want }) => `${path} ${got}, now ${want}`).slice(0, 5);
  const more = odd.length > list.length ? `; and ${odd.length - list.length} more` : '';
  throw new ConfigError('--out', folder, `another folder, since its runs were made with ${list.join('; ')}${more}`);
}

function readSaved(folder: string): Study {
  const path = join(folder, studyFiles.study);
  if (!existsSync(path)) throw new FileError(folder, `is no folder of a study: no ${studyFiles.study} in it`);
  return parseStudy(readJson(path));
}

/** The study of a folder, with the plug-ins that it was made with. @throws FileError */
export function openStudy(folder: string): OpenStudy {
  const study = readSaved(folder);
  loadKept(folder);
  return { ...planned(study), folder };
}

/** What a study is called: by its file, or as its base is. */
export const titleOf = ({ study }: PlannedStudy): string => study.name ?? String(study.base.name ?? 'study');

export const folderOf = ({ folder }: OpenStudy, { name }: Pick<PlannedRun, 'name'>): string => join(folder, name);

/** Why a run ended without its result. */
export interface Failure {
  readonly error: string;
  readonly message: string;
  /** Whether it would end so again: a network that diverges, settings that are refused. */
  readonly lasting: boolean;
}

/** What a run's folder says of it. */
export interface Found {
  readonly state: State;
  readonly result: JobResult | null;
  readonly failure: Failure | null;
}

/** Reads the state of a run from its folder, with few looks at the disk. */
export function lookAt(folder: string): Found {
  const summary = join(folder, files.summary);
  const result = existsSync(summary) ? readIfWhole<JobResult>(summary) : null;
  if (result?.complete) return { state: 'done', result, failure: null };
  const names = namesIn(folder);
  const locked = names.includes(LOCK) ? lockState(folder) : null;
  if (locked) return { state: locked === 'held' ? 'running' : 'stale', result, failure: null };
  if (result?.hopeless) return { state: 'hopeless', result, failure: null };
  const failure = names.includes(studyFiles.failed) ? readIfWhole<Failure>(join(folder, studyFiles.failed)) : null;
  return { state: failure ? 'failed' : 'waiting', result, failure };
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    return attempt(folder, 'read', () => {
      throw error;
    });
  }
}

/** JSON of a file; null where it is gone by now or damaged, which its run will mend. */
function readIfWhole<T>(path: string): T | null {
  try {
    return JSON.parse(new TextDecoder().decode(readBytes(path))) as T;
  } catch {
    return null;
  }
}

/** Notes why a run failed, or that it did not. */
export function noteFailure(folder: string, failure: Failure | null): void {
  const path = join(folder, studyFiles.failed);
  if (!failure) {
    rmSync(path, { force: true });
    return;
  }
  ensureWritableFolder(folder);
  writeAtomic(path, new TextEncoder().encode(`${JSON.stringify(failure)}\n`));
}

/** Folders of cells that are in the folder and not in the plan: of levels that the file had before. */
export function formerCells({ folder, plan }: OpenStudy): string[] {
  const known = new Set(plan.cells.map(({ name }) => name));
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !known.has(entry.name))
    .map(({ name }) => name)
    .filter((name) => readdirSync(join(folder, name)).some((inside) => /^seed-\d+$/.test(inside)));
}
