import type { ZodType } from 'zod';
import type { ErrorSpikes } from './errorSpikes.ts';
import type { Bound } from './events.ts';
import type { Layout, Real, Sizes, Views } from './layout.ts';
import type { FastLoops } from './loops.ts';
import type { Projection } from './projection.ts';
import type { Rng } from './rng.ts';
import type { Rows } from './rows.ts';

/** Rows of a whole trial that belong to no population, for all streams. Columns of outputs are those of the readouts, one after the other. */
export interface TrialRows {
  /** The task's input, its last column the constant 1 of a plastic bias. [stream][history + step][in] */
  readonly x: Rows;
  /** Readouts before the softmax. [stream][step][out] */
  readonly y: Rows;
  /** Target of the loss. [stream][step][out] */
  readonly target: Rows;
  /** Expected target, for scoring without label noise. [stream][step][out] */
  readonly expected: Rows;
  /** Weight of a step in the loss, 0 outside its window. [stream][step][1] */
  readonly weight: Rows;
  /** dE/dy. [stream][step][out] */
  readonly error: Rows;
}

/** Rows of a whole trial of one population. Each is written by one stage and read by later ones. */
export interface Activity {
  /** Spikes, or rates of rate neurons; the rows before step 0 are the last ones of the trial before. [stream][history + step][self] */
  readonly z: Rows;
  /** Pseudo-derivative dz/dv, 0 while refractory; phi' for rate neurons. [stream][step][self] */
  readonly psi: Rows;
  /** Summed weighted input, not yet scaled by the input gain; of no length where nothing reads it. [stream][step][self] */
  readonly current: Rows;
  /** Firing-rate term c (f_j - f*), added to the signal of the unfiltered trace. [stream][step][self] */
  readonly rateTerm: Rows;
  /** Learning signal of each neuron, one for every channel of the network. [stream][step][self] */
  readonly signals: readonly Rows[];
}

// ---------------------------------------------------------------- kernels
//
// A fast backend has a kernel of its own for the parts that name one here; the plain step of the plug-in stays the oracle.
// A part with `kernel: null` runs on the reference backend only.

export type NeuronKernel = ThresholdKernel | CellsKernel | IntegratorKernel | RateKernel;

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

/** Threshold neurons that differ, leak to somewhere else than 0, or filter their input first. [self] each */
export interface CellsKernel
  extends Pick<ThresholdKernel, 'nRef' | 'orEqual' | 'resetToZero' | 'psiLevels'>,
    Readonly<Record<'decay' | 'gain' | 'leak' | 'vTh' | 'psiHeight' | 'psiWidth', Real>> {
  readonly name: 'cells';
  readonly adaptation: { readonly decay: Real; readonly strength: Real } | null;
  /** Decay of the synaptic current; null: input reaches the membrane in its own step. */
  readonly synapse: Real | null;
}

/** Leaky integrators whose value stands where others have their spike. [self] each */
export interface IntegratorKernel {
  readonly name: 'integrator';
  readonly decay: Real;
  readonly gain: Real;
}

/** Leaky tanh neurons. */
export interface RateKernel {
  readonly name: 'rate';
  readonly decay: number;
  readonly gain: number;
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
  readonly matrix: 'B' | 'readout';
  /** Share that B keeps per update when it follows the readout; null for a matrix that does not change. */
  readonly keep: number | null;
  /** Errors as events; null for errors as numbers. */
  readonly errorSpikes: ErrorSpikes | null;
}

/** V = q + J^T A f with the fields `signal.A`, `J`, `features`, `distal`, `losses` and `norms`; see `models/signals/dendrite.ts`. */
export interface DendriteKernel {
  readonly name: 'dendrite';
  readonly matrix: 'B' | 'readout';
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
  readonly matrix: 'B' | 'readout';
  /** Steps back that an error reaches; null for the whole trial. */
  readonly window: number | null;
  /** Steps whose errors go back together. */
  readonly segment: number | null;
  /** Whether errors of a segment that is cut short are left out. */
  readonly drops: boolean;
  /** Whether credit goes through what a spike takes off its own membrane. */
  readonly attached: boolean;
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
  /** What it follows, and whether the neuron's own reset is part of it. */
  readonly dynamics: NeuronDynamics;
  readonly attached: boolean;
}

// ---------------------------------------------------------------- neurons

/**
 * A neuron's derivatives: how a small change of its input, of its state and of its own spike goes on. Everything that makes a
 * gradient reads them. One of two closed forms, for which there are loops, where all neurons of a population have the same
 * constants; else the matrices of each neuron.
 */
export type NeuronDynamics = ClosedDynamics | LinearDynamics;

export interface ClosedDynamics {
  /** `filter-then-post`: psi_j F(p_i), LIF and ALIF. `post-then-filter`: F(psi_j p_i), leaky rate neurons. */
  readonly form: 'filter-then-post' | 'post-then-filter';
  /** Decay of the presynaptic filter (membrane) or of the rate, per step. */
  readonly decay: number;
  /** Factor on the presynaptic activity. */
  readonly gain: number;
  /** Decay of the adaptation per step, and its strength per neuron [self]; null without adaptation. */
  readonly adaptation: { readonly decay: number; readonly strength: Real } | null;
  /** What a spike takes off its own membrane one step later; 0 for rate neurons. */
  readonly resetGain: number;
}

/**
 * The local Jacobian, m states h a neuron, constant in time but for psi:
 *
 *     dh(t) = transition dh(t-1) + input g dI(t) + (own - reset) dz(t-1)
 *     dz(t) = f read . dh(t)                          `spike`: f = psi(t), g = 1; `input`: f = 1, g = psi(t)
 */
export interface LinearDynamics {
  readonly form: 'linear';
  /** m */
  readonly states: number;
  readonly gate: 'spike' | 'input';
  /** Row r, column k: what state k of the step before adds to state r. [self][m][m] */
  readonly transition: Real;
  /** What a unit of summed input adds to each state in its step. [self][m] */
  readonly input: Real;
  /** What the neuron's own spike adds to each state one step later: an adaptation. [self][m] */
  readonly own: Real;
  /** What its spike takes off each state one step later; credit goes through it only where a rule says so. [self][m] */
  readonly reset: Real;
  /** What each state adds to the distance from the threshold, or to the rate. [self][m] */
  readonly read: Real;
}

export interface PopulationSizes extends Sizes {
  readonly stream: number;
  readonly step: number;
  readonly self: number;
}

export interface NeuronBinding {
  readonly sizes: PopulationSizes;
  readonly state: Views;
  readonly z: Rows;
  readonly psi: Rows;
  /** Summed weighted input of this step, not yet scaled by the input gain. [self] */
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
   * Its derivatives, compared with what the neuron does when a network is built. null: dynamics of another form, which no part may
   * rely on.
   */
  readonly eligibility: NeuronDynamics | null;
  /** Threshold of every neuron now, for figures; null for rate neurons. */
  readonly threshold: ((state: Views, stream: number, out: Real) => void) | null;
  /** Name of the state that is drawn as the membrane. */
  readonly membrane: string;
  /** A spike blocks the next nRef - 1 steps. */
  readonly nRef: number;
  readonly kernel: NeuronKernel | null;
  bind(binding: NeuronBinding): NeuronStep;
}

export interface NeuronContext {
  readonly dtMs: number;
  /** Neurons of the population. */
  readonly size: number;
  /** Where the parameters stand in what the user wrote, for messages: `network.populations.exc.neuron`. */
  readonly path: string;
  /** For parameters that are drawn, neuron by neuron. */
  readonly rng: Rng;
}

/** A neuron model: parameters are checked by its schema, derived once, and trusted by the step. */
export interface NeuronModel<P = never> {
  readonly kind: string;
  readonly source: string;
  readonly spiking: boolean;
  readonly params: ZodType<P>;
  derive(params: P, context: NeuronContext): NeuronInstance;
}

// ---------------------------------------------------------------- readouts

export interface ReadoutSizes extends Sizes {
  readonly stream: number;
  readonly step: number;
  /** Neurons that it reads, of all its populations. */
  readonly pre: number;
  readonly out: number;
}

export interface ReadoutBinding {
  readonly sizes: ReadoutSizes;
  readonly state: Views;
  /** Activity of the populations that it reads, in the order of the rows of its weights. */
  readonly reads: readonly Rows[];
  readonly y: Rows;
  readonly error: Rows;
  /** [pre][out] */
  readonly weights: Real;
  /** 0 and fixed where the readout has none. [out] */
  readonly bias: Real;
  /** The backend's own inner loops, in place of the plain ones. */
  readonly loops?: FastLoops | undefined;
}

export interface ReadoutGradientBinding extends ReadoutBinding {
  /** A readout only adds to it. [pre][out] and [out] */
  readonly gradient: { readonly weights: Real; readonly bias: Real };
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
  /** Gradient of weights and bias from the error: step by step, or of a whole trial at once without state. */
  bindGradient(binding: ReadoutGradientBinding): {
    step(stream: number, t: number): void;
    deferred(stream: number, steps: number): void;
  };
}

export interface ReadoutModel<P = never> {
  readonly kind: string;
  readonly source: string;
  readonly params: ZodType<P>;
  derive(params: P, context: { readonly dtMs: number; readonly path: string }): ReadoutInstance;
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

/**
 * Everything that a part of a rule may look at; a footprint names the ones it uses. `pre`: what arrives at a projection; `z`, `psi`,
 * `current`, `rateTerm`, `signal`: of its own population; `input`: the task's; `weights`: of projections; `readout`: the weights of
 * readouts.
 */
export type Quantity =
  | 'pre'
  | 'input'
  | 'z'
  | 'psi'
  | 'current'
  | 'error'
  | 'target'
  | 'rateTerm'
  | 'signal'
  | 'weights'
  | 'readout';

/** Which variables a part reads and in which phases it runs; where its own state lives is in its layout. */
export interface Footprint {
  readonly reads: readonly Quantity[];
  readonly phases: readonly ('soma' | 'dendrite')[];
}

/** What every part of a rule is derived from. */
export interface PartContext {
  readonly dtMs: number;
  /** For parts that draw numbers while they run: split it by a count of their own state, so that a run can be resumed. */
  readonly rng: Rng;
  /** Rates of a part's own matrices are rounded to the nearest power of two whenever they are applied. */
  readonly powersOfTwo: boolean;
}

export interface SignalSizes extends PopulationSizes {
  /** Outputs of the readouts whose errors it hears. */
  readonly out: number;
  /** The task's input, its constant included. */
  readonly in: number;
}

export interface SignalContext extends PartContext {
  readonly sizes: SignalSizes;
  /** @throws UnsupportedError when it is read and the neuron declares none of the known forms */
  readonly neuron: NeuronDynamics;
  /** The filter of the readouts that it hears. */
  readonly readout: OutputFilter;
}

/** A readout as a population that it reads sees it. */
export interface ReadoutView {
  /** Its weights from this population on. [self][size], then those of the populations behind it */
  readonly weights: Real;
  readonly size: number;
  /** Its first column in the rows of outputs that the signal hears. */
  readonly column: number;
}

/** Synapses that end on a population. */
export interface SynapsesView {
  readonly projection: Projection;
  readonly weights: Real;
  readonly delay: number;
  /** Of the task's input: the first column that they read; 0 of a population. */
  readonly from: number;
}

export interface SignalBinding {
  readonly sizes: SignalSizes;
  readonly state: Views;
  readonly z: Rows;
  readonly psi: Rows;
  readonly current: Rows;
  readonly signal: Rows;
  /** Errors and targets of the readouts that it hears. */
  readonly error: Rows;
  readonly target: Rows;
  readonly input: Rows;
  /** Those of them that read this population. */
  readonly readouts: readonly ReadoutView[];
  /** From the population itself, and from the task's input. */
  readonly recurrent: readonly SynapsesView[];
  readonly inputs: readonly SynapsesView[];
  /** The backend's own inner loops, in place of the plain ones. */
  readonly loops?: FastLoops | undefined;
}

export interface BoundSignal {
  /** Writes row t of `signal` for every stream, then updates the signal's own matrices. s(t) scales their rates. */
  step(t: number, rateScale: number): void;
  /** The step that the weights of a readout, by its place in `readouts`, take in this update (subtracted from them). [self][size] */
  readoutStep?(readout: number, step: Real): void;
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
  /** Share of the weights of its readouts that is lost after every update, for feedback that aligns with them. */
  readonly readoutDecay: number;
  /** Field that takes the steps of readouts (`readoutStep`) and loses the same share, [self][out]; null: none does. */
  readonly followsReadout: string | null;
  readonly kernel: BroadcastKernel | DendriteKernel | null;
  /** Draws its matrices; the weights are there already. */
  init(state: Views, rng: Rng, network: Pick<SignalBinding, 'readouts' | 'recurrent' | 'inputs'>): void;
  bind(binding: SignalBinding): BoundSignal;
}

export interface SignalModel<P = never> {
  readonly kind: string;
  readonly source: string;
  readonly params: ZodType<P>;
  derive(params: P, context: SignalContext): SignalInstance;
}

/** The filter that a trace must apply before it meets the signal. decay 0 and gain 1: none. */
export interface OutputFilter {
  readonly decay: number;
  readonly gain: number;
}

export interface ProjectionSizes extends Sizes {
  readonly stream: number;
  readonly step: number;
  readonly pre: number;
  readonly post: number;
  readonly syn: number;
}

export interface TraceBinding {
  readonly sizes: ProjectionSizes;
  readonly state: Views;
  /** Activity of the presynaptic side; row t - delay arrives at step t. */
  readonly pre: Rows;
  readonly delay: number;
  /** Of the postsynaptic population. */
  readonly psi: Rows;
  readonly signal: Rows;
  readonly rateTerm: Rows;
  readonly projection: Projection;
  /** Gradient of the weights; a trace only adds to it. [syn] */
  readonly gradient: Real;
  /** The backend's own inner loops, in place of the plain ones. */
  readonly loops?: FastLoops | undefined;
}

export interface BoundTrace {
  /** Row t of every stream: advance the traces, add trace x signal to the gradient. */
  step(t: number): void;
  /** After the last step of a trial: terms that need the whole trial (the rate term with the trial's own rate). */
  finish(steps: number): void;
}

export interface TraceContext extends PartContext {
  /** Of the postsynaptic population. @throws UnsupportedError when it is read and the neuron declares none of the known forms */
  readonly neuron: NeuronDynamics;
  /** The filter of the readouts whose errors it meets. */
  readonly readout: OutputFilter;
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

/** Both ends of a projection in the lists of its network. */
export interface ProjectionShape {
  readonly name: string;
  /** Its population; null: the task's input. */
  readonly pre: number | null;
  readonly post: number;
  /** Steps. */
  readonly delay: number;
  readonly synapses: Projection;
}

/** What a direct rule knows of the network before it has any memory. */
export interface NetworkShape {
  readonly sizes: { readonly stream: number; readonly step: number; readonly in: number; readonly out: number };
  readonly populations: readonly { readonly name: string; readonly size: number }[];
  readonly projections: readonly ProjectionShape[];
  readonly readouts: readonly ReadoutShape[];
}

export interface ReadoutShape extends OutputFilter {
  readonly name: string;
  /** Populations that it reads, in the order of the rows of its weights. */
  readonly reads: readonly number[];
  readonly size: number;
  /** Its first column in the rows of outputs. */
  readonly column: number;
}

export interface DirectContext extends PartContext {
  readonly network: NetworkShape;
  /** Dynamics of each population. @throws UnsupportedError when they are read and a neuron declares none of the known forms */
  readonly neurons: readonly NeuronDynamics[];
  readonly borderSpikes: 'keep' | 'drop';
}

/** What a direct rule is bound to; lists are those of its network. Its own matrices and traces are one group of state, `direct`. */
export interface DirectBinding {
  readonly network: NetworkShape;
  readonly state: Views;
  readonly error: Rows;
  readonly populations: readonly { readonly psi: Rows; readonly signal: Rows }[];
  /** Gradient: a direct rule only adds to it. Weights and gradient [syn] */
  readonly projections: readonly { readonly pre: Rows; readonly weights: Real; readonly gradient: Real }[];
  /** Weights [pre][out] of each readout. */
  readonly readouts: readonly { readonly weights: Real }[];
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
  init(state: Views, rng: Rng): void;
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
