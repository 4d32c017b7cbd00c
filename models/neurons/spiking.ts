import { z } from 'zod';
import type { Layout, Real } from '../../src/core/layout.ts';
import type { ThresholdKernel } from '../../src/core/plugins.ts';
import { decaySchema } from '../../src/core/schema.ts';

/** Kernels and parameters shared by the threshold neurons. */

export const spikingParams = {
  membrane: decaySchema.default({ tauMs: 20 }).describe('membrane time constant'),
  vTh: z.number().positive().default(0.6).describe('baseline threshold, in the unit of the weights'),
  gamma: z.number().positive().default(0.3).describe('height of the pseudo-derivative, in units of 1/vTh'),
  psiHeight: z.number().positive().optional().describe('height of the pseudo-derivative itself; default gamma / vTh'),
  psiWidth: z.number().positive().optional().describe('half width of the pseudo-derivative; default vTh'),
  nRef: z.number().int().min(0).default(0).describe('a spike blocks the next nRef - 1 steps'),
  inputScale: z.enum(['1', '1-alpha']).default('1').describe('factor on the input current'),
  reset: z.enum(['subtract', 'zero']).default('subtract').describe('what a spike does to the membrane one step later'),
  fires: z.enum(['>', '>=']).default('>').describe('comparison with the threshold'),
};

export const membraneLayout = {
  v: { shape: ['stream', 'rec'], home: 'post', unit: 'weight', doc: 'membrane potential' },
  refractory: { shape: ['stream', 'rec'], home: 'post', unit: 'steps', doc: 'blocked while > 0' },
} as const satisfies Layout;

/** What `fire` needs beside its arrays. */
export interface FireConstants {
  readonly psiHeight: number;
  readonly psiWidth: number;
  readonly nRef: number;
  readonly orEqual: boolean;
}

export function fireConstants(p: {
  vTh: number;
  gamma: number;
  psiHeight?: number | undefined;
  psiWidth?: number | undefined;
  nRef: number;
  fires: '>' | '>=';
}): FireConstants {
  return {
    psiHeight: p.psiHeight ?? p.gamma / p.vTh,
    psiWidth: p.psiWidth ?? p.vTh,
    nRef: p.nRef,
    orEqual: p.fires === '>=',
  };
}

/** The same neuron for backends with a kernel of their own. */
export function thresholdKernel(
  p: { readonly vTh: number; readonly reset: 'subtract' | 'zero' },
  decay: number,
  gain: number,
  constants: FireConstants,
  adaptation: ThresholdKernel['adaptation'],
): ThresholdKernel {
  return { name: 'threshold', decay, gain, vTh: p.vTh, ...constants, resetToZero: p.reset === 'zero', adaptation };
}

/** v[t] = decay v[t-1] + gain I[t] - vTh z[t-1].   v: [stream][rec] at `at`, z: row t-1 at `prev`, current: [rec] */
export function integrateSubtract(
  v: Real,
  z: Real,
  current: Real,
  at: number,
  prev: number,
  decay: number,
  gain: number,
  vTh: number,
  n: number,
): void {
  for (let j = 0; j < n; j++) v[at + j] = decay * v[at + j] + gain * current[j] - vTh * z[prev + j];
}

/** v[t] = decay v[t-1] (1 - z[t-1]) + gain I[t].   Shapes as above. */
export function integrateToZero(
  v: Real,
  z: Real,
  current: Real,
  at: number,
  prev: number,
  decay: number,
  gain: number,
  n: number,
): void {
  for (let j = 0; j < n; j++) v[at + j] = decay * v[at + j] * (1 - z[prev + j]) + gain * current[j];
}

/**
 * z[t] = [v > A and not refractory];  psi[t] = height max(0, 1 - |v - A| / width), 0 while refractory;
 * r[t+1] = clip(r[t] + nRef z[t] - 1, 0, nRef).
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
  n: number,
): void {
  const { psiHeight, psiWidth, nRef, orEqual } = c;
  for (let j = 0; j < n; j++) {
    const blocked = refractory[at + j];
    const above = v[at + j] - threshold[j];
    const open = blocked > 0 ? 0 : 1;
    const spike = above > 0 || (orEqual && above === 0) ? open : 0;
    z[to + j] = spike;
    psi[row + j] = open * psiHeight * Math.max(0, 1 - Math.abs(above) / psiWidth);
    refractory[at + j] = Math.min(Math.max(blocked + nRef * spike - 1, 0), nRef);
  }
}
