import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parquetReadObjects } from 'hyparquet';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Lock, lockFolder } from '../../src/cli/lock.ts';
import { csvCell } from '../../src/study/table.ts';
import { differing, emptyFolder, jsonLines, main, spiketrace, start, succeed } from './cli.ts';

/** A fifth of a second of training. */
const set = {
  'network.neurons': 20,
  'training.total': 3200,
  'training.streams': 8,
  'training.chunkSteps': 20,
  'training.checkpointEvery': 160,
  'evaluation.total': 320,
  'evaluation.streams': 4,
};
const factors = { 'rule.name': ['e-prop-1', 'readout-only'] };
const names = ['e-prop-1', 'readout-only'].flatMap((rule) => [1, 2].map((seed) => `rule.name=${rule}/seed-${seed}`));

function studyIn(folder: string, changes: object = {}): string {
  writeFileSync(
    join(folder, 'study.json'),
    JSON.stringify({ base: 'four-six-back', set, factors, seeds: 2, ...changes }),
  );
  return folder;
}

const run = (...more: string[]) => ['study', 'run', 'study.json', '--out', 'out', ...more];
const status = async (folder: string) =>
  JSON.parse((await succeed(['study', 'status', 'out', '--json'], folder)).stdout);

/** What was never interrupted, on two threads. */
let alone = '';
beforeAll(async () => {
  alone = studyIn(emptyFolder());
  await succeed(run('--threads', '2'), alone);
}, 60_000);

function expectSameRuns(folder: string, runs: readonly string[] = names): void {
  for (const name of runs) expect(differing(join(alone, 'out', name), join(folder, 'out', name)), name).toEqual([]);
}

/** A run that somebody else has: who is to do it waits, and is certainly at work when it is told to stop. */
function holding(folder: string, name: string): Lock {
  const run = join(folder, 'out', name);
  mkdirSync(run, { recursive: true });
  return lockFolder(run);
}

/** Until a run has trained a little. */
async function begun(folder: string, name: string): Promise<void> {
  const metrics = join(folder, 'out', name, 'metrics.csv');
  await until(() => existsSync(metrics) && readFileSync(metrics, 'utf8').split('\n').length > 3);
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 2000) throw new Error('waited for 20 s');
    await wait(10);
  }
}

describe('study run', () => {
  it('repeats nothing, adds what is new in the file, and refuses another base', async () => {
    const checkpoint = join(alone, 'out', names[0], 'checkpoint.bin');
    const { mtimeMs } = statSync(checkpoint);
    const seeds = studyIn(emptyFolder(), { seeds: 3 });
    const more = (await succeed(['study', 'run', join(seeds, 'study.json'), '--out', 'out'], alone)).stdout;
    expect(more.match(/^.*: done/gm)?.sort()).toEqual([
      'rule.name=e-prop-1/seed-3: done',
      'rule.name=readout-only/seed-3: done',
    ]);
    expect(more).toMatch(/^6 done, /m);
    expect(statSync(checkpoint).mtimeMs).toBe(mtimeMs);

    const other = await spiketrace(run('--set', 'training.total=6400'), alone);
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/--out: got "out", .* made with set\.training\.total 3200, now 6400\n$/);
  });

  it('goes on where it was killed, by another process that finds its lock', async () => {
    const folder = studyIn(emptyFolder());
    const killed = start(process.execPath, [main, ...run('--threads', '1')], folder);
    const has = (name: string, file: string) => existsSync(join(folder, 'out', name, file));
    let at = '';
    // It stands still while somebody looks whether it is within a run.
    await until(() => {
      killed.kill('SIGSTOP');
      at = names.find((name) => has(name, 'run.lock') && has(name, 'metrics.csv') && !has(name, 'summary.json')) ?? '';
      if (at === '') killed.kill('SIGCONT');
      return at !== '';
    });
    killed.kill('SIGKILL');
    await killed.ended;
    expect(await status(folder)).toMatchObject({
      done: names.indexOf(at),
      stale: [at],
      waiting: 3 - names.indexOf(at),
    });
    await succeed(run('--threads', '1'), folder);
    expectSameRuns(folder);
  });

  it('shares the runs with other processes, each done once', async () => {
    const folder = studyIn(emptyFolder());
    const all = await Promise.all([1, 2, 3].map(() => spiketrace(run('--threads', '2'), folder)));
    const ended = all.map(({ code, stderr, stdout }) => ({ code, stderr, failed: /failed/.test(stdout) }));
    expect(ended).toEqual([1, 2, 3].map(() => ({ code: 0, stderr: '', failed: false })));
    expectSameRuns(folder);
    for (const name of names) {
      const rows = readFileSync(join(folder, 'out', name, 'metrics.jsonl'), 'utf8')
        .trimEnd()
        .split('\n');
      expect(rows).toHaveLength(21);
    }
    expect(readdirSync(join(folder, 'out')).sort()).toEqual([
      'rule.name=e-prop-1',
      'rule.name=readout-only',
      'study.json',
    ]);
  });

  it('ends with 1 where a run failed, after all others, and names it; what would fail again is not tried again', async () => {
    const folder = studyIn(emptyFolder(), { factors: { 'rule.name': ['no-such-rule', 'e-prop-1'] }, seeds: 1 });
    const first = await spiketrace(run(), folder);
    expect(first.code).toBe(1);
    expect(first.stdout).toMatch(/no-such-rule\/seed-1: failed, rule\.name: got "no-such-rule", expected one of/);
    expectSameRuns(folder, [names[0]]);
    const found = await status(folder);
    expect(found).toMatchObject({ done: 1, failed: 1, failures: [{ run: 'rule.name=no-such-rule/seed-1' }] });
    const { code, stdout } = await spiketrace(run(), folder);
    expect({ code, tried: /: failed/.test(stdout) }).toEqual({ code: 1, tried: false });
    const { stdout: table } = await succeed(['study', 'collect', 'out', '--out', 't.csv'], folder);
    expect(table).toMatch(/no-such-rule +0 of 1 +- /);
    expect(readFileSync(join(folder, 't.csv'), 'utf8')).toMatch(/no-such-rule,1,failed,,,,,,"?rule\.name: got/);
  });

  it('ends runs without hope, and leaves them so; a control has its runs first', async () => {
    const stop = [{ after: 0.5, measure: 'rateHz', worseThan: { cell: { 'rateTerm.targetHz': 40 }, by: 1 } }];
    const folder = studyIn(emptyFolder(), { factors: { 'rateTerm.targetHz': [400, 40] }, stop, seeds: 1 });
    const { stdout } = await succeed(run('--threads', '2'), folder);
    expect(stdout).toMatch(/^rateTerm\.targetHz=40\/seed-1: done.*\nrateTerm\.targetHz=400\/seed-1: hopeless, at 1600/);
    const table = await succeed(['study', 'collect', 'out', '--json'], folder);
    const [{ row }] = jsonLines<{ row: { state: string; message: string; amount: number } }>(table.stdout);
    expect(row).toMatchObject({ state: 'hopeless', amount: 1600, measures: { expectedLoss: null } });
    expect(row.message).toMatch(/^rateHz 1\d\d\.\d+ at 1600, worse than 3\d\.\d+$/);
    const again = await succeed(run(), folder);
    expect(again.stdout).toMatch(/^1 done, 1 hopeless, /);
  });

  it('refuses what does not fit into the memory, and goes on with the rest', async () => {
    const folder = studyIn(emptyFolder(), { factors: { 'network.neurons': [20, 2000] }, seeds: 1 });
    const { code, stdout } = await spiketrace(run('--memory', '80'), folder);
    expect(code).toBe(1);
    expect(stdout).toMatch(/network\.neurons=20\/seed-1: done/);
    expect(stdout).toMatch(/network\.neurons=2000\/seed-1: failed, .*MiB/);
  });
});

describe('study cell', () => {
  it('is told to stop, saves, ends with 143, and goes on to the same bits', async () => {
    const folder = studyIn(emptyFolder());
    await succeed(['study', 'commands', 'study.json', '--out', 'out'], folder);
    const cell = ['study', 'cell', 'out', '0', names[2]];
    const held = holding(folder, names[2]);
    const stopped = start(process.execPath, [main, ...cell], folder);
    await begun(folder, names[0]);
    stopped.kill('SIGTERM');
    stopped.kill('SIGTERM');
    const { code, stdout } = await stopped.ended;
    expect({ code, waiting: /[12] waiting/.test(stdout) }).toEqual({ code: 143, waiting: true });
    held.release();
    await succeed(cell, folder);
    expectSameRuns(folder, [names[0], names[2]]);
    expect(await status(folder)).toMatchObject({ done: 2, waiting: 2 });
    const unknown = await spiketrace(['study', 'cell', 'out', '4'], folder);
    expect(unknown.stderr).toMatch(
      /NAME: got "4", expected a run such as rule\.name=e-prop-1\/seed-1, .* from 0 to 3\n$/,
    );
  });
});

it('study commands are carried out by a shell, in any order, to the same bits', async () => {
  const folder = studyIn(emptyFolder());
  const args = ['study', 'commands', 'study.json', '--out', "it's out"];
  const { stdout } = await succeed(args, folder);
  const script = stdout.trimEnd().split('\n').reverse().join('\n');
  expect((await start('sh', ['-ec', script], folder).ended).stderr).toBe('');
  for (const name of names) expect(differing(join(alone, 'out', name), join(folder, "it's out", name))).toEqual([]);
});

it('status and collect work while runs go on', async () => {
  const folder = studyIn(emptyFolder());
  const going = start(process.execPath, [main, ...run('--threads', '1')], folder);
  await until(() => existsSync(join(folder, 'out', names[1], 'metrics.csv')));
  const [found, { stdout }] = [
    await status(folder),
    await succeed(['study', 'collect', 'out', '--out', 't.csv'], folder),
  ];
  expect(found.runs).toBe(4);
  expect(found.done).toBeGreaterThanOrEqual(1);
  expect(stdout).toContain('table: t.csv');
  expect(readFileSync(join(folder, 't.csv'), 'utf8').trimEnd().split('\n')).toHaveLength(5);
  expect((await going.ended).code).toBe(0);
});

it('collect, plot and report say the same of a study, and the report needs no other file', async () => {
  const factors = { 'rule.name': ['e-prop-1', 'readout-only'], 'network.neurons': [10, 20] };
  const folder = studyIn(emptyFolder(), { factors });
  await succeed(run(), folder);
  const { stdout } = await succeed(['study', 'collect', 'out', '--out', 't.csv'], folder);
  expect(stdout).toMatch(/rule\.name +e-prop-1 +readout-only +2 /);
  const [head, ...lines] = readFileSync(join(folder, 't.csv'), 'utf8').trimEnd().split('\n');
  expect(head).toBe(
    'run,cell,rule.name,network.neurons,seed,state,amount,expectedLoss,accuracy,rateHz,seconds,message',
  );
  expect(lines).toHaveLength(8);
  await succeed(['study', 'collect', 'out', '--out', 't.parquet'], folder);
  const parquet = await parquetReadObjects({ file: Uint8Array.from(readFileSync(join(folder, 't.parquet'))).buffer });
  const names = head.split(',');
  expect(parquet.map((row) => names.map((name) => csvCell(row[name])).join(','))).toEqual(lines);
  expect(parquet.map((row) => row['network.neurons'])).toEqual([10n, 10n, 20n, 20n, 10n, 10n, 20n, 20n]);
  const figures = jsonLines<{ figure: string }>((await succeed(['study', 'plot', 'out', '--json'], folder)).stdout);
  expect(figures.map(({ figure }) => figure.replace(/.*figures./, ''))).toEqual([
    'curves.png',
    'slopes-rule.name.png',
    'slopes-network.neurons.png',
    'map-rule.name-network.neurons.png',
  ]);
  await succeed(['study', 'report', 'out'], folder);
  const page = readFileSync(join(folder, 'out/report.html'), 'utf8');
  expect(page.match(/<img [^>]*src="data:image\/png;base64,/g)).toHaveLength(4);
  expect(page).not.toMatch(/(src|href)="(?!data:)/);
  expect(page).toContain('8 runs: 8 done');
});

describe('study slurm', () => {
  /** Programs of a cluster that write down how they are called. */
  function cluster(folder: string): NodeJS.ProcessEnv {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    for (const name of ['sbatch', 'scontrol']) {
      writeFileSync(
        join(bin, name),
        `#!/bin/sh\necho ${name} "$@" >> '${join(folder, 'calls')}'\necho ${name === 'sbatch' ? 17 : 'JobState=RUNNING'}\n`,
      );
      chmodSync(join(bin, name), 0o755);
    }
    return { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  }

  it('submits one array whose tasks do their runs, and put themselves back when told to stop', async () => {
    const folder = studyIn(emptyFolder(), { resources: { sbatch: ['--time=5'] } });
    const env = cluster(folder);
    const inCluster = (command: string) => start('env', [`PATH=${env.PATH}`, 'bash', '-c', command], folder);
    const submit = `'${process.execPath}' '${main}' study slurm study.json --out out --pack 3 --array-throttle 5`;
    const { stdout, stderr } = await inCluster(`${submit} --sbatch=--partition=short`).ended;
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^job 17: 4 runs/);
    const script = join(folder, 'out/slurm/1.sh');
    expect(readFileSync(join(folder, 'calls'), 'utf8')).toBe(`sbatch --parsable ${script}\n`);
    const text = readFileSync(script, 'utf8');
    for (const option of ['--array=0-1%5', '--requeue', '--signal=B:TERM@60', '--time=5', '--partition=short']) {
      expect(text).toContain(`#SBATCH ${option}\n`);
    }
    const task = (id: number) => inCluster(`SLURM_ARRAY_JOB_ID=17 SLURM_ARRAY_TASK_ID=${id} exec bash '${script}'`);
    expect((await task(1).ended).code).toBe(0);
    expectSameRuns(folder, [names[3]]);

    const held = holding(folder, names[1]);
    const stopped = task(0);
    await begun(folder, names[0]);
    stopped.kill('SIGTERM');
    expect((await stopped.ended).code).toBe(143);
    held.release();
    expect(readFileSync(join(folder, 'calls'), 'utf8')).toContain('scontrol requeue 17_0\n');
    expect((await task(0).ended).code).toBe(0);
    expectSameRuns(folder);
    expect((await inCluster(submit).ended).stdout).toBe('nothing to submit: no run is waiting\n');
  });

  it('says so where there is no Slurm, and prints the script all the same', async () => {
    const folder = studyIn(emptyFolder());
    const args = ['study', 'slurm', 'study.json', '--out', 'out'];
    // A machine that has Slurm has it not in an empty path.
    const refused = await start('env', [`PATH=${folder}`, process.execPath, main, ...args], folder).ended;
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/^spiketrace: sbatch cannot be started \(ENOENT\)[^\n]*\n$/);
    const { stdout } = await succeed([...args, '--dry-run'], folder);
    expect(stdout).toMatch(/^#!\/bin\/bash\n#SBATCH --job-name=four-six-back\n#SBATCH --array=0-3\n/);
  });
});

it('study plan shows cells and memory; the schema of a study file is one', async () => {
  const folder = studyIn(emptyFolder());
  const { stdout } = await succeed(['study', 'plan', 'study.json'], folder);
  expect(stdout).toMatch(/^rule\.name=e-prop-1 +e-prop-1 +\d+ MiB$/m);
  expect(stdout).toMatch(/2 cells x 2 seeds = 4 runs; the largest takes \d+ MiB\n$/);
  const cells = jsonLines<{ bytes: number }>((await succeed(['study', 'plan', 'study.json', '--json'], folder)).stdout);
  expect(cells).toHaveLength(2);
  studyIn(folder, { measures: ['acuracy'] });
  const unknown = await spiketrace(['study', 'plan', 'study.json'], folder);
  expect(unknown.stderr).toMatch(/study\.measures\.0: got "acuracy", expected one of merit, loss, /);
  const schema = JSON.parse((await succeed(['schema', 'study'])).stdout);
  expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(['base', 'set', 'factors', 'seeds', 'stop']));
});
