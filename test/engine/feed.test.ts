import { describe, expect, it } from 'vitest';
import type { StepEvent } from '../../src/core/events.ts';
import type { TaskInstance } from '../../src/core/plugins.ts';
import { createRng } from '../../src/core/rng.ts';
import { createFeed, nextSteps } from '../../src/engine/feed.ts';
import { createRecorder } from '../../src/engine/recorder.ts';
import { doTrial, liveExperiment } from '../support/live.ts';

describe('a feed', () => {
  const starts = (mode: TaskInstance['mode'], steps: number) => {
    const { run, task } = liveExperiment({ training: { streams: 3 } });
    const asked: number[] = [];
    const noting: TaskInstance = { ...task, mode, fill: (out, _rng, start) => asked.push(start * 1000 + out.steps) };
    const feed = createFeed(run, noting, createRng(1), null, 'train');
    const amounts = [feed.amount()];
    for (let trial = 0; trial < 2; trial++) {
      feed.fill(steps);
      run.clock.trial += 1;
      run.clock.step += steps;
      amounts.push(feed.amount());
    }
    return { asked, amounts };
  };

  it('asks for the trials in turn, stream after stream, and counts trials', () => {
    const { asked, amounts } = starts({ kind: 'trial', steps: 50 }, 50);
    expect(asked).toEqual([50, 1050, 2050, 3050, 4050, 5050]);
    expect(amounts).toEqual([0, 3, 6]);
  });

  it('asks for a stream from where its clock stands, and counts whole symbols', () => {
    const { asked, amounts } = starts({ kind: 'stream', stepsPerSymbol: 4 }, 10);
    expect(asked).toEqual([10, 10, 10, 10010, 10010, 10010]);
    expect(amounts).toEqual([0, 6, 15]);
  });

  it('keeps the constant input of the bias', () => {
    const { run } = liveExperiment();
    const { x } = run.network.trial;
    const bias = (values: ArrayLike<number>) => Array.from(values).filter((_, s) => s % 5 === 4);
    doTrial({ ...liveExperiment(), run });
    expect(bias(x.data)).toEqual(Array(100).fill(1));
    const plain = doTrial(liveExperiment({ network: { input: { bias: null } } })).network;
    expect(plain.spec.sizes.in).toBe(4);
    expect(plain.trial.x.data).toHaveLength(2 * 50 * 4);
  });

  it('mutes the steps outside a window in every stream', () => {
    const { run, task } = liveExperiment();
    const weightsWith = (window: { start: number; length: number } | null) => {
      createFeed(run, task, createRng(1), window, 'train').fill(50);
      return Array.from(run.network.trial.weight.data);
    };
    const all = weightsWith(null);
    const inside = (s: number) => s % 50 >= 10 && s % 50 < 15;
    expect(weightsWith({ start: 10, length: 5 })).toEqual(all.map((w, s) => (inside(s) ? w : 0)));
    expect(all.some((w, s) => w > 0 && !inside(s))).toBe(true);
  });

  it('cuts the last chunk of a stream short', () => {
    const { run, task } = liveExperiment({ task: { mode: 'stream' }, training: { chunkSteps: 40, total: 200 } });
    expect(nextSteps(run, task, 100)).toBe(40);
    run.clock.step = 80;
    expect(nextSteps(run, task, 100)).toBe(20);
    const trials = liveExperiment();
    expect(nextSteps(trials.run, trials.task, 7)).toBe(50);
  });
});

describe('a recorder', () => {
  it('copies chosen fields of chosen steps, neurons, trials and stream', () => {
    const experiment = liveExperiment({ training: { total: 8 } });
    const { run } = experiment;
    const recorder = createRecorder(run, {
      fields: ['z', 'x', 'population.rec.v', 'threshold', 'error', 'population.rec.signal.B'],
      neurons: [4, 1],
      stream: 1,
      fromTrial: 1,
      trials: 2,
      everySteps: 20,
    });
    expect(recorder.fields.map(({ width }) => width)).toEqual([2, 5, 2, 2, 3, 21]);
    const steps: StepEvent[] = [];
    const z: number[][] = [];
    for (const _ of experiment.trainTrials({
      recorder,
      listener(event) {
        if (event.type === 'step') steps.push(event);
      },
    })) {
      const rows = run.network.activity[0].z.data;
      for (const t of [0, 20, 40]) z.push([4, 1].map((j) => rows[(51 + 1 + t) * 7 + j]));
    }
    expect(steps.map(({ trial, t, stream }) => [trial, t, stream])).toEqual(
      [1, 2].flatMap((trial) => [0, 20, 40].map((t) => [trial, t, 1])),
    );
    expect(steps.map(({ values }) => Array.from(values.z))).toEqual(z.slice(3, 9));
    expect(Array.from(steps[0].values.threshold)).toEqual([0.6, 0.6]);
    expect(steps[0].values['population.rec.v']).not.toBeBitEqual(steps[1].values['population.rec.v']);
  });
});
