import type { WeightName } from '../core/network.ts';
import type { Weights } from '../core/plugins.ts';

/** Blocks of weights that are compared; the readout's bias counts with its weights. */
export const auditBlocks = ['wRec', 'wIn', 'wOut'] as const;
export type AuditBlock = (typeof auditBlocks)[number];

/** How one gradient lies to another. null where it is not defined: a gradient of 0, or one that is not finite. */
export interface Alignment {
  /** g . r / (|g| |r|) */
  readonly cosine: number | null;
  /** Share of the entries at which both are not 0 that have the same sign. */
  readonly sign: number | null;
  /** |g| / |r| */
  readonly norm: number | null;
}

export type Alignments = Readonly<Record<AuditBlock, Alignment>>;

const parts: Readonly<Record<AuditBlock, readonly WeightName[]>> = {
  wRec: ['wRec'],
  wIn: ['wIn'],
  wOut: ['wOut', 'bOut'],
};

/** Every block of a gradient against the same block of the one it should point along. */
export function align(gradient: Weights, reference: Weights): Alignments {
  const block = (name: AuditBlock) => alignBlock(parts[name].map((part) => [gradient[part], reference[part]]));
  return { wRec: block('wRec'), wIn: block('wIn'), wOut: block('wOut') };
}

/** |g| of every block. */
export function normsOf(gradient: Weights): Readonly<Record<AuditBlock, number>> {
  const norm = (name: AuditBlock) =>
    Math.sqrt(parts[name].reduce((sum, part) => sum + dot(gradient[part], gradient[part]), 0));
  return { wRec: norm('wRec'), wIn: norm('wIn'), wOut: norm('wOut') };
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
  if (!Number.isFinite(product) || !Number.isFinite(own)) return { cosine: null, sign: null, norm: null };
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
