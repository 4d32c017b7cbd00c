import { describe, expect, it } from 'vitest';
import { ConfigError, DivergenceError, FileError } from '../../src/core/errors.ts';
import { scheduleAt } from '../../src/core/network.ts';
import { nearestPowerOfTwo, rateToSpikesPerStep, resolveDecay, spikesPerStepToRate } from '../../src/core/units.ts';

describe('units', () => {
  it('a time constant becomes exp(-dt / tau), a decay stays as it is', () => {
    expect(resolveDecay({ tauMs: 20 }, 1, 'x')).toBeClose(0.951229424500714, { relative: 1e-15 });
    expect(resolveDecay({ tauMs: 20 }, 5, 'x')).toBeClose(Math.exp(-0.25), { relative: 1e-15 });
    expect(resolveDecay({ decay: 0 }, 1, 'x')).toBe(0);
    expect(resolveDecay({ decay: 0.5 }, 5, 'x')).toBe(0.5);
  });

  it.each([{ tauMs: 0 }, { tauMs: -1 }, { tauMs: Number.NaN }, { decay: 1 }, { decay: -0.1 }, { decay: Number.NaN }])(
    'refuses %o',
    (setting) => {
      expect(() => resolveDecay(setting as { tauMs: number }, 1, 'a.b')).toThrow(ConfigError);
      expect(() => resolveDecay(setting as { tauMs: number }, 1, 'a.b')).toThrow(/^a\.b\.(tauMs|decay): got /);
    },
  );

  it('the nearest power of two is nearest in octaves; 0 stays 0', () => {
    expect([0.2, 0.03, 1, 1.41, 1.42, 3, 0].map(nearestPowerOfTwo)).toEqual([0.25, 0.03125, 1, 1, 2, 4, 0]);
  });

  it('40 Hz at 5 ms is 0.2 spikes a step, and back', () => {
    expect(rateToSpikesPerStep(40, 5)).toBe(0.2);
    expect(spikesPerStepToRate(0.2, 5)).toBe(40);
  });
});

describe('schedules', () => {
  it('constant is 1 for ever', () => {
    expect([0, 0.4, 1].map((p) => scheduleAt({ kind: 'constant' }, p))).toEqual([1, 1, 1]);
  });

  it('linear-to-zero holds, then falls to 0 at the end and stays there', () => {
    const at = (p: number) => scheduleAt({ kind: 'linear-to-zero', holdUntil: 0.5 }, p);
    expect([0, 0.25, 0.5].map(at)).toEqual([1, 1, 1]);
    expect([0.625, 0.75, 1, 1.5].map(at)).toEqual([0.75, 0.5, 0, 0]);
    expect(scheduleAt({ kind: 'linear-to-zero', holdUntil: 0 }, 0.3)).toBeClose(0.7, { relative: 1e-15 });
  });
});

describe('messages of errors', () => {
  it('say what was got, what was expected, and where', () => {
    expect(new ConfigError('a.b', Number.NaN, 'a number').message).toBe('a.b: got NaN, expected a number');
    expect(new ConfigError('a.b', undefined, 'a number').message).toBe('a.b: got undefined, expected a number');
    expect(new ConfigError('a.b', 'x'.repeat(200), 'less').message.length).toBeLessThan(110);
    expect(new DivergenceError('psi', 3, 17, Number.POSITIVE_INFINITY).message).toMatch(
      /^psi\[3\] became Infinity at step 17;/,
    );
    expect(new FileError('some/file', 'is odd').message).toBe('some/file: is odd');
  });
});
