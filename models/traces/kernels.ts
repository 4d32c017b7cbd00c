import type { Real } from '../../src/core/layout.ts';
import type { LinearDynamics } from '../../src/core/plugins.ts';
import type { Projection } from '../../src/core/projection.ts';

/**
 * Kernels of the eligibility traces, for one stream and one projection at one step. Synapse s of presynaptic neuron i
 * lies in [rowStart[i], rowStart[i+1]) and ends on j = post[s]. Rows of whole-time arrays start at the given offsets.
 */

/** eps_i[t] = decay eps_i[t-1] + gain p_i[t].   eps: [stream][pre] at `at`, p: row at `from` */
export function filter(eps: Real, p: Real, at: number, from: number, decay: number, gain: number, nPre: number): void {
  for (let i = 0; i < nPre; i++) eps[at + i] = decay * eps[at + i] + gain * p[from + i];
}

/** eps_i[t] = decay eps_i[t-1]: a step whose presynaptic spikes are dropped. */
export function decayPresynaptic(eps: Real, at: number, decay: number, nPre: number): void {
  for (let i = 0; i < nPre; i++) eps[at + i] = decay * eps[at + i];
}

/** grad_ij += d_j eps_i over all streams: the gradient of a trace that is an outer product.   grad: [syn]; d: [stream][self] */
export function addTimes(
  grad: Real,
  eps: Real,
  d: Real,
  { nPre, nPost, rowStart, post }: Projection,
  nStream: number,
): void {
  for (let b = 0; b < nStream; b++) {
    const to = b * nPost;
    for (let i = 0; i < nPre; i++) {
      const trace = eps[b * nPre + i];
      if (trace === 0) continue;
      const end = rowStart[i + 1];
      for (let s = rowStart[i]; s < end; s++) grad[s] += trace * d[to + post[s]];
    }
  }
}

/** e_ij[t] = psi_j[t] eps_i[t].   e: [stream][syn] at `syn`, psi: row at `row` */
export function eligibilityLif(
  e: Real,
  eps: Real,
  psi: Real,
  { nPre, rowStart, post }: Projection,
  syn: number,
  at: number,
  row: number,
): void {
  for (let i = 0; i < nPre; i++) {
    const trace = eps[at + i];
    const end = rowStart[i + 1];
    for (let s = rowStart[i]; s < end; s++) e[syn + s] = psi[row + post[s]] * trace;
  }
}

/**
 * e_ij[t] = psi_j[t] (eps_i[t] - adaptBeta_j epsA_ij[t]);  epsA_ij[t+1] = rho epsA_ij[t] + e_ij[t].
 * e, epsA: [stream][syn] at `syn`; strength (adaptBeta): [self]
 */
export function eligibilityAlif(
  e: Real,
  epsA: Real,
  eps: Real,
  psi: Real,
  strength: Real,
  rowStart: Int32Array,
  post: Int32Array,
  syn: number,
  at: number,
  row: number,
  rho: number,
  nPre: number,
): void {
  for (let i = 0; i < nPre; i++) {
    const trace = eps[at + i];
    const end = rowStart[i + 1];
    for (let s = rowStart[i]; s < end; s++) {
      const j = post[s];
      const value = psi[row + j] * (trace - strength[j] * epsA[syn + s]);
      e[syn + s] = value;
      epsA[syn + s] = rho * epsA[syn + s] + value;
    }
  }
}

/**
 * The trace with the neuron's own reset in it:
 * eps_ij[t] = decay eps_ij[t-1] + gain p_i[t] - resetGain e_ij[t-1], then e and epsA as above.
 * e, eps, epsA: [stream][syn] at `syn`; pulse: gain p_i[t] of every presynaptic neuron, [pre]
 */
export function eligibilityWithReset(
  e: Real,
  eps: Real,
  epsA: Real,
  pulse: Real,
  psi: Real,
  strength: Real,
  rowStart: Int32Array,
  post: Int32Array,
  syn: number,
  row: number,
  decay: number,
  resetGain: number,
  rho: number,
  nPre: number,
): void {
  for (let i = 0; i < nPre; i++) {
    const arriving = pulse[i];
    const end = rowStart[i + 1];
    for (let s = rowStart[i]; s < end; s++) {
      const j = post[s];
      const o = syn + s;
      eps[o] = decay * eps[o] + arriving - resetGain * e[o];
      e[o] = psi[row + j] * (eps[o] - strength[j] * epsA[o]);
      epsA[o] = rho * epsA[o] + e[o];
    }
  }
}

/**
 * eps_ij[t] = transition_j eps_ij[t-1] + input_j g p_i[t] + (own_j - reset_j) e_ij[t-1], the last with `attached` only;
 * e_ij[t] = f read_j . eps_ij[t].   e: [stream][syn] at `syn`; eps: [stream][syn][m]; p: row at `from`; psi: row at `row`
 */
export function eligibilityLinear(
  e: Real,
  eps: Real,
  next: Real,
  p: Real,
  psi: Real,
  { states: m, gate, transition, input, own, reset, read }: LinearDynamics,
  { nPre, rowStart, post }: Projection,
  syn: number,
  from: number,
  row: number,
  arrives: 0 | 1,
  attached: 0 | 1,
): void {
  for (let i = 0; i < nPre; i++) {
    const activity = arrives === 1 ? p[from + i] : 0;
    const end = rowStart[i + 1];
    for (let s = rowStart[i]; s < end; s++) {
      const j = post[s];
      const slope = psi[row + j];
      const arriving = gate === 'spike' ? activity : slope * activity;
      const before = e[syn + s];
      const at = (syn + s) * m;
      let sum = 0;
      for (let r = 0; r < m; r++) {
        const c = j * m + r;
        let value = input[c] * arriving + (own[c] - attached * reset[c]) * before;
        for (let k = 0; k < m; k++) value += transition[c * m + k] * eps[at + k];
        next[r] = value;
        sum += read[c] * value;
      }
      for (let r = 0; r < m; r++) eps[at + r] = next[r];
      e[syn + s] = gate === 'spike' ? slope * sum : sum;
    }
  }
}

/** e_ij[t] = decay e_ij[t-1] + psi_j[t] gain p_i[t]: the derivative first, then the leak.   pulse: [pre] */
export function eligibilityPostThenFilter(
  e: Real,
  pulse: Real,
  psi: Real,
  { nPre, rowStart, post }: Projection,
  syn: number,
  row: number,
  decay: number,
): void {
  for (let i = 0; i < nPre; i++) {
    const arriving = pulse[i];
    const end = rowStart[i + 1];
    for (let s = rowStart[i]; s < end; s++) e[syn + s] = decay * e[syn + s] + psi[row + post[s]] * arriving;
  }
}

/**
 * eBar_ij[t] = kappa eBar_ij[t-1] + gain e_ij[t];  grad_ij += L_j[t] eBar_ij[t] + R_j[t] e_ij[t].
 * eBar, e: [stream][syn] at `syn`; signal L: row at `row`; rate term R: row at `rateRow`; grad: [syn]
 */
export function addFiltered(
  grad: Real,
  eBar: Real,
  e: Real,
  signal: Real,
  rateTerm: Real,
  { nSyn, post }: Projection,
  syn: number,
  row: number,
  rateRow: number,
  kappa: number,
  gain: number,
): void {
  for (let s = 0; s < nSyn; s++) {
    const j = post[s];
    const filtered = kappa * eBar[syn + s] + gain * e[syn + s];
    eBar[syn + s] = filtered;
    grad[s] += signal[row + j] * filtered + rateTerm[rateRow + j] * e[syn + s];
  }
}

/** grad_ij += (gain L_j[t] + R_j[t]) e_ij[t]: no output filter.   Shapes as above. */
export function addUnfiltered(
  grad: Real,
  e: Real,
  signal: Real,
  rateTerm: Real,
  { nSyn, post }: Projection,
  syn: number,
  row: number,
  rateRow: number,
  gain: number,
): void {
  for (let s = 0; s < nSyn; s++) {
    const j = post[s];
    grad[s] += (gain * signal[row + j] + rateTerm[rateRow + j]) * e[syn + s];
  }
}

/** sum_ij += e_ij: for a rate term that is known only after the trial. */
export function addUp(sum: Real, e: Real, syn: number, nSyn: number): void {
  for (let s = 0; s < nSyn; s++) sum[syn + s] += e[syn + s];
}

/** grad_ij += R_j sum_ij, the rate term of a whole trial; the sum starts again from 0.   R: row at `rateRow` */
export function addRateTerm(
  grad: Real,
  sum: Real,
  rateTerm: Real,
  post: Int32Array,
  syn: number,
  rateRow: number,
  nSyn: number,
): void {
  for (let s = 0; s < nSyn; s++) {
    grad[s] += rateTerm[rateRow + post[s]] * sum[syn + s];
    sum[syn + s] = 0;
  }
}

/** grad_ij += gain p_i d_j for every active presynaptic neuron.   p: row at `from`, d: [self] */
export function addRows(
  grad: Real,
  p: Real,
  d: Real,
  rowStart: Int32Array,
  post: Int32Array,
  from: number,
  gain: number,
  nPre: number,
): void {
  for (let i = 0; i < nPre; i++) {
    const activity = p[from + i];
    if (activity === 0) continue;
    const scale = gain * activity;
    const end = rowStart[i + 1];
    for (let s = rowStart[i]; s < end; s++) grad[s] += scale * d[post[s]];
  }
}
