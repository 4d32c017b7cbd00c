import { ConfigError } from '../core/errors.ts';
import type { ExperimentConfig, ShortConfig } from './schema.ts';

/**
 * The graph that the short form stands for: projections `in` and `rec` onto the population `rec`, which the readout `out` reads.
 */
export function graphOf({ network, ...rest }: ShortConfig): ExperimentConfig {
  const { dtMs, borderSpikes, neurons, neuron, input, recurrent, output, readout } = network;
  return {
    ...rest,
    network: {
      dtMs,
      borderSpikes,
      populations: { rec: { size: neurons, neuron, bias: null, current: 0, rule: null } },
      projections: {
        in: { from: 'input', to: 'rec', ...input, autapses: true, delayMs: null, plastic: true },
        rec: { from: 'rec', to: 'rec', ...recurrent, bias: null, plastic: true },
      },
      readouts: {
        out: { from: 'rec', readout, init: output.init, loss: null, weight: 1, outputs: null, window: null },
      },
    },
  };
}

/** Where parts of the graph stand in the short form. */
const places: readonly (readonly [graph: string, short: string])[] = [
  ['network.populations.rec.neuron', 'network.neuron'],
  ['network.populations.rec.size', 'network.neurons'],
  ['network.projections.in', 'network.input'],
  ['network.projections.rec', 'network.recurrent'],
  ['network.readouts.out.readout', 'network.readout'],
  ['network.readouts.out', 'network.output'],
];

/** Runs a build of an experiment in the short form: what it refuses is named as the user wrote it. */
export function namedShort<T>(build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const place = places.find(([graph]) => error.path === graph || error.path.startsWith(`${graph}.`));
    if (!place) throw error;
    throw new ConfigError(place[1] + error.path.slice(place[0].length), error.got, error.expected);
  }
}
