import { type NetworkSpec, type Weights, type Whole, wholesOf } from '../core/network.ts';

/** Blocks of weights that are compared: one for every projection and readout, whose bias counts with its weights. */
export interface AuditBlock {
  readonly name: string;
  readonly kind: 'projection' | 'readout';
  /** Names of the blocks of weights that it is made of. */
  readonly parts: readonly string[];
}

/** Projections from populations first, then those from the input, then readouts. */
export function auditBlocksOf({ projections, readouts }: NetworkSpec): AuditBlock[] {
  const isInput = ({ parts }: Whole) => parts[0].pre === null;
  const all = wholesOf({ projections });
  return [
    ...[...all.filter((whole) => !isInput(whole)), ...all.filter(isInput)].map(
      ({ name, parts }): AuditBlock => ({ name, kind: 'projection', parts: parts.map((part) => part.name) }),
    ),
    ...readouts.map(({ name }): AuditBlock => ({ name, kind: 'readout', parts: [name, `${name}.bias`] })),
  ];
}

/** How one gradient lies to another. null where it is not defined: a gradient of 0, or one that is not finite. */
export interface Alignment {
  /** g . r / (|g| |r|) */
  readonly cosine: number | null;
  /** Share of the entries at which both are not 0 that have the same sign. */
  readonly sign: number | null;
  /** |g| / |r| */
  readonly norm: number | null;
}

/**
 * What the gradients of several draws of a rule's own noise are like, in units of the true one r. null where that is 0, or a gradient is
 * not finite.
 */
export interface Spread {
  /** |mean - r| / |r|, less what the noise of a mean of so many draws adds on average; 0 where that is more. */
  readonly bias: number | null;
  /** Of one draw: sum of the variances of all entries / |r|^2. */
  readonly variance: number | null;
}

export type Spreads = Readonly<Record<string, Spread>>;

/** By the names of blocks. */
export type Alignments = Readonly<Record<string, Alignment>>;

export const undefinedAlignment: Alignment = { cosine: null, sign: null, norm: null };

/** Every block of a gradient against the same block of the one it should point along. */
export function align(gradient: Weights, reference: Weights, blocks: readonly AuditBlock[]): Alignments {
  return Object.fromEntries(
    blocks.map(({ name, parts }) => [name, alignBlock(parts.map((part) => [gradient[part], reference[part]]))]),
  );
}

/** Bias and variance of every block over several draws, two or more. */
export function spread(draws: readonly Weights[], reference: Weights, blocks: readonly AuditBlock[]): Spreads {
  return Object.fromEntries(
    blocks.map(({ name, parts }) => {
      let [apart, within, size] = [0, 0, 0];
      for (const part of parts) {
        const r = reference[part];
        for (let s = 0; s < r.length; s++) {
          const mean = draws.reduce((sum, draw) => sum + draw[part][s], 0) / draws.length;
          within += draws.reduce((sum, draw) => sum + (draw[part][s] - mean) ** 2, 0) / (draws.length - 1);
          apart += (mean - r[s]) ** 2;
          size += r[s] ** 2;
        }
      }
      if (!(size > 0) || !Number.isFinite(within + apart)) return [name, { bias: null, variance: null }];
      const bias = Math.sqrt(Math.max(0, apart - within / draws.length) / size);
      return [name, { bias, variance: within / size }];
    }),
  );
}

/** |g| of every block. */
export function normsOf(gradient: Weights, blocks: readonly AuditBlock[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    blocks.map(({ name, parts }) => [
      name,
      Math.sqrt(parts.reduce((sum, part) => sum + dot(gradient[part], gradient[part]), 0)),
    ]),
  );
}

function alignBlock(pairs: readonly (readonly [ArrayLike<number>, ArrayLike<number>])[]): Alignment {
  let [product, own, other, same, both] = [0, 0, 0, 0, 0];
  for (const [g, r] of pairs) {
    product += dot(g, r);
    own += dot(g, g);
    other += dot(r, r);
    for (let s = 0; s < g.length; s++) {
      if (g[s] === 0 || r[s] === 0) continue;
      both += 1;
      if (g[s] > 0 === r[s] > 0) same += 1;
    }
  }
  if (!Number.isFinite(product) || !Number.isFinite(own)) return undefinedAlignment;
  return {
    cosine: own > 0 && other > 0 ? product / Math.sqrt(own) / Math.sqrt(other) : null,
    sign: both > 0 ? same / both : null,
    norm: other > 0 ? Math.sqrt(own / other) : null,
  };
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let s = 0; s < a.length; s++) sum += a[s] * b[s];
  return sum;
}
