import type { Demand, Variable } from './demand.ts';
import type { ChipProfile } from './profile.ts';

/** A variable with the width that a chip would give it. */
export type Stored = Variable & {
  /** Of one number. */
  readonly bits: number;
  /** Of all, packed. */
  readonly bytes: number;
};

/** Width of a vector of learning, bit. */
const vectorBits = 16;
/** Traces of a chip that has none are as wide as those of others. */
const usualTraceBits = 12;

export function weightBits({ weightBits: { value } }: ChipProfile): number {
  return value ?? 64;
}

export function inferenceInventory({ inference }: Demand, chip: ChipProfile): Stored[] {
  return inference.map((variable) => withBits(variable, chip.membraneBits.value ?? vectorBits));
}

export function learningInventory({ learning }: Demand, chip: ChipProfile): Stored[] {
  return (learning?.variables ?? []).map((variable) => withBits(variable, widthOf(variable, chip)));
}

/** Bits that a synapse of each projection keeps beside its weight. State of a direct rule is shared out among all. [projections] */
export function synapseStateBits({ projections, synapses }: Demand, learning: readonly Stored[]): number[] {
  const beside = learning.filter(({ home, kind }) => home === 'synapse' && kind !== 'matrix');
  const bitsOf = (owner: string) =>
    beside.reduce((sum, variable) => sum + (variable.owner === owner ? variable.bits * variable.count : 0), 0);
  const ofAll = bitsOf('direct') / Math.max(1, synapses);
  return projections.map(({ name, synapses: own }) => ofAll + bitsOf(`projection.${name}`) / Math.max(1, own));
}

function withBits(variable: Variable, bits: number): Stored {
  return { ...variable, bits, bytes: (variable.count * bits) / 8 };
}

/**
 * Matrices are as wide as weights, traces as wide as the chip's; an adaptation's eligibility and a summed gradient have at
 * least the 16 bits of a vector.
 */
function widthOf({ kind, part, wide, binary }: Variable, chip: ChipProfile): number {
  if (binary) return 1;
  const trace = chip.traceBits.value || usualTraceBits;
  switch (kind) {
    case 'matrix':
      return weightBits(chip);
    case 'vector':
    case 'past':
      return vectorBits;
    case 'sum':
      return Math.max(vectorBits, trace);
    case 'trace':
      if (wide) return Math.max(vectorBits, trace);
      return part === 'readout' ? (chip.readoutTraceBits?.value ?? trace) : trace;
    default:
      return kind satisfies never;
  }
}
