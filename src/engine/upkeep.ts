import { presynapticRows, projectionSizes } from '../core/bindings.ts';
import { type Network, rateAt } from '../core/network.ts';
import type { UpkeepBinding } from '../core/upkeep.ts';

/** What changes the weights beside rules and optimiser; its parts are bound once, so that a trial allocates nothing. */
export interface Upkeep {
  /** After an update of the weights: which pairs have a synapse. A projection whose weights do not learn keeps its own. */
  afterUpdate(progress: number, count: number): void;
  /** After a trial that learns, when its update has been taken. */
  afterTrial(steps: number): void;
}

export function bindUpkeep(network: Network): Upkeep {
  const { spec, activity } = network;
  const rewirings = spec.blocks.flatMap(({ kind, owner, plastic, rate }) => {
    const rewiring = kind === 'projection' && plastic ? spec.projections[owner].rewiring : null;
    return rewiring ? [{ rate, rewire: rewiring.part.bind(bindingOf(network, owner, 'rewiring')) }] : [];
  });
  const scalings = spec.projections.flatMap(({ scaling, post }, q) => {
    if (!scaling) return [];
    const rows = { pre: presynapticRows(network, q), post: activity[post].z };
    return [scaling.part.bind({ ...bindingOf(network, q, 'scaling'), ...rows })];
  });
  return {
    afterUpdate(progress, count) {
      for (const { rate, rewire } of rewirings) rewire(rateAt(rate, progress), count);
    },
    afterTrial(steps) {
      for (const scale of scalings) scale(steps);
    },
  };
}

/** Marks the pairs that were drawn as synapses; their weights are there already. */
export function startUpkeep(network: Network): void {
  network.spec.projections.forEach(({ rewiring, whole: { drawn } }, q) => {
    if (!rewiring || !drawn) return;
    const binding = bindingOf(network, q, 'rewiring');
    for (let i = 0; i < drawn.nPre; i++) {
      for (let s = drawn.rowStart[i]; s < drawn.rowStart[i + 1]; s++) {
        binding.state.connected[i * drawn.nPost + drawn.post[s]] = 1;
      }
    }
    rewiring.part.init(binding);
  });
}

/** Where weights of a rewired projection were given: its synapses are the pairs whose weight is not 0, and those of a bias. */
export function adoptSynapses(network: Network, q: number): void {
  const { rewiring } = network.spec.projections[q];
  if (!rewiring) return;
  const binding = bindingOf(network, q, 'rewiring');
  const { state, weights, synapses, sources } = binding;
  const n = synapses.rowStart[sources];
  for (let s = 0; s < n; s++) state.connected[s] = weights[s] === 0 ? 0 : 1;
  rewiring.part.init(binding);
}

function bindingOf(network: Network, q: number, part: 'rewiring' | 'scaling'): UpkeepBinding {
  const { spec, state, weights } = network;
  const projection = spec.projections[q];
  const { name, synapses, bias } = projection;
  return {
    sizes: projectionSizes(spec, projection),
    state: state.views(`projection.${name}.${part}`, 'upkeep'),
    weights: weights[name],
    synapses,
    sources: synapses.nPre - (bias ? 1 : 0),
  };
}
