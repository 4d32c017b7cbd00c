import type { GivenFile, TimeUnit } from '../../src/browser.ts';
import type { Frame, RunInfo, SynapseName } from '../views/types.ts';

export type { GivenFile, TimeUnit };

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

/** A file that a run reads, or asks for, by its name without folders. */
export interface FileName {
  readonly name: string;
  /** Hexadecimal digits; null: any file of that name will do. */
  readonly sha256: string | null;
}

/** A file that a run cannot be opened without. */
export interface NeededFile extends FileName {
  /** SHA-256 of what was given by that name, and is another file; null: nothing was given. */
  readonly got: string | null;
}

/** The files that a page has. */
export interface Files {
  readonly given: readonly GivenFile[];
  /** Those that an address asks for, which others of the same name do not stand in for. */
  readonly asked: readonly FileName[];
}

/** An experiment for a recording that came without one. */
export interface Offer {
  readonly name: string;
  readonly experiment: unknown;
  /** What is in the file, and what would be done with it. */
  readonly about: string;
  /** The unit that its times are taken to have, where the file does not say it; null: it does. */
  readonly timeUnit: TimeUnit | null;
}

/** From the page to the worker. */
export type Request =
  | { readonly type: 'load'; readonly kernels: ArrayBuffer; readonly plugin: string | null }
  | { readonly type: 'open'; readonly choice: Choice; readonly files: Files }
  /** What could be trained on a file. */
  | { readonly type: 'offer'; readonly file: GivenFile; readonly timeUnit: TimeUnit | null }
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
  /** What a run reads that is about to be opened; where files are missing it is not. */
  | { readonly type: 'reads'; readonly files: readonly FileName[]; readonly missing: readonly NeededFile[] }
  | { readonly type: 'opened'; readonly info: RunInfo }
  /** A file that cannot be read has a failure in place of an offer. */
  | { readonly type: 'offered'; readonly offer: Offer | Failure }
  | { readonly type: 'frame'; readonly frame: Frame; readonly replayed: boolean }
  /** Training rests: paused, at `until`, or at the end. */
  | { readonly type: 'rests'; readonly amount: number; readonly ended: boolean; readonly evaluation: number | null }
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'checkpoint'; readonly bytes: Uint8Array }
  | { readonly type: 'failed'; readonly failure: Failure };
