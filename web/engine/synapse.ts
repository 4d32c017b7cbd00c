import { type NetworkSpec, type Run, rowAt } from '../../src/browser.ts';
import type { ProjectionInfo, SynapseName } from '../views/types.ts';
import type { Cell } from './rows.ts';

/** Where a synapse lies in the arrays of a network. */
export interface Place extends SynapseName {
  /** The part of the projection that has it: parts differ by their delay. */
  readonly part: number;
  /** Its number in that part. */
  readonly s: number;
}

/** The projections as the configuration has them, and their parts. */
export function wholes({ projections }: NetworkSpec): ReadonlyMap<string, readonly number[]> {
  const parts = new Map<string, number[]>();
  projections.forEach(({ whole }, p) => {
    parts.set(whole.name, [...(parts.get(whole.name) ?? []), p]);
  });
  return parts;
}

export function projectionInfos(spec: NetworkSpec): ProjectionInfo[] {
  return [...wholes(spec)].map(([name, parts]) => {
    const { nPre, nPost } = spec.projections[parts[0]].whole.synapses;
    return { name, nPre, nPost };
  });
}

/** The weights of a projection as a matrix, NaN where there is no synapse. [pre][post] */
export function matrixOf({ network: { spec, weights } }: Pick<Run, 'network'>, name: string): Float32Array | null {
  const parts = wholes(spec).get(name);
  if (!parts) return null;
  const { nPre, nPost } = spec.projections[parts[0]].whole.synapses;
  const matrix = new Float32Array(nPre * nPost).fill(Number.NaN);
  for (const part of parts) {
    const { synapses, name: own } = spec.projections[part];
    const values = weights[own];
    for (let i = 0; i < nPre; i++) {
      for (let s = synapses.rowStart[i]; s < synapses.rowStart[i + 1]; s++)
        matrix[i * nPost + synapses.post[s]] = values[s];
    }
    for (const s of synapses.masked) matrix[Math.floor(s / nPost) * nPost + synapses.post[s]] = Number.NaN;
  }
  return matrix;
}

/** Where a pair has its synapse; null: it has none. */
export function placeOf(spec: NetworkSpec, { projection, pre, post }: SynapseName): Place | null {
  for (const part of wholes(spec).get(projection) ?? []) {
    const { synapses } = spec.projections[part];
    if (!(pre >= 0 && pre < synapses.nPre)) return null;
    for (let s = synapses.rowStart[pre]; s < synapses.rowStart[pre + 1]; s++) {
      if (synapses.post[s] === post && !synapses.masked.includes(s)) return { projection, pre, post, part, s };
    }
  }
  return null;
}

/**
 * The synapses onto a neuron that carried most in the trial just done, |w| (1 + what was sent), of the last projection that ends on it: within the
 * network, where it has such.
 */
export function largestOnto(
  run: Run,
  { population, neuron }: Pick<Cell, 'population' | 'neuron'>,
  steps: number,
  count: number,
): Place[] {
  const { spec, weights } = run.network;
  const onto = [...wholes(spec)].filter(([, parts]) => spec.projections[parts[0]].post === population);
  const [projection, parts] = onto.at(-1) ?? ['', []];
  const places = parts.flatMap((part) => {
    const { synapses, name } = spec.projections[part];
    const found: (Place & { readonly size: number })[] = [];
    for (let i = 0; i < synapses.nPre; i++) {
      for (let s = synapses.rowStart[i]; s < synapses.rowStart[i + 1]; s++) {
        if (synapses.post[s] !== neuron || synapses.masked.includes(s)) continue;
        const place = { projection, pre: i, post: neuron, part, s };
        let sent = 0;
        for (let t = 0; t < steps; t++) sent += Math.abs(sentAt(run, place, t));
        found.push({ ...place, size: Math.abs(weights[name][s]) * (1 + sent) });
      }
    }
    return found;
  });
  return places.sort((a, b) => b.size - a.size).slice(0, count);
}

/** What the presynaptic side of a synapse sends at step t of stream 0, its delay counted. */
export function sentAt({ network: { spec, trial, activity } }: Run, { part, pre }: Place, t: number): number {
  const { pre: from, bias, synapses, from: first, delay } = spec.projections[part];
  if (bias && pre === synapses.nPre - 1) return 1;
  if (from === null) return trial.x.data[rowAt(trial.x, 0, t) + first + pre];
  const { z } = activity[from];
  return z.data[rowAt(z, 0, t - delay) + pre];
}
