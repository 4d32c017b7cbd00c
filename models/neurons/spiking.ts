import { z } from 'zod';
import { ConfigError } from '../../src/core/errors.ts';
import type { Layout, Real } from '../../src/core/layout.ts';
import type { Loops } from '../../src/core/loops.ts';
import type { ThresholdKernel } from '../../src/core/plugins.ts';
import { decaySchema, positive, signed } from '../../src/core/schema.ts';

/** Kernels and parameters shared by the threshold neurons. */

export const spikingParams = {
  membrane: decaySchema.default({ tauMs: 20 }).describe('membrane time constant'),
  vTh: positive.default(0.6).describe('baseline threshold, in the unit of the weights'),
  gamma: positive.default(0.3).describe('height of the pseudo-derivative, in units of 1/vTh'),
  psiHeight: positive.optional().describe('height of the pseudo-derivative itself; default gamma / vTh'),
  psiWidth: positive.optional().describe('half width of the pseudo-derivative; default vTh'),
  psiLevels: z
    .number()
    .int()
    .min(2)
    .max(65536)
    .nullable()
    .default(null)
    .describe(
      'values of the pseudo-derivative, 0 and its height included: each is rounded to the nearest; null: smooth',
    ),
  psiSteps: z
    .strictObject({ edges: z.array(signed), heights: z.array(signed) })
    .refine(({ edges, heights }) => heights.length === edges.length + 1, 'one height more than edges')
    .refine(({ edges }) => edges.every((edge, m) => m === 0 || edge > edges[m - 1]), 'edges that ascend')
    .nullable()
    .default(null)
    .describe(
      'a staircase instead of the triangle: height m up to edge m of v less its threshold, the last one beyond',
    ),
  nRef: z
    .number()
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(0)
    .describe('a spike blocks the next nRef - 1 steps'),
  inputScale: z.enum(['1', '1-alpha']).default('1').describe('factor on the input current'),
  reset: z.enum(['subtract', 'zero']).default('subtract').describe('what a spike does to the membrane one step later'),
  fires: z.enum(['>', '>=']).default('>').describe('comparison with the threshold'),
};

export function membraneLayout(decay: number) {
  return {
    v: { shape: ['stream', 'rec'], home: 'post', unit: 'weight', doc: 'membrane potential', decay },
    refractory: { shape: ['stream', 'rec'], home: 'post', unit: 'steps', doc: 'blocked while > 0' },
  } as const satisfies Layout;
}

/** What `fire` needs beside its arrays. */
export interface FireConstants {
  readonly psiHeight: number;
  readonly psiWidth: number;
  readonly nRef: number;
  readonly orEqual: boolean;
  readonly psiLevels: number | null;
  readonly psiSteps: PsiSteps | null;
}

/** psi is `heights[m]` for the first m with v - A < `edges[m]`, else the last one. */
export interface PsiSteps {
  readonly edges: readonly number[];
  readonly heights: readonly number[];
}

export function fireConstants(p: {
  vTh: number;
  gamma: number;
  psiHeight?: number | undefined;
  psiWidth?: number | undefined;
  nRef: number;
  fires: '>' | '>=';
  psiLevels: number | null;
  psiSteps: PsiSteps | null;
}): FireConstants {
  if (p.psiSteps && p.psiLevels !== null) {
    throw new ConfigError('network.neuron.psiLevels', p.psiLevels, 'null beside psiSteps');
  }
  return {
    psiHeight: p.psiHeight ?? p.gamma / p.vTh,
    psiWidth: p.psiWidth ?? p.vTh,
    nRef: p.nRef,
    orEqual: p.fires === '>=',
    psiLevels: p.psiLevels,
    psiSteps: p.psiSteps,
  };
}

/** The same neuron for backends with a kernel of their own; none has one for any staircase. */
export function thresholdKernel(
  p: { readonly vTh: number; readonly reset: 'subtract' | 'zero' },
  decay: number,
  gain: number,
  constants: FireConstants,
  adaptation: ThresholdKernel['adaptation'],
): ThresholdKernel | null {
  const { psiSteps, ...rest } = constants;
  if (psiSteps) return null;
  return { name: 'threshold', decay, gain, vTh: p.vTh, ...rest, resetToZero: p.reset === 'zero', adaptation };
}

/** v[t] = decay v[t-1] + gain I[t] - vTh z[t-1].   v: [stream][rec] at `at`, z: row t-1 at `prev`, current: [rec] */
const integrateSubtract: Loops['integrateSubtract'] = (v, z, current, at, prev, decay, gain, vTh, n) => {
  for (let j = 0; j < n; j++) v[at + j] = decay * v[at + j] + gain * current[j] - vTh * z[prev + j];
};

/** v[t] = decay v[t-1] (1 - z[t-1]) + gain I[t].   Shapes as above. */
const integrateToZero: Loops['integrateToZero'] = (v, z, current, at, prev, decay, gain, n) => {
  for (let j = 0; j < n; j++) v[at + j] = decay * v[at + j] * (1 - z[prev + j]) + gain * current[j];
};

/**
 * z[t] = [v > A and not refractory];  psi[t] = height max(0, 1 - |v - A| / width), 0 while refractory;
 * r[t+1] = clip(r[t] + nRef z[t] - 1, 0, nRef).   With levels the triangle is rounded to the nearest of them; 3 levels are the
 * five steps of ReckOn's staircase about the threshold, `psiSteps` any other.
 * z: row t at `to`; psi: row t at `row`; v, refractory: [stream][rec] at `at`; threshold A: [rec]
 */
export function fire(
  z: Real,
  psi: Real,
  refractory: Real,
  v: Real,
  threshold: Real,
  to: number,
  row: number,
  at: number,
  c: FireConstants,
  loops: Pick<Loops, 'triangle' | 'emit'>,
  n: number,
): void {
  const { psiHeight, psiWidth, nRef, orEqual, psiLevels, psiSteps } = c;
  if (psiSteps) staircase(psi, refractory, v, threshold, row, at, psiSteps, n);
  else loops.triangle(psi, refractory, v, threshold, row, at, psiHeight, psiWidth, n);
  if (psiLevels !== null) roundToLevels(psi, row, psiHeight, psiLevels, n);
  loops.emit(z, refractory, v, threshold, to, at, nRef, orEqual, n);
}

/** z = [v > A and not refractory], with `orEqual` also at the threshold;  r = clip(r + nRef z - 1, 0, nRef).   Shapes as above. */
const emit: Loops['emit'] = (z, refractory, v, threshold, to, at, nRef, orEqual, n) => {
  for (let j = 0; j < n; j++) {
    const blocked = refractory[at + j];
    const above = v[at + j] - threshold[j];
    const open = blocked > 0 ? 0 : 1;
    const spike = above > 0 || (orEqual && above === 0) ? open : 0;
    z[to + j] = spike;
    refractory[at + j] = Math.min(Math.max(blocked + nRef * spike - 1, 0), nRef);
  }
};

/** psi = height max(0, 1 - |v - A| / width), 0 while refractory.   Shapes as above. */
const triangle: Loops['triangle'] = (psi, refractory, v, threshold, row, at, height, width, n) => {
  for (let j = 0; j < n; j++) {
    const open = refractory[at + j] > 0 ? 0 : 1;
    psi[row + j] = open * height * Math.max(0, 1 - Math.abs(v[at + j] - threshold[j]) / width);
  }
};

/** psi = heights[m] of the first m with v - A < edges[m], 0 while refractory.   Shapes as above. */
function staircase(
  psi: Real,
  refractory: Real,
  v: Real,
  threshold: Real,
  row: number,
  at: number,
  { edges, heights }: PsiSteps,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    let m = 0;
    while (m < edges.length && v[at + j] - threshold[j] >= edges[m]) m++;
    psi[row + j] = refractory[at + j] > 0 ? 0 : heights[m];
  }
}

/** psi = height round((levels - 1) psi / height) / (levels - 1), halves up.   psi: [rec] at `row` */
function roundToLevels(psi: Real, row: number, height: number, levels: number, n: number): void {
  const highest = levels - 1;
  for (let j = 0; j < n; j++) psi[row + j] = (height * Math.floor((highest * psi[row + j]) / height + 0.5)) / highest;
}

/** The inner loops of the threshold neurons. */
export const spikingLoops = { integrateSubtract, integrateToZero, triangle, emit };
