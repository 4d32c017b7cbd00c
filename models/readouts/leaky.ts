import { z } from 'zod';
import type { Layout, Real } from '../../src/core/layout.ts';
import { type Loops, scratchOf } from '../../src/core/loops.ts';
import type { ReadoutModel } from '../../src/core/plugins.ts';
import { poolOf, rowAt } from '../../src/core/rows.ts';
import { decaySchema } from '../../src/core/schema.ts';
import { resolveDecay } from '../../src/core/units.ts';

const params = z.strictObject({
  kind: z.literal('leaky'),
  filter: decaySchema.default({ tauMs: 20 }).describe('time constant of the readout; decay 0 reads z(t) alone'),
  scale: z.enum(['1', '1-kappa']).default('1-kappa').describe('factor on the input of the readout'),
  bias: z.boolean().default(true).describe('whether the readout has a plastic bias'),
});

function layoutOf(decay: number) {
  return {
    u: { shape: ['stream', 'out'], home: 'post', unit: 'weight', doc: 'filtered input of the readout', decay },
    zBar: {
      shape: ['stream', 'pre'],
      home: 'pre',
      unit: '1',
      doc: 'spikes filtered with the readout decay',
      decay,
      restarts: true,
    },
  } as const satisfies Layout;
}

/**
 * Leaky readout, no delay: z(t) reaches y(t).
 *
 *     u_k(t) = kappa u_k(t-1) + zeta_out (sum_j Wout_jk z_j(t) + injected_k(t)),      y_k(t) = u_k(t) + b_k
 *
 *     zBar_j(t) = kappa zBar_j(t-1) + zeta_out z_j(t),      dE/dWout_jk = sum_t error_k(t) zBar_j(t)
 *
 * Bellec et al. 2020 (Nat Commun 11:3625), methods; zeta_out is 1 or 1 - kappa in the published codes.
 */
export const leaky: ReadoutModel<z.infer<typeof params>> = {
  kind: 'leaky',
  source: 'Bellec et al. 2020, Nat Commun 11:3625',
  params,
  derive(p, { dtMs, path }) {
    const decay = resolveDecay(p.filter, dtMs, `${path}.filter`);
    const gain = p.scale === '1' ? 1 : 1 - decay;
    return {
      layout: layoutOf(decay),
      decay,
      gain,
      bias: p.bias,
      kernel: { name: 'leaky' },
      bind({ sizes: { pre: n, out: nOut }, state, reads, y, injected, weights, bias, loops }) {
        const readNow = loops?.read ?? read;
        const z = poolOf(reads, scratchOf(loops));
        return (b, t) => {
          const from = z.at(b, t);
          readNow(y.data, state.u, z.data, weights, bias, rowAt(y, b, t), b * nOut, from, decay, gain, n, nOut);
          if (injected.width === 0) return;
          inject(y.data, state.u, injected.data, rowAt(y, b, t), b * nOut, rowAt(injected, b, t), gain, nOut);
        };
      },
      bindGradient({ sizes: { pre: n, out: nOut }, state, reads, error, gradient, loops }) {
        const back = new Float64Array(nOut);
        const remember = loops?.filter ?? filter;
        const addNow = loops?.addError ?? addError;
        const z = poolOf(reads, scratchOf(loops));
        return {
          step(b, t) {
            const row = rowAt(error, b, t);
            const from = z.at(b, t);
            remember(state.zBar, z.data, b * n, from, decay, gain, n);
            addNow(gradient.weights, state.zBar, error.data, b * n, row, n, nOut);
            if (p.bias) add(gradient.bias, error.data, row, nOut);
          },
          deferred(b, duration) {
            back.fill(0);
            for (let t = duration - 1; t >= 0; t--) {
              const row = rowAt(error, b, t);
              filter(back, error.data, 0, row, decay, gain, nOut);
              addError(gradient.weights, z.data, back, z.at(b, t), 0, n, nOut);
              if (p.bias) add(gradient.bias, error.data, row, nOut);
            }
          },
        };
      },
    };
  },
};

/**
 * u[t] = decay u[t-1] + gain sum_j wOut_jk z_j[t];  y[t] = u[t] + b.
 * y: row t at `to`; u: [stream][out] at `at`; z: row t at `from`; wOut: [pre][out]; bOut: [out]
 */
const read: Loops['read'] = (y, u, z, wOut, bOut, to, at, from, decay, gain, n, nOut) => {
  for (let k = 0; k < nOut; k++) y[to + k] = 0;
  for (let j = 0; j < n; j++) {
    const activity = z[from + j];
    if (activity === 0) continue;
    const row = j * nOut;
    for (let k = 0; k < nOut; k++) y[to + k] += activity * wOut[row + k];
  }
  for (let k = 0; k < nOut; k++) {
    const filtered = decay * u[at + k] + gain * y[to + k];
    u[at + k] = filtered;
    y[to + k] = filtered + bOut[k];
  }
};

/** u += gain x;  y += gain x.   y: row at `to`; u: at `at`; x: row at `from`; all [out] */
function inject(y: Real, u: Real, x: Real, to: number, at: number, from: number, gain: number, nOut: number): void {
  for (let k = 0; k < nOut; k++) {
    u[at + k] += gain * x[from + k];
    y[to + k] += gain * x[from + k];
  }
}

/** f[t] = decay f[t-1] + gain x[t].   f: at `at`, x: row at `from`, both [n] */
function filter(f: Real, x: Real, at: number, from: number, decay: number, gain: number, n: number): void {
  for (let j = 0; j < n; j++) f[at + j] = decay * f[at + j] + gain * x[from + j];
}

/** grad_jk += f_j error_k.   grad: [pre][out]; f: at `at`, [pre]; error: row at `row`, [out] */
const addError: Loops['addError'] = (grad, f, error, at, row, n, nOut) => {
  for (let j = 0; j < n; j++) {
    const factor = f[at + j];
    if (factor === 0) continue;
    const to = j * nOut;
    for (let k = 0; k < nOut; k++) grad[to + k] += factor * error[row + k];
  }
};

/** sum_k += x_k.   sum: [out]; x: row at `row` */
function add(sum: Real, x: Real, row: number, nOut: number): void {
  for (let k = 0; k < nOut; k++) sum[k] += x[row + k];
}
