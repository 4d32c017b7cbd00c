import { models } from '../../../models/index.ts';
import type { Catalogue, NeuronInstance } from '../../core/plugins.ts';
import { rowAt } from '../../core/rows.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { givenExperiment, transpose } from './given.ts';
import { compare, flatten, type Nested, notChecked, type Quantity, type Subject } from './report.ts';
import { turned, type WatchedStep, watchTrial } from './watch.ts';

const exact = 1e-10;
/** The truth in this file is a central difference, off by up to 6e-9. */
const finiteDifference = 1e-8;

type Matrix = readonly (readonly number[])[];
type Changes = Readonly<Record<'dw_in' | 'dw_rec' | 'dw_out', Matrix>>;

/** A golden file of kind `rflo-rate`: one trial of the RFLO notebook's network. */
export interface RfloRateFile {
  readonly meta: {
    readonly dims: { readonly T: number; readonly tau_m: number };
    readonly eta: { readonly w_in: number; readonly w_rec: number; readonly w_out: number };
  };
  readonly weights: Readonly<Record<'w_in' | 'w_rec' | 'w_out' | 'b', Matrix>>;
  readonly x: Matrix;
  readonly y_target: Matrix;
  readonly h0: readonly number[];
  readonly forward: Readonly<Record<'u' | 'h' | 'y' | 'err', Matrix>> & { readonly 'loss_0.5_mean_err2': number };
  readonly rflo_offline: Changes;
  readonly rflo_steps: readonly Readonly<Record<string, Nested>>[];
  readonly exact_minus_eta_gradient: Changes;
}

/** Compares every quantity of the file that is not one of the notebook's defects. */
export function verifyRfloRate(file: RfloRateFile, subject: Subject): Quantity[] {
  const tolerance = subject.tolerance(exact);
  const experiment = build(file, subject, { name: 'rflo', feedback: 'random' }, asCoded);
  const taken = watchTrial(experiment, false);
  return [
    ...verifyForward(file, experiment, taken, tolerance),
    ...verifySteps(file, experiment, taken.slice(0, -1), tolerance),
    ...verifyOffline(file, taken, tolerance),
    ...['rtrl', 'bptt'].flatMap((name) => verifyExact(file, subject, name)),
    ...defects.map(([name, why]) => notChecked(name, why)),
  ];
}

const lagging = 'the input trace of the code lags by one step';
const defects: readonly (readonly [name: string, why: string])[] = [
  ['rflo_steps.q_code', lagging],
  ['rflo_steps.dw_in_code', lagging],
  ['rflo_offline.dw_in', lagging],
  ['rflo_online', `${lagging}, and its input weights are trained with it`],
  ['rtrl_offline', 'the code multiplies with the derivative of the wrong neuron; see exact_minus_eta_gradient'],
  ['bptt_offline', 'the code adds errors at the wrong step; see exact_minus_eta_gradient'],
];

/** The derivative that the notebook has in place of 1 - tanh(u)^2. */
function codedDerivative(u: number): number {
  return 1 / Math.cosh(10 * Math.tanh(u / 10)) ** 2;
}

/** Our neurons, the rate neuron with that derivative written over its own. */
const asCoded: Catalogue['neurons'] = models.neurons.map((model) =>
  model.kind === 'rate' ? { ...model, derive: (p, context) => withCodedDerivative(model.derive(p, context)) } : model,
) as Catalogue['neurons'];

function withCodedDerivative(neuron: NeuronInstance): NeuronInstance {
  return {
    ...neuron,
    bind(binding) {
      const step = neuron.bind(binding);
      const { self: n } = binding.sizes;
      const { psi } = binding;
      return (b, t) => {
        step(b, t);
        const row = rowAt(psi, b, t);
        for (let j = 0; j < n; j++) psi.data[row + j] = codedDerivative(binding.state.u[b * n + j]);
      };
    },
  };
}

/**
 * Step t of the engine is step t + 1 of the file: the file's step 0 is the initial state, and none of it is computed.
 */
function build(
  { meta, weights: given, x, y_target: target, h0 }: RfloRateFile,
  { backend }: Subject,
  rule: Record<string, unknown>,
  neurons?: Catalogue['neurons'],
): Experiment {
  const { T: steps, tau_m: tau } = meta.dims;
  const experiment = givenExperiment(
    {
      backend,
      network: {
        neurons: h0.length,
        neuron: { kind: 'rate', leak: { decay: 1 - 1 / tau } },
        readout: { kind: 'leaky', filter: { decay: 0 }, bias: false },
        recurrent: { autapses: true },
      },
      rule,
      loss: { kind: 'square', scale: 1 / steps },
      optimizer: { kind: 'sgd', rates: { in: 0, rec: 0, out: 0 } },
      training: { total: 1, state: 'carry', update: { every: 1, unit: 'step', reduction: 'sum' } },
    },
    [{ x: x.slice(1), target: target.slice(1) }],
    neurons && { neurons },
  );
  const { weights, state } = experiment.run.network;
  weights.in.set(flatten(transpose(given.w_in)));
  weights.rec.set(flatten(transpose(given.w_rec)));
  weights.out.set(flatten(transpose(given.w_out)));
  for (const { name } of state.table) if (name.endsWith('.B')) state.field(name).set(flatten(given.b));
  state.field('population.rec.tail').set(h0);
  return experiment;
}

function verifyForward(
  file: RfloRateFile,
  { run }: Experiment,
  taken: readonly WatchedStep[],
  tolerance: number,
): Quantity[] {
  const { spec, trial, activity } = run.network;
  const { step: steps, out: nOut } = spec.sizes;
  const [{ loss: lossOf }] = spec.readouts;
  const { T } = file.meta.dims;
  const { u, h, y, err } = file.forward;
  // The notebook's mean counts step 0, where its output is 0.
  let loss = flatten(file.y_target[0]).reduce((sum, target) => sum + 0.5 * target * target, 0);
  for (let t = 0; t < steps; t++) loss += lossOf.value(trial.y.data, trial.target.data, t * nOut, nOut);
  return [
    compare(
      'forward.u',
      taken.slice(0, steps).flatMap(({ state }) => Array.from(state['population.rec.u'])),
      u.slice(1),
      tolerance,
    ),
    compare('forward.h', activity[0].z.data, h, tolerance),
    compare('forward.y', trial.y.data, y.slice(1), tolerance),
    compare(
      'forward.err',
      trial.error.data.map((error) => -T * error),
      err.slice(1),
      tolerance,
    ),
    compare('forward.loss_0.5_mean_err2', [loss / (T * nOut)], file.forward['loss_0.5_mean_err2'], tolerance),
  ];
}

/** Trace, learning signal and change of the weights at every step. */
function verifySteps(
  file: RfloRateFile,
  { run }: Experiment,
  taken: readonly WatchedStep[],
  tolerance: number,
): Quantity[] {
  const { T } = file.meta.dims;
  const error = run.network.trial.error.data;
  const signal = run.network.activity[0].signals[0].data;
  const n = file.h0.length;
  const changes = taken.map((step) => changesOf(file, step));
  const traces = (name: string) => taken.flatMap(({ state }) => turned([state[`projection.${name}.trace.e`]], n));
  const got: Readonly<Record<string, ArrayLike<number>>> = {
    err: error.map((value) => -T * value),
    learning_signal_B_err: signal.map((value) => -T * value),
    p: traces('rec'),
    q_corrected: traces('in'),
    dw_rec: changes.flatMap(({ dw_rec }) => dw_rec),
    dw_in_corrected: changes.flatMap(({ dw_in }) => dw_in),
    dw_out: changes.flatMap(({ dw_out }) => dw_out),
  };
  return Object.entries(got).map(([name, values]) =>
    compare(
      `rflo_steps.${name}`,
      values,
      file.rflo_steps.map((step) => step[name]),
      tolerance,
    ),
  );
}

function verifyOffline(file: RfloRateFile, taken: readonly WatchedStep[], tolerance: number): Quantity[] {
  const got = sumOfChanges(file, taken);
  return (['dw_rec', 'dw_out'] as const).map((name) =>
    compare(`rflo_offline.${name}`, got[name], file.rflo_offline[name], tolerance),
  );
}

/** The exact gradient, by rules of ours that the notebook has only with defects. */
function verifyExact(file: RfloRateFile, subject: Subject, rule: string): Quantity[] {
  const tolerance = subject.tolerance(finiteDifference);
  const got = sumOfChanges(file, watchTrial(build(file, subject, { name: rule, feedback: 'symmetric' }), false));
  return (['dw_in', 'dw_rec', 'dw_out'] as const).map((name) =>
    compare(`exact_minus_eta_gradient.${name} (${rule})`, got[name], file.exact_minus_eta_gradient[name], tolerance),
  );
}

/** What one step changes: - eta times its gradient, [post][pre]. */
function changesOf({ meta, h0, y_target }: RfloRateFile, { gradient }: WatchedStep): Record<keyof Changes, number[]> {
  const { eta } = meta;
  const change = (block: ArrayLike<number>, rate: number, nPost: number) =>
    turned([block], nPost).map((value) => -rate * value);
  return {
    dw_in: change(gradient.in, eta.w_in, h0.length),
    dw_rec: change(gradient.rec, eta.w_rec, h0.length),
    dw_out: change(gradient.out, eta.w_out, y_target[0].length),
  };
}

function sumOfChanges(file: RfloRateFile, taken: readonly WatchedStep[]): Record<keyof Changes, number[]> {
  const all = taken.map((step) => changesOf(file, step));
  const sum = (name: keyof Changes) =>
    all.map((changes) => changes[name]).reduce((total, one) => total.map((value, s) => value + one[s]));
  return { dw_in: sum('dw_in'), dw_rec: sum('dw_rec'), dw_out: sum('dw_out') };
}
