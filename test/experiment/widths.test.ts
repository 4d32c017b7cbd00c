import { describe, expect, it } from 'vitest';
import { groupedFields } from '../../hardware/index.ts';
import { fixed } from '../../src/backends/fixed/index.ts';
import { formattableFields } from '../../src/engine/network.ts';
import {
  createExperiment,
  createWidthSearch,
  narrowWidths,
  type WidthSearchOptions,
  type Widths,
} from '../../src/index.ts';
import { graphExperiment } from '../support/graphs.ts';
import { type LiveOptions, liveCatalogue, liveConfig, liveExperiment, liveNeurons } from '../support/live.ts';

/** Narrowing where the loss is what `lossAt` says, with the widths that were asked for. */
function narrowed(groups: Parameters<typeof narrowWidths>[0], start: number, lossAt: (widths: Widths) => number) {
  const asked: Widths[] = [];
  const first = { bits: start, loss: lossAt(Object.fromEntries(groups.map((group) => [group, start]))) };
  const found = narrowWidths(groups, first, 1, (widths) => {
    asked.push(widths);
    return lossAt(widths);
  });
  return { found, asked };
}

/** 1 at `needed` bits and above it less. */
const needs = (needed: number, bits = 0) => 2 ** (needed - bits);

describe('the search downwards', () => {
  it('finds every width with the trainings of a bisection', () => {
    const trainings = [];
    for (let needed = 1; needed <= 16; needed++) {
      const { found, asked } = narrowed(['weights'], 16, ({ weights }) => needs(needed, weights));
      const bits = Math.max(2, needed);
      expect(found).toEqual([
        {
          group: 'weights',
          bits,
          loss: needs(needed, bits),
          narrower: bits === 2 ? null : { bits: bits - 1, loss: 2 ** (needed - bits + 1) },
        },
      ]);
      trainings.push(asked.length);
    }
    expect(trainings).toEqual([3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]);
  });

  it('asks for nothing where no width is narrower than the start', () => {
    const { found, asked } = narrowed(['traces'], 2, () => 0);
    expect(found).toEqual([{ group: 'traces', bits: 2, loss: 0, narrower: null }]);
    expect(asked).toEqual([]);
  });

  it('holds the other groups at what was found so far', () => {
    const lossAt = ({ weights, traces }: Widths) => (needs(6, weights) + needs(4, traces)) / 2;
    const { found, asked } = narrowed(['weights', 'traces'], 8, lossAt);
    // With wide traces weights may lose more than with those that are found in the end.
    expect(found.map(({ group, bits }) => [group, bits])).toEqual([
      ['weights', 6],
      ['traces', 4],
    ]);
    expect(asked).toEqual([
      { weights: 4, traces: 8 },
      { weights: 6, traces: 8 },
      { weights: 5, traces: 8 },
      { weights: 6, traces: 4 },
      { weights: 6, traces: 2 },
      { weights: 6, traces: 3 },
    ]);
    expect(found[1].loss).toBe(lossAt({ weights: 6, traces: 4 }));
  });

  it('takes what diverges or is no number as missed', () => {
    for (const odd of [Number.POSITIVE_INFINITY, Number.NaN]) {
      const { found } = narrowed(['weights'], 16, ({ weights = 0 }) => (weights >= 11 ? 1 : odd));
      expect(found[0]).toMatchObject({ bits: 11, narrower: { bits: 10, loss: odd } });
    }
  });
});

describe('groups', () => {
  const groupsOf = (options: LiveOptions) => {
    const fields = groupedFields(liveExperiment(options).run.network.spec);
    const named = (group: string) => fields.filter((one) => one.group === group).map(({ field }) => field);
    return { fields, named };
  };

  it('follow from what the parts declare', () => {
    const { fields, named } = groupsOf({
      rule: { name: 'sg-r-d', delays: 2 },
      rateTerm: { strength: 0.1, mean: 'running' },
    });
    expect(named('weights')).toEqual([
      ...['projection.in', 'projection.rec', 'readout.out', 'readout.out.bias'].map((name) => `${name}.weights`),
      'population.rec.signal.B',
      'population.rec.signal.A',
      'population.rec.signal.J',
    ]);
    expect(named('traces')).toEqual(
      expect.arrayContaining(['readout.out.zBar', 'projection.in.trace.eps', 'population.rec.mean']),
    );
    expect(named('signals')).toEqual(
      expect.arrayContaining([
        'population.rec.signal.distal',
        'population.rec.signal.r',
        'population.rec.psi',
        'readout.out.error',
        'population.rec.signal',
        'population.rec.rateTerm',
      ]),
    );
    expect(named('membranes')).toEqual(['population.rec.v', 'readout.out.u', 'readout.out.y']);
    // Filtered activity here; spikes, which have no width, where the readout has no memory.
    expect(named('signals')).toContain('population.rec.signal.features');
    expect(fields.find(({ field }) => field === 'population.rec.signal.A')?.count).toBe((2 * 7 + 3 + 1) * 7);
  });

  it.each([
    'e-prop-1',
    'rflo',
    'sg-r-d',
    'sg-r-d-lean',
    'sg-r',
    'sg-z',
    'sg-v',
    'sg-d',
    'dni',
    'readout-only',
    'rate-term-only',
  ])('hold every field of %s but spikes, counts and what is not used', (name) => {
    const rate = name === 'dni' ? liveNeurons.find(({ label }) => label === 'rate') : undefined;
    const live = {
      rule: { name },
      neuron: rate,
      readout: { label: '', params: { kind: 'leaky', filter: { decay: 0 } } },
    };
    const { config } = liveExperiment({ ...live, optimizer: { kind: 'adam' } });
    const training = { ...config.training, execution: 'online' };
    const { spec } = createExperiment({ ...config, training }, liveCatalogue).run.network;
    const names = formattableFields(spec, fixed);
    const grouped = groupedFields(spec).map(({ field }) => field);
    expect(grouped.filter((field) => !names.includes(field))).toEqual([]);
    const unused =
      /^((projection|readout)\..*\.(mean|square)|readout\.out\.(u|zBar)|projection\.(in|rec)\.trace\.eps|population\.rec\.(refractory|signal\.(features|norms)|mean|rateTerm))$/;
    expect(names.filter((field) => !grouped.includes(field) && !unused.test(field))).toEqual([]);
  });

  it('hold no spikes: of a readout or a trace without memory', () => {
    const { named } = groupsOf({ readout: { label: '', params: { kind: 'leaky', filter: { decay: 0 } } } });
    expect(named('membranes')).toEqual(['population.rec.v', 'readout.out.y']);
    expect(named('traces')).not.toContain('readout.out.zBar');
    expect(named('traces')).toContain('projection.rec.trace.eps');
  });
});

/** A front of 6 and neurons that are joined with delays of 1 to 3 steps, of which the input weights are given. */
function graph(changes: object = {}) {
  const lif = { kind: 'lif', membrane: { decay: 0.8 }, vTh: 0.5 };
  return graphExperiment({
    task: { kind: 'live', mode: 'stream', inputs: 4, outputs: 2 },
    network: {
      populations: {
        front: { size: 6, neuron: lif },
        exc: { size: 10, neuron: { ...lif, kind: 'alif', adaptBeta: 0.1 } },
      },
      projections: {
        a: { from: 'input', to: 'front', init: { kind: 'normal', gain: 2 } },
        b: { from: 'front', to: 'exc', delayMs: 0, init: { kind: 'normal', gain: 2 } },
        exc: { from: 'exc', to: 'exc', delayMs: { kind: 'uniform', low: 1, high: 3 } },
      },
      readouts: { out: { from: 'exc', readout: { kind: 'leaky', filter: { decay: 0.7 } } } },
    },
    rule: { name: 'e-prop-1' },
    optimizer: { kind: 'sgd', rates: { a: 0.01, b: 0.01, exc: 0.01, out: 0.01 } },
    training: { total: 100, chunkSteps: 50, execution: 'online', update: { unit: 'step' } },
    evaluation: { total: 50, streams: 1 },
    ...changes,
  });
}

describe('groups of several populations', () => {
  const { spec } = graph().run.network;
  const fields = groupedFields(spec);
  const named = (name: string) => fields.filter(({ group }) => group === name).map(({ field }) => field);

  it('are those of every population, projection and readout', () => {
    expect(new Set(fields.map(({ group }) => group))).toEqual(
      new Set([
        ...['a', 'b', 'exc'].flatMap((name) => [`projection.${name}.weights`, `projection.${name}.traces`]),
        ...['front', 'exc'].flatMap((name) =>
          ['weights', 'signals', 'membranes'].map((kind) => `population.${name}.${kind}`),
        ),
        ...['weights', 'traces', 'signals', 'membranes'].map((kind) => `readout.out.${kind}`),
      ]),
    );
    expect(named('population.front.membranes')).toEqual(['population.front.v']);
    expect(named('population.exc.membranes')).toEqual(['population.exc.v', 'population.exc.a']);
    expect(named('population.exc.signals')).toEqual(['population.exc.psi', 'population.exc.signal']);
    expect(named('population.exc.weights')).toEqual(['population.exc.signal.B']);
    expect(named('readout.out.weights')).toEqual(['readout.out.weights', 'readout.out.bias.weights']);
  });

  it('hold all parts of a projection by delay', () => {
    expect(spec.projections.filter(({ whole }) => whole.name === 'exc')).toHaveLength(3);
    expect(named('projection.exc.weights')).toEqual([1, 2, 3].map((delay) => `projection.exc@${delay}.weights`));
  });

  it('are narrowed one by one, and chosen by name or by kind', () => {
    const chosen = { seeds: [1], margin: 1e6, start: 3 };
    const search = (groups: string[]) =>
      createWidthSearch(graph().config, groupedFields, liveCatalogue, { ...chosen, groups })();
    const one = search(['projection.exc.weights', 'population.front.membranes']);
    expect(one.groups).toMatchObject([
      { group: 'projection.exc.weights', kind: 'weights', numbers: 90, bits: 2, rounding: 'stochastic' },
      { group: 'population.front.membranes', kind: 'membranes', numbers: 6, bits: 2, rounding: 'nearest' },
    ]);
    expect(Object.keys(one.experiment.fixed?.formats ?? {}).sort()).toEqual([
      'population.front.v',
      ...[1, 2, 3].map((delay) => `projection.exc@${delay}.weights`),
    ]);
    expect(one.floating).toEqual(expect.arrayContaining(['population.exc.v', 'projection.a.weights']));
    const kind = search(['membranes']);
    expect(kind.groups.map(({ group, numbers }) => [group, numbers])).toEqual([
      ['population.exc.membranes', 20],
      ['population.front.membranes', 6],
      ['readout.out.membranes', 4],
    ]);
    expect(() => search(['population.inh.membranes'])).toThrow(
      /^groups: got "population\.inh\.membranes", expected one or more of weights, .*projection\.exc\.traces.*, each once/,
    );
  });

  it('have widths of their own', () => {
    const found = createWidthSearch(graph().config, groupedFields, liveCatalogue, {
      seeds: [1],
      margin: '20%',
      groups: ['membranes'],
    })();
    const bits = Object.fromEntries(found.groups.map((one) => [one.group, one.bits]));
    expect(new Set(Object.values(bits)).size).toBeGreaterThan(1);
    for (const { field, group, bits: own } of found.fields) {
      expect(own, field).toBe(bits[group]);
      expect(found.experiment.fixed?.formats[field].bits).toBe(own);
    }
  });
});

const small: LiveOptions = {
  task: { mode: 'stream' },
  training: { total: 400, chunkSteps: 50, update: { unit: 'step' } },
};

function searching(options: Partial<WidthSearchOptions> = {}, live: LiveOptions = small) {
  const { config } = createExperiment({ ...liveConfig(live), evaluation: { total: 100, streams: 2 } }, liveCatalogue);
  return createWidthSearch(config, groupedFields, liveCatalogue, { seeds: [3, 4], margin: '5%', ...options });
}

describe('a search', () => {
  const told: string[] = [];
  const found = searching({
    progress: ({ widths, seed }) => told.push(`${widths ? JSON.stringify(widths) : 'float'} ${seed}`),
  })();

  it('finds widths within the margin, the next narrower ones outside of it', () => {
    expect(found.margin).toBeCloseTo(0.05 * found.float.mean, 12);
    expect(found.start.loss).toBeLessThanOrEqual(found.limit);
    expect(found.groups).toHaveLength(4);
    expect(found.groups.some(({ bits }) => bits < 12)).toBe(true);
    for (const { bits, loss, narrower } of found.groups) {
      expect(bits).toBeGreaterThanOrEqual(2);
      expect(loss).toBeLessThanOrEqual(found.limit);
      if (narrower) expect(narrower.bits).toBe(bits - 1);
      if (narrower) expect(narrower.loss).toBeGreaterThan(found.limit);
    }
    expect(found.joint.losses[0]).not.toBe(found.float.losses[0]);
    const numbers = found.groups.map((group) => group.numbers);
    expect(numbers).toEqual([...numbers].sort((a, b) => b - a));
    expect(found.joint).toMatchObject({ mean: found.groups[3].loss, holds: true });
  });

  it('is told of every training', () => {
    const start = JSON.stringify(Object.fromEntries(found.groups.map(({ group }) => [group, 16])));
    const final = JSON.stringify(Object.fromEntries(found.groups.map(({ group, bits }) => [group, bits])));
    expect(told.slice(0, 4)).toEqual(['float 3', 'float 4', `${start} 3`, `${start} 4`]);
    expect(told.slice(-2)).toEqual([`${final} 3`, `${final} 4`]);
    expect(told).toHaveLength(found.trainings);
    expect(told.length).toBeLessThanOrEqual(2 * (3 + 4 * 4));
  });

  it('gives an experiment whose training has the reported losses, bit for bit', () => {
    const written = JSON.parse(JSON.stringify(found.experiment));
    for (const [index, seed] of found.seeds.entries()) {
      const again = createExperiment({ ...written, seed }, liveCatalogue);
      again.train();
      expect(again.evaluate().expectedLoss).toBe(found.joint.losses[index]);
    }
    expect(written.seed).toBe(3);
  });

  it('says what became of every field', () => {
    const bits = Object.fromEntries(found.groups.map((one) => [one.group, one.bits]));
    for (const { field, group, bits: own, range, stores, saturated, lost, narrowestBits } of found.fields) {
      expect(own, field).toBe(bits[group]);
      expect(Number.isInteger(Math.log2(range)), field).toBe(true);
      expect(saturated + lost, field).toBeLessThanOrEqual(2 * stores);
      expect(narrowestBits, field).toBeGreaterThan(0);
    }
    const weights = found.fields.find(({ field }) => field === 'projection.in.weights');
    expect(weights).toMatchObject({ group: 'weights', signed: true });
    expect(weights?.stores).toBeGreaterThan(0);
    expect(found.floating).toContain('population.rec.refractory');
    expect(found.fields.map(({ field }) => field)).not.toContain('population.rec.refractory');
  });

  it('leaves groups that are not named in floating point, and rounds as it is told', () => {
    const one = searching({ groups: ['weights'], rounding: 'nearest', margin: 1e6, start: 4, seeds: [3] })();
    expect(one.groups).toMatchObject([{ group: 'weights', bits: 2, rounding: 'nearest', narrower: null }]);
    expect(Object.keys(one.experiment.fixed?.formats ?? {}).every((field) => /\.weights$|\.signal\./.test(field))).toBe(
      true,
    );
    expect(one.floating).toEqual(
      expect.arrayContaining(['population.rec.v', 'population.rec.psi', 'projection.in.trace.eps']),
    );
    // Floating point, 4, 2 bits, and all together.
    expect(one.trainings).toBe(4);
  });
});

describe('refused before anything is trained:', () => {
  it.each<readonly [string, Partial<WidthSearchOptions>, RegExp]>([
    ['a negative margin', { margin: -0.1 }, /^margin: got -0\.1, expected a number >= 0 \(in units of the loss, nats/],
    ['a margin that is none', { margin: 'small' }, /^margin: got "small"/],
    ['a negative share', { margin: '-5%' }, /^margin: got "-5%"/],
    ['no margin', { margin: '%' }, /^margin: got "%"/],
    [
      'an unknown group',
      { groups: ['weights', 'weight'] },
      /^groups: got "weight", expected one or more of weights, tr/,
    ],
    ['a group twice', { groups: ['traces', 'traces'] }, /^groups: got "traces", .* each once/],
    ['no group', { groups: [] }, /^groups: got \[\]/],
    ['an unknown rounding', { rounding: 'floor' }, /^rounding: got "floor", expected stochastic or nearest/],
    ['a width that is too large', { start: 17 }, /^start: got 17, expected a whole number >= 2 and <= 16 \(bits\)/],
    ['a width that is too small', { start: 1 }, /^start: got 1, /],
    ['half a bit', { start: 7.5 }, /^start: got 7\.5, /],
  ])('%s', (_, options, message) => {
    expect(() => searching(options)).toThrow(message);
  });

  it.each(['bptt', 'rtrl', 'uoro'])('rule %s, which has no fixed point', (name) => {
    const trial = { rule: { name }, readout: { label: '', params: { kind: 'leaky', filter: { decay: 0 } } } };
    expect(() => searching({}, trial)).toThrow(/backend "fixed" has no kernel for a rule that is no product/);
  });

  it('a group that the network has not', () => {
    const still = {
      rule: { name: 'readout-only' },
      readout: { label: '', params: { kind: 'leaky', filter: { decay: 0 } } },
    };
    expect(() => searching({ groups: ['traces'] }, still)).toThrow(/^groups: got "traces", expected groups of which/);
  });
});

it('says by how much the widest words miss the margin, and which margin they would hold', () => {
  const told: number[] = [];
  const search = searching({ margin: 0, start: 2, progress: ({ loss }) => told.push(loss) });
  let message = '';
  try {
    search();
  } catch (error) {
    message = (error as Error).message;
  }
  const [, enough] =
    /^margin: got 0, expected at least (\S+) \(units of the loss\): the expected loss is \S+ with 2 bits in every group and \S+ in floating point, which misses the margin by \S+$/.exec(
      message,
    ) ?? [];
  expect(told).toHaveLength(4);
  expect(Number(enough)).toBeCloseTo((told[2] + told[3] - told[0] - told[1]) / 2, 3);
  expect(searching({ margin: enough, start: 2 })().groups.map(({ bits }) => bits)).toEqual([2, 2, 2, 2]);
});
