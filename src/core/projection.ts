/**
 * Which synapses exist between two populations: CSR by presynaptic neuron. Synapse s of presynaptic neuron i lies in
 * [rowStart[i], rowStart[i+1]) and ends on neuron post[s]. A dense projection stores every pair, so s = i nPost + j.
 */
export interface Projection {
  readonly nPre: number;
  readonly nPost: number;
  readonly nSyn: number;
  readonly dense: boolean;
  /** [nPre + 1] */
  readonly rowStart: Int32Array;
  /** [nSyn] */
  readonly post: Int32Array;
  /** Synapses that exist in the storage only (autapses of a dense matrix): weight and gradient stay 0. */
  readonly masked: Int32Array;
  /**
   * Dale's law: the sign of all synapses of a presynaptic neuron, times the factor on their first weights; 0 for free ones (a
   * bias); null: all are free. [nPre]
   */
  readonly signs: Float64Array | null;
}

/** Synapses [from, to) and the smallest and largest weight that they may have. */
export interface WeightRange {
  readonly from: number;
  readonly to: number;
  readonly low: number;
  readonly high: number;
}

/** The limits of all synapses of a block, neighbours with the same sign together. `projection` null: one range of n weights. */
export function weightRanges(
  projection: Projection | null,
  n: number,
  clamp: readonly [number, number] | null,
): WeightRange[] {
  const [low, high] = clamp ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const signs = projection?.signs;
  if (!signs) return [{ from: 0, to: n, low, high }];
  const ranges: WeightRange[] = [];
  for (let i = 0; i < projection.nPre; i++) {
    if (i > 0 && signs[i] === signs[i - 1])
      ranges[ranges.length - 1] = { ...ranges[ranges.length - 1], to: projection.rowStart[i + 1] };
    else {
      ranges.push({
        from: projection.rowStart[i],
        to: projection.rowStart[i + 1],
        low: signs[i] > 0 ? Math.max(low, 0) : low,
        high: signs[i] < 0 ? Math.min(high, 0) : high,
      });
    }
  }
  return ranges;
}
