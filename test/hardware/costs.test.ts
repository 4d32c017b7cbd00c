import { describe, expect, it } from 'vitest';
import { rowBits } from '../../hardware/afferents.ts';
import { type CheckName, type Deployment, profiles } from '../../hardware/index.ts';
import { on } from './demands.ts';

const check = ({ checks }: Deployment, name: CheckName) => checks.find((found) => found.name === name);
const chip = (id: string) => profiles.find((profile) => profile.id === id) ?? profiles[0];
const factored = { name: 'e-prop-1', readoutFilter: false };
const filtered = { readout: { filter: { decay: 0.9 } } };

describe('arithmetic width', () => {
  it('of ReckOn holds trace x pseudo-derivative x signal to the bit', () => {
    const got = on('reckon', factored, filtered);
    expect(got.products[0]).toEqual({ of: 'trace x pseudo-derivative x signal', bits: 31, shift: 0 });
    expect(check(got, 'arithmetic width')).toMatchObject({
      status: 'pass',
      because: expect.stringContaining('has 32 bit, 32 offered (code); smallest update 2^-32 of a step'),
    });
  });

  it('of Loihi shifts as lava does, and says what the floor costs', () => {
    const got = on('loihi2', factored, filtered);
    // 7 + 7 + 7 bits of factors and 4 of the mantissa, less 15.
    expect(got.products[0].shift).toBe(10);
    expect(check(got, 'arithmetic width')).toMatchObject({
      status: 'degraded',
      because: expect.stringMatching(/shifted right by 10, products below 2\^10 vanish, and the floor lowers signed/),
    });
    // Two factors fewer: tag and signal.
    expect(on('loihi2', { name: 'e-prop-1' }, filtered).products[0].shift).toBe(3);
  });

  it('of a chip without digits below its weights moves them by whole steps', () => {
    expect(check(on('brainscales2', factored), 'arithmetic width')?.because).toMatch(/; smallest update one step$/);
  });

  it('has no figure where the accumulator is software', () => {
    const got = on('spinnaker2', factored, filtered);
    expect(got.products).toEqual([]);
    expect(check(got, 'arithmetic width')?.because).toBe('no figure (software: float32)');
  });
});

describe('decays', () => {
  const membrane = (decay: number) => ({ neuron: { kind: 'lif', membrane: { decay } }, ...filtered });
  const first = (id: string, decay: number) => on(id, factored, membrane(decay)).decays[0];

  it('of ReckOn are kept to 2^-15 above 0.875, and none below', () => {
    expect(first('reckon', 0.95)).toMatchObject({ kept: 31130 / 32768, longestTau: 32768, deadZone: 1, inRange: true });
    expect(check(on('reckon', factored, membrane(0.5)), 'decays')).toMatchObject({
      status: 'fail',
      because: expect.stringMatching(/^population\.rec\.v 0\.5 as 0\.875 .*: out of the range of the chip$/),
    });
  });

  it('by shifts are powers of two', () => {
    expect(first('xylo', 0.9).kept).toBe(1 - 2 ** -3);
    expect(check(on('xylo', { name: 'readout-only' }, membrane(0.9)), 'decays')?.status).toBe('degraded');
    expect(check(on('xylo', { name: 'readout-only' }, { ...membrane(0.875), readout: {} }), 'decays')?.status).toBe(
      'pass',
    );
    // A word of 16 bits that is always rounded down.
    expect(first('xylo', 0.875)).toMatchObject({ longestTau: 65536, deadZone: 8 });
  });

  it('that a word cannot hold are refused, and by subtraction are none', () => {
    expect(check(on('reckon', factored, membrane(0.99999)), 'decays')?.status).toBe('fail');
    expect(check(on('odin', factored, membrane(0.9)), 'decays')?.because).toMatch(/subtracts a constant \(code:/);
  });

  it('leave room for a spike per step in a trace', () => {
    const trace = on('reckon', factored, filtered).decays.find(({ name }) => name === 'readout.out.zBar');
    expect(trace?.kept).toBe(115 / 128);
    expect(trace?.spike).toBeCloseTo(1024 * (13 / 128), 10);
  });
});

describe('rows of synapses', () => {
  /** The table of nengo-loihi's accounting: a dense N x N block in percent of a core. */
  it.each([
    [64, 8, true, 3.5],
    [128, 8, true, 14.1],
    [256, 8, true, 56.2],
    [512, 8, true, 225],
    [256, 8, false, 119],
    [64, 16, true, 6.6],
    [128, 16, true, 26.6],
    [256, 16, true, 106],
    [512, 16, true, 425],
    [64, 22, false, 12.9],
    [256, 22, false, 206],
  ])('of %i x %i synapses of %i bit on a core of Loihi', (n, bits, dense, percent) => {
    const bytes = (n * rowBits(n, bits, dense, chip('loihi1'))[n]) / 8;
    expect((100 * bytes) / 131_072).toBeCloseTo(percent, percent < 100 ? 0.5 : 0);
  });
});

describe('operations per step', () => {
  const rateHz = 20;
  const got = on('reckon', factored, { ...filtered, rateHz });

  it('of inference are those of the spikes', () => {
    const { activity, synapticEvents, inference } = got.operations;
    expect(activity).toEqual({ rateHz, spikesPerStep: 0.02, source: 'as given' });
    // 512 sources of 256 synapses and 256 of 16, a fiftieth of them.
    expect(synapticEvents).toBeCloseTo(0.02 * (512 * 256 + 256 * 16), 8);
    expect(inference).toMatchObject({ stateReads: 272, stateWrites: 272, rowWrites: 0, draws: 272 });
    expect(inference.rowReads).toBeCloseTo(0.02 * 768, 8);
    expect(inference.multiplyAdds).toBeCloseTo(synapticEvents + 272, 8);
  });

  it('of learning are those of the state and of the synapses', () => {
    const { learning } = got.operations;
    expect(learning.stateWrites).toBe(768);
    expect(learning.multiplyAdds).toBe(768 + 2 * 131_072 + 2 * 4096);
    expect(learning).toMatchObject({ rowWrites: 768, rowReads: 768 + 256 });
  });

  it('of BPTT have the recurrent Jacobian, once or window / segment times', () => {
    const products = (rule: object) =>
      on('reckon', { name: 'bptt', ...rule }, filtered).operations.learning.multiplyAdds;
    expect(products({ window: 4, segment: 2 }) - products({ window: 4 })).toBe(65_536);
  });

  it('take the target of the rate term where no rate is given', () => {
    expect(on('reckon', factored).operations.activity).toMatchObject({ rateHz: 10, source: 'rateTerm.targetHz' });
    expect(on('loihi2', factored, { neuron: { kind: 'rate' } }).operations.activity.spikesPerStep).toBe(1);
  });

  it('give a range of energy with its source, or no figure', () => {
    const { energy, operations } = got;
    expect(energy?.low).toBeCloseTo(operations.synapticEvents * 5.3, 8);
    expect(energy?.high).toBeCloseTo((operations.synapticEvents + operations.learning.multiplyAdds) * 5.3, 6);
    expect(energy?.source).toBe('doc: repository text, 0.5 V, 28 nm');
    expect(on('loihi2', factored).energy).toBeNull();
    expect(check(on('loihi2', factored), 'energy')?.because).toBe('no figure');
  });
});
