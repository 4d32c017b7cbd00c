import type { Real } from '../../core/layout.ts';
import type { Outer } from '../../engine/outer.ts';
import { gradientOf, type Run } from '../../engine/run.ts';
import { addTrial, emptyTally } from '../../engine/scores.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import {
  type BaseParams,
  baseNeuron,
  baseReadout,
  givenExperiment,
  projectionMatrix,
  rowsOf,
  runOnce,
  scaleName,
  setProjection,
} from './given.ts';
import { compare, flatten, type Quantity, type Subject } from './report.ts';

const exact = 1e-9;

type Matrix = readonly (readonly number[])[];
type Series = readonly Matrix[];

type Population = Omit<BaseParams, 'T' | 'batch'> & { readonly n_in: number };

interface Gradients {
  readonly w_in: Matrix;
  readonly w_rec: Matrix;
  readonly w_out: Matrix;
  readonly e_in: Matrix;
  readonly e_rec: Matrix;
  readonly projection: Matrix;
}

/** e-prop 2: an error module, an update between two trials, and the gradient through it; see the file's own `meta`. */
export interface Eprop2File extends Gradients {
  readonly params: {
    readonly T: number;
    readonly batch: number;
    readonly eta_inner: number;
    readonly n_code: number;
    readonly network: Population;
    readonly error: Population;
  };
  readonly x: Series;
  readonly code: Series;
  readonly target: Series;
  readonly training: { readonly v: Series; readonly z: Series; readonly psi: Series; readonly y: Series };
  readonly error: { readonly v: Series; readonly z: Series };
  readonly learning_signal: Series;
  readonly synapses_input: Matrix;
  readonly synapses_recurrent: Matrix;
  readonly e_input: Series;
  readonly e_recurrent: Series;
  readonly updated: { readonly w_in: Series; readonly w_rec: Series };
  readonly test: { readonly v: Series; readonly z: Series; readonly y: Series };
  readonly loss_training: number;
  readonly loss: number;
  readonly signal_gradient: Series;
  readonly outer_gradients: { readonly full: Gradients; readonly first_order: Gradients };
}

/** Compares every quantity of the file with what the engine computes. */
export function verifyEprop2(file: Eprop2File, { backend }: Subject): Quantity[] {
  return [
    ...passes(file, backend),
    ...gradients(file, backend, 'full', 'full'),
    ...gradients(file, backend, 'first_order', 'first-order'),
    ...traces(file, backend),
  ];
}

type Backend = Subject['backend'];

/** The network with its module, its input in two groups: the clock, which everybody reads, and the code, which only the module does. */
function build(file: Eprop2File, backend: Backend, gradient: 'full' | 'first-order'): Experiment {
  const { network: main, error, T, batch, eta_inner: rate, n_code: nCode } = file.params;
  const shared = { T, batch };
  const names = ['in', 'rec', 'code', 'main', 'clock', 'module', 'out', 'module.signal'];
  const experiment = givenExperiment(
    {
      backend,
      network: {
        populations: {
          rec: { size: main.n_rec, neuron: baseNeuron({ ...main, ...shared }) },
          module: { size: error.n_rec, neuron: baseNeuron({ ...error, ...shared }) },
        },
        projections: {
          in: { from: 'input.clock', to: 'rec' },
          rec: { from: 'rec', to: 'rec' },
          code: { from: 'input.code', to: 'module' },
          main: { from: 'rec', to: 'module', delayMs: 0 },
          clock: { from: 'input.clock', to: 'module' },
          module: { from: 'module', to: 'module' },
        },
        readouts: { out: { from: 'rec', readout: baseReadout({ ...main, ...shared }, false) } },
      },
      rule: {
        name: 'e-prop-2',
        module: 'module',
        rate,
        filter: { decay: error.kappa },
        scale: scaleName(error.zeta_out, error.kappa, '1-kappa', 'error.zeta_out'),
        gradient,
      },
      loss: { kind: 'square' },
      optimizer: { kind: 'sgd', rates: Object.fromEntries(names.map((name) => [name, 1])) },
      training: { total: batch, streams: batch },
    },
    file.x.map((x, b) => ({ x: x.map((row, t) => [...row, ...file.code[b][t]]), target: file.target[b] })),
    {},
    [
      { label: 'clock', size: main.n_in },
      { label: 'code', size: nCode },
    ],
  );
  const { network } = experiment.run;
  setProjection(network, 'in', file.w_in);
  setProjection(network, 'rec', file.w_rec);
  partsOfInput(file).forEach(({ name, from, size }) => {
    setProjection(network, name, file.e_in.slice(from, from + size));
  });
  setProjection(network, 'module', file.e_rec);
  network.weights.out.set(flatten(file.w_out));
  network.weights['module.signal'].set(flatten(file.projection));
  return experiment;
}

/** What the module reads, in the order of the rows of `e_in`. */
function partsOfInput({ params }: Eprop2File) {
  const { n_code: code, network } = params;
  return [
    { name: 'code', from: 0, size: code },
    { name: 'main', from: code, size: network.n_rec },
    { name: 'clock', from: code + network.n_rec, size: network.n_in },
  ];
}

/** The second pass of a run that has one. */
function outerOf({ outer }: Run): Outer {
  if (!outer) throw new Error('trials of one pass');
  return outer;
}

function passes(file: Eprop2File, backend: Backend): Quantity[] {
  const { T: steps, batch } = file.params;
  const experiment = build(file, backend, 'full');
  const { network } = experiment.run;
  const fields = ['population.rec.v', 'population.module.v'].map((name) => network.state.field(name));
  const v = fields.map((field) => new Float64Array(steps * field.length));
  const before = new Float64Array(network.trial.y.data.length);
  const run = runOnce(experiment, (_run, t) => {
    fields.forEach((field, p) => {
      const n = field.length / batch;
      for (let b = 0; b < batch; b++) v[p].set(field.subarray(b * n, (b + 1) * n), (b * steps + t) * n);
    });
    before.set(network.trial.y.data);
  });
  const [rec, module] = network.activity;
  const tally = emptyTally();
  addTrial(tally, run, steps);
  return [
    compare('training.v', v[0], file.training.v, exact),
    compare('training.z', rowsOf(rec.z, batch, steps), file.training.z, 0),
    compare('training.psi', rowsOf(rec.psi, batch, steps), file.training.psi, exact),
    compare('training.y', before, file.training.y, exact),
    compare('error.v', v[1], file.error.v, exact),
    compare('error.z', rowsOf(module.z, batch, steps), file.error.z, 0),
    compare('learning_signal', rowsOf(rec.signals[0], batch, steps), file.learning_signal, exact),
    compare('test.y', rowsOf(network.trial.y, batch, steps), file.test.y, exact),
    compare('loss_training', [tally.ratios.lossBefore.sum], [file.loss_training], exact),
    compare('loss', [tally.loss], [file.loss], exact),
    ...testTrials(file, run),
  ];
}

/** The test trial of every stream once more, step by step. */
function testTrials(file: Eprop2File, run: Run): Quantity[] {
  const { T: steps, batch, network } = file.params;
  const outer = outerOf(run);
  const { test, rule } = outer;
  const n = network.n_rec;
  const v = new Float64Array(batch * steps * n);
  const z: number[] = [];
  const credit: number[] = [];
  const updated: Record<'in' | 'rec', number[]> = { in: [], rec: [] };
  const one = Float64Array.of(1);
  for (let b = 0; b < batch; b++) {
    outer.enter(b, steps);
    const { spec, state, weights } = test.network;
    for (const name of ['in', 'rec'] as const) updated[name].push(...projectionMatrix(spec, weights, name));
    for (let t = 0; t < steps; t++) {
      test.stages.forward(t, t + 1);
      test.stages.readout(t, t + 1);
      v.set(state.field('population.rec.v'), (b * steps + t) * n);
    }
    z.push(...rowsOf(test.network.activity[0].z, 1, steps));
    test.stages.error(0, steps, one);
    for (const gradient of Object.values(test.network.gradient)) gradient.fill(0);
    test.stages.direct(0, steps);
    rule.credit(b, steps);
    credit.push(...rule.signalCredit);
  }
  return [
    compare('updated.w_in', updated.in, file.updated.w_in, exact),
    compare('updated.w_rec', updated.rec, file.updated.w_rec, exact),
    compare('test.v', v, file.test.v, exact),
    compare('test.z', z, file.test.z, 0),
    compare('signal_gradient', credit, file.signal_gradient, exact),
  ];
}

function gradients(
  file: Eprop2File,
  backend: Backend,
  name: 'full' | 'first_order',
  kind: 'full' | 'first-order',
): Quantity[] {
  const { network } = runOnce(build(file, backend, kind));
  const values = gradientOf({ network });
  const of = (projection: string) => projectionMatrix(network.spec, values, projection);
  const got: Readonly<Record<keyof Gradients, ArrayLike<number>>> = {
    w_in: of('in'),
    w_rec: of('rec'),
    w_out: values.out,
    e_in: partsOfInput(file).flatMap((part) => Array.from(of(part.name))),
    e_rec: of('module'),
    projection: values['module.signal'],
  };
  const want = file.outer_gradients[name];
  return (Object.keys(got) as (keyof Gradients)[]).map((part) =>
    compare(`outer_gradients.${name}.${part}`, got[part], want[part], exact),
  );
}

/** Traces of some synapses of the network in the inner trial, which the rule itself does not keep: those of e-prop 1. */
function traces(file: Eprop2File, backend: Backend): Quantity[] {
  const { network: p, T: steps, batch } = file.params;
  const experiment = givenExperiment(
    {
      backend,
      network: {
        populations: { rec: { size: p.n_rec, neuron: baseNeuron({ ...p, T: steps, batch }) } },
        projections: { in: { from: 'input', to: 'rec' }, rec: { from: 'rec', to: 'rec' } },
        readouts: { out: { from: 'rec', readout: baseReadout({ ...p, T: steps, batch }, false) } },
      },
      rule: { name: 'e-prop-1' },
      loss: { kind: 'square' },
      optimizer: { kind: 'sgd', rates: { in: 0, rec: 0, out: 0 } },
      training: { total: batch, streams: batch, execution: 'online' },
    },
    file.x.map((x, b) => ({ x, target: file.target[b] })),
  );
  const { network } = experiment.run;
  setProjection(network, 'in', file.w_in);
  setProjection(network, 'rec', file.w_rec);
  const wanted = [
    { name: 'in', synapses: file.synapses_input },
    { name: 'rec', synapses: file.synapses_recurrent },
  ];
  const seen = wanted.map(({ synapses }) => new Float64Array(synapses.length * batch * steps));
  runOnce(experiment, (_run, t) => {
    wanted.forEach(({ name, synapses }, w) => {
      const e: Real = network.state.field(`projection.${name}.trace.e`);
      synapses.forEach(([i, j], s) => {
        for (let b = 0; b < batch; b++) {
          seen[w][(s * batch + b) * steps + t] = e[(b * e.length) / batch + i * p.n_rec + j];
        }
      });
    });
  });
  return [compare('e_input', seen[0], file.e_input, exact), compare('e_recurrent', seen[1], file.e_recurrent, exact)];
}
