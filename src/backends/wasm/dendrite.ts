import type { Network, NetworkSpec } from '../../core/network.ts';
import type { DendriteKernel } from '../../core/plugins.ts';
import { type RecordValues, writeRecord } from './record.ts';

/** The fields of `Dendrite` in `kernels/dendrite.ts`, in the same order. `f` marks the float ones. */
export const dendriteFields = [
  'feedback',
  'A',
  'J',
  'norms',
  'losses',
  'features',
  'begun',
  'distal',
  'r',
  'miss',
  'broadcast',
  'voltage',
  'before',
  'beforeRates',
  'beforeEnds',
  'values',
  'now',
  'nowEnds',
  'label',
  'nF',
  'delays',
  'nLabel',
  'stepsPerPhase',
  'powersOfTwo',
  'f:decay',
  'f:readGain',
  'f:gain',
  'f:rateA',
  'f:rateJ',
  'f:normRate',
] as const;

type DendriteValues = RecordValues<(typeof dendriteFields)[number]>;

/** The signal's kernel where it is this one. */
export function dendriteOf({ rule }: NetworkSpec): DendriteKernel | null {
  const kernel = rule?.signal.kernel;
  return kernel?.name === 'dendrite' ? kernel : null;
}

/** Four-byte words of scratch, by the names of the record; and the record itself. */
export function dendriteScratch(spec: NetworkSpec): Readonly<Record<string, number>> {
  const kernel = dendriteOf(spec);
  if (!kernel) return {};
  const { stream, rec, out } = spec.sizes;
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
export function layDendrite(network: Network, memory: WebAssembly.Memory, take: (length: number) => number): number {
  const { spec, state, weights } = network;
  const kernel = dendriteOf(spec);
  if (!kernel) return 0;
  const scratch = Object.fromEntries(Object.entries(dendriteScratch(spec)).map(([name, n]) => [name, take(n)]));
  const at = (name: string) => state.field(`signal.${name}`).byteOffset;
  const values = {
    ...scratch,
    feedback: kernel.matrix === 'wOut' ? weights.wOut.byteOffset : at('B'),
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
