import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { applySettings, createExperiment, preset } from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';
import { tolerances } from '../support/tolerances.ts';

const catalogue = { ...models, tasks };

function experiment(...settings: string[]) {
  return createExperiment(applySettings(preset('periodic-output'), settings), catalogue);
}

describe('periodic output', () => {
  it('is the sum of sines of the paper, over and over', () => {
    const { run, feed } = experiment('task.period=40', 'backend=reference');
    feed.fill(100);
    const { trial } = run.network;
    const target = trial.target.data;
    const want = Array.from({ length: 100 }, (_, t) => {
      const phase = (2 * Math.PI * t) / 40;
      return Math.sin(phase) + 0.5 * Math.sin(2 * phase) + 0.25 * Math.sin(4 * phase);
    });
    expect(target).toBeClose(want, tolerances.formula);
    expect(target.subarray(40, 80)).toBeClose(target.slice(0, 40), { relative: 1e-12 });
    expect(Array.from(trial.x.data)).toEqual([1, ...new Array(99).fill(0)]);
    expect(Array.from(trial.weight.data)).toEqual([0, ...new Array(99).fill(1)]);
  });

  it('starts at the rate of the paper and goes on by itself', () => {
    const { run, feed } = experiment('task.steps=30');
    feed.fill(30);
    run.stages.forward(0, 30);
    const n = run.network.spec.populations[0].size;
    const rates = run.network.activity[0].z.data.subarray(n);
    expect(Array.from(rates.subarray(0, n))).toEqual(new Array(n).fill(expect.closeTo(0.1, 3)));
    expect(rates.subarray(29 * n).some((rate) => Math.abs(rate) > 0.05)).toBe(true);
  });

  it('without a cue nothing ever happens', () => {
    const { run, feed } = experiment('task.cue=0', 'task.steps=30');
    feed.fill(30);
    run.stages.forward(0, 30);
    expect(run.network.activity[0].z.data.every((rate) => rate === 0)).toBe(true);
  });
});

describe('the preset', () => {
  it('is learned by rflo, and by a frozen network much less', { timeout: 30_000 }, () => {
    const lossAfter = (...settings: string[]) => {
      const trained = experiment('training.total=600', ...settings);
      trained.train();
      return trained.evaluate().lossPerStep;
    };
    const rflo = lossAfter();
    expect(rflo).toBeLessThan(0.03);
    expect(lossAfter('rule={"name":"readout-only"}')).toBeGreaterThan(2 * rflo);
  });
});
