import { describe, expect, it } from 'vitest';
import { DivergenceError } from '../../src/core/errors.ts';
import { addTrial, checkFinite, emptyTally, scoresOf } from '../../src/engine/scores.ts';
import { doTrial, type LiveOptions, liveExperiment } from '../support/live.ts';
import { tolerances } from '../support/tolerances.ts';

/** A trial of two streams and two steps whose outputs and targets are set by hand. */
function scored(options: LiveOptions, y: readonly number[], target: readonly number[], weight: readonly number[]) {
  const outputs = y.length / 4;
  const experiment = liveExperiment({ ...options, task: { steps: 2, outputs, ...options.task } });
  const { run } = experiment;
  const { trial, activity } = doTrial(experiment, { learn: false }).network;
  const z = activity[0].z.data;
  trial.y.data.set(y);
  trial.target.data.set(target);
  trial.expected.data.set(target.map((value) => value / 2));
  trial.weight.data.set(weight);
  z.fill(0);
  z.set([9, 9, 9, 9, 9, 9, 9, 1, 1, 1]);
  run.lossScale.set([2, 3]);
  const tally = emptyTally();
  addTrial(tally, run, 2);
  return scoresOf(tally, run.network, true);
}

describe('scores', () => {
  it('of a regression: scaled sum, mean over steps, no accuracy', () => {
    const y = [1, 2, 3, 4];
    const target = [0, 0, 0, 2];
    const scores = scored({}, y, target, [1, 0.5, 0, 1]);
    expect(scores.loss).toBeClose((2 * (0.5 + 0.5 * 2) + 3 * 2) / 2, tolerances.formula);
    expect(scores.lossPerStep).toBeClose((0.5 + 0.5 * 2 + 2) / 2.5, tolerances.formula);
    expect(scores.expectedLoss).toBeClose((0.5 + 0.5 * 2 + 4.5) / 2.5, tolerances.formula);
    expect(scores.accuracy).toBeNull();
  });

  it('the loss is a mean over streams or their sum, as the updates', () => {
    const both = ['mean', 'sum'].map((reduction) =>
      scored({ training: { update: { reduction } } }, [1, 2, 3, 4], [0, 0, 0, 2], [1, 1, 1, 1]),
    );
    expect(both[1].loss).toBeClose(2 * both[0].loss, tolerances.formula);
    expect(both[1].lossPerStep).toBe(both[0].lossPerStep);
  });

  it('of a classification: the largest output against the largest target, by weight', () => {
    const y = [0.1, 0.2, 0.3, 3, 2, 1, -1, -2, -3, 0, 5, 1];
    const target = [0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 1];
    const scores = scored({ loss: { kind: 'softmax' } }, y, target, [1, 0.5, 0, 1]);
    expect(scores.accuracy).toBeClose(1 / 2.5, tolerances.formula);
  });

  it('of a single output: the sign of its logit', () => {
    const accuracy = (y: readonly number[], target: readonly number[]) =>
      scored({ loss: { kind: 'bernoulli' } }, y, target, [1, 1, 1, 1]).accuracy;
    expect(accuracy([2, -2, 0.1, 0], [1, 0, 0, 0])).toBe(0.75);
    expect(accuracy([2, -2, 0.1, 3], [0, 1, 0, 1])).toBe(0.25);
  });

  it('of decisions of several steps: their summed outputs, against the target that they share', () => {
    const accuracyOf = (decisionSteps: number, weight: readonly number[]) => {
      const experiment = liveExperiment({ loss: { kind: 'softmax' }, task: { steps: 5, outputs: 2, decisionSteps } });
      const { run } = experiment;
      const { trial } = doTrial(experiment, { learn: false }).network;
      const y = [1, 0, 0, 3, 1, 0, 0, 2, 5, 0];
      trial.y.data.set([...y, ...y]);
      const target = [0, 1, 0, 1, 1, 0, 1, 0, 1, 0];
      trial.target.data.set([...target, ...target]);
      trial.weight.data.set([...weight, ...weight]);
      const tally = emptyTally();
      addTrial(tally, run, 5);
      return scoresOf(tally, run.network, false).accuracy;
    };
    // By step: wrong, right, right, wrong, right. Summed over two: [1 3] right, [1 2] wrong, and the rest [5 0] right.
    expect(accuracyOf(1, [1, 1, 1, 1, 1])).toBe(3 / 5);
    expect(accuracyOf(2, [1, 1, 1, 1, 1])).toBe(3 / 5);
    expect(accuracyOf(2, [1, 1, 1, 1, 0])).toBe(1 / 2);
    expect(accuracyOf(2, [0, 1, 1, 0, 1])).toBe(1);
    expect(accuracyOf(5, [1, 1, 0, 0, 0])).toBe(1);
    expect(accuracyOf(2, [0, 0, 0, 0, 0])).toBeNaN();
  });

  it('of the activity: per neuron and step of all streams, the steps before the trial left out', () => {
    const scores = scored({ network: { dtMs: 5 } }, [0, 0, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]);
    expect(scores.activity).toBeClose(3 / 28, tolerances.formula);
    expect(scores.rateHz).toBeClose((3 / 28) * 200, tolerances.formula);
  });

  it('are no numbers where nothing is scored, so that nobody plots a 0', () => {
    const scores = scored({}, [1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]);
    expect([scores.loss, scores.lossPerStep, scores.expectedLoss]).toEqual([0, Number.NaN, Number.NaN]);
  });

  it('state no expected loss where the task states none', () => {
    const experiment = liveExperiment();
    const tally = emptyTally();
    addTrial(tally, doTrial(experiment, { learn: false }), 50);
    expect(scoresOf(tally, experiment.run.network, false).expectedLoss).toBeNull();
  });
});

describe('a trial shorter than its arrays', () => {
  it('is scored in the rows of its own steps, in every stream', () => {
    const short = {
      task: { mode: 'stream' },
      training: { chunkSteps: 50, total: 200, state: 'reset', traces: 'restart' },
    };
    const exact = { ...short, training: { ...short.training, chunkSteps: 20 } };
    const scores = [short, exact].map((options) => {
      const run = doTrial(liveExperiment(options), { learn: false, steps: 20 });
      const tally = emptyTally();
      addTrial(tally, run, 20);
      return scoresOf(tally, run.network, true);
    });
    expect(scores[0]).toEqual(scores[1]);
  });
});

describe('the loss factor', () => {
  const factors = (scale: unknown, window: object | null) => {
    const run = doTrial(liveExperiment({ loss: { scale, window } }));
    const weight = Array.from(run.network.trial.weight.data);
    const scored = [0, 1].map((b) => weight.slice(50 * b, 50 * (b + 1)).reduce((sum, w) => sum + w, 0));
    return { factors: Array.from(run.lossScale), scored, weight };
  };

  it('is one over the scored steps of its own stream for a mean, 0 where there are none', () => {
    const { factors: got, scored, weight } = factors('mean', null);
    expect(scored[0]).not.toBe(scored[1]);
    expect(got).toBeClose(
      scored.map((n) => 1 / n),
      tolerances.formula,
    );
    const silent = weight.findIndex((w, t) => t < 50 && w === 0 && weight[50 + t] === 0);
    expect(silent).toBeGreaterThanOrEqual(0);
    expect(factors('mean', { start: silent, length: 1 }).factors).toEqual([0, 0]);
  });

  it('is 1 for a sum, and any number that is given', () => {
    expect(factors('sum', null).factors).toEqual([1, 1]);
    expect(factors(0.25, null).factors).toEqual([0.25, 0.25]);
  });
});

describe('a number that is not finite', () => {
  it.each([
    ['in', 'psi\\[2\\] became NaN at step'],
    ['rec', 'psi\\[2\\] became NaN at step'],
    ['out', 'y\\[2\\] became NaN at step'],
    ['out.bias', 'y\\[2\\] became NaN at step 50'],
  ] as const)('in %s stops the run and is named with field, index and step', (name, message) => {
    const experiment = liveExperiment();
    experiment.train({ until: 2 });
    experiment.run.network.weights[name][2] = Number.NaN;
    expect(() => experiment.train()).toThrow(DivergenceError);
    const again = liveExperiment();
    again.train({ until: 2 });
    again.run.network.weights[name][2] = Number.NaN;
    expect(() => again.train()).toThrow(new RegExp(message));
  });

  it.each([
    ['projection.rec.weights', Number.POSITIVE_INFINITY],
    ['population.rec.v', Number.NaN],
    ['population.rec.signal.B', Number.NEGATIVE_INFINITY],
  ])('is found in %s after the trial', (field, value) => {
    const experiment = liveExperiment();
    doTrial(experiment);
    expect(() => checkFinite(experiment.run, 50)).not.toThrow();
    experiment.run.network.state.field(field)[3] = value;
    expect(() => checkFinite(experiment.run, 50)).toThrow(`${field}[3] became ${value} at step 49`);
  });

  it.each([0, 1, 2, 3, 4, 5, 6])('is found at place %i of a row', (place) => {
    const experiment = liveExperiment();
    doTrial(experiment);
    experiment.run.network.activity[0].psi.data[(50 + 3) * 7 + place] = Number.POSITIVE_INFINITY;
    expect(() => checkFinite(experiment.run, 50)).toThrow(`psi[${place}] became Infinity at step 3`);
  });

  it('names the step since the beginning of the run, in the stream where it is', () => {
    const experiment = liveExperiment();
    doTrial(experiment);
    doTrial(experiment);
    experiment.run.network.trial.y.data[(50 + 17) * 3 + 1] = Number.NaN;
    experiment.run.network.activity[0].psi.data[(50 + 18) * 7] = Number.NaN;
    expect(() => checkFinite(experiment.run, 50)).toThrow('y[1] became NaN at step 67');
  });
});
