import { describe, expect, it } from 'vitest';
import type { TrialEvent } from '../../src/core/events.ts';
import { planStudy } from '../../src/study/plan.ts';
import { parseStudy } from '../../src/study/schema.ts';
import { hopelessBy, judged } from '../../src/study/stop.ts';
import { comparisons, csvRows, type StudyRow, summaries, tidyTable } from '../../src/study/table.ts';

const plan = planStudy(parseStudy({ base: 'x', factors: { a: ['p', 'q, "r"'], b: [1, 2] }, seeds: 4 }));

/** a = q is 0.25 above a = p, b = 2 is 10 above b = 1, a seed s adds s. */
const rows = plan.runs.map(({ name, cell, seed }): StudyRow => {
  const value = (cell.levels.a.value === 'p' ? 0 : 0.25) + 10 * Number(cell.levels.b.value) + seed;
  return {
    run: name,
    cell: cell.name,
    seed,
    state: 'done',
    amount: 9,
    measures: { m: value },
    seconds: 1,
    message: '',
  };
});

describe('a table of runs', () => {
  it('has a row for each, with its levels, quoted where needed', () => {
    const [head, first] = csvRows(tidyTable(plan, rows, ['m']));
    expect(head).toBe('run,cell,a,b,seed,state,amount,m,seconds,message');
    expect(first).toBe('"a=p,b=1/seed-1","a=p,b=1",p,1,1,done,9,11,1,');
    expect([...csvRows(tidyTable(plan, rows, ['m']))][9]).toContain(',"q, ""r""",1,1,done,');
  });

  it('has numbers where all levels of a factor are numbers, texts where one is not, and null for what is not known', () => {
    const mixed = planStudy(
      parseStudy({ base: 'x', factors: { a: [1, 'two'], b: [{ label: 'low', value: 1 }, 2], c: [3, 4], d: [1, 0.5] } }),
    );
    const [run] = mixed.runs;
    const row = { ...rows[0], run: run.name, cell: run.cell.name, measures: {}, seconds: null };
    const columns = Object.fromEntries(
      tidyTable(mixed, [row], ['m']).map(({ name, kind, values }) => [name, [kind, ...values]]),
    );
    expect(columns).toMatchObject({ a: ['text', '1'], b: ['text', 'low'], c: ['whole', 3], d: ['number', 1] });
    expect(columns).toMatchObject({ m: ['number', null], seconds: ['number', null], seed: ['whole', 1] });
  });

  it('sums up what is done, cell by cell', () => {
    const failed = rows.map((row, n) => (n === 0 ? { ...row, state: 'failed' as const, measures: { m: null } } : row));
    const [first, second] = summaries(plan, failed, ['m']);
    expect(first).toMatchObject({ cell: 'a=p,b=1', done: 3, of: 4, measures: { m: { n: 3, mean: 13, sd: 1 } } });
    expect(second.measures.m?.mean).toBe(22.5);
    expect(summaries(plan, [], ['m'])[0].measures.m).toBe(null);
  });

  it('compares levels on the same seeds, the other factors averaged, without pairs that lack a run', () => {
    const [a, b] = comparisons(plan, rows, 'm');
    expect(a).toMatchObject({ factor: 'a', a: 'p', b: 'q, "r"', n: 4, difference: 0.25, p: 2 / 16, pHolm: 2 / 16 });
    expect(b).toMatchObject({ factor: 'b', a: '1', b: '2', n: 4, difference: 10 });
    const without = rows.filter(({ seed, cell }) => seed > 1 || !cell.startsWith('a=p'));
    expect(comparisons(plan, without, 'm')[0].n).toBe(3);
  });
});

describe('a run without hope', () => {
  const trial = (amount: number, value: number) =>
    ({ type: 'trial', amount, accuracy: value, loss: value, own: { reward: value } }) as unknown as TrialEvent;
  const trials = [10, 20, 30, 40].map((amount) => trial(amount, amount / 10));
  const rule = { after: 0.25, over: 0.2, measure: 'loss' };

  it('is judged by the mean before the first border at or after the share', () => {
    expect(judged(trials, 100, rule)).toEqual({ amount: 30, value: 2.5 });
    expect(judged(trials, 100, { ...rule, after: 0.3, over: 0 })).toEqual({ amount: 30, value: 3 });
    expect(judged(trials.slice(0, 2), 100, rule)).toBe(null);
    expect(judged(trials, 100, { ...rule, measure: 'none' })).toBe(null);
  });

  it('is worse than the limit, above it or, where more is better, below it', () => {
    expect(hopelessBy(trials, 100, [{ ...rule, limit: 2.5 }])).toBe(null);
    expect(hopelessBy(trials, 100, [{ ...rule, limit: 2.4 }])).toEqual({
      measure: 'loss',
      amount: 30,
      value: 2.5,
      limit: 2.4,
    });
    for (const measure of ['accuracy', 'reward']) {
      expect(hopelessBy(trials, 100, [{ ...rule, measure, limit: 2.4 }])).toBe(null);
      expect(hopelessBy(trials, 100, [{ ...rule, measure, limit: 2.6 }])?.measure).toBe(measure);
    }
  });
});
