import type { NetworkSpec } from '../../core/network.ts';
import type { SingleNetwork } from '../../core/single.ts';
import type { Kernels } from './module.ts';
import { type RecordValues, writeRecord } from './record.ts';
import { bpttFields } from './records.ts';
import type { Scratch } from './scratch.ts';

/** Four-byte words of scratch, by the names of the record; and the record itself. */
export function bpttScratch({ direct, sizes, populations }: NetworkSpec): Readonly<Record<string, number>> {
  if (!direct?.kernel) return {};
  const { stream, out } = sizes;
  const [{ size: rec, history }] = populations;
  const rows = stream * rec + 4;
  return {
    filtered: stream * out,
    credit: rows,
    drive: rows,
    owed: rows,
    later: history * rows,
    record: bpttFields.length,
  };
}

/** The stage of the direct rule; null where the network has none. `net` is a record whose gradient is the whole one. */
export function bindBptt(
  network: SingleNetwork,
  kernels: Kernels,
  net: number,
  memory: WebAssembly.Memory,
  scratch: Scratch,
): ((t0: number, t1: number) => void) | null {
  const { spec, direct, weights } = network;
  const kernel = spec.direct?.kernel;
  if (!kernel) return null;
  const feedback = kernel.matrix === 'readout' ? weights.wOut : direct.B;
  const values = { ...scratch, feedback: feedback.byteOffset, resetGain: kernel.resetGain };
  writeRecord(
    memory.buffer,
    scratch.record,
    bpttFields,
    values as unknown as RecordValues<(typeof bpttFields)[number]>,
  );
  const longest = kernel.segment ?? kernel.window ?? Number.POSITIVE_INFINITY;
  const window = kernel.window ?? Number.POSITIVE_INFINITY;
  return (t0, t1) => {
    for (let s0 = t0; s0 < t1; s0 += longest) {
      if (kernel.drops && s0 + longest > t1) return;
      const s1 = Math.min(s0 + longest, t1);
      kernels.bpttBack(net, scratch.record, s0, s1, Math.max(0, s1 - window));
    }
  };
}
