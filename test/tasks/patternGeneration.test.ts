import { describe, expect, it } from 'vitest';
import { parseWith } from '../../src/config/parse.ts';
import { createRng } from '../../src/core/rng.ts';
import { patternGeneration } from '../../tasks/patternGeneration.ts';

function filled(settings: object, start = 0) {
  const p = parseWith(patternGeneration.params, { kind: 'pattern-generation', ...settings });
  const task = patternGeneration.derive(p, { dtMs: 1, rng: createRng(1).split('task') });
  const { steps, inputs, outputs } = p;
  const array = (width: number) => new Float64Array(steps * width);
  const out = {
    x: array(inputs),
    target: array(outputs),
    expected: array(outputs),
    weight: array(1),
    steps,
    xStride: inputs,
  };
  task.fill(out, createRng(9), start, 'train');
  return { ...out, p, task };
}

describe('pattern generation', () => {
  it('has frozen Poisson inputs of the given rate, the same in every trial', () => {
    const { x } = filled({ steps: 2000, inputs: 50 });
    const rate = x.reduce((sum, value) => sum + value, 0) / x.length;
    expect(Math.abs(rate - 0.05)).toBeLessThan(4 * Math.sqrt((0.05 * 0.95) / x.length));
    expect(filled({ steps: 2000, inputs: 50 }, 3).x).toBeBitEqual(x);
  });

  it('has targets that start at 0 and reach 1, one pattern per output', () => {
    const { target, expected } = filled({ steps: 200, outputs: 2 });
    const pattern = (k: number) => target.filter((_, s) => s % 2 === k);
    for (const k of [0, 1]) {
      expect(pattern(k)[0]).toBe(0);
      expect(Math.max(...pattern(k).map(Math.abs))).toBe(1);
    }
    expect(pattern(0)).not.toBeBitEqual(pattern(1));
    expect(expected).toBeBitEqual(target);
  });

  it('a single cycle is a sine over the whole trial: s from 0 to 1, both ends the same', () => {
    const { target } = filled({ steps: 101, cycles: [1], amplitude: [1, 1] });
    expect(target[100]).toBeClose(0, { relative: 0, absolute: 1e-12 });
    // A shifted sine repeats the rule f(s + d) + f(s - d) = 2 cos(2 pi d) f(s) + constant.
    const rest = (t: number) => target[t + 10] + target[t - 10] - 2 * Math.cos(0.2 * Math.PI) * target[t];
    expect(Array.from({ length: 80 }, (_, t) => rest(t + 10))).toBeClose(Array(80).fill(rest(10)), { relative: 1e-10 });
  });

  it('is a sum of sines of the given cycles only', () => {
    const steps = 257;
    const { target } = filled({ steps, cycles: [2, 5] });
    const n = steps - 1;
    const power = Array.from({ length: 9 }, (_, c) => {
      const project = (f: (x: number) => number) =>
        target.subarray(0, n).reduce((sum, value, t) => sum + value * f((2 * Math.PI * c * t) / n), 0);
      return Math.hypot(project(Math.cos), project(Math.sin)) / n;
    });
    for (let c = 1; c < 9; c++) expect(power[c] > 1e-3).toBe(c === 2 || c === 5);
    for (let c = 1; c < 9; c++) if (c !== 2 && c !== 5) expect(power[c]).toBeLessThan(1e-12);
  });
});
