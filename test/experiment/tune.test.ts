import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import {
  createExperiment,
  preset,
  rateFactors,
  readFactor,
  searchRates,
  type TunedCandidate,
  type TuneFactor,
  type TuneRung,
  withCandidate,
} from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';

const catalogue = { ...models, tasks };
const factor = (label: string): TuneFactor => ({ label, paths: [label], range: [0.01, 100] });
const two = [factor('a'), factor('b')];

/** Runs a search to its end. */
function searched(
  costOf: (multipliers: readonly number[], rung: TuneRung) => number,
  options: Partial<Parameters<typeof searchRates>[0]> = {},
): { readonly rungs: readonly TuneRung[]; readonly found: readonly TunedCandidate[] } {
  const search = searchRates({ factors: two, budget: 20, seed: 1, ...options });
  const rungs: TuneRung[] = [];
  let step = search.next();
  while (!step.done) {
    const rung = step.value;
    rungs.push(rung);
    step = search.next(rung.candidates.map(({ multipliers }) => costOf(multipliers, rung)));
  }
  return { rungs, found: step.value };
}

/** Decades from a point, the same whatever the training is. */
const bowl =
  (...at: number[]) =>
  (multipliers: readonly number[]) =>
    Math.hypot(...multipliers.map((by, f) => Math.log10(by / at[f])));

describe('the search', () => {
  it('spends the budget on three rungs, each twice as long as the one before', () => {
    const { rungs } = searched(bowl(1, 1));
    expect(rungs.map(({ share, candidates }) => [share, candidates.length])).toEqual([
      [1 / 8, 12],
      [1 / 4, 5],
      [1 / 2, 3],
    ]);
    for (const budget of [5, 7, 11, 64]) {
      const sizes = searched(bowl(1, 1), { budget }).rungs.map(({ candidates }) => candidates.length);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(budget);
      expect(Math.min(...sizes)).toBeGreaterThan(0);
    }
  });

  it('begins with what was given, and with one draw in every part of each range', () => {
    const [first] = searched(bowl(1, 1), { budget: 40 }).rungs;
    expect(first.candidates[0].multipliers).toEqual([1, 1]);
    const drawn = first.candidates.slice(1);
    for (const f of two.keys()) {
      const parts = drawn.map(({ multipliers }) =>
        Math.floor((drawn.length * Math.log10(multipliers[f] / 0.01)) / Math.log10(100 / 0.01)),
      );
      expect(parts.sort((a, b) => a - b)).toEqual(drawn.map((_, at) => at));
    }
  });

  it('keeps the best half and draws the rest around the very best, within range', () => {
    const cost = bowl(80, 0.011);
    const { rungs, found } = searched(cost);
    for (let r = 1; r < rungs.length; r++) {
      const before = [...rungs[r - 1].candidates].sort((a, b) => cost(a.multipliers) - cost(b.multipliers));
      const kept = Math.ceil(rungs[r].candidates.length / 2);
      expect(rungs[r].candidates.slice(0, kept).map(({ index }) => index)).toEqual(
        before.slice(0, kept).map(({ index }) => index),
      );
      for (const { multipliers } of rungs[r].candidates.slice(kept)) {
        multipliers.forEach((by, f) => {
          expect(Math.abs(Math.log10(by / before[0].multipliers[f]))).toBeLessThanOrEqual(0.5 + 1e-12);
          expect(by).toBeGreaterThanOrEqual(0.01);
          expect(by).toBeLessThanOrEqual(100);
        });
      }
    }
    expect(found[0].cost).toBeLessThan(0.35);
  });

  it('looks for neighbours on both sides', () => {
    const { rungs } = searched(bowl(1, 1), { budget: 100 });
    const kept = Math.ceil(rungs[1].candidates.length / 2);
    const logs = rungs[1].candidates.slice(kept).map(({ multipliers }) => Math.sign(Math.log(multipliers[0])));
    for (const side of [-1, 1]) expect(logs).toContain(side);
  });

  it('ranks the longest trainings first, and a training that diverged last', () => {
    const { found } = searched((multipliers) => (multipliers[0] > 1 ? Number.NaN : bowl(0.1, 3)(multipliers)));
    expect(found).toHaveLength(20);
    expect(found.map(({ rung }) => rung)).toEqual([...found.map(({ rung }) => rung)].sort((a, b) => b - a));
    for (const rung of [0, 1, 2]) {
      const costs = found.filter((one) => one.rung === rung).map(({ cost }) => cost);
      expect(costs).toEqual([...costs].sort((a, b) => a - b));
    }
    expect(found.some(({ cost }) => cost === Number.POSITIVE_INFINITY)).toBe(true);
    expect(found[0].multipliers[0]).toBeLessThanOrEqual(1);
  });

  it('is the same for the same seed, and another one for another', () => {
    const cost = bowl(3, 0.2);
    expect(searched(cost)).toEqual(searched(cost));
    expect(searched(cost, { seed: 2 }).found).not.toEqual(searched(cost).found);
  });

  it('refuses a budget that no rung has a run of, and nothing to search', () => {
    expect(() => searched(bowl(1, 1), { budget: 4 })).toThrow(/budget: got 4, expected a whole number >= 5/);
    expect(() => searched(bowl(1, 1), { factors: [] })).toThrow(/search: got \[\], expected at least one factor/);
  });
});

describe('factors', () => {
  it('are the rates of the network and those of readouts; rates of 0 stay', () => {
    const { config } = createExperiment(preset('evidence'), catalogue);
    const [network, readouts] = rateFactors(config);
    expect(network.paths).toHaveLength(6);
    expect(network.paths).toContain('optimizer.rates.lif-alif');
    expect(readouts.paths).toEqual(['optimizer.rates.out']);
    const raw = preset('four-six-back') as { optimizer: object };
    const rates = { in: 0, rec: { rate: 0.2, schedule: { kind: 'constant' } }, out: 0 };
    const own = createExperiment({ ...raw, optimizer: { ...raw.optimizer, rates } }, catalogue).config;
    expect(rateFactors(own).map(({ paths }) => paths)).toEqual([['optimizer.rates.rec.rate']]);
    const none = { ...own, optimizer: { ...own.optimizer, rates: { in: 0, rec: 0, out: 0 } } };
    expect(() => rateFactors(none)).toThrow(/optimizer\.rates: .*a rate above 0/);
  });

  it('are read from text', () => {
    expect(readFactor('rule.rateA,rule.rateJ=0.1:10')).toEqual({
      label: 'rule.rateA,rule.rateJ',
      paths: ['rule.rateA', 'rule.rateJ'],
      range: [0.1, 10],
    });
    expect(readFactor('rateTerm.strength').range).toEqual([0.01, 100]);
    for (const odd of ['a=1:1', 'a=0:1', 'a=2:1', 'a=1', 'a=x:y', 'a=1:2:3', 'a,,b', '=1:2', 'a=1:Infinity']) {
      expect(() => readFactor(odd)).toThrow(/--search: got/);
    }
  });

  it('multiply numbers of a copy, to three digits, and leave what a factor of 1 has', () => {
    const raw = { optimizer: { rates: { in: 0.123456, out: 0.5 } }, list: [1, 2] };
    const factors = [readFactor('optimizer.rates.in'), readFactor('optimizer.rates.out,list.1')];
    const tuned = withCandidate(raw, factors, { multipliers: [1, 1 / 3] });
    expect(tuned).toEqual({ optimizer: { rates: { in: 0.123456, out: 0.167 } }, list: [1, 0.667] });
    expect(raw.optimizer.rates.out).toBe(0.5);
    for (const path of ['optimizer.rates', 'optimizer.rates.rec', 'none.of.it', 'constructor.name', 'optimizer.kind']) {
      expect(() => withCandidate(raw, [readFactor(path)], { multipliers: [1] })).toThrow(/expected a number > 0/);
    }
  });
});
