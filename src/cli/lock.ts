import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FileError } from '../core/errors.ts';
import { attempt, codeOf } from '../record/index.ts';

const LOCK = 'run.lock';
/** A claim to take over a stale lock lasts for a few system calls; one this old was left by a process that died in them. */
const CLAIM_MS = 10_000;

/** Who holds a folder. `began` tells a process from a later one with the same number. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Where processes are numbered on their own (containers that share a host name): which numbering; null where none is told. */
  readonly numbering: string | null;
  /** Start of the process in ticks since the machine's, where the system tells it. */
  readonly began: string | null;
  readonly since: string;
}

/**
 * Makes this process the only one that writes into a run folder, which exists. A lock that a process of this machine left when it
 * died is taken over; one of another machine is not, since nobody here can ask about it.
 * @returns ends it @throws FileError naming the holder
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, LOCK);
  const own = `${JSON.stringify(ourselves())}\n`;
  while (!created(path, own)) {
    const text = textOf(path);
    if (text === null) continue;
    const holder = holderOf(text);
    if (!isStale(holder)) throw new FileError(folder, inUse(holder, path));
    takeAway(path, text);
  }
  let held = true;
  return () => {
    if (held && textOf(path) === own) rmSync(path, { force: true });
    held = false;
  };
}

function ourselves(): Holder {
  return {
    pid: process.pid,
    host: hostname(),
    numbering: numbering(),
    began: beganOf(process.pid),
    since: new Date().toISOString(),
  };
}

/** The lock appears with its whole text, or not at all. */
function created(path: string, text: string): boolean {
  const aside = `${path}.${process.pid}-${randomBytes(6).toString('hex')}`;
  return attempt(path, 'write', () => {
    writeFileSync(aside, text);
    try {
      linkSync(aside, path);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    } finally {
      rmSync(aside, { force: true });
    }
  });
}

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

function ageOf(path: string): number | null {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return null;
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

function isStale({ pid, host, began, ...holder }: Partial<Holder>): boolean {
  if (typeof pid !== 'number' || host !== hostname() || holder.numbering !== numbering()) return false;
  if (!isAlive(pid)) return true;
  const now = beganOf(pid);
  return now !== null && began !== null && now !== began;
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
