import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { catalogue } from '../../src/cli/catalogue.ts';
import { preset } from '../../src/config/presets.ts';
import { ConfigError } from '../../src/core/errors.ts';
import { coveringCells, experimentOf, type Plan, planStudy } from '../../src/study/plan.ts';
import { parseStudy } from '../../src/study/schema.ts';

const planned = (study: object): Plan => planStudy(parseStudy({ base: 'four-six-back', ...study }));
const cellsOf = (study: object) => planned(study).cells.map(({ name }) => name);
const runsOf = (study: object) => planned(study).runs.map(({ name }) => name);

const rules = { 'rule.name': ['e-prop-1', 'sg-r-d'] };

describe('cells', () => {
  it('are all combinations of levels, named by factor and level; runs are their seeds', () => {
    expect(runsOf({ set: { 'training.total': 32000 }, factors: rules, seeds: [1, 2] })).toEqual([
      'rule.name=e-prop-1/seed-1',
      'rule.name=e-prop-1/seed-2',
      'rule.name=sg-r-d/seed-1',
      'rule.name=sg-r-d/seed-2',
    ]);
    expect(cellsOf({ factors: { ...rules, 'network.neurons': [50, 100] } })[1]).toBe(
      'rule.name=e-prop-1,network.neurons=100',
    );
    expect(runsOf({})).toEqual(['base/seed-1']);
  });

  it.each([
    ['a seed', { factors: rules, seeds: 2 }, { factors: rules, seeds: 3 }],
    ['a level', { factors: rules }, { factors: { 'rule.name': ['rflo', 'e-prop-1', 'sg-r-d'] } }],
    [
      'draws',
      { draws: { n: 3 }, factors: { 'optimizer.rates.rec': { logUniform: [0.01, 1] } } },
      { draws: { n: 9 }, factors: { 'optimizer.rates.rec': { logUniform: [0.01, 1] } } },
    ],
    [
      'random draws',
      { draws: { n: 3, kind: 'random' }, factors: { a: { uniform: [0, 1] }, ...rules } },
      { draws: { n: 9, kind: 'random' }, factors: { a: { uniform: [0, 1] }, ...rules } },
    ],
    ['steps', { factors: { a: { range: [0.1, 0.3, 0.1] } } }, { factors: { a: { range: [0.1, 0.7, 0.1] } } }],
  ])('keep their names when %s are added', (_what, before, after) => {
    const all = new Map(planned(after).runs.map(({ name, cell }) => [name, cell.set]));
    const few = planned(before).runs;
    expect(all.size).toBeGreaterThan(few.length);
    for (const { name, cell } of few) expect(all.get(name)).toEqual(cell.set);
  });

  it('have one name each, whatever their levels are', () => {
    const odd = [1, '1', 'a/b', 'a b', '', true, 'true', null, { a: 1 }, { a: 2 }, [1], 'x'.repeat(300), '..', '-rf'];
    const names = cellsOf({ factors: { a: odd } });
    expect(new Set(names).size).toBe(odd.length);
    for (const name of names) expect(name).toMatch(/^a=[A-Za-z0-9.][A-Za-z0-9._+-]*$|^a=[0-9a-f]{16}$/);
    const long = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`a.quite.long.path.to.setting${n}`, [n]]));
    expect(cellsOf({ factors: long })[0].length).toBeLessThanOrEqual(200);
  });

  it('of labelled levels are named by the label, and set all that moves together', () => {
    const speed = {
      levels: [
        { label: 'slow', set: { 'optimizer.rates.in': 0.1, 'optimizer.rates.rec': 0.1 } },
        { label: 'fast', set: { 'optimizer.rates.in': 0.4, 'optimizer.rates.rec': 0.4 } },
      ],
    };
    const { cells } = planned({ factors: { speed, ...rules } });
    expect(cells.map(({ name }) => name)[2]).toBe('fast,rule.name=e-prop-1');
    expect(cells[2].set).toEqual({
      'optimizer.rates.in': 0.4,
      'optimizer.rates.rec': 0.4,
      'rule.name': 'e-prop-1',
    });
  });

  it('have the numbers of ranges and grids', () => {
    const values = (factor: object) => planned({ factors: { a: factor } }).cells.map(({ levels }) => levels.a.value);
    expect(values({ range: [0.1, 0.5, 0.1] })).toEqual([0.1, 0.2, 0.3, 0.4, 0.5]);
    expect(values({ log: [0.001, 1, 4] })).toEqual([0.001, 0.01, 0.1, 1]);
    expect(values({ linear: [10, 20, 4], whole: true })).toEqual([10, 13, 17, 20]);
    const [cell] = planned({ factors: { rate: { log: [0.1, 1, 2], paths: ['a.b', 'c'] } } }).cells;
    expect(cell.set).toEqual({ 'a.b': 0.1, c: 0.1 });
  });

  it('that are excluded are left out, and only those', () => {
    const factors = { ...rules, 'network.neurons': [50, 100, 200] };
    const large = { 'rule.name': 'sg-r-d', 'network.neurons': { min: 100 } };
    expect(cellsOf({ factors, exclude: [large] })).toHaveLength(4);
    expect(cellsOf({ factors, only: [large] })).toHaveLength(2);
    expect(cellsOf({ factors, exclude: [{ 'network.neurons': [50, 200] }] })).toHaveLength(2);
  });

  it('know their control', () => {
    const stop = [{ after: 0.5, worseThan: { cell: { 'rule.name': 'readout-only' } } }];
    const factors = { 'rule.name': ['readout-only', 'e-prop-1'], 'network.neurons': [50, 100] };
    expect(planned({ factors, stop }).cells.map(({ controls }) => controls[0])).toEqual([
      null,
      null,
      'rule.name=readout-only,network.neurons=50',
      'rule.name=readout-only,network.neurons=100',
    ]);
  });

  it('cover every level of every factor with few of them', () => {
    const factors = { a: [1, 2, 3, 4], b: [1, 2, 3] };
    const covering = coveringCells(planned({ factors }));
    expect(covering).toHaveLength(4);
    expect(new Set(covering.map(({ levels }) => levels.b.value)).size).toBe(3);
    expect(coveringCells(planned({}))).toHaveLength(1);
  });
});

it('drawn points lie in their ranges, logarithms evenly, and cross with the other factors', () => {
  const factors = {
    ...rules,
    'optimizer.rates.rec': { logUniform: [0.01, 1] },
    'network.neurons': { uniform: [10, 100], whole: true },
  };
  const { cells } = planned({ factors, draws: { n: 64, seed: 3 } });
  expect(cells).toHaveLength(128);
  const rates = cells.slice(0, 64).map(({ levels }) => Number(levels['optimizer.rates.rec'].value));
  expect(rates.filter((rate) => rate < 0.1)).toHaveLength(32);
  expect(rates.every((rate) => rate >= 0.01 && rate <= 1)).toBe(true);
  for (const { levels } of cells) expect(Number.isInteger(levels['network.neurons'].value)).toBe(true);
  expect(cells[64].set['optimizer.rates.rec']).toBe(cells[0].set['optimizer.rates.rec']);
  const other = planned({ factors, draws: { n: 64, seed: 4 } }).cells;
  expect(other[0].name).not.toBe(cells[0].name);
});

it('the study of docs/studies.md is one', () => {
  const [, text] = /```json\n([^`]+)```/.exec(readFileSync('docs/studies.md', 'utf8')) ?? [];
  const { cells, runs } = planStudy(parseStudy(JSON.parse(text)));
  expect([cells.length, runs.length]).toEqual([80, 400]);
  expect(cells[0].name).toMatch(/^rule\.name=e-prop-1,slow,draw-0-[0-9a-f]{8}$/);
});

it('an experiment has what the command line would make of the same settings', () => {
  const study = parseStudy({ base: 'four-six-back', set: { 'training.total': 32000 }, factors: rules });
  const [first, second] = planStudy(study).runs.map((run) =>
    experimentOf(preset('four-six-back'), study, run, catalogue),
  ) as { rule: object; training: { total: number }; seed: number }[];
  expect(first.rule).toEqual({ name: 'e-prop-1', feedback: 'random' });
  expect(second).toMatchObject({ rule: { name: 'sg-r-d' }, training: { total: 32000 }, seed: 1 });
});

/** {a: {a: ...}} */
const nested = (depth: number): object => (depth === 0 ? {} : { a: nested(depth - 1) });

describe('refused:', () => {
  it.each([
    ['an unknown key', { seed: 1 }, /study\.seed: got 1, expected no key "seed"/],
    ['what is nested too deeply', { set: { a: nested(300) } }, /study\.set\.a\.a.*at most 200 levels of nesting/],
    ['what is no JSON', { factors: { a: [1, undefined] } }, /study\.factors\.a\.1: got undefined, expected JSON/],
    ['no base', { base: 3 }, /study\.base/],
    ['seeds twice', { seeds: [1, 1] }, /study\.seeds: got \[1,1\], expected every seed once/],
    ['no seed', { seeds: 0 }, /study\.seeds.*>= 1/],
    ['a seed as a factor', { factors: { seed: [1, 2] } }, /study\.set\.seed/],
    ['an empty factor', { factors: { a: [] } }, /study\.factors\.a.*>= 1/],
    ['a level twice', { factors: { a: [1, 2, 1] } }, /study\.factors\.a: got 1, expected every level once/],
    ['levels of another case', { factors: { a: ['Ab', 'aB'] } }, /study\.factors\.a/],
    ['a range backwards', { factors: { a: { range: [2, 1, 1] } } }, /study\.factors\.a\.range: got \[2,1,1\]/],
    [
      'a logarithm of 0',
      { factors: { a: { log: [0, 1, 3] } } },
      /study\.factors\.a\.log\.0: got 0, expected a number > 0/,
    ],
    ['draws without a number', { factors: { a: { uniform: [0, 1] } } }, /study\.draws: got undefined/],
    ['draws of nothing', { draws: { n: 3 } }, /study\.draws/],
    ['an empty range', { draws: { n: 3 }, factors: { a: { uniform: [1, 1] } } }, /study\.factors\.a.*low < high/],
    ['a filter of no factor', { factors: rules, exclude: [{ x: 1 }] }, /study\.exclude\.0\.x/],
    [
      'a range without numbers',
      { factors: { 'network.neurons': [10, 20] }, only: [{ 'network.neurons': { min: { at: 1 } } }] },
      /study\.only\.0\.network\.neurons\.min: got \{"at":1\}, expected a number/,
    ],
    [
      'a filter of no level',
      { factors: rules, only: [{ 'rule.name': 'uoro' }] },
      /study\.only\.0\.rule\.name: got "uoro"/,
    ],
    [
      'filters that leave nothing',
      { factors: rules, exclude: [{ 'rule.name': ['e-prop-1', 'sg-r-d'] }] },
      /leave a cell/,
    ],
    [
      'a label with a slash',
      { factors: { a: [{ label: '../x', value: 1 }] } },
      /study\.factors\.a\.label: got "\.\.\/x"/,
    ],
    ['a setting of two factors', { factors: { a: [1], b: { levels: [2], paths: ['a'] } } }, /factors\.b: got "a"/],
    ['too many', { factors: { a: { range: [1, 2000, 1] }, b: { range: [1, 2000, 1] } } }, /at most 100000 runs/],
    ['a path that is none', { set: { 'a..b': 1 } }, /study\.set/],
    [
      'a control that is filtered out',
      {
        factors: rules,
        exclude: [{ 'rule.name': 'e-prop-1' }],
        stop: [{ after: 1, worseThan: { cell: { 'rule.name': 'e-prop-1' } } }],
      },
      /stop\.0\.worseThan\.cell/,
    ],
  ])('%s', (_what, study, message) => {
    expect(() => planned(study)).toThrow(message);
    expect(() => planned(study)).toThrow(ConfigError);
  });
});
