import { describe, expect, it } from 'vitest';
import type { Environment, Split, TaskInstance } from '../../src/core/plugins.ts';
import { createRng } from '../../src/core/rng.ts';
import { cartPole, cueReward } from '../../tasks/index.ts';

function taskOf(model: typeof cueReward | typeof cartPole, settings: object): TaskInstance {
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
