import type { PopulationSpec } from '../core/network.ts';
import { createRng } from '../core/rng.ts';
import { buildProjection } from '../engine/projections.ts';

/** From every neuron of a population to every neuron of all others. */
export function signalBlock(populations: readonly PopulationSpec[], owner: number) {
  const nPost = populations.reduce((sum, { size }, p) => sum + (p === owner ? 0 : size), 0);
  const { name, size } = populations[owner];
  const connectivity = { kind: 'dense' } as const;
  const shape = { nPre: size, nPost, bias: false, recurrent: false, autapses: true, connectivity, dale: null };
  return { name: `${name}.signal`, owner, synapses: buildProjection(shape, createRng(0)) };
}
