import type { NetworkSpec } from '../../core/network.ts';
import type { DendriteKernel } from '../../core/plugins.ts';
import type { SingleNetwork } from '../../core/single.ts';
import { type RecordValues, writeRecord } from './record.ts';
import { dendriteFields } from './records.ts';
import type { Scratch } from './scratch.ts';

type DendriteValues = RecordValues<(typeof dendriteFields)[number]>;

/** The signal's kernel where it is this one. */
export function dendriteOf({ populations }: Pick<NetworkSpec, 'populations'>): DendriteKernel | null {
  const kernel = populations[0].signals[0]?.kernel;
  return kernel?.name === 'dendrite' ? kernel : null;
}

/** Four-byte words of scratch, by the names of the record; and the record itself. */
export function dendriteScratch(spec: NetworkSpec): Readonly<Record<string, number>> {
  const kernel = dendriteOf(spec);
  if (!kernel) return {};
  const { stream, out } = spec.sizes;
  const [{ size: rec }] = spec.populations;
  const list = stream * (kernel.delays * rec + 4) + 4;
  const perNeuron = stream * rec + 4;
  return {
    miss: perNeuron,
    broadcast: perNeuron,
    voltage: perNeuron,
    before: list,
    beforeRates: stream,
    beforeEnds: stream,
    values: kernel.readoutDecay > 0 ? list : 0,
    now: list,
    nowEnds: stream,
    label: stream * out,
    record: dendriteFields.length,
  };
}

/** Lays the record down. @returns its address, 0 where the network has no such signal */
export function layDendrite(network: SingleNetwork, memory: WebAssembly.Memory, scratch: Scratch): number {
  const { spec, signal, weights } = network;
  const kernel = spec.rule?.signal.kernel;
  if (kernel?.name !== 'dendrite') return 0;
  const at = (name: string) => signal[name].byteOffset;
  const values = {
    ...scratch,
    feedback: kernel.matrix === 'readout' ? weights.wOut.byteOffset : at('B'),
    A: at('A'),
    J: at('J'),
    norms: kernel.normRate === null ? 0 : at('norms'),
    losses: at('losses'),
    features: at('features'),
    begun: at('begun'),
    distal: at('distal'),
    r: kernel.readoutDecay > 0 ? at('r') : 0,
    nF: kernel.features,
    delays: kernel.delays,
    nLabel: kernel.label ? spec.sizes.out : 0,
    stepsPerPhase: kernel.stepsPerPhase,
    powersOfTwo: kernel.powersOfTwo ? 1 : 0,
    decay: kernel.readoutDecay,
    readGain: kernel.readoutGain,
    gain: kernel.gain,
    rateA: kernel.rateA,
    rateJ: kernel.rateJ,
    normRate: kernel.normRate ?? 0,
  } as unknown as DendriteValues;
  writeRecord(memory.buffer, scratch.record, dendriteFields, values);
  return scratch.record;
}
