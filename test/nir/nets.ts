import { models } from '../../models/index.ts';
import { createExperiment, type Experiment } from '../../src/experiment/experiment.ts';
import { tasks } from '../../tasks/index.ts';

export const steps = 60;

/** A small network that fires: one population or two with feedback, of neurons that differ, reset to zero. */
export function experimentOf(seed: number, more: Record<string, unknown> = {}, neuron: Record<string, unknown> = {}) {
  const two = seed % 2 === 1;
  const filters = seed % 4 >= 2;
  const population = (size: number) => ({
    size,
    neuron: {
      kind: filters ? 'cuba-lif' : 'lif',
      membrane: { tauMs: { kind: 'uniform', low: 3, high: 30 } },
      ...(filters ? { synapse: { tauMs: 4 } } : {}),
      vTh: { kind: 'uniform', low: 0.3, high: 1.2 },
      reset: 'zero',
      ...neuron,
    },
    bias: seed % 3 === 0 ? 0.02 : null,
  });
  const populations = { a: population(6 + (seed % 5)), ...(two ? { b: population(4 + (seed % 3)) } : {}) };
  const sparse = { connectivity: { kind: 'probability', p: 0.6 } };
  const projections = {
    'in-a': { from: 'input', to: 'a', init: { kind: 'normal', gain: 1.5 }, ...(seed % 5 === 0 ? sparse : {}) },
    'a-a': { from: 'a', to: 'a' },
    ...(two
      ? { 'a-b': { from: 'a', to: 'b', init: { kind: 'normal', gain: 3 }, delayMs: 0 }, 'b-a': { from: 'b', to: 'a' } }
      : {}),
  };
  const biases = seed % 3 === 0 ? Object.keys(populations).map((name) => `${name}.bias`) : [];
  return {
    seed,
    backend: 'reference',
    network: { populations, projections, readouts: { out: { from: Object.keys(populations) } } },
    task: { kind: 'pattern-generation', steps, inputs: 8, inputRateHz: 200, outputs: 1 },
    rule: { name: 'e-prop-1' },
    loss: { kind: 'square' },
    optimizer: {
      kind: 'adam',
      rates: Object.fromEntries([...Object.keys(projections), ...biases, 'out'].map((name) => [name, 0.01])),
    },
    training: { total: 3 },
    evaluation: { total: 1, streams: 1 },
    ...more,
  };
}

/** The same, trained. */
export function trained(seed: number): Experiment {
  const experiment = createExperiment(experimentOf(seed), { ...models, tasks });
  experiment.train();
  return experiment;
}
