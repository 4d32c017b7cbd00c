import { z } from 'zod';
import type { Real } from '../src/core/layout.ts';
import type { TaskInstance, TaskModel } from '../src/core/plugins.ts';
import type { Rng } from '../src/core/rng.ts';
import { listed, positive } from '../src/core/schema.ts';

const params = z.strictObject({
  kind: z.literal('cart-pole'),
  moves: listed.default(200).describe('moves after which an episode ends anyhow'),
  stepsPerMove: listed.default(4).describe('steps of the network for each move; it acts in the last one'),
  cells: z.number().int().min(2).max(1000).default(16).describe('inputs for each of the four numbers of the state'),
  sharpness: positive.default(1).describe('width of the tuning of an input, in units of their distance'),
});
type Params = z.infer<typeof params>;

/** Position m, velocity m/s, angle rad, angular velocity rad/s: what inputs are spread over. */
const ranges = [2.4, 3, 0.21, 3] as const;
const stateLength = ranges.length + 1;
const labels = ['position', 'velocity', 'angle', 'turn'] as const;
const gravity = 9.8;
const massOfCart = 1;
const massOfPole = 0.1;
const halfLength = 0.5;
const force = 10;
const seconds = 0.02;
const farthest = 2.4;
const steepest = (12 * Math.PI) / 180;

/**
 * A pole on a cart is to be kept upright by pushes to the left (action 0) and to the right (1). Every move pays 1; an episode ends
 * where the cart is 2.4 m from the middle or the pole leans by more than 12 degrees.
 *
 * Inputs are Gaussian bumps over each of the four numbers, graded and not spiking: [number][cells].
 *
 * Barto, Sutton and Anderson 1983 (IEEE Trans SMC 13:834), with the constants that everyone uses since (Euler steps of 20 ms).
 */
export const cartPole: TaskModel<Params> = {
  kind: 'cart-pole',
  source: 'Barto, Sutton and Anderson 1983, IEEE Trans SMC 13:834',
  params,
  derive(p): TaskInstance {
    const steps = p.moves * p.stepsPerMove;
    const nIn = labels.length * p.cells;
    return {
      nIn,
      nOut: 2,
      mode: { kind: 'trial', steps },
      statesExpected: false,
      testIsNew: true,
      bounds: [],
      inputPopulations: labels.map((label) => ({ label, size: p.cells })),
      environment: {
        actions: 2,
        state: stateLength,
        acts: (t) => t % p.stepsPerMove === p.stepsPerMove - 1,
        begin(state, rng, start, split) {
          drawStart(state, rng.split(split).split(start));
        },
        step(state, action, _t, x, row) {
          const moves = action >= 0;
          if (moves) push(state, action === 1 ? force : -force);
          if (x) observe(x, row, state, p);
          return moves ? 1 : 0;
        },
        ended: (state) => state[4] === 1,
      },
      fill(out, rng, start, split) {
        const state = new Float64Array(stateLength);
        drawStart(state, rng.split(split).split(start));
        for (let t = 0; t < steps; t++) out.x.fill(0, t * out.xStride, t * out.xStride + nIn);
        observe(out.x, 0, state, p);
        out.weight.fill(1, 0, steps);
        out.target.fill(0, 0, 2 * steps);
      },
    };
  },
};

/** Near the middle, upright and at rest. */
function drawStart(state: Real, rng: Rng): void {
  for (let i = 0; i < ranges.length; i++) state[i] = 0.1 * rng.uniform() - 0.05;
  state[ranges.length] = 0;
}

/** One Euler step; the fifth number is 1 where the episode is over. */
function push(state: Real, applied: number): void {
  const [x, v, angle, turn] = state;
  const mass = massOfCart + massOfPole;
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const pull = (applied + massOfPole * halfLength * turn * turn * sin) / mass;
  const turning = (gravity * sin - cos * pull) / (halfLength * (4 / 3 - (massOfPole * cos * cos) / mass));
  const speeding = pull - (massOfPole * halfLength * turning * cos) / mass;
  state[0] = x + seconds * v;
  state[1] = v + seconds * speeding;
  state[2] = angle + seconds * turn;
  state[3] = turn + seconds * turning;
  state[4] = Math.abs(state[0]) > farthest || Math.abs(state[2]) > steepest ? 1 : 0;
}

/** A bump over the cells of each number. */
function observe(x: Real, row: number, state: Real, { cells, sharpness }: Params): void {
  for (let i = 0; i < ranges.length; i++) {
    const place = ((state[i] / ranges[i] + 1) / 2) * (cells - 1);
    for (let c = 0; c < cells; c++) {
      const distance = (c - Math.min(cells - 1, Math.max(0, place))) / sharpness;
      x[row + i * cells + c] = Math.exp(-0.5 * distance * distance);
    }
  }
}
