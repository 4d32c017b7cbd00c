import { describe, expect, it } from 'vitest';
import { bindCueOrder, type CueOrderParams } from '../../models/index.ts';
import type { Rows } from '../../src/core/rows.ts';

/** The numbers of a network: test/golden/rflo-augmented-small.json. Here are units whose network is written by hand. */

const units = 3;
const n = 2;
const every = 4;
const params: CueOrderParams = { decay: 0.5, rateM: 0.5, rateK: 1, weightK: 0, threshold: 0.01, every, cue: 1 };

const rowsOf = (width: number, history: number, steps: number, streams = 1): Rows => ({
  data: new Float64Array(streams * (history + steps) * width),
  width,
  from: 0,
  size: width,
  history,
  steps,
});

/** Units that are cued in this order, with a last column that is no cue, and rates that say which segment it is in which place. */
function cued(order: readonly number[], stream = 0) {
  const steps = order.length * every;
  const x = rowsOf(units + 1, 0, steps, stream + 1);
  const z = rowsOf(n, 1, steps, stream + 1);
  const write = () => {
    order.forEach((unit, s) => {
      for (let t = s * every; t < (s + 1) * every; t++) {
        const row = (stream * steps + t) * (units + 1);
        x.data.fill(0, row, row + units);
        x.data[row + unit] = 1;
        x.data[row + units] = 1;
        z.data[(stream * (steps + 1) + 1 + t) * n + (s % n)] = 1 + s;
      }
    });
  };
  write();
  return { x, z, steps };
}

function recalled(order: readonly number[], own: Partial<CueOrderParams> = {}, stream = 0): number[] {
  const { x, z, steps } = cued(order, stream);
  const learner = bindCueOrder({ x, z, units, stream }, { ...params, ...own });
  for (let pass = 0; pass < 4; pass++) learner.learn(steps);
  const first = stream * steps * (units + 1);
  for (let t = 0; t < steps; t++) x.data.fill(0, first + t * (units + 1), first + t * (units + 1) + units);
  learner.begin(order[0]);
  for (let t = 0; t < steps; t++) learner.answer(t);
  return order.map((_, s) => {
    const row = first + s * every * (units + 1);
    return Array.from(x.data.subarray(row, row + units)).indexOf(1);
  });
}

describe('the order of cues', () => {
  it.each([[[0, 2, 1]], [[1, 0, 2, 1, 0, 2]]])('%j is recalled from the first cue on', (order) => {
    expect(recalled(order)).toEqual(order);
    expect(recalled(order, {}, 1)).toEqual(order);
  });

  it('is cued as strongly as it is told', () => {
    const { x, z, steps } = cued([0, 1]);
    for (let s = 0; s < x.data.length; s++) x.data[s] *= -2;
    const learner = bindCueOrder({ x, z, units, stream: 0 }, { ...params, cue: -2 });
    learner.learn(steps);
    learner.begin(0);
    for (let t = 0; t < steps; t++) learner.answer(t);
    expect(Array.from(x.data.subarray(0, 3))).toEqual([-2, 0, 0]);
    expect(Array.from(x.data.subarray(7 * 4, 7 * 4 + 3))).toEqual([0, -2, 0]);
  });

  it('stays where no drive is above the threshold', () => {
    expect(recalled([0, 2, 1], { threshold: 2 })).toEqual([0, 0, 0]);
  });

  it('is not known to M where a unit has two successors, but to K where the states differ', () => {
    const order = [0, 1, 0, 2];
    expect(recalled(order)).not.toEqual(order);
    expect(recalled(order, { weightK: 1 })).toEqual(order);
  });

  it('of a unit to itself is not learned, nor anything at the first step', () => {
    const { x, z, steps } = cued([0, 1]);
    const learner = bindCueOrder({ x, z, units, stream: 0 }, params);
    learner.learn(steps);
    const { M, K } = learner.state;
    // Four steps of unit 0: its trace is 1 - 1/16 at the onset of unit 1.
    expect(Array.from(M)).toEqual([0, 0.5 * (1 - 1 / 16), 0, 0, 0, 0, 0, 0, 0]);
    expect(Array.from(K)).toEqual([0, 1, 0, 0, 0, 0]);
    const again = cued([0, 1, 0, 1]);
    const other = bindCueOrder({ x: again.x, z: again.z, units, stream: 0 }, params);
    other.learn(again.steps);
    expect([0, 4, 8].map((s) => other.state.M[s])).toEqual([0, 0, 0]);
    expect(other.state.M[units]).toBeGreaterThan(0);
  });

  it('says what each unit is driven by where it decides, and leaves the other columns of the input alone', () => {
    const { x, z, steps } = cued([0, 1, 2]);
    const learner = bindCueOrder({ x, z, units, stream: 0 }, params);
    learner.learn(steps);
    learner.begin(0);
    const drives = Array.from({ length: steps }, (_, t) => learner.answer(t));
    expect(drives.map((seen) => seen !== null)).toEqual(Array.from({ length: steps }, (_, t) => t === 3 || t === 7));
    const trace = 1 - 1 / 16;
    expect(drives[3]?.[0]).toBeNaN();
    expect(drives[3]?.[1]).toBe(trace * 0.5 * trace);
    for (let t = 0; t < steps; t++) expect(x.data[t * (units + 1) + units]).toBe(1);
  });
});
