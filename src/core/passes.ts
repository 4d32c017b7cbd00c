import type { ZodType } from 'zod';
import type { Layout, Real, Views } from './layout.ts';
import type { Footprint, NetworkShape, PartContext } from './plugins.ts';
import type { Rng } from './rng.ts';
import type { Rows } from './rows.ts';

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
  /** Populations that it reads, in the order of the rows of its weights. */
  readonly reads: readonly Rows[];
  /** Its outputs. [stream][step][out] */
  readonly y: Rows;
  /** Target of its loss. [stream][step][out] */
  readonly target: Rows;
  /** dE/dy, with the scale of the loss. [stream][step][out] */
  readonly error: Rows;
  /** What is added to its summed input; of no width where the rule injects none. [stream][step][out] */
  readonly injected: Rows;
  /** Factor of its filter on what it sums. */
  readonly gain: number;
  /** What of it learns. */
  readonly plastic: { readonly weights: boolean; readonly bias: boolean };
  /** Weights [pre][out] and bias [out], which a rule may change for the length of a pass. */
  readonly weights: Real;
  readonly bias: Real;
  /** A rule only adds to it. */
  readonly gradient: { readonly weights: Real; readonly bias: Real };
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
}

/** What a rule in passes is bound to; lists are those of its network. Its own matrices are one group of state, `passes`. */
export interface PassesBinding {
  readonly network: NetworkShape;
  /** Fields of its layout, by name. */
  readonly state: Views;
  readonly populations: readonly PassPopulation[];
  readonly readouts: readonly PassReadout[];
  readonly projections: readonly PassProjection[];
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
  /** What a chip would have to keep besides, from pass to pass. */
  readonly work: Layout;
  /** What it reads. */
  readonly footprint: Footprint;
  /** In their order. The first is the network as it is: scores, recordings and the states that go on are its own. */
  readonly passes: readonly Pass[];
  /** Whether it injects current into populations, and into readouts. */
  readonly injects: { readonly current: boolean; readonly output: boolean };
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
