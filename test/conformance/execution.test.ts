import { describe, expect, it } from 'vitest';
import { createRecorder } from '../../src/engine/recorder.ts';
import { gradientOf, type Run } from '../../src/engine/run.ts';
import type { Experiment } from '../../src/experiment/experiment.ts';
import {
  blocks,
  doTrial,
  type LiveOptions,
  liveExperiment,
  liveNeurons,
  liveReadouts,
  liveSize,
} from '../support/live.ts';
import { tolerances } from '../support/tolerances.ts';

/** Ways to run a training: each of them has to give the same bits recorded and unrecorded. */
const ways: readonly { readonly label: string; readonly options: LiveOptions }[] = [
  { label: 'updates per trial, online', options: { training: { execution: 'online' } } },
  { label: 'updates per trial, deferred', options: { training: { execution: 'deferred' } } },
  {
    label: 'updates per step',
    options: {
      training: { update: { every: 1, unit: 'step' } },
      rateTerm: { strength: 0.1, targetHz: 300, mean: 'running' },
    },
  },
  {
    label: 'updates every 7 steps of an endless stream',
    options: { task: { mode: 'stream' }, training: { update: { every: 7, unit: 'step' }, chunkSteps: 20, total: 160 } },
  },
  {
    label: 'a rate term of the trial',
    options: { rateTerm: { strength: 2, targetHz: 300, mean: 'trial' }, training: { execution: 'online' } },
  },
];

describe.each(liveNeurons)('$label: a recorded training is the unrecorded one, bit for bit', (neuron) => {
  it.each(ways)('$label', ({ options }) => {
    const plain = trained({ ...options, neuron });
    const recorded = trained({ ...options, neuron }, true);
    expect(recorded.run.network.state.data).toBeBitEqual(plain.run.network.state.data);
    expect(recorded.run.clock).toEqual(plain.run.clock);
    expect(plain.run.clock.updates).toBeGreaterThan(2);
  });
});

function trained(options: LiveOptions, recorded = false): Experiment {
  const experiment = liveExperiment(options);
  const before = Float64Array.from(experiment.run.network.weights.rec);
  let steps = 0;
  const recorder = recorded
    ? createRecorder(experiment.run, { fields: ['x', 'z', 'psi', 'y', 'signal', 'error'] })
    : undefined;
  experiment.train({
    recorder,
    listener(event) {
      if (event.type === 'step') steps += 1;
    },
  });
  expect(experiment.run.network.weights.rec).not.toBeBitEqual(before);
  expect(steps).toBe(recorded ? experiment.run.clock.step : 0);
  return experiment;
}

describe('watching', () => {
  it('sees every step once, in order, with its signal known and before its update', () => {
    const experiment = liveExperiment({ training: { update: { every: 1, unit: 'step' } } });
    const { run } = experiment;
    const seen: number[] = [];
    doTrial(experiment, {
      freeze: false,
      onStep(t) {
        seen.push(t);
        expect(run.clock.updates).toBe(t);
        expect(rowOf(run, t).some((value) => value !== 0)).toBe(run.network.trial.weight.data[t] !== 0);
      },
    });
    expect(seen).toEqual(Array.from({ length: 50 }, (_, t) => t));
    expect(run.clock.updates).toBe(50);
  });

  it('does not change a network that does not learn', () => {
    const [plain, watched] = [liveExperiment(), liveExperiment()];
    doTrial(plain, { learn: false });
    doTrial(watched, { learn: false, onStep: () => {} });
    expect(watched.run.network.state.data).toBeBitEqual(plain.run.network.state.data);
    expect(
      blocks(gradientOf(plain.run))
        .flatMap((block) => Array.from(block))
        .every((g) => g === 0),
    ).toBe(true);
  });
});

function rowOf({ network }: Run, t: number): Float64Array {
  return Float64Array.from(network.activity[0].signals[0].data.subarray(t * liveSize, (t + 1) * liveSize));
}

const everySynapse = { connectivity: { kind: 'probability', p: 1 } };
const dense = { connectivity: { kind: 'dense' } };
const executions = ['online', 'deferred'] as const;

describe.each(liveNeurons)('$label: sparse and dense', (neuron) => {
  it.each(executions)('a sparse matrix with every synapse present is the dense one, bit for bit, %s', (execution) => {
    const build = (shape: object) =>
      liveExperiment({
        neuron,
        training: { execution },
        network: {
          input: { ...shape, init: { kind: 'normal', gain: 1.2 }, bias: 0.15 },
          recurrent: { ...shape, autapses: true },
        },
      });
    const [sparse, full] = [build(everySynapse), build(dense)];
    expect(sparse.run.network.spec.projections[1].synapses.dense).toBe(false);
    expect(full.run.network.spec.projections[1].synapses.masked).toHaveLength(0);
    expect(blocks(sparse.run.network.weights)).toBeBitEqual(blocks(full.run.network.weights));
    expect(blocks(gradientOf(doTrial(sparse)))).toBeBitEqual(blocks(gradientOf(doTrial(full))));
    sparse.train();
    full.train();
    expect(sparse.run.network.state.data).toBeBitEqual(full.run.network.state.data);
  });

  it.each(liveReadouts.flatMap((readout) => executions.map((execution) => ({ readout, execution }))))(
    'a sparse matrix is a dense one that is 0 elsewhere ($readout.label, $execution)',
    ({ readout, execution }) => {
      const shape = { connectivity: { kind: 'in-degree', n: 3 } };
      const rateTerm = { strength: 2, targetHz: 300, mean: 'trial' };
      const sparse = liveExperiment({
        neuron,
        readout,
        rateTerm,
        training: { execution },
        network: {
          input: { ...shape, init: { kind: 'normal', gain: 1.2 }, bias: 0.15 },
          recurrent: shape,
        },
      });
      const full = liveExperiment({ neuron, readout, rateTerm, training: { execution } });
      const places = { in: placesOf(sparse, 0), rec: placesOf(sparse, 1) };
      for (const name of ['in', 'rec'] as const) {
        const { [name]: target } = full.run.network.weights;
        target.fill(0);
        places[name].forEach((place, s) => {
          target[place] = sparse.run.network.weights[name][s];
        });
      }
      const got = gradientOf(doTrial(sparse));
      const want = gradientOf(doTrial(full));
      for (const name of ['in', 'rec'] as const) {
        expect(got[name]).toBeClose(
          places[name].map((place) => want[name][place]),
          tolerances.reordered,
        );
        expect(got[name].some((g) => g !== 0)).toBe(true);
      }
      expect(got.out).toBeClose(want.out, tolerances.reordered);
    },
  );
});

/** Where in a dense matrix the synapses of a sparse one lie. */
function placesOf({ run }: Experiment, projection: number): number[] {
  const { nPre, nPost, rowStart, post } = run.network.spec.projections[projection].synapses;
  return Array.from({ length: nPre }, (_, i) =>
    Array.from(post.subarray(rowStart[i], rowStart[i + 1]), (j) => i * nPost + j),
  ).flat();
}

describe.each([{ kind: 'sgd' }, { kind: 'momentum', momentum: 0.8 }, { kind: 'adam' }])(
  'autapses under $kind',
  (optimizer) => {
    it.each(liveNeurons)('stay 0 in $label', (neuron) => {
      const experiment = liveExperiment({ neuron, optimizer });
      const gradient = gradientOf(doTrial(experiment));
      experiment.train();
      for (let j = 0; j < liveSize; j++) {
        expect(gradient.rec[j * liveSize + j]).toBe(0);
        expect(experiment.run.network.weights.rec[j * liveSize + j]).toBe(0);
      }
    });

    it('change where they are allowed', () => {
      const experiment = liveExperiment({ optimizer, network: { recurrent: { autapses: true } } });
      experiment.train();
      const diagonal = Array.from({ length: liveSize }, (_, j) => experiment.run.network.weights.rec[j * liveSize + j]);
      expect(diagonal.every((w) => w !== 0)).toBe(true);
    });
  },
);
