import { randomBytes } from 'node:crypto';
import {
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { LockedError } from '../core/errors.ts';
import { attempt, codeOf } from '../record/index.ts';

/** Name of the lock in a folder. */
export const LOCK = 'run.lock';
/** A claim to take over a stale lock lasts for a few system calls; one this old was left by a process that died in them. */
const CLAIM_MS = 10_000;

/** How a holder shows that it lives, and when it counts as gone. */
export interface Beats {
  /** Between two signs of life of a holder, ms. */
  readonly everyMs: number;
  /** Signs that have to be missing, by the clock of the file system. */
  readonly missed: number;
  /** And so many more, while somebody looks: a clock that was put forward ends no run. */
  readonly watched: number;
}

/** Two minutes without a sign, and 25 seconds under the eyes of who wants to take over. */
export const slowBeats: Beats = { everyMs: 10_000, missed: 12, watched: 2.5 };

/** Who holds a folder. `began` tells a process from a later one with the same number. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Where processes are numbered on their own (containers that share a host name): which numbering; null where none is told. */
  readonly numbering: string | null;
  /** Start of the process in ticks since the machine's, where the system tells it. */
  readonly began: string | null;
  readonly since: string;
  /** Two locks of one process are two. */
  readonly mark: string;
  /** Between its signs of life; a lock of a former version has none. */
  readonly beatMs: number;
}

/** A folder that is this process' own for now. */
export interface Lock {
  /** Whether somebody else has had it since: a process that slept for minutes may have been taken for dead, on another machine. */
  isLost(): boolean;
  release(): void;
}

/**
 * Makes this process the only one that writes into a folder, which exists. A lock that a process of this machine left when it
 * died is taken over at once; one of another machine, which nobody here can ask about, when its holder has shown no life for `beats`.
 * @throws LockedError naming the holder
 */
export function lockFolder(folder: string, beats: Beats = slowBeats): Lock {
  const path = join(folder, LOCK);
  const own = `${JSON.stringify(ourselves(beats))}\n`;
  while (!created(path, own)) {
    const text = textOf(path);
    if (text === null) continue;
    const holder = holderOf(text);
    if (!isGone(holder) && !isSilent(path, text, holder, beats)) throw new LockedError(folder, inUse(holder, path));
    takeAway(path, text);
  }
  sweep(folder);
  const stopBeating = beat(path, own, beats.everyMs);
  let held = true;
  return {
    // A folder that is gone is nobody's: what is written there next will say so.
    isLost: () => textOf(path) !== own && existsSync(folder),
    release() {
      stopBeating();
      if (held && textOf(path) === own) rmSync(path, { force: true });
      held = false;
    },
  };
}

/** Of a lock that lies there: whether its holder is at work, as far as one look can tell; null where there is none. */
export function lockState(folder: string, beats: Beats = slowBeats): 'held' | 'stale' | null {
  const path = join(folder, LOCK);
  const text = textOf(path);
  if (text === null) return null;
  const holder = holderOf(text);
  if (isOfThisMachine(holder)) return isGone(holder) ? 'stale' : 'held';
  const age = ageOf(path);
  return typeof holder.beatMs === 'number' && age !== null && age > beats.missed * holder.beatMs ? 'stale' : 'held';
}

function ourselves({ everyMs }: Beats): Holder {
  return {
    pid: process.pid,
    host: hostname(),
    numbering: numbering(),
    began: beganOf(process.pid),
    since: new Date().toISOString(),
    mark: randomBytes(6).toString('hex'),
    beatMs: everyMs,
  };
}

/**
 * Writes the lock's own bytes again and again: the file server puts the time to it. A thread of its own does so, since a step of a large network
 * may keep this one busy for minutes; short runs end before it starts. It goes through the file that was made, so a lock of somebody else by the same name is safe.
 */
function beat(path: string, own: string, everyMs: number): () => void {
  let worker: Worker | null = null;
  const timer = setTimeout(() => {
    worker = new Worker(beating, { eval: true, workerData: { path, own, everyMs } });
    worker.on('error', () => {});
    worker.unref();
  }, everyMs / 2);
  timer.unref();
  return () => {
    clearTimeout(timer);
    void worker?.terminate();
  };
}

/** CommonJS, as evaluated workers are. */
const beating = `
const { closeSync, fsyncSync, openSync, readFileSync, writeSync } = require('node:fs');
const { path, own, everyMs } = require('node:worker_threads').workerData;
const file = openSync(path, 'r+');
const again = () => { try { writeSync(file, own, 0); fsyncSync(file); } catch {} };
if (readFileSync(file, 'utf8') === own) { again(); setInterval(again, everyMs); } else closeSync(file);
`;

/** The lock appears with its whole text, or not at all. */
function created(path: string, text: string): boolean {
  const aside = asideOf(path);
  return attempt(path, 'write', () => {
    writeFileSync(aside, text);
    try {
      linkSync(aside, path);
      return true;
    } catch (error) {
      // Over NFS the answer to a link that was made can be lost; the count of names tells.
      if (codeOf(error) === 'EEXIST') return statSync(aside, { throwIfNoEntry: false })?.nlink === 2;
      // Who holds the folder has swept it meanwhile.
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    } finally {
      rmSync(aside, { force: true });
    }
  });
}

/** A holder puts away what those have left who died on their way to the lock. Who is still on it comes too late, and looks again. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder)) if (name.startsWith(`${LOCK}.`)) rmSync(join(folder, name), { force: true });
}

const asideOf = (path: string) => `${path}.${process.pid}-${randomBytes(6).toString('hex')}`;

/** Of several that find a lock stale one removes it: the others come too late or find another text. */
function takeAway(path: string, stale: string): void {
  const claim = `${path}.claim`;
  if (!created(claim, String(process.pid))) {
    const age = ageOf(claim);
    if (age !== null && age > CLAIM_MS) rmSync(claim, { force: true });
    return;
  }
  try {
    if (textOf(path) === stale) rmSync(path, { force: true });
  } finally {
    rmSync(claim, { force: true });
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    return attempt(path, 'read', () => {
      throw error;
    });
  }
}

/** How long ago a file was written, ms, by the clock that dates the files of its folder; null where it is gone. */
function ageOf(path: string): number | null {
  const probe = asideOf(path);
  try {
    writeFileSync(probe, '');
    return statSync(probe).mtimeMs - statSync(path).mtimeMs;
  } catch {
    return null;
  } finally {
    rmSync(probe, { force: true });
  }
}

function holderOf(text: string): Partial<Holder> {
  try {
    return JSON.parse(text) as Partial<Holder>;
  } catch {
    return {};
  }
}

function numbering(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return null;
  }
}

function isOfThisMachine({ pid, host, ...holder }: Partial<Holder>): boolean {
  return typeof pid === 'number' && host === hostname() && holder.numbering === numbering();
}

/** A process of this machine that has ended. */
function isGone(holder: Partial<Holder>): boolean {
  const { pid, began } = holder;
  if (!isOfThisMachine(holder) || pid === undefined) return false;
  if (!isAlive(pid)) return true;
  const now = beganOf(pid);
  return now !== null && began !== null && now !== began;
}

/** A holder elsewhere that has shown no life for long, nor does while it is watched. */
function isSilent(path: string, text: string, holder: Partial<Holder>, { missed, watched }: Beats): boolean {
  const { beatMs } = holder;
  if (isOfThisMachine(holder) || typeof beatMs !== 'number') return false;
  const age = ageOf(path);
  if (age === null || age <= missed * beatMs) return false;
  const last = statTime(path);
  const until = performance.now() + watched * beatMs;
  while (performance.now() < until) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.min(200, beatMs / 2));
    if (statTime(path) !== last || textOf(path) !== text) return false;
  }
  return true;
}

function statTime(path: string): number | null {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

/** When a process began, where there is a /proc; a zombie has ended. */
function beganOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'ended' : fields[19];
  } catch {
    return null;
  }
}

function inUse({ pid, host, since }: Partial<Holder>, path: string): string {
  if (pid === undefined) return `is in use: ${path} names no process; delete it if no run is going on`;
  const where = host === hostname() ? '' : ` on ${host}`;
  return `is in use by process ${pid}${where} since ${since}; wait for it, or name another folder${
    where === '' ? '' : ` (if it is gone, delete ${path})`
  }`;
}
