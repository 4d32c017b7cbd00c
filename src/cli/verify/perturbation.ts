import { nodePerturbationWith, type PerturbationNoise, weightPerturbationWith } from '../../../models/index.ts';
import type { Weights } from '../../core/network.ts';
import type { Catalogue } from '../../core/plugins.ts';
import { createRng } from '../../core/rng.ts';
import { createFeed } from '../../engine/feed.ts';
import { gradientOf, runTrial } from '../../engine/run.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import {
  type BaseParams,
  baseNeuron,
  baseReadout,
  type GivenTrial,
  givenExperiment,
  projectionMatrix,
  rowsOf,
  setProjection,
} from './given.ts';
import { type SeePass, watchPasses } from './passes.ts';
import { compare, flatten, type Quantity, type Subject } from './report.ts';

/** Updates are proportional to a difference of losses, which loses digits. */
const exact = 1e-8;
const plain = 1e-9;

type Matrix = readonly (readonly number[])[];
type Three = Readonly<Record<'w_in' | 'w_rec' | 'w_out', Matrix>>;
type Noise = Three | { readonly recurrent: Matrix; readonly output: Matrix };

interface Presentation {
  readonly kind: 'weight' | 'node';
  readonly noise: Noise;
  readonly loss_perturbed: number;
  readonly eligibility?: Three;
  readonly update: Three;
}

interface SpikingPresentation extends Presentation {
  readonly trial: number;
  readonly loss_0: number;
  readonly spikes_perturbed: number;
  readonly sequential: { readonly loss_0: number; readonly loss_perturbed: number };
}

/** Weight and node perturbation of a spiking and of a rate network, with given noise; see the file's own `meta`. */
export interface PerturbationFile {
  readonly spiking: Three & {
    readonly params: BaseParams & {
      readonly sigma_weight: number;
      readonly sigma_node: number;
      readonly eta: number;
    };
    readonly x: readonly Matrix[];
    readonly target: readonly Matrix[];
    readonly presentations: readonly SpikingPresentation[];
    readonly sequential_weights_after: Three;
  };
  readonly rate: Three & {
    readonly params: { readonly T: number; readonly tau: number; readonly sigma: number; readonly eta: number };
    readonly h0: readonly number[];
    readonly x: Matrix;
    readonly target: Matrix;
    readonly loss_0: number;
    readonly h: Matrix;
    readonly y: Matrix;
    readonly presentations: readonly Presentation[];
    readonly gradient: Three;
  };
}

/** Compares every quantity of the file with what the engine computes. */
export function verifyPerturbation({ spiking, rate }: PerturbationFile, { backend, tolerance }: Subject): Quantity[] {
  return [...verifySpiking(spiking, backend, tolerance), ...verifyRate(rate, backend, tolerance)];
}

/** What there is to see of the two passes of a trial. */
interface Seen {
  readonly losses: number[];
  readonly spikes: number[];
}

/** Our rules with the noise of the file, watched at the end of each pass. */
function watched(noise: Noise, seen: Seen): Catalogue['passes'] {
  const source = sourceOf(noise);
  const see: SeePass = ({ populations: [{ z }] }, _pass, steps, loss) => {
    seen.losses.push(loss[0]);
    seen.spikes.push(rowsOf(z, 1, steps).reduce((sum, spike) => sum + spike, 0));
  };
  return [watchPasses(weightPerturbationWith(source), see), watchPasses(nodePerturbationWith(source), see)];
}

/** Numbers of the file, by the names of our blocks and populations. */
function sourceOf(noise: Noise): PerturbationNoise {
  const places: Readonly<Record<string, Matrix>> =
    'w_in' in noise
      ? { in: noise.w_in, rec: noise.w_rec, out: noise.w_out }
      : { rec: noise.recurrent, out: noise.output };
  return (_trial, _pass, place) => {
    const values = flatten(places[place]);
    let next = 0;
    return (out, from, n) => {
      for (let s = from; s < from + n; s++) out[s] = values[next++];
    };
  };
}

interface Place {
  readonly backend: Subject['backend'];
  readonly config: Readonly<Record<string, unknown>>;
  readonly trial: GivenTrial;
  readonly sigma: number;
  /** Of all weights; 0: they are frozen. */
  readonly rate: number;
  readonly weights: Three;
  readonly h0?: readonly number[];
}

/** One presentation: the experiment after it, and what its passes were like. */
function present(
  { kind, noise }: Pick<Presentation, 'kind' | 'noise'>,
  place: Place,
): Seen & { experiment: Experiment } {
  const { config, trial, sigma, rate, weights, backend, h0 } = place;
  const seen: Seen = { losses: [], spikes: [] };
  const experiment = givenExperiment(
    {
      backend,
      ...config,
      rule: { name: `${kind}-perturbation`, sigma, output: 'perturbed' },
      // The perturbed blocks are those that learn.
      optimizer: { kind: 'sgd', rates: { in: rate || 1, rec: rate || 1, out: rate || 1 } },
      training: {
        total: 1,
        streams: 1,
        state: h0 ? 'carry' : 'reset',
        update: { every: 1, unit: 'trial', reduction: 'sum' },
      },
    },
    [trial],
    { passes: watched(noise, seen) },
  );
  const { run, task, config: resolved } = experiment;
  const { network } = run;
  setProjection(network, 'in', weights.w_in);
  setProjection(network, 'rec', weights.w_rec);
  network.weights.out.set(flatten(weights.w_out));
  if (h0) network.state.field('population.rec.tail').set(h0);
  const steps = network.spec.sizes.step;
  createFeed(run, task, createRng(resolved.seed), null, 'train').fill(steps);
  runTrial(run, steps, { learn: true, freeze: rate === 0 });
  return { ...seen, experiment };
}

const blocks = { w_in: 'in', w_rec: 'rec', w_out: 'out' } as const;

function matrices({ run }: Experiment, values: Weights, factor = 1): Readonly<Record<keyof Three, number[]>> {
  const { spec } = run.network;
  const scaled = (numbers: ArrayLike<number>) => Array.from(numbers, (value) => factor * value);
  return {
    w_in: scaled(projectionMatrix(spec, values, 'in')),
    w_rec: scaled(projectionMatrix(spec, values, 'rec')),
    w_out: scaled(values.out),
  };
}

function compareThree(name: string, got: Readonly<Record<keyof Three, number[]>>, want: Three, tolerance: number) {
  return (Object.keys(blocks) as (keyof Three)[]).map((part) =>
    compare(`${name}.${part}`, got[part], want[part], tolerance),
  );
}

/** Loss, eligibility and update of one presentation with weights as they are. */
function comparePresentation(
  name: string,
  presentation: Presentation,
  place: Place,
  eta: number,
  tolerance: Subject['tolerance'],
): Quantity[] {
  const { experiment, losses } = present(presentation, place);
  const got = gradientOf(experiment.run);
  const { eligibility } = presentation;
  const perDifference = place.sigma ** 2 / (losses[1] - losses[0]);
  return [
    compare(`${name}.loss_perturbed`, [losses[1]], [presentation.loss_perturbed], tolerance(plain)),
    ...compareThree(`${name}.update`, matrices(experiment, got, -eta), presentation.update, tolerance(exact)),
    ...(eligibility
      ? compareThree(`${name}.eligibility`, matrices(experiment, got, perDifference), eligibility, tolerance(exact))
      : []),
  ];
}

function verifySpiking(
  { params: p, x, target, presentations, sequential_weights_after: after, ...weights }: PerturbationFile['spiking'],
  backend: Subject['backend'],
  tolerance: Subject['tolerance'],
): Quantity[] {
  const config = {
    network: {
      populations: { rec: { size: p.n_rec, neuron: baseNeuron(p) } },
      projections: { in: { from: 'input', to: 'rec' }, rec: { from: 'rec', to: 'rec' } },
      readouts: { out: { from: 'rec', readout: baseReadout(p, false) } },
    },
    loss: { kind: 'square', scale: 'sum' },
  };
  const placeOf = ({ trial, kind }: SpikingPresentation, rate: number, now: Three): Place => ({
    backend,
    config,
    trial: { x: x[trial], target: target[trial] },
    sigma: kind === 'weight' ? p.sigma_weight : p.sigma_node,
    rate,
    weights: now,
  });
  const frozen = presentations.flatMap((presentation, k) => {
    const name = `spiking.presentations.${k}`;
    const place = placeOf(presentation, 0, weights);
    const { losses, spikes } = present(presentation, place);
    return [
      compare(`${name}.loss_0`, [losses[0]], [presentation.loss_0], tolerance(plain)),
      compare(`${name}.spikes_perturbed`, [spikes[1]], [presentation.spikes_perturbed], 0),
      ...comparePresentation(name, presentation, place, p.eta, tolerance),
    ];
  });
  let now: Three = weights;
  const sequential = presentations.flatMap((presentation, k) => {
    const { experiment, losses } = present(presentation, placeOf(presentation, p.eta, now));
    const { w_in, w_rec, w_out } = matrices(experiment, experiment.run.network.weights);
    now = {
      w_in: rowsOfMatrix(w_in, p.n_rec),
      w_rec: rowsOfMatrix(w_rec, p.n_rec),
      w_out: rowsOfMatrix(w_out, p.n_out),
    };
    const { loss_0: free, loss_perturbed: perturbed } = presentation.sequential;
    const name = `spiking.presentations.${k}.sequential`;
    return [
      compare(`${name}.loss_0`, [losses[0]], [free], tolerance(exact)),
      compare(`${name}.loss_perturbed`, [losses[1]], [perturbed], tolerance(exact)),
    ];
  });
  const flat = { w_in: flatten(now.w_in), w_rec: flatten(now.w_rec), w_out: flatten(now.w_out) };
  return [...frozen, ...sequential, ...compareThree('spiking.sequential_weights_after', flat, after, tolerance(exact))];
}

function rowsOfMatrix(values: readonly number[], width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width));
}

function verifyRate(
  file: PerturbationFile['rate'],
  backend: Subject['backend'],
  tolerance: Subject['tolerance'],
): Quantity[] {
  const { params: p, x, target, h0, presentations } = file;
  const config = {
    network: {
      populations: { rec: { size: h0.length, neuron: { kind: 'rate', leak: { decay: 1 - 1 / p.tau } } } },
      projections: { in: { from: 'input', to: 'rec' }, rec: { from: 'rec', to: 'rec', autapses: true } },
      readouts: { out: { from: 'rec', readout: { kind: 'leaky', filter: { decay: 0 }, bias: false } } },
    },
    loss: { kind: 'square', scale: 1 / p.T },
  };
  const place: Place = { backend, config, trial: { x, target }, sigma: p.sigma, rate: 0, weights: file, h0 };
  const free = givenExperiment(
    {
      backend,
      ...config,
      rule: { name: 'bptt', feedback: 'symmetric' },
      optimizer: { kind: 'sgd', rates: { in: 0, rec: 0, out: 0 } },
      training: { total: 1, streams: 1, state: 'carry', update: { every: 1, unit: 'trial', reduction: 'sum' } },
    },
    [{ x, target }],
  );
  const { run, task } = free;
  const { network } = run;
  setProjection(network, 'in', file.w_in);
  setProjection(network, 'rec', file.w_rec);
  network.weights.out.set(flatten(file.w_out));
  network.state.field('population.rec.tail').set(h0);
  createFeed(run, task, createRng(1), null, 'train').fill(p.T);
  runTrial(run, p.T, { learn: true, freeze: true });
  const { losses } = present(presentations[0], place);
  return [
    compare('rate.h', rowsOf(network.activity[0].z, 1, p.T), file.h, tolerance(plain)),
    compare('rate.y', rowsOf(network.trial.y, 1, p.T), file.y, tolerance(plain)),
    compare('rate.loss_0', [losses[0]], [file.loss_0], tolerance(plain)),
    ...compareThree('rate.gradient', matrices(free, gradientOf(run)), file.gradient, tolerance(plain)),
    ...presentations.flatMap((presentation, k) =>
      comparePresentation(`rate.presentations.${k}`, presentation, place, p.eta, tolerance),
    ),
  ];
}
