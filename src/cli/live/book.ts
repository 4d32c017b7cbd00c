import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Merit, meritIn } from '../../core/merit.ts';
import { followMetrics, METRICS_CSV, readBytes } from '../../record/index.ts';
import { lockState } from '../lock.ts';
import { files } from '../runFolder.ts';
import { ThinCurve } from './curve.ts';
import type { LiveRun } from './protocol.ts';

/** Folders below the watched one that are looked into: OUT/rule/seed-k, and those of a study. */
const deepest = 4;
/** Runs that are followed. */
export const mostRuns = 1000;
/** Configurations and summaries that are longer are nobody's. */
const longest = 1 << 24;

/** A run that is followed, and a number that changes when anything of it does. */
export interface Followed {
  readonly folder: string;
  readonly curve: ThinCurve;
  readonly state: Omit<LiveRun, 'curve'>;
  readonly changes: number;
}

/** All runs at and below a folder, as their files say. It reads and never writes. */
export interface Book {
  /** Looks at the files again. */
  turn(): void;
  readonly runs: ReadonlyMap<string, Followed>;
}

export function openBook(folder: string): Book {
  const runs = new Map<string, Entry>();
  return {
    runs,
    turn() {
      const found = new Set(runFolders(folder));
      for (const [id, { folder: path }] of runs) if (!found.has(path)) runs.delete(id);
      for (const path of found) {
        const id = relative(folder, path);
        const entry = runs.get(id) ?? new Entry(id, path);
        runs.set(id, entry);
        entry.look();
      }
    },
  };
}

function runFolders(folder: string): string[] {
  const found: string[] = [];
  const visit = (path: string, depth: number) => {
    if (found.length >= mostRuns) return;
    if (existsSync(join(path, files.config))) found.push(path);
    else if (depth < deepest) for (const name of foldersIn(path)) visit(join(path, name), depth + 1);
  };
  visit(folder, 0);
  return found;
}

/** Links are not followed: they may lead in a circle. */
function foldersIn(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    // Gone, or not ours to read.
    return [];
  }
}

class Entry implements Followed {
  readonly folder: string;
  readonly curve = new ThinCurve();
  state: Followed['state'];
  changes = 0;
  readonly #rows: ReturnType<typeof followMetrics>;
  #merit: Merit | null = null;
  #configured = '';

  constructor(id: string, folder: string) {
    this.folder = folder;
    this.#rows = followMetrics(join(folder, METRICS_CSV));
    this.state = {
      id,
      name: '',
      rule: '',
      seed: null,
      state: 'stopped',
      amount: 0,
      total: 0,
      rateHz: null,
      score: null,
      last: null,
    };
  }

  look(): void {
    const before = JSON.stringify(this.state);
    const points = this.curve.length;
    this.#configure();
    this.#follow();
    const held = lockState(this.folder) === 'held';
    const done = this.state.total > 0 && this.state.amount >= this.state.total;
    this.state = { ...this.state, state: held ? 'running' : done ? 'finished' : 'stopped' };
    if (JSON.stringify(this.state) !== before || this.curve.length !== points) this.changes++;
  }

  /** What the configuration says, once and after it was written anew. */
  #configure(): void {
    const path = join(this.folder, files.config);
    const stamp = stampOf(path);
    if (stamp === this.#configured) return;
    this.#configured = stamp;
    const config = objectIn(path);
    const { name, rule, seed, training } = config;
    this.state = {
      ...this.state,
      name: String(name ?? ''),
      rule: String((rule as { name?: unknown } | undefined)?.name ?? ''),
      seed: typeof seed === 'number' ? seed : null,
      total: Number((training as { total?: unknown } | undefined)?.total) || 0,
    };
  }

  #follow(): void {
    const { rows, anew } = this.#rows();
    if (anew) this.curve.clear();
    for (const row of rows) {
      this.#merit ??= meritIn(row);
      const score = this.#merit.of(row);
      if (row.type === 'trial') this.curve.add(row.amount, score);
      const { label, axis, higherIsBetter } = this.#merit;
      this.state = {
        ...this.state,
        amount: row.amount,
        rateHz: Number.isFinite(row.rateHz) ? row.rateHz : null,
        score: { label, axis, higherIsBetter },
        last: Number.isFinite(score) ? score : null,
      };
    }
  }
}

function stampOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${found.ino}:${found.mtimeMs}:${found.size}` : '';
}

/** An object in a JSON file of somebody; empty where there is none. */
function objectIn(path: string): Readonly<Record<string, unknown>> {
  try {
    if (statSync(path).size > longest) return {};
    const value: unknown = JSON.parse(new TextDecoder().decode(readBytes(path)));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
