import type { FieldWidth } from '../src/core/format.ts';
import type { Demand } from './demand.ts';
import { beyond, type ChipProfile } from './profile.ts';
import { inferenceInventory, learningInventory, type Stored, synapseStateBits, weightBits } from './widths.ts';

/** What a chip makes of a rule and its network besides rounding its numbers. */
export interface Structure {
  /** The learning signal of a step meets the trace of the step before: the chip has no phases. */
  readonly late: boolean;
  /** No state per synapse: the trace loses its output filter, the rate term the rate of the whole trial. */
  readonly factored: boolean;
  /** The reset that the chip has, where it lacks the network's; null: the network's own. */
  readonly reset: 'subtract' | 'zero' | null;
}

export function structureOf(demand: Demand, chip: ChipProfile): Structure {
  const { learning, populations } = demand;
  const missing = populations.some(({ reset }) => reset && chip.resets.length > 0 && !chip.resets.includes(reset));
  const bits = Math.max(0, ...synapseStateBits(demand, learningInventory(demand, chip)));
  return {
    late: learning?.dendritic === true && !chip.learning.phases,
    factored: bits > 0 && (chip.learning.fixedRule === 'factored-eprop' || beyond(bits, chip.synapseStateBits)),
    reset: missing ? chip.resets[0] : null,
  };
}

/** Formats hold at most this many bits; wider numbers stay floating point. */
const mostBits = 32;

/**
 * Widths of all numbers that a network would have on a chip, for the backend `fixed`: weights, matrices and traces are rounded
 * stochastically where the chip can, everything else as its arithmetic rounds. What the profile has no figure for is left out.
 */
export function widthsOf(demand: Demand, chip: ChipProfile): FieldWidth[] {
  const plain = chip.roundings[0];
  const stochastic = chip.roundings.includes('stochastic') ? 'stochastic' : plain;
  const kept = ({ name, bits, kind }: Stored): FieldWidth => ({
    field: name,
    bits,
    rounding: kind === 'matrix' || kind === 'trace' ? stochastic : plain,
  });
  const { signalBits, slopeBits } = chip.arithmetic;
  const rows = (names: readonly string[], bits: number | null): FieldWidth[] =>
    names.map((field) => ({ field, bits: bits ?? 0, rounding: plain }));
  const perPopulation = (row: string) => demand.populations.map(({ name }) => `population.${name}.${row}`);
  const perReadout = (row: string) => demand.readouts.map(({ name }) => `readout.${name}.${row}`);
  const weights = [
    ...demand.projections.map(({ name }) => `projection.${name}.weights`),
    ...demand.readouts.flatMap(({ name }) => [`readout.${name}.weights`, `readout.${name}.bias.weights`]),
  ];
  const inference = chip.membraneBits.value === null ? [] : inferenceInventory(demand, chip);
  return [
    ...weights.map((field) => ({ field, bits: weightBits(chip), rounding: stochastic })),
    ...inference.map(kept),
    ...learningInventory(demand, chip)
      .filter(({ binary, home }) => !binary && home !== 'global')
      .map(kept),
    ...rows(perReadout('y'), chip.membraneBits.value),
    ...rows(perPopulation('psi'), slopeBits.value),
    ...rows(perReadout('error'), signalBits.value),
    ...rows(
      demand.populations.flatMap(({ signals }) => signals),
      signalBits.value,
    ),
  ].filter(({ field, bits }) => bits > 0 && bits <= mostBits && !field.endsWith('.refractory'));
}
