import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/core/events.ts';
import { type LiveOptions, liveExperiment, liveNeurons } from '../support/live.ts';

const rate = liveNeurons.find(({ label }) => label === 'rate');
const frozen = { rates: { in: 0, rec: 0, out: 0 } };

/** What is said of a training of six trials, with the amounts at which it was; and what it ends with. */
function train(options: LiveOptions, during?: (trial: number, weights: Float64Array) => void) {
  const experiment = liveExperiment({ optimizer: frozen, ...options });
  const told: { amount: number; cause: string | undefined; message: string }[] = [];
  let end: Extract<RunEvent, { type: 'end' }> | undefined;
  experiment.train({
    listener(event) {
      if (event.type === 'warning')
        told.push({ amount: event.amount, cause: event.finding?.cause, message: event.message });
      if (event.type === 'trial') during?.(event.trial, experiment.run.network.weights.in as Float64Array);
      if (event.type === 'end') end = event;
    },
  });
  return { told, causes: end?.findings.map(({ cause }) => cause), curve: end?.curve };
}

const input = (gain: number, bias: number) => ({ input: { init: { kind: 'normal', gain }, bias } });

describe('a run says', () => {
  it('nothing of a network that is well', () => {
    for (const neuron of [liveNeurons[0], rate]) expect(train({ neuron })).toMatchObject({ told: [], causes: [] });
  });

  it('once that its network is silent, when it was so twice, with the number and what to do', () => {
    const { told, causes } = train({ network: input(0, 0) });
    expect(told[0]).toEqual({
      amount: 4,
      cause: 'silent',
      message:
        'silent: spikes per step is 0 for rec, below 0.001 at 4 trials; larger first weights (init.gain), a plastic bias or a lower ' +
        'threshold; a firing-rate term (rateTerm) that is on from the start',
    });
    expect(told.filter(({ cause }) => cause === 'silent')).toHaveLength(1);
    expect(causes?.[0]).toBe('silent');
  });

  it('that its network fires nearly always', () => {
    const { told } = train({ neuron: { label: '', params: { kind: 'lif', vTh: 0.1 } }, network: input(0, 5) });
    expect(told[0].message).toMatch(/^saturated: spikes per step is (1|0\.\d+) for rec, above 0\.4 at 4 trials/);
  });

  it('that rates are at their ends', () => {
    const { told } = train({ neuron: rate, network: input(0, 4) });
    expect(told.map(({ cause }) => cause)).toEqual(['saturated']);
    expect(told[0].message).toMatch(/^saturated: share of rates at their ends is 1 for rec, above 0\.5/);
  });

  it('that psi is hardly ever open', () => {
    const { told, causes } = train({
      neuron: { label: '', params: { kind: 'lif', membrane: { decay: 0.8 }, vTh: 0.6, nRef: 3, psiWidth: 1e-6 } },
    });
    expect(told.map(({ cause }) => cause)).toEqual(['psi-narrow']);
    expect(causes).toEqual(['psi-narrow']);
  });

  it('it again when it comes again', () => {
    const { told } = train({ network: input(0, 0), training: { total: 24 } }, (trial, wIn) => {
      wIn.subarray(wIn.length - 7).fill(trial >= 3 && trial < 7 ? 0.15 : 0);
    });
    expect(told.filter(({ cause }) => cause === 'silent').map(({ amount }) => amount)).toEqual([4, 18]);
  });
});

describe('weights of a run', () => {
  const learning = (rates: number, total = 40) => ({
    optimizer: { rates: { in: rates, rec: rates, out: rates } },
    training: { total },
  });

  it('that move are no matter', () => {
    expect(train(learning(0.03)).causes).toEqual([]);
  });

  it('that hardly move are told after a tenth of the training, those that learn only', () => {
    const { told, causes } = train(learning(1e-9));
    expect(told.map(({ cause }) => cause)).toEqual(['updates-small']);
    expect(told[0].amount).toBeGreaterThan(4);
    expect(causes).toEqual(['updates-small']);
    expect(train({ training: { total: 40 } }).causes).toEqual([]);
  });

  it('that grow without end are told', () => {
    expect(train(learning(3000)).told.map(({ cause }) => cause)).toContain('updates-large');
  });
});

describe('the ends of a training', () => {
  it('are compared where both have three trials', () => {
    expect(train({ training: { total: 40 } }).curve).toBeNull();
    const { curve } = train({ training: { total: 120 } });
    expect(curve?.flat).toBe(true);
    const learned = train({
      training: { total: 400 },
      optimizer: { rates: { in: 0, rec: 0, out: 0.002 } },
    }).curve;
    expect(learned?.flat).toBe(false);
    expect(learned?.last).toBeLessThan(learned?.first ?? 0);
  });
});
