import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { applySettings, createExperiment, preset } from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';

const catalogue = { ...models, tasks };

/** Trials of a preset: which groups of the input spike in step t, the target's side, and the weight. */
function trialsOf(name: string, count: number, ...settings: string[]) {
  const given = ['backend=reference', 'training.streams=1', 'task.rate=1', ...settings];
  const { run, feed, task } = createExperiment(applySettings(preset(name), given), catalogue);
  const { trial, spec } = run.network;
  const cells = task.nIn / 4;
  return Array.from({ length: count }, (_, n) => {
    run.clock.trial = n;
    feed.fill(spec.sizes.step);
    return Array.from({ length: spec.sizes.step }, (_, t) => {
      const groups = [0, 1, 2, 3].map((g) => {
        const row = trial.x.data.subarray((4 * t + g) * cells, (4 * t + g + 1) * cells);
        return Array.from(row).reduce((sum, x) => sum + x, 0) / cells;
      });
      const [left, right] = trial.target.data.subarray(2 * t, 2 * t + 2);
      expect(left + right).toBe(1);
      return { groups, right, weight: trial.weight.data[t] };
    });
  });
}

describe('store-recall', () => {
  const trials = trialsOf('store-recall', 200, 'task.symbolSteps=2', 'task.cellsPerGroup=3');

  it('asks for the value of the last store, in recalls alone, where no value is shown', () => {
    for (const steps of trials) {
      let stored = -1;
      steps.forEach(({ groups, right, weight }, t) => {
        const [zero, one, store, recall] = groups;
        expect(zero + one).toBe(1 - recall);
        expect(groups).toEqual(steps[t - (t % 2)].groups);
        if (store === 1) stored = one;
        if (t < 2) expect(store).toBe(1);
        expect(weight).toBe(recall);
        if (recall === 1) expect([store, right]).toEqual([0, stored]);
      });
    }
  });

  it('has commands and values as often as it says', () => {
    const symbols = trials.flatMap((steps) => steps.filter((_, t) => t >= 2 && t % 2 === 0));
    const share = (of: (groups: readonly number[]) => number) =>
      symbols.reduce((sum, { groups }) => sum + of(groups), 0) / symbols.length;
    for (const [got, probability] of [
      [share(([, , store]) => store), 0.2],
      [share(([, , , recall]) => recall), 0.2],
      [share(([, one]) => one) / 0.8, 0.5],
    ]) {
      expect(Math.abs(got - probability)).toBeLessThan(4 * Math.sqrt(0.25 / symbols.length));
    }
  });
});

describe('evidence accumulation', () => {
  const settings = ['task.cues=3', 'task.gapSteps=2', 'task.cueSteps=3', 'task.delaySteps=4', 'task.decisionSteps=5'];
  const trials = trialsOf('evidence', 100, ...settings, 'task.noise=0', 'task.cellsPerGroup=2');

  it('shows cues behind their gaps, then nothing, then the signal to decide, where the side with more cues is the target', () => {
    for (const steps of trials) {
      expect(steps).toHaveLength(3 * 5 + 4 + 5);
      const onTheRight = [2, 7, 12].map((t) => steps[t].groups[1]);
      const more = onTheRight.reduce((sum, side) => sum + side, 0) >= 2 ? 1 : 0;
      steps.forEach(({ groups, right, weight }, t) => {
        const inCue = t < 15 && t % 5 >= 2;
        const side = inCue ? onTheRight[Math.floor(t / 5)] : 0;
        expect(groups).toEqual(inCue ? [1 - side, side, 0, 0] : [0, 0, t >= 19 ? 1 : 0, 0]);
        expect([right, weight]).toEqual([more, t >= 19 ? 1 : 0]);
      });
    }
  });

  it('has trials of both sides, with noise that never stops', () => {
    const right = trials.filter(([{ right }]) => right === 1).length;
    expect(Math.abs(right - 50)).toBeLessThan(20);
    const [noisy] = trialsOf('evidence', 1, ...settings, 'task.noise=1');
    expect(noisy.every(({ groups }) => groups[3] === 1)).toBe(true);
  });
});
