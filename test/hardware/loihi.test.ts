import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addActivation,
  createAtrlif,
  createConnection,
  createLif,
  decayOfFraction,
  decayTowardZero,
  type LifParams,
  prepareWeights,
  shift,
  wrapOnce,
  wrapTwosComplement,
} from '../../hardware/loihi/index.ts';
import { ConfigError } from '../../src/core/errors.ts';

const half = 2 ** 23;
const one: LifParams = { du: 4095, dv: 0, vth: 10, biasMant: [0], biasExp: [0] };

describe('integer arithmetic', () => {
  it('decays toward zero, not toward minus infinity', () => {
    expect([decayTowardZero(5, 1), decayTowardZero(-5, 1), Math.floor((-5 * 4095) / 4096)]).toEqual([4, -4, -5]);
    expect(decayTowardZero(-1, 1)).toBe(0);
    expect(Object.is(decayTowardZero(-1, 4096), 0)).toBe(true);
  });

  it('decays as 64-bit integers do, beyond what 32-bit shifts hold', () => {
    const exact = (x: number, d: number) => {
      const kept = Number((BigInt(Math.abs(x)) * BigInt(4096 - d)) >> 12n);
      return x < 0 ? 0 - kept : kept;
    };
    expect(((half - 1) * 4095) >> 12 === exact(half - 1, 1)).toBe(false);
    fc.assert(
      fc.property(fc.integer({ min: 1 - half, max: half }), fc.integer({ min: 0, max: 4096 }), (x, d) =>
        Object.is(decayTowardZero(x, d), exact(x, d)),
      ),
    );
  });

  it('wraps once into (-2^23, 2^23], and as two’s complement into [-2^23, 2^23)', () => {
    expect([half, half + 1, -half, 1 - half].map(wrapOnce)).toEqual([half, 1 - half, half, 1 - half]);
    expect([half, half + 1, -half, -half - 1].map((x) => wrapTwosComplement(x, 24))).toEqual([
      ...[-half, 1 - half, -half, half - 1],
    ]);
    expect(wrapOnce(half + 2 ** 24 + 5)).toBe(half + 5);
    expect(wrapTwosComplement(half + 2 ** 24 + 5, 24)).toBe(5 - half);
  });

  it('shifts right with the floor', () => {
    expect([shift(-1, -3), shift(-8, -3), shift(7, -3), shift(-3, 2)]).toEqual([-1, -1, 0, -12]);
  });
});

describe('weights', () => {
  const prepared = (weights: number[], weightBits: number) => [
    ...createConnection(weights, { weightBits }, 1, weights.length).weights,
  ];

  it('are cut to even numbers toward minus infinity where signs are mixed', () => {
    expect(prepared([3, -3, 255, -300], 8)).toEqual([2, -4, 254, -256]);
    expect(prepared([7, -7, 9, -9], 6)).toEqual([0, -8, 8, -16]);
  });

  it('are cut toward zero where all are inhibitory or excitatory', () => {
    expect(prepared([-3, -7, -300], 6)).toEqual([0, -4, -252]);
    expect(prepared([-3, -300], 8)).toEqual([-3, -255]);
    expect(prepared([3, 7, 300], 6)).toEqual([0, 4, 252]);
  });

  it('are excitatory where all are 0, and mixed where that is asked for', () => {
    expect(createConnection([0, 0], {}, 1, 2).signMode).toBe('excitatory');
    const mixed = createConnection([3, 5], { signMode: 'mixed' }, 1, 2);
    expect([mixed.signMode, ...mixed.weights]).toEqual(['mixed', 2, 4]);
    expect([...createConnection([0, 0], { signMode: 'inhibitory' }, 1, 2).weights]).toEqual([0, 0]);
  });

  it('stay on their grid, and preparing them twice changes nothing', () => {
    const modes = fc.constantFrom('excitatory', 'inhibitory', 'mixed');
    fc.assert(
      fc.property(fc.integer({ min: -400, max: 400 }), modes, fc.integer({ min: 1, max: 8 }), (w, mode, bits) => {
        const signed = mode === 'excitatory' ? Math.abs(w) : mode === 'inhibitory' ? -Math.abs(w) : w;
        const [once, twice] = [new Int32Array(1), new Int32Array(1)];
        prepareWeights(once, [signed], mode, bits);
        prepareWeights(twice, once, mode, bits);
        const step = 2 ** (8 - bits + (mode === 'mixed' ? 1 : 0));
        expect(once[0] / step).toBe(Math.trunc(once[0] / step));
        expect(twice[0]).toBe(once[0]);
      }),
    );
  });

  it('are summed before the shift, which is a floor', () => {
    const activation = (weights: number[], exponent: number) => {
      const { weights: w, sum } = createConnection(weights, { exponent }, weights.length, 1);
      const a = new Float64Array(1);
      addActivation(a, sum, w, new Array(weights.length).fill(1), exponent, weights.length, 1);
      return a[0];
    };
    expect(activation([3, 3], -2)).toBe(1);
    expect(activation([-1, -1], -2)).toBe(-1);
    expect(activation([-1, -1], 3)).toBe(-16);
  });
});

describe('LIF', () => {
  it('adds 1 to du only: 4095 has no memory, 0 still leaks, and dv = 0 does not', () => {
    const memoryless = createLif({ ...one, du: 4095, dv: 4095, vth: 131071 });
    memoryless.step([5]);
    memoryless.step([0]);
    expect(memoryless.u[0]).toBe(0);
    expect(memoryless.v[0]).toBe(0);
    const lasting = createLif({ ...one, du: 0, dv: 0, vth: 131071 });
    lasting.step([64]);
    expect([lasting.u[0], lasting.v[0]]).toEqual([4096, 4096]);
    lasting.step([0]);
    expect([lasting.u[0], lasting.v[0]]).toEqual([4095, 8191]);
  });

  it('compares strictly, with v of the new u', () => {
    const at = createLif(one);
    at.step([10]);
    expect([at.u[0], at.v[0], at.z[0]]).toEqual([640, 640, 0]);
    const above = createLif({ ...one, biasMant: [1] });
    above.step([10]);
    expect([above.u[0], above.v[0], above.z[0]]).toEqual([640, 0, 1]);
  });

  it('lets the bias into v, not into u, shifted by its exponent', () => {
    const lif = createLif({ ...one, vth: 131071, biasMant: [5, -5, 5], biasExp: [3, -1, -1] });
    lif.step([0, 0, 0]);
    expect([...lif.u]).toEqual([0, 0, 0]);
    expect([...lif.v]).toEqual([40, -3, 2]);
  });

  it('wraps u at either end, where the two overflows differ', () => {
    const big = { ...one, vth: 131071, biasMant: [0], biasExp: [0] };
    const lava = createLif(big);
    lava.step([131072]);
    expect(lava.u[0]).toBe(half);
    lava.step([-131072]);
    expect(lava.u[0]).toBe(half);
    const nengo = createLif({ ...big, overflow: { kind: 'nengo-loihi' } });
    nengo.step([131072]);
    // 2^23 is a multiple of the 2^22 that its sum wraps at.
    expect(nengo.u[0]).toBe(0);
    nengo.step([32767]);
    expect(nengo.u[0]).toBe(2 ** 21 - 64);
    nengo.step([32768]);
    expect(nengo.u[0]).toBe(-(2 ** 21));
  });

  it('wraps u + b too in nengo-loihi', () => {
    const params = { ...one, du: 0, dv: 4095, vth: 131071, biasMant: [4095], biasExp: [7] };
    const lava = createLif(params);
    const nengo = createLif({ ...params, overflow: { kind: 'nengo-loihi' } });
    for (let t = 0; t < 4; t++) for (const lif of [lava, nengo]) lif.step([32700]);
    expect(nengo.u[0]).toBe(lava.u[0]);
    expect(lava.u[0] + 4095 * 128).toBeGreaterThan(half);
    // lava clips v at its top, which is above the highest threshold.
    expect([lava.z[0], lava.v[0]]).toEqual([1, 0]);
    expect(nengo.z[0]).toBe(0);
    expect(nengo.v[0]).toBeLessThan(-half / 2);
  });

  it('clips v, without wrapping it', () => {
    const lif = createLif({ ...one, vth: 131071, biasMant: [-4096, 4095], biasExp: [7, 7] });
    for (let t = 0; t < 20; t++) lif.step([-70000, 0]);
    expect(lif.v[0]).toBe(1 - half);
    const limited = createLif({
      ...{ ...one, vth: 131071, biasMant: [-4096, 4095], biasExp: [7, 7] },
      overflow: { kind: 'nengo-loihi', vMinExponent: 10, vMaxExponent: 3 },
    });
    limited.step([0, 0]);
    expect([...limited.v]).toEqual([1 - 2 ** 10, 2 ** 15 - 1]);
  });

  it('has no refractory time in lava; in nengo-loihi v is held at 0 for one step less', () => {
    const spikes = (overflow: LifParams['overflow']) => {
      const lif = createLif({ ...one, overflow });
      return Array.from({ length: 9 }, () => {
        lif.step([11]);
        return lif.z[0];
      });
    };
    expect(spikes({ kind: 'lava' })).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect(spikes({ kind: 'nengo-loihi', refractory: 1 })).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect(spikes({ kind: 'nengo-loihi', refractory: 4 })).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
  });

  it('follows the same equation in 64-bit integers', () => {
    const decay = (x: bigint, d: bigint) => (x < 0n ? -((-x * (4096n - d)) >> 12n) : (x * (4096n - d)) >> 12n);
    const drive = fc.array(fc.integer({ min: -131071, max: 131071 }), { minLength: 20, maxLength: 20 });
    const twelve = fc.integer({ min: 0, max: 4095 });
    let wraps = 0;
    let fired = 0;
    fc.assert(
      fc.property(drive, twelve, twelve, fc.integer({ min: 0, max: 131071 }), (a, du, dv, vth) => {
        const lif = createLif({ ...one, du, dv, vth, biasMant: [-77], biasExp: [2] });
        let [u, v] = [0n, 0n];
        for (const input of a) {
          lif.step([input]);
          u = decay(u, BigInt(du + 1)) + (BigInt(input) << 6n);
          if (u > 8388608n || u <= -8388608n) wraps++;
          u += u > 8388608n ? -16777216n : u <= -8388608n ? 16777216n : 0n;
          v = decay(v, BigInt(dv)) + u + (-77n << 2n);
          v = v > 8388607n ? 8388607n : v < -8388607n ? -8388607n : v;
          const z = v > BigInt(vth) << 6n ? 1 : 0;
          if (z === 1) v = 0n;
          fired += z;
          expect([lif.u[0], lif.v[0], lif.z[0]]).toEqual([Number(u), Number(v), z]);
        }
      }),
    );
    expect(wraps).toBeGreaterThan(50);
    expect(fired).toBeGreaterThan(50);
  });
});

describe('adaptive-threshold neuron', () => {
  const params = { dCurrent: 4095, dMembrane: 0, dThreshold: 0, dRefractory: 0, theta0: 10, thetaStep: 3 };

  it('compares without strictness, keeps its membrane and raises threshold and refractory variable', () => {
    const neuron = createAtrlif({ ...params, biasMant: [0], biasExp: [0] });
    neuron.step([10]);
    expect([neuron.v[0], neuron.z[0], neuron.r[0], neuron.theta[0]]).toEqual([640, 1, 1280, 832]);
    neuron.step([0]);
    expect([neuron.v[0], neuron.z[0], neuron.r[0], neuron.theta[0]]).toEqual([640, 0, 1280, 832]);
    neuron.step([23]);
    // v - r = 640 + 1472 - 1280 is the threshold.
    expect([neuron.v[0], neuron.z[0], neuron.r[0], neuron.theta[0]]).toEqual([2112, 1, 2944, 1024]);
  });

  it('lets the threshold decay toward its rest, also from below 64', () => {
    const neuron = createAtrlif({ ...params, dThreshold: 2048, biasMant: [0], biasExp: [0] });
    neuron.step([10]);
    neuron.step([0]);
    expect(neuron.theta[0]).toBe(640 + 96);
  });

  it('takes decays that lava would cut in one place only: none', () => {
    expect(decayOfFraction(0.25, 'delta_i')).toBe(1024);
    expect(() => decayOfFraction(0.1, 'delta_v')).toThrow(/delta_v: got 0.1, expected a multiple of 1\/4096/);
    expect(() => decayOfFraction(1, 'delta_v')).toThrow(ConfigError);
  });
});

describe('refuses', () => {
  it.each<[string, Partial<Record<keyof LifParams, unknown>>, RegExp]>([
    ['du of 13 bits', { du: 4096 }, /lif\.du: got 4096, expected number to be <=4095/],
    ['a negative dv', { dv: -1 }, /lif\.dv: got -1, expected number to be >=0/],
    ['a fraction', { dv: 0.5 }, /lif\.dv: got 0.5, expected int/],
    ['a threshold of 18 bits', { vth: 131072 }, /lif\.vth: got 131072/],
    ['a bias of 14 bits', { biasMant: [4096] }, /lif\.biasMant\.0: got 4096/],
    ['a bias exponent of 4 bits', { biasExp: [8] }, /lif\.biasExp\.0: got 8/],
    ['a missing bias exponent', { biasMant: [1, 2] }, /lif\.biasExp: got 1, expected 2 exponents/],
    ['no neurons', { biasMant: [], biasExp: [] }, /lif\.biasMant/],
    ['an unknown overflow', { overflow: { kind: 'saturate' } }, /lif\.overflow/],
    ['a refractory time in lava', { overflow: { kind: 'lava', refractory: 2 } }, /lif\.overflow/],
    [
      'a refractory time of 0',
      { overflow: { kind: 'nengo-loihi', refractory: 0 } },
      /lif\.overflow\.refractory: got 0/,
    ],
    ['an unknown key', { tau: 3 } as never, /lif/],
  ])('%s', (_what, change, message) => {
    const params = { ...one, ...change } as LifParams;
    expect(() => createLif(params)).toThrow(ConfigError);
    expect(() => createLif(params)).toThrow(message);
  });

  it('weights and connections that the chip cannot have', () => {
    expect(() => createConnection([1.5], {}, 1, 1)).toThrow(/connection\.weights\.0: got 1.5, expected an integer/);
    expect(() => createConnection([1, 2], {}, 1, 1)).toThrow(/expected 1 x 1 weights/);
    expect(() => createConnection([1], { weightBits: 9 }, 1, 1)).toThrow(/connection\.weightBits: got 9/);
    expect(() => createConnection([1], { exponent: 8 }, 1, 1)).toThrow(/connection\.exponent: got 8/);
    expect(() => createConnection([1, -1], { signMode: 'excitatory' }, 1, 2)).toThrow(/connection\.signMode/);
  });

  it('an adaptive neuron out of range', () => {
    const params = { dCurrent: 4096, dMembrane: 0, dThreshold: 0, dRefractory: 0, theta0: 1, thetaStep: 1 };
    expect(() => createAtrlif({ ...params, biasMant: [0], biasExp: [0] })).toThrow(/atrlif\.dCurrent: got 4096/);
  });
});
