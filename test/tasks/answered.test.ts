import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { createRng } from '../../src/core/rng.ts';
import { createExperiment } from '../../src/index.ts';
import { copyRepeat } from '../../tasks/copyRepeat.ts';
import { tasks } from '../../tasks/index.ts';

interface Trial {
  /** Share of each group's cells that spike. [step][group] */
  readonly groups: readonly (readonly number[])[];
  /** [step][out] */
  readonly target: readonly (readonly number[])[];
  readonly weight: readonly number[];
}

/** Trials of a task whose cells spike in every step that they are on, and are silent in all others. */
function trialsOf(task: { readonly kind: string; readonly [name: string]: unknown }, count: number, rate = 1) {
  const {
    run,
    feed,
    task: instance,
  } = createExperiment(
    {
      task: { cellsPerGroup: 2, noise: 0, rate, ...task },
      network: { neurons: 2, neuron: { kind: 'lif' } },
      rule: { name: 'readout-only' },
      loss: { kind: 'square' },
      optimizer: { kind: 'sgd', rates: { in: 0, rec: 0, out: 0 } },
      training: { total: count },
      backend: 'reference',
    },
    { ...models, tasks },
  );
  const { trial, spec } = run.network;
  const { nIn, nOut, bounds } = instance;
  const rowOf = (data: ArrayLike<number>, t: number, n: number) => Array.from({ length: n }, (_, s) => data[t * n + s]);
  const trials = Array.from({ length: count }, (_, n): Trial => {
    run.clock.trial = n;
    feed.fill(spec.sizes.step);
    const steps = Array.from({ length: spec.sizes.step }, (_, t) => t);
    const spikes = steps.map((t) => rowOf(trial.x.data, t, nIn));
    return {
      groups: spikes.map((row) => Array.from({ length: nIn / 2 }, (_, g) => (row[2 * g] + row[2 * g + 1]) / 2)),
      target: steps.map((t) => rowOf(trial.target.data, t, nOut)),
      weight: steps.map((t) => trial.weight.data[t]),
    };
  });
  return { trials, boundOf: (label: string) => bounds.find((bound) => bound.label === label)?.value ?? Number.NaN };
}

/** Steps at which a group begins to spike, and how long it goes on. */
function pulsesOf({ groups }: Trial, group: number): [begin: number, length: number][] {
  const pulses: [number, number][] = [];
  groups.forEach((row, t) => {
    if (row[group] === 0) return;
    if (t > 0 && groups[t - 1][group] === 1) pulses[pulses.length - 1][1] += 1;
    else pulses.push([t, 1]);
  });
  return pulses;
}

const stepsOf = (weight: readonly number[]) => weight.flatMap((w, t) => (w === 1 ? [t] : []));
const range = (from: number, end: number) => Array.from({ length: end - from }, (_, k) => from + k);

/** As often as it should be, within four standard errors. */
function expectShare(hits: readonly boolean[], probability: number) {
  const share = hits.filter((hit) => hit).length / hits.length;
  expect(Math.abs(share - probability)).toBeLessThan(4 * Math.sqrt((probability * (1 - probability)) / hits.length));
}

describe('parity', () => {
  const settings = { kind: 'parity', pulses: 3, pulseSteps: 2, delaySteps: 4, goSteps: 3 };
  const { trials, boundOf } = trialsOf(settings, 200);

  it('shows pulses at their places, then the go signal, in which the target is their parity', () => {
    for (const trial of trials) {
      const shown = [0, 1].map((kind) => pulsesOf(trial, kind));
      const all = shown.flat().sort(([a], [b]) => a - b);
      expect(all).toEqual([0, 6, 12].map((begin) => [begin, 2]));
      expect(pulsesOf(trial, 2)).toEqual([[18, 3]]);
      expect(stepsOf(trial.weight)).toEqual([18, 19, 20]);
      const odd = shown[1].length % 2;
      for (const t of [18, 19, 20]) expect(trial.target[t]).toEqual([1 - odd, odd]);
    }
  });

  it('has pulses of both kinds that do not know of one another', () => {
    const kinds = trials.map((trial) => [0, 6, 12].map((t) => trial.groups[t][1]));
    for (const at of [0, 1, 2]) {
      expectShare(
        kinds.map((row) => row[at] === 1),
        0.5,
      );
    }
    expectShare(
      kinds.map(([a, b]) => a === b),
      0.5,
    );
  });

  it('states what an ideal predictor reaches that has seen the spikes', () => {
    expect(boundOf('all pulses but one')).toBe(Math.LN2);
    expect(boundOf('every pulse')).toBe(0);
    const faint = trialsOf(settings, 3000, 0.3);
    const lost = faint.trials.map(({ groups }) =>
      [0, 6, 12].some((from) => range(from, from + 2).every((t) => groups[t][0] + groups[t][1] === 0)),
    );
    expectShare(lost, faint.boundOf('every pulse') / Math.LN2);
  });
});

describe('match-to-sample', () => {
  const settings = { kind: 'match-to-sample', stimuli: 3, same: 0.4, sampleSteps: 3, delaySteps: 5, testSteps: 2 };
  const { trials, boundOf } = trialsOf({ ...settings, goSteps: 4 }, 600);
  const seen = trials.map((trial) => {
    const at = (t: number) => [0, 1, 2].filter((stimulus) => trial.groups[t][stimulus] === 1);
    return { sample: at(0), test: at(8), trial };
  });

  it('shows one sample, one test and the go signal, in which the target is whether they are the same', () => {
    for (const { sample, test, trial } of seen) {
      expect([sample.length, test.length]).toEqual([1, 1]);
      trial.groups.forEach((row, t) => {
        const shown = t < 3 ? sample : t >= 8 && t < 10 ? test : [];
        expect(row).toEqual([...[0, 1, 2].map((s) => (shown.includes(s) ? 1 : 0)), t >= 10 ? 1 : 0, 0]);
      });
      const same = sample[0] === test[0] ? 1 : 0;
      expect(stepsOf(trial.weight)).toEqual([10, 11, 12, 13]);
      for (const t of [10, 11, 12, 13]) expect(trial.target[t]).toEqual([1 - same, same]);
    }
  });

  it('is the same as often as it says, whatever the test is, and else any other', () => {
    for (const stimulus of [0, 1, 2]) {
      const with_ = seen.filter(({ test }) => test[0] === stimulus);
      expectShare(
        with_.map(({ sample }) => sample[0] === stimulus),
        0.4,
      );
      expectShare(
        with_.map(({ sample }) => sample[0] === (stimulus + 1) % 3),
        0.3,
      );
    }
  });

  it('states what an ideal predictor reaches', () => {
    const guess = -0.4 * Math.log(0.4) - 0.6 * Math.log(0.6);
    expect(boundOf('the test alone')).toBeCloseTo(guess, 12);
    expect(boundOf('sample and test')).toBe(0);
    const faint = trialsOf({ ...settings, goSteps: 1 }, 3000, 0.3);
    const lost = faint.trials.map(({ groups }) =>
      [range(0, 3), range(8, 10)].some((steps) => steps.every((t) => groups[t].every((share) => share === 0))),
    );
    expectShare(lost, faint.boundOf('sample and test') / guess);
  });
});

describe('interval-matching', () => {
  const settings = { kind: 'interval-matching', intervals: [6, 14], onsetSteps: 5, pulseSteps: 3, bumpSteps: 2 };

  it.each([0, 7])(
    'answers as long after the go signal as the pulses were apart, with a wait of %i steps',
    (waitSteps) => {
      const { trials } = trialsOf({ ...settings, waitSteps }, 200);
      const found = trials.map((trial) => {
        const [[first], [second]] = pulsesOf(trial, 0);
        expect(pulsesOf(trial, 0).map(([, length]) => length)).toEqual([3, 3]);
        expect(pulsesOf(trial, 1)).toEqual([[second + waitSteps, 3]]);
        const [go, length] = [second + waitSteps, second - first];
        trial.target.forEach(([y], t) => {
          expect(y).toBeCloseTo(t < go ? 0 : Math.exp(-((t - go - length) ** 2) / 8), 12);
        });
        expect(trial.weight.every((w) => w === 1)).toBe(true);
        expect(trial.target.length - 1 - (go + length)).toBeGreaterThanOrEqual(6);
        return { first, length };
      });
      expect([...new Set(found.map(({ first }) => first))].sort((a, b) => a - b)).toEqual(range(0, 6));
      expect([...new Set(found.map(({ length }) => length))].sort((a, b) => a - b)).toEqual(range(6, 15));
    },
  );

  it('states the loss of the best answer that knows the go signal alone', () => {
    const { trials, boundOf } = trialsOf({ ...settings, waitSteps: 4 }, 4000);
    const sinceGo = trials.map((trial) => {
      const [[go]] = pulsesOf(trial, 1);
      return trial.target.slice(go).map(([y]) => y);
    });
    const steps = trials[0].target.length;
    let sum = 0;
    for (let d = 0; d < steps; d++) {
      const there = sinceGo.filter((row) => d < row.length).map((row) => row[d]);
      const mean = there.reduce((total, y) => total + y, 0) / Math.max(1, there.length);
      for (const y of there) sum += (y - mean) ** 2;
    }
    const measured = sum / (2 * steps * trials.length);
    expect(Math.abs(measured / boundOf('go signal alone') - 1)).toBeLessThan(0.01);
  });
});

describe('copy-repeat', () => {
  const settings = { kind: 'copy-repeat', symbols: 3, length: [1, 4], repeats: [2, 3], symbolSteps: 2 };

  /** Slots of a trial: the groups that are on, and the answer that is scored, -1 for none. */
  function slotsOf({ groups, target, weight }: Trial) {
    return range(0, groups.length / 2).map((slot) => {
      const [t, next] = [2 * slot, 2 * slot + 1];
      expect([groups[next], target[next], weight[next]]).toEqual([groups[t], target[t], weight[t]]);
      return {
        on: range(0, groups[t].length).filter((g) => groups[t][g] === 1),
        answer: weight[t] ? target[t].indexOf(1) : -1,
      };
    });
  }
  /** Sequence and repetitions of a trial, which has to be as it should be. */
  function read(trial: Trial) {
    const slots = slotsOf(trial);
    const L = slots.findIndex(({ on }) => on.some((g) => g === 3 || g === 4));
    const repeats = slots[L].on[0] === 3 ? 2 : 3;
    const sequence = slots.slice(0, L).map(({ on }) => on[0]);
    slots.forEach(({ on, answer }, slot) => {
      const place = slot - L - 1;
      const asked = place >= 0 && place < repeats * L;
      expect(answer).toBe(asked ? sequence[place % L] : -1);
      if (place >= 0) expect(on).toEqual(asked ? [place % L === 0 ? 5 : 6] : []);
    });
    return { L, repeats, sequence };
  }

  it('shows a sequence and a command, and asks for the sequence so often', () => {
    const found = trialsOf(settings, 400).trials.map(read);
    for (const L of [1, 2, 3, 4]) {
      expectShare(
        found.map((one) => one.L === L),
        0.25,
      );
    }
    expectShare(
      found.map(({ repeats }) => repeats === 2),
      0.5,
    );
    expectShare(
      found.flatMap(({ sequence }) => sequence.map((symbol) => symbol === 1)),
      1 / 3,
    );
  });

  it('lengthens its sequences with the number of the trial', () => {
    const lengths = trialsOf({ ...settings, lengthenEvery: 50 }, 400).trials.map((trial) => read(trial).L);
    for (const stage of [0, 1, 2, 3]) {
      const own = lengths.slice(50 * stage, stage === 3 ? 400 : 50 * (stage + 1));
      expect([...new Set(own)].sort((a, b) => a - b)).toEqual(range(1, stage + 2));
    }
  });

  it('is tested with sequences of all lengths, whatever the number of the trial', () => {
    const params = copyRepeat.params.parse({ ...settings, lengthenEvery: 50 });
    const task = copyRepeat.derive(params, { dtMs: 1, rng: createRng(1) });
    const steps = task.mode.kind === 'trial' ? task.mode.steps : 0;
    const out = { x: new Float64Array(steps * task.nIn), target: new Float64Array(3 * steps) };
    const scored = range(0, 40).map((n) => {
      const weight = new Float64Array(steps);
      task.fill({ ...out, expected: out.target, weight, steps, xStride: task.nIn }, createRng(1), n, 'test');
      return weight.reduce((sum, w) => sum + w, 0);
    });
    expect(Math.max(...scored)).toBe(3 * 4 * 2);
  });

  it('states what an ideal predictor reaches', () => {
    const { trials, boundOf } = trialsOf(settings, 2000, 0.3);
    expect(boundOf('no symbol')).toBeCloseTo(Math.log(3), 12);
    expect(boundOf('every symbol')).toBeCloseTo(Math.log(3) * 0.7 ** 4, 12);
    const lost = trials.map(({ groups }) => [0, 1].every((t) => [0, 1, 2].every((g) => groups[t][g] === 0)));
    expectShare(lost, boundOf('every symbol') / Math.log(3));
  });
});
