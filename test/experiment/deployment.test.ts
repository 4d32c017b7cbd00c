import { describe, expect, it } from 'vitest';
import { demandOf, profiles, structureOf, widthsOf } from '../../hardware/index.ts';
import { models } from '../../models/index.ts';
import {
  type ChipVersion,
  createExperiment,
  firstParting,
  measureAccuracy,
  type NumberFormat,
  observedRanges,
  versionsOf,
  withWidths,
} from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';

const catalogue = { ...models, tasks };

function experiment(rule: object = { name: 'e-prop-1' }, changes: object = {}) {
  return createExperiment(
    {
      backend: 'reference',
      task: { kind: 'pattern-generation', steps: 40, inputs: 10, outputs: 2 },
      network: { neurons: 12, neuron: { kind: 'lif' }, input: { init: { kind: 'normal', gain: 2 } } },
      rule,
      loss: { kind: 'square' },
      rateTerm: { strength: 0.1, targetHz: 20 },
      optimizer: { kind: 'sgd', rates: { in: 1e-3, rec: 1e-3, out: 1e-3 } },
      training: { total: 6, update: { every: 1 } },
      ...changes,
    },
    catalogue,
  );
}

function versionFor(id: string, of: ReturnType<typeof experiment>): ChipVersion {
  const chip = profiles.find((profile) => profile.id === id) ?? profiles[0];
  return { ...structureOf(demandOf(of.run.network.spec), chip), widths: (spec) => widthsOf(demandOf(spec), chip) };
}

describe('what a chip makes of an experiment', () => {
  it('is no output filter and a running rate where synapses have no state', () => {
    const given = experiment();
    const { structured, approximations } = versionsOf(given.config, versionFor('reckon', given), catalogue);
    expect(approximations.map(({ setting }) => setting)).toEqual(['rateTerm.mean=running', 'rule.readoutFilter=false']);
    const { spec } = createExperiment(structured, catalogue).run.network;
    expect(spec.projections.map(({ traces }) => traces.map(({ layout }) => Object.keys(layout)))).toEqual([
      [['eps']],
      [['eps']],
    ]);
    expect(versionsOf(given.config, versionFor('spinnaker2', given), catalogue).approximations).toEqual([]);
  });

  it('is a late signal where there are no phases, and the reset that there is', () => {
    const given = experiment({ name: 'sg-r-d' }, { rateTerm: { strength: 0.1, targetHz: 20, mean: 'running' } });
    const { structured, approximations } = versionsOf(given.config, versionFor('loihi1', given), catalogue);
    expect(approximations.map(({ setting }) => setting)).toEqual([
      'rule.late=true',
      'network.populations.rec.neuron.reset=zero',
    ]);
    expect(structured.rule.late).toBe(true);
    expect(versionsOf(given.config, versionFor('loihi2', given), catalogue).approximations).toEqual([]);
  });

  const without = { rateTerm: { strength: 0 } };

  it('is asked of the parts of a free combination', () => {
    const given = experiment(
      { name: 'factored', trace: { kind: 'eligibility' }, signal: { kind: 'broadcast' } },
      without,
    );
    const { structured, approximations } = versionsOf(given.config, versionFor('reckon', given), catalogue);
    expect(approximations.map(({ setting }) => setting)).toEqual(['rule.trace.readoutFilter=false']);
    expect(structured.rule.trace).toMatchObject({ readoutFilter: false });
  });

  it('names what the rule does not offer', () => {
    const remains = { what: 'a trace without state per synapse', setting: null };
    const rflo = experiment({ name: 'rflo' }, without);
    expect(versionsOf(rflo.config, versionFor('reckon', rflo), catalogue).approximations).toEqual([
      { what: 'no output filter on the trace', setting: null },
      remains,
    ]);
    const adaptive = experiment(undefined, { ...without, network: { neurons: 12, neuron: { kind: 'alif' } } });
    expect(versionsOf(adaptive.config, versionFor('reckon', adaptive), catalogue).approximations).toEqual([
      { what: 'no output filter on the trace', setting: 'rule.readoutFilter=false' },
      remains,
    ]);
  });
});

describe('formats', () => {
  const given = experiment();
  const version = versionFor('reckon', given);
  const { structured } = versionsOf(given.config, version, catalogue);
  const trained = createExperiment(structured, catalogue);
  trained.train();
  const ranges = observedRanges(trained, catalogue);
  const { fixed } = withWidths(trained.config, version.widths(trained.run.network.spec), ranges);

  it('are as wide as the chip has them, over the observed range', () => {
    expect(fixed?.formats['projection.rec.weights']).toMatchObject({ bits: 8, signed: true, rounding: 'stochastic' });
    expect(fixed?.formats['projection.rec.trace.eps']).toMatchObject({
      bits: 12,
      signed: false,
      rounding: 'stochastic',
    });
    expect(fixed?.formats['readout.out.zBar']).toMatchObject({ bits: 10, signed: false });
    expect(fixed?.formats['population.rec.v']).toMatchObject({ bits: 16, signed: true, rounding: 'floor' });
    expect(fixed?.formats['population.rec.signal']).toMatchObject({ bits: 16, signed: true });
    expect(fixed?.formats).not.toHaveProperty('population.rec.refractory');
    const weights = trained.run.network.weights.rec;
    const largest = Math.max(
      ...Array.from(weights, Math.abs),
      ...(ranges.get('projection.rec.weights') ?? []).map(Math.abs),
    );
    const range = fixed?.formats['projection.rec.weights'].range ?? 0;
    expect(Math.log2(range) % 1).toBe(0);
    expect(range).toBeGreaterThanOrEqual(largest);
    expect(range / 2).toBeLessThan(largest);
  });

  it('see the traces of the whole trial', () => {
    const [low, high] = ranges.get('projection.in.trace.eps') ?? [0, 0];
    expect(low).toBe(0);
    expect(high).toBeGreaterThan(1);
    expect(ranges.get('population.rec.signal')?.[0]).toBeLessThan(0);
  });
});

describe('accuracy', () => {
  it('has a loss per seed of each version, and tells them apart', () => {
    const given = experiment();
    const told: string[] = [];
    const got = measureAccuracy(given.config, versionFor('reckon', given), catalogue, {
      seeds: [1, 2],
      progress: (version, seed) => told.push(`${version} ${seed}`),
    });
    expect(told).toEqual(['float 1', 'structure 1', 'fixed 1', 'float 2', 'structure 2', 'fixed 2']);
    expect(got.measure).toBe('loss per step');
    expect(got.versions.map(({ version }) => version)).toEqual(['float', 'structure', 'fixed']);
    for (const { losses, mean, sd } of got.versions) {
      expect(losses).toHaveLength(2);
      expect(mean).toBeCloseTo((losses[0] + losses[1]) / 2, 12);
      expect(sd).toBeCloseTo(Math.abs(losses[0] - losses[1]) / Math.SQRT2, 12);
      expect(losses.every(Number.isFinite)).toBe(true);
    }
    expect(new Set(got.versions.map(({ losses }) => losses[0])).size).toBe(3);
    expect(got.statistics.find(({ field }) => field === 'projection.in.weights')?.tried).toBeGreaterThan(0);
  });

  it('does not train twice where the chip changes nothing but numbers', () => {
    const given = experiment();
    const { versions, approximations } = measureAccuracy(given.config, versionFor('spinnaker2', given), catalogue, {
      seeds: [1],
    });
    expect(approximations).toEqual([]);
    expect(versions[1].losses).toEqual(versions[0].losses);
  });

  it('refuses a rule that has no fixed point before it trains anything', () => {
    const given = experiment({ name: 'bptt' }, { rateTerm: { strength: 0 } });
    const trained: string[] = [];
    const options = { seeds: [1], progress: (version: string) => void trained.push(version) };
    expect(() => measureAccuracy(given.config, versionFor('reckon', given), catalogue, options)).toThrow(
      /backend "fixed" has no kernel for a rule that is no product/,
    );
    expect(trained).toEqual([]);
  });
});

describe('the first parting', () => {
  const fixedOf = (formats: Record<string, NumberFormat>, total = 2) => ({
    ...experiment({ name: 'e-prop-1', readoutFilter: false }, { rateTerm: { strength: 0 } }).config,
    training: { ...experiment().config.training, total },
    backend: 'fixed' as const,
    fixed: { formats, seed: 1, generator: 'hash' as const, decays: null },
  });
  const format: NumberFormat = { bits: 24, fraction: 16, signed: true, rounding: 'nearest', overflow: 'saturate' };

  it('is none where numbers are wide enough', () => {
    const wide = { ...format, bits: 32, fraction: 4 };
    expect(firstParting(fixedOf({ 'population.rec.mean': wide }), catalogue)).toEqual({
      steps: 80,
      value: null,
      spike: null,
    });
  });

  it('is where a number first leaves its range', () => {
    const narrow = { ...format, bits: 8, fraction: 7 };
    const { value } = firstParting(fixedOf({ 'projection.in.weights': narrow }), catalogue);
    const drawn = experiment().run.network.weights.in;
    const s = drawn.findIndex((weight) => weight > 128 / 128 || weight < -129 / 128);
    expect(s).toBeGreaterThanOrEqual(0);
    expect(value).toMatchObject({
      step: 0,
      field: 'projection.in.weights',
      index: [s],
      float: drawn[s],
      formatStep: 1 / 128,
    });
    expect(value?.fixed).toBe(drawn[s] > 0 ? 127 / 128 : -1);
  });

  it('of values comes no later than that of spikes, which coarse membranes bring about', () => {
    const config = fixedOf({ 'population.rec.v': { ...format, bits: 6, fraction: 3, rounding: 'floor' } });
    const { value, spike } = firstParting(config, catalogue);
    expect(value?.field).toBe('population.rec.v');
    expect(value?.index).toHaveLength(2);
    expect(Math.abs((value?.float ?? 0) - (value?.fixed ?? 0))).toBeGreaterThan(1 / 8);
    expect(spike?.step).toBeGreaterThanOrEqual(value?.step ?? 0);
    expect(new Set([spike?.float, spike?.fixed])).toEqual(new Set([0, 1]));
  });

  it('does not depend on how many numbers are kept at a time', () => {
    const config = fixedOf({ 'weights.*': { ...format, bits: 12, fraction: 8 }, 'population.rec.v': format });
    const whole = firstParting(config, catalogue);
    expect(whole.value).not.toBeNull();
    expect(firstParting(config, catalogue, { numbers: 500 })).toEqual(whole);
    expect(firstParting(config, catalogue, { steps: 1 }).steps).toBe(1);
  });

  it('needs formats', () => {
    expect(() => firstParting(experiment().config, catalogue)).toThrow(/fixed: got null, expected number formats/);
  });
});
