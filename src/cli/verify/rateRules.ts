import { broadcast } from '../../../models/index.ts';
import type { Weights } from '../../core/plugins.ts';
import type { Run } from '../../engine/run.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { givenExperiment, transpose } from './given.ts';
import { compare, flatten, type Nested, notChecked, type Quantity, type Subject } from './report.ts';
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
  readonly weights: {
    readonly W_in: Matrix;
    readonly W_rec: Matrix;
    readonly W_out: Matrix;
    readonly W_FB: Matrix;
    readonly b_rec: readonly number[];
    readonly b_out: readonly number[];
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

/** The segregated-dendrite rule: to be read here once there is a signal for it. */
function verifyDni({ path, scenario, name }: Task): Quantity[] {
  return Object.keys(scenario.steps[0].algs[name]).map((quantity) =>
    notChecked(`${path}.${quantity}`, 'needs the dendrite rule'),
  );
}

function verifyUnknown({ path }: Task): Quantity[] {
  return [notChecked(path, 'no rule that is known by this name')];
}

// ---------------------------------------------------------------- the network

function build({ file, scenario, subject }: Task, rule: Record<string, unknown>): Experiment {
  const { weights: given, x, y } = file;
  const { lr, alpha } = scenario;
  const experiment = givenExperiment(
    {
      backend: subject.backend,
      network: {
        neurons: given.W_rec.length,
        neuron: { kind: 'rate', leak: { decay: 1 - alpha } },
        readout: { kind: 'leaky', filter: { decay: 0 }, bias: true },
        input: { bias: 0 },
        recurrent: { autapses: true },
      },
      rule,
      loss: { kind: 'softmax' },
      optimizer: { kind: 'sgd', rates: { in: lr, rec: lr, out: lr } },
      training: { total: 1, update: { every: 1, unit: 'step', reduction: 'sum' } },
    },
    [{ x, target: y }],
  );
  const { weights, state } = experiment.run.network;
  weights.wIn.set([...flatten(transpose(given.W_in)), ...given.b_rec]);
  weights.wRec.set(flatten(transpose(given.W_rec)));
  weights.wOut.set(flatten(transpose(given.W_out)));
  weights.bOut.set(given.b_out);
  for (const { name } of state.table) if (name.endsWith('.B')) state.field(name).set(flatten(transpose(given.W_FB)));
  return experiment;
}

/** The network of an algorithm: its feedback is fixed and random where its name says so. */
function withFeedback(task: Task, name: string): Experiment {
  return build(task, { name, feedback: task.name.endsWith('WFB') ? 'random' : 'symmetric' });
}

/** dL/d[W_rec | W_in | b_rec], [post][pre]. */
function recurrentGradient({ wRec, wIn }: Weights, n: number): number[] {
  return turned([wRec, wIn], n);
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
        steps.flatMap(({ state }) => turned([state['trace.eRec'], state['trace.eIn']], n)),
      ),
    );
  }
  return results;
}

/**
 * B error of every step, by the broadcast signal on the arrays of a trial that is over and the weights of each step.
 */
function toldTo({ run }: Experiment, taken: readonly WatchedStep[], random: boolean): number[] {
  const { spec, state, trial } = run.network;
  const { sizes, projections, readout, dtMs } = spec;
  const signal = broadcast.derive(
    { kind: 'broadcast', feedback: random ? 'random' : 'symmetric', scale: 1, decay: 0 },
    { dtMs, sizes, neuron: spec.neuron.eligibility, readout },
  );
  const told = { ...trial, signal: new Float64Array(sizes.step * sizes.rec) };
  const views = state.views(spec.direct ? 'direct' : 'signal');
  for (let t = 0; t < sizes.step; t++) {
    signal.bind({ sizes, state: views, trial: told, weights: taken[t].weights, projections }).step(t, 1);
  }
  return Array.from(told.signal);
}

/** Backpropagation over the whole trial at its end: nothing before. */
function verifyEpochwise(task: Task): Quantity[] {
  const { scenario, name, path, tolerance } = task;
  const experiment = build(task, { name: 'bptt' });
  const n = task.file.weights.W_rec.length;
  const taken = watchTrial(experiment, false);
  const rows = taken.map(({ gradient }) => recurrentGradient(gradient, n));
  // What the rule adds after the last step belongs to it.
  const [last, after] = rows.splice(-2);
  rows.push(last.map((value, s) => value + after[s]));
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
  const { spec, state, trial, weights } = network;
  const { sizes, projections, direct } = spec;
  const gradient = {
    ...network.gradient,
    wIn: new Float64Array(sizes.synIn),
    wRec: new Float64Array(sizes.synRec),
  };
  const owed = { sizes, state: state.views('direct'), trial, weights, projections, gradient };
  direct?.bind(owed)(t0, t1);
  return recurrentGradient(gradient, n);
}

// ---------------------------------------------------------------- the scenario

/**
 * What does not depend on the rule, or depends on all of its steps: activity, readout, weights after SGD, influence.
 */
function verifyScenario(given: Omit<Task, 'name'>, names: readonly string[]): Quantity[] {
  const { scenario, path } = given;
  const learns = scenario.lr > 0;
  if (learns && names.some((name) => name.startsWith('DNI'))) return untrained(scenario, path);
  const name = names.find((candidate) => candidate.startsWith('RTRL')) ?? names[0];
  const task = { ...given, name };
  const experiment = withFeedback(task, name.startsWith('RTRL') ? 'rtrl' : 'rflo');
  const taken = watchTrial(experiment, learns);
  return [
    ...verifyForward(task, experiment, taken),
    ...(learns ? verifyWeights(task, taken.slice(1)) : []),
    ...(name.startsWith('RTRL') ? verifyInfluence(task, taken[taken.length - 1]) : []),
    ...verifySlope(task),
  ];
}

/** A network that the segregated-dendrite rule trains: its activity is known only with the rule. */
function untrained({ steps: [first] }: Scenario, path: string): Quantity[] {
  const names = [
    ...Object.keys(first).filter((name) => name !== 'algs' && name !== 'params_after'),
    ...Object.keys(first.params_after ?? {}).map((name) => `params_after.${name}`),
  ];
  return names.map((name) => notChecked(`${path}.${name}`, 'needs the dendrite rule'));
}

function verifyForward(
  { file, scenario, path, tolerance }: Task,
  { run }: Experiment,
  taken: readonly WatchedStep[],
): Quantity[] {
  const { spec, trial } = run.network;
  const { step: steps, rec: n, out: nOut } = spec.sizes;
  const states = taken.slice(0, steps);
  const got: Readonly<Record<string, ArrayLike<number>>> = {
    h: states.flatMap(({ state }) => Array.from(state['neuron.u'])),
    a: trial.z.subarray(n),
    z: trial.y,
    y_hat: trial.error.map((error, s) => error + flatten(file.y)[s]),
    error: trial.error,
    loss: states.map((_, t) => spec.loss.value(trial.y, trial.target, t * nOut, nOut)),
    outer_grads: states.flatMap(({ gradient }) => turned([gradient.wOut, gradient.bOut], nOut)),
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
    W_rec: ({ wRec }) => turned([wRec], n),
    W_in: ({ wIn }) => turned([wIn.subarray(0, nIn * n)], n),
    b_rec: ({ wIn }) => wIn.subarray(nIn * n),
    W_out: ({ wOut }) => turned([wOut], nOut),
    b_out: ({ bOut }) => bOut,
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
  const bySynapse = [...state['direct.zRec'], ...state['direct.zIn']];
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
