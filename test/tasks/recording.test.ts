import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { FileError } from '../../src/core/errors.ts';
import type { Split, TaskInstance } from '../../src/core/plugins.ts';
import { createRng } from '../../src/core/rng.ts';
import { encodeNpy } from '../../src/data/npy.ts';
import { createExperiment } from '../../src/experiment/experiment.ts';
import { loadTaskFiles } from '../../src/experiment/files.ts';
import { tasks } from '../../tasks/index.ts';
import { recording } from '../../tasks/recording.ts';
import { scratchFolder } from '../record/scratch.ts';

function file(name: string, content: string | Uint8Array): string {
  const path = join(scratchFolder(), name);
  writeFileSync(path, content);
  return path;
}

function taskOf(settings: object, dtMs = 1, seed = 1): TaskInstance {
  const params = recording.params.parse({ kind: 'recording', ...settings });
  return recording.derive(params, { dtMs, rng: createRng(seed).split('task') });
}

function trialOf(task: TaskInstance, n = 0, split: Split = 'train', seed = 1) {
  const steps = task.mode.kind === 'trial' ? task.mode.steps : 0;
  const array = (width: number) => new Float64Array(steps * width).fill(Number.NaN);
  const out = { x: array(task.nIn), target: array(task.nOut), expected: array(task.nOut), weight: array(1) };
  task.fill({ ...out, steps, xStride: task.nIn }, createRng(seed), n, split);
  /** [step, input, value] of all inputs that are not 0. */
  const spikes = Array.from(out.x, (value, s) => [Math.floor(s / task.nIn), s % task.nIn, value]).filter(
    ([, , v]) => v !== 0,
  );
  return { ...out, spikes };
}

const next = { target: { kind: 'next' }, split: { kind: 'none' } };
const lines = (...rows: string[]) => file('a.csv', `unit,time_ms\n${rows.join('\n')}\n`);
/** Analog values of one trial, [row][unit]. */
const analog = (rows: number[][]) =>
  file('a.npy', encodeNpy(Float64Array.from(rows.flat()), [rows.length, rows[0].length]));

describe('spikes of a list', () => {
  it('go into step floor(time / dt), a time a hair below a border into the step behind it', () => {
    const path = file('a.csv', 'unit,time_s\n0,0.00199\n1,0.002\n2,1.15\n0,0\n');
    expect(
      trialOf(taskOf({ file: path, ...next, timeUnit: 's', names: { times: 'time_s' }, durationMs: 2000 })).spikes,
    ).toEqual([
      [0, 0, 1],
      [1, 0, 1],
      [2, 1, 1],
      [1150, 2, 1],
    ]);
    expect(trialOf(taskOf({ file: path, ...next, names: { times: 'time_s' }, durationMs: 2000 }, 5)).spikes).toEqual([
      [0, 0, 1],
      [0, 1, 1],
      [230, 2, 1],
    ]);
  });

  it('of one input in one step are one, or their number', () => {
    const path = lines('0,1.2', '0,1.4', '1,1.9', '2,1.1');
    const of = (settings: object) => trialOf(taskOf({ file: path, ...next, durationMs: 4, ...settings })).spikes;
    expect(of({})).toEqual([
      [1, 0, 1],
      [1, 1, 1],
      [1, 2, 1],
    ]);
    expect(of({ perStep: 'count' })).toEqual([
      [1, 0, 2],
      [1, 1, 1],
      [1, 2, 1],
    ]);
    expect(of({ perStep: 'count', pool: 2 })).toEqual([
      [1, 0, 3],
      [1, 1, 1],
    ]);
    expect(of({ perStep: 'count', keep: [2, 0] })).toEqual([
      [1, 0, 1],
      [1, 1, 2],
    ]);
    expect(of({ perStep: 'count', keep: [2, 0], pool: 2 })).toEqual([[1, 0, 3]]);
  });

  it('are of units by place, offset, or order of identities', () => {
    const path = lines('30,1', '10,2', '31,3');
    const of = (settings: object) => taskOf({ file: path, ...next, durationMs: 5, ...settings });
    expect(of({}).nIn).toBe(32);
    expect(of({ units: 40 }).nIn).toBe(40);
    expect(trialOf(of({ unitIds: 'sorted' })).spikes).toEqual([
      [1, 1, 1],
      [2, 0, 1],
      [3, 2, 1],
    ]);
    expect(trialOf(of({ unitIds: { offset: 10 } })).spikes).toEqual([
      [1, 20, 1],
      [2, 0, 1],
      [3, 21, 1],
    ]);
    expect(() => trialOf(of({ units: 31 }))).toThrow(/a\.csv: trial 0, event 2: got unit 31, expected one of 31/);
  });

  it('outside of a trial are an error, or left out', () => {
    const settings = { file: lines('0,1', '0,5'), ...next, durationMs: 5 };
    expect(() => trialOf(taskOf(settings))).toThrow(
      /trial 0, event 1: at 5 ms, outside of the 5 ms of task\.durationMs/,
    );
    expect(trialOf(taskOf({ ...settings, longer: 'cut' })).spikes).toEqual([[1, 0, 1]]);
  });

  it('are moved in training, and never in the test', () => {
    const rows = Array.from({ length: 50 }, (_, n) => `${5 + (n % 10)},${100 + n}`);
    const settings = { file: lines(...rows), ...next, durationMs: 300, units: 20 };
    const still = trialOf(taskOf(settings)).spikes;
    const moved = (change: object, split: Split = 'train', n = 0) =>
      trialOf(taskOf({ ...settings, ...change }), n, split).spikes;
    const shift = moved({ shiftMs: 20, shiftUnits: 3 });
    const by = [shift[0][0] - still[0][0], shift[0][1] - still[0][1]];
    expect(shift).toEqual(still.map(([t, unit, z]) => [t + by[0], unit + by[1], z]));
    expect(Math.abs(by[0])).toBeLessThanOrEqual(20);
    const shifts = Array.from({ length: 200 }, (_, n) => moved({ shiftUnits: 3 }, 'train', n)[0][1] - 5);
    expect([...new Set(shifts)].sort((a, b) => a - b)).toEqual([-3, -2, -1, 0, 1, 2, 3]);
    const later = Array.from({ length: 200 }, (_, n) => moved({ shiftMs: 2 }, 'train', n)[0][0] - 100);
    expect([...new Set(later)].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
    const jitter = moved({ jitterMs: 4 });
    const change = jitter.map(([t]) => t).reduce((a, b) => a + b) / jitter.length - 124.5;
    expect(Math.abs(change)).toBeLessThan((4 * 4) / Math.sqrt(50));
    expect(jitter).not.toEqual(still);
    expect(moved({ shiftMs: 20, shiftUnits: 3, jitterMs: 4 }, 'test')).toEqual(still);
  });
});

describe('values', () => {
  it('are spikes, or numbers of them', () => {
    const path = analog([
      [0, 2],
      [1, 0],
    ]);
    expect(trialOf(taskOf({ file: path, ...next })).spikes).toEqual([
      [0, 1, 1],
      [1, 0, 1],
    ]);
    expect(trialOf(taskOf({ file: path, ...next, perStep: 'count', rowSteps: 3 })).spikes).toEqual([
      [0, 1, 2],
      [3, 0, 1],
    ]);
    const half = taskOf({
      file: analog([
        [0.5, 0],
        [0, 0],
      ]),
      ...next,
    });
    expect(() => trialOf(half)).toThrow(/trial 0, row 0, unit 0: got 0.5, expected a number of spikes; task\.coding/);
  });

  it('are currents', () => {
    const task = taskOf({
      file: analog([
        [0.5, -2],
        [0, 1],
      ]),
      ...next,
      rowSteps: 2,
      coding: { kind: 'current', gain: 2 },
    });
    expect(Array.from(trialOf(task).x)).toEqual([1, -4, 1, -4, 0, 2, 0, 2]);
  });

  it('are changes', () => {
    const coding = { kind: 'delta', threshold: 0.5 };
    const task = taskOf({
      file: analog([
        [1, 0.5],
        [0.4, 0.6],
        [0.3, 2],
      ]),
      ...next,
      rowSteps: 2,
      coding,
    });
    expect(task.inputPopulations).toEqual([
      { label: 'more', size: 2 },
      { label: 'less', size: 2 },
    ]);
    expect(trialOf(task).spikes).toEqual([
      [0, 0, 1],
      [2, 2, 1],
      [4, 1, 1],
    ]);
  });

  it('are times: the larger the earlier', () => {
    const coding = { kind: 'latency', low: 1, high: 3 };
    const task = taskOf({
      file: analog([
        [3, 2, 1],
        [4, 1.2, 0],
      ]),
      ...next,
      rowSteps: 5,
      coding,
    });
    expect(trialOf(task).spikes).toEqual([
      [0, 0, 1],
      [2, 1, 1],
      [5, 0, 1],
      [9, 1, 1],
    ]);
  });

  it('are rates', () => {
    const task = taskOf({
      file: analog([
        [10, 5, 0],
        [0, 0, 0],
      ]),
      ...next,
      rowSteps: 4000,
      coding: { kind: 'poisson', rate: 0.2, high: 10 },
    });
    const { spikes } = trialOf(task);
    const share = (input: number) => spikes.filter(([t, i]) => i === input && t < 4000).length / 4000;
    expect(share(0)).toBeCloseTo(0.2, 1);
    expect(Math.abs(share(1) - 0.1)).toBeLessThan(4 * Math.sqrt(0.09 / 4000));
    expect(spikes.filter(([t, i]) => i === 2 || t >= 4000)).toEqual([]);
  });

  it('of a trial that is shorter are followed by silence that is not scored', () => {
    const folder = scratchFolder();
    for (const [name, steps] of [
      ['0', 4],
      ['1', 2],
    ] as const) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, `${name}.npy`), encodeNpy(new Float64Array(2 * steps).fill(1), [steps, 2]));
    }
    const task = taskOf({ file: folder, split: { kind: 'trials', test: [1] } });
    expect(Array.from(trialOf(task, 0, 'test').weight)).toEqual([1, 1, 0, 0]);
    expect(trialOf(task, 0, 'test').spikes).toHaveLength(4);
    const late = { file: folder, split: { kind: 'trials', test: [1] }, target: { kind: 'label', fromMs: 3 } };
    expect(Array.from(trialOf(taskOf(late), 0, 'test').weight)).toEqual([0, 1, 0, 0]);
    const cut = { file: folder, split: { kind: 'trials', test: [0] }, durationMs: 3 };
    expect(() => trialOf(taskOf(cut), 0, 'test')).toThrow(/task\.durationMs: got 3, expected the 4 ms of trial 0/);
    expect(trialOf(taskOf({ ...cut, longer: 'cut' }), 0, 'test').spikes).toHaveLength(6);
  });
});

describe('targets', () => {
  const rows = Array.from({ length: 6 }, (_, trial) => `${trial},${trial},1`);
  const events = file.bind(null, 'a.csv', `trial,unit,time_ms\n${rows.join('\n')}\n`);
  const labels = file.bind(
    null,
    'l.csv',
    `trial,label\n${[0, 1, 2, 0, 1, 1].map((label, trial) => `${trial},${label}`).join('\n')}\n`,
  );

  it('are labels, in the steps of the answer, as one decision', () => {
    const split = { kind: 'trials', test: [2, 4, 5] };
    const task = taskOf({
      file: events(),
      labelFile: labels(),
      durationMs: 4,
      split,
      target: { kind: 'label', fromMs: 2 },
    });
    expect(task.mode).toEqual({ kind: 'trial', steps: 4, decisionSteps: 4 });
    const { target, weight, spikes } = trialOf(task, 1, 'test');
    expect(spikes).toEqual([[1, 4, 1]]);
    expect(Array.from(target)).toEqual([0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0]);
    expect(Array.from(weight)).toEqual([0, 0, 1, 1]);
    // Labels 2, 1, 1.
    expect(task.bounds[0].value).toBeCloseTo(Math.log(3) - (2 / 3) * Math.log(2), 12);
    expect(
      taskOf({ file: events(), labelFile: labels(), durationMs: 4, target: { kind: 'label', classes: 20 } }).nOut,
    ).toBe(20);
    expect(() => taskOf({ file: events(), durationMs: 4 })).toThrow(
      /holds no labels: name them \(task\.names\.labels\)/,
    );
  });

  it('are signals of the same file', () => {
    const x = encodeNpy(Float64Array.of(1, 0, 0, 1, 1, 1), [3, 2, 1]);
    const y = encodeNpy(Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), [3, 2, 2]);
    const archive = zipSync({ 'x.npy': x, 'goal.npy': y, 'short.npy': encodeNpy(new Float64Array(4), [2, 2]) });
    const named = { file: file('a.npz', archive), rowSteps: 2, split: { kind: 'trials', test: [1] } };
    const task = taskOf({ ...named, target: { kind: 'signal', name: 'goal' } });
    expect(Array.from(trialOf(task, 0, 'test').target)).toEqual([5, 6, 5, 6, 7, 8, 7, 8]);
    expect(() => taskOf({ ...named, target: { kind: 'signal', name: 'short' } })).toThrow(
      /short\.npy: has the shape \[2,2\], expected \[3\]\[2\]/,
    );
  });

  it('are the input itself, later', () => {
    const task = taskOf({
      file: lines('0,0', '1,2'),
      durationMs: 4,
      split: { kind: 'none' },
      target: { kind: 'next', steps: 2 },
    });
    const { target, weight } = trialOf(task);
    expect(Array.from(target)).toEqual([0, 1, 0, 0, 0, 0, 0, 0]);
    expect(Array.from(weight)).toEqual([1, 1, 0, 0]);
  });

  it('are of the trials of their split: every epoch all of them, in an order of its own', () => {
    const settings = { file: events(), labelFile: labels(), durationMs: 4, split: { kind: 'share', heldOut: 0.34 } };
    const shown = (split: Split, n: number) => trialOf(taskOf(settings), n, split).spikes[0][1];
    const [first, second] = [0, 4].map((from) => [0, 1, 2, 3].map((n) => shown('train', from + n)));
    const test = [0, 1].map((n) => shown('test', n));
    expect([...first, ...test].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...second].sort()).toEqual([...first].sort());
    expect(shown('test', 2)).toBe(test[0]);
    const orders = new Set(
      Array.from({ length: 10 }, (_, e) => [0, 1, 2, 3].map((n) => shown('train', 4 * e + n)).join()),
    );
    expect(orders.size).toBeGreaterThan(3);
  });

  it('of the test may lie in a file of their own', () => {
    const other = file('b.csv', 'trial,unit,time_ms\n0,9,1\n1,8,1\n');
    const otherLabels = file('m.csv', '1\n0\n');
    const task = taskOf({
      file: events(),
      labelFile: labels(),
      durationMs: 4,
      split: { kind: 'file', file: other, labelFile: otherLabels },
    });
    expect(task.nIn).toBe(10);
    expect(trialOf(task, 0, 'test').target.indexOf(1)).toBe(1);
    expect([0, 1].map((n) => trialOf(task, n, 'test').spikes[0][1])).toEqual([9, 8]);
    expect(new Set([0, 1, 2, 3, 4, 5].map((n) => trialOf(task, n).spikes[0][1])).size).toBe(6);
  });
});

describe('an experiment', () => {
  const experiment = (task: object) => ({
    task: { kind: 'recording', ...task },
    network: { neurons: 4, neuron: { kind: 'lif' } },
    rule: { name: 'e-prop-1' },
    loss: { kind: 'square' },
    optimizer: { kind: 'sgd', rates: { in: 0, rec: 0, out: 0 } },
    training: { total: 1 },
  });
  const catalogue = { ...models, tasks };

  it('keeps the hashes of its files, and refuses others', async () => {
    const path = lines('0,1', '1,2');
    const raw = experiment({ file: path, ...next, durationMs: 4 });
    await loadTaskFiles(raw, catalogue);
    const { config } = createExperiment(raw, catalogue);
    // printf 'unit,time_ms\n0,1\n1,2\n' | sha256sum
    expect(config.task).toMatchObject({ file: path, sha256: { file: expect.stringMatching(/^[0-9a-f]{64}$/) } });
    expect(createExperiment(config, catalogue).config).toEqual(config);
    writeFileSync(path, 'unit,time_ms\n0,1\n1,3\n');
    expect(() => createExperiment(config, catalogue)).toThrow(FileError);
    expect(() => createExperiment(config, catalogue)).toThrow(/is not the file that the experiment names: SHA-256/);
  });

  it('says that HDF5 has to be loaded first', async () => {
    const source = join(import.meta.dirname, '../golden/recordings/shd-standin.h5');
    const raw = experiment({ file: source, durationMs: 1100, units: 700 });
    expect(() => createExperiment(raw, catalogue)).toThrow(/HDF5 is not loaded: await loadTaskFiles/);
    await loadTaskFiles(raw, catalogue);
    expect(createExperiment(raw, catalogue).task.nOut).toBe(17);
  });
});
