import { describe, expect, it } from 'vitest';
import { rowAt } from '../../src/core/rows.ts';
import { gradientOf, type Run } from '../../src/engine/run.ts';
import type { Experiment } from '../../src/experiment/experiment.ts';
import { activityOf, firstTrial, graphExperiment } from '../support/graphs.ts';

/** The fast backend on graphs against the reference: the same spikes, and numbers to float32. */

const lif = { kind: 'lif', membrane: { decay: 0.8 }, vTh: 0.5, nRef: 2 };
const alif = { kind: 'alif', membrane: { decay: 0.85 }, vTh: 0.5, adaptation: { decay: 0.95 }, adaptBeta: 0.1 };
const readout = { kind: 'leaky', filter: { decay: 0.7 } };

interface Graph {
  readonly label: string;
  readonly network: Record<string, unknown>;
}

const graphs: readonly Graph[] = [
  {
    label: 'a layer in front of E and I, dense, delays 0 to 3',
    network: {
      populations: {
        front: { size: 9, neuron: lif },
        exc: { size: 14, neuron: alif, current: 0.02 },
        inh: { size: 6, neuron: lif },
      },
      projections: {
        a: { from: 'input', to: 'front', init: { kind: 'normal', gain: 2 } },
        b: { from: 'front', to: 'exc', delayMs: 0, init: { kind: 'normal', gain: 2 } },
        c: { from: 'front', to: 'inh', delayMs: 2 },
        d: { from: 'exc', to: 'exc', delayMs: 3, dale: 'excitatory' },
        e: { from: 'exc', to: 'inh', delayMs: 0, dale: 'excitatory' },
        f: { from: 'inh', to: 'exc', dale: 'inhibitory', init: { kind: 'normal', gain: 0.5 } },
        g: { from: 'inh', to: 'inh', plastic: false },
      },
      readouts: {
        out: { from: ['exc', 'inh'], readout, outputs: [0, 1] },
        other: { from: 'front', readout, outputs: [2], weight: 0.5, window: { start: 10, length: 30 } },
      },
    },
  },
  {
    label: 'sparse, delays drawn for every synapse, input in parts',
    network: {
      populations: { one: { size: 33, neuron: lif }, two: { size: 130, neuron: alif, bias: 0.01 } },
      projections: {
        a: { from: 'input', to: 'one', bias: 0.05, init: { kind: 'normal', gain: 1.5 } },
        b: {
          from: 'one',
          to: 'two',
          connectivity: { kind: 'probability', p: 0.4 },
          delayMs: { kind: 'uniform', low: 0, high: 3 },
          init: { kind: 'normal', gain: 2 },
        },
        c: {
          from: 'two',
          to: 'one',
          connectivity: { kind: 'in-degree', n: 7 },
          delayMs: { kind: 'uniform', low: 1, high: 5 },
        },
        d: { from: 'two', to: 'two', connectivity: { kind: 'distance', shape: 'ring', sigma: 0.1 } },
      },
      readouts: { out: { from: 'two', readout } },
    },
  },
];

const rates = (network: Record<string, unknown>) => {
  const { populations, projections, readouts } = network as Record<string, Record<string, { bias?: unknown }>>;
  const biased = Object.entries(populations).flatMap(([name, { bias }]) =>
    bias === undefined ? [] : [`${name}.bias`],
  );
  return Object.fromEntries(
    [...Object.keys(projections), ...Object.keys(readouts), ...biased].map((name) => [name, 0.01]),
  );
};

function build({ network }: Graph, backend: string, config: Record<string, unknown>): Experiment {
  const { execution, unit = 'trial', ...rest } = config;
  return graphExperiment({
    backend,
    task: { kind: 'live', steps: 60, inputs: 8, outputs: 3 },
    network,
    optimizer: { kind: 'sgd', rates: rates(network) },
    training: { total: 12, streams: 3, execution, update: { unit } },
    ...rest,
  });
}

const rules = [
  { label: 'symmetric', rule: { name: 'e-prop-1', feedback: 'symmetric' } },
  { label: 'random', rule: { name: 'e-prop-1', feedback: 'random' } },
  { label: 'without output filter', rule: { name: 'e-prop-1', readoutFilter: false } },
  { label: 'readout only', rule: { name: 'readout-only' } },
];
const terms = [
  { label: 'no rate term', rateTerm: {} },
  { label: 'rate of the trial', rateTerm: { strength: 0.5, targetHz: 50, mean: 'trial' } },
  { label: 'rate of the batch', rateTerm: { strength: 0.5, targetHz: 50, mean: 'batch' } },
  { label: 'running rate', rateTerm: { strength: 0.05, targetHz: 50, mean: 'running' } },
];

function spikesOf({ network }: Run): number[] {
  return network.activity.flatMap(({ z }) =>
    Array.from({ length: network.spec.sizes.stream }, (_, b) => [
      ...z.data.subarray(rowAt(z, b, 0), rowAt(z, b, z.steps)),
    ]).flat(),
  );
}

describe.each(graphs)('$label', (graph) => {
  const sparse = graph.label.startsWith('sparse');
  const executions = sparse ? ['online', 'deferred'] : ['online', 'deferred', 'postponed'];
  describe.each(executions)('%s', (execution) => {
    it.each(
      rules.flatMap((rule) => terms.map((term) => ({ ...rule, ...term, label: `${rule.label}, ${term.label}` }))),
    )('$label: spikes and gradients are those of the reference', ({ rule, rateTerm }) => {
      const config = { rule, rateTerm };
      const plain = execution === 'postponed' ? 'online' : execution;
      const want = firstTrial(build(graph, 'reference', { ...config, execution: plain }));
      const got = firstTrial(build(graph, 'wasm', { ...config, execution }));
      expect(activityOf(want)).toBeGreaterThan(100);
      expect(spikesOf(got)).toEqual(spikesOf(want));
      const gradients = gradientOf(got);
      for (const [name, block] of Object.entries(gradientOf(want))) {
        expect(gradients[name], name).toBeClose(block, { relative: 2e-5, absolute: 1e-9 });
      }
    });
  });

  it.each(['trial', 'step'] as const)('weights after a training with updates per %s', (unit) => {
    const config = { rule: { name: 'e-prop-1' }, unit };
    const [want, got] = ['reference', 'wasm'].map((backend) => build(graph, backend, config));
    for (const experiment of [want, got]) experiment.train();
    const { weights } = got.run.network;
    for (const [name, block] of Object.entries(want.run.network.weights)) {
      expect(weights[name], name).toBeClose(block, { relative: 5e-5, absolute: 1e-8 });
    }
  });
});
