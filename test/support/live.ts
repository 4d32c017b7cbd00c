import { expect } from 'vitest';
import { z } from 'zod';
import { models } from '../../models/index.ts';
import { UnsupportedError } from '../../src/core/errors.ts';
import type { NetworkSpec, Weights } from '../../src/core/network.ts';
import type {
  Catalogue,
  ClosedDynamics,
  Entry,
  NeuronDynamics,
  TaskInstance,
  TaskModel,
} from '../../src/core/plugins.ts';
import { createRng, type Rng } from '../../src/core/rng.ts';
import { rowAt } from '../../src/core/rows.ts';
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
  decisionSteps: z.number().default(1),
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
      mode:
        p.mode === 'trial'
          ? { kind: 'trial', steps: p.steps, decisionSteps: p.decisionSteps }
          : { kind: 'stream', stepsPerSymbol: 1 },
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
    label: 'lif, less than its threshold off',
    params: { kind: 'lif', membrane: { decay: 0.8 }, vTh: 0.6, resetBy: 0.5, psiWidth: 1.2 },
  },
  {
    label: 'lif, reset to a value',
    params: { kind: 'lif', membrane: { decay: 0.8 }, vTh: 0.5, reset: 'zero', resetTo: -0.1 },
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
  { label: 'rate, leak before the tanh', params: { kind: 'rate', leaks: 'potential', leak: { decay: 0.6 } } },
  {
    label: 'lif, each by its own constants',
    params: {
      kind: 'lif',
      membrane: { decay: { kind: 'uniform', low: 0.6, high: 0.9 } },
      vTh: { kind: 'normal', mean: 0.6, sd: 0.03 },
      rest: 0.05,
      nRef: 2,
      psiWidth: { kind: 'uniform', low: 1, high: 1.3 },
    },
  },
  {
    label: 'alif, each by its own constants',
    params: {
      kind: 'alif',
      membrane: { tauMs: { kind: 'log-normal', median: 4, sigma: 0.2 } },
      vTh: 0.5,
      adaptation: { decay: { kind: 'uniform', low: 0.8, high: 0.97 } },
      adaptBeta: { kind: 'uniform', low: 0, high: 0.3 },
    },
  },
  {
    label: 'cuba-lif',
    params: { kind: 'cuba-lif', membrane: { decay: 0.7 }, synapse: { decay: 0.4 }, vTh: 0.8, nRef: 2, psiWidth: 1.4 },
  },
  { label: 'integrator', params: { kind: 'integrator', leak: { decay: { kind: 'uniform', low: 0.9, high: 0.98 } } } },
];

export const liveNeurons: readonly LiveNeuron[] = models.neurons.flatMap(({ kind }) => {
  const rows = neuronRows.filter(({ params }) => params.kind === kind);
  if (rows.length === 0) throw new Error(`test/support/live.ts has no parameters for neuron "${kind}"`);
  return rows;
});

/** Whether neurons have spikes, and not rates. */
export function fires({ params: { kind } }: LiveNeuron): boolean {
  return kind !== 'rate' && kind !== 'integrator';
}

/** Whether psi stands behind the filter of the membrane, as it does for spikes. */
export function gatesOutput(neuron: LiveNeuron): boolean {
  return fires(neuron) || neuron.params.leaks === 'potential';
}

/** Whether a spike takes the threshold off its own membrane. */
export function subtracts(neuron: LiveNeuron): boolean {
  return fires(neuron) && neuron.params.reset !== 'zero';
}

/** Whether the derivatives are matrices: neurons that differ in more than their adaptation, rest beside 0, have a reset of their own or two stages. */
export function hasMatrices({ params }: LiveNeuron): boolean {
  const { kind, membrane, adaptation, rest, resetBy, resetTo, vTh } = params;
  const spread = (value: unknown): boolean => JSON.stringify(value ?? null).includes('"kind"');
  const own = [rest, resetBy, resetTo].some((value) => value !== undefined);
  return kind === 'cuba-lif' || kind === 'integrator' || own || spread([membrane, adaptation, vTh]);
}

type Choice = Readonly<Record<string, unknown>>;

/** What the named rules of segregated dendrites are made of, as far as it may be refused. */
const dendriteParts: Readonly<Record<string, { readonly trace?: Choice; readonly signal?: Choice }>> = {
  'sg-r-d-lean': { trace: { presynapticFilter: false } },
  dni: { trace: { presynapticFilter: false } },
  'sg-z': { signal: { jacobian: 'gated' } },
  'sg-v': {
    trace: { presynapticFilter: false, gate: 'none' },
    signal: { jacobian: 'gated', credit: 'membrane' },
  },
  'sg-d': { signal: { jacobian: 'gated', credit: 'membrane' } },
};

/**
 * Whether neurons are such that a rule must refuse them.
 * @returns what the error says: one of the reasons there are; null for a rule that works
 */
export function isRefused(rule: Choice, neuron: LiveNeuron): RegExp | null {
  const parts = rule.name === 'factored' ? rule : { trace: rule, signal: rule, ...dendriteParts[String(rule.name)] };
  const [trace, signal] = [parts.trace, parts.signal] as Choice[];
  const one = 'needs neurons with one filter and the same constants in all of a population';
  const matrices = hasMatrices(neuron);
  const jacobian = rule.jacobian ?? signal.jacobian ?? 'linear';
  const reasons: readonly (readonly [boolean, string])[] = [
    [
      matrices && trace.presynapticFilter === false && trace.gate !== 'none',
      `a trace without presynaptic filter ${one}`,
    ],
    [matrices && trace.gate === 'none', `a trace without gate ${one}`],
    [matrices && jacobian !== 'linear', `a Jacobian "${jacobian}" ${one}`],
    [matrices && signal.credit === 'membrane', `the credit of a membrane ${one}`],
    [!gatesOutput(neuron) && signal.credit === 'membrane', 'the credit of a membrane needs a spiking neuron'],
    [
      !subtracts(neuron) && trace.resetInTrace === true,
      'resetInTrace needs a neuron whose reset subtracts the threshold',
    ],
    [
      !subtracts(neuron) && rule.reset === 'attached',
      'reset "attached" needs neurons whose reset subtracts the threshold',
    ],
    [
      rule.name === 'kernl' && (neuron.params.kind !== 'rate' || gatesOutput(neuron)),
      'kernels need leaky rate neurons, whose rate is all that they keep, in the population rec',
    ],
    [
      !gatesOutput(neuron) && rule.name === 'e-prop-3',
      'windows need spiking neurons: the psi of a rate comes too late',
    ],
    [
      !gatesOutput(neuron) && 'leak' in trace,
      'a leak of its own needs the trace "post-then-filter" of a spiking neuron',
    ],
  ];
  const said = reasons.flatMap(([applies, reason]) => (applies ? [`rule: ${reason}`] : []));
  return said.length > 0 ? new RegExp(`^(${said.join('|')})$`) : null;
}

/** A rule that is refused is refused as unsupported, with a reason. */
export function expectRefused(build: () => unknown, refusal: RegExp): void {
  expect(build).toThrow(UnsupportedError);
  expect(build).toThrow(refusal);
}

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
  readonly backend?: string;
}

/** The configuration of a live network, each part open to change. */
export function liveConfig(options: LiveOptions = {}): Record<string, unknown> {
  return {
    seed: options.seed ?? 5,
    backend: options.backend ?? 'reference',
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
export function liveGradient(options: LiveOptions): Record<string, Float64Array> {
  const run = doTrial(liveExperiment(options));
  assertAlive(run);
  return gradientOf(run);
}

/** Names of the blocks of weights of a live network, in their order. */
export const liveBlocks = ['in', 'rec', 'out', 'out.bias'] as const;

/** All blocks of a gradient (or of weights) as arrays, for comparison. */
export function blocks(weights: Weights): Float64Array[] {
  return liveBlocks.map((name) => Float64Array.from(weights[name]));
}

/**
 * The trial just run is one in which gradients mean something: neurons fire, not all of them and not always, the
 * pseudo-derivative is open often enough, and no number is odd.
 */
export function assertAlive({ network }: Run): void {
  const { spec } = network;
  const { step: steps, stream: streams } = spec.sizes;
  spec.populations.forEach(({ size: n, spiking }, p) => {
    const { z, psi } = network.activity[p];
    const activity = Array.from({ length: streams }, (_, b) => {
      const first = rowAt(z, b, 0);
      return Array.from(z.data.subarray(first, first + steps * n));
    }).flat();
    const mean = activity.reduce((sum, value) => sum + Math.abs(value), 0) / activity.length;
    const firing = Array.from({ length: n }, (_, j) => activity.some((value, s) => s % n === j && value !== 0));
    const open = psi.data.filter((value) => value !== 0).length / psi.data.length;
    expect(activity.every(Number.isFinite), 'activity is finite').toBe(true);
    expect(mean, 'mean activity of a live network').toBeGreaterThan(0.03);
    expect(mean, 'mean activity of a live network').toBeLessThan(0.7);
    expect(firing.filter(Boolean).length, 'neurons that fire').toBeGreaterThanOrEqual(n - 1);
    expect(open, 'share of steps with an open pseudo-derivative').toBeGreaterThan(0.1);
    if (spiking) expect(new Set(activity)).toEqual(new Set([0, 1]));
  });
}

/** The dynamics that the neuron of a network declares; all of ours do. */
export function dynamicsOf({ populations: [{ neuron }] }: NetworkSpec): NeuronDynamics {
  if (!neuron.eligibility) throw new Error('a neuron without declared dynamics');
  return neuron.eligibility;
}

/** The same of neurons with a closed form. */
export function closedDynamicsOf(spec: NetworkSpec): ClosedDynamics {
  const dynamics = dynamicsOf(spec);
  if (dynamics.form === 'linear') throw new Error('a neuron whose dynamics are matrices');
  return dynamics;
}
