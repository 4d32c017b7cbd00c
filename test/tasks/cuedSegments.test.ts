import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { applySettings, createExperiment, preset } from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';
import { tolerances } from '../support/tolerances.ts';

const catalogue = { ...models, tasks };

function filled(...settings: string[]) {
  const given = ['task.steps=20', 'backend=reference', 'training.total=8', ...settings];
  const { run, feed, task } = createExperiment(applySettings(preset('cued-segments'), given), catalogue);
  const { trial, spec } = run.network;
  return {
    trial(n: number) {
      run.clock.trial = n;
      feed.fill(spec.sizes.step);
      const x = Array.from({ length: spec.sizes.step }, (_, t) => Array.from(trial.x.data.subarray(4 * t, 4 * t + 4)));
      return { cues: x.map((row) => row.indexOf(1)), x, target: Float64Array.from(trial.target.data) };
    },
    task,
  };
}

describe('cued segments', () => {
  it('have one cue at a time, each its own curve, and another order in every trial', () => {
    const { trial } = filled();
    const trials = [0, 1, 2, 3].map(trial);
    const curves = new Map<number, Float64Array>();
    for (const { cues, x, target } of trials) {
      expect(x.every((row) => row.reduce((sum, value) => sum + value, 0) === 1)).toBe(true);
      const order = [0, 20, 40, 60].map((t) => cues[t]);
      expect([...order].sort()).toEqual([0, 1, 2, 3]);
      order.forEach((segment, s) => {
        expect(cues.slice(20 * s, 20 * s + 20)).toEqual(new Array(20).fill(segment));
        const curve = target.slice(40 * s, 40 * s + 40);
        expect(curve).toBeBitEqual(curves.get(segment) ?? curve);
        curves.set(segment, curve);
      });
    }
    expect(new Set(trials.map(({ cues }) => cues.join())).size).toBeGreaterThan(2);
    expect(trial(1)).toEqual(trials[1]);
    expect(
      filled('task.cue=-2')
        .trial(1)
        .x[0].reduce((sum, value) => sum + value, 0),
    ).toBe(-2);
    expect(new Set([...curves.values()].map((curve) => curve.join())).size).toBe(4);
  });

  it('are sums of harmonics whose amplitude falls as 1 / m, and go through zero mean', () => {
    const { target } = filled('task.harmonics=3', 'task.amplitude=2').trial(0);
    for (const k of [0, 1]) {
      const curve = Array.from({ length: 20 }, (_, t) => target[2 * t + k]);
      const amplitudes = [0, 1, 2, 3, 4].map((m) => {
        let [re, im] = [0, 0];
        curve.forEach((y, t) => {
          re += y * Math.cos((2 * Math.PI * m * t) / 20);
          im += y * Math.sin((2 * Math.PI * m * t) / 20);
        });
        return Math.hypot(re, im) / 10;
      });
      expect(amplitudes).toBeClose([0, 2, 1, 2 / 3, 0], tolerances.formula);
    }
  });

  it('come in a given order where one is given', () => {
    const { cues } = filled('task.order=[2,0,2]').trial(3);
    expect(cues).toEqual([2, 0, 2].flatMap((segment) => new Array(20).fill(segment)));
  });

  it.each(['', 'task.order=[2,0,2]'])('come in the same order in every round, %s', (order) => {
    const settings = order === '' ? [] : [order];
    const once = filled(...settings).trial(3);
    const { cues, target } = filled(...settings, 'task.rounds=3').trial(3);
    expect(cues).toEqual([...once.cues, ...once.cues, ...once.cues]);
    expect(target).toBeBitEqual([...once.target, ...once.target, ...once.target]);
  });
});
