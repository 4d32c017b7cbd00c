import { z } from 'zod';
import { ConfigError } from './errors.ts';
import type { Rng } from './rng.ts';
import { positive } from './schema.ts';
import { decayPerStep } from './units.ts';

/** A parameter of every neuron of a population: one number for all, one for each, or a distribution that they are drawn from. */
export type Values =
  | number
  | readonly number[]
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number }
  | { readonly kind: 'normal'; readonly mean: number; readonly sd: number }
  | { readonly kind: 'log-normal'; readonly median: number; readonly sigma: number };

/** Schema of a parameter that may differ from neuron to neuron, with the range of each number. */
export function valuesOf(each: z.ZodNumber): z.ZodType<Values> {
  const spread = z.number().min(0).max(1e6);
  return z.union([
    each,
    z.array(each).min(1),
    z
      .strictObject({ kind: z.literal('uniform'), low: each, high: each })
      .refine(({ low, high }) => low <= high, { path: ['high'], message: 'a number >= low' }),
    z.strictObject({ kind: z.literal('normal'), mean: each, sd: spread }),
    z
      .strictObject({ kind: z.literal('log-normal'), median: each, sigma: spread })
      .describe('exp(N(log median, sigma^2))'),
  ]) as z.ZodType<Values>;
}

/**
 * The numbers of a population: one where all have the same, else one for each.
 * @param valid whether a drawn number may be used
 * @throws ConfigError for a list of another length, or a drawn number out of range
 */
export function resolveValues(
  values: Values,
  size: number,
  rng: Rng,
  path: string,
  valid: (value: number) => boolean,
  range: string,
): number | Float64Array {
  if (typeof values === 'number') return values;
  if (!('kind' in values)) {
    if (values.length === size) return Float64Array.from(values);
    throw new ConfigError(path, `${values.length} values`, `${size}, one per neuron`);
  }
  const draw = sampler(values, rng);
  const drawn = Float64Array.from({ length: size }, draw);
  const odd = drawn.findIndex((value) => !valid(value));
  if (odd >= 0) throw new ConfigError(`${path}[${odd}]`, drawn[odd], `${range} (drawn; a narrower distribution)`);
  return drawn;
}

function sampler(values: Exclude<Values, number | readonly number[]>, rng: Rng): () => number {
  switch (values.kind) {
    case 'uniform':
      return () => values.low + (values.high - values.low) * rng.uniform();
    case 'normal':
      return () => values.mean + values.sd * rng.normal();
    case 'log-normal':
      return () => values.median * Math.exp(values.sigma * rng.normal());
    default:
      return values satisfies never;
  }
}

/** One number of each neuron. */
export function perNeuron(value: number | Float64Array, size: number): Float64Array {
  return typeof value === 'number' ? new Float64Array(size).fill(value) : value;
}

/** What follows from a parameter, neuron by neuron. */
export function mapValues(value: number | Float64Array, f: (value: number) => number): number | Float64Array {
  return typeof value === 'number' ? f(value) : value.map(f);
}

/** A time constant in ms, or the decay per step itself, of each neuron. */
export const decayValues = z.union([
  z.strictObject({ tauMs: valuesOf(positive).describe('time constant, ms') }),
  z.strictObject({ decay: valuesOf(z.number().min(0).lt(1)).describe('decay per step; 0 is no memory') }),
]);

/** The same of a value that need not leak. */
export const keptValues = z.union([
  z.strictObject({ tauMs: valuesOf(positive).describe('time constant, ms') }),
  z.strictObject({ decay: valuesOf(z.number().min(0).max(1)).describe('decay per step; 0 is no memory, 1 no leak') }),
]);

/** Decays per step of a population. @throws ConfigError for a drawn time constant <= 0 or a decay outside [0, 1) */
export function resolveDecays(
  setting: z.output<typeof decayValues | typeof keptValues>,
  size: number,
  dtMs: number,
  rng: Rng,
  path: string,
): number | Float64Array {
  if ('tauMs' in setting) {
    const above = (value: number) => value > 0;
    const taus = resolveValues(setting.tauMs, size, rng, `${path}.tauMs`, above, 'a time constant > 0 ms');
    return mapValues(taus, (tauMs) => decayPerStep(tauMs, dtMs));
  }
  const within = (value: number) => value >= 0 && value < 1;
  return resolveValues(setting.decay, size, rng, `${path}.decay`, within, 'a decay per step in [0, 1)');
}
