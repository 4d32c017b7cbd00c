import { type Network, wholesOf } from '../core/network.ts';
import type { NirExperiment } from '../nir/index.ts';

/** An experiment around an imported network, but for its task: trained by e-prop. */
export function nirConfig({ network }: NirExperiment): Record<string, unknown> {
  const biases = Object.entries(network.populations).flatMap(([name, { bias }]) =>
    bias === undefined ? [] : [`${name}.bias`],
  );
  const learning = Object.entries(network.projections).flatMap(([name, { plastic }]) => (plastic ? [name] : []));
  const rates = Object.fromEntries(
    [...learning, ...biases, ...Object.keys(network.readouts)].map((name) => [name, 1e-3]),
  );
  return {
    network,
    rule: { name: 'e-prop-1' },
    loss: { kind: 'square' },
    optimizer: { kind: 'adam', rates },
    training: { total: 100 },
  };
}

/** Puts the weights of an imported network into one that its configuration has built. */
export function putNirWeights({ weights }: NirExperiment, network: Network): void {
  const wholes = new Map(wholesOf(network.spec).map((whole) => [whole.name, whole]));
  for (const [name, { values }] of weights) {
    const parts = wholes
      .get(name)
      ?.parts.map((part) => ({ to: network.weights[part.name], places: part.whole.places })) ?? [
      { to: network.weights[name], places: null },
    ];
    for (const { to, places } of parts) for (let s = 0; s < to.length; s++) to[s] = values[places ? places[s] : s];
  }
}
