import { presynapticRows } from '../../core/bindings.ts';
import type { Real } from '../../core/layout.ts';
import type { Network, Stages } from '../../core/network.ts';
import type { Projection } from '../../core/projection.ts';
import { type Rows, rowAt } from '../../core/rows.ts';

/**
 * What arrived times what was injected, of every projection that learns and every readout whose sum was given something:
 *
 *     gradient_ij += sum_t p_i(t) injected_j(t);      bias_k += sum_t injected_k(t) / gain
 *
 * p is what arrives in the pass, not filtered. A bias is asked for only where the readout has no memory.
 */
export function bindCorrelate(network: Network): Required<Pick<Stages, 'correlate'>> {
  const { spec } = network;
  const nStream = spec.sizes.stream;
  const parts = [...projectionsOf(network), ...readoutsOf(network)];
  return {
    correlate(steps) {
      for (const part of parts) for (let b = 0; b < nStream; b++) part(b, steps);
    },
  };
}

type Part = (b: number, steps: number) => void;

function learnsIn({ blocks }: Network['spec'], name: string): boolean {
  return blocks.some((block) => block.name === name && block.plastic);
}

function projectionsOf(network: Network): Part[] {
  const { spec, activity, gradient } = network;
  const from = spec.borderSpikes === 'drop' ? 1 : 0;
  return spec.projections.flatMap(({ name, post, delay, synapses }, q): Part[] => {
    const { injected } = activity[post];
    if (injected.width === 0 || !learnsIn(spec, name)) return [];
    const pre = presynapticRows(network, q);
    return [
      (b, steps) => {
        for (let t = from; t < steps; t++) {
          addOuter(gradient[name], synapses, pre.data, rowAt(pre, b, t - delay), injected.data, rowAt(injected, b, t));
        }
      },
    ];
  });
}

function readoutsOf({ spec, trial, activity, gradient }: Network): Part[] {
  if (trial.injected.width === 0) return [];
  return spec.readouts.flatMap(({ name, reads, column, size, gain }): Part[] => {
    if (!learnsIn(spec, name)) return [];
    const hasBias = learnsIn(spec, `${name}.bias`);
    const bias = gradient[`${name}.bias`];
    return [
      (b, steps) => {
        for (let t = 0; t < steps; t++) {
          const at = rowAt(trial.injected, b, t) + column;
          let row = 0;
          for (const p of reads) {
            addReadout(gradient[name], row, activity[p].z, rowAt(activity[p].z, b, t), trial.injected.data, at, size);
            row += activity[p].z.size;
          }
          if (hasBias) for (let k = 0; k < size; k++) bias[k] += trial.injected.data[at + k] / gain;
        }
      },
    ];
  });
}

/** grad_s += f_i g_post[s] over the synapses of every active f_i.   f: row at `from`, [pre]; g: row at `at`, [post]; grad: [syn] */
function addOuter(grad: Real, { nPre, rowStart, post }: Projection, f: Real, from: number, g: Real, at: number): void {
  for (let i = 0; i < nPre; i++) {
    const factor = f[from + i];
    if (factor === 0) continue;
    const end = rowStart[i + 1];
    for (let s = rowStart[i]; s < end; s++) grad[s] += factor * g[at + post[s]];
  }
}

/** grad_jk += f_j g_k of one of the populations that a readout reads.   grad: [pre][out], its rows from `row` on; f, g: rows */
function addReadout(grad: Real, row: number, f: Rows, from: number, g: Real, at: number, nOut: number): void {
  for (let j = 0; j < f.size; j++) {
    const factor = f.data[from + j];
    if (factor === 0) continue;
    const to = (row + j) * nOut;
    for (let k = 0; k < nOut; k++) grad[to + k] += factor * g[at + k];
  }
}
