import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeNpy, readBytes, readMetrics } from '../../src/record/index.ts';
import {
  differing,
  emptyFolder,
  jsonLines,
  rates,
  root,
  set,
  spiketrace,
  streaming,
  succeed,
  trials,
  weightFiles,
} from './cli.ts';

const npy = (path: string) => decodeNpy(readBytes(path), path);
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

describe('the run folder', () => {
  it('holds config, metrics, checkpoint, weights, summary and figures', async () => {
    const folder = emptyFolder();
    const { stdout, stderr } = await succeed(['train', ...streaming, '--out', 'run'], folder);
    const run = join(folder, 'run');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/e-prop-1 +1 +3200 +0\.\d{4} /);
    expect(readdirSync(run).sort()).toEqual([
      'checkpoint.bin',
      'config.json',
      'figures',
      'metrics.csv',
      'metrics.jsonl',
      'summary.json',
      'weights',
    ]);

    const figures = readdirSync(join(run, 'figures')).sort();
    expect(figures).toEqual([
      'learning-curve.png',
      'raster.png',
      'stacked-after.png',
      'stacked-before.png',
      'weights.png',
    ]);
    for (const name of figures) {
      const png = readFileSync(join(run, 'figures', name));
      expect(png.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
      expect(png.readUInt32BE(16)).toBeGreaterThan(600);
      expect(stdout).toContain(join('run', 'figures', name));
    }

    const shapes = weightFiles.map((name) => npy(join(run, name)).shape);
    expect(shapes).toEqual([[3, 20], [20, 20], [20, 2], [2]]);

    const rows = readMetrics(join(run, 'metrics.csv'));
    expect(rows).toEqual(readMetrics(join(run, 'metrics.jsonl')));
    const trained = rows.filter((row) => row.type === 'trial');
    expect(trained.map((row) => row.amount)).toEqual(Array.from({ length: 20 }, (_, n) => 160 * (n + 1)));
    expect(trained.at(-1)).toMatchObject({ trial: 20, step: 400, updates: 400, rateScale: 0 });
    expect(rows.at(-1)).toMatchObject({ type: 'evaluation', amount: 3200, symbols: 320 });

    const summary = json(join(run, 'summary.json'));
    expect(summary).toMatchObject({ folder: 'run', rule: 'e-prop-1', seed: 1, amount: 3200, complete: true });
    expect(summary.evaluation).toEqual(rows.at(-1));
  });

  it('holds a configuration that trains to the same bits', async () => {
    const folder = emptyFolder();
    await succeed(['train', ...trials, '--no-figures', '--seed', '7', '--out', 'a'], folder);
    await succeed(['train', 'a/config.json', '--no-figures', '--out', 'b'], folder);
    expect(json(join(folder, 'a/config.json')).seed).toBe(7);
    expect(differing(join(folder, 'a'), join(folder, 'b'))).toEqual([]);
  });

  it('is runs/NAME by default, and --json says the same as the summary', async () => {
    const { folder, stdout } = await succeed(['train', ...trials, '--no-figures', '--json']);
    const [result, ...more] = jsonLines<{ folder: string }>(stdout);
    expect(more).toEqual([]);
    expect(result.folder).toBe(join('runs', 'pattern-generation'));
    expect(result).toEqual(json(join(folder, result.folder, 'summary.json')));
  });
});

describe('the same seed', () => {
  const onReference = [...streaming, '--backend', 'reference'];
  for (const [name, args] of Object.entries({ streaming, trials, rates, onReference })) {
    it(`gives the same bytes, another seed others: ${name}`, async () => {
      const folder = emptyFolder();
      const train = (seed: number, out: string) =>
        succeed(['train', ...args, '--no-figures', '--seed', String(seed), '--out', out], folder);
      await Promise.all([train(3, 'a'), train(3, 'b'), train(4, 'c')]);
      const [a, b, c] = ['a', 'b', 'c'].map((out) => join(folder, out));
      expect(differing(a, b)).toEqual([]);
      const matrices = weightFiles.slice(0, 3);
      expect(differing(a, c, [...matrices, 'checkpoint.bin', 'metrics.csv'])).toHaveLength(5);
    });
  }

  it('gives the same bytes on one thread and on two', async () => {
    const folder = emptyFolder();
    const train = (threads: string) =>
      succeed(
        ['train', ...streaming, '--no-figures', '--seeds', '3', '--threads', threads, '--out', `on-${threads}`],
        folder,
      );
    await train('1');
    await train('2');
    for (const seed of [1, 2, 3]) {
      const run = join('e-prop-1', `seed-${seed}`);
      expect(differing(join(folder, 'on-1', run), join(folder, 'on-2', run))).toEqual([]);
    }
    expect(differing(join(folder, 'on-1/e-prop-1/seed-1'), join(folder, 'on-1/e-prop-1/seed-2'))).not.toEqual([]);
  });
});

/** Examples of data that users bring, and what stands for them here: 8 trials of few spikes; utterances of 9 speakers, made up. */
const standIns: Readonly<Record<string, (folder: string) => readonly string[]>> = {
  'shd.json': () =>
    set({
      'task.file': join(root, 'test/golden/recordings/shd-standin.h5'),
      'task.pool': 1,
      'network.projections.in.init.gain': 20,
    }),
  'vowels.json': (folder) => {
    const channel = (n: number, c: number) => Array.from({ length: 7 + n }, (_, t) => Math.sin(n + c + t)).join(',');
    const utterance = (n: number) => `${Array.from({ length: 12 }, (_, c) => channel(n, c)).join(':')}:${n + 1}`;
    const text = ['@dimensions 12', '@data', ...Array.from({ length: 9 }, (_, n) => utterance(n)), ''].join('\n');
    for (const part of ['TRAIN', 'TEST']) writeFileSync(join(folder, `JapaneseVowels_${part}.ts`), text);
    execFileSync(process.execPath, [join(root, 'scripts/japanese-vowels.mjs'), folder]);
    return set({
      'task.file': join(folder, 'vowels-train.npz'),
      'task.split': { kind: 'file', file: join(folder, 'vowels-test.npz') },
    });
  },
};

describe('examples/', () => {
  // A study names an experiment; docs/studies.md carries it out.
  const files = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.json') && name !== 'study.json');
  it.each(files)('%s trains', async (name) => {
    const folder = emptyFolder();
    const { training, evaluation } = json(join(root, 'examples', name));
    // Whole batches.
    const part = ({ total, streams = 1 }: { total: number; streams?: number }) =>
      streams * Math.ceil(total / 250 / streams);
    const few = set({ 'training.total': Math.max(2, part(training)), 'evaluation.total': part(evaluation) });
    await succeed(
      [
        'train',
        join(root, 'examples', name),
        ...few,
        ...(standIns[name]?.(folder) ?? []),
        '--no-figures',
        '--out',
        'run',
      ],
      folder,
    );
    const [first] = readMetrics(join(folder, 'run/metrics.csv'));
    expect(first.rateHz).toBeGreaterThan(1);
    expect(first.rateHz).toBeLessThan(100);
    expect(json(join(folder, 'run/config.json')).$schema).toBeUndefined();
  });
});

describe('weights from files', () => {
  it('are where the training starts', async () => {
    const folder = emptyFolder();
    await succeed(['train', ...streaming, '--no-figures', '--out', 'a'], folder);
    const frozen = ['--set', 'optimizer.rates={"in":0,"rec":0,"out":0}', '--seed', '5'];
    await succeed(['train', ...streaming, ...frozen, '--no-figures', '--weights', 'a/weights', '--out', 'b'], folder);
    expect(differing(join(folder, 'a'), join(folder, 'b'), weightFiles)).toEqual([]);
    // As they were called before networks were graphs.
    const former = { in: 'wIn', rec: 'wRec', out: 'wOut', 'out.bias': 'bOut' };
    for (const [name, file] of Object.entries(former))
      renameSync(join(folder, `b/weights/${name}.npy`), join(folder, `b/weights/${file}.npy`));
    await succeed(['train', ...streaming, ...frozen, '--no-figures', '--weights', 'b/weights', '--out', 'c'], folder);
    expect(differing(join(folder, 'a'), join(folder, 'c'), weightFiles)).toEqual([]);
  });
});

describe('a recording', () => {
  const recorded = ['--record', 'z,population.rec.v,y', '--record-neurons', '0,3,5-7', '--record-trials', '1:3'];

  for (const [name, args, steps] of [
    ['streaming', streaming, 20],
    ['trials', trials, 60],
    ['trials on the reference backend', [...trials, '--backend', 'reference'], 60],
  ] as const) {
    it(`does not change a bit of the run: ${name}`, async () => {
      const folder = emptyFolder();
      await Promise.all([
        succeed(['train', ...args, '--no-figures', '--out', 'plain'], folder),
        succeed(['train', ...args, '--no-figures', '--out', 'watched', ...recorded, '--record-csv'], folder),
      ]);
      expect(differing(join(folder, 'plain'), join(folder, 'watched'))).toEqual([]);

      const at = (file: string) => join(folder, 'watched/recording', file);
      const z = npy(at('z.npy'));
      expect(z.shape).toEqual([2 * steps, 5]);
      expect(npy(at('population.rec.v.npy')).shape).toEqual([2 * steps, 5]);
      expect(npy(at('y.npy')).shape).toEqual([2 * steps, name === 'streaming' ? 2 : 1]);
      expect(new Set(z.data)).toEqual(new Set([0, 1]));

      const lines = readFileSync(at('z.csv'), 'utf8').trimEnd().split('\n');
      expect(lines[0]).toBe('trial,t,stream,time_ms,z_0,z_1,z_2,z_3,z_4');
      expect(lines).toHaveLength(1 + 2 * steps);
      const cells = lines.slice(1).map((line) => line.split(',').map(Number));
      expect(cells.flatMap((row) => row.slice(4))).toEqual(Array.from(z.data));
      expect(cells.map(([trial]) => trial)).toEqual(Array.from({ length: 2 * steps }, (_, n) => (n < steps ? 1 : 2)));
    });
  }

  it('takes every n-th step of any stream, and indices of neurons leave inputs alone', async () => {
    const folder = emptyFolder();
    const plan = ['--record', 'x,threshold', '--record-neurons', '2', '--record-every', '7', '--record-stream', '3'];
    await succeed(['train', ...streaming, '--no-figures', '--out', 'run', ...plan], folder);
    const at = (file: string) => join(folder, 'run/recording', file);
    expect(npy(at('x.npy')).shape).toEqual([3, 3]);
    expect(npy(at('threshold.npy'))).toMatchObject({ shape: [3, 1], data: new Float64Array([1, 1, 1]) });
    expect(readFileSync(at('index.csv'), 'utf8')).toBe('trial,t,stream,time_ms\n0,0,3,0\n0,7,3,35\n0,14,3,70\n');
  });
});

it('shows no progress line where standard error is no terminal', async () => {
  const { stderr } = await spiketrace(['train', ...streaming, '--no-figures']);
  expect(stderr).toBe('');
});
