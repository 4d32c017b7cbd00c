import type { ZodType } from 'zod';
import type { ErrorSpikes } from './errorSpikes.ts';
import type { Bound } from './events.ts';
import type { FileStore } from './files.ts';
import type { Layout, Real, Sizes, Views } from './layout.ts';
import type { FastLoops } from './loops.ts';
import type { ArrayLoops } from './noise.ts';
import type { Projection } from './projection.ts';
import type { Rng } from './rng.ts';
import type { Rows } from './rows.ts';
import type { RewiringModel, ScalingModel } from './upkeep.ts';

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
  /** What a task that answers pays at each step; of no width where nothing reads it. [stream][step][1] */
  readonly reward: Rows;
  /** Added to the summed input of readouts, a rule's noise; of no width where nobody injects any. [stream][step][out] */
  readonly injected: Rows;
}

/** Rows of a whole trial of one population. Each is written by one stage and read by later ones. */
export interface Activity {
  /** Spikes, or rates of rate neurons; the rows before step 0 are the last ones of the trial before. [stream][history + step][self] */
  readonly z: Rows;
  /** Pseudo-derivative dz/dv, 0 while refractory; phi' for rate neurons. [stream][step][self] */
  readonly psi: Rows;
  /** Summed weighted input, not yet scaled by the input gain; of no length where nothing reads it. [stream][step][self] */
  readonly current: Rows;
  /** Current added to the summed input, a rule's noise or teacher; of no width where nobody injects any. [stream][step][self] */
  readonly injected: Rows;
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
  /** Tells kernels apart. */
  readonly name: 'threshold';
  /** Of the membrane, per step. */
  readonly decay: number;
  /** Factor on the summed input. */
  readonly gain: number;
  /** Threshold without adaptation, in the unit of the weights. */
  readonly vTh: number;
  /** psi where v is at the threshold. */
  readonly psiHeight: number;
  /** Distance from the threshold at which psi is 0. */
  readonly psiWidth: number;
  /** A spike blocks the next nRef - 1 steps. */
  readonly nRef: number;
  /** Whether v at the threshold is a spike. */
  readonly orEqual: boolean;
  /** Whether a spike sets v to 0; false: it takes vTh off. */
  readonly resetToZero: boolean;
  /** Values that psi can have, 0 and its height included; null for all in between. */
  readonly psiLevels: number | null;
  /** Decay per step and strength of each neuron [self]; null without. */
  readonly adaptation: { readonly decay: number; readonly strength: Real } | null;
}

/** Threshold neurons that differ, leak to somewhere else than 0, or filter their input first. [self] each */
export interface CellsKernel
  extends Pick<ThresholdKernel, 'nRef' | 'orEqual' | 'resetToZero' | 'psiLevels'>,
    Readonly<Record<'decay' | 'gain' | 'leak' | 'vTh' | 'psiHeight' | 'psiWidth', Real>> {
  /** Tells kernels apart. */
  readonly name: 'cells';
  /** Decay per step and strength; null without. [self] each */
  readonly adaptation: { readonly decay: Real; readonly strength: Real } | null;
  /** Decay of the synaptic current; null: input reaches the membrane in its own step. */
  readonly synapse: Real | null;
}

/** Leaky integrators whose value stands where others have their spike. [self] each */
export interface IntegratorKernel {
  /** Tells kernels apart. */
  readonly name: 'integrator';
  /** Per step. */
  readonly decay: Real;
  /** Factor on the summed input. */
  readonly gain: Real;
}

/** Leaky tanh neurons. */
export interface RateKernel {
  /** Tells kernels apart. */
  readonly name: 'rate';
  /** What has the memory: the rate behind the tanh, or the potential before it. */
  readonly leaks: 'rate' | 'potential';
  /** Of the memory, per step. */
  readonly decay: number;
  /** Factor on what the memory gets. */
  readonly gain: number;
}

export interface LeakyReadoutKernel {
  /** Tells kernels apart. */
  readonly name: 'leaky';
}

export interface LossKernel {
  /** Tells kernels apart. */
  readonly name: 'square' | 'softmax' | 'bernoulli';
}

/** L = B error, with B the field `signal.B` or the readout's own weights. */
export interface BroadcastKernel {
  /** Tells kernels apart. */
  readonly name: 'broadcast';
  /** Its own B, or the weights of the readouts. */
  readonly matrix: 'B' | 'readout';
  /** Share that B keeps per update when it follows the readout; null for a matrix that does not change. */
  readonly keep: number | null;
  /** Errors as events; null for errors as numbers. */
  readonly errorSpikes: ErrorSpikes | null;
}

/** V = q + J^T A f with the fields `signal.A`, `J`, `features`, `distal`, `losses` and `norms`; see `models/signals/dendrite.ts`. */
export interface DendriteKernel {
  /** Tells kernels apart. */
  readonly name: 'dendrite';
  /** The same of its proximal part q. */
  readonly matrix: 'B' | 'readout';
  /** Its B does not follow readouts. */
  readonly keep: null;
  /** Errors as events; null for errors as numbers. */
  readonly errorSpikes: ErrorSpikes | null;
  /** Past phases whose spikes are features. */
  readonly delays: number;
  /** Whether the target is a feature. */
  readonly label: boolean;
  /** Rows of A. */
  readonly features: number;
  /** The readout's filter, through which it sees activity. */
  readonly readoutDecay: number;
  /** Factor of the same filter. */
  readonly readoutGain: number;
  /** Factor from V to the signal. */
  readonly gain: number;
  /** Steps between the ones at which it learns. */
  readonly stepsPerPhase: number;
  /** Learning rate of A. */
  readonly rateA: number;
  /** Learning rate of J. */
  readonly rateJ: number;
  /** Rate of the running means; null for rates of A and J as they are. */
  readonly normRate: number | null;
  /** Whether these rates are rounded to powers of two. */
  readonly powersOfTwo: boolean;
}

/** Backpropagation through time with the feedback of a broadcast. */
export interface BpttKernel {
  /** Tells kernels apart. */
  readonly name: 'bptt';
  /** Its own B, or the weights of the readouts. */
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

/** Learning signals of a module that learns to make them; its parts are those of the rule's `outer`. */
export interface LearnedSignalKernel {
  /** Tells kernels apart. */
  readonly name: 'learned-signal';
  /** Of the update between the passes. */
  readonly rate: number;
  /** Of the filter on the module's spikes, per step, and the factor on what it reads. */
  readonly decay: number;
  readonly gain: number;
  /** How psi of each population falls, where initial weights hear of the inner trial; null: they do not. */
  readonly triangles: readonly (PsiTriangle | null)[] | null;
  /** Of each projection, whether weights change between the passes, which does not hang on its rate in the outer loop. */
  readonly adapts: readonly boolean[];
}

/** The eligibility trace; its dynamics are the neuron's, but for the filter on the presynaptic side. */
export interface EligibilityKernel {
  /** Tells kernels apart. */
  readonly name: 'eligibility';
  /** What a spike takes off its own membrane in the trace; 0: nothing. */
  readonly resetGain: number;
  /** Whether the rate term is known only after the trial. */
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
  /** Whether credit goes through the reset. */
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
  /** `filter-then-post`: psi_j F(p_i), LIF and ALIF. `post-then-filter`: F(psi_j p_i), leaky rate neurons, whose row of activity is all that they keep. */
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
  /** Tells it from the closed forms. */
  readonly form: 'linear';
  /** m */
  readonly states: number;
  /** Where psi acts: on what comes out of the neuron, or on what goes in. */
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
  /** Streams that run side by side. */
  readonly stream: number;
  /** Steps of a trial. */
  readonly step: number;
  /** Neurons of the population. */
  readonly self: number;
}

export interface NeuronBinding {
  /** Lengths of the axes below. */
  readonly sizes: PopulationSizes;
  /** Fields of its layout, by name. */
  readonly state: Views;
  /** Activity, which it writes. [stream][history + step][self] */
  readonly z: Rows;
  /** Pseudo-derivative, which it writes. [stream][step][self] */
  readonly psi: Rows;
  /** Summed weighted input of this step, not yet scaled by the input gain. [self] */
  readonly current: Real;
  /** The backend's own inner loops, in place of the plain ones. */
  readonly loops?: FastLoops | undefined;
}

/** `step(b, t)` reads `current` and row t-1 of z, advances the state, writes row t of z and psi. */
export type NeuronStep = (stream: number, t: number) => void;

/** psi as a function of the distance x of the membrane from its threshold, with one slope up and one down. */
export interface PsiTriangle {
  /** |dpsi/dx| wherever psi > 0. [self] */
  readonly slope: Real;
  /** z where psi has its peak: psi falls with x where z is larger. Between 0 and 1 for spikes. */
  readonly peak: number;
}

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
  /** Activity before the first step, of all or of each; 0 where it is left out. [self] */
  readonly initialActivity?: number | Float64Array;
  /** Name of the state that is drawn as the membrane. */
  readonly membrane: string;
  /** A spike blocks the next nRef - 1 steps. */
  readonly nRef: number;
  /** How its psi falls on both sides of the threshold; null where it is no triangle. Left out: null. */
  readonly triangle?: PsiTriangle | null;
  /** The same equations for fast backends; null: it runs on `reference` and `fixed` alone. */
  readonly kernel: NeuronKernel | null;
  /** The step of one population. */
  bind(binding: NeuronBinding): NeuronStep;
}

export interface NeuronContext {
  /** Length of a step, ms. */
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
  /** What configurations call it. */
  readonly kind: string;
  /** Paper or project of its equations. */
  readonly source: string;
  /** Whether z is 0 or 1; false: a rate or a membrane. */
  readonly spiking: boolean;
  /** Its parameters, with units and ranges. */
  readonly params: ZodType<P>;
  /** Decays and factors of a step of dtMs. @throws ConfigError */
  derive(params: P, context: NeuronContext): NeuronInstance;
}

// ---------------------------------------------------------------- readouts

export interface ReadoutSizes extends Sizes {
  /** Streams that run side by side. */
  readonly stream: number;
  /** Steps of a trial. */
  readonly step: number;
  /** Neurons that it reads, of all its populations. */
  readonly pre: number;
  /** Its outputs. */
  readonly out: number;
}

export interface ReadoutBinding {
  /** Lengths of the axes below. */
  readonly sizes: ReadoutSizes;
  /** Fields of its layout, by name. */
  readonly state: Views;
  /** Activity of the populations that it reads, in the order of the rows of its weights. */
  readonly reads: readonly Rows[];
  /** Its outputs, which it writes. [stream][step][out] */
  readonly y: Rows;
  /** Added to what it sums; of no width where nobody injects any. [stream][step][out] */
  readonly injected: Rows;
  /** dE/dy of its outputs. [stream][step][out] */
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
  /** kappa, per step, which an eligibility trace filtered for this readout must share. */
  readonly decay: number;
  /** Factor on what it reads, shared likewise. */
  readonly gain: number;
  /** Whether it has a plastic bias. */
  readonly bias: boolean;
  /** The same equations for fast backends; null: it runs on `reference` and `fixed` alone. */
  readonly kernel: LeakyReadoutKernel | null;
  /** The step of one stream: reads row t of the activity, writes row t of y. */
  bind(binding: ReadoutBinding): (stream: number, t: number) => void;
  /** Gradient of weights and bias from the error: step by step, or of a whole trial at once without state. */
  bindGradient(binding: ReadoutGradientBinding): {
    step(stream: number, t: number): void;
    deferred(stream: number, steps: number): void;
  };
}

export interface ReadoutModel<P = never> {
  /** What configurations call it. */
  readonly kind: string;
  /** Paper or project of its equations. */
  readonly source: string;
  /** Its parameters, with units and ranges. */
  readonly params: ZodType<P>;
  /** Decay and gain of a step of dtMs, ms; `path` is where it stands in what the user wrote. @throws ConfigError */
  derive(params: P, context: { readonly dtMs: number; readonly path: string }): ReadoutInstance;
}

// ---------------------------------------------------------------- losses

/** A loss of one step: `error` is dE/dy, `value` the loss. Both read one row of y and of the target. */
export interface Loss {
  /** Whether the largest output names a class, so that an accuracy means something. */
  readonly classification: boolean;
  /** Whether its outputs choose the actions of a task that answers; its target is then the action that was chosen. */
  readonly acts?: boolean;
  /** Whether it reads no target: y is held against what comes, not against a number that the task has. */
  readonly targetless?: boolean;
  /** The same equations for fast backends; null: it runs on `reference` and `fixed` alone. */
  readonly kernel: LossKernel | null;
  /** dE/dy of one step. error, y, target: rows at `row`, [out] */
  error(error: Real, y: Real, target: Real, row: number, nOut: number): void;
  /** Adds to dE/dy what no modulator scales, times `factor`. error, y, target: rows at `row`, [out] */
  aside?(error: Real, y: Real, target: Real, row: number, nOut: number, factor: number): void;
  /** The loss of one step, nats or squared units of y. y, target: rows at `row`, [out] */
  value(y: Real, target: Real, row: number, nOut: number): number;
}

/** A loss: its parameters stand beside `scale` and `window` in the configuration. */
export interface LossModel<P = never> {
  /** What configurations call it. */
  readonly kind: string;
  /** Paper or project of its equations. */
  readonly source: string;
  /** Its own parameters. */
  readonly params: ZodType<P>;
  /** The loss with these parameters. */
  derive(params: P): Loss;
}

// ---------------------------------------------------------------- rules

/**
 * Everything that a part of a rule may look at; a footprint names the ones it uses. `pre`: what arrives at a projection; `z`, `psi`,
 * `current`, `rateTerm`, `signal`: of its own population; `neuron`: fields of its neurons' state; `input`: the task's; `weights`: of
 * projections; `readout`: the weights of readouts.
 */
export type Quantity =
  | 'pre'
  | 'input'
  | 'z'
  | 'psi'
  | 'current'
  | 'neuron'
  | 'y'
  | 'error'
  | 'target'
  | 'rateTerm'
  | 'signal'
  | 'weights'
  | 'readout';

/** Which variables a part reads and in which phases it runs; where its own state lives is in its layout. */
export interface Footprint {
  /** What it looks at in a step. */
  readonly reads: readonly Quantity[];
  /** Parts of a symbol in which it runs, for neurons with two compartments. */
  readonly phases: readonly ('soma' | 'dendrite')[];
}

/** What every part of a rule is derived from. */
export interface PartContext {
  /** Length of a step, ms. */
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
  /** Lengths of the axes of its fields and rows. */
  readonly sizes: SignalSizes;
  /** @throws UnsupportedError when it is read and the neuron declares none of the known forms */
  readonly neuron: NeuronDynamics;
  /** The filter of the readouts that it hears. */
  readonly readout: OutputFilter;
  /** Lists of the network, and the place of its population in them. */
  readonly network: NetworkShape;
  /** Its own place among the populations of the network. */
  readonly population: number;
  /** What the neurons of its population keep from step to step. */
  readonly memory: Layout;
  /** Whether a trial goes on in the next one: states carry over. */
  readonly goesOn: boolean;
}

/** A readout as a population that it reads sees it. */
export interface ReadoutView {
  /** Its weights from this population on. [self][size], then those of the populations behind it */
  readonly weights: Real;
  /** Outputs of the readout. */
  readonly size: number;
  /** Its first column in the rows of outputs that the signal hears. */
  readonly column: number;
}

/** Synapses that end on a population. */
export interface SynapsesView {
  /** Which pairs are connected. */
  readonly projection: Projection;
  /** [syn] */
  readonly weights: Real;
  /** Steps from a spike to its arrival. */
  readonly delay: number;
  /** Of the task's input: the first column that they read; 0 of a population. */
  readonly from: number;
}

export interface SignalBinding {
  /** Lengths of the axes below. */
  readonly sizes: SignalSizes;
  /** Fields of its layout, by name. */
  readonly state: Views;
  /** Activity of its population. [stream][history + step][self] */
  readonly z: Rows;
  /** Pseudo-derivative of its population. [stream][step][self] */
  readonly psi: Rows;
  /** Summed weighted input, where its footprint reads it. [stream][step][self] */
  readonly current: Rows;
  /** L, which it writes. [stream][step][self] */
  readonly signal: Rows;
  /** State of its neurons as the step done last has left it. */
  readonly neuron: Views;
  /** Errors and targets of the readouts that it hears. */
  readonly error: Rows;
  /** Outputs of the same readouts. [stream][step][out] */
  readonly y: Rows;
  /** Targets of the same outputs. [stream][step][out] */
  readonly target: Rows;
  /** The task's input. [stream][history + step][in] */
  readonly input: Rows;
  /** Those of them that read this population. */
  readonly readouts: readonly ReadoutView[];
  /** From the population itself, and from the task's input. */
  readonly recurrent: readonly SynapsesView[];
  /** From the task's input. */
  readonly inputs: readonly SynapsesView[];
  /** The backend's own inner loops, in place of the plain ones. */
  readonly loops?: FastLoops | undefined;
}

export interface BoundSignal {
  /**
   * Step t has just been done: writes the rows `first` to t of `signal` for every stream, then updates the signal's own matrices. s(t)
   * scales their rates. `first` is t, but for a signal with a window.
   */
  step(t: number, rateScale: number, first: number): void;
  /** The step that the weights of a readout, by its place in `readouts`, take in this update (subtracted from them). [self][size] */
  readoutStep?(readout: number, step: Real): void;
}

export interface SignalWindow {
  /** Steps of a window. */
  readonly steps: number;
  /** Rows of the window that have to be kept until its end. */
  readonly past: Layout;
}

/** The loss of something that a signal learns for itself. */
export interface OwnLoss {
  /** Its column in the metrics. */
  readonly name: string;
  /** What has this loss, for figures. */
  readonly label: string;
  /** Of the loss, for figures. */
  readonly unit: string;
}

export interface SignalInstance {
  /** Fields that it keeps from step to step: matrices, filters. */
  readonly layout: Layout;
  /** What it reads. */
  readonly footprint: Footprint;
  /** What it learns for itself: the field `losses` holds the summed loss of each over the trial, then the number of phases. */
  readonly losses: readonly OwnLoss[];
  /** Steps between the ones at which it learns and is not 0. */
  readonly stepsPerPhase: number;
  /**
   * Steps that it needs at once: it is asked when the last of them, or of the trial, has been done, and traces wait for it. null: it is
   * asked at every step.
   */
  readonly window: SignalWindow | null;
  /** Whether it is linear in the errors and its step leaves nothing behind, so that a modulator may scale what it hears. */
  readonly linear: boolean;
  /** `error`: refers to the error, so the trace must pass through the readout's filter. `credit`: refers to z itself. */
  readonly refersTo: 'error' | 'credit';
  /** Share of the weights of its readouts that is lost after every update, for feedback that aligns with them. */
  readonly readoutDecay: number;
  /** Field that takes the steps of readouts (`readoutStep`) and loses the same share, [self][out]; null: none does. */
  readonly followsReadout: string | null;
  /** The same equations for fast backends; null: it runs on `reference` and `fixed` alone. */
  readonly kernel: BroadcastKernel | DendriteKernel | null;
  /** Draws its matrices; the weights are there already. */
  init(state: Views, rng: Rng, network: Pick<SignalBinding, 'readouts' | 'recurrent' | 'inputs'>): void;
  /** The step of one population and channel. */
  bind(binding: SignalBinding): BoundSignal;
}

export interface SignalModel<P = never> {
  /** What configurations call it. */
  readonly kind: string;
  /** Paper or project of its equations. */
  readonly source: string;
  /** Its parameters, with units and ranges. */
  readonly params: ZodType<P>;
  /** The signal for the sizes of its population. @throws ConfigError, UnsupportedError */
  derive(params: P, context: SignalContext): SignalInstance;
}

/** The filter that a trace must apply before it meets the signal. decay 0 and gain 1: none. */
export interface OutputFilter {
  /** kappa, per step. */
  readonly decay: number;
  /** Factor on what comes in. */
  readonly gain: number;
}

export interface ProjectionSizes extends Sizes {
  /** Streams that run side by side. */
  readonly stream: number;
  /** Steps of a trial. */
  readonly step: number;
  /** Presynaptic units. */
  readonly pre: number;
  /** Postsynaptic neurons. */
  readonly post: number;
  /** Synapses. */
  readonly syn: number;
}

export interface TraceBinding {
  /** Lengths of the axes below. */
  readonly sizes: ProjectionSizes;
  /** Fields of its layout, by name. */
  readonly state: Views;
  /** Activity of the presynaptic side; row t - delay arrives at step t. */
  readonly pre: Rows;
  /** Steps from a spike to its arrival. */
  readonly delay: number;
  /** Of the postsynaptic population. */
  readonly psi: Rows;
  /** Learning signal of the postsynaptic neurons. [stream][step][post] */
  readonly signal: Rows;
  /** Firing-rate term of the postsynaptic neurons. [stream][step][post] */
  readonly rateTerm: Rows;
  /** Which pairs are connected. */
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
  /** What it must apply before it meets the signal. */
  readonly filter: OutputFilter;
  /** True where the rate term is known only after the trial. */
  readonly rateTermAfterTrial: boolean;
  /** Whether spikes that arrive at step 0 of a trial act. */
  readonly borderSpikes: 'keep' | 'drop';
}

export interface TraceInstance {
  /** Fields that it keeps from step to step: eligibilities. */
  readonly layout: Layout;
  /** What it applies of `context.filter` before it meets the signal; decay 0: nothing. */
  readonly filter: OutputFilter;
  /** A trace that does not read `rateTerm` cannot be used where the firing-rate term is on. */
  readonly footprint: Footprint;
  /** The same equations for fast backends; null: it runs on `reference` and `fixed` alone. */
  readonly kernel: EligibilityKernel | null;
  /** Online execution: the definition. */
  bind(binding: TraceBinding): BoundTrace;
  /** The same gradient of a whole trial from t = steps-1 down to 0, without synaptic state; null if there is none. */
  readonly bindDeferred: ((binding: TraceBinding) => (steps: number) => void) | null;
}

export interface TraceModel<P = never> {
  /** What configurations call it. */
  readonly kind: string;
  /** Paper or project of its equations. */
  readonly source: string;
  /** Its parameters, with units and ranges. */
  readonly params: ZodType<P>;
  /** The trace for the neurons that the projection ends on. @throws ConfigError, UnsupportedError */
  derive(params: P, context: TraceContext): TraceInstance;
}

// ---------------------------------------------------------------- modulators

/** What a modulator looks at. */
export interface ModulatorBinding {
  /** [stream][step][1] */
  readonly reward: Rows;
  /** [stream][step][out] */
  readonly y: Rows;
}

/**
 * One number for all synapses, a third factor:
 *
 *     dW = - eta sum_t m(t) G(t),      G(t) = keep G(t-1) + trace(t) signal(t)
 */
export interface ModulatorInstance {
  /** Share of G that is left after a step, in [0, 1]. */
  readonly keep: number;
  /** Steps that m(t) comes after step t: 1 where it needs what the network puts out next. */
  readonly late: 0 | 1;
  /** m of step t of a stream; `last`: no step follows. */
  bind(binding: ModulatorBinding): (stream: number, t: number, last: boolean) => number;
}

export interface ModulatorContext {
  /** Length of a step, ms. */
  readonly dtMs: number;
  /** Of the network, in the order of their columns. */
  readonly readouts: readonly ReadoutShape[];
  /** Where it stands in what the user wrote, for messages. */
  readonly path: string;
}

/** A modulator: a global factor on what a rule adds up. */
export interface ModulatorModel<P = never> {
  /** What configurations call it. */
  readonly kind: string;
  /** Paper or project of its equations. */
  readonly source: string;
  /** Its parameters, with units and ranges. */
  readonly params: ZodType<P>;
  /** The modulator for the readouts of a network. @throws ConfigError */
  derive(params: P, context: ModulatorContext): ModulatorInstance;
}

// ---------------------------------------------------------------- direct rules

/** Both ends of a projection in the lists of its network. */
export interface ProjectionShape {
  /** Name of the block of weights. */
  readonly name: string;
  /** Its population; null: the task's input. */
  readonly pre: number | null;
  /** The population that it ends on. */
  readonly post: number;
  /** Steps. */
  readonly delay: number;
  /** Which pairs are connected. */
  readonly synapses: Projection;
}

export interface PopulationShape {
  /** Its name in the network. */
  readonly name: string;
  /** Neurons. */
  readonly size: number;
  /** Rows of its activity that are kept from the trial before. */
  readonly history: number;
}

/** What a direct rule knows of the network before it has any memory. */
export interface NetworkShape {
  /** Streams, steps of a trial, columns of the input, outputs. */
  readonly sizes: { readonly stream: number; readonly step: number; readonly in: number; readonly out: number };
  /** In the order in which a step computes them. */
  readonly populations: readonly PopulationShape[];
  /** One for every delay. */
  readonly projections: readonly ProjectionShape[];
  /** Those of one filter side by side. */
  readonly readouts: readonly ReadoutShape[];
}

export interface ReadoutShape extends OutputFilter {
  /** Name of the block of weights. */
  readonly name: string;
  /** Populations that it reads, in the order of the rows of its weights. */
  readonly reads: readonly number[];
  /** Its outputs. */
  readonly size: number;
  /** Its first column in the rows of outputs. */
  readonly column: number;
  /** Whether it has a plastic bias. */
  readonly bias: boolean;
}

export interface DirectContext extends PartContext {
  /** Its lists. */
  readonly network: NetworkShape;
  /** Dynamics of each population. @throws UnsupportedError when they are read and a neuron declares none of the known forms */
  readonly neurons: readonly NeuronDynamics[];
  /** What the neurons of each population are called in the configuration, and how their psi falls. */
  readonly kinds: readonly { readonly kind: string; readonly triangle: PsiTriangle | null }[];
  /** Whether the weights of each projection may change. */
  readonly plastic: readonly boolean[];
  /** Whether spikes that arrive at step 0 of a trial act. */
  readonly borderSpikes: 'keep' | 'drop';
  /** Whether a trial goes on in the next one: states carry over. */
  readonly goesOn: boolean;
}

/** The populations of a network a second time, with activity and states of their own, on the same input and the same weights. */
export interface Replica {
  /** Activity of each population, which may be written to between steps. [stream][history + step][self] */
  readonly z: readonly Rows[];
  /** Step t of stream b of all populations, from the rows before it. */
  step(stream: number, t: number): void;
}

/** What a direct rule is bound to; lists are those of its network. Its own matrices and traces are one group of state, `direct`. */
export interface DirectBinding {
  /** Its lists. */
  readonly network: NetworkShape;
  /** Fields of its layout, by name. */
  readonly state: Views;
  /** dE/dy of all outputs. [stream][step][out] */
  readonly error: Rows;
  /** Activity and pseudo-derivative of each population, and where a rule may leave dE/dz for others to see. [stream][step][self] */
  readonly populations: readonly { readonly z: Rows; readonly psi: Rows; readonly signal: Rows }[];
  /** Gradient: a direct rule only adds to it. Weights and gradient [syn] */
  readonly projections: readonly { readonly pre: Rows; readonly weights: Real; readonly gradient: Real }[];
  /** Weights [pre][out] of each readout. */
  readonly readouts: readonly { readonly weights: Real }[];
  /** A copy of the populations, for rules that try what they would do. It lives in scratch memory. */
  replica(): Replica;
}

export interface DirectInstance {
  /** Fields that it keeps from step to step. */
  readonly layout: Layout;
  /** Rows of past steps that have to be kept until their errors have gone back; none where the rule goes forwards. */
  readonly past: Layout;
  /** What a chip would have to keep besides, though it lies in arrays that no checkpoint needs. */
  readonly work: Layout;
  /** Products of the recurrent Jacobian with a vector, per step and on average. */
  readonly jacobianProducts: number;
  /** What it reads. */
  readonly footprint: Footprint;
  /**
   * `step`: it is asked after every step. `update`: it is asked once for all steps since the last update of the weights, or
   * since the trial began.
   */
  readonly grain: 'step' | 'update';
  /** The same equations for fast backends; null: it runs on `reference` and `fixed` alone. */
  readonly kernel: BpttKernel | LearnedSignalKernel | null;
  /** A trial has two passes, between which every stream gets weights of its own; left out: it has one. */
  readonly outer?: OuterPart;
  /** Draws its matrices. */
  init(state: Views, rng: Rng): void;
  /** The returned function adds what the steps [t0, t1) of all streams owe. It is called for all steps of a trial, in order. */
  bind(binding: DirectBinding): (t0: number, t1: number) => void;
}

/** What the two passes of a trial share with each other. */
export interface OuterBinding extends DirectBinding {
  /** Weights [module][neurons of all other populations] from the module to learning signals, and their gradient. */
  readonly signal: { readonly weights: Real; readonly gradient: Real };
  /**
   * Of the test trial of one stream, in the order of the projections: weights, which are to be written before it, and dE/dW, which stands
   * there after it. null: it has no part in the test trial. [syn] each
   */
  readonly test: readonly ({ readonly weights: Real; readonly gradient: Real } | null)[];
}

export interface BoundOuter {
  /** Between the passes: writes the weights with which stream b does its test trial. */
  adapt(stream: number, steps: number): void;
  /** After the test trial of the stream that was adapted last: adds what all weights of the network owe for its loss. */
  credit(stream: number, steps: number): void;
  /** dE/dL of the stream that was credited last. [step][neurons of all populations but the module] */
  readonly signalCredit: Real;
}

/**
 * Two passes over one trial. In the inner trial a population, the module, tells the others what to learn from it; in the test trial, from
 * a state of zero and with the weights that this has made, a stream shows what it has learned. The loss is that of the test trial.
 */
export interface OuterPart {
  /** Place of the population that teaches the others; it has no part in the test trial. */
  readonly module: number;
  /** What makes dE/dW of the test trial, for one stream of the network without the module. */
  readonly test: DirectInstance;
  /** Draws the weights from the module to learning signals. */
  initSignal(weights: Real, rng: Rng): void;
  /** Both sides of the update between the passes. */
  bind(binding: OuterBinding): BoundOuter;
}

/**
 * A rule that makes the gradient of W_in and W_rec itself, from derivatives that no product of a synapse's trace and a
 * neuron's signal can hold: backpropagation through time, real-time recurrent learning and its estimates.
 */
export interface DirectModel<P = never> {
  /** What configurations call it. */
  readonly kind: string;
  /** Paper or project of its equations. */
  readonly source: string;
  /** Its parameters, with units and ranges. */
  readonly params: ZodType<P>;
  /** The rule for a network. @throws ConfigError, UnsupportedError */
  derive(params: P, context: DirectContext): DirectInstance;
}

// ---------------------------------------------------------------- rules in passes

/** One run over the data of a trial. */
export interface Pass {
  /** For messages and figures. */
  readonly name: string;
  /** Where its states begin: where the trial began, or where the first pass ended. */
  readonly from: 'start' | 'first';
  /** Whether what it injects depends on what happens, so that it is asked around every step. */
  readonly stepwise: boolean;
}

/** A population as a rule in passes sees it. */
export interface PassPopulation {
  /** Neurons. */
  readonly size: number;
  /** Activity; a rule that clamps it writes it. [stream][history + step][self] */
  readonly z: Rows;
  /** Current that is added to the summed input of each step; of no width where the rule injects none. [stream][step][self] */
  readonly injected: Rows;
}

/** A readout as a rule in passes sees it. */
export interface PassReadout {
  /** Its outputs. [stream][step][out] */
  readonly y: Rows;
  /** Target of its loss. [stream][step][out] */
  readonly target: Rows;
  /** dE/dy, with the scale of the loss. [stream][step][out] */
  readonly error: Rows;
  /** What is added to its summed input; of no width where the rule injects none. [stream][step][out] */
  readonly injected: Rows;
  /** What of it learns. */
  readonly plastic: { readonly weights: boolean; readonly bias: boolean };
  /** Weights [pre][out] and bias [out], which a rule may change for the length of a pass. */
  readonly weights: Real;
  readonly bias: Real;
  /** A rule only adds to it. */
  readonly gradient: { readonly weights: Real; readonly bias: Real };
  /** Its copies by name, as long as the weights and the bias; empty where these do not learn. */
  readonly copies: { readonly weights: Views; readonly bias: Views };
}

/** A projection as a rule in passes sees it. */
export interface PassProjection {
  /** What arrives, `delay` steps later. */
  readonly pre: Rows;
  /** Whether it learns. */
  readonly plastic: boolean;
  /** Weights, which a rule may change for the length of a pass, and gradient, to which it only adds. [syn] */
  readonly weights: Real;
  readonly gradient: Real;
  /** Its copies by name [syn]; empty where it does not learn. */
  readonly copies: Views;
}

/** What a rule in passes is bound to; lists are those of its network. Its own matrices are one group of state, `passes`. */
export interface PassesBinding {
  readonly network: NetworkShape;
  /** Fields of its layout, by name. */
  readonly state: Views;
  readonly populations: readonly PassPopulation[];
  readonly readouts: readonly PassReadout[];
  readonly projections: readonly PassProjection[];
  /**
   * Adds to the gradient what arrived in the pass just done times what is injected now: sum_t p_i(t) injected_j(t) of every projection that
   * learns, and of readouts whose sums are injected into, over all streams.
   */
  correlate(steps: number): void;
  /** Loops that are fast on rows, weights, gradients and copies. */
  readonly arrays: ArrayLoops;
}

export interface BoundPasses {
  /** Before a pass over so many steps: writes what is injected, or changes weights. */
  begin(pass: number, steps: number): void;
  /** Of a pass that goes step by step: before step t, and when it has been done and its error is known. */
  before?(pass: number, t: number, steps: number): void;
  after?(pass: number, t: number): void;
  /**
   * After a pass: adds to the gradient what it is worth, and puts back whatever it changed. loss: of the pass, with its scale, for each
   * stream [stream]
   */
  end(pass: number, steps: number, loss: Float64Array): void;
}

export interface PassesInstance {
  /** Fields that it keeps from trial to trial. */
  readonly layout: Layout;
  /** Names of numbers that it works with in a trial, one for each weight that learns. */
  readonly copies: readonly string[];
  /** What a chip has to keep from pass to pass, of each population (`self`) and of each projection that learns (`syn`). */
  readonly keeps: { readonly neurons: Layout; readonly synapses: Layout };
  /** One number for all synapses that decides, when all passes of a trial are done, how much of it is learned; false: none. */
  readonly judged: boolean;
  /** What it reads. */
  readonly footprint: Footprint;
  /** In their order. The first is the network as it is: scores, recordings and the states that go on are its own. */
  readonly passes: readonly Pass[];
  /** Whether it injects current into populations, and into readouts. */
  readonly injects: { readonly current: boolean; readonly output: boolean };
  /** Whether it writes activity over what neurons do. */
  readonly clamps: boolean;
  /** Where the gradient of readouts comes from: the error of the first pass, or the passes as well. */
  readonly readouts: 'error' | 'passes';
  /** Draws its matrices. */
  init(state: Views, rng: Rng): void;
  bind(binding: PassesBinding): BoundPasses;
}

export interface PassesContext extends PartContext {
  /** Lists of the network. */
  readonly network: NetworkShape;
  /** Whether spikes that arrive at step 0 of a trial act. */
  readonly borderSpikes: 'keep' | 'drop';
  /** The rule's place in what the user wrote, for messages. */
  readonly path: string;
}

/**
 * A rule that learns by comparing several runs over the same data, each with a drive of its own: perturbation, contrast. It makes the
 * gradient of all weights that end on neurons, whatever these are.
 */
export interface PassesModel<P = never> {
  /** What configurations call it. */
  readonly kind: string;
  /** Paper or project of its equations. */
  readonly source: string;
  /** Its parameters, with units and ranges. */
  readonly params: ZodType<P>;
  /** The rule for a network. @throws ConfigError */
  derive(params: P, context: PassesContext): PassesInstance;
}

export interface PluginChoice {
  /** Which entry of the catalogue. */
  readonly kind: string;
  readonly [parameter: string]: unknown;
}

/** What a rule is made of: a trace and a signal, one part that makes the gradient itself, or one that compares several passes. */
export type RuleParts =
  | { readonly trace: PluginChoice; readonly signal: PluginChoice }
  | { readonly direct: PluginChoice }
  | { readonly passes: PluginChoice };

/** A published rule: its parts, named and with their parameters. null: only the readout learns. */
export interface Rule<P = never> {
  /** What configurations call it. */
  readonly name: string;
  /** Paper of its equations. */
  readonly source: string;
  /** What it does, in a line. */
  readonly summary: string;
  /** Its parameters, with units and ranges. */
  readonly params: ZodType<P>;
  /**
   * Parameters with which its gradient is the derivative of the loss, in networks without spikes: whatever the recurrent weights are, or
   * only where they are 0. Absent: it does not claim to be. `check` compares it with finite differences.
   */
  readonly exact?: { readonly params: Readonly<Record<string, unknown>>; readonly recurrent: boolean };
  /** The parts that these parameters mean. */
  parts(params: P): RuleParts | null;
}

// ---------------------------------------------------------------- optimisers

export interface Optimizer {
  /** What configurations call it. */
  readonly kind: string;
  /** Which update it is and its constants, for backends with a kernel of their own; null: plain step only. */
  readonly kernel:
    | { readonly name: 'sgd' }
    | { readonly name: 'momentum'; readonly momentum: number }
    | { readonly name: 'adam'; readonly beta1: number; readonly beta2: number; readonly epsilon: number }
    | { readonly name: 'one-step'; readonly deltas: readonly number[]; readonly key: number }
    | null;
  /** Whether its step is rate times gradient and nothing else, so that the parts of a gradient may be taken one by one. */
  readonly linear: boolean;
  /** Copies of the weights that it keeps. */
  readonly slots: readonly string[];
  /**
   * Turns a gradient into the step to be subtracted, in place. `count` is the number of this update, from 1, `block` the place
   * of the gradient among the blocks of weights, for draws.
   */
  step(gradient: Real, slots: readonly Real[], rate: number, count: number, block: number): void;
}

/** What an optimiser may know of where it works. */
export interface OptimizerContext {
  /** Of its draws, where it makes any: 32 bits. */
  readonly key: number;
  /** Blocks of weights in their order: names of the projection or readout of each, as rates are given. */
  readonly owners: readonly string[];
}

/** An optimiser: its parameters stand beside `rates`, `schedule`, `clamp`, `clip` and `powersOfTwo` in the configuration. */
export interface OptimizerModel<P = never> {
  /** What configurations call it. */
  readonly kind: string;
  /** Paper or project of its equations. */
  readonly source: string;
  /** Its own parameters. */
  readonly params: ZodType<P>;
  /** The optimiser with these parameters. @throws ConfigError where they do not fit the blocks of weights */
  derive(params: P, context: OptimizerContext): Optimizer;
}

// ---------------------------------------------------------------- tasks

/** One stream's arrays for the steps [0, steps) of a trial; rows of x have `xStride` entries. */
export interface TrialTarget {
  /** Input. [step][xStride] */
  readonly x: Real;
  /** Target of the loss. [step][nOut] */
  readonly target: Real;
  /** Expected target, where the task states one. [step][nOut] */
  readonly expected: Real;
  /** Weight of each step in the loss, 0 where none is scored. [step] */
  readonly weight: Real;
  /** Rewards that no action decides; left out where nothing reads any. [step] */
  readonly reward?: Real;
  /** Steps to fill. */
  readonly steps: number;
  /** Numbers from one row of x to the next. */
  readonly xStride: number;
}

/** What trials are for: weights learn from `train`; scores, figures of fresh data and `eval` are of `test`. */
export type Split = 'train' | 'test';

/**
 * A task that answers: what the network does decides what it gets and what comes next. An episode is a trial; where it ends
 * before the trial does, the rest is silence that is not scored.
 */
export interface Environment {
  /** Choices of an action, as many as a readout with the loss "policy" has outputs. */
  readonly actions: number;
  /** Numbers that describe the episode of a stream. */
  readonly state: number;
  /** Whether the network acts at step t. */
  acts(t: number): boolean;
  /** Puts the episode at its start, after `fill` with the same arguments has written its first row, or all of them. */
  begin(state: Real, rng: Rng, start: number, split: Split): void;
  /**
   * What follows the action at step t, -1 where it does not act: the state moves on, row t+1 of the input is written to `x` from
   * `row` on (null after the last step). @returns the reward
   */
  step(state: Real, action: number, t: number, x: Real | null, row: number): number;
  /** Whether the episode is over. */
  ended(state: Real): boolean;
}

export interface TaskInstance {
  /** Columns of the input. */
  readonly nIn: number;
  /** Outputs that it has targets for. */
  readonly nOut: number;
  /** Endless streams are cut into chunks of any length; trials have a length of their own. */
  readonly mode:
    | { readonly kind: 'stream'; readonly stepsPerSymbol: number }
    | {
        readonly kind: 'trial';
        readonly steps: number;
        /** Scored steps within so many that are one decision, by their summed outputs; 1 where it is left out. */
        readonly decisionSteps?: number;
      };
  /** Whether `expected` is filled. */
  readonly statesExpected: boolean;
  /**
   * Losses per scored step that an ideal predictor with so much knowledge reaches: nats where the task asks for classes, 1/2 (y - y*)^2 where it asks
   * for a curve. One that nobody can do better than is `ideal`; without it `diagnose` holds losses against 0.
   */
  readonly bounds: readonly Bound[];
  /**
   * Whether trials of the split `test` are new to a network that has seen those of `train`. False for a task of one trial, which is
   * to be learned by heart: its evaluation is on what it was trained on.
   */
  readonly testIsNew: boolean;
  /** Bytes of tables that it keeps, once the first trial has been filled; 0 where it is left out. */
  readonly bytes?: number;
  /** A task that answers has one; the columns of its outputs are its actions. */
  readonly environment?: Environment;
  /** Populations of the input, for rasters. */
  readonly inputPopulations: readonly { readonly label: string; readonly size: number }[];
  /**
   * Fills one stream's trial. A pure function of (parameters, rng, position, split): `start` is the first step of a stream
   * since its beginning, or the index of a trial. Generators of the two splits differ too; a task that draws its trials from `rng`
   * alone need not look at `split`, one that has a set of them must keep the two apart.
   */
  fill(out: TrialTarget, rng: Rng, start: number, split: Split): void;
}

/**
 * A task whose trials come from files. Its parameters have a `sha256`, a record of path and hash, or null: an experiment that is built has the
 * absolute paths of all files and their hashes, and one that has hashes is refused where a file is another.
 */
export interface TaskFiles<P = never> {
  /** Parameters that are paths, or null, with dots between the keys that lead to them. */
  readonly paths: readonly string[];
  /** Where their bytes come from. */
  readonly store: FileStore;
  /** The same task on files of another place. */
  from(store: FileStore): Entry<TaskModel>;
  /** Loads what formats need that does not come at once: `derive` does not wait. @throws FileError, UnsupportedError with what to install */
  load(params: P): Promise<void>;
}

export interface TaskModel<P = never> {
  /** What configurations call it. */
  readonly kind: string;
  /** Paper or project of the task. */
  readonly source: string;
  /** Its parameters, with units and ranges. */
  readonly params: ZodType<P>;
  /** Left out for a task that reads no files. */
  readonly files?: TaskFiles<P>;
  /** The task at a step of dtMs, ms; tables are drawn from `rng`. @throws ConfigError */
  derive(params: P, context: { readonly dtMs: number; readonly rng: Rng }): TaskInstance;
}

// ---------------------------------------------------------------- registries

/** A registry holds models of different parameters: each one's own schema has checked what its `derive` is given. */
export type Entry<Model extends { readonly params: unknown }> = Omit<Model, 'params'> & { readonly params: ZodType };

/** What a run may choose from. The machine never imports the catalogues; it is handed this. */
export interface Catalogue {
  /** Neuron models, found by `kind`. */
  readonly neurons: readonly Entry<NeuronModel>[];
  /** Readout models, found by `kind`. */
  readonly readouts: readonly Entry<ReadoutModel>[];
  /** Losses, found by `kind`. */
  readonly losses: readonly Entry<LossModel>[];
  /** Eligibility traces, found by `kind`. */
  readonly traces: readonly Entry<TraceModel>[];
  /** Learning signals, found by `kind`. */
  readonly signals: readonly Entry<SignalModel>[];
  /** Global factors, found by `kind`. */
  readonly modulators: readonly Entry<ModulatorModel>[];
  /** Rules of a whole network, found by `kind`. */
  readonly direct: readonly Entry<DirectModel>[];
  /** Rules that compare several passes, found by `kind`. */
  readonly passes: readonly Entry<PassesModel>[];
  /** Published rules, found by `name`. */
  readonly rules: readonly Entry<Rule>[];
  /** Rewiring of projections, found by `kind`. */
  readonly rewirings: readonly Entry<RewiringModel>[];
  /** Homeostatic scaling of projections, found by `kind`. */
  readonly scalings: readonly Entry<ScalingModel>[];
  /** Optimisers, found by `kind`. */
  readonly optimizers: readonly Entry<OptimizerModel>[];
  /** Tasks, found by `kind`. */
  readonly tasks: readonly Entry<TaskModel>[];
}
