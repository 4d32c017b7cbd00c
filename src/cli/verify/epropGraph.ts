import { channelName } from '../../core/bindings.ts';
import { rowAt } from '../../core/rows.ts';
import { gradientOf } from '../../engine/run.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { type GivenTrial, givenExperiment, projectionMatrix, runOnce, setProjection, trainedLoss } from './given.ts';
import { compare, flatten, type Nested, notChecked, type Quantity, type Subject } from './report.ts';

const exact = 1e-10;

type Matrix = readonly (readonly number[])[];
type Series = readonly Matrix[];

interface Cells {
  readonly kind: string;
  readonly n_ref: number;
  readonly alpha: readonly number[];
  readonly thr: readonly number[];
  readonly gamma: readonly number[];
  readonly rho: readonly number[];
  readonly beta: readonly number[];
  readonly sigma: readonly number[];
  readonly bias: readonly number[];
}

interface Synapses {
  readonly name: string;
  readonly pre: string;
  readonly post: string;
  readonly delay: Matrix;
  readonly mask: Matrix;
  readonly w: Matrix;
}

interface Output {
  readonly of: readonly string[];
  readonly loss: string;
  readonly n: number;
  readonly kappa: number;
  readonly weight: number;
  readonly w: Readonly<Record<string, Matrix>>;
  readonly b: readonly number[];
  readonly B: Readonly<Record<string, Matrix>>;
  readonly target: Series;
  readonly mask_t: readonly number[];
}

interface Gradients {
  readonly projections: Readonly<Record<string, Matrix>>;
  readonly bias: Readonly<Record<string, readonly number[]>>;
  readonly readouts?: Readonly<Record<string, Readonly<Record<string, Matrix>>>>;
  readonly readout_bias?: Readonly<Record<string, readonly number[]>>;
}

/** A golden file of kind `eprop-graph`: populations, layers, delays, readouts, with the gradients of e-prop and BPTT. */
export interface EpropGraphFile {
  readonly order: readonly string[];
  readonly sizes: Readonly<Record<string, number>>;
  readonly steps: number;
  readonly batch: number;
  readonly populations: Readonly<Record<string, Cells>>;
  readonly projections: readonly Synapses[];
  readonly readouts: Readonly<Record<string, Output>>;
  readonly x: Series;
  readonly loss: number;
  readonly states: Readonly<Record<string, Readonly<Record<string, Series>>>>;
  readonly y: Readonly<Record<string, Series>>;
  readonly learning_signal_symmetric: Readonly<Record<string, Readonly<Record<string, Series>>>>;
  readonly learning_signal_random: Readonly<Record<string, Readonly<Record<string, Series>>>>;
  readonly gradients: Readonly<Record<string, Gradients>>;
}

/** Compares every quantity of the file with what the engine computes. */
export function verifyEpropGraph(file: EpropGraphFile, subject: Subject): Quantity[] {
  return [
    ...forward(file, subject),
    ...(['symmetric', 'random'] as const).flatMap((feedback) => signals(file, subject, feedback)),
    ...gradients(file, subject),
  ];
}

const rules: Readonly<Record<string, Record<string, unknown>>> = {
  eprop_symmetric: { name: 'e-prop-1', feedback: 'symmetric' },
  eprop_random: { name: 'e-prop-1', feedback: 'random' },
  bptt_reset_detached: { name: 'bptt', reset: 'detached' },
  bptt_full: { name: 'bptt', reset: 'attached' },
};

function build(
  file: EpropGraphFile,
  { backend }: Subject,
  rule: Record<string, unknown>,
  execution: 'online' | 'deferred' = 'online',
): Experiment {
  const { order, batch, steps, populations, projections, readouts } = file;
  const names = Object.keys(readouts);
  const owners = [...projections.map(({ name }) => name), ...order.map((name) => `${name}.bias`), ...names];
  const experiment = givenExperiment(
    {
      backend,
      network: {
        dtMs: 1,
        populations: Object.fromEntries(order.map((name) => [name, populationOf(populations[name], file.sizes[name])])),
        projections: Object.fromEntries(projections.map((synapses) => [synapses.name, projectionOf(synapses)])),
        readouts: Object.fromEntries(names.map((name) => [name, readoutOf(file, name)])),
      },
      rule,
      loss: { kind: 'square' },
      optimizer: { kind: 'sgd', rates: Object.fromEntries(owners.map((name) => [name, 0])) },
      training: { total: batch, streams: batch, update: { reduction: 'sum' }, execution },
    },
    trialsOf(file, steps),
  );
  const { network } = experiment.run;
  for (const { name, w } of projections) setProjection(network, name, w);
  for (const [name, { of, w, b }] of Object.entries(readouts)) {
    network.weights[name].set(flatten(of.map((population) => w[population])));
    network.weights[`${name}.bias`].set(b);
  }
  setFeedback(file, experiment);
  return experiment;
}

/** B of every population: the columns of a channel are its readouts, one after the other. */
function setFeedback({ readouts }: EpropGraphFile, { run: { network } }: Experiment): void {
  const { spec, state } = network;
  for (const { name, size, signals } of spec.populations) {
    signals.forEach(({ layout }, c) => {
      if (!layout.B) return;
      const channel = spec.channels[c];
      const B = state.field(`${channelName(`population.${name}.signal`, spec, c)}.B`);
      for (const r of channel.readouts) {
        const readout = spec.readouts[r];
        const given = readouts[readout.name].B[name];
        for (let j = 0; j < size; j++) B.set(given[j], j * channel.size + readout.column - channel.column);
      }
    });
  }
}

function populationOf(cells: Cells, size: number): Record<string, unknown> {
  const { kind, n_ref: nRef, alpha, thr, gamma, rho, beta, sigma, bias } = cells;
  const common = { membrane: { decay: alpha }, vTh: thr, gamma, nRef };
  const neuron =
    kind === 'alif'
      ? { kind, ...common, adaptation: { decay: rho }, adaptBeta: beta }
      : kind === 'cuba-lif'
        ? { kind, ...common, synapse: { decay: sigma } }
        : { kind: 'lif', ...common };
  return { size, neuron, bias };
}

function projectionOf({ pre, post, delay, mask }: Synapses): Record<string, unknown> {
  const pairs = mask.flatMap((row, i) => row.flatMap((there, j) => (there ? [[i, j]] : [])));
  return {
    from: pre,
    to: post,
    connectivity: { kind: 'pairs', pairs },
    autapses: true,
    delayMs: { kind: 'list', values: flatten(delay) },
  };
}

/** Outputs of the task are those of all readouts, one after the other. */
function readoutOf({ readouts }: EpropGraphFile, name: string): Record<string, unknown> {
  const { of, loss, n, kappa, weight, mask_t: mask } = readouts[name];
  const before = Object.keys(readouts).slice(0, Object.keys(readouts).indexOf(name));
  const first = before.reduce((sum, other) => sum + readouts[other].n, 0);
  const start = mask.indexOf(1);
  const end = mask.lastIndexOf(1) + 1;
  if (start < 0 || mask.slice(start, end).some((value) => value !== 1)) {
    throw new Error(`readouts.${name}.mask_t: steps that follow one another are known, not others`);
  }
  return {
    from: of,
    readout: { kind: 'leaky', filter: { decay: kappa }, scale: '1-kappa', bias: true },
    loss: { kind: loss },
    weight,
    outputs: Array.from({ length: n }, (_, k) => first + k),
    window: { start, length: end - start },
  };
}

function trialsOf({ x, batch, readouts }: EpropGraphFile, steps: number): GivenTrial[] {
  return Array.from({ length: batch }, (_, b) => ({
    x: x[b],
    target: Array.from({ length: steps }, (_unused, t) =>
      Object.values(readouts).flatMap(({ target }) => target[b][t]),
    ),
  }));
}

function forward(file: EpropGraphFile, subject: Subject): Quantity[] {
  const { batch, order, steps } = file;
  const tolerance = subject.tolerance(exact);
  const experiment = build(file, subject, rules.eprop_symmetric);
  const { network } = experiment.run;
  const seen = new Map<string, number[]>();
  const see = (name: string, values: ArrayLike<number>) => {
    seen.set(name, [...(seen.get(name) ?? []), ...Array.from(values)]);
  };
  runOnce(experiment, (_run, t) => {
    order.forEach((name, p) => {
      const { z, psi } = network.activity[p];
      const state = network.state.views(`population.${name}`);
      see(`${name}.v`, state.v);
      if (state.a) see(`${name}.a`, state.a);
      if (state.i) see(`${name}.I`, state.i);
      for (let b = 0; b < batch; b++) {
        see(`${name}.z`, z.data.subarray(rowAt(z, b, t), rowAt(z, b, t) + z.size));
        see(`${name}.psi`, psi.data.subarray(rowAt(psi, b, t), rowAt(psi, b, t) + psi.size));
      }
    });
  });
  const states = order.flatMap((name) =>
    Object.entries(file.states[name]).map(([field, want]) => {
      const got = seen.get(`${name}.${field}`);
      const path = `states.${name}.${field}`;
      if (!got) return notChecked(path, 'no such state in this neuron');
      return compare(path, got, want as Nested, field === 'z' ? 0 : tolerance);
    }),
  );
  const outputs = network.spec.readouts.map(({ name, column, size }) => {
    const { y } = network.trial;
    const rows = Array.from({ length: batch }, (_, b) =>
      Array.from({ length: steps }, (_unused, t) => {
        const from = rowAt(y, b, t) + column;
        return Array.from(y.data.subarray(from, from + size));
      }),
    );
    return compare(`y.${name}`, flatten(rows), file.y[name] as Nested, tolerance);
  });
  return [
    ...states,
    ...outputs,
    compare('loss', [trainedLoss(build(file, subject, rules.eprop_symmetric))], file.loss, tolerance),
  ];
}

/** Signals of a channel are the sum over its readouts; the file has one for each. */
function signals(file: EpropGraphFile, subject: Subject, feedback: 'symmetric' | 'random'): Quantity[] {
  const experiment = build(file, subject, rules[`eprop_${feedback}`]);
  runOnce(experiment);
  const { spec, activity } = experiment.run.network;
  const wanted = file[`learning_signal_${feedback}`];
  return spec.populations.flatMap(({ name }, p) =>
    spec.channels.map(({ readouts }, c) => {
      const { data } = activity[p].signals[c];
      const names = readouts.map((r) => spec.readouts[r].name);
      const parts = names.map((readout) => flatten(wanted[name][readout] as Nested));
      const want = parts[0].map((_, s) => parts.reduce((sum, part) => sum + part[s], 0));
      const path = `learning_signal_${feedback}.${name}.${names.join('+')}`;
      return compare(path, data, want, subject.tolerance(exact));
    }),
  );
}

function gradients(file: EpropGraphFile, subject: Subject): Quantity[] {
  return Object.entries(file.gradients).flatMap(([name, want]) => {
    const rule = rules[name];
    if (!rule) return [notChecked(`gradients.${name}`, 'no rule that is known by this name')];
    const executions = rule.name === 'e-prop-1' ? (['online', 'deferred'] as const) : (['online'] as const);
    return executions.flatMap((execution) => {
      const experiment = build(file, subject, rule, execution);
      runOnce(experiment);
      return compareGradients(name, execution, file, experiment, want, subject.tolerance(exact));
    });
  });
}

function compareGradients(
  rule: string,
  execution: string,
  file: EpropGraphFile,
  { run }: Experiment,
  want: Gradients,
  tolerance: number,
): Quantity[] {
  const { spec } = run.network;
  const got = gradientOf(run);
  const named = (part: string) => `gradients.${rule}.${part} (${execution})`;
  const projections = file.projections.map(({ name }) => {
    const matrix = projectionMatrix(spec, got, name);
    return compare(named(`projections.${name}`), matrix, want.projections[name] as Nested, tolerance);
  });
  const biases = Object.entries(want.bias).map(([name, values]) =>
    compare(named(`bias.${name}`), got[`${name}.bias`], values, tolerance),
  );
  const readouts = Object.entries(want.readouts ?? {}).flatMap(([name, parts]) => {
    let from = 0;
    return file.readouts[name].of.map((population) => {
      const wanted = flatten(parts[population] as Nested);
      const values = got[name].subarray(from, from + wanted.length);
      from += wanted.length;
      return compare(named(`readouts.${name}.${population}`), values, wanted, tolerance);
    });
  });
  const readoutBiases = Object.entries(want.readout_bias ?? {}).map(([name, values]) =>
    compare(named(`readout_bias.${name}`), got[`${name}.bias`], values, tolerance),
  );
  return [...projections, ...biases, ...readouts, ...readoutBiases];
}
