import { expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { distances, isNarrow } from '../../src/backends/wasm/memory.ts';
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
  return { gradient: gradientOf(run), z: run.network.trial.z, spec: run.network.spec };
}

it.each([
  [300, 7, true],
  [140_000, 1, false],
])(
  '%i neurons with %i synapses each: targets of two bytes %s, the gradient is that of the reference',
  (neurons, n, narrow) => {
    const [fast, exact] = [frozen('wasm', neurons, n), frozen('reference', neurons, n)];
    expect(isNarrow(fast.spec, fast.spec.projections.rec)).toBe(narrow);
    expect(exact.z.some((spike) => spike > 0)).toBe(true);
    expect(Float64Array.from(fast.z)).toBeBitEqual(Float64Array.from(exact.z));
    expect(fast.gradient.wRec.some((g) => g !== 0)).toBe(true);
    expect(fast.gradient.wRec).toBeClose(exact.gradient.wRec, { relative: 1e-5 });
    expect(fast.gradient.wIn).toBeClose(exact.gradient.wIn, { relative: 1e-5 });
  },
);

it('distances start anew with every row, and each fits', () => {
  const { projections } = frozen('wasm', 300, 7).spec;
  const { rowStart, post } = projections.rec;
  const short = distances(projections.rec);
  for (let i = 0, j = 0; i < 300; i++, j = 0) {
    for (let s = rowStart[i]; s < rowStart[i + 1]; s++) {
      j += short[s];
      expect(j).toBe(post[s]);
    }
  }
});
