import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { lockFolder, lockState } from '../../src/cli/lock.ts';
import { FileError } from '../../src/core/errors.ts';

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});
function empty(): string {
  const folder = mkdtempSync(join(tmpdir(), 'spiketrace-lock-'));
  made.push(folder);
  return folder;
}

/** Number of a process that has ended. */
const dead = () => Number(execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }));
const held = (folder: string) => join(folder, 'run.lock');
/** Which numbering of processes this one lives in, as a lock written here says. */
function numbering(): unknown {
  const folder = empty();
  lockFolder(folder);
  return JSON.parse(readFileSync(held(folder), 'utf8')).numbering;
}
const leave = (folder: string, holder: object) =>
  writeFileSync(held(folder), JSON.stringify({ numbering: numbering(), ...holder }));

describe('a locked folder', () => {
  it('is refused to a second writer, with the process that holds it, and free again afterwards', () => {
    const folder = empty();
    const { release } = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(new RegExp(`in use by process ${process.pid} since 20`));
    expect(readdirSync(folder)).toEqual(['run.lock']);
    release();
    expect(readdirSync(folder)).toEqual([]);
    lockFolder(folder).release();
  });

  it('is not freed by a holder whose lock is no longer there', () => {
    const folder = empty();
    const { release } = lockFolder(folder);
    leave(folder, { pid: 1, host: 'elsewhere' });
    release();
    expect(existsSync(held(folder))).toBe(true);
  });

  it('is taken over from a process that died', () => {
    const folder = empty();
    leave(folder, { pid: dead(), host: hostname(), began: '1', since: 'then' });
    const { release } = lockFolder(folder);
    expect(JSON.parse(readFileSync(held(folder), 'utf8')).pid).toBe(process.pid);
    release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.skipIf(!existsSync('/proc/self/stat'))('is taken over from a process whose number another one has now', () => {
    const folder = empty();
    leave(folder, { pid: process.pid, host: hostname(), began: '1', since: 'then' });
    lockFolder(folder).release();
  });

  it.each([
    [
      'a container with numbers of its own',
      { pid: 2 ** 22 + 1, host: hostname(), numbering: 'pid:[1]', began: '1', since: 'then' },
      /in use by process/,
    ],
    ['another machine', { pid: 1, host: 'elsewhere', began: '1', since: 'then' }, /process 1 on elsewhere.*delete/],
    ['nobody that can be asked', {}, /names no process; delete it/],
  ])('is left to %s', (_who, holder, message) => {
    const folder = empty();
    leave(folder, holder);
    expect(() => lockFolder(folder)).toThrow(message);
    expect(() => lockFolder(folder)).toThrow(FileError);
  });

  const quick = { everyMs: 40, missed: 3, watched: 2.5 };
  const elsewhere = { pid: 1, host: 'elsewhere', began: '1', since: 'then', mark: 'x', beatMs: 40 };
  const old = new Date(Date.now() - 3_600_000);

  it('puts away what those have left who died on their way to it', () => {
    const folder = empty();
    for (const name of ['run.lock.17-0123456789ab', 'run.lock.claim']) writeFileSync(join(folder, name), '17');
    writeFileSync(join(folder, 'run.locksmith'), '');
    const lock = lockFolder(folder);
    expect(readdirSync(folder).sort()).toEqual(['run.lock', 'run.locksmith']);
    lock.release();
    expect(readdirSync(folder)).toEqual(['run.locksmith']);
  });

  it('is taken over from another machine that shows no life, and from no other', async () => {
    const folder = empty();
    leave(folder, elsewhere);
    expect(() => lockFolder(folder, quick)).toThrow(/process 1 on elsewhere/);
    expect(lockState(folder, quick)).toBe('held');
    utimesSync(held(folder), old, old);
    expect(lockState(folder, quick)).toBe('stale');
    lockFolder(folder, quick).release();
    expect(readdirSync(folder)).toEqual([]);
    expect(lockState(folder, quick)).toBe(null);
  });

  it('is left to a machine whose next sign of life comes while it is watched, however old the last one looks', async () => {
    const folder = empty();
    leave(folder, { ...elsewhere, beatMs: 400 });
    utimesSync(held(folder), old, old);
    const path = JSON.stringify(held(folder));
    const program = `setTimeout(() => { const fs = require('fs'); fs.writeFileSync(${path}, fs.readFileSync(${path})); }, 100)`;
    const other = spawn(process.execPath, ['-e', program]);
    expect(() => lockFolder(folder, quick)).toThrow(/process 1 on elsewhere/);
    await once(other, 'close');
  });

  it('shows life while its holder is busy, and none once it is free', async () => {
    const folder = empty();
    const lock = lockFolder(folder, quick);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const first = statSync(held(folder)).mtimeMs;
    const until = performance.now() + 200;
    while (performance.now() < until);
    expect(statSync(held(folder)).mtimeMs).toBeGreaterThan(first);
    expect(lock.isLost()).toBe(false);
    leave(folder, elsewhere);
    expect(lock.isLost()).toBe(true);
    lock.release();
    expect(existsSync(held(folder))).toBe(true);
  });

  it('goes to one of ten processes that all find a stale lock', { timeout: 60_000 }, async () => {
    const folder = empty();
    const stale = { pid: dead(), host: hostname(), began: '1', since: 'then' };
    const script = `import { lockFolder, lockState } from ${JSON.stringify(join(import.meta.dirname, '../../dist/src/cli/lock.js'))};
      process.stdin.once('data', () => {
        try { lockFolder(${JSON.stringify(folder)}); console.log('mine'); setTimeout(() => process.exit(), 1500); }
        catch (error) { console.log(error.name); process.exit(); }
      });
      console.log('ready');`;
    for (let round = 0; round < 3; round++) {
      leave(folder, stale);
      const racers = await Promise.all(
        Array.from({ length: 10 }, async () => {
          const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
          let text = '';
          child.stdout.on('data', (part) => {
            text += part;
          });
          await once(child.stdout, 'data');
          return { child, said: () => text.replace('ready', '').trim() };
        }),
      );
      for (const { child } of racers) child.stdin.write('go\n');
      await Promise.all(racers.map(({ child }) => once(child, 'close')));
      const said = racers.map((racer) => racer.said()).sort();
      expect(said).toEqual([...new Array(9).fill('LockedError'), 'mine']);
    }
  });
});
