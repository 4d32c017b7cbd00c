import type { FieldFormat, FieldStatistics } from './format.ts';
import type { Block, Real } from './layout.ts';
import type { FastLoops } from './loops.ts';
import type { ArrayLoops } from './noise.ts';
import type {
  Activity,
  BoundOuter,
  DirectInstance,
  Loss,
  ModulatorInstance,
  NetworkShape,
  NeuronInstance,
  Optimizer,
  OutputFilter,
  OwnLoss,
  PassesInstance,
  ProjectionShape,
  ReadoutInstance,
  ReadoutShape,
  SignalInstance,
  TraceInstance,
  TrialRows,
} from './plugins.ts';
import type { Projection } from './projection.ts';
import { nearestPowerOfTwo } from './units.ts';
import type { RewiringInstance, ScalingInstance } from './upkeep.ts';

/** s(p): factor on a learning rate at progress p in [0, 1] of the training. */
export type Schedule = { readonly kind: 'constant' } | { readonly kind: 'linear-to-zero'; readonly holdUntil: number };

export interface BlockRate {
  readonly rate: number;
  readonly schedule: Schedule;
  /** Every rate that is applied is rounded to the nearest power of two. */
  readonly powersOfTwo: boolean;
}

/** Firing-rate regularisation: gradient c (f_j - f*) times the unfiltered eligibility. */
export interface RateTermSettings {
  /** c; 0 switches it off. */
  readonly strength: number;
  /** f*, spikes per step. */
  readonly target: number;
  /** f_j: mean of the trial and stream, of the trial over all streams, or a running mean per neuron and stream. */
  readonly mean: 'trial' | 'batch' | 'running';
  /** Rate of the running mean per step. */
  readonly runningRate: number;
  /** Of a running mean: the term acts in the last of so many steps. */
  readonly everySteps: number;
}

/** When weights change, and how the gradients of several streams and trials are put together. */
export interface UpdateSettings {
  readonly every: number;
  readonly unit: 'step' | 'trial';
  /** `mean` over streams and over the trials of one update, or their `sum`. */
  readonly reduction: 'mean' | 'sum';
}

/** What a rule that teaches a population and the kinds of its parts are called, for messages. */
export interface RuleKinds {
  readonly rule: string;
  readonly trace: string;
  readonly signal: string;
}

export interface NetworkSizes {
  readonly stream: number;
  /** Steps of a trial. */
  readonly step: number;
  /** Columns of the input: those of the task, and a last one that is always 1 where a projection has a plastic bias. */
  readonly in: number;
  /** Rows of the input that are kept from the trial before: the longest delay of a projection from it. */
  readonly inHistory: number;
  /** Outputs of all readouts. */
  readonly out: number;
}

/** A population of neurons of one kind. */
export interface PopulationSpec {
  readonly name: string;
  readonly size: number;
  /** What its neuron is called in the configuration, for messages. */
  readonly kind: string;
  readonly spiking: boolean;
  readonly neuron: NeuronInstance;
  /** Rows of its activity that are kept from the trial before: the longest delay that leaves it, at least 1. */
  readonly history: number;
  /** Constant current into every neuron; null: none. [self] */
  readonly current: Float64Array | null;
  /** The rule of what ends on it; null: weights onto it stay, or change by a rule of the whole network alone. */
  readonly rule: RuleKinds | null;
  /** One for every channel of the network; none where it has no rule. */
  readonly signals: readonly SignalInstance[];
}

/** A projection as the configuration has it. */
export interface WholeProjection {
  readonly name: string;
  readonly synapses: Projection;
  /** Of one that is rewired and so stored for every pair: the synapses that there are at first, and as many always; else null. */
  readonly drawn: Projection | null;
  /** Where the synapses of the part stand in it; null: the part is all of it. */
  readonly places: Int32Array | null;
  /** First weights, where they are given and not drawn. [syn] */
  readonly start: Float64Array | null;
}

export interface ProjectionSpec extends ProjectionShape {
  /** First column of the input, of a projection from it. */
  readonly from: number;
  /** Its last presynaptic unit is the constant 1 of a plastic bias. */
  readonly bias: boolean;
  /** The projection as the configuration has it, of which this is all, or the part with one delay. */
  readonly whole: WholeProjection;
  /** One for every channel of the network; none where it does not learn. */
  readonly traces: readonly TraceInstance[];
  /** Which pairs have a synapse changes while it learns; null: they stay. */
  readonly rewiring: { readonly kind: string; readonly part: RewiringInstance } | null;
  /** Its weights follow the activity of whole trials; null: they do not. */
  readonly scaling: { readonly kind: string; readonly part: ScalingInstance } | null;
}

export interface ReadoutSpec extends ReadoutShape {
  /** What it is called in the configuration, for messages. */
  readonly kind: string;
  readonly lossKind: string;
  readonly readout: ReadoutInstance;
  readonly loss: Loss;
  /** Factor on its loss and its error. */
  readonly weight: number;
  /** The outputs of the task that it is to learn. [size] */
  readonly outputs: Int32Array;
  /** Steps of a trial at which it has a loss, among those that the task scores; null for all of them. */
  readonly window: { readonly start: number; readonly length: number } | null;
}

/** Readouts with the same filter: a trace passes it once for all of them. */
export interface Channel extends OutputFilter {
  /** Their first column, and columns, in the rows of outputs. */
  readonly column: number;
  readonly size: number;
  readonly readouts: readonly number[];
}

/** Plastic numbers that have a learning rate together. */
export interface WeightBlock {
  /** `in` of a projection of this name, `out` of a readout, `out.bias` of its bias, `teacher.signal` from a population to learning signals. */
  readonly name: string;
  readonly kind: 'projection' | 'readout' | 'bias' | 'signal';
  /** Its owner in the list of projections, readouts or, of a signal, populations. */
  readonly owner: number;
  readonly rate: BlockRate;
  /** Whether it changes at all: frozen blocks keep their bits. */
  readonly plastic: boolean;
  /** null for the dense matrix of a readout, and its bias. */
  readonly synapses: Projection | null;
}

/** Everything a network is made of, with each choice already derived for its dt and its sizes. */
export interface NetworkSpec {
  /** What the rule of the whole network is called, for messages. */
  readonly rule: string;
  readonly dtMs: number;
  readonly sizes: NetworkSizes;
  /** In the order in which they are computed within a step. */
  readonly populations: readonly PopulationSpec[];
  readonly projections: readonly ProjectionSpec[];
  readonly readouts: readonly ReadoutSpec[];
  /** None where the rule has no trace and signal. */
  readonly channels: readonly Channel[];
  /** Whether trials have rewards: the task pays them, or a modulator reads them. */
  readonly rewarded: boolean;
  /** A factor on all that traces and signals add up; null: 1, at once. */
  readonly modulator: ModulatorInstance | null;
  /** Of all projections, then of all readouts. */
  readonly blocks: readonly WeightBlock[];
  /** Factor on loss and error: 1, 1 / scored steps of the trial, or a number. */
  readonly lossScale: 'sum' | 'mean' | number;
  /** Scored steps within so many of a trial are one decision of the accuracy. */
  readonly decisionSteps: number;
  /** Schedule that the rates of signals follow. */
  readonly signalSchedule: Schedule;
  /**
   * A rule that makes the gradient itself; null without. Beside it signals and traces are at most what the firing-rate term acts
   * through, with a signal of 0. Neither it nor channels: only readouts learn.
   */
  readonly direct: DirectInstance | null;
  /** A rule that compares several passes over a trial; null without. Neither traces nor signals beside it. */
  readonly passes: PassesInstance | null;
  /**
   * `online`: traces forwards, at every step. `deferred`: the signal backwards, per trial. `postponed`: traces forwards, but
   * a neuron whose psi is 0 is caught up with at its next active step, which is exact; per trial.
   */
  readonly execution: 'online' | 'deferred' | 'postponed';
  readonly rateTerm: RateTermSettings;
  readonly update: UpdateSettings;
  readonly optimizer: Optimizer;
  /** Whether weights change in it. One that is only tried out has no gradients, and nothing that an optimiser keeps. */
  readonly learns: boolean;
  /** Largest norm of the gradient of all blocks together, which a longer one is scaled to; null: any. */
  readonly clip: number | null;
  readonly clamp: readonly [number, number] | null;
  /** Fixed-point formats of fields of the state and of rows of the trial; null: floating point throughout. */
  readonly formats: readonly FieldFormat[] | null;
  /** Where the random numbers of stochastic rounding come from. */
  readonly rounding: { readonly generator: 'hash' | 'lfsr'; readonly seed: number };
  /** What happens to v, z and the readout, and to the traces, when a trial starts. */
  readonly state: 'reset' | 'carry';
  readonly traces: 'restart' | 'carry';
  /** Whether spikes that arrive at step 0 of a trial act and are remembered. */
  readonly borderSpikes: 'keep' | 'drop';
}

/** Weights or gradients, by the names of their blocks. */
export type Weights = Readonly<Record<string, Real>>;

/** A network with its memory: the state that a checkpoint holds, and the whole-time arrays of one trial. */
export interface Network {
  readonly spec: NetworkSpec;
  readonly state: Block;
  readonly trial: TrialRows;
  /** In the order of the populations. */
  readonly activity: readonly Activity[];
  readonly weights: Weights;
  readonly gradient: Weights;
  /** Numbers that a rule in passes works with, one for each weight, by the names that it gives them. */
  readonly copies: Readonly<Record<string, Weights>>;
  /** Inner loops of the backend that replace the plain ones. */
  readonly loops?: FastLoops;
}

/** Whether a readout has a loss at step t, where the task scores it. */
export function isScored({ window }: Pick<ReadoutSpec, 'window'>, t: number): boolean {
  return window === null || (t >= window.start && t < window.start + window.length);
}

/** A projection as the configuration has it, and its parts, which differ by their delay. */
export interface Whole {
  readonly name: string;
  readonly synapses: Projection;
  readonly parts: readonly ProjectionSpec[];
}

/** The projections of the configuration, in its order. */
export function wholesOf({ projections }: Pick<NetworkSpec, 'projections'>): Whole[] {
  const wholes = new Map<string, Whole & { readonly parts: ProjectionSpec[] }>();
  for (const part of projections) {
    const { name, synapses } = part.whole;
    const known = wholes.get(name) ?? { name, synapses, parts: [] };
    known.parts.push(part);
    wholes.set(name, known);
  }
  return [...wholes.values()];
}

/** Rewiring and scaling of projections, for backends that have neither: each as `the rewiring "deep-r" of rec`. */
export function upkeepOf(projections: NetworkSpec['projections']): string[] {
  return projections.flatMap(({ name, rewiring, scaling }) => [
    ...(rewiring ? [`the rewiring "${rewiring.kind}" of ${name}`] : []),
    ...(scaling ? [`the scaling "${scaling.kind}" of ${name}`] : []),
  ]);
}

/** What a network is to a direct rule. */
export function shapeOf({ sizes, populations, projections, readouts }: NetworkSpec): NetworkShape {
  return { sizes, populations, projections, readouts };
}

/** The same network where only readouts could learn, and what happens between the two passes of a trial. */
export function withoutRule(spec: NetworkSpec): NetworkSpec {
  return {
    ...spec,
    channels: [],
    direct: spec.direct?.outer ? spec.direct : null,
    learns: spec.direct?.outer !== undefined,
    passes: null,
    modulator: null,
    populations: spec.populations.map((population) => ({ ...population, rule: null, signals: [] })),
    projections: spec.projections.map((projection) => ({ ...projection, traces: [], rewiring: null, scaling: null })),
  };
}

/** Whether a rule tells neurons anything, by a signal or by the firing-rate term; where none does, one row that stays 0 serves all steps. */
export function tellsNeurons({ channels, direct, passes }: NetworkSpec): boolean {
  return channels.length > 0 || direct !== null || passes !== null;
}

/** Synapses of all projections: as stored, a bias counted. */
export function synapseCount({ projections }: Pick<NetworkSpec, 'projections'>): number {
  return projections.reduce((sum, { synapses }) => sum + synapses.nSyn, 0);
}

/** All neurons. */
export function neuronCount({ populations }: Pick<NetworkSpec, 'populations'>): number {
  return populations.reduce((sum, { size }) => sum + size, 0);
}

/** Stages of a trial, each over the steps [t0, t1) of all streams. Who calls them in which order is the engine. */
export interface Stages {
  forward(t0: number, t1: number): void;
  readout(t0: number, t1: number): void;
  /** Error of each step; `scale` holds the loss factor of every stream. */
  error(t0: number, t1: number, scale: Float64Array): void;
  /** Rate term of a running mean, step by step. */
  rateRunning(t0: number, t1: number): void;
  /** Rate term of the trial's own rates, after its last step. */
  rateOfTrial(steps: number): void;
  signal(t0: number, t1: number, progress: (t: number) => number): void;
  /** Gradient of a direct rule, over the steps that its grain says. */
  direct(t0: number, t1: number): void;
  /** Online: steps [t0, t1) in order. `due`: the update comes next, and nobody reads the gradient before. */
  gradient(t0: number, t1: number, due?: boolean): void;
  /** Of a rule in passes that injects: what arrived times what is injected, over all steps and streams, is added to the gradient. */
  correlate?(steps: number): void;
  /** Of a rule of two passes: both sides of the update between them, for the network of the second one; absent: the rule's own. */
  outer?(test: Network): BoundOuter;
  /** Of a rule in passes: loops over the arrays that it works with; absent: the plain ones. */
  readonly arrays?: ArrayLoops;
  /** Of a modulator in steps: adds m G of every stream to the gradient, with one m for each stream. [stream] */
  credit?(m: Float64Array): void;
  /** Online: after the last step of a trial. */
  gradientEnd(steps: number): void;
  /** Deferred: the whole trial at once. */
  gradientOfTrial(steps: number): void;
  /**
   * All of the above for a learning trial that nobody watches, in any order that gives the same bits; only on backends and
   * networks where that pays.
   */
  wholeTrial?(steps: number, scale: Float64Array): void;
  /** What became of the numbers of every field with a format so far, on the backend that has formats. */
  statistics?(): readonly FieldStatistics[];
  /** Takes the step: weights change, the gradient is 0 again. `progress` in [0, 1], `count` from 1. */
  update(progress: number, count: number, trials: number): void;
  /** Resolves when the threads that it was opened with are at work; until then this thread does their part. */
  ready(): Promise<void>;
  /** Ends threads, where the backend has started any. */
  close(): void;
}

/** The memory of one network on one backend, and what turns it into stages. */
export interface Workspace {
  /** Zeroed numbers of the backend's kind; called for the state first, then for the arrays of a trial. */
  allocate(length: number): Real;
  compile(network: Network): Stages;
}

export type BackendName = 'reference' | 'wasm' | 'tfjs' | 'fixed';

export interface Backend {
  readonly name: BackendName;
  /** Bytes of a number of its arrays, and so of a checkpoint. */
  readonly numberBytes: 4 | 8;
  /** Parts of a network that it has no kernel for, in words; empty: it can run the network. */
  missing(spec: NetworkSpec): readonly string[];
  /** Bytes that a network with this many numbers of state and trial arrays takes, its own scratch included. */
  bytes(spec: NetworkSpec, lengths: NetworkLengths): number;
  open(spec: NetworkSpec, lengths: NetworkLengths, options?: OpenOptions): Workspace;
  /** Whole-time arrays of which one row serves all steps: where the backend makes them as it goes, or where nobody does. */
  sharesRows(spec: NetworkSpec): { readonly signal: boolean; readonly rateTerm: boolean };
  /** Whether it keeps scratch fields of a step, so that they can be recorded. */
  readonly keepsTransients: boolean;
  /**
   * Steps that it takes the online gradient through at once where weights do not change within a trial. The sum over
   * streams and steps is in this order, so a watched trial asks for the gradient in the same pieces.
   */
  readonly gradientChunk: number;
}

export interface OpenOptions {
  /** Threads for the trials of a batch; the numbers do not depend on it. */
  readonly threads?: number | undefined;
  /** Bytes that the network may take; one that needs more is refused before anything is allocated. */
  readonly maxBytes?: number | undefined;
  /** Fixed point: the loops as they are written down, without kernels. The numbers are the same. */
  readonly plain?: boolean | undefined;
}

export interface NetworkLengths {
  readonly state: number;
  readonly trial: number;
}

/** What the mean reward of an episode is called among the scores. */
export const rewardName = 'reward';

/** Names of the scores that not every run has. */
export function ownScores(spec: Pick<NetworkSpec, 'populations' | 'rewarded' | 'direct' | 'readouts'>): string[] {
  return [
    ...(spec.rewarded ? [rewardName] : []),
    ...(spec.direct?.outer ? outerScores(spec) : []),
    ...ownLossesOf(spec).map(({ name }) => name),
  ];
}

/**
 * What is known of two passes over a trial beside the loss of the second: the loss of the first per scored step and, of squared errors,
 * sum (y - y*)^2 / sum y*^2 of both.
 */
export function outerScores({ readouts }: Pick<NetworkSpec, 'readouts'>): ('lossBefore' | 'nmseBefore' | 'nmse')[] {
  const squares = readouts.every(({ lossKind }) => lossKind === 'square');
  return ['lossBefore', ...(squares ? (['nmseBefore', 'nmse'] as const) : [])];
}

/** Steps that signals need at once; null: each step's are known in that step. One number for all of a network. */
export function windowOf({ populations }: Pick<NetworkSpec, 'populations'>): number | null {
  const signals = populations.flatMap((population) => population.signals);
  return signals.find(({ window }) => window !== null)?.window?.steps ?? null;
}

/** What signals learn for themselves, each once. */
export function ownLossesOf({ populations }: Pick<NetworkSpec, 'populations'>): OwnLoss[] {
  const all = populations.flatMap(({ signals }) => signals.flatMap(({ losses }) => losses));
  return [...new Map(all.map((own) => [own.name, own])).values()];
}

/** Where weights change within a trial, what a modulator will scale is kept for each stream. */
export function creditsInSteps({ modulator, update }: Pick<NetworkSpec, 'modulator' | 'update'>): boolean {
  return modulator !== null && update.unit === 'step';
}

/** min(1, clip / |scale g|), by which a gradient g is scaled again. @param squares sum of the squares of g */
export function clipFactor(clip: number, scale: number, squares: number): number {
  return Math.min(1, clip / (Math.abs(scale) * Math.sqrt(squares)));
}

/** The rate at progress p in [0, 1] of the training. */
export function rateAt({ rate, schedule, powersOfTwo }: BlockRate, progress: number): number {
  const now = rate * scheduleAt(schedule, progress);
  return powersOfTwo ? nearestPowerOfTwo(now) : now;
}

export function scheduleAt(schedule: Schedule, progress: number): number {
  switch (schedule.kind) {
    case 'constant':
      return 1;
    case 'linear-to-zero':
      return progress <= schedule.holdUntil ? 1 : Math.max(0, (1 - progress) / (1 - schedule.holdUntil));
    default:
      return schedule satisfies never;
  }
}
