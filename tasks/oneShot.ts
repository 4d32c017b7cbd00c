import { z } from 'zod';
import { ConfigError } from '../src/core/errors.ts';
import type { Real } from '../src/core/layout.ts';
import type { TaskInstance } from '../src/core/plugins.ts';
import type { Rng } from '../src/core/rng.ts';
import { count, listed, positive } from '../src/core/schema.ts';

/** What one-shot tasks have in common: a clock, a code of what is to be imitated, and a target that is new in every trial. */

export const oneShotParams = {
  clockGroups: listed.default(5).describe('groups of clock inputs, each active in its own part of the trial'),
  cellsPerGroup: listed.default(2).describe('inputs of each group, which spike together'),
  codeRange: positive.describe('largest mean of a cell of the code; the smallest is minus it'),
  codeWidth: positive.describe('standard deviation of the tuning of a cell'),
  codeCells: count.min(2).describe('cells for each number that is coded, their means evenly spaced'),
  codeRate: z.number().min(0).max(1).describe('spikes per step of a cell at its mean'),
};

interface Shared {
  readonly steps: number;
  readonly everySteps: number;
  readonly clockGroups: number;
  readonly cellsPerGroup: number;
  readonly codeRange: number;
  readonly codeWidth: number;
  readonly codeCells: number;
  readonly codeRate: number;
}

/** A task of one trial per target, of `coded` numbers that the code shows and `nOut` outputs. */
export function oneShot(
  p: Shared,
  coded: number,
  nOut: number,
  draw: (target: Float64Array, code: Float64Array, rng: Rng) => void,
): TaskInstance {
  const { steps } = p;
  if (p.clockGroups > steps)
    throw new ConfigError('task.clockGroups', p.clockGroups, `at most the ${steps} steps of a trial`);
  const clock = p.clockGroups * p.cellsPerGroup;
  const nCode = coded * p.codeCells;
  const target = new Float64Array(steps * nOut);
  const code = new Float64Array(steps * coded);
  return {
    nIn: clock + nCode,
    nOut,
    mode: { kind: 'trial', steps },
    statesExpected: false,
    testIsNew: true,
    bounds: [],
    inputPopulations: [
      { label: 'clock', size: clock },
      { label: 'code', size: nCode },
    ],
    fill(out, rng, start, split) {
      const own = rng.split(split).split(start);
      draw(target, code, own.split('target'));
      out.target.set(target);
      out.weight.fill(1, 0, steps);
      const draws = own.split('code');
      for (let t = 0; t < steps; t++) {
        const row = t * out.xStride;
        out.x.fill(0, row, row + clock + nCode);
        tick(out.x, row, t, p);
        for (let d = 0; d < coded; d++) show(out.x, row + clock + d * p.codeCells, code[t * coded + d], draws, p);
      }
    },
  };
}

/** Of group g every `everySteps` steps a spike, from step g steps / groups on until the next group's turn. */
function tick(x: Real, row: number, t: number, p: Shared): void {
  const group = Math.floor((t * p.clockGroups) / p.steps);
  const first = Math.ceil((group * p.steps) / p.clockGroups);
  if ((t - first) % p.everySteps !== 0) return;
  x.fill(1, row + group * p.cellsPerGroup, row + (group + 1) * p.cellsPerGroup);
}

/** Spikes of cells with a Gaussian tuning: probability rate exp(-(value - mean)^2 / (2 width^2)) in this step. */
function show(x: Real, at: number, value: number, rng: Rng, p: Shared): void {
  for (let i = 0; i < p.codeCells; i++) {
    const mean = p.codeRange * ((2 * i) / (p.codeCells - 1) - 1);
    x[at + i] = rng.bernoulli(p.codeRate * Math.exp(-((value - mean) ** 2) / (2 * p.codeWidth ** 2)));
  }
}
