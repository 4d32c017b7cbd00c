import { broadcast } from '../../../models/index.ts';
import { bindingOfSignal } from '../../core/bindings.ts';
import { UnsupportedError } from '../../core/errors.ts';
import { shapeOf, type Weights } from '../../core/network.ts';
import type { Catalogue } from '../../core/plugins.ts';
import { createRng } from '../../core/rng.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { givenExperiment, transpose } from './given.ts';
import { flatten, type Subject } from './report.ts';
import { turned, type WatchedStep } from './watch.ts';

type Matrix = readonly (readonly number[])[];

/** One tanh network with a softmax readout, as golden files of rate rules have it; matrices [post][pre]. */
export interface TanhNetwork {
  readonly W_in: Matrix;
  readonly W_rec: Matrix;
  readonly W_out: Matrix;
  /** Random feedback [rec][out], where there is such. */
  readonly W_FB?: Matrix;
  readonly b_rec: readonly number[];
  readonly b_out: readonly number[];
  /** [t][i] */
  readonly x: Matrix;
  /** One-hot targets. [t][k] */
  readonly y: Matrix;
  /** Share of the rate that is made anew in a step. */
  readonly alpha: number;
  /** SGD at every step; 0: frozen. */
  readonly rate: number;
}

/** The network as an experiment under a rule. `own`: models in place of ours. */
export function tanhExperiment(
  given: TanhNetwork,
  { backend }: Subject,
  rule: Record<string, unknown>,
  own?: Partial<Catalogue>,
): Experiment {
  const experiment = givenExperiment(
    {
      backend,
      network: {
        neurons: given.W_rec.length,
        neuron: { kind: 'rate', leak: { decay: 1 - given.alpha } },
        readout: { kind: 'leaky', filter: { decay: 0 }, bias: true },
        input: { bias: 0 },
        recurrent: { autapses: true },
      },
      rule,
      loss: { kind: 'softmax' },
      optimizer: { kind: 'sgd', rates: { in: given.rate, rec: given.rate, out: given.rate } },
      training: { total: 1, update: { every: 1, unit: 'step', reduction: 'sum' } },
    },
    [{ x: given.x, target: given.y }],
    own,
  );
  const { weights, state } = experiment.run.network;
  weights.in.set([...flatten(transpose(given.W_in)), ...given.b_rec]);
  weights.rec.set(flatten(transpose(given.W_rec)));
  weights.out.set(flatten(transpose(given.W_out)));
  weights['out.bias'].set(given.b_out);
  if (given.W_FB) {
    const B = flatten(transpose(given.W_FB));
    for (const { name } of state.table) if (name.endsWith('.B')) state.field(name).set(B);
  }
  return experiment;
}

/** dL/d[W_rec | W_in | b_rec], [post][pre]. */
export function recurrentGradient(weights: Weights, n: number): number[] {
  return turned([weights.rec, weights.in], n);
}

/**
 * B error of every step, by the broadcast signal on the arrays of a trial that is over and the weights of each step.
 */
export function toldTo({ run }: Experiment, taken: readonly WatchedStep[], random: boolean): number[] {
  const { network } = run;
  const { spec, state } = network;
  const [{ kind, neuron: instance, size }] = spec.populations;
  const neuron = instance.eligibility;
  if (!neuron) throw new UnsupportedError(`the dynamics of "${kind}", which declares none`);
  const [{ decay, gain, column, size: nOut }] = spec.readouts;
  const channels = [{ decay, gain, column, size: nOut, readouts: [0] }];
  const sizes = { stream: 1, step: spec.sizes.step, in: spec.sizes.in, self: size, out: nOut };
  const signal = broadcast.derive(
    { kind: 'broadcast', feedback: random ? 'random' : 'symmetric', scale: 1, errorSpikeSize: null, decay: 0 },
    {
      dtMs: spec.dtMs,
      sizes,
      neuron,
      readout: { decay, gain },
      network: shapeOf(spec),
      population: 0,
      memory: instance.layout,
      goesOn: false,
      rng: createRng(0),
      powersOfTwo: false,
    },
  );
  const views = state.views(spec.direct ? 'direct' : 'population.rec.signal');
  const told = { ...network.activity[0].signals[0], data: new Float64Array(spec.sizes.step * size) };
  for (let t = 0; t < spec.sizes.step; t++) {
    const binding = bindingOfSignal({ ...network, spec: { ...spec, channels }, weights: taken[t].weights }, 0, 0);
    signal.bind({ ...binding, state: views, signal: told }).step(t, 1, t);
  }
  return Array.from(told.data);
}
