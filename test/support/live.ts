import { expect } from 'vitest';
import { z } from 'zod';
import { models } from '../../models/index.ts';
import type { NetworkSpec } from '../../src/core/network.ts';
import type {
  Catalogue,
  EligibilityDynamics,
  Entry,
  TaskInstance,
  TaskModel,
  Weights,
} from '../../src/core/plugins.ts';
import { createRng, type Rng } from '../../src/core/rng.ts';
import { createFeed } from '../../src/engine/feed.ts';
import { gradientOf, type Run, runTrial, type TrialOptions } from '../../src/engine/run.ts';
import { createExperiment, type Experiment } from '../../src/experiment/experiment.ts';

/** Small networks that fire in a live range, for every neuron model, and the task that drives them. */

const liveParams = z.strictObject({
  kind: z.literal('live'),
  mode: z.enum(['trial', 'stream']).default('trial'),
  steps: z.number().default(50),
  inputs: z.number().default(4),
  outputs: z.number().default(3),
  target: z.enum(['real', 'one-hot', 'bits']).default('real'),
  seed: z.number().default(11),
});

/**
 * Graded random pulses with random targets and step weights of 0, 1/2 and 1; a function of the step alone, so that one
 * stream of six trials sees what six streams see at once. In `stream` mode the streams differ.
 */
export const liveTask: TaskModel<z.infer<typeof liveParams>> = {
  kind: 'live',
  source: 'test',
  params: liveParams,
  derive(p): TaskInstance {
    return {
      nIn: p.inputs,
      nOut: p.outputs,
      mode: p.mode === 'trial' ? { kind: 'trial', steps: p.steps } : { kind: 'stream', stepsPerSymbol: 1 },
      statesExpected: true,
      bounds: [],
      testIsNew: false,
      inputPopulations: [{ label: 'input', size: p.inputs }],
      fill(out, rng, start) {
        const source = p.mode === 'trial' ? createRng(p.seed) : rng;
        const first = p.mode === 'trial' ? start * p.steps : start;
        for (let t = 0; t < out.steps; t++) {
          const step = source.split(first + t);
          for (let i = 0; i < p.inputs; i++) out.x[t * out.xStride + i] = step.bernoulli(0.4) * (0.5 + step.uniform());
          for (let k = 0; k < p.outputs; k++) out.expected[t * p.outputs + k] = step.uniform();
          writeTarget(out.target, t * p.outputs, p.outputs, p.target, step);
          out.weight[t] = step.integer(3) / 2;
        }
      },
    };
  },
};

function writeTarget(target: { [index: number]: number }, row: number, n: number, kind: string, rng: Rng): void {
  const label = rng.integer(n);
  for (let k = 0; k < n; k++) {
    const value = kind === 'real' ? rng.normal() : kind === 'bits' ? rng.bernoulli(0.5) : k === label ? 1 : 0;
    target[row + k] = value;
  }
}

export const liveCatalogue: Catalogue = { ...models, tasks: [liveTask as unknown as Entry<TaskModel>] };

/** A neuron model with parameters at which the network below is alive. */
export interface LiveNeuron {
  readonly label: string;
  readonly params: { readonly kind: string; readonly [parameter: string]: unknown };
}

/** Settings of every registered neuron model; a model without a row here fails the suites. */
const neuronRows: readonly LiveNeuron[] = [
  { label: 'lif', params: { kind: 'lif', membrane: { decay: 0.8 }, vTh: 0.6, nRef: 3, psiWidth: 1.2 } },
  { label: 'lif, scaled input', params: { kind: 'lif', membrane: { decay: 0.7 }, vTh: 0.2, inputScale: '1-alpha' } },
  {
    label: 'lif, reset to zero',
    params: { kind: 'lif', membrane: { decay: 0.8 }, vTh: 0.5, reset: 'zero', fires: '>=' },
  },
  {
    label: 'alif',
    params: {
      kind: 'alif',
      membrane: { decay: 0.85 },
      adaptation: { decay: 0.96 },
      adaptBeta: [0, 0.3, 0.25, 0, 0.2, 0.15, 0.1],
      vTh: 0.5,
      nRef: 2,
      psiHeight: 0.5,
      psiWidth: 0.9,
    },
  },
  {
    label: 'alif, scaled input',
    params: {
      kind: 'alif',
      membrane: { decay: 0.7 },
      adaptation: { decay: 0.9 },
      adaptBeta: 0.1,
      adaptiveShare: 0.6,
      vTh: 0.2,
      inputScale: '1-alpha',
    },
  },
  {
    label: 'alif, reset to zero',
    params: {
      kind: 'alif',
      membrane: { decay: 0.8 },
      adaptation: { decay: 0.9 },
      adaptBeta: 0.1,
      vTh: 0.5,
      reset: 'zero',
    },
  },
  { label: 'rate', params: { kind: 'rate' } },
  { label: 'rate, leaky', params: { kind: 'rate', leak: { decay: 0.6 } } },
];

export const liveNeurons: readonly LiveNeuron[] = models.neurons.flatMap(({ kind }) => {
  const rows = neuronRows.filter(({ params }) => params.kind === kind);
  if (rows.length === 0) throw new Error(`test/support/live.ts has no parameters for neuron "${kind}"`);
  return rows;
});

export interface LiveReadout {
  readonly label: string;
  readonly params: { readonly kind: string; readonly [parameter: string]: unknown };
}

const readoutRows: readonly LiveReadout[] = [
  { label: 'kappa 0', params: { kind: 'leaky', filter: { decay: 0 } } },
  { label: 'kappa 0.7', params: { kind: 'leaky', filter: { decay: 0.7 } } },
  { label: 'kappa 0.7, unscaled', params: { kind: 'leaky', filter: { decay: 0.7 }, scale: '1', bias: false } },
];

export const liveReadouts: readonly LiveReadout[] = models.readouts.flatMap(({ kind }) => {
  const rows = readoutRows.filter(({ params }) => params.kind === kind);
  if (rows.length === 0) throw new Error(`test/support/live.ts has no parameters for readout "${kind}"`);
  return rows;
});

/** Number of recurrent neurons of every live network. */
export const liveSize = 7;

export interface LiveOptions {
  readonly neuron?: LiveNeuron | undefined;
  readonly readout?: LiveReadout | undefined;
  readonly rule?: { readonly name: string; readonly [parameter: string]: unknown };
  readonly task?: Readonly<Record<string, unknown>>;
  readonly network?: Readonly<Record<string, unknown>>;
  readonly loss?: Readonly<Record<string, unknown>>;
  readonly rateTerm?: Readonly<Record<string, unknown>>;
  readonly optimizer?: Readonly<Record<string, unknown>>;
  readonly training?: Readonly<Record<string, unknown>>;
  readonly seed?: number;
}

/** The configuration of a live network, each part open to change. */
export function liveConfig(options: LiveOptions = {}): Record<string, unknown> {
  return {
    seed: options.seed ?? 5,
    backend: 'reference',
    task: { kind: 'live', ...options.task },
    network: {
      neurons: liveSize,
      neuron: (options.neuron ?? liveNeurons[0]).params,
      readout: (options.readout ?? liveReadouts[1]).params,
      input: { init: { kind: 'normal', gain: 1.2 }, bias: 0.15 },
      ...options.network,
    },
    rule: options.rule ?? { name: 'e-prop-1' },
    loss: { kind: 'square', ...options.loss },
    rateTerm: { ...options.rateTerm },
    optimizer: { kind: 'sgd', rates: { in: 0.01, rec: 0.01, out: 0.01 }, ...options.optimizer },
    training: { total: 12, streams: 2, ...options.training },
    evaluation: { total: 2, streams: 1 },
  };
}

export function liveExperiment(options: LiveOptions = {}): Experiment {
  return createExperiment(liveConfig(options), liveCatalogue);
}

/** Fills and runs the next trial of a run, by default with learning on and the weights left as they are. */
export function doTrial(
  { run, task, config }: Experiment,
  options: Partial<TrialOptions> & { steps?: number } = {},
): Run {
  const steps = options.steps ?? run.network.spec.sizes.step;
  createFeed(run, task, createRng(config.seed).split('data'), config.loss.window, 'train').fill(steps);
  runTrial(run, steps, { learn: true, freeze: true, ...options });
  return run;
}

/** Gradient of one trial of a network that is shown to be alive first. */
export function liveGradient(options: LiveOptions): Weights {
  const run = doTrial(liveExperiment(options));
  assertAlive(run);
  return gradientOf(run);
}

/** All blocks of a gradient (or of weights) as arrays, for comparison. */
export function blocks({ wIn, wRec, wOut, bOut }: Weights): Float64Array[] {
  return [wIn, wRec, wOut, bOut].map((block) => Float64Array.from(block));
}

/**
 * The trial just run is one in which gradients mean something: neurons fire, not all of them and not always, the
 * pseudo-derivative is open often enough, and no number is odd.
 */
export function assertAlive({ network }: Run): void {
  const { spec, trial } = network;
  const { rec: n, history, step: steps, stream: streams } = spec.sizes;
  const activity = Array.from({ length: streams }, (_, b) => {
    const first = (b * (history + steps) + history) * n;
    return Array.from(trial.z.subarray(first, first + steps * n));
  }).flat();
  const mean = activity.reduce((sum, value) => sum + Math.abs(value), 0) / activity.length;
  const firing = Array.from({ length: n }, (_, j) => activity.some((value, s) => s % n === j && value !== 0));
  const open = trial.psi.filter((value) => value !== 0).length / trial.psi.length;
  expect(activity.every(Number.isFinite), 'activity is finite').toBe(true);
  expect(mean, 'mean activity of a live network').toBeGreaterThan(0.03);
  expect(mean, 'mean activity of a live network').toBeLessThan(0.7);
  expect(firing.filter(Boolean).length, 'neurons that fire').toBeGreaterThanOrEqual(n - 1);
  expect(open, 'share of steps with an open pseudo-derivative').toBeGreaterThan(0.1);
  if (spec.spiking) expect(new Set(activity)).toEqual(new Set([0, 1]));
}

/** The dynamics that a network's neuron declares; all of ours do. */
export function dynamicsOf({ neuron }: NetworkSpec): EligibilityDynamics {
  if (!neuron.eligibility) throw new Error('a neuron without declared dynamics');
  return neuron.eligibility;
}
