import { UnsupportedError } from '../../core/errors.ts';
import { rowAt } from '../../core/rows.ts';
import { gradientOf, type Run } from '../../engine/run.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import {
  type BaseParams,
  baseNeuron,
  baseReadout,
  type GivenTrial,
  givenExperiment,
  runOnce,
  stateNames,
  traceNames,
  trainedLoss,
} from './given.ts';
import { compare, flatten, type Nested, notChecked, type Quantity, type Subject } from './report.ts';

const exact = 1e-10;

type Matrix = readonly (readonly number[])[];
type Series = readonly Matrix[];

/** A golden file of kind `eprop-network`: one batch of trials, every state, trace and gradient. */
export interface EpropNetworkFile {
  readonly params: BaseParams & {
    readonly window_start?: number;
    readonly window_length?: number;
    readonly c_reg?: number;
    readonly f_target?: number;
  };
  readonly w_in: Matrix;
  readonly w_rec: Matrix;
  readonly w_out: Matrix;
  readonly feedback_random: Matrix;
  readonly x: Series;
  readonly target?: Series;
  readonly labels?: readonly number[];
  readonly loss: number;
  readonly gradients: Readonly<Record<string, Readonly<Record<string, Matrix>>>>;
  readonly traces_input: Readonly<Record<string, Nested>>;
  readonly traces_recurrent: Readonly<Record<string, Nested>>;
  readonly [quantity: string]: unknown;
}

interface Variant {
  readonly feedback?: 'symmetric' | 'random' | 'none';
  readonly execution?: 'online' | 'deferred';
  readonly readoutFilter?: boolean;
  readonly resetInTrace?: boolean;
  /** Backpropagation through time in place of e-prop, with the reset as said. */
  readonly bptt?: 'attached' | 'detached';
  /** Strength of the rate term. */
  readonly strength?: number;
  /** Score every step against a target of 0, so that the error is the output itself. */
  readonly bareOutput?: boolean;
}

/** Compares every quantity of the file with what the engine computes. */
export function verifyEpropNetwork(file: EpropNetworkFile, subject: Subject): Quantity[] {
  const parts = [states, softmax, signals, gradients, backpropagated];
  return [...parts.flatMap((part) => part(file, subject)), ...unchecked(file)];
}

function build(file: EpropNetworkFile, variant: Variant, { backend }: Subject): Experiment {
  const { params: p } = file;
  const classes = file.labels !== undefined;
  const scale = classes && !variant.bareOutput ? 1 / (p.batch * (p.window_length ?? p.T)) : 1;
  const experiment = givenExperiment(
    {
      network: {
        neurons: p.n_rec,
        neuron: baseNeuron(p),
        readout: baseReadout(p, false),
      },
      backend,
      rule: ruleOf(variant),
      loss: { kind: classes ? 'softmax' : 'square', scale, window: windowOf(file, variant) },
      rateTerm: { strength: variant.strength ?? 0, targetHz: 1000 * (p.f_target ?? 0), mean: 'batch' },
      optimizer: { kind: 'sgd', rates: { in: 0, rec: 0, out: 0 } },
      training: {
        total: p.batch,
        streams: p.batch,
        update: { reduction: 'sum' },
        execution: variant.execution ?? 'online',
      },
    },
    trialsOf(file, variant.bareOutput ?? false),
  );
  const { weights, state } = experiment.run.network;
  weights.in.set(flatten(file.w_in));
  weights.rec.set(flatten(file.w_rec));
  weights.out.set(flatten(file.w_out));
  if (variant.feedback !== 'symmetric') {
    const B = state.field('population.rec.signal.B');
    if (variant.feedback === 'none') B.fill(0);
    else B.set(flatten(file.feedback_random));
  }
  return experiment;
}

function ruleOf(variant: Variant): Record<string, unknown> {
  const feedback = variant.feedback === 'symmetric' ? 'symmetric' : 'random';
  if (variant.bptt) return { name: 'bptt', feedback, reset: variant.bptt };
  return {
    name: 'e-prop-1',
    feedback,
    readoutFilter: variant.readoutFilter ?? true,
    resetInTrace: variant.resetInTrace ?? false,
  };
}

function windowOf({ params: p }: EpropNetworkFile, variant: Variant): { start: number; length: number } | null {
  if (p.window_start === undefined || p.window_length === undefined || variant.bareOutput) return null;
  return { start: p.window_start, length: p.window_length };
}

function trialsOf({ params: p, x, target, labels }: EpropNetworkFile, bare: boolean): GivenTrial[] {
  return x.map((input, b) => ({
    x: input,
    target: input.map((_, t) =>
      Array.from({ length: p.n_out }, (_unused, k) =>
        bare ? 0 : target ? target[b][t][k] : labels?.[b] === k ? 1 : 0,
      ),
    ),
  }));
}

/** Collects a field of all streams over time as [stream][t][...]; `before` takes the value that step t started from. */
class Collector {
  readonly values: Float64Array[];
  private readonly width: number;
  private readonly steps: number;
  private readonly streams: number;
  constructor(streams: number, steps: number, width: number) {
    this.streams = streams;
    this.steps = steps;
    this.width = width;
    this.values = Array.from({ length: streams }, () => new Float64Array(steps * width));
  }
  /** State of shape [stream][...width] after step t, put at step `at`. */
  take(array: ArrayLike<number>, at: number): void {
    if (at >= this.steps) return;
    for (let b = 0; b < this.streams; b++) {
      for (let s = 0; s < this.width; s++) this.values[b][at * this.width + s] = array[b * this.width + s];
    }
  }
  all(): number[] {
    return this.values.flatMap((row) => Array.from(row));
  }
}

/** States, threshold, spikes, psi, y and all traces, from one recorded trial. */
function states(file: EpropNetworkFile, subject: Subject): Quantity[] {
  const tolerance = subject.tolerance(exact);
  const { batch, T: steps, n_rec: nRec } = file.params;
  const experiment = build(file, { feedback: 'symmetric', strength: 1 }, subject);
  const { state, spec, trial, activity } = experiment.run.network;
  const [{ z: spikes, psi }] = activity;
  const wanted = [
    ...stateNames.map((entry) => ({
      ...entry,
      field: `population.rec.${entry.field}`,
      want: file[entry.name] as Nested | undefined,
    })),
    ...traceNames.map((entry) => ({
      ...entry,
      name: `traces_input.${entry.name}`,
      field: `projection.in.trace.${entry.field}`,
      want: file.traces_input[entry.name],
    })),
    ...traceNames.map((entry) => ({
      ...entry,
      name: `traces_recurrent.${entry.name}`,
      field: `projection.rec.trace.${entry.field}`,
      want: file.traces_recurrent[entry.name],
    })),
  ].filter((entry) => entry.want !== undefined);
  const inChunks = experiment.run.gradientChunk > 1;
  const missing = wanted.filter(
    ({ field }) => (inChunks && field.includes('.trace.')) || !state.table.some((entry) => entry.name === field),
  );
  const present = wanted.filter((entry) => !missing.includes(entry));
  const collectors = present.map(({ field }) => new Collector(batch, steps, state.field(field).length / batch));
  const threshold = new Collector(batch, steps, nRec);
  const row = new Float64Array(nRec);
  const rows = new Float64Array(batch * nRec);
  runOnce(experiment, (_run, t) => {
    present.forEach(({ field, lag }, c) => {
      collectors[c].take(state.field(field), t + lag);
    });
    for (let b = 0; b < batch; b++) {
      spec.populations[0].neuron.threshold?.(state.views('population.rec'), b, row);
      rows.set(row, b * nRec);
    }
    threshold.take(rows, t);
  });
  const results = present.map(({ name, want, field }, c) =>
    compare(name, expandPre(collectors[c].all(), field, file, want as Nested), want as Nested, tolerance),
  );
  const z = Array.from({ length: batch }, (_, b) => spikes.data.subarray(rowAt(spikes, b, 0), rowAt(spikes, b, steps)));
  return [
    compare(
      'z',
      z.flatMap((part) => Array.from(part)),
      file.z as Nested,
      0,
    ),
    compare('psi', psi.data, file.psi as Nested, tolerance),
    compare('y', trial.y.data, file.y as Nested, tolerance),
    ...(file.threshold ? [compare('threshold', threshold.all(), file.threshold as Nested, tolerance)] : []),
    ...results,
    ...missing.map(({ name }) =>
      notChecked(
        name,
        inChunks ? 'this backend takes traces through several steps at once' : 'no such trace in this network',
      ),
    ),
  ];
}

/** The presynaptic trace of a LIF neuron is one value per presynaptic neuron; the file lists it per synapse. */
function expandPre(values: number[], field: string, file: EpropNetworkFile, want: Nested): number[] {
  if (values.length === flatten(want).length || !field.includes('.trace.eps')) return values;
  return values.flatMap((value) => new Array<number>(file.params.n_rec).fill(value));
}

function softmax(file: EpropNetworkFile, subject: Subject): Quantity[] {
  const tolerance = subject.tolerance(exact);
  if (file.softmax === undefined) return [];
  const { trial } = runOnce(build(file, { feedback: 'symmetric', bareOutput: true }, subject)).network;
  return [compare('softmax', trial.error.data, file.softmax as Nested, tolerance)];
}

function signals(file: EpropNetworkFile, subject: Subject): Quantity[] {
  const tolerance = subject.tolerance(exact);
  const results: Quantity[] = [];
  for (const feedback of ['symmetric', 'random'] as const) {
    const { trial, activity } = runOnce(build(file, { feedback }, subject)).network;
    const signal = activity[0].signals[0].data;
    results.push(
      compare(`learning_signal_${feedback}`, signal, file[`learning_signal_${feedback}`] as Nested, tolerance),
    );
    if (feedback === 'symmetric' && file.output_error) {
      results.push(compare('output_error', trial.error.data, file.output_error as Nested, tolerance));
    }
  }
  const loss = trainedLoss(build(file, { feedback: 'symmetric' }, subject));
  return [compare('loss', [loss], file.loss, tolerance), ...results];
}

const variants: Readonly<Record<string, Variant>> = {
  eprop_symmetric: { feedback: 'symmetric' },
  eprop_random: { feedback: 'random' },
  eprop_symmetric_reset_in_trace: { feedback: 'symmetric', resetInTrace: true },
  eprop_symmetric_unfiltered_trace: { feedback: 'symmetric', readoutFilter: false },
  firing_rate_reg: { feedback: 'none' },
};

/** Every gradient in both executions, and the gradients of the online one as they grow. */
function gradients(file: EpropNetworkFile, subject: Subject): Quantity[] {
  const tolerance = subject.tolerance(exact);
  const results: Quantity[] = [];
  for (const [name, variant] of Object.entries(variants)) {
    const want = file.gradients[name];
    if (!want) continue;
    if (variant.resetInTrace && subject.backend !== 'reference') {
      results.push(notChecked(`gradients.${name}`, 'the reference backend alone has the reset in the trace'));
      continue;
    }
    const strength = name === 'firing_rate_reg' ? (file.params.c_reg ?? 0) : 0;
    for (const execution of ['online', 'deferred'] as const) {
      const got = gradientOf(runOnce(build(file, { ...variant, strength, execution }, subject)));
      if (want.w_in) results.push(compare(`gradients.${name}.w_in (${execution})`, got.in, want.w_in, tolerance));
      if (want.w_rec) results.push(compare(`gradients.${name}.w_rec (${execution})`, got.rec, want.w_rec, tolerance));
      if (want.w_out) results.push(compare(`gradients.${name}.w_out (${execution})`, got.out, want.w_out, tolerance));
    }
  }
  return [...results, ...cumulative(file, subject)];
}

function cumulative(file: EpropNetworkFile, subject: Subject): Quantity[] {
  const tolerance = subject.tolerance(exact);
  const results: Quantity[] = [];
  const wanted = (['w_in', 'w_rec'] as const).map((name) => ({
    name: `cumulative_eprop_symmetric_${name}_at_t`,
    key: name === 'w_in' ? ('in' as const) : ('rec' as const),
  }));
  const experiment = build(file, { feedback: 'symmetric' }, subject);
  if (experiment.run.gradientChunk > 1) {
    return wanted.flatMap(({ name }) =>
      file[name] ? [notChecked(name, 'this backend adds several steps at once')] : [],
    );
  }
  runOnce(experiment, (run, t) => {
    for (const { name, key } of wanted) {
      const want = (file[name] as Readonly<Record<string, Matrix>> | undefined)?.[t];
      if (want) results.push(compare(`${name}.${t}`, gradientOf(run)[key], want, tolerance));
    }
  });
  return results;
}

const backwards = [
  { name: 'bptt_full', total: 'total_learning_signal', reset: 'attached' },
  { name: 'bptt_reset_detached', total: 'total_learning_signal_reset_detached', reset: 'detached' },
] as const;

/** Backpropagation through time: its gradients, and the total derivatives that it comes by. */
function backpropagated(file: EpropNetworkFile, subject: Subject): Quantity[] {
  const tolerance = subject.tolerance(exact);
  return backwards.flatMap(({ name, total, reset }) => {
    const want = file.gradients[name];
    const wantTotal = file[total] as Nested | undefined;
    let run: Run;
    try {
      run = runOnce(build(file, { feedback: 'symmetric', bptt: reset }, subject));
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      const names = [...(want ? [`gradients.${name}`] : []), ...(wantTotal ? [total] : [])];
      return names.map((quantity) => notChecked(quantity, error.message));
    }
    const got = gradientOf(run);
    const signal = run.network.activity[0].signals[0].data;
    const blocks = { w_in: got.in, w_rec: got.rec, w_out: got.out };
    const results = Object.entries(blocks)
      .filter(([block]) => want?.[block])
      .map(([block, value]) => compare(`gradients.${name}.${block}`, value, want[block], tolerance));
    if (!wantTotal) return results;
    if (signal.length === flatten(wantTotal).length) {
      return [...results, compare(total, signal, wantTotal, tolerance)];
    }
    return [...results, notChecked(total, 'this backend keeps one step of it')];
  });
}

function unchecked(file: EpropNetworkFile): Quantity[] {
  const known = [...Object.keys(variants), ...backwards.map(({ name }) => name)];
  return Object.keys(file.gradients)
    .filter((name) => !known.includes(name))
    .map((name) => notChecked(`gradients.${name}`, 'no rule that is known by this name'));
}
