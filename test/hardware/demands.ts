import { type ChipProfile, type Deployment, demandOf, deploy, profiles } from '../../hardware/index.ts';
import { models } from '../../models/index.ts';
import { createExperiment } from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';

export interface Options {
  readonly neuron?: object;
  readonly readout?: object;
  readonly optimizer?: string;
  readonly update?: object;
  readonly rateHz?: number;
  readonly recurrent?: object;
  readonly neurons?: number;
  readonly inputs?: number;
}

/** 256 inputs, 256 neurons, 16 outputs: the sizes of ReckOn's memories. */
export function network(
  rule: object,
  {
    neuron = { kind: 'lif' },
    readout = {},
    optimizer = 'sgd',
    update = {},
    recurrent = {},
    neurons = 256,
    inputs = 256,
  }: Options = {},
) {
  return createExperiment(
    {
      backend: 'reference',
      task: { kind: 'pattern-generation', steps: 5, inputs, outputs: 16 },
      network: {
        neurons,
        neuron,
        readout: { kind: 'leaky', filter: { decay: 0 }, bias: false, ...readout },
        recurrent: { autapses: true, ...recurrent },
      },
      rule,
      loss: { kind: 'square' },
      optimizer: { kind: optimizer, rates: { in: 0.01, rec: 0.01, out: 0.01 } },
      training: { total: 1, execution: 'online', update },
    },
    { ...models, tasks },
  );
}

export function on(id: string, rule: object, options: Options = {}): Deployment {
  const chip = profiles.find((profile) => profile.id === id) as ChipProfile;
  return deploy(demandOf(network(rule, options).run.network.spec, { rateHz: options.rateHz }), chip);
}
