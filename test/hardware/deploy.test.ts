import { describe, expect, it } from 'vitest';
import {
  type ChipProfile,
  chips,
  type Deployment,
  demandOf,
  deploy,
  profileSchema,
  profiles,
} from '../../hardware/index.ts';
import { models } from '../../models/index.ts';
import { parseWith } from '../../src/config/parse.ts';
import { ConfigError } from '../../src/core/errors.ts';
import { createExperiment } from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';

interface Options {
  readonly neuron?: object;
  readonly readout?: object;
  readonly optimizer?: string;
}

/** 256 inputs, 256 neurons, 16 outputs: the sizes of ReckOn's memories. */
function network(rule: object, { neuron = { kind: 'lif' }, readout = {}, optimizer = 'sgd' }: Options = {}) {
  return createExperiment(
    {
      backend: 'reference',
      task: { kind: 'pattern-generation', steps: 5, inputs: 256, outputs: 16 },
      network: {
        neurons: 256,
        neuron,
        readout: { kind: 'leaky', filter: { decay: 0 }, bias: false, ...readout },
        recurrent: { autapses: true },
      },
      rule,
      loss: { kind: 'square' },
      optimizer: { kind: optimizer, rates: { in: 0.01, rec: 0.01, out: 0.01 } },
      training: { total: 1, execution: 'online' },
    },
    { ...models, tasks },
  );
}

function on(id: string, rule: object, options: Options = {}): Deployment {
  const chip = profiles.find((profile) => profile.id === id) as ChipProfile;
  return deploy(demandOf(network(rule, options).run.network.spec), chip);
}

const filtered = { filter: { decay: 0.9 } };
const eprop = { name: 'e-prop-1', feedback: 'symmetric' };

describe('on ReckOn', () => {
  it('e-prop with a trace that factors fits, but for the update between trials, at 0.8 % more memory', () => {
    const got = on('reckon', eprop);
    expect(got.verdict).toBe('fits with');
    expect(got.reasons).toEqual([expect.stringMatching(/^update: between trials/)]);
    expect(got.inferenceBytes).toBe(131_072 + 4096 + 512);
    // 12 bits for each of 512 presynaptic traces and for each of 256 readout traces; the chip itself packs the latter in 10.
    expect(got.learningBytes).toBe((768 * 12) / 8);
    expect(got.overhead).toBeCloseTo(0.0085, 4);
  });

  // Traces of 12 bits, matrices of 8, vectors of 16; 131,072 synapses, 512 presynaptic and 256 readout traces in each.
  const traces = 768 + 384;
  const dendrite = (delays: number) =>
    traces + 4096 + (delays * 256 + 1) * 256 + 65_536 + (delays * 256 + 1) / 8 + 512 + 4;
  it.each([
    ['the readout filter on the trace', eprop, { readout: filtered }, traces + 196_608, 1.458],
    ['an adaptive threshold', eprop, { readout: filtered, neuron: { kind: 'alif' } }, traces + 196_608 + 262_144, 3.39],
    ['RFLO', { name: 'rflo', leak: { decay: 0.9 } }, {}, traces + 196_608 + 4096, 1.488],
    ['segregated dendrites, one delay', { name: 'sg-r-d', delays: 1, label: false }, {}, dendrite(1), 1.011],
    ['segregated dendrites, six delays', { name: 'sg-r-d', delays: 6, label: false }, {}, dendrite(6), 3.427],
  ])('%s does not', (_label, rule, options, bytes, overhead) => {
    const got = on('reckon', rule, options);
    expect(got.verdict).toBe('does not fit');
    expect(got.reasons).toHaveLength(1);
    expect(got.learningBytes).toBe(bytes);
    expect(got.overhead).toBeCloseTo(overhead, 3);
  });
});

describe('what is not local is found', () => {
  const check = (deployment: Deployment, name: string) => deployment.checks.find((found) => found.name === name);

  it('J, which is read along its rows and its columns', () => {
    expect(check(on('loihi2', { name: 'sg-r-d' }), 'locality')).toMatchObject({
      status: 'fail',
      because: expect.stringContaining('signal.J is read along its rows and its columns'),
    });
    expect(check(on('spinnaker2', { name: 'sg-r-d' }), 'locality')?.status).toBe('degraded');
  });

  it('weight transport', () => {
    expect(check(on('loihi2', eprop), 'locality')?.because).toContain('wOut');
    expect(check(on('loihi2', { name: 'e-prop-1' }), 'locality')?.status).toBe('pass');
  });

  it.each(['bptt', 'uoro'])('everything of %s', (name) => {
    const got = on('loihi2', { name });
    expect(got.verdict).toBe('does not fit');
    for (const asked of ['form of the rule', 'state per synapse', 'locality', 'third factor']) {
      expect(check(got, asked)?.status).toBe('fail');
    }
  });
});

it('the optimiser, the neuron and the sizes are asked about', () => {
  expect(on('spinnaker2', { name: 'e-prop-1' }, { optimizer: 'adam' }).reasons).toEqual([
    'optimiser: 2 more numbers per synapse; plain SGD needs none',
  ]);
  expect(on('loihi1', { name: 'readout-only' }, { neuron: { kind: 'rate' } }).reasons[0]).toMatch(
    /^neuron model: rates/,
  );
  expect(on('loihi1', { name: 'readout-only' }).reasons).toEqual(['neuron model: reset "zero" in place of "subtract"']);
  expect(on('xylo', { name: 'readout-only' }).reasons[0]).toBe('sizes: fan-in 512, 63 offered (doc)');
});

it('an ideal chip takes every rule that is local', () => {
  for (const name of ['e-prop-1', 'rflo', 'sg-v', 'sg-r-d']) {
    expect(on('ideal', { name }, { neuron: { kind: 'lif' } }).checks.filter(({ status }) => status === 'fail')).toEqual(
      [],
    );
  }
});

describe('profiles', () => {
  it.each(profiles.map((profile) => [profile.id, profile] as const))('%s is one', (_id, profile) => {
    expect(parseWith(profileSchema, profile, 'profile')).toEqual(profile);
    expect(chips.map(({ name }) => name)).toContain(profile.id);
  });

  const [reckon] = profiles;
  it.each([
    ['a missing unit', { weightBits: { value: 8, source: 'x', kind: 'doc' } }, /profile\.weightBits\.unit/],
    [
      'a negative width',
      { traceBits: { ...reckon.traceBits, value: -1 } },
      /profile\.traceBits\.value: got -1, expected a number >= 0/,
    ],
    ['an unknown rounding', { roundings: ['up'] }, /profile\.roundings\.0: got "up", expected one of "floor"/],
    [
      'a weight wider than its word',
      { weightBits: { ...reckon.weightBits, value: 40 } },
      /profile\.weightBits\.value: got 40/,
    ],
    ['an unknown key', { colour: 'red' }, /profile\.colour/],
  ])('with %s is refused', (_label, change, message) => {
    const spoiled = () => parseWith(profileSchema, { ...reckon, ...change }, 'profile');
    expect(spoiled).toThrow(ConfigError);
    expect(spoiled).toThrow(message);
  });
});
