import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError } from '../core/errors.ts';
import { positive } from '../core/schema.ts';

const gain = z.enum(['1', 'a', 'dt/tau', 'r*dt/tau', '1-a', 'r*(1-a)', 'r*dt/(tau*a)']);
const resetWhen = z.enum(['same-step', 'next-step', 'next-step-lost', 'next-step-decayed', 'same-step-snntorch']);

/**
 * How a framework reads the equations of NIR, which are in continuous time, step by step; x is the input of a step, th the
 * threshold. What a file has no node for may be left out.
 */
export const conventionSchema = z.strictObject({
  dt: positive.describe('length of a step, in the unit of the time constants of the file'),
  stepMs: positive.optional().describe('length of a step, ms; default 1000 dt, for files in seconds'),
  decay: z.enum(['euler', 'exact']).describe('a = 1 - dt / tau, or exp(-dt / tau)'),
  gain: gain.optional().describe('of x on v, and of the synaptic current on v'),
  gainLI: gain.optional().describe('that of LI; default gain'),
  gainIF: z.enum(['1', 'r', 'r*dt']).optional().describe('that of IF and I'),
  synGain: z
    .enum(['1', 'w_in', 'w_in*dt/tau_syn', 'decay'])
    .optional()
    .describe('of x on the synaptic current: i = s i + gain x'),
  reset: z.enum(['subtract', 'zero', 'v_reset']).optional().describe('what a spike does to v'),
  resetWhen: resetWhen
    .optional()
    .describe(
      'same-step; next-step: v = a v + x - th z(t-1), or a reset + x; next-step-lost: v = reset, x is lost; next-step-decayed: v = a (v - th z) + x; ' +
        'same-step-snntorch: subtract, and a v still above th raises the next threshold by th',
    ),
  resetWhenCuba: resetWhen.optional().describe('that of CubaLIF; default resetWhen'),
  spikes: z
    .enum(['binary', 'multi'])
    .default('binary')
    .describe('one spike a step at most, or as many as v has thresholds'),
  threshold: z
    .enum(['>', '>=', 'floor', 'trunc'])
    .optional()
    .describe(
      'comparison with the threshold; of several spikes floor(v / th) where v >= th, or trunc(v / th) where v > 0',
    ),
  emit: z
    .enum(['after-update', 'before-update'])
    .default('after-update')
    .describe('before-update: z(t) = [v(t-1) > th], and recurrent edges see it in this step'),
  v0: z.enum(['zero', 'v_leak']).default('zero').describe('v before the first step'),
  flatten: z
    .enum(['channels-first', 'channels-last'])
    .default('channels-first')
    .describe('order of what Flatten makes of channels, rows and columns'),
  minV: z.literal('-threshold').optional().describe('v is not below it'),
  leakIntoSynapse: z.boolean().default(false).describe('whether the synaptic current leaks to v_leak too'),
  noRecurrentBiasAtFirstStep: z
    .boolean()
    .default(false)
    .describe('whether a recurrent bias is missing in the first step'),
});

/** A convention with its defaults. */
export type Convention = z.output<typeof conventionSchema>;

/** Checks a convention. @throws ConfigError naming the field, also one that is not known */
export function parseConvention(input: unknown, path: string): Convention {
  const result = conventionSchema.safeParse(input);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue.code === 'unrecognized_keys') {
    throw new ConfigError(
      `${path}.${issue.keys[0]}`,
      (input as Record<string, unknown>)[issue.keys[0]],
      `no such field; known are ${Object.keys(conventionSchema.shape).join(', ')}`,
    );
  }
  const key = issue.path.map(String);
  const got = key.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], input);
  throw new ConfigError([path, ...key].join('.'), got, issue.message);
}

/** Conventions by name, checked when they are asked for. */
export function namedConventions(): ReadonlyMap<string, Convention> {
  const text = readFileSync(new URL('./conventions.json', import.meta.url), 'utf8');
  const all = Object.entries(JSON.parse(text) as Record<string, unknown>);
  return new Map(all.map(([name, data]) => [name, parseConvention(data, `conventions.${name}`)]));
}

/** A field that a node needs. @throws ConfigError where the convention leaves it out */
export function needed<K extends 'gain' | 'gainIF' | 'synGain' | 'reset' | 'resetWhen'>(
  convention: Convention,
  key: K,
  node: string,
): NonNullable<Convention[K]> {
  const value = convention[key];
  if (value === undefined) throw new ConfigError(`convention.${key}`, value, `a value: the node "${node}" needs it`);
  return value as NonNullable<Convention[K]>;
}
