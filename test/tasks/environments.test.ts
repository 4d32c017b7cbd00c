import { describe, expect, it } from 'vitest';
import type { Environment, Split, TaskInstance } from '../../src/core/plugins.ts';
import { createRng } from '../../src/core/rng.ts';
import { cartPole, cueReward, delayedChoice, memorySaccade } from '../../tasks/index.ts';

type Answering = typeof cueReward | typeof cartPole | typeof delayedChoice | typeof memorySaccade;

function taskOf(model: Answering, settings: object): TaskInstance {
  const params = model.params.parse({ kind: model.kind, ...settings });
  return model.derive(params as never, { dtMs: 1, rng: createRng(1) });
}

/** Rows of the input, and what an episode pays for these actions. */
function episode(
  task: TaskInstance,
  trial: number,
  act: (t: number, state: Float64Array) => number,
  split: Split = 'train',
) {
  const world = task.environment as Environment;
  const steps = task.mode.kind === 'trial' ? task.mode.steps : 0;
  const { nIn, nOut } = task;
  const x = new Float64Array(steps * nIn);
  const rest = {
    target: new Float64Array(steps * nOut),
    expected: new Float64Array(steps * nOut),
    weight: new Float64Array(steps),
  };
  const rng = createRng(7).split(0);
  task.fill({ x, ...rest, steps, xStride: nIn }, rng, trial, split);
  const state = new Float64Array(world.state);
  world.begin(state, rng, trial, split);
  const first = Array.from(state);
  const rewards: number[] = [];
  for (let t = 0; t < steps && !world.ended(state); t++) {
    const action = world.acts(t) ? act(t, state) : -1;
    rewards.push(world.step(state, action, t, t + 1 < steps ? x : null, (t + 1) * nIn));
  }
  return { x, rewards, first, state };
}

describe('evidence for a reward', () => {
  const task = taskOf(cueReward, {});
  const cuesSeen = (x: Float64Array) =>
    [0, 1, 2, 3, 4].map((cue) => {
      const spikes = (group: number) => {
        let sum = 0;
        for (let t = 15 * cue; t < 15 * cue + 10; t++) for (let i = 0; i < 5; i++) sum += x[t * 20 + 5 * group + i];
        return sum;
      };
      expect(Math.min(spikes(0), spikes(1))).toBe(0);
      return spikes(1) > 0 ? 1 : 0;
    });

  it('pays 1 for the side with more cues and -1 for the other, in the last step alone', () => {
    for (let trial = 0; trial < 40; trial++) {
      const { x, rewards } = episode(task, trial, () => 1);
      const right = cuesSeen(x).reduce<number>((sum, side) => sum + side, 0) > 2;
      expect(rewards.slice(0, -1).every((reward) => reward === 0)).toBe(true);
      expect(rewards).toHaveLength(145);
      expect(rewards[144]).toBe(right ? 1 : -1);
      expect(episode(task, trial, () => 0).rewards[144]).toBe(right ? -1 : 1);
    }
  });

  it('shows both sides as often, and in each trial one of them more', () => {
    const counts = Array.from({ length: 200 }, (_, trial) =>
      cuesSeen(episode(task, trial, () => 0).x).reduce<number>((sum, side) => sum + side, 0),
    );
    const right = counts.filter((count) => count > 2).length / 200;
    expect(Math.abs(right - 0.5)).toBeLessThan(0.12);
    const extreme = counts.filter((count) => count === 0 || count === 5).length / 200;
    // 0.3^5 + 0.7^5, where cues that do not depend on the trial would have 2 0.5^5.
    expect(extreme).toBeGreaterThan(0.1);
    expect(extreme).toBeLessThan(0.26);
  });

  it('has silence between the cues and the decision but for the noise', () => {
    const { x } = episode(task, 3, () => 0);
    for (let t = 75; t < 145; t++) {
      for (let i = 0; i < 10; i++) expect(x[t * 20 + i]).toBe(0);
      if (t < 135) for (let i = 10; i < 15; i++) expect(x[t * 20 + i]).toBe(0);
    }
    let decision = 0;
    for (let t = 135; t < 145; t++) for (let i = 10; i < 15; i++) decision += x[t * 20 + i];
    expect(decision).toBeGreaterThan(8);
  });
});

describe('cart and pole', () => {
  const task = taskOf(cartPole, { stepsPerMove: 1 });
  const world = task.environment as Environment;

  it("moves as everyone else's does", () => {
    const state = Float64Array.from([0, 0, 0, 0, 0]);
    world.step(state, 1, 0, null, 0);
    // Force 10 N on 1.1 kg with a pole of 0.1 kg and 0.5 m half length, one Euler step of 20 ms from rest.
    expect(Array.from(state.subarray(0, 4))).toBeClose([0, 0.195121951, 0, -0.292682927], {
      relative: 1e-6,
      absolute: 1e-8,
    });
    world.step(state, 0, 0, null, 0);
    expect(Array.from(state.subarray(0, 4))).toBeClose([0.003902439, 0, -0.005853659, 0], {
      relative: 1e-6,
      absolute: 1e-8,
    });
  });

  it('ends where the cart has left or the pole has fallen, and pays 1 a move until then', () => {
    const { rewards, state } = episode(task, 0, () => 1);
    expect(rewards.length).toBeGreaterThan(5);
    expect(rewards.length).toBeLessThan(20);
    expect(rewards.every((reward) => reward === 1)).toBe(true);
    expect(Math.abs(state[2])).toBeGreaterThan((12 * Math.PI) / 180);
    const far = Float64Array.from([2.39, 3, 0, 0, 0]);
    world.step(far, 1, 0, null, 0);
    expect(world.ended(far)).toBe(true);
  });

  it('can be kept up by who looks at it', () => {
    const { rewards } = episode(task, 1, (_t, [, v, angle, turn]) => (angle + 0.3 * turn + 0.02 * v > 0 ? 1 : 0));
    expect(rewards).toHaveLength(200);
  });

  it('begins anew with each trial, in other places in training and test', () => {
    const firsts = [0, 1].map((trial) => episode(task, trial, () => 0).first);
    expect(firsts[0]).not.toEqual(firsts[1]);
    expect(episode(task, 0, () => 0, 'test').first).not.toEqual(firsts[0]);
    for (const first of firsts) expect(first.slice(0, 4).every((value) => Math.abs(value) <= 0.05)).toBe(true);
  });

  it('shows each number by a bump over its inputs, at the place where it is', () => {
    const { x } = episode(task, 0, (t) => t % 2);
    const state = Float64Array.from([1.2, -1.5, 0, 3, 0]);
    world.step(state, -1, 0, x, 64);
    for (const [i, place] of [
      [0, 11.25],
      [1, 3.75],
      [2, 7.5],
      [3, 15],
    ] as const) {
      const bump = Array.from(x.subarray(64 + 16 * i, 64 + 16 * (i + 1)));
      const centre = bump.reduce((sum, value, c) => sum + c * value, 0) / bump.reduce((sum, value) => sum + value, 0);
      if (place < 14) expect(Math.abs(centre - place)).toBeLessThan(0.05);
      expect(bump.indexOf(Math.max(...bump))).toBe(Math.round(place - 1e-9));
    }
  });
});

/** Mean of the inputs from `first` on, over some steps. */
function activity(
  task: TaskInstance,
  x: Float64Array,
  cells: readonly [number, number],
  steps: readonly [number, number],
) {
  let sum = 0;
  for (let t = steps[0]; t < steps[1]; t++) for (let i = cells[0]; i < cells[1]; i++) sum += x[t * task.nIn + i];
  return sum / ((cells[1] - cells[0]) * (steps[1] - steps[0]));
}

describe('a choice after a delay', () => {
  const task = taskOf(delayedChoice, { choices: 3, reward: 2, penalty: 0.5, rate: 0.5 });
  const cueOf = (x: Float64Array) =>
    [0, 1, 2].map((k) => activity(task, x, [5 * k, 5 * k + 5], [0, 20])).findIndex((rate) => rate > 0);

  it('pays for the option of the cue and takes for every other one, in the last step alone', () => {
    for (let trial = 0; trial < 30; trial++) {
      for (const action of [0, 1, 2]) {
        const { x, rewards } = episode(task, trial, () => action);
        expect(rewards).toHaveLength(130);
        expect(rewards.slice(0, -1).every((reward) => reward === 0)).toBe(true);
        expect(rewards[129]).toBe(action === cueOf(x) ? 2 : -0.5);
      }
    }
  });

  it('names each option as often, with one group of inputs', () => {
    const counts = [0, 0, 0];
    for (let trial = 0; trial < 300; trial++) {
      const { x } = episode(task, trial, () => 0);
      const on = [0, 1, 2].filter((k) => activity(task, x, [5 * k, 5 * k + 5], [0, 20]) > 0);
      expect(on).toHaveLength(1);
      counts[on[0]]++;
    }
    for (const count of counts) expect(Math.abs(count - 100)).toBeLessThan(30);
  });

  it('says nothing in the delay but for the noise, and goes at its end', () => {
    const { x } = episode(task, 2, () => 0);
    expect(activity(task, x, [0, 15], [20, 130])).toBe(0);
    expect(activity(task, x, [15, 20], [0, 120])).toBe(0);
    expect(activity(task, x, [15, 20], [120, 130])).toBeGreaterThan(0.25);
    expect(activity(task, x, [20, 25], [0, 130])).toBeLessThan(0.1);
    expect(activity(task, x, [20, 25], [0, 130])).toBeGreaterThan(0);
  });
});

describe('a saccade to a remembered target', () => {
  const settings = {
    delaySteps: 70,
    stepsPerAction: 10,
    held: 0.25,
    broken: 0.7,
    missed: 0.4,
    wrong: 0.2,
    reward: 1.5,
    rate: 0.5,
  };
  const task = taskOf(memorySaccade, settings);
  const world = task.environment as Environment;
  const off = 100;
  /** What it pays to hold, step by step: ten actions during fixation, two after it. */
  const held = Array.from({ length: 120 }, (_, t) => (t < off && t % 10 === 9 ? 0.25 : 0));

  /** Direction of the mean of the ring's spikes, as a number of directions of four. */
  const seenIn = (x: Float64Array) => {
    const sum = { x: 0, y: 0 };
    for (let i = 0; i < 16; i++) {
      const rate = activity(task, x, [i, i + 1], [10, 30]);
      sum.x += rate * Math.cos((2 * Math.PI * i) / 16);
      sum.y += rate * Math.sin((2 * Math.PI * i) / 16);
    }
    return (Math.round((2 * Math.atan2(sum.y, sum.x)) / Math.PI) + 4) % 4;
  };

  it('pays for the direction of the target once fixation is off, and takes for others', () => {
    for (let trial = 0; trial < 20; trial++) {
      for (const direction of [0, 1, 2, 3]) {
        const { x, rewards } = episode(task, trial, (t) => (t < off ? 0 : 1 + direction));
        expect(rewards).toHaveLength(110);
        expect(rewards.slice(0, -1)).toEqual(held.slice(0, 109));
        expect(rewards[109]).toBe(direction === seenIn(x) ? 1.5 : -0.2);
      }
    }
  });

  it('ends with a penalty where fixation is broken, in the direction of the target too', () => {
    for (const first of [9, 59, 99]) {
      const { rewards } = episode(task, 1, (t, [direction]) => (t < first ? 0 : 1 + direction));
      expect(rewards).toHaveLength(first + 1);
      expect(rewards.at(-1)).toBe(-0.7);
    }
  });

  it('pays a little for holding during fixation and nothing afterwards, lets it act again, and takes for never moving', () => {
    expect(episode(task, 1, () => 0).rewards).toEqual([...held.slice(0, 119), -0.4]);
    const { rewards } = episode(task, 1, (t, [direction]) => (t < 119 ? 0 : 1 + direction));
    expect(rewards).toHaveLength(120);
    expect(rewards[119]).toBe(1.5);
  });

  it('acts every ten steps, for the first time after fixation when ten of them have gone by', () => {
    const acting = Array.from({ length: 120 }, (_, t) => t).filter((t) => world.acts(t));
    expect(acting).toEqual([9, 19, 29, 39, 49, 59, 69, 79, 89, 99, 109, 119]);
    const odd = taskOf(memorySaccade, { ...settings, delaySteps: 75 }).environment as Environment;
    const after = Array.from({ length: 125 }, (_, t) => t).filter((t) => t >= 105 && odd.acts(t));
    expect(after).toEqual([114, 124]);
  });

  it('shows the target to cells that prefer its direction, and the fixation point until the end of the delay', () => {
    const sums = new Float64Array(16);
    for (let trial = 0; trial < 400; trial++) {
      const { x, first } = episode(task, trial, () => 0);
      for (let i = 0; i < 16; i++)
        sums[i] += activity(task, x, [(i + 4 * first[0]) % 16, ((i + 4 * first[0]) % 16) + 1], [10, 30]);
      expect(activity(task, x, [0, 16], [0, 10])).toBe(0);
      expect(activity(task, x, [0, 16], [30, 120])).toBe(0);
      expect(activity(task, x, [16, 21], [0, off])).toBeGreaterThan(0.35);
      expect(activity(task, x, [16, 21], [off, 120])).toBe(0);
      expect(activity(task, x, [21, 26], [0, off])).toBe(0);
      expect(activity(task, x, [21, 26], [off, 120])).toBeGreaterThan(0.2);
    }
    const tuning = Float64Array.from(sums, (_, i) => 0.5 * Math.exp((Math.cos((2 * Math.PI * i) / 16) - 1) / 0.25));
    expect(sums.map((sum) => sum / 400)).toBeClose(tuning, { relative: 0, absolute: 0.025 });
  });
});
