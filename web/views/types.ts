/**
 * What the views draw: plain data that can be posted from a worker or sent by a server. Nothing here knows where a run is.
 * Numbers over time are of stream 0; `steps` is the length of a trial, `dtMs` that of a step.
 */

/** Neurons of one model, one below the other in rasters. */
export interface PopulationInfo {
  readonly name: string;
  /** Neurons. */
  readonly size: number;
  readonly kind: string;
  /** False: its activity is a rate. */
  readonly spiking: boolean;
}

export interface ProjectionInfo {
  readonly name: string;
  readonly nPre: number;
  readonly nPost: number;
}

/** A known value of the score. */
export interface Bound {
  readonly label: string;
  readonly value: number;
}

/** What stays of a run while it trains. */
export interface RunInfo {
  readonly name: string;
  readonly rule: string;
  readonly seed: number;
  readonly backend: string;
  /** What amounts count: symbols of all streams, or trials. */
  readonly unit: string;
  readonly total: number;
  /** Of the score that the curve shows. */
  readonly bounds: readonly Bound[];
  readonly score: ScoreInfo;
  /** ms */
  readonly dtMs: number;
  /** Steps of a trial, or of a chunk of an endless stream. */
  readonly steps: number;
  readonly inputs: readonly { readonly label: string; readonly size: number }[];
  readonly populations: readonly PopulationInfo[];
  readonly projections: readonly ProjectionInfo[];
  /** Synapses with a weight. */
  readonly synapses: number;
  /** The whole experiment, as `spiketrace train` reads it. */
  readonly experiment: string;
}

/** What the learning curve is a curve of. */
export interface ScoreInfo {
  /** With its unit. */
  readonly label: string;
  readonly axis: 'linear' | 'log';
  /** As of a reward. */
  readonly higherIsBetter: boolean;
}

/** Spikes as columns. */
export interface Spikes {
  /** Step of each. */
  readonly t: Uint32Array;
  /** Neuron (or input) of each, over all populations. */
  readonly index: Uint32Array;
  /** Size of graded ones and of rates, 1 is the largest; null: all are spikes. */
  readonly value: Float32Array | null;
}

/** A value at every step. */
export interface Line {
  readonly label: string;
  /** [steps] */
  readonly values: Float32Array;
  /** A threshold, a target. */
  readonly dashed: boolean;
  /** Number of the colour. */
  readonly colour: number;
}

/** One pair of neurons with a synapse. */
export interface SynapseName {
  readonly projection: string;
  readonly pre: number;
  readonly post: number;
}

/** What a synapse does over a trial: what it keeps, what it meets, and what that adds to its gradient. */
export interface SynapseRows extends SynapseName {
  /** Spikes (or rates) of the presynaptic side. [steps] */
  readonly input: Float32Array;
  /** State of the rule at the synapse and its neurons, by name; empty where the rule has none. */
  readonly traces: readonly Line[];
  /** Pseudo-derivative of the postsynaptic neuron. [steps] */
  readonly psi: Float32Array;
  /** Learning signals of the postsynaptic neuron, by channel; empty for a rule without. */
  readonly signals: readonly Line[];
  /** What each step adds to dE/dw: of all streams where weights change in steps, of stream 0 where between trials. [steps]; null: not known then. */
  readonly terms: Float32Array | null;
  /** Why there are no traces and terms; null: there are. */
  readonly unexplained: string | null;
  /** The weight at each step. [steps] */
  readonly weight: Float32Array;
  /** And after the trial, all streams and the optimiser included. */
  readonly after: number;
}

export interface WeightRows {
  readonly name: string;
  readonly nPre: number;
  readonly nPost: number;
  /** [pre][post], NaN where there is no synapse. */
  readonly values: Float32Array;
}

/** The part of a learning curve that a page does not have yet. */
export interface CurvePart {
  /** Points before the first one here. */
  readonly from: number;
  readonly amount: Float64Array;
  readonly score: Float64Array;
}

/** A trial as it is shown. */
export interface Frame {
  /** Number of the trial, from 0. */
  readonly trial: number;
  /** Symbols or trials done before or with it. */
  readonly amount: number;
  /** Symbols or trials a second. */
  readonly perSecond: number;
  readonly rateHz: number;
  readonly curve: CurvePart;
  readonly steps: number;
  readonly input: Spikes;
  readonly neurons: Spikes;
  readonly outputs: readonly Line[];
  /** Null, as the next ones, in a frame of a trial that was not run again step by step. */
  readonly membranes: readonly Line[] | null;
  readonly signals: readonly Line[] | null;
  /** Eligibility traces of synapses onto one neuron. */
  readonly traces: readonly Line[] | null;
  readonly synapse: SynapseRows | null;
  readonly weights: WeightRows | null;
}
