import type { Frame, RunInfo, SynapseName } from '../views/types.ts';

/** What a run is made from. */
export interface Choice {
  readonly base: { readonly preset: string } | { readonly experiment: unknown };
  /** As `--set` has them: `path=value`, later ones over earlier ones. */
  readonly settings: readonly string[];
  /** Name of a rule for the whole network; null: as it stands. */
  readonly rule: string | null;
  /** Kind of all neurons; null: as it stands. */
  readonly neuron: string | null;
  readonly seed: number | null;
  /** Id of a chip profile, whose number formats the run keeps to; null: floating point. */
  readonly chip: string | null;
}

/** What a page wants to see of a run. What it does not want costs nothing. */
export interface Watch {
  /** Run trials again step by step: membranes, traces, the synapse. */
  readonly cells: boolean;
  /** Projection whose weights are sent; null: none. */
  readonly weights: string | null;
  /** Null: the largest weight onto the most active neuron. */
  readonly synapse: SynapseName | null;
}

/** Names to choose from. */
export interface Lists {
  readonly presets: readonly string[];
  readonly rules: readonly { readonly name: string; readonly about: string }[];
  readonly neurons: readonly string[];
  readonly chips: readonly { readonly name: string; readonly about: string }[];
}

/** From the page to the worker. */
export type Request =
  | { readonly type: 'load'; readonly kernels: ArrayBuffer; readonly plugin: string | null }
  | { readonly type: 'open'; readonly choice: Choice }
  | { readonly type: 'watch'; readonly watch: Watch }
  /** Train to the end, or to the first border of a trial at or after this amount. */
  | { readonly type: 'play'; readonly until: number | null }
  | { readonly type: 'pause' }
  /** The page has drawn the last frame and can draw another. */
  | { readonly type: 'frame'; readonly points: number }
  /** Train the one trial that a paused page has looked through. */
  | { readonly type: 'advance' }
  | { readonly type: 'checkpoint' };

/** What kept a worker from doing what it was asked. */
export interface Failure {
  /** Name of the class of the error: `ConfigError`, `DivergenceError`. */
  readonly name: string;
  readonly message: string;
}

/** From the worker to the page. */
export type Answer =
  | { readonly type: 'loaded'; readonly lists: Lists }
  | { readonly type: 'opened'; readonly info: RunInfo }
  | { readonly type: 'frame'; readonly frame: Frame; readonly replayed: boolean }
  /** Training rests: paused, at `until`, or at the end. */
  | { readonly type: 'rests'; readonly amount: number; readonly ended: boolean; readonly evaluation: number | null }
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'checkpoint'; readonly bytes: Uint8Array }
  | { readonly type: 'failed'; readonly failure: Failure };
