import type { Finding } from './findings.ts';

/** What a run tells its one listener. A closed union; at most one object a step, and none where nobody listens. */
export type RunEvent =
  | StartEvent
  | TrialEvent
  | StepEvent
  | EvaluationEvent
  | CheckpointEvent
  | WarningEvent
  | EndEvent;

export interface StartEvent {
  readonly type: 'start';
  readonly rule: string;
  readonly seed: number;
  readonly backend: string;
  /** What `amount` counts: symbols of all streams, or trials. */
  readonly unit: string;
  readonly amount: number;
  readonly total: number;
  readonly bounds: readonly Bound[];
}

/** A known value of the score, drawn as a dashed line. */
export interface Bound {
  readonly label: string;
  readonly value: number;
  /** Whether nobody can do better. */
  readonly ideal?: true;
}

/** Scores of one trial, or of one chunk of an endless stream. */
export interface Scores {
  /** Loss, summed and scaled as the configuration says, mean over the streams. */
  readonly loss: number;
  /** Loss per scored step and stream, in nats for the cross-entropies; NaN where no step was scored. */
  readonly lossPerStep: number;
  /** The same with the expected target in place of the sampled one; null where the task states none. */
  readonly expectedLoss: number | null;
  /** Share of scored steps whose largest output is the largest target; null for regression. */
  readonly accuracy: number | null;
  /** Mean rate of the recurrent neurons in Hz (mean activity per step for rate neurons). */
  readonly rateHz: number;
  /** Mean of the recurrent activity per step: spikes, or the rate itself. */
  readonly activity: number;
  /** Numbers that only some runs have, by name: `reward` of an episode, losses of what signals learn for themselves. */
  readonly own: Readonly<Record<string, number>>;
}

export interface TrialEvent extends Scores {
  readonly type: 'trial';
  /** Trials (chunks) finished, counting this one. */
  readonly trial: number;
  /** Steps of one stream finished. */
  readonly step: number;
  /** Symbols or trials finished, over all streams. */
  readonly amount: number;
  /** Updates of the weights so far. */
  readonly updates: number;
  /** Scale s(t) of the learning rates at the end of the trial. */
  readonly rateScale: number;
}

/** One recorded step of one stream: the arrays are copies, [field][neuron]. */
export interface StepEvent {
  readonly type: 'step';
  readonly trial: number;
  /** Step inside the trial. */
  readonly t: number;
  readonly stream: number;
  readonly values: Readonly<Record<string, Float64Array>>;
}

export interface EvaluationEvent extends Scores {
  readonly type: 'evaluation';
  readonly amount: number;
  readonly symbols: number;
}

export interface CheckpointEvent {
  readonly type: 'checkpoint';
  readonly amount: number;
  /** The bytes of the checkpoint one after the other, the state of the network itself among them: good until the listener returns. `Experiment.checkpoint` copies. */
  readonly pieces: readonly Uint8Array[];
}

export interface WarningEvent {
  readonly type: 'warning';
  readonly amount: number;
  readonly message: string;
  /** What stands in the way of learning; null of a warning about something else. */
  readonly finding: Finding | null;
}

export interface EndEvent {
  readonly type: 'end';
  readonly amount: number;
  /** True where the configured total was reached, false where `until` stopped the run earlier. */
  readonly complete: boolean;
  /** What stood in the way of learning when it was last looked, the first one first. */
  readonly findings: readonly Finding[];
  /** How the losses (rewards, where there are any) of the first tenth of the trials lie to those of the last; null where there are too few. */
  readonly curve: Curve | null;
}

export interface Curve {
  /** Mean of the first tenth. */
  readonly first: number;
  /** Mean of the last tenth. */
  readonly last: number;
  /** Whether the last is no better than the first by three standard errors. */
  readonly flat: boolean;
}

export type Listener = (event: RunEvent) => void;
