import type { Real } from '../../core/layout.ts';
import type { Network } from '../../core/network.ts';
import { createRng } from '../../core/rng.ts';
import { createFeed } from '../../engine/feed.ts';
import { gradientOf, runTrial, updateRest } from '../../engine/run.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import {
  type BaseParams,
  baseNeuron,
  baseReadout,
  givenExperiment,
  projectionMatrix,
  rowsOf,
  runOnce,
  setProjection,
  transpose,
} from './given.ts';
import { compare, flatten, notChecked, type Quantity, type Subject } from './report.ts';

const exact = 1e-10;

type Matrix = readonly (readonly number[])[];
type Series = readonly Matrix[];

interface Pair {
  readonly w_in: Matrix;
  readonly w_rec: Matrix;
}

interface WindowOfFile {
  readonly predicted?: Matrix;
  readonly target_for_previous_border?: Matrix;
  readonly synthetic_loss?: number;
}

interface Frozen {
  readonly L: Series;
  readonly gradients: Pair;
}

/** e-prop 3: windows with synthetic gradients at their ends, and traces across; see the file's own `meta`. */
export interface Eprop3File extends Pair {
  readonly params: BaseParams & {
    readonly window: number;
    readonly eta_psi: number;
  };
  readonly w_out: Matrix;
  readonly borders: Matrix;
  readonly psi_map: Matrix;
  readonly psi_z_map: Matrix;
  readonly x: Series;
  readonly target: Series;
  readonly v: Series;
  readonly a: Series;
  readonly z: Series;
  readonly psi: Series;
  readonly y: Series;
  readonly features: Series;
  readonly synapses_recurrent: Matrix;
  readonly e_recurrent: Series;
  readonly total_learning_signal: Series;
  readonly true_border_credit: Series;
  readonly scenarios: {
    readonly zero: Frozen & { readonly truncated_bptt: Pair };
    readonly perfect: { readonly gradients: Pair };
    readonly psi: Frozen & { readonly windows: readonly WindowOfFile[]; readonly dni: Pair };
    readonly psi_z: Frozen & { readonly windows: readonly WindowOfFile[] };
    readonly learning: {
      readonly windows: readonly WindowOfFile[];
      readonly psi_after: Matrix;
      readonly gradients: Pair;
    };
    readonly learning_z: {
      readonly windows: readonly WindowOfFile[];
      readonly psi_z_after: Matrix;
      readonly gradients: Pair;
    };
  };
  readonly window_updates: Pair & {
    readonly eta_w: number;
    readonly w_out: Matrix;
    readonly y: Series;
    readonly z: Series;
    readonly L: Series;
    readonly psi_after: Matrix;
  };
  readonly gradients: { readonly bptt_full: Pair };
}

/** Compares every quantity of the file with what the engine computes. */
export function verifyEprop3(file: Eprop3File, { backend }: Subject): Quantity[] {
  return [
    ...states(file, backend),
    ...whole(file, backend),
    ...zero(file, backend),
    ...perfect(file, backend),
    ...fixed(file, backend),
    ...learning(file, backend),
    ...windowUpdates(file, backend),
  ];
}

type Backend = Subject['backend'];

interface Setting {
  readonly rule: { readonly name: string; readonly [parameter: string]: unknown };
  /** [target][feature]; left out where nothing is predicted. */
  readonly Psi?: Matrix;
  /** Of the weights, which change after every window; 0: never. */
  readonly rate?: number;
  readonly state?: 'reset' | 'carry';
}

function build(file: Eprop3File, backend: Backend, { rule, Psi, rate = 0, state = 'reset' }: Setting): Experiment {
  const { params: p } = file;
  const update = rate === 0 ? { unit: 'trial' } : { unit: 'step', every: p.window };
  const experiment = givenExperiment(
    {
      backend,
      network: {
        populations: { rec: { size: p.n_rec, neuron: baseNeuron(p) } },
        projections: { in: { from: 'input', to: 'rec' }, rec: { from: 'rec', to: 'rec' } },
        readouts: { out: { from: 'rec', readout: baseReadout(p, false) } },
      },
      rule,
      loss: { kind: 'square' },
      optimizer: { kind: 'sgd', rates: { in: rate, rec: rate, out: rate } },
      training: {
        total: p.batch,
        streams: p.batch,
        update: { ...update, reduction: 'sum' },
        execution: 'online',
        state,
      },
    },
    file.x.map((x, b) => ({ x, target: file.target[b] })),
  );
  const { network } = experiment.run;
  setProjection(network, 'in', file.w_in);
  setProjection(network, 'rec', file.w_rec);
  network.weights.out.set(flatten(file.w_out));
  if (Psi) signalOf(network).Psi.set(flatten(transpose(Psi)));
  return experiment;
}

/** The rule with windows of the file; `rate` of Psi is of a sum over the streams, as the file has it. */
function windows({ params }: Eprop3File, own: Record<string, unknown>): Setting['rule'] {
  const { rate = 0 } = own as { rate?: number };
  return { name: 'e-prop-3', window: params.window, normalised: false, ...own, rate: rate * params.batch };
}

const signalOf = ({ state }: Network) => state.views('population.rec.signal', 'signal');

function comparePair(named: (part: string) => string, { run }: Experiment, want: Pair, values = gradientOf(run)) {
  const { spec } = run.network;
  return [
    compare(named('w_in'), projectionMatrix(spec, values, 'in'), want.w_in, exact),
    compare(named('w_rec'), projectionMatrix(spec, values, 'rec'), want.w_rec, exact),
  ];
}

/** L of all steps; nothing where the file has none. */
function signals(file: Eprop3File, name: string, { run }: Experiment, want: Series): Quantity {
  const { batch, T } = file.params;
  return compare(name, rowsOf(run.network.activity[0].signals[0], batch, T), want, exact);
}

/** The network, its traces, which a window of one step shows at every step, and the features at the ends of windows. */
function states(file: Eprop3File, backend: Backend): Quantity[] {
  const { T: steps, batch, n_rec: n, window } = file.params;
  const experiment = build(file, backend, { rule: windows(file, { window: 1, predicts: 'nothing' }) });
  const { network } = experiment.run;
  const { state } = network;
  const kept = { v: new Float64Array(batch * steps * n), a: new Float64Array(batch * steps * n) };
  const e = file.synapses_recurrent.map(() => Array.from({ length: batch }, () => new Array<number>(steps).fill(0)));
  runOnce(experiment, (_run, t) => {
    const views = state.views('population.rec');
    for (const field of ['v', 'a'] as const) {
      for (let b = 0; b < batch; b++) kept[field].set(views[field].subarray(b * n, (b + 1) * n), (b * steps + t) * n);
    }
    const trace = state.field('projection.rec.trace.e');
    file.synapses_recurrent.forEach(([i, j], s) => {
      for (let b = 0; b < batch; b++) e[s][b][t] = trace[(b * trace.length) / batch + i * n + j];
    });
  });
  const [{ z, psi }] = network.activity;
  const starts = Array.from({ length: Math.ceil(steps / window) }, (_, m) => m * window);
  return [
    compare('z', rowsOf(z, batch, steps), file.z, 0),
    compare('v', kept.v, file.v, exact),
    compare('a', kept.a, file.a, exact),
    compare('psi', rowsOf(psi, batch, steps), file.psi, exact),
    compare('y', rowsOf(network.trial.y, batch, steps), file.y, exact),
    compare('e_recurrent', flatten(e), file.e_recurrent, exact),
    compare(
      'borders',
      starts.flatMap((t0) => [t0, Math.min(t0 + window, steps)]),
      file.borders,
      0,
    ),
    // A trial that goes on has features at its end, too.
    compare(
      'features',
      watch(build(file, backend, { rule: windows(file, {}), state: 'carry' })).flatMap(({ border }) => border),
      file.features,
      exact,
    ),
  ];
}

/** What the signal has kept at the end of a window. */
interface Watched {
  readonly border: number[];
  readonly predicted: number[];
  readonly target: number[];
  /** Summed over the windows so far, and over the streams. */
  readonly loss: number;
}

function watch(experiment: Experiment): Watched[] {
  const { run, config } = experiment;
  const { step: steps, stream } = run.network.spec.sizes;
  const { window } = config.rule as unknown as { window: number };
  const seen: Watched[] = [];
  runOnce(experiment, (_run, t) => {
    if ((t + 1) % window !== 0 && t + 1 !== steps) return;
    const { border, predicted, target, losses } = signalOf(run.network);
    const copy = (field: Real) => Array.from(field);
    seen.push({ border: copy(border), predicted: copy(predicted), target: copy(target), loss: losses[0] * stream });
  });
  return seen;
}

/** One window as long as the trial, and backpropagation through time as it is beside. */
function whole(file: Eprop3File, backend: Backend): Quantity[] {
  const { T } = file.params;
  const one = build(file, backend, { rule: windows(file, { window: T, predicts: 'nothing' }) });
  const bptt = build(file, backend, { rule: { name: 'bptt', reset: 'attached' } });
  runOnce(one);
  runOnce(bptt);
  return [
    signals(file, 'total_learning_signal', one, file.total_learning_signal),
    ...comparePair((part) => `gradients.bptt_full.${part} (one window)`, one, file.gradients.bptt_full),
    ...comparePair((part) => `gradients.bptt_full.${part} (bptt)`, bptt, file.gradients.bptt_full),
  ];
}

function zero(file: Eprop3File, backend: Backend): Quantity[] {
  const { L, gradients, truncated_bptt: truncated } = file.scenarios.zero;
  const { window, T } = file.params;
  const kept = build(file, backend, { rule: windows(file, { predicts: 'nothing' }) });
  const none = build(file, backend, { rule: windows(file, { predicts: 'nothing', traces: 'none' }) });
  const bptt = build(file, backend, { rule: { name: 'bptt', reset: 'attached', window, segment: window } });
  for (const experiment of [kept, none, bptt]) runOnce(experiment);
  const named = (part: string) => `zero.truncated_bptt.${part} (bptt)`;
  return [
    signals(file, 'zero.L', kept, L),
    ...comparePair((part) => `zero.gradients.${part}`, kept, gradients),
    ...comparePair((part) => `zero.truncated_bptt.${part} (windows)`, none, truncated),
    ...(T % window === 0
      ? comparePair(named, bptt, truncated)
      : ['w_in', 'w_rec'].map((part) =>
          notChecked(named(part), 'in a last window that is shorter, errors of bptt reach beyond its beginning'),
        )),
  ];
}

/** A linear prediction can be perfect where there are no more borders than features: Psi passes through all of them. */
function perfect(file: Eprop3File, backend: Backend): Quantity[] {
  const { features, true_border_credit: credit, scenarios } = file;
  const points = credit.flatMap((streams, m) => streams.map((row, b) => ({ f: features[m][b], row })));
  const parts = ['w_in', 'w_rec'];
  if (points.length > features[0][0].length) {
    const why = 'more borders than features: no linear prediction is perfect';
    return [...parts.map((part) => `perfect.gradients.${part}`), 'true_border_credit'].map((name) =>
      notChecked(name, why),
    );
  }
  const Psi = points.length > 0 ? through(points) : file.psi_map;
  const experiment = build(file, backend, { rule: windows(file, {}), Psi });
  const seen = watch(experiment);
  const jaderberg = build(file, backend, { rule: windows(file, { traces: 'none' }), Psi });
  runOnce(jaderberg);
  const { gradients } = scenarios.perfect;
  return [
    compare(
      'true_border_credit',
      seen.slice(1).flatMap(({ target }) => target),
      credit,
      exact,
    ),
    ...comparePair((part) => `perfect.gradients.${part} (traces)`, experiment, gradients),
    ...comparePair((part) => `perfect.gradients.${part} (no traces)`, jaderberg, gradients),
  ];
}

/** The smallest Psi with Psi f = row for every point: rows of C^T (F F^T)^-1 F. */
export function through(
  points: readonly { readonly f: readonly number[]; readonly row: readonly number[] }[],
): number[][] {
  const dot = (p: readonly number[], q: readonly number[]) => p.reduce((sum, value, s) => sum + value * q[s], 0);
  const gram = points.map(({ f }) => points.map((other) => dot(f, other.f)));
  const shares = solve(
    gram,
    points.map(({ row }) => row),
  );
  return points[0].row.map((_, r) =>
    points[0].f.map((_value, s) =>
      dot(
        shares.map((share) => share[r]),
        points.map(({ f }) => f[s]),
      ),
    ),
  );
}

/** X with A X = B, by elimination with the largest pivot. */
function solve(A: Matrix, B: Matrix): number[][] {
  const n = A.length;
  const rows = A.map((row, i) => [...row, ...B[i]]);
  for (let c = 0; c < n; c++) {
    let best = c;
    for (let r = c + 1; r < n; r++) if (Math.abs(rows[r][c]) > Math.abs(rows[best][c])) best = r;
    [rows[c], rows[best]] = [rows[best], rows[c]];
    for (let r = 0; r < n; r++) {
      if (r === c) continue;
      const factor = rows[r][c] / rows[c][c];
      for (let s = c; s < rows[r].length; s++) rows[r][s] -= factor * rows[c][s];
    }
  }
  return rows.map((row, i) => row.slice(n).map((value) => value / row[i]));
}

/** Predictions, targets and losses of all windows, in one comparison each. */
function compareWindows(name: string, seen: readonly Watched[], want: readonly WindowOfFile[]): Quantity[] {
  const losses = seen.map(({ loss }, m) => loss - (m > 0 ? seen[m - 1].loss : 0));
  return [
    compare(
      `${name}.windows (predicted)`,
      seen.slice(0, -1).flatMap(({ predicted }) => predicted),
      want.flatMap(({ predicted }) => (predicted ? [predicted] : [])),
      exact,
    ),
    compare(
      `${name}.windows (target_for_previous_border)`,
      seen.slice(1).flatMap(({ target }) => target),
      want.flatMap(({ target_for_previous_border: target }) => (target ? [target] : [])),
      exact,
    ),
    compare(
      `${name}.windows (synthetic_loss)`,
      losses.slice(1),
      want.flatMap(({ synthetic_loss: loss }) => (loss === undefined ? [] : [loss])),
      exact,
    ),
  ];
}

/** Psi as it is given, in both variants and without traces. */
function fixed(file: Eprop3File, backend: Backend): Quantity[] {
  const { psi, psi_z: psiZ } = file.scenarios;
  const state = build(file, backend, { rule: windows(file, {}), Psi: file.psi_map });
  const dni = build(file, backend, { rule: windows(file, { traces: 'none' }), Psi: file.psi_map });
  const spikes = build(file, backend, { rule: windows(file, { predicts: 'spikes' }), Psi: file.psi_z_map });
  const seen = watch(state);
  const seenZ = watch(spikes);
  runOnce(dni);
  return [
    signals(file, 'psi.L', state, psi.L),
    ...compareWindows('psi', seen, psi.windows),
    ...comparePair((part) => `psi.gradients.${part}`, state, psi.gradients),
    ...comparePair((part) => `psi.dni.${part}`, dni, psi.dni),
    signals(file, 'psi_z.L', spikes, psiZ.L),
    ...compareWindows('psi_z', seenZ, psiZ.windows),
    ...comparePair((part) => `psi_z.gradients.${part}`, spikes, psiZ.gradients),
  ];
}

/** Psi learns from window to window while weights are frozen. */
function learning(file: Eprop3File, backend: Backend): Quantity[] {
  const { eta_psi: rate } = file.params;
  const { learning: full, learning_z: ofSpikes } = file.scenarios;
  const state = build(file, backend, { rule: windows(file, { rate }), Psi: file.psi_map });
  const spikes = build(file, backend, { rule: windows(file, { rate, predicts: 'spikes' }), Psi: file.psi_z_map });
  const seen = watch(state);
  const seenZ = watch(spikes);
  const after = ({ run }: Experiment) => signalOf(run.network).Psi;
  return [
    ...compareWindows('learning', seen, full.windows),
    compare('learning.psi_after', after(state), transpose(full.psi_after), exact),
    ...comparePair((part) => `learning.gradients.${part}`, state, full.gradients),
    ...compareWindows('learning_z', seenZ, ofSpikes.windows),
    compare('learning_z.psi_z_after', after(spikes), transpose(ofSpikes.psi_z_after), exact),
    ...comparePair((part) => `learning_z.gradients.${part}`, spikes, ofSpikes.gradients),
  ];
}

/** Weights and Psi change after every window. */
function windowUpdates(file: Eprop3File, backend: Backend): Quantity[] {
  const { T: steps, batch, eta_psi: rate } = file.params;
  const want = file.window_updates;
  const setting = { rule: windows(file, { rate }), Psi: file.psi_map, rate: want.eta_w };
  const experiment = build(file, backend, setting);
  const { run, task } = experiment;
  createFeed(run, task, createRng(1), null, 'train').fill(steps);
  runTrial(run, steps, { learn: true });
  // Where the last window is shorter.
  updateRest(run);
  const { trial, weights, activity } = run.network;
  return [
    compare('window_updates.z', rowsOf(activity[0].z, batch, steps), want.z, 0),
    compare('window_updates.y', rowsOf(trial.y, batch, steps), want.y, exact),
    signals(file, 'window_updates.L', experiment, want.L),
    ...comparePair((part) => `window_updates.${part}`, experiment, want, copyOf(weights)),
    compare('window_updates.w_out', weights.out, want.w_out, exact),
    compare('window_updates.psi_after', signalOf(run.network).Psi, transpose(want.psi_after), exact),
  ];
}

function copyOf(weights: Network['weights']): Record<string, Float64Array> {
  return Object.fromEntries(Object.entries(weights).map(([name, block]) => [name, Float64Array.from(block)]));
}
