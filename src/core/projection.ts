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
}
