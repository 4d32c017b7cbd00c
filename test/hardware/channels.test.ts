import { describe, expect, it } from 'vitest';
import {
  type ChipProfile,
  demandOf,
  deploy,
  groupedFields,
  profiles,
  structureOf,
  widthsOf,
} from '../../hardware/index.ts';
import { fixed } from '../../src/backends/fixed/index.ts';
import { formattableFields } from '../../src/engine/network.ts';
import { valuesOf } from '../../src/experiment/fields.ts';
import { measureAccuracy, withWidths } from '../../src/index.ts';
import { graphExperiment } from '../support/graphs.ts';
import { liveCatalogue } from '../support/live.ts';

const chip = profiles.find(({ id }) => id === 'reckon') as ChipProfile;
const leaky = (decay: number) => ({ kind: 'leaky', filter: { decay }, bias: false });

/** Two readouts with filters of their own: two channels. The second is called like a field of the first one's signal. */
const experiment = graphExperiment({
  backend: 'reference',
  task: { kind: 'live', steps: 40, inputs: 6, outputs: 3 },
  network: {
    populations: { rec: { size: 8, neuron: { kind: 'lif', membrane: { decay: 0.9 }, vTh: 0.5 } } },
    projections: {
      in: { from: 'input', to: 'rec', init: { kind: 'normal', gain: 3 } },
      rec: { from: 'rec', to: 'rec' },
    },
    readouts: {
      slow: { from: 'rec', readout: leaky(0.9), outputs: [0, 1] },
      B: { from: 'rec', readout: leaky(0.5), outputs: [2] },
    },
  },
  rule: { name: 'e-prop-1' },
  optimizer: { kind: 'sgd', rates: { in: 0.01, rec: 0.01, slow: 0.01, B: 0.01 } },
  training: { total: 3, execution: 'online' },
});
const { spec } = experiment.run.network;

const names = (fields: readonly { readonly name: string }[]) => fields.map(({ name }) => name);
const twice = (all: readonly string[]) => all.filter((name, index) => all.indexOf(name) !== index);

describe('two readouts with different filters', () => {
  it('have two signals and two traces of every projection, no two of one name', () => {
    const { inventory, decays, checks } = deploy(demandOf(spec), chip);
    // Two errors of one readout and one of the other, to eight neurons.
    expect(checks.find(({ name }) => name === 'feedback')?.because).toBe(
      'errors broadcast through 24 stored feedback weights',
    );
    expect(twice(names(inventory))).toEqual([]);
    expect(names(inventory)).toEqual(
      expect.arrayContaining([
        'projection.in.trace.eBar',
        'projection.in.trace@B.eBar',
        'projection.rec.trace@B.eps',
        'population.rec.signal.B',
        'population.rec.signal@B.B',
      ]),
    );
    expect(twice(names(decays))).toEqual([]);
    const filters = decays.filter(({ name }) => name.endsWith('.eBar')).map(({ name, wanted }) => [name, wanted]);
    expect(filters).toEqual([
      ['projection.in.trace.eBar', 0.9],
      ['projection.in.trace@B.eBar', 0.5],
      ['projection.rec.trace.eBar', 0.9],
      ['projection.rec.trace@B.eBar', 0.5],
    ]);
  });

  it('have a width for every field of either, in groups and on a chip', () => {
    const grouped = groupedFields(spec).map(({ field }) => field);
    const onChip = widthsOf(demandOf(spec), chip).map(({ field }) => field);
    expect(twice(grouped)).toEqual([]);
    expect(twice(onChip)).toEqual([]);
    for (const field of ['population.rec.signal', 'population.rec.signal@B', 'population.rec.signal@B.B']) {
      expect(grouped).toContain(field);
      expect(onChip).toContain(field);
    }
    const unused = /\.refractory$|\.rateTerm$|\.mean$/;
    const missing = formattableFields(spec, fixed).filter((name) => !grouped.includes(name) && !unused.test(name));
    expect(missing).toEqual([]);
  });

  it('leave the feedback weights of the first channel their name, and signals their sign', () => {
    expect(valuesOf(experiment, 'population.rec.signal.B').length).toBe(2 * 8);
    const field = 'population.rec.signal@B';
    const widths = [{ field, bits: 8, rounding: 'nearest' as const }];
    const { fixed: formats } = withWidths(experiment.config, widths, new Map([[field, [0, 0.5]]]));
    expect(formats?.formats[field]).toMatchObject({ signed: true, range: 0.5 });
  });

  it('are trained in the formats of the chip, the second channel too', () => {
    const version = { ...structureOf(demandOf(spec), chip), widths: () => widthsOf(demandOf(spec), chip) };
    const { statistics } = measureAccuracy(
      experiment.config,
      { ...version, factored: false, reset: null },
      liveCatalogue,
      { seeds: [1] },
    );
    const tried = Object.fromEntries(statistics.map((one) => [one.field, one.tried]));
    for (const field of ['population.rec.signal@B', 'projection.rec.trace@B.eBar']) {
      expect(tried[field]).toBeGreaterThan(0);
    }
  });
});

describe('neurons whose time constants differ', () => {
  const spec = (decays: readonly number[]) =>
    graphExperiment({
      task: { kind: 'live', steps: 5, inputs: 4, outputs: 2 },
      network: {
        populations: { exc: { size: 3, neuron: { kind: 'lif', membrane: { decay: decays } } } },
        projections: { in: { from: 'input', to: 'exc' } },
        readouts: { out: { from: 'exc', readout: { kind: 'leaky', filter: { decay: 0.95 } } } },
      },
      rule: { name: 'readout-only' },
      optimizer: { kind: 'sgd', rates: { in: 0, out: 0.01 } },
      training: { total: 1 },
    }).run.network.spec;
  const verdict = (decays: readonly number[]) => {
    const chip = profiles.find(({ id }) => id === 'reckon') as ChipProfile;
    return deploy(demandOf(spec(decays)), chip).checks.find(({ name }) => name === 'decays');
  };

  it('are each held against the range of a chip, not the longest alone', () => {
    expect(verdict([0.9, 0.95, 0.97])?.status).toBe('pass');
    expect(verdict([0.9, 0.95, 0.97])?.because).toMatch(/population\.exc\.v 0\.9 as .* to 0\.97 as .*, 3 values/u);
    expect(verdict([0.97, 0.5, 0.95])?.status).toBe('fail');
    expect(verdict([0.97, 0.5, 0.95])?.because).toMatch(/population\.exc\.v 0\.5 as 0\.875/u);
  });
});
