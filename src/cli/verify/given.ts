import { z } from 'zod';
import { models } from '../../../models/index.ts';
import { type Network, type NetworkSpec, type Weights, wholesOf } from '../../core/network.ts';
import type { Catalogue, TaskInstance } from '../../core/plugins.ts';
import { createRng } from '../../core/rng.ts';
import { type Rows, rowAt } from '../../core/rows.ts';
import { createFeed } from '../../engine/feed.ts';
import { type Run, runTrial } from '../../engine/run.ts';
import { createExperiment, type Experiment } from '../../experiment/experiment.ts';

/** A trial that a golden file spells out. */
export interface GivenTrial {
  /** [t][i] */
  readonly x: readonly (readonly number[])[];
  /** [t][k] */
  readonly target: readonly (readonly number[])[];
  /** [t]; none where it is left out. */
  readonly reward?: readonly number[];
}

/** Parameters that files of one population of threshold neurons share; decays per step, times in steps. */
export interface BaseParams {
  readonly n_rec: number;
  readonly n_out: number;
  readonly alpha: number;
  readonly rho?: number;
  readonly kappa: number;
  /** Strength of the adaptation of each neuron; left out: LIF. */
  readonly beta?: readonly number[];
  readonly thr: number;
  readonly gamma: number;
  readonly n_ref: number;
  readonly zeta_in: number;
  readonly zeta_out: number;
  readonly T: number;
  readonly batch: number;
}

/** The neuron of such a file, as a configuration says it. */
export function baseNeuron(p: BaseParams): Record<string, unknown> {
  const adaptation = p.beta === undefined ? {} : { adaptation: { decay: p.rho }, adaptBeta: p.beta };
  return {
    kind: p.beta === undefined ? 'lif' : 'alif',
    membrane: { decay: p.alpha },
    vTh: p.thr,
    gamma: p.gamma,
    nRef: p.n_ref,
    inputScale: scaleName(p.zeta_in, p.alpha, '1-alpha', 'zeta_in'),
    ...adaptation,
  };
}

/** Its readout. */
export function baseReadout(p: BaseParams, bias: boolean): Record<string, unknown> {
  const scale = scaleName(p.zeta_out, p.kappa, '1-kappa', 'zeta_out');
  return { kind: 'leaky', filter: { decay: p.kappa }, scale, bias };
}

/** All streams and steps of rows, one after the other. */
export function rowsOf(rows: Rows, streams: number, steps: number): number[] {
  return Array.from({ length: streams * steps }, (_, at) => {
    const row = rowAt(rows, Math.floor(at / steps), at % steps);
    return Array.from(rows.data.subarray(row, row + rows.size));
  }).flat();
}

/** A network on trials that are given one by one: an experiment whose task is a list. `own`: models in place of ours; `groups` of the input. */
export function givenExperiment(
  config: Record<string, unknown>,
  trials: readonly GivenTrial[],
  own: Partial<Catalogue> = {},
  groups: TaskInstance['inputPopulations'] = [],
): Experiment {
  const steps = trials[0].x.length;
  const task: TaskInstance = {
    nIn: trials[0].x[0].length,
    nOut: trials[0].target[0].length,
    mode: { kind: 'trial', steps },
    statesExpected: false,
    bounds: [],
    testIsNew: false,
    inputPopulations: groups,
    fill(out, _rng, start) {
      const { x, target, reward } = trials[start];
      if (reward) out.reward?.set(reward);
      for (let t = 0; t < steps; t++) {
        out.x.set(x[t], t * out.xStride);
        out.target.set(target[t], t * task.nOut);
        out.weight[t] = 1;
      }
    },
  };
  const model: Catalogue['tasks'][number] = {
    kind: 'given',
    source: 'golden file',
    params: z.strictObject({ kind: z.literal('given') }),
    derive: () => task,
  };
  return createExperiment(
    // The tolerances of golden files are for float64.
    { backend: 'reference', ...config, task: { kind: 'given' }, evaluation: { total: 1, streams: 1 } },
    { ...models, ...own, tasks: [model] },
  );
}

/** Runs one trial with learning on, unless it is off, and weights frozen; `onStep` sees every step. */
export function runOnce(
  experiment: Experiment,
  onStep?: (run: Run, t: number) => void,
  { learn }: { readonly learn: boolean } = { learn: true },
): Run {
  const { run, task, config } = experiment;
  const steps = run.network.spec.sizes.step;
  createFeed(run, task, createRng(config.seed), config.loss.window, 'train').fill(steps);
  runTrial(run, steps, { learn, freeze: true, onStep: onStep && ((t) => onStep(run, t)) });
  return run;
}

/** Loss of the last trial of a training. */
export function trainedLoss(experiment: Experiment): number {
  let loss = Number.NaN;
  experiment.train({
    listener(event) {
      if (event.type === 'trial') loss = event.loss;
    },
  });
  return loss;
}

/** States and traces by their names in golden files and here; `lag`: the step after which the file has the value of step 0. */
export const stateNames = [
  { name: 'v', field: 'v', lag: 0 },
  { name: 'a', field: 'a', lag: 0 },
  { name: 'refractory_before', field: 'refractory', lag: 1 },
] as const;
export const traceNames = [
  { name: 'epsv', field: 'eps', lag: 0 },
  { name: 'epsa', field: 'epsA', lag: 1 },
  { name: 'e', field: 'e', lag: 0 },
  { name: 'ebar', field: 'eBar', lag: 0 },
] as const;

/** Puts a [pre][post] matrix into a projection, whatever its parts. */
export function setProjection({ spec, weights }: Network, name: string, matrix: readonly (readonly number[])[]): void {
  forEachSynapse(spec, name, (part, s, i, j) => {
    weights[part][s] = matrix[i][j];
  });
}

/** The numbers of a projection's synapses as one [pre][post] matrix, 0 where there is none. */
export function projectionMatrix(spec: NetworkSpec, values: Weights, name: string): Float64Array {
  const whole = wholesOf(spec).find((candidate) => candidate.name === name);
  const { nPre, nPost } = whole?.synapses ?? { nPre: 0, nPost: 0 };
  const matrix = new Float64Array(nPre * nPost);
  forEachSynapse(spec, name, (part, s, i, j) => {
    matrix[i * nPost + j] = values[part][s];
  });
  return matrix;
}

function forEachSynapse(
  spec: NetworkSpec,
  name: string,
  action: (part: string, s: number, pre: number, post: number) => void,
): void {
  const whole = wholesOf(spec).find((candidate) => candidate.name === name);
  if (!whole) throw new Error(`no projection ${name}`);
  for (const { name: part, synapses } of whole.parts) {
    const { nPre, rowStart, post } = synapses;
    for (let i = 0; i < nPre; i++) for (let s = rowStart[i]; s < rowStart[i + 1]; s++) action(part, s, i, post[s]);
  }
}

/** Presynaptic-major copy of a [post][pre] matrix. */
export function transpose(matrix: readonly (readonly number[])[]): number[][] {
  return matrix[0].map((_, i) => matrix.map((row) => row[i]));
}

/** A [t][i] raster from the list of spike steps of every input. */
export function rasterOf(spikes: readonly (readonly number[])[], steps: number): number[][] {
  const x = Array.from({ length: steps }, () => new Array<number>(spikes.length).fill(0));
  spikes.forEach((times, i) => {
    for (const t of times) x[t][i] = 1;
  });
  return x;
}

/** Name of a published scale: 1, or one minus the decay. */
export function scaleName<T extends string>(value: number, decay: number, complement: T, path: string): '1' | T {
  if (value === 1) return '1';
  if (Math.abs(value - (1 - decay)) < 1e-12) return complement;
  throw new Error(`${path}: scale ${value} is neither 1 nor 1 - decay`);
}
