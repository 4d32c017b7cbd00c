import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/core/errors.ts';
import type { Projection } from '../../src/core/projection.ts';
import { createRng } from '../../src/core/rng.ts';
import { buildProjection, drawWeights, initWeights } from '../../src/engine/projections.ts';

const shapes = fc.record({
  n: fc.integer({ min: 2, max: 12 }),
  bias: fc.boolean(),
  autapses: fc.boolean(),
  seed: fc.integer({ min: 0, max: 1000 }),
});
const check = { numRuns: 60, seed: 1 };

/** Presynaptic partners of every postsynaptic neuron. */
function partners({ nPre, nPost, rowStart, post }: Projection): number[][] {
  const list: number[][] = Array.from({ length: nPost }, () => []);
  for (let i = 0; i < nPre; i++) for (let s = rowStart[i]; s < rowStart[i + 1]; s++) list[post[s]].push(i);
  return list;
}

describe('a projection', () => {
  it('with an in-degree gives every neuron so many distinct partners, and the bias', () => {
    fc.assert(
      fc.property(shapes, fc.double({ min: 0.1, max: 1, noNaN: true }), ({ n, bias, autapses, seed }, share) => {
        const degree = Math.max(1, Math.floor(share * (autapses ? n : n - 1)));
        const connectivity = { kind: 'in-degree', n: degree } as const;
        const projection = buildProjection(
          { nPre: n, nPost: n, bias, autapses, recurrent: true, connectivity },
          createRng(seed),
        );
        expect(projection.masked).toHaveLength(0);
        expect(projection.nPre).toBe(n + (bias ? 1 : 0));
        partners(projection).forEach((list, j) => {
          expect(new Set(list).size).toBe(list.length);
          expect(list.filter((i) => i < n)).toHaveLength(degree);
          expect(list.includes(n)).toBe(bias);
          if (!autapses) expect(list).not.toContain(j);
        });
      }),
      check,
    );
  });

  it('with an in-degree picks every partner as often', () => {
    const rng = createRng(3);
    const counts = new Float64Array(6);
    const connectivity = { kind: 'in-degree', n: 2 } as const;
    for (let n = 0; n < 3000; n++) {
      const projection = buildProjection(
        { nPre: 6, nPost: 6, bias: false, autapses: false, recurrent: true, connectivity },
        rng,
      );
      for (const i of partners(projection)[2]) counts[i] += 1;
    }
    expect(counts[2]).toBe(0);
    for (const i of [0, 1, 3, 4, 5]) expect(Math.abs(counts[i] - 1200)).toBeLessThan(4 * Math.sqrt(3000 * 0.4 * 0.6));
  });

  it('with a probability has about that share of its pairs', () => {
    const connectivity = { kind: 'probability', p: 0.2 } as const;
    const of = (autapses: boolean) =>
      buildProjection({ nPre: 100, nPost: 100, bias: false, autapses, recurrent: true, connectivity }, createRng(1));
    for (const [projection, pairs] of [
      [of(true), 10_000],
      [of(false), 9900],
    ] as const) {
      expect(Math.abs(projection.nSyn - 0.2 * pairs)).toBeLessThan(4 * Math.sqrt(pairs * 0.16));
    }
    expect(partners(of(false)).some((list, j) => list.includes(j))).toBe(false);
    expect(partners(of(true)).some((list, j) => list.includes(j))).toBe(true);
  });

  it('that is dense stores i nPost + j and masks the diagonal unless autapses are allowed', () => {
    fc.assert(
      fc.property(shapes, ({ n, bias, autapses }) => {
        const connectivity = { kind: 'dense' } as const;
        const projection = buildProjection(
          { nPre: n, nPost: n, bias, autapses, recurrent: true, connectivity },
          createRng(1),
        );
        const { post, rowStart, nSyn, masked } = projection;
        expect(nSyn).toBe((n + (bias ? 1 : 0)) * n);
        for (let s = 0; s < nSyn; s++) expect(post[s]).toBe(s % n);
        expect(Array.from(rowStart)).toEqual(Array.from({ length: projection.nPre + 1 }, (_, i) => i * n));
        expect(Array.from(masked)).toEqual(autapses ? [] : Array.from({ length: n }, (_, j) => j * n + j));
      }),
      check,
    );
  });
});

describe('initial weights', () => {
  const n = 60;
  const dense = buildProjection(
    { nPre: n, nPost: 40, bias: true, autapses: true, recurrent: false, connectivity: { kind: 'dense' } },
    createRng(1),
  );
  const deviation = (x: Float64Array) => Math.sqrt(x.reduce((sum, w) => sum + w * w, 0) / x.length);
  const drawn = (init: Parameters<typeof initWeights>[2]) => {
    const weights = new Float64Array(dense.nSyn);
    initWeights(weights, dense, init, 0.3, createRng(1));
    expect(weights.subarray(n * 40)).toBeBitEqual(Array(40).fill(0.3));
    return weights.slice(0, n * 40);
  };
  const near = (got: number, want: number, draws = n * 40) =>
    expect(Math.abs(got / want - 1)).toBeLessThan(4 / Math.sqrt(2 * draws));

  it('have the deviation that their kind says, the bias not counted', () => {
    near(deviation(drawn({ kind: 'normal', gain: 2 })), 2 / Math.sqrt(60));
    near(deviation(drawn({ kind: 'normal-sd', sd: 0.7 })), 0.7);
    near(deviation(drawn({ kind: 'glorot-uniform', gain: 1 })), Math.sqrt(6 / 100 / 3));
    expect(Math.max(...drawn({ kind: 'glorot-uniform', gain: 1 }).map(Math.abs))).toBeLessThanOrEqual(
      Math.sqrt(6 / 100),
    );
    for (const kind of ['normal', 'glorot-uniform'] as const) {
      const weights = drawn({ kind, gain: 1 });
      const mean = weights.reduce((sum, w) => sum + w, 0) / weights.length;
      expect(Math.abs(mean)).toBeLessThan((4 * deviation(weights)) / Math.sqrt(weights.length));
    }
    expect(drawn({ kind: 'constant', value: -2 })).toBeBitEqual(Array(n * 40).fill(-2));
  });

  it('are scaled by the fan-in of a sparse projection', () => {
    const connectivity = { kind: 'in-degree', n: 9 } as const;
    const sparse = buildProjection(
      { nPre: 200, nPost: 300, bias: false, autapses: true, recurrent: false, connectivity },
      createRng(1),
    );
    const weights = new Float64Array(sparse.nSyn);
    initWeights(weights, sparse, { kind: 'normal', gain: 1 }, null, createRng(2));
    expect(Math.abs(deviation(weights) * 3 - 1)).toBeLessThan(4 / Math.sqrt(2 * sparse.nSyn));
  });

  it('are orthogonal where asked, of any gain, and only where that can be', () => {
    const n = 12;
    const build = (autapses: boolean) =>
      buildProjection(
        { nPre: n, nPost: n, bias: false, autapses, recurrent: true, connectivity: { kind: 'dense' } },
        createRng(1),
      );
    const w = new Float64Array(n * n);
    const init = { kind: 'orthogonal', gain: 0.5 } as const;
    initWeights(w, build(true), init, null, createRng(2));
    for (let a = 0; a < n; a++) {
      for (let b = 0; b < n; b++) {
        let product = 0;
        for (let j = 0; j < n; j++) product += w[a * n + j] * w[b * n + j];
        expect(product).toBeCloseTo(a === b ? 0.25 : 0, 12);
      }
    }
    expect(() => initWeights(w, build(false), init, null, createRng(2))).toThrow(ConfigError);
  });

  it('have one mean for each group and neuron where they are coherent', () => {
    const [groups, nPost, scatter] = [[400, 100], 300, 0.2];
    const connectivity = { kind: 'probability', p: 0.5 } as const;
    for (const p of [{ kind: 'dense' } as const, connectivity, { kind: 'in-degree', n: 250 } as const].map((own) =>
      buildProjection(
        { nPre: 500, nPost, bias: true, autapses: true, recurrent: false, connectivity: own },
        createRng(1),
      ),
    )) {
      const weights = new Float64Array(p.nSyn);
      initWeights(weights, p, { kind: 'coherent', gain: 3, scatter }, 0.3, createRng(2), { groups });
      expect(weights.subarray(p.rowStart[500])).toBeBitEqual(Array(nPost).fill(0.3));
      const sums = groups.map((_, g) => {
        const [from, to] = g === 0 ? [0, 400] : [400, 500];
        const mean = new Float64Array(nPost);
        const square = new Float64Array(nPost);
        const count = new Float64Array(nPost);
        for (let s = p.rowStart[from]; s < p.rowStart[to]; s++) {
          mean[p.post[s]] += weights[s];
          square[p.post[s]] += weights[s] ** 2;
          count[p.post[s]] += 1;
        }
        const average = p.rowStart[to] - p.rowStart[from];
        near(deviation(mean.map((sum, j) => ((sum / count[j]) * average) / nPost)), 3, nPost);
        let within = 0;
        for (let j = 0; j < nPost; j++) {
          const own = mean[j] / count[j];
          within += (square[j] / count[j] / own ** 2 - 1) / nPost;
        }
        expect(Math.abs(Math.sqrt(within) / scatter - 1)).toBeLessThan(0.05);
        return mean;
      });
      const product = sums[0].reduce((sum, value, j) => sum + value * sums[1][j], 0);
      expect(Math.abs(product) / (deviation(sums[0]) * deviation(sums[1]) * nPost)).toBeLessThan(4 / Math.sqrt(nPost));
    }
  });

  it('are 0 where synapses are masked', () => {
    const square = buildProjection(
      { nPre: 4, nPost: 4, bias: false, autapses: false, recurrent: true, connectivity: { kind: 'dense' } },
      createRng(1),
    );
    const weights = new Float64Array(16);
    initWeights(weights, square, { kind: 'constant', value: 1 }, null, createRng(1));
    expect(Array.from(weights)).toEqual([0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0]);
  });

  it('are drawn in storage order', () => {
    const weights = new Float64Array(3);
    drawWeights(weights, 1, 1, { kind: 'normal-sd', sd: 2 }, createRng(7));
    const rng = createRng(7);
    expect(weights).toBeBitEqual([2 * rng.normal(), 2 * rng.normal(), 2 * rng.normal()]);
  });
});
