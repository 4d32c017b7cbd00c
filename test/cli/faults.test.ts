import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { encodeNpy } from '../../src/record/index.ts';
import { differing, emptyFolder, main, set, spiketrace, start, streaming, succeed, trials } from './cli.ts';

/** A run of a second or two that writes a checkpoint after each of its chunks. */
const long = [...streaming, ...set({ 'training.total': 80_000, 'training.checkpointEvery': 1 }), '--no-figures'];
const begin = (args: readonly string[], folder: string) => start(process.execPath, [main, ...args], folder);

async function rowsIn(path: string, count: number): Promise<void> {
  while (!existsSync(path) || readFileSync(path, 'utf8').split('\n').length < count) await wait(5);
}

const oneLine = (stderr: string) => {
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(stderr).not.toMatch(/^\s+at /m);
  return stderr;
};

/** Makes a folder that is not empty, between two instants at which the run has a file of that name. */
async function inPlaceOf(path: string): Promise<void> {
  for (;;) {
    try {
      mkdirSync(join(path, 'in-the-way'), { recursive: true });
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTDIR' && code !== 'EEXIST') throw error;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

describe('what cannot be written any more', () => {
  it('a folder that is taken away ends the run with one line and exit code 1', async () => {
    const folder = emptyFolder();
    const run = begin(['train', ...long, '--out', 'run'], folder);
    await rowsIn(join(folder, 'run/metrics.csv'), 10);
    renameSync(join(folder, 'run'), join(folder, 'away'));
    const { code, stderr } = await run.ended;
    expect(code).toBe(1);
    expect(oneLine(stderr)).toMatch(/^spiketrace: run\/.*: cannot be written, its folder does not exist/);
    // Its lock is that of a process that has ended.
    await Promise.all([
      succeed(['resume', 'away', '--no-figures'], folder),
      succeed(['train', ...long, '--out', 'whole'], folder),
    ]);
    expect(differing(join(folder, 'away'), join(folder, 'whole'))).toEqual([]);
  });

  it('a checkpoint that cannot be replaced leaves the last one, and says how to go on', async () => {
    const folder = emptyFolder();
    const run = begin(['train', ...long, '--out', 'run'], folder);
    await rowsIn(join(folder, 'run/metrics.csv'), 10);
    // A folder that is not empty in the place of the file that is written aside.
    await inPlaceOf(join(folder, 'run/checkpoint.bin.tmp'));
    const { code, stderr } = await run.ended;
    expect(code).toBe(1);
    expect(oneLine(stderr)).toMatch(/checkpoint\.bin: .*go on from the last checkpoint with: spiketrace resume run/);
    expect(existsSync(join(folder, 'run/run.lock'))).toBe(false);
    rmSync(join(folder, 'run/checkpoint.bin.tmp'), { recursive: true });
    await Promise.all([
      succeed(['resume', 'run', '--no-figures'], folder),
      succeed(['train', ...long, '--out', 'whole'], folder),
    ]);
    expect(differing(join(folder, 'run'), join(folder, 'whole'))).toEqual([]);
  });

  it.skipIf(!canMount())('a full disk is named; with room again the run goes on to the same bytes', async () => {
    const disk = smallDisk();
    try {
      const folder = emptyFolder();
      const out = join(disk.path, 'run');
      const run = begin(['train', ...long, '--out', out], folder);
      await rowsIn(join(out, 'metrics.csv'), 10);
      disk.fill();
      const { code, stderr } = await run.ended;
      expect(code).toBe(1);
      expect(oneLine(stderr)).toMatch(/: the disk is full/);
      disk.free();
      await succeed(['resume', out, '--no-figures'], folder);
      await succeed(['train', ...long, '--out', 'whole'], folder);
      expect(differing(out, join(folder, 'whole'))).toEqual([]);
    } finally {
      disk.close();
    }
  });

  it('a read-only place is refused before anything is done', async () => {
    const { code, stderr } = await spiketrace(['train', ...trials, '--out', '/proc/run']);
    expect(code).toBe(2);
    oneLine(stderr);
  });
});

/** Whether this machine lets us have a disk of our own. */
function canMount(): boolean {
  try {
    smallDisk().close();
    return true;
  } catch {
    return false;
  }
}

/** A disk of a few MiB. */
function smallDisk(): { path: string; fill(): void; free(): void; close(): void } {
  const path = emptyFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', path], { stdio: 'ignore' });
  const ballast = join(path, 'ballast');
  return {
    path,
    fill() {
      try {
        writeFileSync(ballast, Buffer.alloc(4 * 2 ** 20));
      } catch {
        // As full as it gets.
      }
    },
    free: () => rmSync(ballast, { force: true }),
    close: () => execFileSync('umount', ['-l', path]),
  };
}

describe('two processes in one run folder', () => {
  it('train and resume at once: one of them runs, the other says who has the folder', async () => {
    const folder = emptyFolder();
    const first = begin(['train', ...long, '--out', 'run'], folder);
    await rowsIn(join(folder, 'run/metrics.csv'), 5);
    // It stands still meanwhile, so that it cannot be done before the other has begun.
    first.kill('SIGSTOP');
    const second = await spiketrace(['resume', 'run', '--no-figures'], folder).finally(() => first.kill('SIGCONT'));
    expect(second.code).toBe(2);
    expect(oneLine(second.stderr)).toMatch(
      /run: is in use by process \d+ since .*; wait for it, or name another folder/,
    );
    expect((await first.ended).code).toBe(0);
    await succeed(['train', ...long, '--out', 'whole'], folder);
    expect(differing(join(folder, 'run'), join(folder, 'whole'))).toEqual([]);
    expect(existsSync(join(folder, 'run/run.lock'))).toBe(false);
  });

  it('a lock that a kill left does not hold the next one up', async () => {
    const folder = emptyFolder();
    const first = begin(['train', ...long, '--out', 'run'], folder);
    await rowsIn(join(folder, 'run/metrics.csv'), 5);
    first.kill('SIGKILL');
    await first.ended;
    expect(existsSync(join(folder, 'run/run.lock'))).toBe(true);
    await succeed(['resume', 'run', '--no-figures'], folder);
    expect(existsSync(join(folder, 'run/run.lock'))).toBe(false);
  });
});

describe('an interrupt', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('of several runs, %s: a table, how to go on, and the code of the signal', async (signal, wanted) => {
    const folder = emptyFolder();
    const run = begin(['train', ...long, '--seeds', '3', '--threads', '1', '--out', 'runs'], folder);
    await rowsIn(join(folder, 'runs/e-prop-1/seed-1/metrics.csv'), 10);
    run.kill(signal);
    const { code, stdout } = await run.ended;
    expect(code).toBe(wanted);
    expect(stdout).toMatch(/^rule +seed/m);
    expect(stdout.match(/go on with: spiketrace resume/g)?.length).toBeGreaterThanOrEqual(2);
    await succeed(['resume', 'runs', '--no-figures'], folder);
    for (const seed of [1, 2, 3]) {
      const summary = JSON.parse(readFileSync(join(folder, `runs/e-prop-1/seed-${seed}/summary.json`), 'utf8'));
      expect(summary.complete).toBe(true);
    }
  });

  it('of a comparison: a table without the numbers that are not there yet; the same command goes on', async () => {
    const folder = emptyFolder();
    const args = [
      'compare',
      ...streaming,
      ...set({ 'training.total': 40_000, 'training.checkpointEvery': 1 }),
      ...['--rules', 'e-prop-1,readout-only', '--seeds', '1', '--threads', '1', '--out', 'both'],
    ];
    const run = begin(args, folder);
    await rowsIn(join(folder, 'both/e-prop-1/seed-1/metrics.csv'), 10);
    run.kill('SIGINT');
    const { code, stdout, stderr } = await run.ended;
    expect(stderr).not.toContain('got 0');
    expect(code).toBe(130);
    expect(stdout).toMatch(/^e-prop-1 +0 +- +-/m);
    expect(stdout).toContain('runs stopped before their end; the same command goes on with them');
    const { stdout: whole } = await succeed(args, folder);
    expect(whole).toMatch(/^e-prop-1 +1 +0\.\d/m);
  });

  it('of an audit leaves no folder behind', async () => {
    const folder = emptyFolder();
    const run = begin(['audit', 'four-six-back', '--out', 'audit'], folder);
    await wait(1500);
    run.kill('SIGINT');
    await run.ended;
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('refused before anything is written', () => {
  it.each([
    [
      'trials that the training has not',
      ['--record', 'z', '--record-trials', '40:41'],
      /recording\.trials: got "40:41", expected trials within 0:20/,
    ],
    [
      'a training without an update',
      set({ 'training.update': { unit: 'step', every: 500 } }),
      /training\.update\.every: got 500, expected at most 400, the steps that each of 8 streams has/,
    ],
  ])('%s', async (_what, args, message) => {
    const folder = emptyFolder();
    const { code, stderr } = await spiketrace(['train', ...streaming, ...args, '--out', 'run'], folder);
    expect(code).toBe(2);
    expect(oneLine(stderr)).toMatch(message);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('a label that leads out of the folder', async () => {
    const folder = emptyFolder();
    const { code, stderr } = await spiketrace(
      ['compare', ...streaming, '--rules', 'e-prop-1:as=../../escaped', '--out', 'a/b'],
      folder,
    );
    expect(code).toBe(2);
    expect(oneLine(stderr)).toMatch(/--rules: got "as=\.\.\/\.\.\/escaped"/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    [
      'a sign that its neuron has not',
      'rec',
      (n: number, wanted: Float64Array) => wanted.map((w, s) => (s % (n + 1) === 0 ? 0 : -w - 1e-3 * n)),
      /rec\.npy\[\d+\]: got -?\d.*expected a weight [<>]= 0: its neuron (excites|inhibits)/,
    ],
    [
      'an autapse',
      'rec',
      (n: number, wanted: Float64Array) => wanted.map((w, s) => (s === n + 1 ? 0.5 : w)),
      /rec\.npy\[21\]: got 0\.5, expected 0: neurons have no autapses/,
    ],
  ])('weights of %s', async (_what, name, change, message) => {
    const folder = emptyFolder();
    const dale = set({
      'network.recurrent.dale': { excitatory: 1, balanced: false },
      'network.recurrent.autapses': false,
    });
    await succeed(['train', ...streaming, ...dale, '--no-figures', '--out', 'run'], folder);
    const path = join(folder, `run/weights/${name}.npy`);
    const bytes = readFileSync(path);
    const values = new Float64Array(new Uint8Array(bytes.subarray(bytes.length - 8 * 400)).buffer);
    const changed = change(20, values).map((w, s) => (s % 21 === 0 && s !== 21 ? 0 : w));
    writeFileSync(path, encodeNpy(changed, [20, 20]));
    const { code, stderr } = await spiketrace(
      ['train', ...streaming, ...dale, '--weights', 'run/weights', '--out', 'again'],
      folder,
    );
    expect(code).toBe(2);
    expect(oneLine(stderr)).toMatch(message);
    expect(readdirSync(folder)).toEqual(['run']);
  });
});

describe('settings and lists', () => {
  it('a comma within a value belongs to it', async () => {
    const folder = emptyFolder();
    const rule = 'e-prop-1:network.neuron={"kind":"lif","membrane":{"decay":0.7},"vTh":0.5}:as=short';
    await succeed(
      ['compare', ...streaming, '--rules', `${rule},readout-only`, '--seeds', '1', '--out', 'both'],
      folder,
    );
    const config = JSON.parse(readFileSync(join(folder, 'both/short/seed-1/config.json'), 'utf8'));
    expect(config.network.populations.rec.neuron).toMatchObject({ membrane: { decay: 0.7 }, vTh: 0.5 });
  });

  it('eval says how many it scores where they do not come out even', async () => {
    const folder = emptyFolder();
    await succeed(['train', ...streaming, '--no-figures', '--out', 'run'], folder);
    const odd = await succeed(['eval', 'run', '--symbols', '1001'], folder);
    expect(odd.stderr).toContain('1004 scored in place of 1001, as many in each of 4 streams');
    expect((await succeed(['eval', 'run', '--symbols', '1000'], folder)).stderr).toBe('');
  });

  it('deploy tells scripts', async () => {
    const on = (chip: string, wanted: string) =>
      spiketrace(['deploy', 'four-six-back', '--chip', chip, '--require', wanted]);
    const codes = await Promise.all([on('ideal', 'fits'), on('reckon', 'fits-with'), on('reckon', 'nonsense')]);
    expect(codes.map(({ code }) => code)).toEqual([0, 1, 2]);
  });
});
