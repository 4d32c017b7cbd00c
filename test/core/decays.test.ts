import { describe, expect, it } from 'vitest';
import { storedDecay, withStoredDecays } from '../../src/core/decays.ts';
import { ConfigError } from '../../src/core/errors.ts';
import { createExperiment } from '../../src/experiment/experiment.ts';
import { closedDynamicsOf, liveCatalogue, liveConfig, liveNeurons, liveReadouts } from '../support/live.ts';

describe('a stored decay', () => {
  it.each([
    [0.9, 4, 14 / 16],
    [0.9, 12, 3686 / 4096],
    [0.999, 8, 255 / 256],
    [0, 8, 0],
  ])('%d as a factor of %d bits', (decay, bits, want) => {
    expect(storedDecay(decay, { kind: 'multiply', bits })).toBe(want);
  });

  it.each([
    [0.5, 0.5],
    [0.9, 0.875],
    [0.92, 0.9375],
    [0.999, 1 - 2 ** -10],
    [0, 0],
    [0.2, 0],
  ])('%d as a shift', (decay, want) => {
    expect(storedDecay(decay, { kind: 'shift' })).toBe(want);
  });

  it('takes the place of every time constant in settings, and leaves the rest alone', () => {
    const settings = {
      neuron: { membrane: { tauMs: 20 }, vTh: 1 },
      leak: null,
      list: [{ decay: 0.9 }],
      decay: 0.001,
      kept: { decay: 0.5, other: 1 },
    };
    expect(withStoredDecays(settings, { kind: 'multiply', bits: 4 }, 1, 'network')).toEqual({
      neuron: { membrane: { decay: 15 / 16 }, vTh: 1 },
      leak: null,
      list: [{ decay: 14 / 16 }],
      decay: 0.001,
      kept: { decay: 0.5, other: 1 },
    });
  });
});

describe('an experiment with stored decays', () => {
  const [lif] = liveNeurons;
  const readout = liveReadouts[1];
  const build = (decays: object | null) =>
    createExperiment(
      {
        ...liveConfig({ neuron: lif, readout, rule: { name: 'rflo', leak: { decay: 0.8 } }, task: { mode: 'stream' } }),
        backend: 'fixed',
        fixed: { decays },
      },
      liveCatalogue,
    );

  it('has them in neuron, readout and trace, and keeps the configuration as it was given', () => {
    const stored = build({ kind: 'multiply', bits: 3 });
    const plain = build(null);
    const { projections, readouts } = stored.run.network.spec;
    const [read] = readouts;
    const eighths = (decay: number) => Math.min(Math.round(8 * decay), 7) / 8;
    expect(closedDynamicsOf(stored.run.network.spec).decay).toBe(
      eighths(closedDynamicsOf(plain.run.network.spec).decay),
    );
    expect(read.decay).toBe(eighths(plain.run.network.spec.readouts[0].decay));
    expect(read.decay).not.toBe(plain.run.network.spec.readouts[0].decay);
    expect(read.readout.decay).toBe(read.decay);
    expect(projections.map(({ traces }) => traces.map(({ filter }) => filter.decay))).toEqual([[6 / 8], [6 / 8]]);
    expect(stored.config.network.populations.rec.neuron).toEqual(plain.config.network.populations.rec.neuron);
    stored.train();
    plain.train();
    expect(stored.run.network.weights.rec).not.toEqual(plain.run.network.weights.rec);
  });

  it.each([
    [{ kind: 'multiply', bits: 0 }, /fixed\.decays\.bits/],
    [{ kind: 'multiply' }, /fixed\.decays\.bits/],
    [{ kind: 'divide' }, /fixed\.decays/],
  ])('refuses %j', (decays, message) => {
    expect(() => build(decays)).toThrow(ConfigError);
    expect(() => build(decays)).toThrow(message);
  });
});
