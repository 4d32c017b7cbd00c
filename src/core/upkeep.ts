import type { ZodType } from 'zod';
import type { Layout, Real, Views } from './layout.ts';
import type { Projection } from './projection.ts';
import type { Rng } from './rng.ts';
import type { Rows } from './rows.ts';

/**
 * What changes the weights of a projection beside its rule: which pairs have a synapse (rewiring), and how strong all synapses of
 * a neuron are (scaling). Both work on the host, between updates or between trials, and own a group of state each.
 */

/** What both are derived from. */
export interface UpkeepContext {
  /** Where the parameters stand in what the user wrote, for messages: `network.projections.rec.rewiring`. */
  readonly path: string;
  /** Stored synapses: of a projection that is rewired every pair, a bias last. */
  readonly synapses: Projection;
  /** Of this projection alone. */
  readonly rng: Rng;
}

export interface UpkeepBinding {
  /** Lengths of the axes below: streams, and units of both sides, a bias counted. */
  readonly sizes: { readonly stream: number; readonly pre: number; readonly post: number };
  /** Fields of its layout, by name. */
  readonly state: Views;
  /** Which it changes. [syn] */
  readonly weights: Real;
  /** Which pairs are stored, and Dale's signs. */
  readonly synapses: Projection;
  /** Presynaptic units whose synapses it changes: all but the constant of a bias, which is the last. */
  readonly sources: number;
}

/** After an update; `rate` is the learning rate of the projection in it, `count` its number, from 1. */
export type Rewire = (rate: number, count: number) => void;

export interface RewiringInstance {
  /** Has a field `connected` [syn], 1 where a pair has a synapse. */
  readonly layout: Layout;
  /** Writes its state, `connected` excepted, which is there already, as the weights are. */
  init(binding: UpkeepBinding): void;
  /** Keeps the number of synapses, and the weight of every pair without one at 0. */
  bind(binding: UpkeepBinding): Rewire;
}

/**
 * Which pairs of a projection have a synapse, while their number stays. The weights are stored for every pair, and the gradient
 * and the optimiser see all of them.
 */
export interface RewiringModel<P = never> {
  /** What configurations call it. */
  readonly kind: string;
  /** Paper of its equations. */
  readonly source: string;
  /** Its parameters, with units and ranges. */
  readonly params: ZodType<P>;
  /** The rewiring of one projection. @throws ConfigError */
  derive(params: P, context: UpkeepContext): RewiringInstance;
}

export interface ScalingBinding extends UpkeepBinding {
  /** Activity of the presynaptic side. [stream][history + step][pre] */
  readonly pre: Rows;
  /** Activity of the postsynaptic population. [stream][history + step][post] */
  readonly post: Rows;
}

export interface ScalingInstance {
  /** What it keeps from trial to trial. */
  readonly layout: Layout;
  /** The returned function is called after a trial of so many steps that learns, when its update has been taken. */
  bind(binding: ScalingBinding): (steps: number) => void;
}

/** A homeostatic rule: weights follow the activity of whole trials, whatever else changes them. */
export interface ScalingModel<P = never> {
  /** What configurations call it. */
  readonly kind: string;
  /** Paper of its equations. */
  readonly source: string;
  /** Its parameters, with units and ranges. */
  readonly params: ZodType<P>;
  /** The scaling of one projection. @throws ConfigError */
  derive(params: P, context: UpkeepContext): ScalingInstance;
}
