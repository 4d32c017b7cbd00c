import { channelName } from '../../core/bindings.ts';
import type { Network, NetworkSpec } from '../../core/network.ts';
import type { DendriteKernel } from '../../core/plugins.ts';
import { type RecordValues, writeRecord } from './record.ts';
import { dendriteFields } from './records.ts';
import type { Scratch } from './scratch.ts';

type DendriteValues = RecordValues<(typeof dendriteFields)[number]>;

/** The kernel of what population p hears of channel c, where it is this one. */
export function dendriteOf(
  { populations }: Pick<NetworkSpec, 'populations'>,
  p: number,
  c: number,
): DendriteKernel | null {
  const kernel = populations[p].signals[c]?.kernel;
  return kernel?.name === 'dendrite' ? kernel : null;
}

/** Four-byte words of scratch, by the names of the record; and the record itself. */
export function dendriteScratch(spec: NetworkSpec, p: number, c: number): Readonly<Record<string, number>> {
  const kernel = dendriteOf(spec, p, c);
  if (!kernel) return {};
  const { stream } = spec.sizes;
  const { size } = spec.populations[p];
  const list = stream * (kernel.delays * size + 4) + 4;
  const perNeuron = stream * size + 4;
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
    label: stream * spec.channels[c].size,
    record: dendriteFields.length,
  };
}

/** Lays the record of one signal down. @returns its address */
export function layDendrite(
  { spec, state }: Network,
  kernel: DendriteKernel,
  p: number,
  c: number,
  memory: WebAssembly.Memory,
  scratch: Scratch,
): number {
  const group = channelName(`population.${spec.populations[p].name}.signal`, spec, c);
  const { column, size } = spec.channels[c];
  const at = (name: string) => state.field(`${group}.${name}`).byteOffset;
  const values = {
    ...scratch,
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
    nLabel: kernel.label ? size : 0,
    column,
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
