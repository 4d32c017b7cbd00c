import { describe, expect, it } from 'vitest';
import { wasm } from '../../src/backends/wasm/index.ts';
import type { Real } from '../../src/core/layout.ts';
import { gradientOf, type Run } from '../../src/engine/run.ts';
import type { Experiment } from '../../src/experiment/experiment.ts';
import { activityOf, firstTrial, graphExperiment } from '../support/graphs.ts';

/** Neurons that differ within a population, filter their input or do not spike, on the fast backend against the reference. */

const uniform = (low: number, high: number) => ({ kind: 'uniform', low, high });
const spread = {
  membrane: { decay: uniform(0.6, 0.95) },
  vTh: uniform(0.4, 0.6),
  rest: uniform(-0.1, 0.2),
  gamma: uniform(0.2, 0.4),
  psiWidth: uniform(0.4, 0.8),
  nRef: 2,
};
const lif = { kind: 'lif', ...spread };
const alif = { kind: 'alif', ...spread, adaptation: { decay: uniform(0.8, 0.97) }, adaptBeta: uniform(0, 0.2) };
const scaled = { kind: 'lif', membrane: { decay: uniform(0.4, 0.8) }, vTh: 0.3, inputScale: '1-alpha', reset: 'zero' };
const levels = { ...scaled, psiLevels: 5, fires: '>=' };
const cuba = { kind: 'cuba-lif', membrane: { decay: 0.8 }, vTh: 0.5, synapse: { decay: 0.6 } };
const cubas = { kind: 'cuba-lif', ...spread, synapse: { decay: uniform(0.3, 0.7) } };
const integrator = { kind: 'integrator', leak: { decay: uniform(0.6, 0.9) } };
const rate = (decay: number) => ({ kind: 'rate', leak: { decay } });
const potential = (decay: number) => ({ kind: 'rate', leaks: 'potential', leak: { decay }, initial: 0.1 });
const plain = { kind: 'lif', membrane: { decay: 0.8 }, vTh: 0.5 };

const pairs = [
  { label: 'lif before alif', neurons: [lif, alif] },
  { label: 'scaled input, reset to zero, before levels', neurons: [scaled, levels] },
  { label: 'one synaptic current before many', neurons: [cuba, cubas] },
  { label: 'integrators before lif', neurons: [integrator, plain] },
  { label: 'alif before integrators', neurons: [alif, integrator] },
  {
    label: 'lif before alif, all alike',
    neurons: [plain, { ...plain, kind: 'alif', adaptation: { decay: 0.9 }, adaptBeta: 0.1 }],
  },
  { label: 'rates before lif', neurons: [rate(0.5), plain] },
  { label: 'rates without memory before rates', neurons: [rate(0), rate(0.7)] },
  { label: 'leaky potentials before lif', neurons: [potential(0.6), plain] },
  { label: 'rates before leaky potentials', neurons: [rate(0.4), potential(0.8)] },
];

const readout = { kind: 'leaky', filter: { decay: 0.7 } };
const init = (gain: number) => ({ kind: 'normal', gain });

function build(
  neurons: readonly object[],
  sparse: boolean,
  backend: string,
  { execution, unit = 'trial', ...rest }: Record<string, unknown>,
): Experiment {
  const connectivity = sparse ? { kind: 'probability', p: 0.5 } : { kind: 'dense' };
  const names = ['in', 'late', 'own', 'up', 'down', 'out'];
  return graphExperiment({
    backend,
    task: { kind: 'live', steps: 50, inputs: 8, outputs: 3 },
    network: {
      populations: { a: { size: 13, neuron: neurons[0] }, b: { size: 10, neuron: neurons[1], current: 0.03 } },
      projections: {
        in: { from: 'input', to: 'a', init: init(2) },
        late: { from: 'input', to: 'b', delayMs: 2, init: init(1) },
        own: { from: 'a', to: 'a', connectivity, init: init(0.5) },
        up: { from: 'a', to: 'b', delayMs: 0, connectivity, init: init(1) },
        down: { from: 'b', to: 'a', delayMs: 3, connectivity, init: init(0.5) },
      },
      readouts: { out: { from: ['a', 'b'], readout } },
    },
    optimizer: { kind: 'sgd', rates: Object.fromEntries(names.map((name) => [name, 0.01])) },
    training: { total: 8, streams: 3, execution, update: { unit } },
    ...rest,
  });
}

const rules = [
  { label: 'symmetric', rule: { name: 'e-prop-1', feedback: 'symmetric' } },
  { label: 'random', rule: { name: 'e-prop-1', feedback: 'random' } },
  { label: 'without output filter', rule: { name: 'e-prop-1', readoutFilter: false } },
];
const terms = [
  { label: 'no rate term', rateTerm: {} },
  { label: 'rate of the trial', rateTerm: { strength: 0.5, targetHz: 50, mean: 'trial' } },
  { label: 'running rate', rateTerm: { strength: 0.05, targetHz: 50, mean: 'running' } },
];
const settings = rules.flatMap((rule) =>
  terms.map((term) => ({ ...rule, ...term, label: `${rule.label}, ${term.label}` })),
);

/** Activity and pseudo-derivatives of all populations. */
function rowsOf({ network }: Run): Record<string, Real> {
  return Object.fromEntries(
    network.activity.flatMap(({ z, psi }, p) => [
      [`z.${p}`, z.data],
      [`psi.${p}`, psi.data],
    ]),
  );
}

/** Activity, traces where there are any, and gradients: a run may go on on the other backend. */
function expectSameTrial(got: Run, want: Run): void {
  const rows = rowsOf(got);
  for (const [name, row] of Object.entries(rowsOf(want)))
    expect(rows[name], name).toBeClose(row, { relative: 1e-5, absolute: 2e-6 });
  const { state } = got.network;
  for (const name of state.table.map((entry) => entry.name).filter((field) => /\.trace\./.test(field))) {
    expect(state.field(name), name).toBeClose(want.network.state.field(name), { relative: 2e-5, absolute: 1e-6 });
  }
  const gradients = gradientOf(got);
  for (const [name, block] of Object.entries(gradientOf(want))) {
    expect(Math.max(...block.map(Math.abs)), name).toBeGreaterThan(1e-4);
    expect(gradients[name], name).toBeClose(block, { relative: 2e-5, absolute: 1e-6 });
  }
}

describe.each(pairs)('$label', ({ neurons }) => {
  it.each([false, true])('nothing is missing, sparse: %s', (sparse) => {
    expect(wasm.missing(build(neurons, sparse, 'auto', { rule: rules[0].rule }).run.network.spec)).toEqual([]);
  });

  describe.each([
    { execution: 'online', sparse: false },
    { execution: 'online', sparse: true },
    { execution: 'deferred', sparse: false },
    { execution: 'deferred', sparse: true },
    { execution: 'postponed', sparse: false },
  ])('$execution, sparse: $sparse', ({ execution, sparse }) => {
    it.each(settings)('$label: activity and gradients are those of the reference', ({ rule, rateTerm }) => {
      const online = execution === 'postponed' ? 'online' : execution;
      const want = firstTrial(build(neurons, sparse, 'reference', { rule, rateTerm, execution: online }));
      const got = firstTrial(build(neurons, sparse, 'wasm', { rule, rateTerm, execution }));
      expect(activityOf(want)).toBeGreaterThan(50);
      expectSameTrial(got, want);
    });
  });

  it.each(['online', 'deferred'])('RFLO, %s', (execution) => {
    const [want, got] = ['reference', 'wasm'].map((backend) =>
      firstTrial(build(neurons, false, backend, { rule: { name: 'rflo' }, execution })),
    );
    expectSameTrial(got, want);
  });

  const resets = neurons.every((neuron) => !('reset' in neuron) && !('leak' in neuron));
  const closed = neurons.some((neuron) => neuron === plain);
  const ways = closed ? ['deferred', 'postponed'] : ['online', 'deferred', 'postponed'];
  // Where a neuron resets to zero or leaks a rate, no trace remembers a reset.
  it.each(resets ? ways : [])('a trace that remembers the reset, %s', (execution) => {
    const rule = { name: 'e-prop-1', resetInTrace: true };
    const online = execution === 'postponed' ? 'online' : execution;
    const want = firstTrial(build(neurons, false, 'reference', { rule, execution: online }));
    expectSameTrial(firstTrial(build(neurons, false, 'wasm', { rule, execution })), want);
  });

  it.each(['trial', 'step'] as const)('weights after a training with updates per %s', (unit) => {
    const [want, got] = ['reference', 'wasm'].map((backend) =>
      build(neurons, true, backend, { rule: rules[1].rule, unit }),
    );
    for (const experiment of [want, got]) experiment.train();
    const { weights } = got.run.network;
    for (const [name, block] of Object.entries(want.run.network.weights)) {
      expect(weights[name], name).toBeClose(block, { relative: 5e-5, absolute: 2e-6 });
    }
  });
});
