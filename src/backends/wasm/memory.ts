import type { NetworkSpec } from '../../core/network.ts';

/** Neurons that the deferred gradient takes back together; WIDTH in `kernels/deferred.ts`. */
const blockWidth = 32;

/** Four-byte words of scratch, by the names of `Net`. */
export function scratchLengths(spec: NetworkSpec) {
  const { rec, in: nIn, out, step, stream } = spec.sizes;
  const { in: fromInput, rec: recurrent } = spec.projections;
  const listed = (fromInput.dense ? nIn : 0) + (recurrent.dense ? rec : 0);
  const deferred = spec.rule !== null && spec.execution === 'deferred';
  const online = spec.rule !== null && spec.execution === 'online';
  return {
    current: rec + 4,
    list: 2 * (nIn + rec + 4),
    feedbackT: rec * out + blockWidth,
    errorBack: step * out,
    drive: (online ? stream : 1) * rec + blockWidth,
    owed: rec + blockWidth,
    block: deferred ? step * blockWidth : 0,
    times: deferred ? listed + 1 : 0,
    entries: deferred ? 2 * step * listed : 0,
    lanes: 64,
    scale: stream,
    strength: rec + blockWidth,
  };
}

/** Bytes of the index arrays of sparse projections. */
export function topologyBytes({ projections }: NetworkSpec): number {
  return [projections.in, projections.rec]
    .filter(({ dense }) => !dense)
    .reduce((sum, { nPre, nSyn }) => sum + 4 * (nPre + 1 + nSyn) + 256, 0);
}
