import type { NetworkSpec } from '../../core/network.ts';
import type { Projection } from '../../core/projection.ts';

/** Neurons that the deferred gradient takes back together; WIDTH in `kernels/deferred.ts`. */
const blockWidth = 128;

/** Steps that a synapse is taken through at once; CHUNK in `kernels/online.ts`. */
export const gradientChunk = 8;

/** Four-byte words of scratch that a shard needs for itself, by the names of `Net`. */
export function scratchLengths(spec: NetworkSpec) {
  const { rec, in: nIn, out, step, stream } = spec.sizes;
  const { in: fromInput, rec: recurrent } = spec.projections;
  const deferred = spec.rule !== null && spec.execution === 'deferred';
  const online = spec.rule !== null && spec.execution === 'online';
  const postponed = spec.rule !== null && spec.execution === 'postponed';
  return {
    current: rec + 4,
    list: rec + 4,
    feedbackT: rec * out + blockWidth,
    errorBack: step * out,
    drive: (online ? stream : 1) * rec + blockWidth,
    owed: rec + blockWidth,
    block: deferred ? (step + 1) * blockWidth : 0,
    timesX: deferred ? nIn + 1 : 0,
    timesZ: deferred ? rec + 1 : 0,
    entriesX: deferred && fromInput.dense ? 2 * step * nIn : 0,
    entriesZ: deferred && recurrent.dense ? step * rec : 0,
    lanes: 64,
    epsSteps: (postponed ? step : online ? gradientChunk : 0) * (nIn + rec) + 4,
    damp: (online ? gradientChunk : 1) * rec + (postponed ? 3 * (nIn + rec + 4) : blockWidth),
    spare: online ? rec + 4 : 0,
    packed: online ? 4 * gradientChunk * (rec + 8) : 0,
    actives: postponed ? 8 * step : 0,
  };
}

/** Four-byte words that all shards share. */
export function sharedLengths({ sizes, rule }: NetworkSpec) {
  const { rec, in: nIn, out, step, stream, history } = sizes;
  return {
    scale: stream,
    strength: rec + blockWidth,
    xList: stream * step * nIn + 4,
    xEnds: stream * (step + 1),
    zList: stream * (step + history) * rec + 4,
    zEnds: stream * (step + history + 1),
    control: 16,
    told: rule?.signal.kernel?.errorSpikes ? stream * step * out + 4 : 0,
  };
}

/** Bytes of the index arrays of sparse projections. */
export function topologyBytes(spec: NetworkSpec): number {
  return [spec.projections.in, spec.projections.rec]
    .filter(({ dense }) => !dense)
    .reduce((sum, p) => sum + 4 * (p.nPre + 1) + (isNarrow(spec, p) ? 2 : 4) * p.nSyn + 256, 0);
}

/**
 * Whether two bytes a target do: its distance from the last one of the row. The online traces read targets as they are,
 * and in a large network with few synapses a distance may be too long.
 */
export function isNarrow({ execution }: NetworkSpec, { nPre, rowStart, post }: Projection): boolean {
  if (execution === 'online') return false;
  for (let i = 0; i < nPre; i++) {
    let last = 0;
    for (let s = rowStart[i]; s < rowStart[i + 1]; s++) {
      const distance = post[s] - last;
      if (distance < 0 || distance > 0xffff) return false;
      last = post[s];
    }
  }
  return true;
}

/** Distances of the targets of each row from the one before, of the first one from 0. */
export function distances({ nPre, nSyn, rowStart, post }: Projection): Uint16Array {
  const out = new Uint16Array(nSyn);
  for (let i = 0; i < nPre; i++) {
    for (let s = rowStart[i]; s < rowStart[i + 1]; s++) out[s] = post[s] - (s > rowStart[i] ? post[s - 1] : 0);
  }
  return out;
}
