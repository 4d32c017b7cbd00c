import type { Experiment } from '../../experiment/experiment.ts';
import { givenExperiment, rasterOf, transpose } from './given.ts';
import { compare, flatten, type Nested, type Quantity, type Subject } from './report.ts';

type Matrix = readonly (readonly number[])[];

interface CaseSpec {
  readonly n_lif: number;
  readonly n_alif: number;
  readonly steps_per_interval: number;
  readonly learning_window: number;
  readonly n_intervals: number;
  readonly dt_ms: number;
  readonly reset_on_update: boolean;
  readonly rec: {
    readonly tau_m: number;
    readonly V_th: number;
    readonly t_ref: number;
    readonly c_reg: number;
    readonly f_target: number;
    readonly regular_spike_arrival: boolean;
    readonly surrogate_gradient_function: string;
    readonly surrogate_gradient_height: number;
    readonly surrogate_gradient_width: number;
  };
  readonly alif: { readonly adapt_tau: number; readonly adapt_beta: number };
  readonly out: { readonly tau_m: number; readonly regular_spike_arrival: boolean; readonly loss: string };
  readonly average_gradient: boolean;
  readonly optimizer: {
    readonly type: string;
    readonly batch_size: number;
    readonly eta: number;
    readonly beta_1?: number;
    readonly beta_2?: number;
    readonly epsilon?: number;
    readonly Wmin: number;
    readonly Wmax: number;
  };
  readonly W_in: Matrix;
  readonly W_rec: Matrix;
  readonly W_out: Matrix;
  readonly B: Matrix;
  readonly input_spikes: readonly Matrix[];
  readonly target: readonly Matrix[];
}

interface CaseResult {
  readonly v_rec: Nested;
  readonly psi_rec: Nested;
  readonly threshold_alif: Nested;
  readonly adaptation_alif: Nested;
  readonly v_out: Nested;
  readonly error: Nested;
  readonly readout: Nested;
  readonly spike_times: readonly Matrix[];
  readonly weights_after: readonly { readonly W_in: Matrix; readonly W_rec: Matrix; readonly W_out: Matrix }[];
  readonly loss: readonly number[];
}

/** A golden file of kind `nest-eprop-intervals`: NEST's own states and weights, interval by interval. */
export interface NestFile {
  readonly cases: Readonly<Record<string, { readonly spec: CaseSpec; readonly result: CaseResult }>>;
}

export function verifyNestIntervals(file: NestFile, subject: Subject): Quantity[] {
  return Object.entries(file.cases).flatMap(([name, { spec, result }]) => verifyCase(name, spec, result, subject));
}

/** Everything that one trained interval leaves behind. */
interface Interval {
  readonly wIn: Float64Array;
  readonly wRec: Float64Array;
  readonly wOut: Float64Array;
}

function verifyCase(name: string, spec: CaseSpec, want: CaseResult, subject: Subject): Quantity[] {
  const experiment = build(spec, subject);
  const { run } = experiment;
  const { trial, state, spec: network, activity } = run.network;
  const { step: steps, out: nOut } = network.sizes;
  const n = network.populations[0].size;
  const [{ z, psi }] = activity;
  const { n_lif: nLif } = spec;
  const seen: Record<'v' | 'threshold' | 'a' | 'psi' | 'y' | 'error' | 'z' | 'loss', number[]> = {
    v: [],
    threshold: [],
    a: [],
    psi: [],
    y: [],
    error: [],
    z: [],
    loss: [],
  };
  const after: Interval[] = [];
  const row = new Float64Array(n);
  const training = experiment.trainTrials({
    recorder: {
      fields: [],
      wants: () => true,
      step(of) {
        seen.v.push(...state.field('population.rec.v'));
        of.network.spec.populations[0].neuron.threshold?.(state.views('population.rec'), 0, row);
        seen.threshold.push(...row.subarray(nLif));
        seen.a.push(...state.field('population.rec.a').subarray(nLif));
      },
    },
    listener(event) {
      if (event.type === 'trial') seen.loss.push(event.lossPerStep * (isSquare(spec) ? spec.learning_window : 1));
    },
  });
  for (const _ of training) {
    seen.psi.push(...psi.data.subarray(0, steps * n));
    seen.y.push(...trial.y.data.subarray(0, steps * nOut));
    seen.error.push(...trial.error.data.subarray(0, steps * nOut));
    seen.z.push(...z.data.subarray(n, (steps + 1) * n));
    const { in: wIn, rec: wRec, out: wOut } = run.network.weights;
    after.push({ wIn: Float64Array.from(wIn), wRec: Float64Array.from(wRec), wOut: Float64Array.from(wOut) });
  }
  const scale = gradientScale(spec);
  const quantity = (field: string, got: ArrayLike<number>, wanted: Nested, tolerance = 1e-10) =>
    compare(`${name}.${field}`, got, wanted, subject.tolerance(tolerance));
  return [
    quantity('spike_times', seen.z, rasters(want.spike_times, steps), 0),
    quantity('v_rec', seen.v, want.v_rec),
    quantity('threshold_alif', seen.threshold, want.threshold_alif),
    quantity('adaptation_alif', seen.a, want.adaptation_alif),
    quantity('psi_rec', seen.psi, want.psi_rec),
    quantity('v_out', seen.y, want.v_out),
    quantity(
      'error',
      seen.error.map((value) => value / scale),
      want.error,
    ),
    quantity('readout', outputs(seen.error, spec, scale), want.readout),
    quantity('loss', seen.loss, want.loss),
    ...after.flatMap(({ wIn, wRec, wOut }, j) => [
      quantity(`weights_after.${j}.W_in`, wIn, transpose(want.weights_after[j].W_in), 1e-9),
      quantity(`weights_after.${j}.W_rec`, wRec, transpose(want.weights_after[j].W_rec), 1e-9),
      quantity(`weights_after.${j}.W_out`, wOut, transpose(want.weights_after[j].W_out), 1e-9),
    ]),
  ];
}

function isSquare(spec: CaseSpec): boolean {
  return spec.out.loss === 'mean_squared_error';
}

/** NEST's average_gradient divides the whole gradient, rate term included, by the learning window. */
function gradientScale(spec: CaseSpec): number {
  return spec.average_gradient ? 1 / spec.learning_window : 1;
}

function build(spec: CaseSpec, { backend }: Subject): Experiment {
  const { rec, out, optimizer: o, steps_per_interval: steps, dt_ms: dtMs } = spec;
  if (rec.surrogate_gradient_function !== 'piecewise_linear') {
    throw new Error(`surrogate "${rec.surrogate_gradient_function}" is not known, only "piecewise_linear"`);
  }
  const scale = gradientScale(spec);
  const adam = { kind: 'adam', beta1: o.beta_1, beta2: o.beta_2, epsilon: o.epsilon };
  const experiment = givenExperiment(
    {
      network: {
        dtMs,
        neurons: spec.n_lif + spec.n_alif,
        neuron: {
          kind: 'alif',
          membrane: { tauMs: rec.tau_m },
          adaptation: { tauMs: spec.alif.adapt_tau },
          adaptBeta: Array.from({ length: spec.n_lif + spec.n_alif }, (_, j) =>
            j < spec.n_lif ? 0 : spec.alif.adapt_beta,
          ),
          vTh: rec.V_th,
          psiHeight: rec.surrogate_gradient_height,
          psiWidth: rec.surrogate_gradient_width,
          nRef: Math.round(rec.t_ref / dtMs),
          inputScale: rec.regular_spike_arrival ? '1' : '1-alpha',
          fires: '>=',
        },
        readout: {
          kind: 'leaky',
          filter: { tauMs: out.tau_m },
          scale: out.regular_spike_arrival ? '1' : '1-kappa',
          bias: false,
        },
        borderSpikes: 'drop',
      },
      // NEST's trace carries the factor 1 - kappa whatever the readout's own scale is.
      rule: { name: 'e-prop-1', feedback: 'random', filterScale: '1-kappa' },
      backend,
      loss: {
        kind: isSquare(spec) ? 'square' : 'softmax',
        scale,
        window: { start: steps - spec.learning_window, length: spec.learning_window },
      },
      rateTerm: { strength: rec.c_reg * scale, targetHz: rec.f_target, mean: 'trial' },
      optimizer: {
        ...(o.type === 'adam' ? adam : { kind: 'sgd' }),
        rates: { in: o.eta, rec: o.eta, out: o.eta },
        clamp: [o.Wmin, o.Wmax],
      },
      training: {
        total: spec.n_intervals,
        update: { every: o.batch_size, unit: 'trial' },
        state: spec.reset_on_update ? 'reset' : 'carry',
        traces: 'restart',
      },
    },
    spec.input_spikes.map((spikes, j) => ({ x: rasterOf(spikes, steps), target: transpose(spec.target[j]) })),
  );
  const { weights, state } = experiment.run.network;
  weights.in.set(flatten(transpose(spec.W_in)));
  weights.rec.set(flatten(transpose(spec.W_rec)));
  weights.out.set(flatten(transpose(spec.W_out)));
  state.field('population.rec.signal.B').set(flatten(spec.B));
  return experiment;
}

function rasters(times: readonly Matrix[], steps: number): number[][][] {
  return times.map((interval) => rasterOf(interval, steps));
}

/** NEST's readout is listed where it is scored, after the softmax if there is one: the error plus its target. */
function outputs(error: readonly number[], spec: CaseSpec, scale: number): number[] {
  const { steps_per_interval: steps, learning_window: window } = spec;
  const targets = spec.target.flatMap((interval) => transpose(interval));
  return targets.flatMap((row, step) =>
    row.map((value, k) => (step % steps >= steps - window ? error[step * row.length + k] / scale + value : 0)),
  );
}
