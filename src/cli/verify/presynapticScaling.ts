import { z } from 'zod';
import type { NeuronModel } from '../../core/plugins.ts';
import { rowAt } from '../../core/rows.ts';
import { runTrial } from '../../engine/run.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { givenExperiment, projectionMatrix, setProjection } from './given.ts';
import { compareAbsolute, notChecked, type Quantity, type Subject } from './report.ts';

const exact = 1e-12;

type Matrix = readonly (readonly number[])[];

interface After {
  readonly average: readonly number[];
  /** Given after some trials only. */
  readonly w?: Matrix;
  /** Plain synaptic scaling, after the last trial. */
  readonly w_scaling_without_presynaptic_factor?: Matrix;
}

/** A golden file of kind `presynaptic-scaling`: one recurrent projection, and how often each neuron fires in every trial. */
export interface PresynapticScalingFile {
  readonly params: {
    readonly n: number;
    readonly n_exc: number;
    readonly alpha_a: number;
    readonly alpha_w: number;
    readonly w_max: number;
    readonly trials: number;
  };
  readonly goal: readonly number[];
  readonly w_start: Matrix;
  /** [trial][i] */
  readonly spikes: Matrix;
  readonly after: readonly After[];
}

/** Compares averages and weights after every trial of the file. */
export function verifyPresynapticScaling(file: PresynapticScalingFile, subject: Subject): Quantity[] {
  const tolerance = subject.tolerance(exact);
  if (subject.backend !== 'reference') return [notChecked('after', 'spikes that are given, on the reference backend')];
  const experiment = build(file, true);
  const { spec, state, weights } = experiment.run.network;
  const { pre, post } = state.views('projection.rec.scaling');
  const quantities = file.after.flatMap(({ average, w }, trial) => {
    runTrial(experiment.run, spec.sizes.step, { learn: true });
    return [
      compareAbsolute(`average, presynaptic (trial ${trial})`, pre, average, tolerance),
      compareAbsolute(`average (trial ${trial})`, post, average, tolerance),
      ...(w ? [compareAbsolute(`w (trial ${trial})`, projectionMatrix(spec, weights, 'rec'), w, tolerance)] : []),
    ];
  });
  const plain = build(file, false).run;
  file.after.forEach(({ w_scaling_without_presynaptic_factor: want }, trial) => {
    runTrial(plain, spec.sizes.step, { learn: true });
    if (!want) return;
    const got = projectionMatrix(plain.network.spec, plain.network.weights, 'rec');
    quantities.push(compareAbsolute(`w_scaling_without_presynaptic_factor (trial ${trial})`, got, want, tolerance));
  });
  return quantities;
}

function build({ params: p, goal, w_start, spikes }: PresynapticScalingFile, presynaptic: boolean): Experiment {
  const steps = Math.max(1, ...spikes.flat());
  const scaling = {
    kind: 'presynaptic-scaling',
    goal,
    averageRate: p.alpha_a,
    rate: p.alpha_w,
    largest: p.w_max,
    presynaptic,
  };
  const experiment = givenExperiment(
    {
      network: {
        populations: { rec: { size: p.n, neuron: { kind: 'given' } } },
        projections: { rec: { from: 'rec', to: 'rec', scaling } },
        readouts: { out: { from: 'rec' } },
      },
      rule: { name: 'readout-only' },
      loss: { kind: 'square' },
      optimizer: { kind: 'sgd', rates: { rec: 0, out: 0 } },
      training: { total: p.trials },
    },
    [{ x: new Array(steps).fill([0]), target: new Array(steps).fill([0]) }],
    { neurons: [given(spikes)] },
  );
  setProjection(experiment.run.network, 'rec', w_start);
  return experiment;
}

/** Neurons that fire as often as a file says: one spike in each of the first steps of a trial. */
function given(spikes: Matrix): NeuronModel<{ readonly kind: 'given' }> {
  return {
    kind: 'given',
    source: 'golden file',
    spiking: true,
    params: z.strictObject({ kind: z.literal('given') }),
    derive: () => ({
      layout: {},
      eligibility: null,
      threshold: null,
      membrane: '',
      nRef: 1,
      kernel: null,
      bind({ z: rows, psi, sizes }) {
        let trial = -1;
        return (b, t) => {
          if (t === 0) trial++;
          for (let j = 0; j < sizes.self; j++) {
            rows.data[rowAt(rows, b, t) + j] = t < spikes[trial][j] ? 1 : 0;
            psi.data[rowAt(psi, b, t) + j] = 0;
          }
        };
      },
    }),
  };
}
