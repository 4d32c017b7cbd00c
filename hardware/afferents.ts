import type { Projection } from '../src/core/projection.ts';
import type { Demand, DemandedProjection, DemandedReadout } from './demand.ts';
import type { ChipProfile } from './profile.ts';
import { type Stored, synapseStateBits, weightBits } from './widths.ts';

/** Synapses onto a target that have one delay, listed by neuron of the target. */
export interface Incoming {
  /** Steps; a readout takes none. */
  readonly delay: number;
  /** Its weights change. */
  readonly learns: boolean;
  /** Where the sources of each neuron begin. [size + 1] */
  readonly start: Int32Array;
  /** Lines of the input, then the neurons of all populations. [synapses] */
  readonly sources: Int32Array;
}

/** A projection of the configuration, or the weights of a readout: on a core it has a row of synapses for every source. */
export interface Afferent {
  /** Of the projection or the readout. */
  readonly name: string;
  /** One for every delay. */
  readonly parts: readonly Incoming[];
  /** Bits that a row of so many synapses takes. [size + 1] */
  readonly rowBits: Float64Array;
}

/** A matrix of the rule: rows with one number for every neuron of the target. */
export interface OwnMatrix {
  /** Numbers of one neuron. */
  readonly rows: number;
  /** Bits that a row of so many numbers takes. [size + 1] */
  readonly rowBits: Float64Array;
}

/** What is laid on cores: the neurons of a population, or the outputs of a readout. */
export interface Target {
  /** Of the population or the readout. */
  readonly name: string;
  /** What its units are: neurons, or outputs. */
  readonly kind: 'population' | 'readout';
  /** Neurons or outputs. */
  readonly size: number;
  /** They are neurons of a core; outputs may be units of their own. */
  readonly neurons: boolean;
  /** All synapses onto it. */
  readonly afferents: readonly Afferent[];
  /** All that the rule keeps for it beside weights. */
  readonly matrices: readonly OwnMatrix[];
}

/** Bits of a row of n synapses for n = 0 to `most`: packed, or in whole words with a header for every block. */
export function rowBits(most: number, bits: number, dense: boolean, { synapseWord }: ChipProfile): Float64Array {
  const rows = new Float64Array(most + 1);
  if (!synapseWord) return rows.map((_, n) => n * bits);
  const { wordBits, headerBits, blockSynapses, indexBits } = synapseWord;
  const each = bits + (dense ? 0 : indexBits);
  const words = (n: number) => (n === 0 ? 0 : Math.ceil((n * each + headerBits) / wordBits));
  return rows.map(
    (_, n) => wordBits * (Math.floor(n / blockSynapses) * words(blockSynapses) + words(n % blockSynapses)),
  );
}

/** Sources of synapses: lines of the input, then neurons. */
export function sourceCount({ inputs, neurons }: Demand): number {
  return inputs + neurons;
}

/** Populations in the order of the file, then readouts. */
export function targetsOf(demand: Demand, chip: ChipProfile, learning: readonly Stored[]): Target[] {
  const first = firstSources(demand);
  const state = synapseStateBits(demand, learning);
  const populations = demand.populations.map(({ name, size }, p): Target => {
    const afferents = wholesInto(demand, p).map((parts) => afferentOf(parts, size, first, state, chip));
    return {
      name,
      kind: 'population',
      size,
      neurons: true,
      afferents,
      matrices: matricesOf(name, size, learning, chip),
    };
  });
  // Outputs that a chip counts are no neurons of its cores.
  const neurons = typeof chip.outputs.value !== 'number';
  const readouts = demand.readouts.map((readout): Target => {
    const { name, outputs } = readout;
    const bits = rowBits(outputs, weightBits(chip), true, chip);
    const afferents = [{ name, parts: [allToAll(readout, demand, first)], rowBits: bits }];
    return { name, kind: 'readout', size: outputs, neurons, afferents, matrices: [] };
  });
  return [...populations, ...readouts];
}

/** The place of the first neuron of each population among the sources. */
function firstSources({ inputs, populations }: Demand): number[] {
  let next = inputs;
  return populations.map(({ size }) => {
    next += size;
    return next - size;
  });
}

/** Projections of the configuration onto a population, each as its parts with their place in the list. */
function wholesInto({ projections }: Demand, p: number): (readonly [DemandedProjection, number])[][] {
  const wholes = new Map<string, (readonly [DemandedProjection, number])[]>();
  projections.forEach((part, q) => {
    if (part.post === p) wholes.set(part.whole, [...(wholes.get(part.whole) ?? []), [part, q]]);
  });
  return [...wholes.values()];
}

function afferentOf(
  parts: readonly (readonly [DemandedProjection, number])[],
  size: number,
  first: readonly number[],
  state: readonly number[],
  chip: ChipProfile,
): Afferent {
  const total = (of: (part: DemandedProjection, q: number) => number) =>
    parts.reduce((sum, [part, q]) => sum + of(part, q), 0);
  const synapses = total((part) => part.synapses);
  const dense = synapses === parts[0][0].sources * size;
  const bits = weightBits(chip) + total((part, q) => part.synapses * state[q]) / Math.max(1, synapses);
  return {
    name: parts[0][0].whole,
    parts: parts.map(([{ pattern, pre, from, delay, learns }]) => {
      return { delay, learns, ...transposed(pattern, pre === null ? from : first[pre]) };
    }),
    rowBits: rowBits(size, bits, dense, chip),
  };
}

/** Synapses by postsynaptic neuron. @param from place of the first presynaptic unit among the sources */
function transposed({ nPre, nPost, nSyn, rowStart, post }: Projection, from: number) {
  const start = new Int32Array(nPost + 1);
  for (let s = 0; s < nSyn; s++) start[post[s] + 1] += 1;
  for (let j = 0; j < nPost; j++) start[j + 1] += start[j];
  const next = start.slice();
  const sources = new Int32Array(nSyn);
  for (let i = 0; i < nPre; i++) {
    for (let s = rowStart[i]; s < rowStart[i + 1]; s++) sources[next[post[s]]++] = from + i;
  }
  return { start, sources };
}

/** All neurons that a readout reads, for each of its outputs. */
function allToAll(
  { reads, sources: n, outputs, learns }: DemandedReadout,
  { populations }: Demand,
  first: readonly number[],
): Incoming {
  const read = reads.flatMap((p) => Array.from({ length: populations[p].size }, (_, i) => first[p] + i));
  const start = Int32Array.from({ length: outputs + 1 }, (_, k) => k * n);
  return { delay: 0, learns, start, sources: Int32Array.from({ length: outputs * n }, (_, s) => read[s % n]) };
}

/** Of the signal of a population, and its share of those of a direct rule, which are of all neurons. */
function matricesOf(name: string, size: number, learning: readonly Stored[], chip: ChipProfile): OwnMatrix[] {
  return learning
    .filter(({ kind, owner }) => kind === 'matrix' && (owner === `population.${name}` || owner === 'direct'))
    .map(({ count, neurons, bits }) => ({ rows: count / neurons, rowBits: rowBits(size, bits, true, chip) }));
}
