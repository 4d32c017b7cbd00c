import { describe, expect, it } from 'vitest';
import { spikingLoops } from '../../models/neurons/spiking.ts';
import { addFiltered, addTimes } from '../../models/traces/kernels.ts';
import { createChance } from '../../src/backends/fixed/chance.ts';
import { openKernelMemory } from '../../src/backends/fixed/memory.ts';
import { createStore, recordLength, type Store } from '../../src/backends/fixed/store.ts';
import { ConfigError, UnsupportedError } from '../../src/core/errors.ts';
import { type FieldFormat, type NumberFormat, narrowestBits } from '../../src/core/format.ts';
import type { Real } from '../../src/core/layout.ts';
import type { OpenOptions } from '../../src/core/network.ts';
import type { Projection } from '../../src/core/projection.ts';
import { runTrial } from '../../src/engine/run.ts';
import { createExperiment, type Experiment } from '../../src/experiment/experiment.ts';
import { type LiveOptions, liveCatalogue, liveConfig, liveNeurons, liveReadouts } from '../support/live.ts';

const base: NumberFormat = { bits: 4, fraction: 1, signed: true, rounding: 'nearest', overflow: 'saturate' };

interface Made {
  readonly store: Store;
  readonly array: Real;
  readonly step: Real;
  readonly take: (n: number) => Real;
  readonly values: number[];
}

/** A field of given numbers, stored once, by the plain loop and by the kernel, which have to agree in everything. */
function stored(format: Partial<NumberFormat>, numbers: readonly number[], seed = 7, mirrorRows = 0) {
  const field: FieldFormat = { field: 'x', format: { ...base, ...format } };
  const make = (take: (n: number) => Real, kernels: Parameters<typeof createStore>[3]): Made => {
    const array = take(numbers.length);
    array.set(numbers);
    const kept = take(numbers.length);
    const arrays = {
      values: array,
      kept,
      record: take(recordLength),
      row: take(256),
      list: take(512),
      scaled: take(12_000),
      mirror: mirrorRows
        ? { room: take(2 * Math.ceil(numbers.length / mirrorRows / 8) * mirrorRows), rows: mirrorRows }
        : null,
    };
    // Numbers of another field, far beyond the word.
    take(8).fill(1e6);
    const store = createStore(field, arrays, createChance('hash', new Float64Array(1), 0, seed), kernels);
    store.settle(0, numbers.length);
    return { store, array, step: take(numbers.length), take, values: Array.from(array) };
  };
  const memory = openKernelMemory(4 * numbers.length + 400_000);
  if (!memory) throw new Error('the kernels are not built');
  const plain = make((n) => new Float64Array(n), null);
  const fast = make(memory.take, memory.kernels);
  const both = (act: (made: Made) => void) => {
    act(plain);
    act(fast);
    expect(fast.array).toBeBitEqual(plain.array);
    expect(fast.store.statistics()).toEqual(plain.store.statistics());
  };
  both(() => {});
  return { ...plain, both, statistics: () => plain.store.statistics() };
}

/** Rows of all entries. */
function dense(nPre: number, n: number) {
  const rowStart = Int32Array.from({ length: nPre + 1 }, (_, i) => i * n);
  return { rowStart, post: Int32Array.from({ length: nPre * n }, (_, s) => s % n) };
}

function columnSums(matrix: Real, n: number): Real {
  const sums = new Float64Array(n);
  for (let s = 0; s < matrix.length; s++) sums[s % n] += matrix[s];
  return sums;
}

/** Uniform numbers in [0, 1). */
function xorshift(seed: number): () => number {
  let word = seed * 2654435769 || 1;
  return () => {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    return (word >>> 0) / 2 ** 32;
  };
}

/** Numbers around the grid and beyond its ends. */
function scattered(n: number): number[] {
  return Array.from({ length: n }, (_, s) => 6 * Math.sin(1 + 12.9898 * s) * Math.cos(78.233 * s));
}

describe('a store', () => {
  it.each([
    ['floor', [0.7, -0.7, 0.25, 1.5], [0.5, -1, 0, 1.5]],
    ['nearest', [0.7, -0.7, 0.25, -0.25], [0.5, -0.5, 0.5, 0]],
    ['toward-zero', [0.7, -0.7, 1.9, -1.9], [0.5, -0.5, 1.5, -1.5]],
  ] as const)('rounds %s', (rounding, given, want) => {
    expect(stored({ rounding }, given).values).toEqual(want);
  });

  it('rounds stochastically with the right mean, and leaves what is on the grid alone', () => {
    const n = 20_000;
    const { values } = stored({ rounding: 'stochastic', bits: 8 }, new Array<number>(n).fill(0.6));
    expect(new Set(values)).toEqual(new Set([0.5, 1]));
    const mean = values.reduce((sum, value) => sum + value, 0) / n;
    expect(Math.abs(mean - 0.6)).toBeLessThan(4 * 0.5 * Math.sqrt((0.2 * 0.8) / n));
    expect(stored({ rounding: 'stochastic' }, [1.5, -2]).values).toEqual([1.5, -2]);
  });

  const roundings = ['floor', 'nearest', 'toward-zero', 'stochastic'] as const;
  const overflows = ['saturate', 'wrap'] as const;
  const lengths = [1, 2, 3, 4, 5, 63, 100];
  const all = roundings.flatMap((rounding) =>
    overflows.flatMap((overflow) => lengths.map((n) => ({ rounding, overflow, n }))),
  );

  it.each(all)('settles $n numbers by its kernel as by its plain loop: $rounding, $overflow', ({ n, ...format }) => {
    const { both } = stored(format, scattered(n));
    const next = scattered(2 * n).slice(n);
    both(({ array, store }) => {
      for (let s = 0; s < n; s += 2) array[s] = next[s];
      store.settle(0, n);
    });
    both(({ array, store }) => {
      array.set(next);
      store.settle(n > 3 ? 1 : 0, n > 3 ? n - 2 : n);
    });
  });

  it.each(all.filter(({ rounding }) => rounding !== 'toward-zero'))(
    'moves $n numbers by its kernel as by its plain loop: $rounding, $overflow',
    ({ n, ...format }) => {
      const { both, statistics } = stored(format, scattered(n));
      for (const size of [0.1, 1, 5]) {
        const steps = scattered(n).map((value, s) => (s % 3 === 0 ? 0 : (size * value) / 6));
        both(({ store, array, step }) => {
          step.set(steps);
          store.learn?.take(array, step);
          expect(step.every((value) => value === 0)).toBe(true);
        });
      }
      const { tried, fired, lost } = statistics();
      expect(tried).toBeGreaterThanOrEqual(fired + lost);
    },
  );

  it.each(roundings.filter((rounding) => rounding !== 'toward-zero'))(
    'moves by what is no number as its plain loop does: %s',
    (rounding) => {
      const { both } = stored({ rounding }, scattered(9));
      for (const s of [0, 1, 6, 8]) {
        for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          both(({ store, array, step }) => {
            step[s] = odd;
            store.learn?.take(array, step);
          });
        }
      }
      both(({ array }) => expect(Number.isNaN(array[0])).toBe(true));
    },
  );

  it('saturates or wraps at the ends of its word', () => {
    const given = [3.5, 3.8, 4, -4, -4.4, 12];
    const ends = stored({}, given);
    expect(ends.values).toEqual([3.5, 3.5, 3.5, -4, -4, 3.5]);
    expect(ends.statistics()).toMatchObject({ saturated: 4, wrapped: 0, largest: 12, smallest: -4.4 });
    const round = stored({ overflow: 'wrap' }, given);
    expect(round.values).toEqual([3.5, -4, -4, -4, 3.5, -4]);
    expect(round.statistics()).toMatchObject({ saturated: 0, wrapped: 4 });
    expect(stored({ signed: false }, [-1, 7.5, 8]).values).toEqual([0, 7.5, 7.5]);
  });

  it('counts what was tried, what changed and what was lost below one step', () => {
    const { array, store, statistics } = stored({}, [1, 1, 1, 0.2]);
    expect(statistics()).toMatchObject({ tried: 4, fired: 3, lost: 1, flushed: 1 });
    array.set([1.1, 1.6, 1, 0.2]);
    store.settle(0, 4);
    expect(Array.from(array)).toEqual([1, 1.5, 1, 0]);
    expect(statistics()).toMatchObject({ tried: 7, fired: 4, lost: 3, flushed: 2 });
  });

  it('adds up rows of spikes in integers, more of them than 16 bits hold', () => {
    const [nPre, n] = [300, 21];
    const memory = openKernelMemory(12 * nPre * n);
    if (!memory) throw new Error('the kernels are not built');
    const { take, kernels } = memory;
    for (const [bits, step] of [
      [8, 1 / 16],
      [16, 1 / 4],
    ]) {
      const format: NumberFormat = { ...base, bits, fraction: -Math.log2(step) };
      const values = Float64Array.from({ length: nPre * n }, (_, s) =>
        s % n === 3 ? step : -(2 ** (bits - 1)) * step,
      );
      const matrix = take(nPre * n);
      matrix.set(values);
      const arrays = {
        values: matrix,
        kept: take(nPre * n),
        record: take(recordLength),
        row: take(nPre),
        list: take(2 * nPre),
        scaled: take(n + nPre),
        mirror: { room: take(6 * nPre), rows: nPre },
      };
      const { learn, reload } = createStore(
        { field: 'x', format },
        arrays,
        createChance('hash', take(1), 0, 1),
        kernels,
      );
      reload();
      const [x, out] = [take(nPre).fill(1), take(n).fill(0.5)];
      x[7] = 0;
      expect(learn?.predict?.(out, 0, x, 0, nPre, n)).toBe(true);
      const least = -(2 ** (bits - 1)) * step * (nPre - 1);
      expect(Array.from(out)).toEqual(Array.from(out, (_, j) => 0.5 + (j === 3 ? step * (nPre - 1) : least)));
      x[7] = 0.5;
      expect(learn?.predict?.(out, 0, x, 0, nPre, n)).toBe(false);
    }
  });

  describe.each(roundings.filter((rounding) => rounding !== 'toward-zero'))('whose matrix learns, %s', (rounding) => {
    const shapes = [
      [1, 1, 1],
      [3, 5, 2],
      [7, 8, 16],
      [12, 21, 16],
      [5, 100, 33],
    ] as const;
    const found = shapes.flatMap(([nPre, n, pairs]) =>
      overflows.flatMap((overflow) =>
        [8, 13, 16].flatMap((bits) => [0, nPre].map((copied) => ({ nPre, n, pairs, overflow, bits, copied }))),
      ),
    );

    it.each(found)(
      '$nPre x $n ($copied rows copied) from $pairs, $bits bits, $overflow: kernels have the numbers of the plain loops',
      (of) => {
        const { nPre, n, pairs, overflow, bits, copied } = of;
        const format: Partial<NumberFormat> = { rounding, overflow, bits, fraction: bits - 2 };
        const draw = xorshift(bits * n + pairs);
        const { both } = stored(
          format,
          Array.from({ length: nPre * n }, () => 4 * draw() - 2),
          7,
          copied,
        );
        const moves = [0.002, 0.05, 1, 40].flatMap((steps) =>
          ['spikes', 'one in ten', 'traces', 'few traces', 'cancelling', 'one way'].map((kind) => ({ steps, kind })),
        );
        for (const { steps, kind } of moves) {
          const share = kind === 'spikes' || kind === 'few traces' ? 0.3 : kind === 'one in ten' ? 0.1 : 1;
          const whole = kind !== 'traces' && kind !== 'few traces';
          const x = Array.from({ length: pairs * nPre }, () => (draw() < share ? (whole ? 1 : 1e-3 + draw()) : 0));
          const d = Array.from({ length: pairs * n }, (_, s) => {
            const value = (steps * (2 * draw() - 1)) / 2 ** (bits - 2);
            return draw() < 0.3 || (kind === 'cancelling' && s % n === 0) ? 0 : value;
          });
          if (kind === 'one way') d.fill(steps / 2 ** (bits - 2));
          // Pairs of the second half take back what those of the first half have done.
          if (kind === 'cancelling') for (let s = d.length >> 1; s < d.length; s++) d[s] = -d[d.length - 1 - s];
          both(({ store, array, step, take }) => {
            const [xs, ds] = [take(x.length), take(d.length)];
            xs.set(x);
            ds.set(d);
            store.reload();
            store.learn?.addOuter(array, xs, 0, nPre, ds, 0.7, nPre, n, pairs);
            const [ones, sums] = [take(nPre).fill(1), take(n)];
            if (store.learn?.predict?.(sums, 0, ones, 0, nPre, n)) expect(sums).toBeBitEqual(columnSums(array, n));
            store.reload();
            if (store.learn?.takeProducts) {
              store.learn.takeProducts(xs, ds, nPre, n, pairs, 0.25, -1.3);
              return;
            }
            const every = { nPre, nPost: n, ...dense(nPre, n) } as unknown as Projection;
            addTimes(step, xs, ds, every, pairs);
            for (let s = 0; s < step.length; s++) step[s] = step[s] * 0.25 * -1.3;
            store.learn?.take(array, step);
          });
        }
      },
    );
  });

  describe.each(roundings.filter((rounding) => rounding !== 'toward-zero'))(
    'whose matrix moves oddly, %s',
    (rounding) => {
      const [nPre, n, pairs] = [3, 11, 4];
      const made = (copied: number) => {
        const draw = xorshift(nPre * n);
        const format: Partial<NumberFormat> = { rounding, bits: 8, fraction: 6 };
        const numbers = Array.from({ length: nPre * n }, () => 4 * draw() - 2);
        return { draw, ...stored(format, numbers, 7, copied) };
      };
      type Factors = readonly [x: readonly number[], d: readonly number[]];
      const drawn = (draw: () => number, size = 0.05): Factors => [
        Array.from({ length: pairs * nPre }, () => (draw() < 0.7 ? 1 : 0)),
        Array.from({ length: pairs * n }, () => size * (2 * draw() - 1)),
      ];
      const placed = ([x, d]: Factors, take: Made['take']) => {
        const [xs, ds] = [take(x.length), take(d.length)];
        xs.set(x);
        ds.set(d);
        return [xs, ds] as const;
      };
      const outer = ([x, d]: readonly [Real, Real], rate: number) => [x, 0, nPre, d, rate, nPre, n, pairs] as const;
      const every = { nPre, nPost: n, ...dense(nPre, n) } as unknown as Projection;
      const move = ({ store, array, step, take }: Made, factors: Factors, scale: number, rate: number) => {
        const [x, d] = placed(factors, take);
        if (store.learn?.takeProducts) return store.learn.takeProducts(x, d, nPre, n, pairs, scale, rate);
        addTimes(step, x, d, every, pairs);
        for (let s = 0; s < step.length; s++) step[s] = step[s] * scale * rate;
        store.learn?.take(array, step);
      };

      it.each([0, nPre])('keeps what is no number, %i rows copied', (copied) => {
        const { both, draw } = made(copied);
        const [x, d] = drawn(draw);
        const odd = d.map((value, s) => (s % 5 === 0 ? Number.NaN : value));
        both(({ store }) => store.reload());
        for (const given of [d, odd, d, d]) {
          both(({ store, array, take }) => {
            store.learn?.addOuter(array, ...outer(placed([x, given], take), 0.7));
            const [spikes, sums] = [take(nPre).fill(1), take(n)];
            if (store.learn?.predict?.(sums, 0, spikes, 0, nPre, n)) expect(sums).toBeBitEqual(columnSums(array, n));
          });
          if (copied === 0) both((of) => move(of, [x, d], 0.25, -1.3));
        }
        both(({ array }) => expect(array.some(Number.isNaN)).toBe(true));
      });

      it.each([0, -0, Number.POSITIVE_INFINITY, Number.NaN])('by a rate of %d', (rate) => {
        const { both, draw } = made(0);
        const factors = drawn(draw);
        both(({ store, array, take }) => store.learn?.addOuter(array, ...outer(placed(factors, take), rate)));
      });

      it.each([
        [1e-30, 1e27, 1],
        [1e16, 1e-19, 1],
        [1e39, 1e-42, 1],
        [1, 1e-3, 1e-322],
      ])('by products of about %d and %d, scaled by %d', (sizeX, sizeD, scale) => {
        const { both, draw } = made(0);
        const [spikes, d] = drawn(draw, sizeD);
        const x = spikes.map((spike, s) => spike * sizeX * 10 ** (-s % 7));
        both((of) => move(of, [x, d], scale, -1.3));
      });
    },
  );

  it('reads out what spikes have read, whatever the other weights are', () => {
    const memory = openKernelMemory(64);
    if (!memory) throw new Error('the kernels are not built');
    const [y, u, z, wOut, bOut] = [2, 2, 3, 6, 2].map((n) => memory.take(n));
    z.set([0, 1, 1]);
    wOut.set([Number.NaN, Number.POSITIVE_INFINITY, 2, 3, 0.5, -8]);
    const at = [y, u, z, wOut, bOut].map(({ byteOffset }) => byteOffset) as [number, number, number, number, number];
    memory.kernels.read(...at, 0.5, 1, 3, 2);
    expect(Array.from(y)).toEqual([2.5, -5]);
    z[0] = 1;
    memory.kernels.read(...at, 0.5, 1, 3, 2);
    expect(Array.from(y)).toEqual([Number.NaN, Number.POSITIVE_INFINITY]);
  });

  it('counts no change where the field was written from outside, on its grid', () => {
    const { both, statistics } = stored({}, [1, 2, -0.5]);
    both(({ array, store }) => {
      array.set([0.5, 3, 0]);
      store.reload();
      store.settle(0, 3);
    });
    expect(statistics()).toMatchObject({ tried: 3, fired: 3 });
  });

  it('leaves the sign of a 0 that has not changed', () => {
    const { both } = stored({}, new Array<number>(7).fill(0));
    both(({ array, store }) => {
      array.fill(-0);
      array[2] = 1;
      store.settle(0, 7);
      expect(array).toBeBitEqual(Float64Array.of(-0, -0, 1, -0, -0, -0, -0));
    });
  });

  it.each([1, 2, 5])('has neurons as the plain loops have them, %i of them', (n) => {
    const memory = openKernelMemory(256);
    if (!memory) throw new Error('the kernels are not built');
    const draw = xorshift(n);
    // Numbers of a coarse grid meet the threshold now and then.
    const numbers = (of: () => number) => Array.from({ length: n }, of);
    const make = (take: (n: number) => Real) => [0, 1, 2, 3, 4, 5].map(() => take(n));
    const [fast, slow] = [make(memory.take), make((length) => new Float64Array(length))];
    const { kernels } = memory;
    for (let round = 0; round < 40; round++) {
      const given = [
        numbers(() => Math.round(4 * draw()) / 4),
        numbers(() => Math.round(draw())),
        numbers(() => draw() - 0.5),
        numbers(() => 0.5),
        numbers(() => Math.round(2 * draw())),
        numbers(() => 0),
      ];
      for (const arrays of [fast, slow]) given.forEach((values, which) => void arrays[which].set(values));
      const [v, z, current, threshold, refractory, psi] = fast.map(({ byteOffset }) => byteOffset);
      const [V, Z, I, A, R, P] = slow;
      const orEqual = round % 2;
      if (round % 4 < 2) {
        kernels.integrateSubtract(v, z, current, 0.5, 0.25, 0.5, n);
        spikingLoops.integrateSubtract(V, Z, I, 0, 0, 0.5, 0.25, 0.5, n);
      } else if (round % 4 === 2) {
        kernels.integrateToZero(v, z, current, 0.5, 0.25, n);
        spikingLoops.integrateToZero(V, Z, I, 0, 0, 0.5, 0.25, n);
      }
      kernels.triangle(psi, refractory, v, threshold, 0.3, 0.7, n);
      spikingLoops.triangle(P, R, V, A, 0, 0, 0.3, 0.7, n);
      kernels.emit(z, refractory, v, threshold, 3, orEqual, n);
      spikingLoops.emit(Z, R, V, A, 0, 0, 3, orEqual === 1, n);
      for (const [which, values] of slow.entries()) expect(fast[which]).toBeBitEqual(values);
    }
  });

  it('counts a change of almost a step as one that was lost', () => {
    const { both, statistics } = stored({ rounding: 'floor' }, [-0.5, 1]);
    both(({ array, store }) => {
      array.set([-1e-20, 5]);
      store.settle(0, 2);
    });
    expect(statistics()).toMatchObject({ tried: 4, fired: 3, lost: 1, saturated: 1 });
  });

  it('filters and rounds rows in one go with the numbers and the counts of one after the other', () => {
    const [nPre, n] = [2, 3];
    const projection = { nPre, nPost: n, nSyn: 6, post: Int32Array.of(0, 1, 2, 0, 1, 2) } as unknown as Projection;
    const { both } = stored({ rounding: 'floor' }, [1, -0.5, 3.5, 0, -0.5, 2]);
    const e = [100, -1e-20, 9, 0.3, -1e-20, -50];
    both((made) => {
      const [grad, own, signal, rate] = [6, 6, n, n].map(made.take);
      own.set(e);
      const { store, array } = made;
      if (store.filtered) store.filtered.addFiltered(grad, array, own, signal, rate, projection, 0, 0, 0, 0, 1);
      else {
        addFiltered(grad, array, own, signal, rate, projection, 0, 0, 0, 0, 1);
        store.settle(0, 6);
      }
    });
  });

  it.each([
    [[3.5], 4],
    [[0.5, -0.5], 2],
    [[7.4], 5],
    [[-8], 5],
    [[-8.6], 6],
  ])('names the width that would have held %j', (given, bits) => {
    expect(narrowestBits(stored({}, given).statistics())).toBe(bits);
  });
});

const lif = liveNeurons[0];
const alif = liveNeurons.find(({ label }) => label === 'alif') ?? lif;
const [plain] = liveReadouts;
const update = { update: { unit: 'step' }, streams: 2, total: 80, chunkSteps: 20 };

function build(options: LiveOptions, fixed: object | null, open: OpenOptions = {}): Experiment {
  const config = liveConfig({ ...options, task: { mode: 'stream', target: 'one-hot' }, training: update });
  const backend = fixed ? 'fixed' : 'reference';
  return createExperiment({ ...config, loss: { kind: 'softmax' }, backend, fixed }, liveCatalogue, open);
}

const rules = ['e-prop-1', 'rflo', 'sg-r-d', 'sg-r-d-lean', 'sg-v', 'sg-r', 'readout-only'];
const cases = rules.flatMap((name) =>
  [lif, alif].flatMap((neuron) => [{ name, neuron, label: `${name} of ${neuron.label}` }]),
);

describe.each(cases)('$label in fixed point', ({ name, neuron }) => {
  const options: LiveOptions = { neuron, readout: plain, rule: { name } };
  const trained = (fixed: object | null) => {
    const experiment = build(options, fixed);
    experiment.train();
    return experiment.run.network;
  };

  it('without formats is the reference, bit for bit', () => {
    expect(trained({ formats: {} }).weights.rec).toBeBitEqual(trained(null).weights.rec);
  });

  it('comes nearer to the reference by a half with every bit', () => {
    const want = trained(null);
    const errors = [24, 28, 32].map((fraction) => {
      const got = trained({
        formats: { '*': { bits: 32, fraction: fraction - 8 }, 'population.*': { bits: 32, fraction: fraction - 8 } },
      });
      expect(Array.from(got.activity[0].z.data)).toEqual(Array.from(want.activity[0].z.data));
      return Math.hypot(...Array.from(got.weights.out, (w, s) => w - want.weights.out[s]));
    });
    for (let k = 1; k < errors.length; k++) {
      // Four bits are a factor of 16; rounding errors are random, so that one run shows it within a factor of 3.
      expect(errors[k - 1] / errors[k]).toBeGreaterThan(16 / 3);
      expect(errors[k - 1] / errors[k]).toBeLessThan(16 * 3);
    }
  });

  it('keeps every number of a format on its grid, and goes on from a checkpoint bit for bit', () => {
    const fixed = {
      formats: {
        '*.weights': { bits: 8, range: 4, rounding: 'stochastic' },
        'population.rec.v': { bits: 12, range: 4 },
      },
    };
    const [whole, half, rest] = [build(options, fixed), build(options, fixed), build(options, fixed)];
    whole.train();
    half.train({ until: 40 });
    expect([half.run.clock.trial, whole.run.clock.trial]).toEqual([1, 2]);
    rest.restore(half.checkpoint());
    rest.train();
    expect(rest.run.network.state.data).toBeBitEqual(whole.run.network.state.data);
    const { weights, state } = whole.run.network;
    for (const w of weights.out) expect(Number.isInteger(w * 32)).toBe(true);
    for (const v of state.field('population.rec.v')) expect(Number.isInteger(v * 512)).toBe(true);
    expect(new Set(weights.out).size).toBeGreaterThan(3);
  });
});

it.each(['hash', 'lfsr'])(
  'a run of distal phases goes on from a checkpoint bit for bit, random numbers of %s',
  (generator) => {
    const options = { neuron: lif, readout: plain, rule: { name: 'sg-r-d', stepsPerPhase: 2 } };
    const formats = { '*': { bits: 10, range: 4, rounding: 'stochastic' } };
    const [whole, half, rest] = [0, 1, 2].map(() => build(options, { formats, generator }));
    whole.train();
    half.train({ until: 40 });
    rest.restore(half.checkpoint());
    rest.train();
    expect(rest.run.network.state.data).toBeBitEqual(whole.run.network.state.data);
  },
);

it('rounds the rate term of a whole trial, too', () => {
  const rateTerm = { strength: 0.5, targetHz: 100, mean: 'trial' };
  const config = liveConfig({ neuron: lif, readout: plain, rateTerm, training: { total: 4, streams: 2 } });
  const fixed = { formats: { 'population.rec.rateTerm': { bits: 16, fraction: 12 } } };
  const { run, train } = createExperiment({ ...config, backend: 'fixed', fixed }, liveCatalogue);
  train();
  const steps = Array.from(run.network.activity[0].rateTerm.data, (term) => term * 2 ** 12);
  expect(steps.every(Number.isInteger)).toBe(true);
  expect(new Set(steps).size).toBeGreaterThan(2);
});

const words = (rounding: string, overflow: string, rule: string) => ({
  '*': { bits: 16, range: 8, rounding, overflow },
  '*.weights': { bits: 6, range: 2, rounding, overflow },
  ...(rule !== 'readout-only' && { '*.trace.*': { bits: 9, range: 2, rounding, overflow } }),
  ...(rule.startsWith('sg') && {
    'population.rec.signal.A': { bits: 8, range: 1, rounding, overflow },
    'population.rec.signal.J': { bits: 7, range: 1, rounding, overflow },
  }),
});

describe.each([
  ['stochastic', 'saturate', 'hash'],
  ['nearest', 'saturate', 'hash'],
  ['floor', 'wrap', 'hash'],
  ['toward-zero', 'wrap', 'hash'],
  ['stochastic', 'wrap', 'lfsr'],
])('kernels: rounding %s, %s, random numbers of %s', (rounding, overflow, generator) => {
  const rulesOf = ['e-prop-1', 'rflo', 'sg-r-d', 'sg-r-d-lean', 'sg-v', 'sg-z', 'readout-only'].map((name) => ({
    name,
  }));
  const found = [
    ...rulesOf,
    { name: 'e-prop-1', feedback: 'adaptive' },
    { name: 'rflo', leak: { decay: 0.5 } },
  ].flatMap((rule) =>
    liveReadouts.slice(0, 2).flatMap((readout) =>
      [lif, alif].map((neuron) => ({
        rule,
        readout,
        neuron,
        label: `${JSON.stringify(rule)}, ${neuron.label}, ${readout.label}`,
      })),
    ),
  );
  const unable = (rule: { name: string }, readout: string) => rule.name === 'sg-v' && readout !== plain.label;

  it.each(found.filter(({ rule, readout }) => !unable(rule, readout.label)))(
    '$label: bits of the plain step',
    ({ rule, readout, neuron }) => {
      const [fast, slow] = [false, true].map((slowly) => {
        const fixed = { formats: words(rounding, overflow, rule.name), generator };
        const experiment = build({ neuron, readout, rule }, fixed, { plain: slowly });
        experiment.train();
        return experiment.run;
      });
      expect(fast.network.state.data).toBeBitEqual(slow.network.state.data);
      expect(fast.network.activity[0].z.data).toBeBitEqual(slow.network.activity[0].z.data);
      expect(fast.stages.statistics?.()).toEqual(slow.stages.statistics?.());
      expect(fast.network.state.data.buffer.byteLength).toBeGreaterThan(slow.network.state.data.buffer.byteLength);
    },
  );
});

it.each([0, 0.01])(
  'feedback that follows the readout is on its grid after an update, and so is the readout, decay %d',
  (feedbackDecay) => {
    const rule = { name: 'e-prop-1', feedback: 'adaptive', feedbackDecay };
    const formats = {
      'population.rec.signal.B': { bits: 16, range: 2 },
      'readout.out.weights': { bits: 16, range: 2 },
    };
    const { run, train } = build({ neuron: lif, readout: plain, rule }, { formats });
    const fields = Object.keys(formats).map((field) => run.network.state.field(field));
    const before = fields.map((values) => Array.from(values));
    train();
    for (const [which, values] of fields.entries()) {
      expect(values.every((value) => Number.isInteger(2 ** 14 * value))).toBe(true);
      expect(values.some((value, s) => Math.abs(value - before[which][s]) > 2 ** -13)).toBe(true);
    }
  },
);

describe('a gradient of weights that move after every step', () => {
  const formats = words('stochastic', 'saturate', 'e-prop-1');
  const live = liveConfig({
    neuron: lif,
    readout: plain,
    rule: { name: 'e-prop-1' },
    task: { mode: 'stream', target: 'one-hot' },
  });
  const network = live.network as { recurrent?: object };
  const config = (settings: object) => ({
    ...live,
    network: { ...network, recurrent: { ...network.recurrent, autapses: true } },
    loss: { kind: 'softmax' },
    training: { streams: 3, total: 120, chunkSteps: 20, update: { unit: 'step' } },
    backend: 'fixed',
    fixed: { formats },
    ...settings,
  });
  const both = (settings: object) =>
    [false, true].map((slowly) => createExperiment(config(settings), liveCatalogue, { plain: slowly }));

  it.each([
    [
      'updates at every third step',
      { training: { streams: 3, total: 120, chunkSteps: 20, update: { every: 3, unit: 'step' } } },
    ],
    ['Adam', { optimizer: { kind: 'adam', rates: { in: 0.02, rec: 0.02, out: 0.02 } } }],
    [
      'a rate that ends at 0',
      { optimizer: { kind: 'sgd', rates: { in: 0.2, rec: 0.2, out: 0.2 }, schedule: { kind: 'linear-to-zero' } } },
    ],
  ])('is written down where something else needs it: %s', (_label, settings) => {
    const [fast, slow] = both(settings).map((experiment) => {
      experiment.train();
      return experiment.run;
    });
    expect(fast.network.state.data).toBeBitEqual(slow.network.state.data);
    expect(fast.stages.statistics?.()).toEqual(slow.stages.statistics?.());
  });

  it.each([true, false])('is there for who watches, freeze %s', (freeze) => {
    const [fast, slow] = both({}).map(({ run, feed }) => {
      feed.fill(20);
      const seen: number[][] = [];
      runTrial(run, 20, { learn: true, freeze, onStep: () => seen.push(Array.from(run.network.gradient.rec)) });
      return seen;
    });
    expect(fast).toEqual(slow);
    expect(fast.filter((gradient) => gradient.some((value) => value !== 0)).length).toBeGreaterThan(10);
  });
});

describe('fields of a dendrite signal', () => {
  const rule = { name: 'sg-r-d' };
  const run = (formats: object, plainly = false) => {
    const experiment = build({ neuron: lif, readout: plain, rule }, { formats }, { plain: plainly });
    experiment.train();
    return experiment.run;
  };

  it('are put on their grids, also those that are no matrices', () => {
    const { network } = run({
      'population.rec.signal.distal': { bits: 10, range: 4 },
      'population.rec.signal.A': { bits: 12, range: 1 },
    });
    const distal = network.state.field('population.rec.signal.distal');
    for (const value of distal) expect(Number.isInteger(value * 128)).toBe(true);
    for (const value of network.state.field('population.rec.signal.A'))
      expect(Number.isInteger(value * 2048)).toBe(true);
    expect(new Set(distal).size).toBeGreaterThan(3);
  });

  it('count from the first step on: feedback weights that stay have tried nothing', () => {
    const { stages, network } = run({ 'population.rec.signal.B': { bits: 6, range: 1 } });
    expect(stages.statistics?.()[0]).toMatchObject({
      field: 'population.rec.signal.B',
      tried: 0,
      fired: 0,
      lost: 0,
      flushed: 0,
    });
    for (const value of network.state.field('population.rec.signal.B')) expect(Number.isInteger(value * 32)).toBe(true);
  });

  it('have kernels for words that no 16-bit copy holds', () => {
    const wide = {
      'population.rec.signal.A': { bits: 24, range: 1 },
      'population.rec.signal.J': { bits: 20, range: 0.25 },
    };
    const [fast, slow] = [run(wide), run(wide, true)];
    expect(fast.network.state.data).toBeBitEqual(slow.network.state.data);
    const largest = Math.max(...Array.from(fast.network.state.field('population.rec.signal.A'), Math.abs));
    expect(largest * 2 ** 23).toBeGreaterThan(2 ** 15);
  });
});

it.each([{ rateA: 0 }, { rateJ: 0 }, { rateA: 0, rateJ: 0, normalised: false }])(
  'matrices that do not learn have tried nothing: %j',
  (rates) => {
    const [fast, slow] = [false, true].map((slowly) => {
      const options = { neuron: lif, readout: plain, rule: { name: 'sg-r-d', ...rates } };
      const experiment = build(options, { formats: words('nearest', 'saturate', 'sg-r-d') }, { plain: slowly });
      experiment.train();
      return experiment.run;
    });
    expect(fast.network.state.data).toBeBitEqual(slow.network.state.data);
    expect(fast.stages.statistics?.()).toEqual(slow.stages.statistics?.());
    for (const { field, tried } of fast.stages.statistics?.() ?? []) {
      if (field === 'population.rec.signal.A' && rates.rateA === 0) expect(tried).toBe(0);
      if (field === 'population.rec.signal.J' && rates.rateJ === 0) expect(tried).toBe(0);
    }
  },
);

it.each(['nearest', 'stochastic'])(
  'feedback that follows the readout and loses nothing stays on its grid: %s',
  (rounding) => {
    const rule = { name: 'e-prop-1', feedback: 'adaptive', feedbackDecay: 0 };
    const [fast, slow] = [false, true].map((slowly) => {
      const fixed = { formats: { 'population.rec.signal.B': { bits: 12, fraction: 8, rounding, overflow: 'wrap' } } };
      const experiment = build({ neuron: lif, readout: plain, rule }, fixed, { plain: slowly });
      experiment.train();
      return experiment.run;
    });
    for (const value of fast.network.state.field('population.rec.signal.B'))
      expect(Number.isInteger(value * 2 ** 8)).toBe(true);
    expect(fast.network.state.data).toBeBitEqual(slow.network.state.data);
    expect(fast.stages.statistics?.()).toEqual(slow.stages.statistics?.());
  },
);

it('fields may have the names of the time before networks were graphs', () => {
  const format = (bits: number) => ({ bits, fraction: 2 });
  const pairs = [
    ['weights.*', '*.weights'],
    ['weights.wRec', 'projection.rec.weights'],
    ['weights.bOut', 'readout.out.bias.weights'],
    ['trace.*', 'projection.*.trace.*'],
    ['trace.epsIn', 'projection.in.trace.eps'],
    ['neuron.v', 'population.rec.v'],
    ['signal.A', 'population.rec.signal.A'],
    ['run.fBar', 'population.rec.mean'],
    ['readout.u', 'readout.out.u'],
    ['trial.psi', 'population.rec.psi'],
    ['trial.y', 'readout.out.y'],
    ['trial.signal', 'population.rec.signal'],
  ];
  const [former, present] = [0, 1].map((which) => {
    const formats = Object.fromEntries(pairs.map((names, n) => [names[which], format(n + 4)]));
    return build({ neuron: lif, readout: plain, rule: { name: 'sg-r-d' } }, { formats }).run.network.spec.formats;
  });
  expect(former).toEqual(present);
  expect(former?.find(({ field }) => field === 'projection.in.weights')?.format.bits).toBe(4);
  expect(former?.find(({ field }) => field === 'projection.rec.weights')?.format.bits).toBe(5);
  expect(new Set(former?.map(({ format: { bits } }) => bits)).size).toBe(pairs.length);
});

describe('what cannot be is refused', () => {
  const formats = (given: object) => () => build({ neuron: lif, readout: plain }, { formats: given });
  it.each([
    [
      'an unknown field',
      { 'projection.recc.weights': { bits: 8, fraction: 4 } },
      /fixed\.formats: got "projection\.recc\.weights"/,
    ],
    [
      'an unknown field of former names',
      { 'weights.wRecc': { bits: 8, fraction: 4 } },
      /fixed\.formats: got "weights\.wRecc"/,
    ],
    ['no step', { '*.weights': { bits: 8 } }, /fraction/],
    ['two steps', { '*.weights': { bits: 8, fraction: 3, range: 1 } }, /fraction/],
    ['no bits', { '*.weights': { bits: 0, fraction: 3 } }, /bits/],
    ['an unknown rounding', { '*.weights': { bits: 8, fraction: 3, rounding: 'up' } }, /rounding/],
  ])('%s', (_label, given, message) => {
    expect(formats(given)).toThrow(ConfigError);
    expect(formats(given)).toThrow(message);
  });

  it('rules that need more than a chip has, and backends without formats', () => {
    const options = { neuron: lif, readout: plain, rule: { name: 'bptt' } };
    expect(() => build(options, { formats: {} })).toThrow(UnsupportedError);
    const config = liveConfig({ neuron: lif, readout: plain, task: { mode: 'stream' }, training: update });
    const fixed = { formats: { '*.weights': { bits: 8, fraction: 3 } } };
    expect(() => createExperiment({ ...config, backend: 'wasm', fixed }, liveCatalogue)).toThrow(UnsupportedError);
  });
});
