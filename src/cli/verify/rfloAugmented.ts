import { bindCueOrder, type CueOrder } from '../../../models/index.ts';
import { rowAt } from '../../core/rows.ts';
import { runTrial } from '../../engine/run.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { type GivenTrial, givenExperiment, rowsOf, runOnce, transpose } from './given.ts';
import { compare, flatten, type Quantity, type Subject } from './report.ts';
import { turned } from './watch.ts';

const exact = 1e-10;

type Matrix = readonly (readonly number[])[];
type Changes = Readonly<Record<'w_in' | 'w_rec' | 'w_out', Matrix>>;

/** A golden file of kind `rflo-augmented`: a network that RFLO taught cued segments, and units that learn their order. [post][pre] */
export interface RfloAugmentedFile {
  readonly params: {
    readonly n_units: number;
    readonly n_rec: number;
    readonly n_out: number;
    readonly tau: number;
    readonly D: number;
    readonly passes: number;
    readonly lambda: number;
    readonly eta_M: number;
    readonly eta_K: number;
    readonly c_h: number;
    readonly theta: number;
    readonly eta: Readonly<Record<keyof Changes, number>>;
    readonly start: number;
  };
  readonly sequence: readonly number[];
  readonly w_in: Matrix;
  readonly w_rec: Matrix;
  readonly w_out: Matrix;
  readonly feedback: Matrix;
  readonly h0: readonly number[];
  /** [unit][step][out] */
  readonly segment_targets: readonly Matrix[];
  readonly h: Matrix;
  readonly y: Matrix;
  readonly error: Matrix;
  readonly updates: Readonly<Record<'random' | 'symmetric', Changes>>;
  readonly loop_after_pass: readonly { readonly M: Matrix; readonly K: Matrix }[];
  readonly recall: {
    readonly units: readonly number[];
    /** null for the active unit. */
    readonly drives: readonly (readonly (number | null)[])[];
    readonly y: Matrix;
  };
}

/** Compares every quantity of the file with what the engine computes. */
export function verifyRfloAugmented(file: RfloAugmentedFile, subject: Subject): Quantity[] {
  const tolerance = subject.tolerance(exact);
  const experiment = build(file, subject, 'random');
  const cued = runOnce(experiment);
  const { spec, trial, activity } = cued.network;
  const steps = spec.sizes.step;
  const h = rowsOf(activity[0].z, 1, steps);
  // Errors here are y - target, times the factor of the loss.
  const error = rowsOf(trial.error, 1, steps).map((value) => -steps * value);
  return [
    compare('h', h, file.h, tolerance),
    compare('y', rowsOf(trial.y, 1, steps), file.y, tolerance),
    compare('error', error, file.error, tolerance),
    ...(['random', 'symmetric'] as const).flatMap((feedback) => verifyUpdates(file, subject, feedback, tolerance)),
    ...verifyOrder(file, experiment, subject, tolerance),
  ];
}

function cuesOf({ sequence, segment_targets, params: { n_units: units, D } }: RfloAugmentedFile): GivenTrial {
  const steps = sequence.flatMap((unit) => Array.from({ length: D }, (_, t) => ({ unit, t })));
  return {
    x: steps.map(({ unit }) => Array.from({ length: units }, (_, i) => (i === unit ? 1 : 0))),
    target: steps.map(({ unit, t }) => segment_targets[unit][t]),
  };
}

function build(
  file: RfloAugmentedFile,
  { backend }: Subject,
  feedback: 'random' | 'symmetric',
  trial = cuesOf(file),
): Experiment {
  const { params, h0 } = file;
  const experiment = givenExperiment(
    {
      backend,
      network: {
        neurons: params.n_rec,
        neuron: { kind: 'rate', leak: { decay: 1 - 1 / params.tau }, initial: h0 },
        readout: { kind: 'leaky', filter: { decay: 0 }, bias: false },
        recurrent: { autapses: true },
      },
      rule: { name: 'rflo', feedback },
      loss: { kind: 'square', scale: 'mean' },
      optimizer: { kind: 'sgd', rates: { in: params.eta.w_in, rec: params.eta.w_rec, out: params.eta.w_out } },
      training: { total: 1, update: { every: 1, unit: 'trial', reduction: 'sum' } },
    },
    [trial],
  );
  const { weights, state } = experiment.run.network;
  weights.in.set(flatten(transpose(file.w_in)));
  weights.rec.set(flatten(transpose(file.w_rec)));
  weights.out.set(flatten(transpose(file.w_out)));
  if (feedback === 'random') state.field('population.rec.signal.B').set(flatten(file.feedback));
  return experiment;
}

/** What one update changes in the weights. */
function verifyUpdates(
  file: RfloAugmentedFile,
  subject: Subject,
  feedback: 'random' | 'symmetric',
  tolerance: number,
): Quantity[] {
  const experiment = build(file, subject, feedback);
  const { weights } = experiment.run.network;
  const before = Object.fromEntries(Object.entries(weights).map(([name, block]) => [name, Float64Array.from(block)]));
  experiment.train();
  const change = (name: string, nPost: number) =>
    turned([weights[name].map((value, s) => value - before[name][s])], nPost);
  const { n_rec: n, n_out: nOut } = file.params;
  const got = { w_in: change('in', n), w_rec: change('rec', n), w_out: change('out', nOut) };
  return (['w_in', 'w_rec', 'w_out'] as const).map((name) =>
    compare(`updates.${feedback}.${name}`, got[name], file.updates[feedback][name], tolerance),
  );
}

/** Matrices of the order after each cued pass, then a trial in which the units cue themselves. */
function verifyOrder(file: RfloAugmentedFile, cued: Experiment, subject: Subject, tolerance: number): Quantity[] {
  const { params, loop_after_pass: passes } = file;
  const order = orderOf(file, cued);
  const learned = Array.from({ length: params.passes }, (_, pass) => {
    order.learn(cued.run.network.spec.sizes.step);
    return [
      compare(`loop_after_pass (M, pass ${pass})`, order.state.M, passes[pass].M, tolerance),
      compare(`loop_after_pass (K, pass ${pass})`, order.state.K, passes[pass].K, tolerance),
    ];
  });
  return [...learned.flat(), ...verifyRecall(file, order, subject, tolerance)];
}

function orderOf({ params: p }: RfloAugmentedFile, { run }: Experiment): CueOrder {
  const { trial, activity } = run.network;
  return bindCueOrder(
    { x: trial.x, z: activity[0].z, units: p.n_units, stream: 0 },
    { decay: p.lambda, rateM: p.eta_M, rateK: p.eta_K, weightK: p.c_h, threshold: p.theta, every: p.D, cue: 1 },
  );
}

function verifyRecall(file: RfloAugmentedFile, learned: CueOrder, subject: Subject, tolerance: number): Quantity[] {
  const { params: p, recall } = file;
  const zeros = (width: number) => recall.units.map(() => new Array<number>(width).fill(0));
  const experiment = build(file, subject, 'random', { x: zeros(p.n_units), target: zeros(p.n_out) });
  const order = orderOf(file, experiment);
  for (const name of ['M', 'K']) order.state[name].set(learned.state[name]);
  const drives = recallBy(experiment, order, p.start);
  const { x, y } = experiment.run.network.trial;
  const steps = recall.units.length;
  const units = recall.units.map((_, t) => x.data.subarray(rowAt(x, 0, t), rowAt(x, 0, t) + p.n_units).indexOf(1));
  const given = recall.drives.flat();
  const places = given.flatMap((value, s) => (value === null ? [] : [s]));
  const numbers = given.filter((value) => value !== null);
  const absent = (value: number | null) => (value === null || Number.isNaN(value) ? 1 : 0);
  return [
    compare('recall.units', units, recall.units, 0),
    compare('recall.drives (of no unit)', drives.map(absent), given.map(absent), 0),
    compare(
      'recall.drives',
      places.map((s) => drives[s]),
      numbers,
      tolerance,
    ),
    compare('recall.y', rowsOf(y, 1, steps), recall.y, tolerance),
  ];
}

/** @returns the drives of every decision, one after the other */
function recallBy({ run }: Experiment, order: CueOrder, start: number): number[] {
  const drives: number[] = [];
  order.begin(start);
  runTrial(run, run.network.spec.sizes.step, {
    learn: false,
    answer(t) {
      drives.push(...(order.answer(t) ?? []));
    },
  });
  return drives;
}
