import { describe, expect, it } from 'vitest';
import { advice, criteria, excessOf, findingsIn, inDigits, type Measure } from '../../src/core/findings.ts';

const of = (
  quantity: Measure['quantity'],
  value: number | null,
  when: Measure['when'] = 'now',
  where = 'rec',
): Measure => ({
  quantity,
  where,
  when,
  value,
});
const causes = (...measures: Measure[]) => findingsIn(measures, false).map(({ cause }) => cause);

describe('a criterion', () => {
  it('says how far a number is beyond its threshold, on its side', () => {
    const above = { cause: 'saturated', quantity: 'spikes', side: 'above', threshold: 0.4, counts: 'now' } as const;
    expect(excessOf(above, 0.8)).toBeCloseTo(2, 12);
    expect(excessOf(above, -1)).toBe(0);
    expect(excessOf(above, Number.NaN)).toBe(0);
    const below = { ...above, side: 'below', threshold: 1e-4 } as const;
    expect(excessOf(below, 1e-5)).toBeCloseTo(10, 9);
    expect(excessOf(below, 0)).toBe(1e9);
    expect(excessOf(below, -1)).toBe(1e9);
    expect(excessOf(below, Number.NaN)).toBe(0);
  });

  it('has advice', () => {
    for (const { cause } of criteria) expect(advice[cause].length).toBeGreaterThan(20);
  });
});

describe('findings', () => {
  it('are none where everything is within, or not measured', () => {
    expect(causes(of('spikes', 0.1), of('psi', 0.3), of('reach', null), of('step', 0.01))).toEqual([]);
  });

  it('come in the order in which they stand in the way, whatever the order of the measures', () => {
    const measures = [of('driveNoise', 3), of('reach', 0), of('psi', 0), of('spikes', 0), of('information', -0.1)];
    const expected = ['no-information', 'silent', 'psi-narrow', 'updates-small', 'noisy-drive'];
    expect(causes(...measures)).toEqual(expected);
    expect(causes(...measures.toReversed())).toEqual(expected);
  });

  it('stand behind the others where they came in the course of the training', () => {
    const later = [of('spikes', 0.2, 'start'), of('spikes', 0.9)];
    expect(causes(...later, of('rateShare', 1e3))).toEqual(['rate-term', 'saturated']);
    const always = [of('spikes', 0.9, 'start'), of('spikes', 0.9)];
    expect(causes(...always, of('rateShare', 1e3))).toEqual(['saturated', 'rate-term']);
    expect(findingsIn(always, false)[0].fromStart).toBe(true);
    expect(findingsIn(later, false)[0].fromStart).toBe(false);
    expect(findingsIn([of('spikes', 0.9)], false)[0].fromStart).toBeNull();
  });

  it('count ever, now, or throughout', () => {
    expect(causes(of('step', 5, 'start'), of('step', 0))).toEqual(['updates-large']);
    expect(causes(of('spikes', 0, 'start'), of('spikes', 0.1))).toEqual([]);
    expect(causes(of('reach', 20, 'start'), of('reach', 0))).toEqual([]);
    expect(causes(of('reach', 0, 'start'), of('reach', 0))).toEqual(['updates-small']);
    expect(causes(of('reach', 0, 'start'), of('reach', 20))).toEqual([]);
  });

  it('are that refractory neurons can hardly spike more', () => {
    expect(causes(of('spikes', 0.25), of('occupied', 0.75))).toEqual([]);
    expect(causes(of('spikes', 0.33), of('occupied', 0.99))).toEqual(['saturated']);
  });

  it('say nothing of a firing-rate term where weights have not moved, unless it was far too strong', () => {
    expect(causes(of('rateShare', 5))).toEqual(['rate-term']);
    expect(causes(of('rateShare', 5), of('reach', 0))).toEqual(['updates-small']);
    expect(causes(of('rateShare', 5), of('lost', 1))).toEqual(['updates-lost']);
    expect(causes(of('rateShare', 50), of('reach', 0))).toEqual(['rate-term', 'updates-small']);
  });

  it('say nothing of signals beside a readout that dominates', () => {
    const signals = [of('signalNorm', 1e-3), of('opposition', 0.5)];
    expect(causes(...signals)).toEqual(['signal-vanishes', 'signal-opposed']);
    expect(causes(...signals, of('readoutStep', 9))).toEqual(['readout-dominates']);
    const once = [of('readoutStep', 3, 'start'), of('readoutStep', 0.1)];
    expect(causes(...once)).toEqual(['readout-dominates']);
    expect(causes(...signals, ...once)).toEqual(['signal-vanishes', 'signal-opposed', 'readout-dominates']);
    expect(causes(of('readoutStep', 1, 'start'), of('readoutStep', 0.1))).toEqual([]);
  });

  it('are one for each cause, with the worst place first and the number there', () => {
    const [found, ...others] = findingsIn([of('spikes', 0.5, 'now', 'a'), of('spikes', 0.9, 'now', 'b')], false);
    expect(others).toEqual([]);
    expect(found).toMatchObject({ cause: 'saturated', where: ['b', 'a'], value: 0.9, threshold: 0.4 });
    expect(found.text).toBe('saturated: spikes per step is 0.9 for b and 1 more, above 0.4');
  });

  it('block from ten times the threshold on, and are notes of a network that learns', () => {
    const severity = (value: number, learns = false) => findingsIn([of('driveNoise', value)], learns)[0].severity;
    const { threshold = 0 } = criteria.find(({ quantity }) => quantity === 'driveNoise') ?? {};
    expect(severity(9 * threshold)).toBe('hinders');
    expect(severity(11 * threshold)).toBe('blocks');
    expect(severity(11 * threshold, true)).toBe('note');
  });
});

it('numbers have three digits, however large', () => {
  expect([0, 1e-12, 0.123456, -0.5, 1234.5, 1e7].map(inDigits)).toEqual([
    '0',
    '1.0e-12',
    '0.123',
    '-0.5',
    '1230',
    '1.0e+7',
  ]);
});
