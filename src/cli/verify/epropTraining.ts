import { createRng } from '../../core/rng.ts';
import { createFeed } from '../../engine/feed.ts';
import { gradientOf, runTrial } from '../../engine/run.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { type GivenTrial, givenExperiment, rasterOf } from './given.ts';
import { compare, notChecked, type Quantity, type Subject } from './report.ts';

/** A golden file of kind `eprop-training`: the losses of a few updates of one network. */
export interface EpropTrainingFile {
  readonly params: {
    readonly dt_ms: number;
    readonly storage?: string;
    readonly n_rec: number;
    readonly n_out: number;
    readonly T: number;
    readonly tau_m: number;
    readonly tau_a: number | null;
    readonly tau_out: number;
    readonly zeta_in: '1' | '1-alpha';
    readonly zeta_out: '1' | '1-kappa';
    readonly v_th: number;
    readonly adapt_beta: readonly number[];
    readonly gamma: number;
    readonly n_ref: number;
    readonly loss: string;
    readonly window_start: number;
    readonly window_length: number;
    readonly error_scale: number;
    readonly c_reg: number;
    readonly f_target_per_ms: number;
    readonly optimizer:
      | { readonly kind: 'sgd'; readonly eta: number }
      | {
          readonly kind: 'adam';
          readonly eta: number;
          readonly beta1: number;
          readonly beta2: number;
          readonly epsilon: number;
        };
  };
  readonly w_in: readonly number[];
  readonly w_rec: readonly number[];
  readonly w_out: readonly number[];
  readonly feedback: readonly number[];
  readonly trials: readonly {
    readonly input_spikes: readonly (readonly number[])[];
    readonly target?: readonly number[];
    readonly label?: number;
  }[];
  readonly order: readonly number[];
  readonly gradient_norms_w_in_w_rec_w_out?: readonly (readonly number[])[];
  readonly mean_rate_hz?: readonly number[];
  readonly [quantity: string]: unknown;
}

/** Trains as the file says and compares loss, gradient norms and rate before every update. */
export function verifyEpropTraining(file: EpropTrainingFile, { backend, tolerance }: Subject): Quantity[] {
  const { losses, rates, norms } = trainGiven(file, backend);
  const exact = file.params.optimizer.kind === 'adam' ? 1e-9 : 1e-10;
  const tolerances: Readonly<Record<string, number>> = { loss_own: exact, loss_nest: exact, loss_tensorflow: 1e-6 };
  const results: Quantity[] = [];
  for (const name of Object.keys(file).filter((key) => key.startsWith('loss_'))) {
    if (name in tolerances) results.push(compare(name, losses, file[name] as number[], tolerance(tolerances[name])));
    else results.push(notChecked(name, 'no tolerance is known for this source'));
  }
  const wantedNorms = file.gradient_norms_w_in_w_rec_w_out;
  if (wantedNorms) results.push(compare('gradient_norms_w_in_w_rec_w_out', norms, wantedNorms, tolerance(1e-8)));
  if (file.mean_rate_hz) results.push(compare('mean_rate_hz', rates, file.mean_rate_hz, tolerance(1e-10)));
  return results;
}

/** The network of the file with its weights, on the trials of the file. */
export function buildTraining({ params: p, ...file }: EpropTrainingFile, backend = 'reference'): Experiment {
  const { eta, ...optimizer } = p.optimizer;
  const classes = p.loss !== 'half-sum-square';
  const experiment = givenExperiment(
    {
      network: {
        dtMs: p.dt_ms,
        neurons: p.n_rec,
        neuron: {
          kind: p.tau_a === null ? 'lif' : 'alif',
          membrane: { tauMs: p.tau_m },
          vTh: p.v_th,
          gamma: p.gamma,
          nRef: p.n_ref,
          inputScale: p.zeta_in,
          ...(p.tau_a === null ? {} : { adaptation: { tauMs: p.tau_a }, adaptBeta: p.adapt_beta }),
        },
        readout: { kind: 'leaky', filter: { tauMs: p.tau_out }, scale: p.zeta_out, bias: false },
      },
      rule: { name: 'e-prop-1', feedback: 'random' },
      loss: {
        kind: classes ? 'softmax' : 'square',
        scale: p.error_scale,
        window: { start: p.window_start, length: p.window_length },
      },
      rateTerm: { strength: p.c_reg, targetHz: 1000 * p.f_target_per_ms, mean: 'trial' },
      optimizer: { ...optimizer, rates: { in: eta, rec: eta, out: eta } },
      training: { total: file.order.length },
      backend,
    },
    file.order.map((trial) => givenTrial(p, file.trials[trial])),
  );
  const { weights, state } = experiment.run.network;
  const stored = p.storage === 'float32' ? Math.fround : (value: number) => value;
  weights.in.set(file.w_in.map(stored));
  weights.rec.set(file.w_rec.map(stored));
  weights.out.set(file.w_out.map(stored));
  state.field('population.rec.signal.B').set(file.feedback.map(stored));
  return experiment;
}

function givenTrial(p: EpropTrainingFile['params'], trial: EpropTrainingFile['trials'][number]): GivenTrial {
  const target = Array.from({ length: p.T }, (_, t) =>
    Array.from({ length: p.n_out }, (_unused, k) =>
      trial.target ? trial.target[t * p.n_out + k] : trial.label === k ? 1 : 0,
    ),
  );
  return { x: rasterOf(trial.input_spikes, p.T), target };
}

function trainGiven(
  file: EpropTrainingFile,
  backend: Subject['backend'],
): { losses: number[]; rates: number[]; norms: number[] } {
  const experiment = buildTraining(file, backend);
  const { params } = file;
  const perTrial = params.loss === 'half-sum-square' ? params.window_length : 1;
  const losses: number[] = [];
  const rates: number[] = [];
  const norms: number[] = gradientNorms(experiment, 0);
  const training = experiment.trainTrials({
    listener(event) {
      if (event.type !== 'trial') return;
      losses.push(event.lossPerStep * perTrial);
      rates.push(event.rateHz);
    },
  });
  for (const _ of training) {
    if (losses.length < file.order.length) norms.push(...gradientNorms(experiment, losses.length));
  }
  return { losses, rates, norms };
}

/** Norms of the gradients that the next update will use, from a run of its own on the same trial and weights. */
function gradientNorms(experiment: Experiment, trial: number): number[] {
  const { run } = experiment.observer();
  run.clock.trial = trial;
  const steps = run.network.spec.sizes.step;
  createFeed(run, experiment.task, createRng(0), experiment.config.loss.window, 'train').fill(steps);
  runTrial(run, steps, { learn: true, freeze: true });
  const gradient = gradientOf(run);
  return [gradient.in, gradient.rec, gradient.out].map((block) => Math.hypot(...block));
}
