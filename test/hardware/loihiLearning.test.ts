import { describe, expect, it } from 'vitest';
import {
  createLearning,
  type InitialSynapses,
  type LearningParams,
  type SharedNumbers,
  type SharedSource,
} from '../../hardware/loihi/index.ts';
import { traceHistory } from '../../hardware/loihi/trace.ts';
import { ConfigError, UnsupportedError } from '../../src/core/errors.ts';
import { createRng } from '../../src/core/rng.ts';

type Products = NonNullable<LearningParams['dw']>;
type Compatible = LearningParams['compatible'];

const everyEpoch = { everyEpochs: 0 };
const base = { compatible: 'lava', signMode: 'mixed' } as const;

/** The same numbers at every step. */
function constant(numbers: Partial<SharedNumbers> = {}): SharedSource {
  return { step: (into) => Object.assign(into, numbers), epoch: (into) => Object.assign(into, numbers) };
}

/** One pre, one post neuron: traces and synapse after the given spikes. */
function run(
  params: Partial<LearningParams>,
  spikes: readonly (readonly [pre: number, post: number])[],
  numbers: Partial<SharedNumbers> = {},
  initial: InitialSynapses = { w: [0] },
) {
  const learning = createLearning({ ...base, ...params }, initial, 1, 1, constant(numbers));
  for (const [pre, post] of spikes) learning.step([pre], [post]);
  const { traces, synapse } = learning;
  return { x1: traces.x1[0], y1: traces.y1[0], w: synapse.w[0], d: synapse.d[0], t: synapse.t[0] };
}

function term(factors: Products[number]['factors'], exponent = 0, mantissa = 1): Products[number] {
  return { mantissa, exponent, dependency: everyEpoch, factors };
}

/** Share of neurons whose trace gets one more than the integer part of its impulse from one spike. */
function shareRoundedUp(compatible: Compatible, impulse: number, spikes: number): number {
  const epochs = 1500;
  let up = 0;
  const params: LearningParams = {
    compatible,
    epochSteps: 2,
    signMode: 'mixed',
    traces: { x1: { impulse, tau: 1e9 } },
  };
  const learning = createLearning(params, { w: [0] }, 1, 1, createRng(7));
  for (let e = 0; e < epochs; e++) {
    learning.traces.x1[0] = 0;
    learning.step([spikes - 1], [0]);
    learning.step([1], [0]);
    up += learning.traces.x1[0] - spikes * Math.floor(impulse);
  }
  return up / epochs;
}

describe('traces', () => {
  it('decay to the floor or one above, by one number, and to 0 without a time constant', () => {
    const decayed = (xDecay: number, tau: number) => {
      const learning = createLearning({ ...base, traces: { x1: { tau } } }, { w: [0] }, 1, 1, constant({ xDecay }));
      learning.traces.x1[0] = 100;
      learning.step([0], [0]);
      return learning.traces.x1[0];
    };
    // 100 exp(-1/10) = 90.48
    expect([decayed(0.47, 10), decayed(0.49, 10), decayed(0, 0)]).toEqual([91, 90, 0]);
  });

  it('clip at 127, where a spike comes', () => {
    const params = { traces: { x1: { tau: 1000, impulse: 100 } } };
    expect(run(params, [[1, 0]]).x1).toBe(100);
    expect(
      run(
        params,
        [...Array(2)].map(() => [1, 0] as const),
      ).x1,
    ).toBe(127);
  });

  it('keep the last spike of an epoch in time, and add earlier ones before it starts', () => {
    const params = { epochSteps: 3, traces: { x1: { tau: 2, impulse: 40 } } };
    const decay = Math.exp(-1 / 2);
    const last = { xDecay: 0.999999 };
    const floored = (x: number, steps: number): number => (steps === 0 ? x : floored(Math.floor(x * decay), steps - 1));
    const once: readonly (readonly [number, number])[] = [
      [0, 0],
      [1, 0],
      [0, 0],
    ];
    expect(run(params, once, last).x1).toBe(floored(40, 1));
    const twice: readonly (readonly [number, number])[] = [
      [1, 0],
      [1, 0],
      [0, 0],
    ];
    expect(run(params, twice, last).x1).toBe(floored(floored(40, 2) + 40, 1));
  });

  it.each([
    ['lava', 0.125, 0.25],
    ['lava', 0.25, 0.5],
    ['lava', 0.5, 1],
    ['own', 0.125, 0.125],
    ['own', 0.25, 0.25],
    ['own', 0.5, 0.5],
  ] as const)('%s: a fraction of %f comes with probability %f', (compatible, fraction, probability) => {
    expect(Math.abs(shareRoundedUp(compatible, 10 + fraction, 1) - probability)).toBeLessThan(0.04);
  });

  it('round the impulse of a repeated spike of x up in lava, stochastically in ours', () => {
    // The last spike of two adds its own fraction.
    expect(shareRoundedUp('lava', 10.25, 2)).toBeGreaterThan(1.45);
    expect(Math.abs(shareRoundedUp('own', 10.25, 2) - 0.5)).toBeLessThan(0.06);
  });

  it('use the number of that step for a repeated spike of y', () => {
    const params = { epochSteps: 2, traces: { y1: { tau: 1e9, impulse: 10.25 } } };
    const both = [
      [0, 1],
      [0, 1],
    ] as const;
    // fraction 64 of 256, against 7-bit numbers; the decay of a whole number rounds up with a small number
    expect(run(params, both, { yRepeated: 64, yImpulse: 64 }).y1).toBe(20);
    expect(run(params, both, { yRepeated: 63, yImpulse: 64 }).y1).toBe(21);
    expect(run(params, both, { yRepeated: 63, yImpulse: 63 }).y1).toBe(22);
  });

  it('clip at an earlier spike of an epoch too', () => {
    const params = { epochSteps: 4, traces: { x1: { tau: 2, impulse: 50 } } };
    // 127 instead of 150 decays to 76, 46, 27 and 16 before the last spike.
    expect(
      run(
        params,
        [...Array(4)].map(() => [1, 0] as const),
        { xDecay: 0.999999 },
      ).x1,
    ).toBe(16 + 50);
  });

  it('decay with a number of each step where there is one', () => {
    const history = (perStep: number) => {
      const H = new Int32Array(3);
      const draws = { values: Float64Array.of(0.9, 0.1), at: 0, perStep, perNeuron: 1 };
      traceHistory(H, Int32Array.of(3), Int32Array.of(0), 0.5, 0, 0, draws, draws, 1, 2);
      return [...H];
    };
    expect([history(1), history(0)]).toEqual([
      [3, 1, 1],
      [3, 1, 0],
    ]);
  });

  it('share numbers in lava; ours are drawn for each trace and each step', () => {
    const spread = (compatible: Compatible) => {
      const n = 400;
      const params: LearningParams = { compatible, epochSteps: 8, signMode: 'mixed', traces: { x1: { tau: 15 } } };
      const learning = createLearning(params, { w: new Int32Array(n) }, n, 1, createRng(3));
      learning.traces.x1.fill(90);
      for (let t = 0; t < 8; t++) learning.step(new Int32Array(n), [0]);
      const values = Array.from(learning.traces.x1);
      const mean = values.reduce((sum, x) => sum + x, 0) / n;
      return { different: new Set(values).size, mean };
    };
    expect(spread('lava').different).toBe(1);
    const own = spread('own');
    expect(own.different).toBeGreaterThan(3);
    expect(Math.abs(own.mean - 90 * Math.exp(-8 / 15))).toBeLessThan(0.3);
  });
});

describe('products', () => {
  it('are cut with the floor before the left shift: -1 stays -1, and toward zero where that is asked for', () => {
    const update = (t: number, y2: number, productShift: 'floor' | 'toward-zero') => {
      const params = { ...base, productShift, written: true, dw: [term([{ name: 't' }, { name: 'y2' }])] };
      const learning = createLearning(params, { w: [0], t: [t] }, 1, 1, constant({ yDecay: 0.5 }));
      learning.traces.y2[0] = y2;
      learning.step([0], [0]);
      return learning.synapse.w[0];
    };
    // 16 bits of factors shift by 5.
    expect([update(1, 1, 'floor'), update(-1, 1, 'floor'), update(5, -13, 'floor')]).toEqual([0, -1, -3]);
    expect([update(-1, 1, 'toward-zero'), update(5, -13, 'toward-zero')]).toEqual([0, -2]);
  });

  it.each([
    ['x1 y0', 'y0', ['x1'], 0],
    ['t u', everyEpoch, ['t'], 0],
    ['x1 y1 u', everyEpoch, ['x1', 'y1'], 3],
    ['t y2 u', everyEpoch, ['t', 'y2'], 5],
    ['x1 y1 y2 u', everyEpoch, ['x1', 'y1', 'y2'], 10],
  ] as const)('%s: the factors decide the shift', (_name, dependency, names, bits) => {
    const params = {
      ...base,
      traces: { x1: { tau: 1e9 }, y1: { tau: 1e9 }, y2: { tau: 1e9 } },
      dt: [{ mantissa: 1, exponent: 0, dependency, factors: names.map((name) => ({ name })) }],
    };
    const learning = createLearning(params, { w: [0], t: [16] }, 1, 1, constant());
    for (const name of ['x1', 'y1', 'y2'] as const) learning.traces[name][0] = 16;
    learning.step([0], [1]);
    expect(learning.synapse.t[0]).toBe(16 + 16 ** names.length / 2 ** bits);
  });

  /** Mean of update - truth over t uniform -200..200, y2 uniform -100..100, in units of 2^exponent LSB, by all 32 numbers. */
  function meanError(productShift: 'floor' | 'toward-zero', exponent: number): number {
    const [nPre, nPost] = [401, 201];
    const tags = Int32Array.from({ length: nPre * nPost }, (_, s) => Math.floor(s / nPost) - 200);
    let error = 0;
    for (let k = 0; k < 32; k++) {
      const params = { ...base, productShift, written: true, dw: [term([{ name: 't' }, { name: 'y2' }], exponent)] };
      const numbers = constant({ yDecay: 0.5, rounding: (k + 0.5) / 32 });
      const learning = createLearning(params, { w: new Int32Array(nPre * nPost), t: tags }, nPre, nPost, numbers);
      for (let j = 0; j < nPost; j++) learning.traces.y2[j] = j - 100;
      learning.step(new Int32Array(nPre), new Int32Array(nPost));
      for (const w of learning.synapse.w) error += w;
    }
    return error / (32 * nPre * nPost) / 2 ** exponent;
  }

  it('drift by the floor: -0.44 of 2^e LSB per update where the true mean is 0', () => {
    expect(Math.abs(meanError('floor', -5) + 0.44)).toBeLessThan(0.005);
    expect(Math.abs(meanError('toward-zero', -5))).toBeLessThan(1e-6);
  });

  it('happen where their dependency is met, with the traces of that step', () => {
    const at = (dependency: 'x0' | 'y0', spikes: readonly (readonly [number, number])[]) =>
      run(
        {
          epochSteps: 3,
          traces: { x1: { tau: 2, impulse: 64 } },
          dw: [{ mantissa: 1, exponent: 0, dependency, factors: [{ name: 'x1' }] }],
        },
        spikes,
        { xDecay: 0.999999 },
      ).w;
    const preThenPost = [
      [1, 0],
      [0, 0],
      [0, 1],
    ] as const;
    // 64, 38, 23 after 0, 1 and 2 steps of decay
    expect([at('x0', preThenPost), at('y0', preThenPost)]).toEqual([64, 23]);
    const postThenPre = [
      [0, 1],
      [0, 0],
      [1, 0],
    ] as const;
    expect([at('x0', postThenPre), at('y0', postThenPre)]).toEqual([64, 0]);
    expect([at('y0', [preThenPost[0], [0, 0], [0, 0]]), at('x0', [[0, 1], [0, 0], [0, 0]])]).toEqual([0, 0]); // biome-ignore format: one row
  });

  it('do nothing where their dependency is not met, though the traces are there', () => {
    const dw: Products = [{ mantissa: 1, exponent: 0, dependency: 'y0', factors: [{ name: 'x1' }] }];
    const params: LearningParams = { ...base, traces: { x1: { tau: 1e9 } }, dw };
    const learning = createLearning(params, { w: [0, 0] }, 1, 2, constant());
    learning.traces.x1[0] = 50;
    learning.step([0], [0, 1]);
    expect([...learning.synapse.w]).toEqual([0, 50]);
  });

  it('of u_k happen in every 2^k-th epoch, counted from 1', () => {
    const product = { mantissa: 1, exponent: 0, dependency: { everyEpochs: 2 }, factors: [] };
    const weights = [1, 2, 3, 4, 7, 8].map(
      (epochs) =>
        run(
          { epochSteps: 2, dw: [product] },
          [...Array(2 * epochs)].map(() => [0, 0] as const),
        ).w,
    );
    expect(weights).toEqual([0, 0, 0, 1, 1, 2]);
  });

  it('read the values from before the epoch in all rules', () => {
    const swap = (name: 'w' | 't', other: 'w' | 't') => [term([{ name: other }]), term([{ name }], 0, -1)];
    const { w, t } = run({ dw: swap('w', 't'), dt: swap('t', 'w') }, [[0, 0]], {}, { w: [40], t: [-30] });
    expect([w, t]).toEqual([-30, 40]);
  });

  it('take constants, signs and factors clipped to their widths', () => {
    expect(run({ dt: [term([{ name: 'C', constant: 20 }])] }, [[0, 0]]).t).toBe(20);
    expect(run({ dt: [term([{ name: 't', constant: 5 }])] }, [[0, 0]], {}, { w: [0], t: [10] }).t).toBe(25);
    expect(run({ dt: [term([{ name: 'C', constant: 900 }])] }, [[0, 0]], {}, { w: [0], t: [-200] }).t).toBe(55);
    const sign = (w: number) =>
      run({ dt: [term([{ name: 'w', sign: true, constant: 1 }], 3)] }, [[0, 0]], {}, { w: [w] }).t;
    expect([sign(5), sign(-1), sign(-5)]).toEqual([8, 0, -8]);
  });

  it('learn delays within 0..255', () => {
    const d = (mantissa: number) =>
      run({ dd: [term([{ name: 'C', constant: 100 }], 1, mantissa)] }, [[0, 0]], {}, { w: [0], d: [30] }).d;
    expect([d(1), d(-1), d(2)]).toEqual([230, 0, 255]);
  });
});

describe('synapses', () => {
  const fall = [term([{ name: 'C', constant: 255 }], 8, -8)];
  const rise = [term([{ name: 'C', constant: 255 }], 8, 7)];

  it.each([
    ['lava', 'mixed', -256, 255],
    ['own', 'mixed', -256, 254],
    ['lava', 'excitatory', 0, 255],
    ['lava', 'inhibitory', -255, 0],
    ['own', 'excitatory', 0, 255],
    ['own', 'inhibitory', -255, 0],
  ] as const)('%s, %s: weights stay within %i..%i', (compatible, signMode, low, high) => {
    const w = (dw: Products) => {
      const learning = createLearning({ compatible, signMode, dw }, { w: [0] }, 1, 1, createRng(1));
      for (let t = 0; t < 4; t++) learning.step([0], [0]);
      return learning.synapse.w[0];
    };
    expect([w(fall), w(rise)]).toEqual([low, high]);
  });

  it('tags range from -257 in lava, one below two’s complement, and from -256 in ours', () => {
    const t = (compatible: Compatible, seed: number) => {
      const learning = createLearning({ compatible, signMode: 'mixed', dt: fall }, { w: [0] }, 1, 1, createRng(seed));
      const seen = Array.from({ length: 400 }, () => {
        learning.step([0], [0]);
        return learning.synapse.t[0];
      });
      return Math.min(...seen);
    };
    expect([t('lava', 1), t('own', 1)]).toEqual([-257, -256]);
  });

  it('round by one number in lava, which is the same for every seed', () => {
    const decay = [term([{ name: 'C', constant: 3 }], -3)];
    const weights = (compatible: Compatible, seed: number) => {
      const n = 200;
      const params: LearningParams = { compatible, signMode: 'excitatory', dw: decay };
      const learning = createLearning(params, { w: new Int32Array(n) }, n, 1, createRng(seed));
      for (let t = 0; t < 40; t++) learning.step(new Int32Array(n), [0]);
      return learning.synapse.w;
    };
    expect(new Set(weights('lava', 1)).size).toBe(1);
    expect(weights('lava', 2)).toEqual(weights('lava', 1));
    expect(new Set(weights('own', 1)).size).toBeGreaterThan(5);
    expect(weights('own', 2)).not.toEqual(weights('own', 1));
    expect(weights('own', 1)).toEqual(weights('own', 1));
  });

  it('of ours round without bias, each for itself, and mixed ones to even numbers', () => {
    const [n, epochs] = [2000, 30];
    const update = 3 / 8;
    for (const signMode of ['mixed', 'excitatory'] as const) {
      const params: LearningParams = { compatible: 'own', signMode, dw: [term([{ name: 'C', constant: 3 }], -3)] };
      const learning = createLearning(params, { w: new Int32Array(n) }, n, 1, createRng(5));
      const grid = signMode === 'mixed' ? 2 : 1;
      let products = 0;
      let before = Float64Array.from(learning.synapse.w);
      for (let t = 0; t < epochs; t++) {
        learning.step(new Int32Array(n), [0]);
        const error = Array.from(learning.synapse.w, (w, s) => w - before[s] - update);
        for (let s = 1; s < n; s++) products += error[s] * error[s - 1];
        before = Float64Array.from(learning.synapse.w);
      }
      expect(learning.synapse.w.every((w) => w % grid === 0)).toBe(true);
      const mean = learning.synapse.w.reduce((sum, w) => sum + w, 0) / n;
      const p = update / grid;
      const variance = grid ** 2 * p * (1 - p);
      expect(Math.abs(mean - epochs * update)).toBeLessThan(4 * Math.sqrt((epochs * variance) / n));
      expect(Math.abs(products / (epochs * (n - 1)) / variance)).toBeLessThan(4 / Math.sqrt(epochs * n));
    }
  });

  it('of mixed sign learn odd values in lava', () => {
    expect(run({ dw: [term([{ name: 'C', constant: 3 }])] }, [[0, 0]]).w).toBe(3);
  });
});

describe('traces that the neuron writes', () => {
  const learnt = (compatible: Compatible, y2: number, post: number) => {
    const params: LearningParams = { compatible, signMode: 'mixed', written: true, dt: [term([{ name: 'y2' }])] };
    const learning = createLearning(params, { w: [0] }, 1, 1, createRng(2));
    learning.traces.y2[0] = y2;
    learning.step([1], [post]);
    expect(learning.traces.y2[0]).toBe(y2);
    return learning.synapse.t[0];
  };

  it('may be negative; lava uses 0 where the neuron spikes in that epoch, we what was written', () => {
    expect([learnt('lava', -43, 0), learnt('lava', -43, 1), learnt('lava', 43, 1)]).toEqual([-43, 0, 43]);
    expect([learnt('own', -43, 0), learnt('own', -43, 1), learnt('own', 43, 1)]).toEqual([-43, -43, 43]);
  });

  it('decay by one in 127/65535 of the epochs in lava, in ours not', () => {
    const lost = (compatible: Compatible, yDecay: number) => {
      const params: LearningParams = { compatible, signMode: 'mixed', written: true, dt: [term([{ name: 'y1' }])] };
      const source = compatible === 'lava' ? constant({ yDecay }) : createRng(1);
      const learning = createLearning(params, { w: [0] }, 1, 1, source);
      learning.traces.y1[0] = 127;
      learning.step([0], [0]);
      return 127 - learning.synapse.t[0];
    };
    expect([lost('lava', 0.997), lost('lava', 0.9985), lost('own', 0)]).toEqual([0, 1, 0]);
  });
});

describe('refuses', () => {
  const product = term([{ name: 'x1' }]);
  it.each<[string, object, RegExp]>([
    ['an epoch of 64 steps', { epochSteps: 64 }, /learning\.epochSteps: got 64/],
    ['an epoch of 0 steps', { epochSteps: 0 }, /learning\.epochSteps: got 0/],
    ['a mantissa of 5 bits', { dw: [{ ...product, mantissa: 8 }] }, /learning\.dw\.0\.mantissa: got 8/],
    ['an exponent of 9', { dt: [{ ...product, exponent: 9 }] }, /learning\.dt\.0\.exponent: got 9/],
    ['a reward', { dw: [{ ...product, factors: [{ name: 'r1' }] }] }, /learning\.dw\.0\.factors\.0\.name: got "r1"/],
    [
      'the sign of a trace',
      { dw: [term([{ name: 'x1', sign: true }])] },
      /learning\.dw\.0\.factors\.0: got .* sign only/,
    ],
    ['a product without dependency', { dw: [{ mantissa: 1, exponent: 0 }] }, /learning\.dw\.0\.dependency/],
    ['an impulse of 128', { traces: { x1: { impulse: 128 } } }, /learning\.traces\.x1\.impulse: got 128/],
    ['a negative tau', { traces: { y1: { tau: -1 } } }, /learning\.traces\.y1\.tau: got -1/],
    ['a trace z1', { traces: { z1: { tau: 1 } } }, /learning\.traces/],
    ['impulses of written traces', { written: true, traces: { y2: { impulse: 3 } } }, /learning: .* no impulses/],
    ['a third kind', { compatible: 'silicon' }, /learning\.compatible: got "silicon"/],
    ['six factors', { dw: [term([...Array(6)].map(() => ({ name: 'x1' as const })))] }, /learning\.dw\.0\.factors/],
  ])('%s', (_what, change, message) => {
    const create = () => createLearning({ ...base, ...change } as LearningParams, { w: [0] }, 1, 1, constant());
    expect(create).toThrow(ConfigError);
    expect(create).toThrow(message);
  });

  it('initial values out of range, of a wrong number, or odd where ours are even', () => {
    const create = (initial: InitialSynapses, compatible: Compatible = 'lava') =>
      createLearning({ ...base, compatible }, initial, 1, 1, createRng(1));
    expect(() => create({ w: [256] })).toThrow(/learning\.initial\.w\.0: got 256, expected an integer in -256..255/);
    expect(() => create({ w: [0, 0] })).toThrow(/learning\.initial\.w: got 2, expected 1 values/);
    expect(() => create({ w: [0.5] })).toThrow(ConfigError);
    expect(() => create({ w: [0], d: [-1] })).toThrow(/learning\.initial\.d\.0: got -1/);
    expect(() => create({ w: [3] }, 'own')).toThrow(/got 3, expected an even integer in -256..254/);
    expect(create({ w: [3] }).synapse.w[0]).toBe(3);
  });

  it('six shared numbers where each synapse has its own', () => {
    const create = () => createLearning({ ...base, compatible: 'own' }, { w: [0] }, 1, 1, constant());
    expect(create).toThrow(UnsupportedError);
  });
});
