import { describe, expect, it } from 'vitest';
import type { Real } from '../../src/core/layout.ts';
import { rowAt } from '../../src/core/rows.ts';
import { gradientOf, type Run } from '../../src/engine/run.ts';
import type { Experiment } from '../../src/experiment/experiment.ts';
import { activityOf, firstTrial, graphExperiment } from '../support/graphs.ts';

/** Neurons as one population, and the same ones cut into several: nothing may change but names. */

interface Cut {
  readonly label: string;
  /** Name and size, in the order of the neurons. */
  readonly parts: readonly (readonly [name: string, size: number])[];
  /** Signs of the synapses that leave each part; null: free. */
  readonly dale?: readonly ('excitatory' | 'inhibitory')[];
}

const inputs = 12;

function cuts(n: number): Cut[] {
  const third = Math.floor(n / 3);
  return [
    {
      label: 'three populations',
      parts: [
        ['a', third],
        ['b', third],
        ['c', n - 2 * third],
      ],
    },
    {
      label: 'E and I',
      parts: [
        ['exc', Math.floor(0.8 * n)],
        ['inh', n - Math.floor(0.8 * n)],
      ],
      dale: ['excitatory', 'inhibitory'],
    },
    {
      label: 'E and I, signs free to change',
      parts: [
        ['exc', Math.floor(0.8 * n)],
        ['inh', n - Math.floor(0.8 * n)],
      ],
    },
  ];
}

const neuron = {
  kind: 'alif',
  membrane: { decay: 0.85 },
  vTh: 0.5,
  nRef: 2,
  adaptation: { decay: 0.95 },
};

interface Setting {
  readonly rule: Record<string, unknown>;
  readonly n: number;
  readonly steps: number;
  readonly rateTerm?: Record<string, unknown>;
  readonly execution?: string;
  /** Membranes that differ from neuron to neuron. */
  readonly spread?: boolean;
  /** The reference backend if there is none. */
  readonly backend?: 'wasm';
}

function strengths(n: number): number[] {
  return Array.from({ length: n }, (_, j) => 0.02 * (j % 7));
}

function decays(n: number): number[] {
  return Array.from({ length: n }, (_, j) => 0.7 + 0.02 * (j % 11));
}

function experimentOf(
  parts: Cut['parts'],
  dale: Cut['dale'],
  { rule, n, steps, rateTerm, execution, spread, backend }: Setting,
): Experiment {
  const names = parts.map(([name]) => name);
  let first = 0;
  const populations = Object.fromEntries(
    parts.map(([name, size]) => {
      const own = (values: readonly number[]) => values.slice(first, first + size);
      const membrane = spread ? { decay: own(decays(n)) } : neuron.membrane;
      const cells = { ...neuron, membrane, adaptBeta: own(strengths(n)) };
      first += size;
      return [name, { size, neuron: cells }];
    }),
  );
  const projections = Object.fromEntries([
    ...names.map((to) => [`input-${to}`, { from: 'input', to }]),
    ...names.flatMap((from, p) =>
      names.map((to) => [`${from}-${to}`, { from, to, dale: dale?.[p] ?? null, autapses: true, delayMs: 2 }]),
    ),
  ]);
  const rates = Object.fromEntries([...Object.keys(projections), 'out'].map((name) => [name, 0.002]));
  return graphExperiment({
    ...(backend ? { backend } : {}),
    task: { kind: 'live', steps, inputs, outputs: 3 },
    network: {
      populations,
      projections,
      readouts: { out: { from: names, readout: { kind: 'leaky', filter: { decay: 0.8 } } } },
    },
    rule,
    rateTerm,
    optimizer: { kind: 'sgd', rates },
    training: { total: 40, streams: 2, execution },
  });
}

/** Weights, feedback and everything else of the whole for the parts of it. */
function adopt(to: Experiment, from: Experiment, parts: Cut['parts'], n: number): void {
  const [one, other] = [from.run.network, to.run.network];
  const starts = startsOf(parts);
  const block = (source: ArrayLike<number>, rows: readonly number[], columns: readonly number[]) =>
    rows.flatMap((i) => columns.map((j) => source[i * n + j]));
  const span = (p: number) => Array.from({ length: parts[p][1] }, (_, j) => starts[p] + j);
  const all = Array.from({ length: inputs }, (_, i) => i);
  parts.forEach(([post], q) => {
    other.weights[`input-${post}`].set(block(one.weights['input-all'], all, span(q)));
    parts.forEach(([pre], p) => {
      other.weights[`${pre}-${post}`].set(block(one.weights['all-all'], span(p), span(q)));
    });
    const B = other.state.views(`population.${post}.signal`).B;
    const whole = one.state.views('population.all.signal').B;
    if (B && whole) B.set(whole.subarray(starts[q] * 3, (starts[q] + parts[q][1]) * 3));
  });
  other.weights.out.set(one.weights.out);
  const [B, whole] = [other.state.views('direct').B, one.state.views('direct').B];
  if (B && whole) B.set(whole);
}

function startsOf(parts: Cut['parts']): number[] {
  return parts.map((_, p) => parts.slice(0, p).reduce((sum, [, size]) => sum + size, 0));
}

/** The numbers of the parts put together as the whole has them. */
function joined(parts: Cut['parts'], n: number, values: Readonly<Record<string, ArrayLike<number>>>) {
  const starts = startsOf(parts);
  const whole: Record<string, Float64Array> = {
    'input-all': new Float64Array(inputs * n),
    'all-all': new Float64Array(n * n),
    out: Float64Array.from(values.out),
    'out.bias': Float64Array.from(values['out.bias']),
  };
  const put = (to: Float64Array, from: ArrayLike<number>, row: number, column: number, rows: number, width: number) => {
    for (let i = 0; i < rows; i++) for (let j = 0; j < width; j++) to[(row + i) * n + column + j] = from[i * width + j];
  };
  parts.forEach(([post, width], q) => {
    put(whole['input-all'], values[`input-${post}`], 0, starts[q], inputs, width);
    parts.forEach(([pre, rows], p) => {
      put(whole['all-all'], values[`${pre}-${post}`], starts[p], starts[q], rows, width);
    });
  });
  return whole;
}

/** A row of every population at every step, neurons in their order. */
function rowsOf({ network }: Run, field: 'z' | 'psi' | 'signal'): number[] {
  const { stream, step } = network.spec.sizes;
  const rows: number[] = [];
  for (let b = 0; b < stream; b++) {
    for (let t = 0; t < step; t++) {
      for (const { z, psi, signals } of network.activity) {
        const of = field === 'signal' ? signals[0] : { z, psi }[field];
        rows.push(...of.data.subarray(rowAt(of, b, t), rowAt(of, b, t) + of.size));
      }
    }
  }
  return rows;
}

/** Traces of every synapse of a stream: by field, then by projection. */
function synapticTraces({ spec, state }: Run['network'], b: number): Record<string, Record<string, Real>> {
  const fields: Record<string, Record<string, Real>> = {};
  for (const { name, synapses } of spec.projections) {
    for (const [field, values] of Object.entries(state.views(`projection.${name}.trace`))) {
      if (values.length !== spec.sizes.stream * synapses.nSyn) continue;
      fields[field] = { ...fields[field], [name]: values.subarray(b * synapses.nSyn, (b + 1) * synapses.nSyn) };
    }
  }
  return fields;
}

function pairOf(cut: Cut, setting: Setting): readonly [whole: Experiment, parted: Experiment] {
  const { n } = setting;
  const whole = experimentOf([['all', n]], undefined, setting);
  if (cut.dale) {
    // Weights that have the signs of the parts.
    const starts = startsOf(cut.parts);
    const { 'all-all': w } = whole.run.network.weights;
    for (let i = 0; i < n; i++) {
      const p = starts.filter((start) => start <= i).length - 1;
      for (let j = 0; j < n; j++) w[i * n + j] = Math.abs(w[i * n + j]) * (cut.dale[p] === 'excitatory' ? 0.5 : -2);
    }
  }
  const parted = experimentOf(cut.parts, cut.dale, setting);
  adopt(parted, whole, cut.parts, n);
  return [whole, parted];
}

const rate = { strength: 0.3, targetHz: 50, mean: 'trial' };
const settings: readonly (Setting & { readonly label: string })[] = [
  {
    label: 'e-prop 1, symmetric',
    rule: { name: 'e-prop-1', feedback: 'symmetric' },
    n: 100,
    steps: 60,
    execution: 'online',
  },
  {
    label: 'e-prop 1, random',
    rule: { name: 'e-prop-1', feedback: 'random' },
    n: 100,
    steps: 60,
    execution: 'online',
    rateTerm: rate,
  },
  {
    label: 'e-prop 1, deferred',
    rule: { name: 'e-prop-1', feedback: 'random' },
    n: 100,
    steps: 60,
    execution: 'deferred',
    rateTerm: rate,
  },
  {
    label: 'e-prop 1, adaptive',
    rule: { name: 'e-prop-1', feedback: 'adaptive' },
    n: 100,
    steps: 60,
    execution: 'online',
  },
  {
    label: 'e-prop 1, reset in the trace',
    rule: { name: 'e-prop-1', resetInTrace: true },
    n: 100,
    steps: 40,
    execution: 'online',
  },
  { label: 'RFLO', rule: { name: 'rflo' }, n: 100, steps: 60 },
  { label: 'BPTT', rule: { name: 'bptt', reset: 'attached' }, n: 100, steps: 60 },
  { label: 'BPTT, random', rule: { name: 'bptt', feedback: 'random' }, n: 100, steps: 60 },
  { label: 'RTRL', rule: { name: 'rtrl' }, n: 15, steps: 20 },
  { label: 'UORO', rule: { name: 'uoro' }, n: 30, steps: 30 },
  {
    label: 'e-prop 1, online, wasm',
    rule: { name: 'e-prop-1', feedback: 'symmetric' },
    n: 100,
    steps: 60,
    execution: 'online',
    rateTerm: rate,
    backend: 'wasm',
  },
  {
    label: 'e-prop 1, deferred, wasm',
    rule: { name: 'e-prop-1', feedback: 'random' },
    n: 100,
    steps: 60,
    execution: 'deferred',
    rateTerm: rate,
    backend: 'wasm',
  },
  {
    label: 'e-prop 1, adaptive, wasm',
    rule: { name: 'e-prop-1', feedback: 'adaptive' },
    n: 100,
    steps: 60,
    execution: 'deferred',
    backend: 'wasm',
  },
  {
    label: 'membranes that differ, online, wasm',
    rule: { name: 'e-prop-1', feedback: 'random' },
    n: 100,
    steps: 60,
    execution: 'online',
    rateTerm: rate,
    spread: true,
    backend: 'wasm',
  },
  {
    label: 'membranes that differ, deferred, wasm',
    rule: { name: 'e-prop-1', feedback: 'random' },
    n: 100,
    steps: 60,
    execution: 'deferred',
    rateTerm: rate,
    spread: true,
    backend: 'wasm',
  },
  { label: 'BPTT, wasm', rule: { name: 'bptt', reset: 'attached' }, n: 100, steps: 60, backend: 'wasm' },
  {
    label: 'BPTT, random, wasm',
    rule: { name: 'bptt', feedback: 'random' },
    n: 100,
    steps: 60,
    spread: true,
    backend: 'wasm',
  },
  { label: 'readout only', rule: { name: 'readout-only' }, n: 100, steps: 40 },
];

describe.each(settings)('$label', (setting) => {
  it.each(cuts(setting.n))(
    '$label: states, signals, gradients and weights after 20 trials are those of one population',
    (cut) => {
      const { n } = setting;
      const [whole, parted] = pairOf(cut, setting);
      const [one, other] = [firstTrial(whole), firstTrial(parted)];
      // float32 sums the parts of a row, which are others.
      const relative = setting.backend ? 1e-5 : 1e-12;
      const absolute = setting.backend ? 1e-5 : 1e-300;
      expect(activityOf(one)).toBeGreaterThan(n);
      expect(rowsOf(other, 'z')).toBeBitEqual(rowsOf(one, 'z'));
      for (const field of ['psi', 'signal'] as const)
        expect(rowsOf(other, field)).toBeClose(rowsOf(one, field), { relative, absolute });
      const tracesOf = ({ network }: Run) =>
        Array.from({ length: network.spec.sizes.stream }, (_, b) => synapticTraces(network, b));
      if (setting.execution === 'online') expect(Object.keys(tracesOf(one)[0])).toContain('eBar');
      tracesOf(one).forEach((stream, b) => {
        const parts = tracesOf(other)[b];
        for (const field of Object.keys(stream)) {
          const whole = joined(cut.parts, n, { ...gradientOf(other), ...parts[field] });
          for (const [name, trace] of Object.entries(stream[field])) {
            expect(whole[name], `${name}.${field}`).toBeClose(trace, { relative, absolute });
          }
        }
      });
      const [want, got] = [gradientOf(one), joined(cut.parts, n, gradientOf(other))];
      for (const [name, block] of Object.entries(want)) {
        expect(got[name], name).toBeClose(block, { relative, absolute });
      }
      const [trained, cutUp] = pairOf(cut, setting);
      // A sign holds weights back that are free in one population.
      if (cut.dale) return;
      for (const experiment of [trained, cutUp]) experiment.train();
      const weights = joined(cut.parts, n, cutUp.run.network.weights);
      for (const [name, block] of Object.entries(weights)) {
        expect(block, name).toBeClose(trained.run.network.weights[name], { relative, absolute });
      }
    },
  );
});
