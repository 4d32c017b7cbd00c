import { describe, expect, it } from 'vitest';
import {
  type ChipProfile,
  type Core,
  chips,
  type Deployment,
  demandOf,
  deploy,
  profiles,
} from '../../hardware/index.ts';
import type { NetworkSpec } from '../../src/core/network.ts';
import { graphExperiment } from '../support/graphs.ts';
import { on } from './demands.ts';

const chip = (id: string, change: Partial<ChipProfile> = {}): ChipProfile => ({
  ...(profiles.find((profile) => profile.id === id) as ChipProfile),
  ...change,
});
const most = <U extends string>(unit: U, value: number | 'no limit' | null) =>
  ({ value, unit, source: 'test', kind: 'doc' }) as const;
const mixed = (value: boolean | null) => ({ value, source: 'test', kind: 'doc' }) as const;

const lif = { kind: 'lif', membrane: { decay: 0.9 } };
const readout = { kind: 'leaky', filter: { decay: 0.9 }, bias: false };

/** A layer of 60 in front of 120 excitatory and 30 inhibitory neurons, delays of 1 to 5 steps, two outputs. */
function spec({ dense = false, rule = { name: 'e-prop-1' } as object, projections = {} } = {}): NetworkSpec {
  const some = dense ? {} : { connectivity: { kind: 'probability', p: 0.2 } };
  const delays = { delayMs: { kind: 'uniform', low: 1, high: 5 } };
  const all: Record<string, object> = {
    'input-front': { from: 'input', to: 'front' },
    'front-exc': { from: 'front', to: 'exc', delayMs: 0 },
    'exc-exc': { from: 'exc', to: 'exc', ...some, ...delays },
    'exc-inh': { from: 'exc', to: 'inh', ...some, ...delays },
    'inh-exc': { from: 'inh', to: 'exc', plastic: false },
    ...projections,
  };
  const learned = Object.keys(all).filter((name) => name !== 'inh-exc');
  return graphExperiment({
    task: { kind: 'live', steps: 5, inputs: 40, outputs: 2 },
    network: {
      populations: {
        front: { size: 60, neuron: lif },
        exc: { size: 120, neuron: lif },
        inh: { size: 30, neuron: lif },
      },
      projections: all,
      readouts: { out: { from: ['exc', 'inh'], readout } },
    },
    rule,
    optimizer: { kind: 'sgd', rates: Object.fromEntries([...learned, 'out'].map((name) => [name, 0.01])) },
    training: { total: 1, execution: 'online' },
  }).run.network.spec;
}

const placed = (of: NetworkSpec, on: ChipProfile) => deploy(demandOf(of), on).placement;
const shown = (cores: readonly Core[]) =>
  cores.map(({ parts }) => parts.map(({ name, from, to }) => `${name} ${from}-${to - 1}`).join(', '));
const placement = ({ checks }: Deployment) => checks.find(({ name }) => name === 'placement');

/** The obvious sums over the synapses of a network onto one core, with the word of Loihi. */
function counted(of: NetworkSpec, core: Core, chipOf: ChipProfile, stateBits: (projection: string) => number) {
  const rows = new Map<string, { bits: number; dense: boolean; count: number; axons: number; source: string }>();
  const fanIn = new Map<string, number>();
  const { learningAxons, synapseWord: word } = chipOf;
  const arrive = (name: string, source: string, target: string, bits: number, dense: boolean, axons: number) => {
    const row = rows.get(`${name} ${source}`) ?? { bits, dense, count: 0, axons, source };
    row.count += 1;
    rows.set(`${name} ${source}`, row);
    fanIn.set(target, (fanIn.get(target) ?? 0) + 1);
  };
  const holds = (kind: string, name: string, j: number) =>
    core.parts.some((part) => part.of === kind && part.name === name && j >= part.from && j < part.to);
  const names = of.populations.map(({ name }) => name);
  for (const { name, whole, pre, post, synapses, traces } of of.projections) {
    const dense = whole.synapses.nSyn === whole.synapses.nPre * whole.synapses.nPost;
    for (let i = 0; i < synapses.nPre; i++) {
      for (let s = synapses.rowStart[i]; s < synapses.rowStart[i + 1]; s++) {
        const j = synapses.post[s];
        if (!holds('population', names[post], j)) continue;
        const bits = 8 + stateBits(name);
        const source = `${pre === null ? 'input' : names[pre]} ${i}`;
        arrive(whole.name, source, `${names[post]} ${j}`, bits, dense, traces.length > 0 ? learningAxons : 1);
      }
    }
  }
  for (const { name, reads, size } of of.readouts) {
    for (let k = 0; k < size; k++) {
      if (!holds('readout', name, k)) continue;
      for (const p of reads) {
        for (let i = 0; i < of.populations[p].size; i++) {
          arrive(`readout ${name}`, `${names[p]} ${i}`, `output ${k}`, 8, true, learningAxons);
        }
      }
    }
  }
  const axons = new Map<string, number>();
  let bits = 0;
  for (const row of rows.values()) {
    axons.set(row.source, Math.max(row.axons, axons.get(row.source) ?? 0));
    if (!word) bits += row.count * row.bits;
    else {
      for (let n = row.count; n > 0; n -= word.blockSynapses) {
        const each = row.bits + (row.dense ? 0 : word.indexBits);
        bits += 64 * Math.ceil((Math.min(n, word.blockSynapses) * each + word.headerBits) / 64);
      }
    }
  }
  return {
    synapses: [...rows.values()].reduce((sum, { count }) => sum + count, 0),
    bytes: bits / 8,
    axons: [...axons.values()].reduce((sum, count) => sum + count, 0),
    fanIn: Math.max(...fanIn.values()),
  };
}

describe('neurons on cores', () => {
  it('fill a core in the order of the file, and then the next one', () => {
    const small = chip('loihi1', { neuronsPerCore: most('neuron', 100) });
    const { cores, obstacles } = placed(spec(), small);
    expect(shown(cores)).toEqual(['front 0-59, exc 0-39', 'exc 40-119, inh 0-19', 'inh 20-29, out 0-1']);
    expect(cores.map(({ neurons, full }) => [neurons, full])).toEqual([
      [100, 'neurons'],
      [100, 'neurons'],
      [12, null],
    ]);
    expect(cores.map(({ delaySteps }) => delaySteps)).toEqual([5, 5, 5]);
    expect(obstacles).toEqual([]);
  });

  it('of different populations are kept apart where the chip cannot mix them, or nobody knows', () => {
    for (const value of [false, null]) {
      const apart = chip('loihi1', { neuronsPerCore: most('neuron', 100), mixedCores: mixed(value) });
      const { cores, unknown } = placed(spec(), apart);
      expect(shown(cores)).toEqual(['front 0-59', 'exc 0-99', 'exc 100-119', 'inh 0-29', 'out 0-1']);
      expect(cores.map(({ full }) => full)).toEqual([null, 'neurons', null, null, null]);
      expect(unknown.includes('whether populations can share a core (kept apart)')).toBe(value === null);
    }
  });

  it('do not share places with outputs that the chip has units for', () => {
    const own = { neuronsPerCore: most('neuron', 210), outputs: most('neuron', 8) };
    expect(shown(placed(spec(), chip('loihi1', own)).cores)).toEqual(['front 0-59, exc 0-119, inh 0-29, out 0-1']);
    const shared = { neuronsPerCore: most('neuron', 210), outputs: most('neuron', null) };
    expect(shown(placed(spec(), chip('loihi1', shared)).cores)[1]).toEqual('out 0-1');
  });

  const limits = [
    ['neurons', { neuronsPerCore: most('neuron', 37) }],
    ['axons', { axonsPerCore: most('axon', 400) }],
    ['synapse memory', { coreMemory: most('byte', 9000) }],
    ['synapse memory', { coreMemory: most('byte', 9000), synapseWord: null }],
  ] as const;
  it.each(limits)('have the synapses, bytes, axons and fan-in of a plain count, full by %s', (limit, change) => {
    const of = spec();
    const small = chip('loihi1', change);
    const { cores } = placed(of, small);
    const inventory = deploy(demandOf(of), small).inventory.filter(({ home }) => home === 'synapse');
    const stateBits = (projection: string) =>
      inventory.filter(({ owner }) => owner === `projection.${projection}`).reduce((sum, { bits }) => sum + bits, 0);
    expect(cores.length).toBeGreaterThan(2);
    expect(cores.slice(0, -1).map(({ full }) => full)).toContain(limit);
    const known = ({ synapses, bytes, axons, fanIn }: Core) => ({ synapses, bytes, axons, fanIn });
    // Feedback weights of the rule, 8 bit for every output and neuron, lie beside.
    for (const core of cores) {
      const { bytes, ...rest } = counted(of, core, small, stateBits);
      const own = core.parts.filter((part) => part.of === 'population').map(({ from, to }) => to - from);
      const block = (n: number) => (n > 0 ? 8 * Math.ceil((n * 8 + 10) / 64) : 0);
      const row = (n: number) => (small.synapseWord ? Math.floor(n / 64) * block(64) + block(n % 64) : n);
      expect(known(core)).toEqual({ ...rest, bytes: bytes + own.reduce((sum, n) => sum + 2 * row(n), 0) });
    }
  });

  it('are all there once, and no core is beyond its limits', () => {
    const small = chip('loihi1', { coreMemory: most('byte', 20_000), axonsPerCore: most('axon', 500) });
    const { cores } = placed(spec(), small);
    const size = new Map<string, number>();
    for (const { parts, bytes, axons } of cores) {
      expect(bytes).toBeLessThanOrEqual(20_000);
      expect(axons).toBeLessThanOrEqual(500);
      for (const { name, from, to } of parts) {
        expect(from).toBe(size.get(name) ?? 0);
        size.set(name, to);
      }
    }
    expect(Object.fromEntries(size)).toEqual({ front: 60, exc: 120, inh: 30, out: 2 });
  });

  it('of the one population of ReckOn fill its core to the byte', () => {
    const filtered = { readout: { filter: { decay: 0.9 } } };
    const got = on('reckon', { name: 'e-prop-1', readoutFilter: false }, filtered);
    expect(got.placement.cores).toMatchObject([{ neurons: 256, bytes: 135_168 + 4096, axons: 512, fanIn: 512 }]);
    expect(placement(got)).toMatchObject({ status: 'pass', because: expect.stringMatching(/^fits on 1 of 1 core: /) });
    expect(placement(got)?.because).not.toContain('not known');
  });
});

describe('what stands in the way', () => {
  it('is the fan-in of one of two populations, with the projections it is made of', () => {
    const narrow = chip('loihi1', { fanIn: most('synapse', 180) });
    const wide = { 'exc-inh': { from: 'exc', to: 'inh' }, 'front-inh': { from: 'front', to: 'inh' } };
    const got = deploy(demandOf(spec({ projections: wide, rule: { name: 'readout-only' } })), narrow);
    expect(got.placement.obstacles).toEqual([]);
    const beyond = chip('loihi1', { fanIn: most('synapse', 179) });
    const failed = deploy(demandOf(spec({ projections: wide, rule: { name: 'readout-only' } })), beyond);
    expect(failed.verdict).toBe('does not fit');
    expect(failed.reasons).toEqual([
      'placement: population inh: fan-in 180 of neuron 0 (exc-inh 120, front-inh 60), 179 offered (doc); fits if fanIn >= 180',
    ]);
  });

  it('is a fan-out, the parts of a projection by delay as one', () => {
    const of = spec({ dense: true });
    expect(placed(of, chip('loihi1', { fanOut: most('synapse', 152) })).obstacles).toEqual([]);
    // No autapses: 119 of 120, and the neurons of inh, and the outputs.
    expect(placed(of, chip('loihi1', { fanOut: most('synapse', 150) })).obstacles).toEqual([
      {
        because: expect.stringMatching(
          /^population exc: fan-out 15[12] of neuron 0 \(exc-exc 1(19|20), exc-inh 30, out 2\), 150 offered \(doc\)$/,
        ),
        limit: 'fanOut',
        least: expect.toSatisfy((least: number) => least === 151 || least === 152),
      },
    ]);
  });

  it('is a delay beyond the range, of each projection that has it', () => {
    expect(placed(spec(), chip('loihi1', { delaySteps: most('step', 5) })).obstacles).toEqual([]);
    expect(placed(spec(), chip('loihi1', { delaySteps: most('step', 4) })).obstacles).toEqual([
      { because: 'projection exc-exc: delay of 5 steps, 4 offered (doc)', limit: 'delaySteps', least: 5 },
      { because: 'projection exc-inh: delay of 5 steps, 4 offered (doc)', limit: 'delaySteps', least: 5 },
    ]);
    // One step is what every spike takes.
    const plain = { 'exc-exc': { from: 'exc', to: 'exc' }, 'exc-inh': { from: 'exc', to: 'inh' } };
    const none = chip('loihi1', { delaySteps: most('step', 0) });
    expect(placed(spec({ projections: plain }), none).obstacles).toEqual([]);
  });

  it('are too few cores, with what fills them', () => {
    const few = chip('loihi1', { neuronsPerCore: most('neuron', 100), cores: most('core', 2) });
    expect(placed(spec(), few).obstacles).toEqual([
      { because: '3 cores (2 full by neurons), 2 offered (doc)', limit: 'cores', least: 3 },
    ]);
    const wide = on('odin', { name: 'e-prop-1' }).placement;
    expect(wide.obstacles).toEqual([
      {
        because: 'population rec: fan-out 272 of neuron 0 (rec 256, out 16), 256 offered (code)',
        limit: 'fanOut',
        least: 272,
      },
      {
        because: 'population rec: neuron 0 alone (in 256, rec 256) takes 512 axons, 256 a core offered (code)',
        limit: 'axonsPerCore',
        least: 512,
      },
    ]);
  });

  it.each<readonly [string, Partial<ChipProfile>, string[]]>([
    [
      'population front: neuron 0 alone (input-front 40) takes 80 axons, 79 a core offered',
      { axonsPerCore: most('axon', 79) },
      [],
    ],
    [
      'population exc: neuron 0 alone (front-exc 60, exc-exc 31, inh-exc 30) takes 984 bytes of synapse memory, 600 a core offered',
      { coreMemory: most('byte', 600) },
      Array.from({ length: 20 }, (_, n) => `front ${3 * n}-${3 * n + 2}`),
    ],
    [
      'population front: neuron 0 alone (input-front 40) takes 1 neuron, 0 a core offered',
      { neuronsPerCore: most('neuron', 0) },
      [],
    ],
  ])('is a neuron that no core holds: %s', (message, change, before) => {
    const got = placed(spec(), chip('loihi1', change));
    expect(got.obstacles.map(({ because }) => because)).toEqual([expect.stringContaining(message)]);
    expect(shown(got.cores)).toEqual(before);
    expect(got.complete).toBe(false);
  });
});

describe('what a profile does not know', () => {
  it('is said, and nothing is assumed of it', () => {
    const { unknown, obstacles } = placed(spec(), chip('loihi2'));
    expect(obstacles).toEqual([]);
    expect(unknown).toEqual([
      'axons of a core',
      'fan-in',
      'fan-out',
      'whether populations can share a core (kept apart)',
      'spikes that act within their step (front-exc)',
    ]);
    const got = deploy(demandOf(spec()), chip('loihi2'));
    expect(placement(got)?.because).toMatch(/^fits on 4 of 128 cores: .*; not known: axons of a core, fan-in, fan-out/);
  });

  it('is not what has no limit', () => {
    const { unknown, cores } = placed(spec(), chip('ideal'));
    expect(unknown).toEqual(['spikes that act within their step (front-exc)']);
    expect(cores).toHaveLength(1);
    const nothing = chip('ideal', { cores: most('core', null), delaySteps: most('step', null) });
    expect(placed(spec(), nothing).unknown.slice(0, 2)).toEqual(['number of cores', 'longest delay']);
  });

  it.each(chips.map(({ name }) => name))('leaves a placement of every neuron on %s', (id) => {
    const { cores } = placed(spec({ rule: { name: 'readout-only' } }), chip(id));
    expect(cores.flatMap(({ parts }) => parts).reduce((sum, { from, to }) => sum + to - from, 0)).toBe(212);
  });
});

it('state per synapse is that of the projection with most, however many do not learn', () => {
  const one = deploy(demandOf(spec({ rule: { name: 'rflo', leak: { decay: 0.9 } } })), chip('loihi2'));
  const state = one.checks.find(({ name }) => name === 'state per synapse');
  const ofFront = one.inventory.filter(({ name }) => /^projection\.front-exc\./.test(name));
  const bits = ofFront.reduce((sum, variable) => sum + (variable.home === 'synapse' ? variable.bits : 0), 0);
  expect(bits).toBeGreaterThan(0);
  expect(one.inventory.some(({ owner }) => owner === 'projection.inh-exc')).toBe(false);
  expect(state?.because).toBe(`${bits} bit beside the weight of input-front`);
});
