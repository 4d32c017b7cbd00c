import { describe, expect, it } from 'vitest';
import { checkNames, chips, type Deployment, profileSchema, profiles } from '../../hardware/index.ts';
import { parseWith } from '../../src/config/parse.ts';
import { ConfigError } from '../../src/core/errors.ts';
import { on } from './demands.ts';

const filtered = { filter: { decay: 0.9 } };
const eprop = { name: 'e-prop-1', feedback: 'symmetric' };
const factored = { ...eprop, readoutFilter: false };

describe('on ReckOn', () => {
  it('e-prop with a trace that factors fits, but for the update between trials, at 0.8 % more memory', () => {
    const got = on('reckon', factored, { readout: filtered });
    expect(got.verdict).toBe('fits with');
    expect(got.reasons).toEqual([expect.stringMatching(/^update: between trials/)]);
    // Weights, membranes of 16 bits, and the readouts that the chip keeps in registers.
    expect(got.inferenceBytes).toBe(131_072 + 4096 + 512 + 32);
    // 12 bits for each of 512 presynaptic traces, 10 for each of 256 readout traces: the 34 bits a neuron of the chip.
    expect(got.learningBytes).toBe((256 * 34) / 8);
    expect(got.overhead).toBeCloseTo(0.00802, 5);
  });

  it('the same fits where it learns at every step', () => {
    const got = on('reckon', factored, { readout: filtered, update: { every: 1, unit: 'step' } });
    expect(got.verdict).toBe('fits');
    expect(got.reasons).toEqual([]);
  });

  // Presynaptic traces of 12 bits, readout traces of 10, matrices of 8, vectors of 16; 131,072 synapses.
  const pre = 768;
  const inference = 135_680;
  const dendrite = (delays: number, feedback: number) =>
    pre + feedback + (delays * 256 + 1) * 256 + 65_536 + (delays * 256 + 1) / 8 + 512 + 4;
  it.each([
    ['the readout filter on the trace', eprop, { readout: filtered }, 1088 + 196_608, inference + 32, 1.4567],
    [
      'an adaptive threshold',
      eprop,
      { readout: filtered, neuron: { kind: 'alif' } },
      1088 + 196_608 + 262_144,
      inference + 32 + 512,
      3.3756,
    ],
    ['RFLO', { name: 'rflo', leak: { decay: 0.9 } }, {}, 196_608 + 4096, inference, 1.4792],
    [
      'segregated dendrites, one delay',
      { name: 'sg-r-d', delays: 1, label: false },
      {},
      dendrite(1, 4096),
      inference,
      1.0078,
    ],
    [
      'the same with the feedback of the readout weights',
      { name: 'sg-r-d', delays: 1, label: false, feedback: 'symmetric' },
      {},
      dendrite(1, 0),
      inference,
      0.9776,
    ],
    [
      'segregated dendrites, six delays',
      { name: 'sg-r-d', delays: 6, label: false },
      {},
      dendrite(6, 4096),
      inference,
      3.4241,
    ],
  ])('%s does not', (_label, rule, options, bytes, kept, overhead) => {
    const got = on('reckon', rule, options);
    expect(got.verdict).toBe('does not fit');
    expect(got.reasons).toEqual([
      expect.stringMatching(/^form of the rule: a fixed rule in hardware \(factored-eprop\)/),
    ]);
    expect(got.learningBytes).toBe(bytes);
    expect(got.inferenceBytes).toBe(kept);
    expect(got.overhead).toBeCloseTo(overhead, 4);
  });
});

describe('what is not local is found', () => {
  const check = (deployment: Deployment, name: string) => deployment.checks.find((found) => found.name === name);

  it('J, which is read along its rows and its columns', () => {
    expect(check(on('loihi2', { name: 'sg-r-d' }), 'locality')).toMatchObject({
      status: 'fail',
      because: expect.stringContaining('population.rec.signal.J is read along its rows and its columns'),
    });
    expect(check(on('spinnaker2', { name: 'sg-r-d' }), 'locality')?.status).toBe('degraded');
  });

  it('weight transport', () => {
    expect(check(on('loihi2', eprop), 'locality')?.because).toContain(
      'readout read at neurons it does not end on (weight transport)',
    );
    expect(check(on('loihi2', { name: 'e-prop-1' }), 'locality')?.status).toBe('pass');
  });

  it.each(['bptt', 'uoro'])('everything of %s', (name) => {
    for (const id of ['reckon', 'loihi2', 'spinnaker2', 'ideal']) {
      const got = on(id, { name });
      expect(got.verdict).toBe('does not fit');
      for (const asked of ['form of the rule', 'state per synapse', 'locality', 'third factor', 'arithmetic width']) {
        expect(check(got, asked)?.status).toBe('fail');
      }
    }
  });

  const kept = (deployment: Deployment) =>
    Object.fromEntries(deployment.inventory.map(({ name, count, bytes }) => [name, [count, bytes]]));

  it('the history of BPTT, of the trial or of its window', () => {
    const steps = 5;
    const got = on('reckon', { name: 'bptt', feedback: 'random' }, { readout: filtered });
    expect(kept(got)).toEqual({
      'direct.B': [4096, 4096],
      'past.x': [steps * 256, steps * 512],
      'past.rec.z': [steps * 256, steps * 32],
      'past.rec.psi': [steps * 256, steps * 512],
      'past.error': [steps * 16, steps * 32],
      'work.filtered': [16, 32],
      'work.rec.credit': [256, 512],
      'work.rec.drive': [256, 512],
      'work.in.sum': [65_536, 131_072],
      'work.rec.sum': [65_536, 131_072],
      'readout.out.zBar': [256, 320],
    });
    expect(check(got, 'state per synapse')?.because).toBe(
      'the rule keeps the past of the whole network, 5 steps in 5440 bytes, not a trace per synapse',
    );
    const windowed = kept(on('reckon', { name: 'bptt', window: 3 }, { neuron: { kind: 'alif' } }));
    expect(windowed['past.rec.psi']).toEqual([3 * 256, 3 * 512]);
    expect(windowed['work.rec.owed']).toEqual([256, 512]);
  });

  it('the influence that RTRL keeps', () => {
    const rtrl = { name: 'rtrl' };
    const { inventory, operations } = on('reckon', rtrl, { ...{ readout: filtered }, neurons: 4, inputs: 3 });
    expect(Object.fromEntries(inventory.map(({ name, count }) => [name, count]))).toEqual({
      ...{ 'direct.in.v': 48, 'direct.in.z': 48, 'direct.in.zBar': 48 },
      ...{ 'direct.rec.v': 64, 'direct.rec.z': 64, 'direct.rec.zBar': 64 },
      ...{ 'work.told': 4, 'readout.out.zBar': 4 },
    });
    // Each of 28 synapses has a tangent that goes through all 16 recurrent ones.
    expect(operations.learning.multiplyAdds).toBeGreaterThan(28 * 16);
  });

  it('the influence that UORO keeps', () => {
    const got = kept(on('reckon', { name: 'uoro' }, { readout: filtered }));
    expect(Object.keys(got)).toEqual(
      ['v', 'z', 'zBar', 'in.factor', 'rec.factor']
        .map((name) => `direct.${name}`)
        .concat(
          ['vFresh', 'zFresh', 'zBarFresh', 'told', 'signs'].map((name) => `work.${name}`),
          'readout.out.zBar',
        ),
    );
    expect(got['direct.rec.factor']).toEqual([65_536, 98_304]);
    expect(got['work.signs']).toEqual([256, 32]);
  });
});

describe('all seventeen checks are there by name', () => {
  it.each(profiles.map(({ id }) => id))('on %s', (id) => {
    expect(checkNames).toHaveLength(17);
    for (const rule of [eprop, { name: 'sg-r-d' }, { name: 'bptt' }, { name: 'readout-only' }]) {
      const { checks } = on(id, rule);
      expect(checks.map(({ name }) => name)).toEqual(checkNames);
      for (const { because } of checks) expect(because).not.toBe('');
    }
  });
});

it('the optimiser, the neuron and the sizes are asked about', () => {
  expect(on('spinnaker2', { name: 'e-prop-1' }, { optimizer: 'adam' }).reasons).toEqual([
    'optimiser: 2 more numbers per synapse; plain SGD needs none; fits if optimizer.kind is "sgd"',
  ]);
  expect(on('loihi1', { name: 'readout-only' }, { neuron: { kind: 'rate' } }).reasons[0]).toMatch(
    /^neuron model: rates/,
  );
  expect(on('loihi1', { name: 'readout-only' }).reasons).toEqual(['neuron model: reset "zero" in place of "subtract"']);
  expect(on('xylo', { name: 'readout-only' }).reasons[0]).toBe(
    'sizes: 256 inputs, 16 offered; 16 outputs, 8 offered; fits if inputs >= 256 and outputs >= 16',
  );
});

it('fan-in and fan-out are those of the neuron with most synapses', () => {
  const recurrent = { connectivity: { kind: 'probability', p: 0.1 } };
  const { checks } = on('loihi2', { name: 'readout-only' }, { recurrent });
  const said = checks.find(({ name }) => name === 'placement')?.because ?? '';
  const [, fanIn, fanOut] = (/fan-in (\d+), fan-out (\d+), /.exec(said) ?? []).map(Number);
  // 256 inputs and a tenth of 256 neurons, or 16 outputs, in the mean.
  expect(fanIn).toBeGreaterThan(282);
  expect(fanIn).toBeLessThan(310);
  expect(fanOut).toBeGreaterThan(42);
  expect(fanOut).toBeLessThan(70);
});

it('a rule of present spikes keeps no trace of them, with a kernel and without', () => {
  for (const rule of [{ name: 'sg-v' }, { name: 'sg-r-d-lean' }, { name: 'sg-r-d-lean', late: true }]) {
    const { inventory, decays } = on('loihi2', rule);
    expect(inventory.filter(({ name }) => name.endsWith('.trace.eps'))).toEqual([]);
    expect(decays.map(({ name }) => name)).toEqual(['population.rec.v']);
  }
});

it('a refractory time counts whatever the form of the pseudo-derivative', () => {
  const neuron = { kind: 'lif', nRef: 80, psiSteps: { edges: [0], heights: [0, 1] } };
  const { checks, inferenceState } = on('loihi2', { name: 'e-prop-1' }, { neuron });
  expect(checks.find(({ name }) => name === 'neuron model')?.because).toBe('79 refractory steps, 63 offered');
  expect(inferenceState.map(({ name }) => name)).toContain('population.rec.refractory');
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
