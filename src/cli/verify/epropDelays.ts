import { channelName } from '../../core/bindings.ts';
import type { Network } from '../../core/network.ts';
import { rowAt } from '../../core/rows.ts';
import { gradientOf } from '../../engine/run.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import {
  type BaseParams,
  baseNeuron,
  baseReadout,
  givenExperiment,
  projectionMatrix,
  runOnce,
  setProjection,
  stateNames,
  traceNames,
  trainedLoss,
} from './given.ts';
import { compare, flatten, type Nested, notChecked, type Quantity, type Subject } from './report.ts';

const exact = 1e-10;

type Matrix = readonly (readonly number[])[];
type Series = readonly Matrix[];
type Pairs = readonly (readonly [number, number])[];

/** A golden file of kind `eprop-delays`: one population whose synapses all have delays of their own. */
export interface EpropDelaysFile {
  readonly params: BaseParams;
  readonly delay_in: Matrix;
  readonly delay_rec: Matrix;
  readonly w_in: Matrix;
  readonly w_rec: Matrix;
  readonly w_out: Matrix;
  readonly feedback_random: Matrix;
  readonly x: Series;
  readonly target: Series;
  readonly loss: number;
  readonly synapses_input: Pairs;
  readonly synapses_recurrent: Pairs;
  readonly traces_input: Readonly<Record<string, Series>>;
  readonly traces_recurrent: Readonly<Record<string, Series>>;
  readonly gradients: Readonly<Record<string, Readonly<Record<string, Matrix>>>>;
  readonly [quantity: string]: unknown;
}

const rules: Readonly<Record<string, Record<string, unknown>>> = {
  eprop_symmetric: { name: 'e-prop-1', feedback: 'symmetric' },
  eprop_random: { name: 'e-prop-1', feedback: 'random' },
  eprop_symmetric_reset_in_trace: { name: 'e-prop-1', feedback: 'symmetric', resetInTrace: true },
  bptt_full: { name: 'bptt', reset: 'attached' },
  bptt_reset_detached: { name: 'bptt', reset: 'detached' },
};

/** Compares every quantity of the file with what the engine computes. */
export function verifyEpropDelays(file: EpropDelaysFile, subject: Subject): Quantity[] {
  return [...states(file, subject), ...signals(file, subject), ...gradients(file, subject)];
}

function build(
  file: EpropDelaysFile,
  { backend }: Subject,
  rule: Record<string, unknown>,
  execution: 'online' | 'deferred' = 'online',
): Experiment {
  const { params: p } = file;
  const projection = (from: string, delay: Matrix) => ({
    from,
    to: 'rec',
    delayMs: { kind: 'list', values: flatten(delay) },
  });
  // A diagonal of delay 0 stands for autapses that are not there.
  const recurrent = file.delay_rec.map((row, i) => row.map((delay, j) => (i === j ? 1 : delay)));
  const experiment = givenExperiment(
    {
      backend,
      network: {
        populations: { rec: { size: p.n_rec, neuron: baseNeuron(p) } },
        projections: { in: projection('input', file.delay_in), rec: projection('rec', recurrent) },
        readouts: { out: { from: 'rec', readout: baseReadout(p, false) } },
      },
      rule,
      loss: { kind: 'square' },
      optimizer: { kind: 'sgd', rates: { in: 0, rec: 0, out: 0 } },
      training: { total: p.batch, streams: p.batch, update: { reduction: 'sum' }, execution },
    },
    file.x.map((x, b) => ({ x, target: file.target[b] })),
  );
  const { network } = experiment.run;
  setProjection(network, 'in', file.w_in);
  setProjection(network, 'rec', file.w_rec);
  network.weights.out.set(flatten(file.w_out));
  const { B } = network.state.views('population.rec.signal');
  if (B) B.set(flatten(file.feedback_random));
  return experiment;
}

/** States, spikes, psi, y, threshold and the listed traces of one recorded trial. */
function states(file: EpropDelaysFile, subject: Subject): Quantity[] {
  const { batch, T: steps, n_rec: n } = file.params;
  const tolerance = subject.tolerance(exact);
  const experiment = build(file, subject, rules.eprop_symmetric);
  const { network } = experiment.run;
  const [population] = network.spec.populations;
  const zeros = (length: number) => new Float64Array(length);
  const seen = { v: zeros(batch * steps * n), a: zeros(batch * steps * n), refractory: zeros(batch * steps * n) };
  const threshold = zeros(batch * steps * n);
  const traced = tracesOf(file, network);
  const level = zeros(n);
  runOnce(experiment, (_run, t) => {
    const state = network.state.views('population.rec');
    for (let b = 0; b < batch; b++) {
      for (const { field, lag } of stateNames) {
        if (t + lag < steps) seen[field].set(state[field].subarray(b * n, (b + 1) * n), (b * steps + t + lag) * n);
      }
      population.neuron.threshold?.(state, b, level);
      threshold.set(level, (b * steps + t) * n);
    }
    for (const trace of traced) trace.take(t);
  });
  const [{ z, psi }] = network.activity;
  const spikes = Array.from({ length: batch }, (_, b) => [...z.data.subarray(rowAt(z, b, 0), rowAt(z, b, steps))]);
  return [
    ...stateNames.map(({ name, field }) => compare(name, seen[field], file[name] as Nested, tolerance)),
    compare('threshold', threshold, file.threshold as Nested, tolerance),
    compare('z', flatten(spikes), file.z as Nested, 0),
    compare('psi', psi.data, file.psi as Nested, tolerance),
    compare('y', network.trial.y.data, file.y as Nested, tolerance),
    compare('loss', [trainedLoss(build(file, subject, rules.eprop_symmetric))], file.loss, tolerance),
    ...traced.map(({ name, values, want }) => compare(name, values, want as Nested, tolerance)),
  ];
}

/** The listed synapses' traces, [synapse][b][t]. */
function tracesOf(file: EpropDelaysFile, { spec, state }: Network) {
  const { batch, T: steps } = file.params;
  const groups = [
    { key: 'traces_input', projection: 'in', pairs: file.synapses_input, wanted: file.traces_input },
    { key: 'traces_recurrent', projection: 'rec', pairs: file.synapses_recurrent, wanted: file.traces_recurrent },
  ];
  return groups.flatMap(({ key, projection, pairs, wanted }) =>
    traceNames.flatMap(({ name, field, lag }) => {
      const values = new Float64Array(pairs.length * batch * steps);
      const places = pairs.map(([i, j]) => {
        const part = spec.projections.find(
          ({ whole, synapses }) => whole.name === projection && synapseOf(synapses, i, j) >= 0,
        );
        if (!part) throw new Error(`${key}: no synapse ${i} -> ${j}`);
        const view = state.views(channelName(`projection.${part.name}.trace`, spec, 0))[field];
        const perPre = view.length === batch * part.synapses.nPre;
        return { view, width: view.length / batch, at: perPre ? i : synapseOf(part.synapses, i, j) };
      });
      const take = (t: number) => {
        if (t + lag >= steps) return;
        places.forEach(({ view, width, at }, s) => {
          for (let b = 0; b < batch; b++) values[(s * batch + b) * steps + t + lag] = view[b * width + at];
        });
      };
      return wanted[name] ? [{ name: `${key}.${name}`, values, want: wanted[name], take }] : [];
    }),
  );
}

function synapseOf(
  { rowStart, post }: Network['spec']['projections'][number]['synapses'],
  i: number,
  j: number,
): number {
  for (let s = rowStart[i]; s < rowStart[i + 1]; s++) if (post[s] === j) return s;
  return -1;
}

function signals(file: EpropDelaysFile, subject: Subject): Quantity[] {
  const wanted = [
    { name: 'learning_signal_symmetric', rule: rules.eprop_symmetric },
    { name: 'learning_signal_random', rule: rules.eprop_random },
    { name: 'total_learning_signal', rule: rules.bptt_full },
  ];
  return wanted.flatMap(({ name, rule }) => {
    if (file[name] === undefined) return [];
    const { activity } = runOnce(build(file, subject, rule)).network;
    return [compare(name, activity[0].signals[0].data, file[name] as Nested, subject.tolerance(exact))];
  });
}

/** Every gradient, of e-prop in both executions. */
function gradients(file: EpropDelaysFile, subject: Subject): Quantity[] {
  return Object.entries(file.gradients).flatMap(([name, want]) => {
    const rule = rules[name];
    if (!rule) return [notChecked(`gradients.${name}`, 'no rule that is known by this name')];
    const executions = rule.name === 'e-prop-1' ? (['online', 'deferred'] as const) : (['online'] as const);
    return executions.flatMap((execution) => {
      const run = runOnce(build(file, subject, rule, execution));
      const got = gradientOf(run);
      const blocks = {
        w_in: projectionMatrix(run.network.spec, got, 'in'),
        w_rec: projectionMatrix(run.network.spec, got, 'rec'),
        w_out: got.out,
      };
      return Object.entries(blocks)
        .filter(([block]) => want[block])
        .map(([block, values]) =>
          compare(`gradients.${name}.${block} (${execution})`, values, want[block], subject.tolerance(exact)),
        );
    });
  });
}
