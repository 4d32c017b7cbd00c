import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
// @ts-expect-error: a script without types
import { startSlurm, stopSlurm, whyNoSlurm } from '../../scripts/slurm-local.mjs';
import { lockFolder } from '../../src/cli/lock.ts';
import { differing, emptyFolder, main, start, succeed } from './cli.ts';

/** 24 runs of a quarter of a second. */
const study = {
  base: 'four-six-back',
  set: {
    'training.total': 32_000,
    'training.streams': 8,
    'training.chunkSteps': 20,
    'training.checkpointEvery': 1600,
    'evaluation.total': 320,
    'evaluation.streams': 4,
  },
  factors: { 'rule.name': ['e-prop-1', 'sg-r-d'], 'network.neurons': [10, 20] },
  seeds: 6,
};
const runs = study.factors['rule.name'].flatMap((rule) =>
  study.factors['network.neurons'].flatMap((neurons) =>
    Array.from({ length: study.seeds }, (_, n) => `rule.name=${rule},network.neurons=${neurons}/seed-${n + 1}`),
  ),
);

const missing = whyNoSlurm();

describe.skipIf(missing !== null)(`a study on Slurm${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let folder = '';
  let conf = '';
  beforeAll(async () => {
    folder = emptyFolder();
    writeFileSync(join(folder, 'study.json'), JSON.stringify(study));
    conf = await startSlurm(join(folder, 'cluster'));
  }, 60_000);
  afterAll(() => stopSlurm(join(folder, 'cluster')));

  /** A program of the cluster, to its end. */
  function slurm(program: string, ...args: string[]): string {
    const env = { ...process.env, SLURM_CONF: conf };
    const { stdout, stderr, status } = spawnSync(program, args, { env, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  async function until(what: string, holds: () => boolean): Promise<void> {
    const ends = performance.now() + 90_000;
    while (!holds()) {
      if (performance.now() > ends) throw new Error(`waited for 90 s: ${what}; ${slurm('squeue')}`);
      await wait(100);
    }
  }

  async function submit(...options: string[]): Promise<string> {
    const args = [main, 'study', 'slurm', 'study.json', '--out', 'out', ...options];
    const { code, stdout, stderr } = await start('env', [`SLURM_CONF=${conf}`, process.execPath, ...args], folder)
      .ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return /^job (\d+): /.exec(stdout)?.[1] ?? '';
  }

  const path = (run: string, file: string) => join(folder, 'out', run, file);
  const isDone = (run: string) => existsSync(path(run, 'summary.json'));
  const state = (task: string) => /JobState=(\w+)/.exec(slurm('scontrol', 'show', 'job', task))?.[1];
  const queued = () => slurm('squeue', '-h', '-r', '-o', '%T').split('\n').filter(Boolean);
  const node = () => slurm('sinfo', '-h', '-o', '%T').trim();
  const held = (run: string) => {
    spawnSync('mkdir', ['-p', path(run, '')]);
    return lockFolder(path(run, ''));
  };

  /** A task stands still within its run until it has been told to stop, so that it certainly saves on its way. */
  async function toldWithin(run: string): Promise<void> {
    const rows = () => (existsSync(path(run, 'metrics.csv')) ? readFileSync(path(run, 'metrics.csv'), 'utf8') : '');
    let pid = 0;
    await until('a task within its run', () => {
      if (!existsSync(path(run, 'run.lock'))) return false;
      pid = JSON.parse(readFileSync(path(run, 'run.lock'), 'utf8')).pid;
      return rows().split('\n').length > 20;
    });
    process.kill(pid, 'SIGSTOP');
    expect(isDone(run)).toBe(false);
    const termIsPending = () =>
      (Number.parseInt(/^ShdPnd:\s*\w*?(\w{8})$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '', 16) &
        (1 << 14)) !==
      0;
    await until('the end of its time', termIsPending);
    process.kill(pid, 'SIGCONT');
  }

  it('does 24 runs with tasks cancelled, requeued and out of time, and a node drained, to the bits of this machine', async () => {
    await succeed(['study', 'run', 'study.json', '--out', 'alone', '--threads', '2'], folder);
    const job = await submit('--array-throttle', '2', '--sbatch=--hold');
    // Two tasks are certainly at work as long as somebody else has their runs.
    const locks = [runs[0], runs[1]].map(held);
    slurm('scontrol', 'release', job);
    const [cancelled, requeued] = [`${job}_0`, `${job}_1`];
    await until('both at work', () => state(cancelled) === 'RUNNING' && state(requeued) === 'RUNNING');
    slurm('scancel', cancelled, `${job}_[20-23]`);
    slurm('scontrol', 'requeue', requeued);
    await until('one cancelled', () => state(cancelled) === 'CANCELLED');
    for (const lock of locks) lock.release();

    await until('a few runs', () => runs.filter(isDone).length > 3);
    slurm('scontrol', 'update', `NodeName=${slurm('hostname', '-s').trim()}`, 'State=DRAIN', 'Reason=test');
    await until('the node drained', () => node() === 'drained');
    const before = runs.filter(isDone).length;
    expect(queued().length).toBeGreaterThan(0);
    await wait(1500);
    expect(runs.filter(isDone)).toHaveLength(before);
    slurm('scontrol', 'update', `NodeName=${slurm('hostname', '-s').trim()}`, 'State=RESUME');
    await until('the end of the array', () => queued().length === 0);
    // What was cancelled is not put back by its task, and is by who asks for it.
    expect(runs.filter((run) => !isDone(run))).toEqual([runs[0], ...runs.slice(20)]);
    slurm('scontrol', 'requeue', cancelled);
    await until('the one that was cancelled', () => isDone(runs[0]));

    // Who submits again submits the rest; told half a minute before the end of a minute, the task is told at the next look of Slurm.
    const rest = await submit('--pack', '4', '--sbatch=--time=1', '--sbatch=--signal=B:TERM@30');
    await toldWithin(runs[20]);
    await until('the task put back', () => ['PENDING', 'COMPLETED'].includes(state(`${rest}_0`) ?? ''));
    expect(slurm('scontrol', 'show', 'job', `${rest}_0`)).toMatch(/Restarts=1 /);
    await until('the end', () => queued().length === 0);
    for (const run of runs) expect(differing(join(folder, 'alone', run), join(folder, 'out', run)), run).toEqual([]);
    const left = runs.flatMap((run) => readdirSync(path(run, '')).filter((name) => /lock|tmp|failed/.test(name)));
    expect(left).toEqual([]);
  }, 150_000);
});
