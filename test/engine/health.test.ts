import { describe, expect, it } from 'vitest';
import { type LiveOptions, liveExperiment, liveNeurons } from '../support/live.ts';

const rate = liveNeurons.find(({ label }) => label === 'rate');

/** Warnings of a training of six trials, with the amounts at which they came. */
function warnings(options: LiveOptions, during?: (trial: number, weights: Float64Array) => void) {
  const experiment = liveExperiment({ optimizer: { rates: { in: 0, rec: 0, out: 0 } }, ...options });
  const told: { amount: number; message: string }[] = [];
  experiment.train({
    listener(event) {
      if (event.type === 'warning') told.push({ amount: event.amount, message: event.message });
      if (event.type === 'trial') during?.(event.trial, experiment.run.network.weights.in as Float64Array);
    },
  });
  return told;
}

const input = (gain: number, bias: number) => ({ input: { init: { kind: 'normal', gain }, bias } });

describe('a run says', () => {
  it('nothing of a network that is well', () => {
    expect(warnings({})).toEqual([]);
    expect(warnings({ neuron: rate })).toEqual([]);
  });

  it('once that its network is silent', () => {
    const told = warnings({ network: input(0, 0) });
    expect(told).toEqual([{ amount: 2, message: 'the network is silent: 0.0e+0 spikes per step at 2 trials' }]);
  });

  it('that its network fires nearly always', () => {
    const told = warnings({ neuron: { label: '', params: { kind: 'lif', vTh: 0.1 } }, network: input(0, 5) });
    expect(told).toHaveLength(1);
    expect(told[0].message).toMatch(/^the network is near saturation: (1\.00|0\.\d\d) spikes per step at 2 trials$/);
  });

  it('that rates are at their ends', () => {
    const told = warnings({ neuron: rate, network: input(0, 4) });
    expect(told).toHaveLength(1);
    expect(told[0].message).toBe('the network is saturated: |rate| > 0.95 in 100 % at 2 trials');
  });

  it('it again when it comes again', () => {
    const told = warnings({ network: input(0, 0), training: { total: 12 } }, (trial, wIn) => {
      wIn.subarray(wIn.length - 7).fill(trial >= 2 && trial < 4 ? 0.15 : 0);
    });
    expect(told.map(({ amount }) => amount)).toEqual([2, 10]);
  });
});
