import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseWith } from '../../src/config/parse.ts';
import { createRng } from '../../src/core/rng.ts';
import { labelProbability, nBack, nBackBounds } from '../../tasks/nBack.ts';
import { tolerances } from '../support/tolerances.ts';

const fourSix = {
  lags: [4, 6] as [number, number],
  base: 0.5,
  effects: [0.5, -0.25] as [number, number],
  inputProbability: 0.5,
};

describe('bounds of the (4,6)-back task', () => {
  it('are the analytic ones, ten digits', () => {
    const values = nBackBounds(fourSix).map(({ value }) => value);
    expect(values).toBeClose([0.6615632382, 0.5191666997, 0.4544543674], tolerances.tenDigits);
    expect(nBackBounds(fourSix).map(({ label }) => label)).toEqual(['marginal', 'lag 4', 'lags 4 and 6']);
  });

  it('knowing the other lag alone is 0.6277411626', () => {
    const swapped = { ...fourSix, lags: [6, 4] as [number, number], effects: [-0.25, 0.5] as [number, number] };
    expect(nBackBounds(swapped)[1].value).toBeClose(0.6277411626, tolerances.tenDigits);
  });

  it('are the task’s own', () => {
    const task = nBack.derive(parseWith(nBack.params, { kind: 'n-back' }), { dtMs: 1, rng: createRng(1) });
    expect(task.bounds).toEqual(nBackBounds(fourSix));
  });
});

/** Expected cross-entropy of the best guess that knows some of the remembered symbols, by going through all histories. */
function enumerated(p: typeof fourSix, knows: readonly number[]): number {
  const length = Math.max(...p.lags) + 1;
  const groups = new Map<string, { weight: number; ones: number }>();
  for (let bits = 0; bits < 2 ** length; bits++) {
    const symbol = (back: number) => (bits >> back) & 1;
    const ones = Array.from({ length }, (_, back) => symbol(back)).reduce((sum, bit) => sum + bit, 0);
    const weight = p.inputProbability ** ones * (1 - p.inputProbability) ** (length - ones);
    const chance = p.base + p.effects[0] * symbol(p.lags[0]) + p.effects[1] * symbol(p.lags[1]);
    const key = knows.map(symbol).join();
    const group = groups.get(key) ?? { weight: 0, ones: 0 };
    groups.set(key, { weight: group.weight + weight, ones: group.ones + weight * chance });
  }
  let total = 0;
  for (const { weight, ones } of groups.values()) total += weight * crossEntropy(ones / weight, ones / weight);
  return total;
}

/** - (p ln q + (1 - p) ln (1 - q)), 0 ln 0 = 0. */
function crossEntropy(p: number, q: number): number {
  return (p > 0 ? -p * Math.log(q) : 0) + (p < 1 ? -(1 - p) * Math.log(1 - q) : 0);
}

it('bounds of any lags and probabilities are those of all histories gone through', () => {
  const unit = fc.double({ min: 0, max: 1, noNaN: true });
  const lag = fc.integer({ min: 1, max: 6 });
  const settings = fc.record({
    lags: fc.tuple(lag, lag),
    base: unit,
    first: unit,
    second: unit,
    inputProbability: fc.double({ min: 0.05, max: 0.95, noNaN: true }),
  });
  fc.assert(
    fc.property(settings, ({ lags, base, first, second, inputProbability }) => {
      // P(y = 1) of the four cases stays within [0, 1] by construction.
      const room = 1 - base;
      const p = {
        lags,
        base,
        effects: [room * first, (room - room * first) * second] as [number, number],
        inputProbability,
      };
      const values = nBackBounds(p).map(({ value }) => value);
      const wanted = [enumerated(p, []), enumerated(p, [lags[0]]), enumerated(p, lags)];
      expect(values).toBeClose(wanted, { relative: 1e-9, absolute: 1e-9 });
    }),
    { numRuns: 100, seed: 1 },
  );
});

describe.each([
  { settings: {}, bounds: [0.6615632382, 0.4544543674] },
  { settings: { lags: [2, 3], inputProbability: 0.3, base: 0.2, effects: [0.6, 0.1] }, bounds: null },
  { settings: { stepsPerSymbol: 3, scoreAt: 'every-step' }, bounds: null },
  { settings: { stepsPerSymbol: 2 }, bounds: null },
])('the stream of $settings', ({ settings, bounds }) => {
  const p = parseWith(nBack.params, { kind: 'n-back', ...settings });
  const task = nBack.derive(p, { dtMs: 1, rng: createRng(1) });
  const steps = 60_000 * p.stepsPerSymbol;
  const x = new Float64Array(2 * steps);
  const target = new Float64Array(2 * steps);
  const expected = new Float64Array(2 * steps);
  const weight = new Float64Array(steps);
  task.fill({ x, target, expected, weight, steps, xStride: 2 }, createRng(1).split('data').split(0), 0, 'train');
  const symbol = (n: number) => x[2 * n * p.stepsPerSymbol];
  const scored = Array.from({ length: steps }, (_, t) => t).filter((t) => weight[t] === 1);

  it('states the probability that follows from the two remembered inputs', () => {
    for (const t of scored) {
      const n = Math.floor(t / p.stepsPerSymbol);
      const chance = labelProbability(p, symbol(n - p.lags[0]), symbol(n - p.lags[1]));
      if (expected[2 * t] !== chance) expect(expected[2 * t], `step ${t}`).toBe(chance);
      if (expected[2 * t + 1] !== 1 - chance) expect(expected[2 * t + 1], `step ${t}`).toBe(1 - chance);
    }
    const first = Math.max(...p.lags) * p.stepsPerSymbol;
    expect(scored[0]).toBe(p.scoreAt === 'every-step' ? first : first + p.stepsPerSymbol - 1);
  });

  it('the ideal predictor reaches the bound of both lags, a constant that of the marginal, within 4 standard errors', () => {
    const [marginal, , both] = nBackBounds(p).map(({ value }) => value);
    if (bounds) expect([marginal, both]).toBeClose(bounds, tolerances.tenDigits);
    const mean = scored.reduce((sum, t) => sum + expected[2 * t], 0) / scored.length;
    const wantedMean = p.base + p.inputProbability * (p.effects[0] + p.effects[1]);
    const scoreOf = (guess: (t: number) => number) =>
      standardError(
        scored.map((t) => crossEntropy(expected[2 * t], guess(t))),
        p.stepsPerSymbol,
      );
    const ideal = scoreOf((t) => {
      const n = Math.floor(t / p.stepsPerSymbol);
      return labelProbability(p, symbol(n - p.lags[0]), symbol(n - p.lags[1]));
    });
    const constant = scoreOf(() => wantedMean);
    expect(Math.abs(mean - wantedMean)).toBeLessThan(0.01);
    expect(Math.abs(ideal.mean - both)).toBeLessThan(4 * ideal.error);
    expect(Math.abs(constant.mean - marginal)).toBeLessThan(4 * constant.error);
    expect(ideal.error).toBeLessThan(0.003);
    expect(marginal - both).toBeGreaterThan(20 * ideal.error);
  });

  it('has labels of that probability', () => {
    const chances = new Map<number, { ones: number; count: number }>();
    for (const t of scored.filter((at) => at % p.stepsPerSymbol === p.stepsPerSymbol - 1)) {
      const seen = chances.get(expected[2 * t]) ?? { ones: 0, count: 0 };
      chances.set(expected[2 * t], { ones: seen.ones + target[2 * t], count: seen.count + 1 });
      expect(target[2 * t] + target[2 * t + 1]).toBe(1);
    }
    expect(chances.size).toBe(4);
    for (const [chance, { ones, count }] of chances) {
      expect(Math.abs(ones / count - chance)).toBeLessThanOrEqual(4 * Math.sqrt((chance * (1 - chance)) / count));
    }
  });

  it('has inputs of their probability, [x, 1 - x], each held for a symbol', () => {
    const ones = Array.from({ length: 60_000 }, (_, n) => symbol(n)).reduce((sum, bit) => sum + bit, 0);
    const q = p.inputProbability;
    expect(Math.abs(ones / 60_000 - q)).toBeLessThan(4 * Math.sqrt((q * (1 - q)) / 60_000));
    const odd = x.findIndex((value, s) =>
      s % 2 === 0 ? value !== symbol(Math.floor(s / 2 / p.stepsPerSymbol)) : value !== 1 - x[s - 1],
    );
    expect(odd).toBe(-1);
  });
});

/** Mean and its standard error; `copies` neighbours are one and the same draw. */
function standardError(values: readonly number[], copies: number): { mean: number; error: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, error: Math.sqrt((variance * copies) / values.length) };
}

describe('encodings', () => {
  it('regular cells fire once a period at their own phase, and only while their symbol is on', () => {
    const steps = 4000;
    const filled = (encoding: object, rng: number) => {
      const p = parseWith(nBack.params, { kind: 'n-back', encoding, stepsPerSymbol: 5 });
      const task = nBack.derive(p, { dtMs: 1, rng: createRng(rng) });
      const array = (width: number) => new Float64Array(steps * width);
      const out = { x: array(task.nIn), target: array(2), expected: array(2), weight: array(1), steps };
      task.fill({ ...out, xStride: task.nIn }, createRng(2), 0, 'train');
      return out.x;
    };
    const bits = filled({ kind: 'one-hot' }, 1);
    const x = filled({ kind: 'regular', cells: 20, rateHz: 100 }, 1);
    const phases = new Set<number>();
    for (let c = 0; c < 40; c++) {
      const times = Array.from({ length: steps }, (_, t) => t).filter((t) => x[40 * t + c] === 1);
      const phase = times[0] % 10;
      phases.add(phase);
      const wanted = Array.from({ length: steps }, (_, t) => t).filter(
        (t) => t % 10 === phase && bits[2 * t + (c < 20 ? 0 : 1)] === 1,
      );
      expect(times).toEqual(wanted);
    }
    expect(phases.size).toBe(10);
    expect(filled({ kind: 'regular' }, 1)).toBeBitEqual(x);
    expect(Array.from(filled({ kind: 'regular' }, 3))).not.toEqual(Array.from(x));
  });

  it('Poisson populations fire at their rates while their symbol is on, and at the silent rate while off', () => {
    const steps = 20_000;
    const filled = (encoding: object) => {
      const p = parseWith(nBack.params, { kind: 'n-back', encoding, stepsPerSymbol: 2, outputs: 1 });
      const task = nBack.derive(p, { dtMs: 5, rng: createRng(1) });
      const array = (width: number) => new Float64Array(steps * width);
      const out = {
        x: array(task.nIn),
        target: array(1),
        expected: array(1),
        weight: array(1),
        steps,
        xStride: task.nIn,
      };
      task.fill(out, createRng(2), 0, 'train');
      return { ...out, task };
    };
    const plain = filled({ kind: 'one-hot' });
    const { task, ...out } = filled({ kind: 'poisson', cells: 10, rateHz: 40, silentHz: 4 });
    expect(out.target).toBeBitEqual(plain.target);
    for (const population of [0, 1]) {
      for (const on of [0, 1]) {
        let spikes = 0;
        let cells = 0;
        for (let t = 0; t < steps; t++) {
          if (plain.x[2 * t + population] !== on) continue;
          for (let c = 0; c < 10; c++) spikes += out.x[20 * t + 10 * population + c];
          cells += 10;
        }
        const wanted = on ? 0.2 : 0.02;
        expect(Math.abs(spikes / cells - wanted)).toBeLessThan(4 * Math.sqrt((wanted * (1 - wanted)) / cells));
      }
    }
    expect(new Set(out.x)).toEqual(new Set([0, 1]));
    expect(task.inputPopulations.map(({ size }) => size)).toEqual([10, 10]);
    expect(new Set(out.target)).toEqual(new Set([0, 1]));
  });
});
