import type { Real } from '../../src/core/layout.ts';
import type { PassesBinding } from '../../src/core/plugins.ts';
import type { Projection } from '../../src/core/projection.ts';
import { type Rows, rowAt } from '../../src/core/rows.ts';

/** grad_s += f_i g_post[s] over the synapses of every active f_i.   f: row at `from`, [pre]; g: row at `at`, [post]; grad: [syn] */
export function addOuter(gradient: Real, synapses: Projection, f: Real, from: number, g: Real, at: number): void {
  const { nPre, rowStart, post } = synapses;
  for (let i = 0; i < nPre; i++) {
    const factor = f[from + i];
    if (factor === 0) continue;
    const end = rowStart[i + 1];
    for (let s = rowStart[i]; s < end; s++) gradient[s] += factor * g[at + post[s]];
  }
}

/** grad_jk += f_j g_k of one of the populations that a readout reads.   grad: [pre][out], its rows from `row` on; f, g: rows */
export function addReadout(
  gradient: Real,
  row: number,
  f: Rows,
  from: number,
  g: Real,
  at: number,
  nOut: number,
): void {
  for (let j = 0; j < f.size; j++) {
    const factor = f.data[from + j];
    if (factor === 0) continue;
    const to = (row + j) * nOut;
    for (let k = 0; k < nOut; k++) gradient[to + k] += factor * g[at + k];
  }
}

/** Populations on which a projection ends that learns. */
export function taughtPopulations({ network, projections }: PassesBinding): boolean[] {
  return network.populations.map((_, p) =>
    network.projections.some(({ post }, q) => post === p && projections[q].plastic),
  );
}

/** x = factor x of a row.   x: [n] from `row` */
export function scaleRow(x: Rows, b: number, t: number, factor: number): void {
  const row = rowAt(x, b, t);
  for (let j = row; j < row + x.size; j++) x.data[j] *= factor;
}
