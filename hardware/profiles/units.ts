import type { ChipDecay, ChipProfile } from '../profile.ts';

/** Numbers of a profile: value, kind of source, source. */

type Kind = ChipProfile['weightBits']['kind'];
const of =
  <U extends string>(unit: U) =>
  <V extends number | 'no limit' | null>(value: V, kind: Kind, source: string) =>
    ({ value, unit, source, kind }) as const;

/** A fact that is true, false or, null, not known. */
export const known = (value: boolean | null, kind: Kind, source: string) => ({ value, source, kind }) as const;

export const bit = of('bit');
export const neuron = of('neuron');
export const line = of('line');
export const byte = of('byte');
export const synapse = of('synapse');
export const step = of('step');
export const core = of('core');
export const axon = of('axon');
export const pJ = of('pJ');
export const unlimited = 'no limit';

/** x <- (x m) >> bits, with decays of `range`. */
export const multiply = (bits: number, range: [number, number], kind: Kind, source: string): ChipDecay => ({
  form: 'multiply',
  bits,
  range,
  kind,
  source,
});
/** x <- x - (x >> k) */
export const shiftDecay = (kind: Kind, source: string): ChipDecay => ({
  form: 'shift',
  bits: null,
  range: [0, 1],
  kind,
  source,
});
/** x <- x - c */
export const subtractDecay = (bits: number, kind: Kind, source: string): ChipDecay => ({
  form: 'subtract',
  bits,
  range: [0, 1],
  kind,
  source,
});
export const analogDecay = (bits: number | null, kind: Kind, source: string): ChipDecay => ({
  form: 'analog',
  bits,
  range: [0, 1],
  kind,
  source,
});
/** Any factor: software, or an exponential whose words nobody documents. */
export const anyDecay = (kind: Kind, source: string): ChipDecay => ({
  form: 'any',
  bits: null,
  range: [0, 1],
  kind,
  source,
});
