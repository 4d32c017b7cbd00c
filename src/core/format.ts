/** Fixed-point numbers: integers of `bits` bits, signed or not, that stand for multiples of 2^-fraction. */
export interface NumberFormat {
  readonly bits: number;
  /** Binary digits after the point; negative for steps larger than 1. */
  readonly fraction: number;
  readonly signed: boolean;
  readonly rounding: 'floor' | 'nearest' | 'toward-zero' | 'stochastic';
  readonly overflow: 'saturate' | 'wrap';
}

/** The format of a field of the network's state, or of a whole-time array (`trial.psi`). */
export interface FieldFormat {
  readonly field: string;
  readonly format: NumberFormat;
}

/** The width that the numbers of a field are to have; where their point lies follows from what they hold. */
export interface FieldWidth {
  readonly field: string;
  readonly bits: number;
  readonly rounding: NumberFormat['rounding'];
}

/** What is rounded in the same way. Signals live for one step, and so does what a neuron keeps of them for the next. */
export const widthKinds = ['weights', 'traces', 'signals', 'membranes'] as const;
export type WidthKind = (typeof widthKinds)[number];

export interface GroupedField {
  readonly field: string;
  /** The fields of a group get their width together, and are of one kind. */
  readonly group: string;
  readonly kind: WidthKind;
  /** Numbers in one network, of a row in one step. */
  readonly count: number;
}

/** What became of the numbers of one field. Counts are of stores that changed the number or tried to. */
export interface FieldStatistics {
  readonly field: string;
  readonly format: NumberFormat;
  /** Stores of a number that was not the stored one. */
  tried: number;
  /** Of these, stores that changed it. */
  fired: number;
  /** Of these, stores whose change was below one step and was lost. */
  lost: number;
  saturated: number;
  wrapped: number;
  /** Numbers other than 0 that became 0. */
  flushed: number;
  smallest: number;
  largest: number;
}

/** Smallest and largest integer of a format. */
export function limitsOf({ bits, signed }: NumberFormat): readonly [number, number] {
  return signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
}

/** Bits that would have held all numbers that the field was given, with its own step. */
export function narrowestBits({ format, smallest, largest }: FieldStatistics): number {
  const step = 2 ** -format.fraction;
  const top = Math.max(0, Math.floor(largest / step + 0.5));
  const bottom = Math.max(0, Math.ceil(-smallest / step - 0.5));
  const magnitude = Math.max(Math.ceil(Math.log2(top + 1)), Math.ceil(Math.log2(Math.max(1, bottom))));
  return Math.max(1, magnitude + (format.signed ? 1 : 0));
}
