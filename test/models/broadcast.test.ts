import { describe, expect, it } from 'vitest';
import { broadcast } from '../../models/signals/broadcast.ts';
import { parseWith } from '../../src/config/parse.ts';
import { cut } from '../../src/core/layout.ts';
import type { SignalContext, SignalSizes } from '../../src/core/plugins.ts';
import { createRng } from '../../src/core/rng.ts';
import { doTrial, liveExperiment } from '../support/live.ts';
import { tolerances } from '../support/tolerances.ts';

const sizes: SignalSizes = { stream: 1, step: 1, in: 1, self: 400, out: 5 };

function derive(settings: object) {
  const params = parseWith(broadcast.params, { kind: 'broadcast', ...settings });
  return broadcast.derive(params, { sizes } as unknown as SignalContext);
}

describe('broadcast', () => {
  it.each(['random', 'adaptive'])('%s: draws B with deviation scale / sqrt(n)', (feedback) => {
    const signal = derive({ feedback, scale: 3 });
    const views = cut([{ name: 'signal', layout: signal.layout, sizes }]).views('signal');
    signal.init(views, createRng(1), {} as never);
    const { B } = views;
    const deviation = Math.sqrt(Array.from(B).reduce((sum, b) => sum + b * b, 0) / B.length);
    expect(Math.abs((deviation * 20) / 3 - 1)).toBeLessThan(4 / Math.sqrt(2 * B.length));
    expect(signal.readoutDecay).toBe(feedback === 'adaptive' ? 1e-3 : 0);
  });

  it('symmetric has no matrix of its own', () => {
    expect(derive({ feedback: 'symmetric' }).layout).toEqual({});
  });

  it.each(['symmetric', 'random'])('%s: L_j = sum_k B_jk error_k at every step of every stream', (feedback) => {
    const { network } = doTrial(liveExperiment({ rule: { name: 'e-prop-1', feedback } }));
    const B = feedback === 'symmetric' ? network.weights.out : network.state.field('population.rec.signal.B');
    const error = network.trial.error.data;
    const signal = network.activity[0].signals[0].data;
    const wanted = Array.from({ length: 2 * 50 * 7 }, (_, s) => {
      const [row, j] = [Math.floor(s / 7), s % 7];
      return [0, 1, 2].reduce((sum, k) => sum + B[3 * j + k] * error[3 * row + k], 0);
    });
    expect(signal).toBeClose(wanted, tolerances.formula);
    expect(wanted.some((value) => value !== 0)).toBe(true);
  });
});

describe('errors as spikes', () => {
  const size = 0.8;
  const rule = (own: object) => ({ name: 'e-prop-1', feedback: 'symmetric', ...own });
  const options = (own: object) => ({ rule: rule(own), training: { streams: 6, total: 6 } });

  it('are signed events that are the error in the mean, cut off at their size', () => {
    const experiment = liveExperiment(options({ errorSpikeSize: size }));
    const { weights, trial, activity, spec } = experiment.run.network;
    const n = spec.populations[0].size;
    const out = spec.sizes.out;
    const errors = trial.error.data;
    const signal = activity[0].signals[0].data;
    // W_out picks the outputs, so that the signal of the first neurons is what they were told.
    weights.out.fill(0);
    for (let k = 0; k < out; k++) weights.out[k * out + k] = 1;
    let [difference, variance, events, beyond] = [0, 0, 0, 0];
    for (let repeat = 0; repeat < 40; repeat++) {
      doTrial(experiment);
      for (let row = 0; row < errors.length / out; row++) {
        for (let k = 0; k < out; k++) {
          const [error, told] = [errors[row * out + k], signal[row * n + k]];
          expect([0, size]).toContain(Math.abs(told));
          if (told !== 0) {
            events += 1;
            expect(Math.sign(told)).toBe(Math.sign(error));
          }
          const meant = Math.sign(error) * Math.min(Math.abs(error), size);
          if (Math.abs(error) > size) {
            beyond += 1;
            expect(told).toBe(meant);
          }
          difference += told - meant;
          variance += Math.abs(meant) * size - meant * meant;
        }
      }
    }
    expect(events).toBeGreaterThan(1000);
    expect(beyond).toBeGreaterThan(100);
    expect(Math.abs(difference)).toBeLessThan(4 * Math.sqrt(variance));
  });

  it('are drawn anew for every step, stream and output, and are not what the readout learns from', () => {
    const [plain, spiking] = [liveExperiment(options({})), liveExperiment(options({ errorSpikeSize: size }))];
    doTrial(plain);
    doTrial(spiking);
    const [got, want] = [spiking.run.network, plain.run.network];
    expect(got.gradient.out).toBeBitEqual(want.gradient.out);
    expect(got.gradient.in).not.toBeBitEqual(want.gradient.in);
    expect(got.state.field('population.rec.signal.errorsDrawn')[0]).toBe(50);
    const before = Float64Array.from(got.activity[0].signals[0].data);
    doTrial(spiking);
    expect(got.activity[0].signals[0].data).not.toBeBitEqual(before);
  });
});
