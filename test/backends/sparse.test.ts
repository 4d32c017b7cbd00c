import { expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { distances, isNarrow } from '../../src/backends/wasm/memory.ts';
import { singleSpec, whyNotSingle } from '../../src/core/single.ts';
import { createExperiment, gradientOf, runTrial } from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';

/** A frozen trial of a network with `n` synapses of either kind for each neuron. */
function frozen(backend: string, neurons: number, n: number) {
  const connectivity = { kind: 'in-degree', n };
  const experiment = createExperiment(
    {
      seed: 5,
      backend,
      task: { kind: 'pattern-generation', steps: 20, inputs: 10, inputRateHz: 100, outputs: 1 },
      network: {
        neurons,
        neuron: { kind: 'lif', membrane: { tauMs: 20 }, vTh: 0.6 },
        readout: { kind: 'leaky', filter: { tauMs: 20 } },
        input: { connectivity, init: { kind: 'normal', gain: 1.6 } },
        recurrent: { connectivity, init: { kind: 'normal', gain: 0.6 } },
      },
      rule: { name: 'e-prop-1' },
      loss: { kind: 'square', window: { start: 0, length: 20 } },
      optimizer: { kind: 'sgd', rates: { in: 0.01, rec: 0.01, out: 0.01 } },
      training: { total: 1, execution: 'deferred' },
      evaluation: { total: 1 },
    },
    { ...models, tasks },
  );
  const { run, feed } = experiment.observer();
  feed.fill(20);
  runTrial(run, 20, { learn: true, freeze: true });
  return { gradient: gradientOf(run), z: run.network.activity[0].z.data, spec: run.network.spec };
}

it.each([
  [300, 7, true],
  [140_000, 1, false],
])(
  '%i neurons with %i synapses each: targets of two bytes %s, the gradient is that of the reference',
  (neurons, n, narrow) => {
    const [fast, exact] = [frozen('wasm', neurons, n), frozen('reference', neurons, n)];
    expect(isNarrow(singleSpec(fast.spec), singleSpec(fast.spec).projections.rec)).toBe(narrow);
    expect(exact.z.some((spike) => spike > 0)).toBe(true);
    expect(Float64Array.from(fast.z)).toBeBitEqual(Float64Array.from(exact.z));
    expect(fast.gradient.rec.some((g) => g !== 0)).toBe(true);
    expect(fast.gradient.rec).toBeClose(exact.gradient.rec, { relative: 1e-5 });
    expect(fast.gradient.in).toBeClose(exact.gradient.in, { relative: 1e-5 });
  },
);

it('distances start anew with every row, and each fits', () => {
  const { projections } = singleSpec(frozen('wasm', 300, 7).spec);
  const { rowStart, post } = projections.rec;
  const short = distances(projections.rec);
  for (let i = 0, j = 0; i < 300; i++, j = 0) {
    for (let s = rowStart[i]; s < rowStart[i + 1]; s++) {
      j += short[s];
      expect(j).toBe(post[s]);
    }
  }
});

it('what keeps a network from being the smallest graph', () => {
  const { spec } = frozen('reference', 5, 2);
  const { sizes, populations, readouts, projections } = spec;
  const [input, own] = projections;
  const twice = <T>(list: readonly T[]) => [...list, ...list];
  expect(whyNotSingle(spec)).toEqual([]);
  expect(whyNotSingle({ ...spec, populations: twice(populations) })).toContain('several populations');
  expect(whyNotSingle({ ...spec, projections: [input, own, own] })).toEqual(['anything but one recurrent projection']);
  expect(whyNotSingle({ ...spec, sizes: { ...sizes, in: sizes.in + 1 } })).toEqual([
    'anything but one projection from the whole input',
  ]);
  expect(whyNotSingle({ ...spec, sizes: { ...sizes, inHistory: 1 } })).toEqual(['delays of the input']);
  expect(whyNotSingle({ ...spec, readouts: readouts.map((one) => ({ ...one, weight: 0.5 })) })).toEqual([
    'weighted readouts',
  ]);
});
