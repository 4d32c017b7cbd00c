import { bindingOfDirect } from '../../core/direct.ts';
import type { Weights } from '../../core/network.ts';
import type { Run } from '../../engine/run.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { transpose } from './given.ts';
import { compare, flatten, type Nested, notChecked, type Quantity, type Subject } from './report.ts';
import { recurrentGradient, tanhExperiment, toldTo } from './tanhNetwork.ts';
import { turned, type WatchedStep, watchTrial } from './watch.ts';

const exact = 1e-10;
/** The file's own finite differences are off by up to 2e-9. */
const finiteDifference = 1e-8;

type Matrix = readonly (readonly number[])[];
type Algorithms = Readonly<Record<string, Readonly<Record<string, Nested>>>>;

interface Step {
  readonly algs: Algorithms;
  readonly params_after?: Readonly<Record<string, Nested>>;
  readonly [quantity: string]: unknown;
}

export interface Scenario {
  readonly alpha: number;
  /** SGD at every step; 0: frozen. */
  readonly lr: number;
  readonly steps: readonly Step[];
  readonly RTRL_final_influence?: Matrix;
  readonly finite_difference_total_grad?: Matrix;
}

/** A golden file of kind `rate-rules`: the rules of a unified framework on one tanh network, step by step. */
export interface RateRulesFile {
  readonly meta: {
    readonly hyper: { readonly A_lr: number; readonly J_lr: number; readonly fix_A_interval: number };
  };
  readonly weights: {
    readonly W_in: Matrix;
    readonly W_rec: Matrix;
    readonly W_out: Matrix;
    readonly W_FB: Matrix;
    readonly b_rec: readonly number[];
    readonly b_out: readonly number[];
    readonly A0: Matrix;
  };
  readonly x: Matrix;
  readonly y: Matrix;
  readonly scenarios: Readonly<Record<string, Scenario>>;
}

/** One algorithm of one scenario, as its reader gets it. */
interface Task {
  readonly file: RateRulesFile;
  readonly subject: Subject;
  readonly scenario: Scenario;
  readonly name: string;
  /** Name of the scenario and of the algorithm, before every quantity. */
  readonly path: string;
  readonly tolerance: number;
}

type Reader = (task: Task) => Quantity[];

/** Algorithms of the file, by the beginning of their names, and what checks them; the first that fits is taken. */
const readers: readonly (readonly [prefix: string, Reader])[] = [
  ['RTRL', (task) => verifyOnline(task, 'rtrl')],
  ['RFLO', (task) => verifyOnline(task, 'rflo')],
  ['E_BPTT', verifyEpochwise],
  ['F_BPTT', verifyFutureFacing],
  ['DNI', verifyDni],
];

/** Compares every quantity of the file with what the engine computes. */
export function verifyRateRules(file: RateRulesFile, subject: Subject): Quantity[] {
  const tolerance = subject.tolerance(exact);
  return Object.entries(file.scenarios).flatMap(([path, scenario]) => {
    const names = Object.keys(scenario.steps[0].algs);
    const results = names.flatMap((name) => {
      const read = readers.find(([prefix]) => name.startsWith(prefix))?.[1] ?? verifyUnknown;
      return read({ file, subject, scenario, name, path: `${path}.${name}`, tolerance });
    });
    return [...results, ...verifyScenario({ file, subject, scenario, path, tolerance }, names)];
  });
}

/** Synthetic gradients: every quantity that the segregated-dendrite signal has, at every step. */
function verifyDni(task: Task): Quantity[] {
  const { file, scenario, name, path, tolerance } = task;
  const experiment = buildDni(task);
  const signal = experiment.run.network.activity[0].signals[0].data;
  const n = file.weights.W_rec.length;
  const start = Array.from(experiment.run.network.state.field('population.rec.signal.A'));
  const steps = watchTrial(experiment, scenario.lr > 0).slice(0, -1);
  const before = (t: number) => (t > 0 ? steps[t - 1].state['population.rec.signal.A'] : start);
  const collect = (field: string) => steps.flatMap(({ state }) => Array.from(state[`population.rec.signal.${field}`]));
  const matrix = (field: string) => steps.flatMap(({ state }) => turned([state[`population.rec.signal.${field}`]], n));
  const perStep = (values: readonly number[]) => values.map((value, t) => value - (t > 0 ? values[t - 1] : 0));
  const lossOf = (index: number) => perStep(steps.map(({ state }) => state['population.rec.signal.losses'][index]));
  const got: Readonly<Record<string, () => ArrayLike<number>>> = {
    q: () => collect('q'),
    rec_grads: () => steps.flatMap(({ gradient }) => recurrentGradient(gradient, n)),
    sg_target: () => steps.flatMap(({ state }, t) => targetOfA(before(t), featuresBefore(file, steps, t), state, n)),
    A_error: () => collect('errorA'),
    A_loss: () => lossOf(0),
    A: () => matrix('A'),
    A_target_net: () => matrix('slowA'),
    i_fix: () => collect('age'),
    sg_used: () => signal,
    J: () => matrix('J'),
    J_error: () => collect('errorJ').map((error) => -error),
    J_loss: () => lossOf(1),
  };
  return Object.keys(scenario.steps[0].algs[name]).map((quantity) => {
    const values = got[quantity];
    if (!values) return notChecked(`${path}.${quantity}`, 'no quantity of the rule');
    const want = overSteps(scenario, ({ algs }) => algs[name][quantity]);
    return compare(`${path}.${quantity}`, values(), want, tolerance);
  });
}

function buildDni(task: Task): Experiment {
  const { file, name } = task;
  const seed = name.endsWith('seed');
  const { A_lr: rateA, J_lr: rateJ, fix_A_interval: copyEvery } = file.meta.hyper;
  const experiment = build(task, {
    name: 'dni',
    feedback: seed ? 'random' : 'symmetric',
    jacobian: name.endsWith('exactJ') ? 'exact' : 'linear',
    squash: seed ? 'tanh' : 'none',
    rateA,
    rateJ,
    copyEvery,
  });
  const signal = experiment.run.network.state.views('population.rec.signal');
  for (const A of [signal.A, signal.slowA]) A.set(flatten(transpose(file.weights.A0)));
  if (signal.J) signal.J.set(flatten(transpose(file.weights.W_rec)));
  return experiment;
}

/** What A read at step t - 1: activity, label, 1; before the first step no activity and the first label. */
function featuresBefore(file: RateRulesFile, steps: readonly WatchedStep[], t: number): ArrayLike<number> {
  if (t > 0) return steps[t - 1].state['population.rec.signal.features'];
  return [...new Array<number>(file.weights.W_rec.length).fill(0), ...file.y[0], 1];
}

/** A f(t-1) less its error. */
function targetOfA(A: ArrayLike<number>, f: ArrayLike<number>, state: WatchedStep['state'], n: number): number[] {
  return Array.from(state['population.rec.signal.errorA'], (error, j) => {
    let predicted = 0;
    for (let i = 0; i < f.length; i++) predicted += A[i * n + j] * f[i];
    return predicted - error;
  });
}

function verifyUnknown({ path }: Task): Quantity[] {
  return [notChecked(path, 'no rule that is known by this name')];
}

// ---------------------------------------------------------------- the network

function build({ file, scenario, subject }: Task, rule: Record<string, unknown>): Experiment {
  const { weights, x, y } = file;
  return tanhExperiment({ ...weights, x, y, alpha: scenario.alpha, rate: scenario.lr }, subject, rule);
}

/** The network of an algorithm: its feedback is fixed and random where its name says so. */
function withFeedback(task: Task, name: string): Experiment {
  return build(task, { name, feedback: task.name.endsWith('WFB') ? 'random' : 'symmetric' });
}

/** A quantity of the file over all steps. */
function overSteps(scenario: Scenario, pick: (step: Step) => unknown): Nested {
  return scenario.steps.map((step) => pick(step) as Nested);
}

// ---------------------------------------------------------------- rules

/** A rule that adds to the gradient at every step. */
function verifyOnline(task: Task, rule: 'rtrl' | 'rflo'): Quantity[] {
  const { scenario, name, path, tolerance } = task;
  const experiment = withFeedback(task, rule);
  const n = task.file.weights.W_rec.length;
  const taken = watchTrial(experiment, scenario.lr > 0);
  const steps = taken.slice(0, -1);
  const check = (quantity: string, got: ArrayLike<number>) =>
    compare(
      `${path}.${quantity}`,
      got,
      overSteps(scenario, ({ algs }) => algs[name][quantity]),
      tolerance,
    );
  const results = [
    check('q', toldTo(experiment, taken, name.endsWith('WFB'))),
    check(
      'rec_grads',
      steps.flatMap(({ gradient }) => recurrentGradient(gradient, n)),
    ),
  ];
  if (rule === 'rflo') {
    results.push(
      check(
        'B',
        steps.flatMap(({ state }) => turned([state['projection.rec.trace.e'], state['projection.in.trace.e']], n)),
      ),
    );
  }
  return results;
}

/** Backpropagation over windows of T steps, one after the other, at the last step of each: nothing before, and nothing of a rest. */
function verifyEpochwise(task: Task): Quantity[] {
  const { scenario, name, path, tolerance } = task;
  const window = Number(name.slice(name.lastIndexOf('T') + 1));
  const experiment = build(task, { name: 'bptt', window, segment: window, incomplete: 'drop' });
  const n = task.file.weights.W_rec.length;
  const taken = watchTrial(experiment, false);
  const rows = scenario.steps.map((_, t) => windowGradient(experiment.run, Math.floor(t / window) * window, t + 1, n));
  return [
    compare(
      `${path}.q`,
      toldTo(experiment, taken, false),
      overSteps(scenario, ({ algs }) => algs[name].q),
      tolerance,
    ),
    compare(
      `${path}.rec_grads`,
      rows.flat(),
      overSteps(scenario, ({ algs }) => algs[name].rec_grads),
      tolerance,
    ),
  ];
}

/**
 * Backpropagation with a window of T steps whose future is cut off: at step t the gradient of the step t-T+1, from the
 * errors up to t. It is what the engine's rule makes of all errors of the window, less what it makes of the later steps
 * alone.
 */
function verifyFutureFacing(task: Task): Quantity[] {
  const { scenario, name, path, tolerance } = task;
  const horizon = Number(name.slice(name.lastIndexOf('T') + 1));
  const n = task.file.weights.W_rec.length;
  const [whole, later] = [horizon, horizon - 1].map((window) => build(task, { name: 'bptt', window }));
  const [taken] = [whole, later].map((experiment) => watchTrial(experiment, false));
  const rows = scenario.steps.map((_, t) => {
    if (t + 1 < horizon) return new Array<number>(n * (n + task.file.x[0].length + 1)).fill(0);
    const all = windowGradient(whole.run, t + 1 - horizon, t + 1, n);
    const rest = windowGradient(later.run, t + 2 - horizon, t + 1, n);
    return all.map((value, s) => value - rest[s]);
  });
  return [
    compare(
      `${path}.q`,
      toldTo(whole, taken, false),
      overSteps(scenario, ({ algs }) => algs[name].q),
      tolerance,
    ),
    compare(
      `${path}.rec_grads`,
      rows.flat(),
      overSteps(scenario, ({ algs }) => algs[name].rec_grads),
      tolerance,
    ),
  ];
}

/** What the direct rule of a run adds for the steps [t0, t1) of the trial that it has done. */
function windowGradient({ network }: Run, t0: number, t1: number, n: number): number[] {
  const gradient = Object.fromEntries(
    Object.entries(network.gradient).map(([name, { length }]) => [name, new Float64Array(length)]),
  );
  network.spec.direct?.bind(bindingOfDirect({ ...network, gradient }))(t0, t1);
  return recurrentGradient(gradient, n);
}

// ---------------------------------------------------------------- the scenario

/**
 * What does not depend on the rule, or depends on all of its steps: activity, readout, weights after SGD, influence.
 */
function verifyScenario(given: Omit<Task, 'name'>, names: readonly string[]): Quantity[] {
  const { scenario } = given;
  const learns = scenario.lr > 0;
  const name = names.find((candidate) => candidate.startsWith('RTRL')) ?? names[0];
  const task = { ...given, name };
  const trained = learns && name.startsWith('DNI');
  const experiment = trained ? buildDni(task) : withFeedback(task, name.startsWith('RTRL') ? 'rtrl' : 'rflo');
  const taken = watchTrial(experiment, learns);
  return [
    ...verifyForward(task, experiment, taken),
    ...(learns ? verifyWeights(task, taken.slice(1)) : []),
    ...(name.startsWith('RTRL') ? verifyInfluence(task, taken[taken.length - 1]) : []),
    ...verifySlope(task),
  ];
}

function verifyForward(
  { file, scenario, path, tolerance }: Task,
  { run }: Experiment,
  taken: readonly WatchedStep[],
): Quantity[] {
  const { spec, trial, activity } = run.network;
  const { step: steps, out: nOut } = spec.sizes;
  const [{ loss }] = spec.readouts;
  const [{ z }] = activity;
  const states = taken.slice(0, steps);
  const got: Readonly<Record<string, ArrayLike<number>>> = {
    h: states.flatMap(({ state }) => Array.from(state['population.rec.u'])),
    a: z.data.subarray(z.size),
    z: trial.y.data,
    y_hat: trial.error.data.map((error, s) => error + flatten(file.y)[s]),
    error: trial.error.data,
    loss: states.map((_, t) => loss.value(trial.y.data, trial.target.data, t * nOut, nOut)),
    outer_grads: states.flatMap(({ gradient }) => turned([gradient.out, gradient['out.bias']], nOut)),
  };
  return Object.entries(got).map(([name, values]) =>
    compare(
      `${path}.${name}`,
      values,
      overSteps(scenario, (step) => step[name]),
      tolerance,
    ),
  );
}

/** Parameters after the update of each step. */
function verifyWeights({ file, scenario, path, tolerance }: Task, after: readonly WatchedStep[]): Quantity[] {
  const n = file.weights.W_rec.length;
  const nIn = file.weights.W_in[0].length;
  const nOut = file.weights.W_out.length;
  const blocks: Readonly<Record<string, (weights: Weights) => ArrayLike<number>>> = {
    W_rec: (weights) => turned([weights.rec], n),
    W_in: (weights) => turned([weights.in.subarray(0, nIn * n)], n),
    b_rec: (weights) => weights.in.subarray(nIn * n),
    W_out: (weights) => turned([weights.out], nOut),
    b_out: (weights) => weights['out.bias'],
  };
  return Object.entries(blocks).map(([name, block]) =>
    compare(
      `${path}.params_after.${name}`,
      after.flatMap(({ weights }) => Array.from(block(weights))),
      overSteps(scenario, (step) => step.params_after?.[name]),
      tolerance,
    ),
  );
}

/**
 * The file's influence is [neuron][parameter], parameters column by column of [W_rec | W_in | b_rec]; ours is
 * [syn][neuron].
 */
function verifyInfluence({ file, scenario, path, tolerance }: Task, { state }: WatchedStep): Quantity[] {
  const want = scenario.RTRL_final_influence;
  if (!want) return [];
  const n = file.weights.W_rec.length;
  const bySynapse = [...state['direct.rec.z'], ...state['direct.in.z']];
  return [compare(`${path}.RTRL_final_influence`, turned([bySynapse], n), want, tolerance)];
}

/** The sum over the trial against finite differences of its loss. */
function verifySlope(task: Task): Quantity[] {
  const { file, scenario, path, tolerance } = task;
  const want = scenario.finite_difference_total_grad;
  if (!want) return [];
  const [total] = watchTrial(build(task, { name: 'bptt' }), false).slice(-1);
  const got = recurrentGradient(total.gradient, file.weights.W_rec.length);
  const name = `${path}.finite_difference_total_grad`;
  return [compare(name, got, want, Math.max(tolerance, finiteDifference))];
}
