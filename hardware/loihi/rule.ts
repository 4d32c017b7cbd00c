import { z } from 'zod';
import { ConfigError } from '../../src/core/errors.ts';
import { checked } from './check.ts';

export const traceNames = ['x1', 'x2', 'y1', 'y2', 'y3'] as const;
export type TraceName = (typeof traceNames)[number];
export type SynapseVariable = 'w' | 'd' | 't';

/** Width of a factor, bits: it is clipped to -2^B..2^B - 1, and a product is shifted right by sum B + 4 - 15. */
export const factorWidths = {
  ...{ x0: 1, y0: 1, x1: 7, x2: 7, y1: 7, y2: 7, y3: 7 },
  ...{ w: 9, d: 9, t: 9, C: 8 },
} as const;
export type FactorName = keyof typeof factorWidths;

const factorSchema = z
  .strictObject({
    name: z.enum(Object.keys(factorWidths) as [FactorName, ...FactorName[]]),
    constant: z.number().int().default(0).describe('added to the variable; C is the constant alone'),
    sign: z.boolean().default(false).describe('sgn(variable + constant); w, d and t only'),
  })
  .refine(({ name, sign }) => !sign || 'wdt'.includes(name), 'expected sign only on w, d or t');

const productSchema = z.strictObject({
  mantissa: z.number().int().min(-8).max(7),
  exponent: z.number().int().min(-7).max(8),
  dependency: z.union([
    z.enum(['x0', 'y0']).describe('where the last spike of the epoch is'),
    z.strictObject({ everyEpochs: z.number().int().min(0).max(9).describe('k: every 2^k-th epoch, u_k') }),
  ]),
  factors: z.array(factorSchema).max(5).default([]),
});

const traceSchema = z.strictObject({
  tau: z.number().min(0).optional().describe('steps; 0, the default, has no memory; 65535 where the neuron writes'),
  impulse: z.number().min(0).max(127).default(0).describe('added by a spike'),
});

const learningSchema = z
  .strictObject({
    compatible: z.enum(['lava', 'own']).describe("lava: with lava's defects; own: without them, see learning.ts"),
    epochSteps: z.number().int().min(1).max(63).default(1),
    signMode: z.enum(['excitatory', 'inhibitory', 'mixed']),
    written: z
      .boolean()
      .default(false)
      .describe('y1..y3 are what the neuron writes at every step, and may be negative'),
    productShift: z.enum(['floor', 'toward-zero']).default('floor').describe("lava's is the floor"),
    traces: z.partialRecord(z.enum(traceNames), traceSchema).default({}),
    dw: z.array(productSchema).default([]),
    dd: z.array(productSchema).default([]).describe('delay (tag_2 of lava)'),
    dt: z.array(productSchema).default([]).describe('tag (tag_1 of lava)'),
  })
  .refine(
    ({ written, traces }) => !written || !(traces.y1?.impulse || traces.y2?.impulse || traces.y3?.impulse),
    'expected no impulses of y1, y2, y3 where the neuron writes them',
  );

export type LearningParams = z.input<typeof learningSchema>;
export type Learned = z.output<typeof learningSchema>;
export type Product = Learned['dw'][number];

/** @throws ConfigError for parameters out of range, or a product of more bits than a double holds */
export function checkLearning(params: LearningParams): Learned {
  const learned = checked(learningSchema, params, 'learning');
  for (const key of ['dw', 'dd', 'dt'] as const) {
    learned[key].forEach((product, s) => {
      const bits = widthOf(product) + 4;
      if (bits > 52) throw new ConfigError(`learning.${key}.${s}.factors`, bits, 'factors of 48 bits or less');
    });
  }
  return learned;
}

/** Sum of the widths of a product's factors, bits. */
export function widthOf({ factors }: Product): number {
  return factors.reduce((sum, { name }) => sum + factorWidths[name], 0);
}
