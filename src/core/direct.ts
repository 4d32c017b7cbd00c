import { presynapticRows } from './bindings.ts';
import { replicaOf } from './forward.ts';
import { type Network, shapeOf } from './network.ts';
import type { DirectBinding } from './plugins.ts';

/** What a direct rule is bound to: the whole network. */
export function bindingOfDirect(network: Network): DirectBinding {
  const { spec, state, trial, activity, weights, gradient } = network;
  return {
    network: shapeOf(spec),
    state: state.views('direct', 'direct'),
    error: trial.error,
    populations: activity.map(({ z, psi, signals }) => ({ z, psi, signal: signals[0] })),
    projections: spec.projections.map(({ name }, q) => ({
      pre: presynapticRows(network, q),
      weights: weights[name],
      gradient: gradient[name],
    })),
    readouts: spec.readouts.map(({ name }) => ({ weights: weights[name] })),
    replica: () => replicaOf(network),
  };
}
