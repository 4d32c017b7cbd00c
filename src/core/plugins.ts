import type { ZodType } from 'zod';
import type { ErrorSpikes } from './errorSpikes.ts';
import type { Bound } from './events.ts';
import type { Layout, Real, Sizes, Views } from './layout.ts';
import type { FastLoops } from './loops.ts';
import type { Projection } from './projection.ts';
import type { Rng } from './rng.ts';

/**
 * The whole-time arrays of one trial, for all streams. Each is written by one stage and read by later ones.
 * Row r of `z` is step r - history: the rows before step 0 are the last ones of the trial before.
 */
export interface TrialArrays {
  /** Input, the constant 1 of the bias last. [stream][step][in] */
  readonly x: Real;
  /** Spikes, or rates of rate neurons. [stream][history + step][rec] */
  readonly z: Real;
  /** Pseudo-derivative dz/dv, 0 while refractory; phi' for rate neurons. [stream][step][rec] */
  readonly psi: Real;
  /** Readout before the softmax. [stream][step][out] */
  readonly y: Real;
  /** Target of the loss. [stream][step][out] */
  readonly target: Real;
  /** Expected target, for scoring without label noise. [stream][step][out] */
  readonly expected: Real;
  /** Weight of a step in the loss, 0 outside its window. [stream][step] */
  readonly weight: Real;
  /** dE/dy. [stream][step][out] */
  readonly error: Real;
  /** Learning signal of each neuron. [stream][step][rec] */
  readonly signal: Real;
  /** Summed weighted input, not yet scaled by the input gain; empty where nothing reads it. [stream][step][rec] */
  readonly current: Real;
  /** Firing-rate term c (f_j - f*), added to the signal of the unfiltered trace. [stream][step][rec] */
  readonly rateTerm: Real;
}

export interface Weights {
  /** Input weights, the bias row last. [pre][post] as stored by the projection */
  readonly wIn: Real;
  /** Recurrent weights. [pre][post] */
  readonly wRec: Real;
  /** Readout weights. [rec][out] */
  readonly wOut: Real;
  /** Readout bias, 0 and fixed where the readout has none. [out] */
  readonly bOut: Real;
}

// ---------------------------------------------------------------- kernels
//
// A fast backend has a kernel of its own for the parts that name one here; the plain step of the plug-in stays the oracle.
// A part with `kernel: null` runs on the reference backend only.

/** LIF or ALIF with triangular pseudo-derivative; the names are those of the neurons' doc comments. */
export interface ThresholdKernel {
  readonly name: 'threshold';
  readonly decay: number;
  readonly gain: number;
  readonly vTh: number;
  readonly psiHeight: number;
  readonly psiWidth: number;
  readonly nRef: number;
  readonly orEqual: boolean;
  readonly resetToZero: boolean;
  /** Values that psi can have, 0 and its height included; null for all in between. */
  readonly psiLevels: number | null;
  readonly adaptation: { readonly decay: number; readonly strength: Real } | null;
}

export interface LeakyReadoutKernel {
  readonly name: 'leaky';
}

export interface LossKernel {
  readonly name: 'square' | 'softmax' | 'bernoulli';
}

/** L = B error, with B the field `signal.B` or the readout's own weights. */
export interface BroadcastKernel {
  readonly name: 'broadcast';
  readonly matrix: 'B' | 'wOut';
  /** Share that B keeps per update when it follows the readout; null for a matrix that does not change. */
  readonly keep: number | null;
  /** Errors as events; null for errors as numbers. */
  readonly errorSpikes: ErrorSpikes | null;
}

/** V = q + J^T A f with the fields `signal.A`, `J`, `features`, `distal`, `losses` and `norms`; see `models/signals/dendrite.ts`. */
export interface DendriteKernel {
  readonly name: 'dendrite';
  readonly matrix: 'B' | 'wOut';
  readonly keep: null;
  readonly errorSpikes: ErrorSpikes | null;
  readonly delays: number;
  readonly label: boolean;
  readonly features: number;
  /** The readout's filter, through which it sees activity. */
  readonly readoutDecay: number;
  readonly readoutGain: number;
  /** Factor from V to the signal. */
  readonly gain: number;
  readonly stepsPerPhase: number;
  readonly rateA: number;
  readonly rateJ: number;
  /** Rate of the running means; null for rates of A and J as they are. */
  readonly normRate: number | null;
  readonly powersOfTwo: boolean;
}

/** Backpropagation through time with the feedback of a broadcast. */
export interface BpttKernel {
  readonly name: 'bptt';
  readonly matrix: 'B' | 'wOut';
  /** Steps back that an error reaches; null for the whole trial. */
  readonly window: number | null;
  /** Steps whose errors go back together. */
  readonly segment: number | null;
  /** Whether errors of a segment that is cut short are left out. */
  readonly drops: boolean;
  /** What a spike takes off its own membrane, as far as credit goes through it. */
  readonly resetGain: number;
}

/** The eligibility trace; its dynamics are the neuron's, but for the filter on the presynaptic side. */
export interface EligibilityKernel {
  readonly name: 'eligibility';
  readonly resetGain: number;
  readonly rateTermAfterTrial: boolean;
  /** No state per synapse. */
  readonly outer: boolean;
  /** Decay of the presynaptic filter: the membrane's, or 0 for a trace without one. */
  readonly decay: number;
  /** Steps after which the output filter is 0 again; null for never. */
  readonly restartEvery: number | null;
  /** Whether the neuron's adaptation is part of it. */
  readonly adaptive: boolean;
}

// ---------------------------------------------------------------- neurons

/** The neuron's local dynamics as a trace needs them: which recursion, and its constants. */
export interface EligibilityDynamics {
  /** `filter-then-post`: psi_j F(p_i), LIF and ALIF. `post-then-filter`: F(psi_j p_i), leaky rate neurons. */
  readonly form: 'filter-then-post' | 'post-then-filter';
  /** Decay of the presynaptic filter (membrane) or of the rate, per step. */
  readonly decay: number;
  /** Factor on the presynaptic activity. */
  readonly gain: number;
  /** Decay of the adaptation per step, and its strength per neuron [rec]; null without adaptation. */
  readonly adaptation: { readonly decay: number; readonly strength: Real } | null;
  /** What a spike takes off its own membrane one step later; 0 for rate neurons. */
  readonly resetGain: number;
}

export interface NeuronBinding {
  readonly sizes: Sizes;
  readonly state: Views;
  readonly trial: TrialArrays;
  /** Summed weighted input of this step, not yet scaled by the input gain. [rec] */
  readonly current: Real;
  /** The backend's own inner loops, in place of the plain ones. */
  readonly loops?: FastLoops | undefined;
}

/** `step(b, t)` reads `current` and row t-1 of z, advances the state, writes row t of z and psi. */
export type NeuronStep = (stream: number, t: number) => void;

export interface NeuronInstance {
  /** `initial` of a field is its value at the start and after a reset: a rest potential. */
  readonly layout: Layout;
  /**
   * How current and spikes act on the membrane, where that is one of the forms that traces and direct rules know. It is compared
   * with what the neuron does when a network is built. null: dynamics of another form, which no part may rely on.
   */
  readonly eligibility: EligibilityDynamics | null;
  /** Threshold of every neuron now, for figures; null for rate neurons. */
  readonly threshold: ((state: Views, stream: number, out: Real) => void) | null;
  /** Name of the state that is drawn as the membrane. */
  readonly membrane: string;
  /** A spike blocks the next nRef - 1 steps. */
  readonly nRef: number;
  readonly kernel: ThresholdKernel | null;
  bind(binding: NeuronBinding): NeuronStep;
}

/** A neuron model: parameters are checked by its schema, derived once, and trusted by the step. */
export interface NeuronModel<P = never> {
  readonly kind: string;
  readonly source: string;
  readonly spiking: boolean;
  readonly params: ZodType<P>;
  derive(params: P, context: { readonly dtMs: number; readonly nRec: number }): NeuronInstance;
}

// ---------------------------------------------------------------- readouts

export interface ReadoutBinding {
  readonly sizes: Sizes;
  readonly state: Views;
  readonly trial: TrialArrays;
  readonly weights: Weights;
  /** The backend's own inner loops, in place of the plain ones. */
  readonly loops?: FastLoops | undefined;
}

export interface ReadoutInstance {
  /** Fields that `restarts` are what learning keeps, the others what the readout itself does; the names are the readout's own. */
  readonly layout: Layout;
  /** kappa and the gain on its input, which an eligibility trace filtered for this readout must share. */
  readonly decay: number;
  readonly gain: number;
  readonly bias: boolean;
  readonly kernel: LeakyReadoutKernel | null;
  bind(binding: ReadoutBinding): (stream: number, t: number) => void;
  /** Gradient of W_out and b_out from the error: step by step, or of a whole trial at once without state. */
  bindGradient(binding: ReadoutBinding & { readonly gradient: Weights }): {
    step(stream: number, t: number): void;
    deferred(stream: number, steps: number): void;
  };
}

export interface ReadoutModel<P = never> {
  readonly kind: string;
  readonly source: string;
  readonly params: ZodType<P>;
  derive(params: P, context: { readonly dtMs: number }): ReadoutInstance;
}

// ---------------------------------------------------------------- losses

/** A loss of one step: `error` is dE/dy, `value` the loss. Both read one row of y and of the target. */
export interface Loss {
  /** Whether the largest output names a class, so that an accuracy means something. */
  readonly classification: boolean;
  readonly kernel: LossKernel | null;
  error(error: Real, y: Real, target: Real, row: number, nOut: number): void;
  value(y: Real, target: Real, row: number, nOut: number): number;
}

/** A loss: its parameters stand beside `scale` and `window` in the configuration. */
export interface LossModel<P = never> {
  readonly kind: string;
  readonly source: string;
  readonly params: ZodType<P>;
  derive(params: P): Loss;
}

// ---------------------------------------------------------------- rules

/** Everything that a trace or a signal may look at. A footprint names the ones it uses. */
export type Quantity =
  | 'x'
  | 'z'
  | 'zPrev'
  | 'psi'
  | 'current'
  | 'y'
  | 'error'
  | 'target'
  | 'rateTerm'
  | 'wIn'
  | 'wRec'
  | 'wOut'
  | 'signal';

/** Which variables a part reads and in which phases it runs; where its own state lives is in its layout. */
export interface Footprint {
  readonly reads: readonly Quantity[];
  readonly phases: readonly ('soma' | 'dendrite')[];
}

export interface RuleContext {
  readonly dtMs: number;
  /** What is kept of the past follows from the rule, so it is not among them. */
  readonly sizes: Omit<Sizes, 'history'>;
  /** @throws UnsupportedError when it is read and the neuron declares none of the known forms */
  readonly neuron: EligibilityDynamics;
  readonly readout: { readonly decay: number; readonly gain: number };
  /** For parts that draw numbers while they run: split it by a count of their own state, so that a run can be resumed. */
  readonly rng: Rng;
  /** Rates of a part's own matrices are rounded to the nearest power of two whenever they are applied. */
  readonly powersOfTwo: boolean;
}

export interface SignalBinding {
  readonly sizes: Sizes;
  readonly state: Views;
  readonly trial: TrialArrays;
  readonly weights: Weights;
  readonly projections: { readonly in: Projection; readonly rec: Projection };
  /** The backend's own inner loops, in place of the plain ones. */
  readonly loops?: FastLoops | undefined;
}

export interface BoundSignal {
  /** Writes row t of `signal` for every stream, then updates the signal's own matrices. s(t) scales their rates. */
  step(t: number, rateScale: number): void;
  /** The step that W_out takes in this update (subtracted from it), [rec][out]. */
  readoutStep?(step: Real): void;
}

export interface SignalInstance {
  readonly layout: Layout;
  readonly footprint: Footprint;
  /** Whether the field `losses` holds the summed losses of its A and J over the trial, and the number of phases. */
  readonly keepsLosses: boolean;
  /** Steps between the ones at which it learns and is not 0. */
  readonly stepsPerPhase: number;
  /** `error`: refers to the error, so the trace must pass through the readout's filter. `credit`: refers to z itself. */
  readonly refersTo: 'error' | 'credit';
  /** Share of W_out that is lost after every update, for feedback that aligns with it. */
  readonly readoutDecay: number;
  /** Field that takes the steps of W_out (`readoutStep`) and loses the same share; null: none does. */
  readonly followsReadout: string | null;
  readonly kernel: BroadcastKernel | DendriteKernel | null;
  /** Draws its matrices; the weights are there already. */
  init(state: Views, sizes: Sizes, rng: Rng, network: Pick<SignalBinding, 'weights' | 'projections'>): void;
  bind(binding: SignalBinding): BoundSignal;
}

export interface SignalModel<P = never> {
  readonly kind: string;
  readonly source: string;
  readonly params: ZodType<P>;
  derive(params: P, context: RuleContext): SignalInstance;
}

/** The filter that a trace must apply before it meets the signal. decay 0 and gain 1: none. */
export interface OutputFilter {
  readonly decay: number;
  readonly gain: number;
}

export interface TraceBinding {
  readonly sizes: Sizes;
  readonly state: Views;
  readonly trial: TrialArrays;
  readonly projections: { readonly in: Projection; readonly rec: Projection };
  /** Gradient of the weights, same shapes; a trace only adds to it. */
  readonly gradient: Weights;
  /** The backend's own inner loops, in place of the plain ones. */
  readonly loops?: FastLoops | undefined;
}

export interface BoundTrace {
  /** Row t of every stream: advance the traces, add trace x signal to the gradient. */
  step(t: number): void;
  /** After the last step of a trial: terms that need the whole trial (the rate term with the trial's own rate). */
  finish(steps: number): void;
}

export interface TraceContext extends RuleContext {
  readonly filter: OutputFilter;
  /** True where the rate term is known only after the trial. */
  readonly rateTermAfterTrial: boolean;
  readonly borderSpikes: 'keep' | 'drop';
}

export interface TraceInstance {
  readonly layout: Layout;
  /** What it applies of `context.filter` before it meets the signal; decay 0: nothing. */
  readonly filter: OutputFilter;
  /** A trace that does not read `rateTerm` cannot be used where the firing-rate term is on. */
  readonly footprint: Footprint;
  readonly kernel: EligibilityKernel | null;
  /** Online execution: the definition. */
  bind(binding: TraceBinding): BoundTrace;
  /** The same gradient of a whole trial from t = steps-1 down to 0, without synaptic state; null if there is none. */
  readonly bindDeferred: ((binding: TraceBinding) => (steps: number) => void) | null;
}

export interface TraceModel<P = never> {
  readonly kind: string;
  readonly source: string;
  readonly params: ZodType<P>;
  derive(params: P, context: TraceContext): TraceInstance;
}

// ---------------------------------------------------------------- direct rules

/** What a direct rule is bound to. Its matrices and its traces are one group of state, `direct`. */
export interface DirectBinding {
  readonly sizes: Sizes;
  readonly state: Views;
  readonly trial: TrialArrays;
  readonly weights: Weights;
  readonly projections: { readonly in: Projection; readonly rec: Projection };
  /** Gradient of W_in and W_rec; a direct rule only adds to it. */
  readonly gradient: Weights;
}

export interface DirectContext extends RuleContext {
  readonly borderSpikes: 'keep' | 'drop';
}

export interface DirectInstance {
  readonly layout: Layout;
  /** Rows of past steps that have to be kept until their errors have gone back; none where the rule goes forwards. */
  readonly past: Layout;
  /** What a chip would have to keep besides, though it lies in arrays that no checkpoint needs. */
  readonly work: Layout;
  /** Products of the recurrent Jacobian with a vector, per step and on average. */
  readonly jacobianProducts: number;
  readonly footprint: Footprint;
  /**
   * `step`: it is asked after every step. `update`: it is asked once for all steps since the last update of the weights, or
   * since the trial began.
   */
  readonly grain: 'step' | 'update';
  readonly kernel: BpttKernel | null;
  init(state: Views, sizes: Sizes, rng: Rng): void;
  /** The returned function adds what the steps [t0, t1) of all streams owe. It is called for all steps of a trial, in order. */
  bind(binding: DirectBinding): (t0: number, t1: number) => void;
}

/**
 * A rule that makes the gradient of W_in and W_rec itself, from derivatives that no product of a synapse's trace and a
 * neuron's signal can hold: backpropagation through time, real-time recurrent learning and its estimates.
 */
export interface DirectModel<P = never> {
  readonly kind: string;
  readonly source: string;
  readonly params: ZodType<P>;
  derive(params: P, context: DirectContext): DirectInstance;
}

export interface PluginChoice {
  readonly kind: string;
  readonly [parameter: string]: unknown;
}

/** What a rule is made of: a trace and a signal, or one part that makes the gradient itself. */
export type RuleParts =
  | { readonly trace: PluginChoice; readonly signal: PluginChoice }
  | { readonly direct: PluginChoice };

/** A published rule: its parts, named and with their parameters. null: only the readout learns. */
export interface Rule<P = never> {
  readonly name: string;
  readonly source: string;
  readonly summary: string;
  readonly params: ZodType<P>;
  parts(params: P): RuleParts | null;
}

// ---------------------------------------------------------------- optimisers

export interface Optimizer {
  readonly kind: string;
  /** Which update it is and its constants, for backends with a kernel of their own; null: plain step only. */
  readonly kernel:
    | { readonly name: 'sgd' }
    | { readonly name: 'momentum'; readonly momentum: number }
    | { readonly name: 'adam'; readonly beta1: number; readonly beta2: number; readonly epsilon: number }
    | { readonly name: 'one-step'; readonly deltas: readonly number[]; readonly key: number }
    | null;
  /** Copies of the weights that it keeps. */
  readonly slots: readonly string[];
  /**
   * Turns a gradient into the step to be subtracted, in place. `count` is the number of this update, from 1, `block` the place
   * of the gradient among the blocks of weights, for draws.
   */
  step(gradient: Real, slots: readonly Real[], rate: number, count: number, block: number): void;
}

// ---------------------------------------------------------------- tasks

/** One stream's arrays for the steps [0, steps) of a trial; rows of x have `xStride` entries. */
export interface TrialTarget {
  readonly x: Real;
  readonly target: Real;
  readonly expected: Real;
  readonly weight: Real;
  readonly steps: number;
  readonly xStride: number;
}

/** What trials are for: weights learn from `train`; scores, figures of fresh data and `eval` are of `test`. */
export type Split = 'train' | 'test';

export interface TaskInstance {
  readonly nIn: number;
  readonly nOut: number;
  /** Endless streams are cut into chunks of any length; trials have a length of their own. */
  readonly mode:
    | { readonly kind: 'stream'; readonly stepsPerSymbol: number }
    | { readonly kind: 'trial'; readonly steps: number };
  /** Whether `expected` is filled. */
  readonly statesExpected: boolean;
  readonly bounds: readonly Bound[];
  /**
   * Whether trials of the split `test` are new to a network that has seen those of `train`. False for a task of one trial, which is
   * to be learned by heart: its evaluation is on what it was trained on.
   */
  readonly testIsNew: boolean;
  /** Bytes of tables that it keeps, once the first trial has been filled; 0 where it is left out. */
  readonly bytes?: number;
  /** Populations of the input, for rasters. */
  readonly inputPopulations: readonly { readonly label: string; readonly size: number }[];
  /**
   * Fills one stream's trial. A pure function of (parameters, rng, position, split): `start` is the first step of a stream
   * since its beginning, or the index of a trial. Generators of the two splits differ too; a task that draws its trials from `rng`
   * alone need not look at `split`, one that has a set of them must keep the two apart.
   */
  fill(out: TrialTarget, rng: Rng, start: number, split: Split): void;
}

export interface TaskModel<P = never> {
  readonly kind: string;
  readonly source: string;
  readonly params: ZodType<P>;
  derive(params: P, context: { readonly dtMs: number; readonly rng: Rng }): TaskInstance;
}

// ---------------------------------------------------------------- registries

/** A registry holds models of different parameters: each one's own schema has checked what its `derive` is given. */
export type Entry<Model extends { readonly params: unknown }> = Omit<Model, 'params'> & { readonly params: ZodType };

/** What a run may choose from. The machine never imports the catalogues; it is handed this. */
export interface Catalogue {
  readonly neurons: readonly Entry<NeuronModel>[];
  readonly readouts: readonly Entry<ReadoutModel>[];
  readonly losses: readonly Entry<LossModel>[];
  readonly traces: readonly Entry<TraceModel>[];
  readonly signals: readonly Entry<SignalModel>[];
  readonly direct: readonly Entry<DirectModel>[];
  readonly rules: readonly Entry<Rule>[];
  readonly tasks: readonly Entry<TaskModel>[];
}
