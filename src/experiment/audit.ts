import { parseExperiment } from '../config/parse.ts';
import { ConfigError, UnsupportedError } from '../core/errors.ts';
import type { BackendName } from '../core/network.ts';
import type { Catalogue } from '../core/plugins.ts';
import { nextSteps } from '../engine/feed.ts';
import type { AuditBlock } from './alignment.ts';
import {
  type Audited,
  type AuditOptions,
  type AuditPoint,
  assemble,
  backendOf,
  followChunk,
  identityLabel,
  measure,
} from './auditPoint.ts';
import { createExperiment, type Experiment } from './experiment.ts';
import { adopt, layoutsOf, type PartLayout, pastOf } from './follower.ts';

export type { AuditOptions, AuditPoint };

/** One audited rule. Its state is declared in layouts, to be counted by where it lives. */
export interface AuditedRule {
  readonly label: string;
  /** `master`: it trains. `reference`: BPTT, which the others are held against. `identity`: see `createAudit`. */
  readonly role: 'master' | 'audited' | 'reference' | 'identity';
  readonly rule: Experiment['config']['rule'] | null;
  readonly backend: BackendName;
  readonly layouts: readonly PartLayout[];
  /** Numbers of past steps that one stream has to keep besides, for a rule that goes back through them. */
  readonly past: number;
}

export interface AuditProgress {
  /** Symbols or trials trained. */
  readonly amount: number;
  /** Where a point was due. */
  readonly point: AuditPoint | null;
}

export interface Audit {
  readonly master: Experiment;
  readonly rules: readonly AuditedRule[];
  /** Blocks of weights that are compared. */
  readonly blocks: readonly AuditBlock[];
  /** Trains the master; yields before every chunk and at the end. To be called once. */
  run(): Generator<AuditProgress, void>;
  /** Median time of the learning part per step of all streams, ms, per rule; null without a clock. */
  times(): readonly (number | null)[];
  close(): void;
}

/**
 * How well the updates of rules point along the true gradient over one training.
 *
 * The configured rule, the master, trains as it would alone. Every other rule follows: at the start of each chunk it is
 * given the master's weights and the state of neurons and readout, and does the chunk with these weights; its matrices (A, J,
 * adaptive B) and its traces are its own and go on from chunk to chunk. The master's rule is read off the master. Fixed random
 * feedback is the master's B for all, in the scale of each rule.
 *
 * At an audit point all of them do the same fresh chunks, from copies of their state. The target is the expected one where the
 * task states it: with sampled labels the noise of the labels drowns the gradient. Where state carries over, one chunk goes
 * before that is not counted, so that what the network has seen is what the targets refer to. Matrices start every chunk as
 * they are. The firing-rate term is switched off.
 *
 * The true gradient is BPTT with pseudo-derivatives over the chunk; credit ends at the borders of the chunk, for the local
 * rules it need not. A follower on the reference backend is held against BPTT there, since spikes of the other precision are
 * others. `identity`: the eligibility trace from the start of the chunk times the total derivative that BPTT found, which is
 * BPTT again; that it shows 1 is a test of the audit.
 *
 * @throws ConfigError (its paths begin with `audit.`), UnsupportedError
 */
export function createAudit(input: unknown, catalogue: Catalogue, options: AuditOptions): Audit {
  const { windows = 20, chunks = 4, draws = 1, maxBytes } = options;
  const master = createExperiment(input, catalogue, { maxBytes });
  if (master.run.outer) {
    throw new UnsupportedError(
      `audit: the gradient of "${String(master.config.rule.name)}" is that of a second pass over each trial`,
    );
  }
  const total = Math.ceil(master.run.totalSteps / master.run.network.spec.sizes.step);
  assertWhole('audit.windows', windows, 2, total + 1, `: the training has ${total} chunks`);
  assertWhole('audit.chunks', chunks, 1, 10_000, '');
  assertWhole('audit.draws', draws, 1, 10_000, '');
  const cast = assemble(master, parseExperiment(input, catalogue).backend, catalogue, options);
  const { first, followers, all } = cast;
  const described = [...followers, first].map(describe);
  const reference = described[described.length - 1];
  return {
    master,
    blocks: cast.blocks,
    rules: [
      ...described,
      { ...reference, label: identityLabel, role: 'identity', rule: null, layouts: cast.identity.layouts, past: 0 },
    ],
    *run() {
      const training = master.trainTrials();
      for (let chunk = 0, p = 0; chunk <= total; chunk++) {
        for (const follower of all) adopt(follower, master.run);
        const amount = master.feed.amount();
        const due = chunk === Math.round((p * total) / (windows - 1));
        const point = due ? { amount, ...measure(cast, chunk, { chunks, draws, now: options.now }) } : null;
        if (due) p += 1;
        yield { amount, point };
        if (chunk === total) return;
        followChunk(cast, nextSteps(first.run, master.task, master.run.totalSteps));
        training.next();
      }
    },
    times: () => [...[...followers, first].map(({ times }) => median(times)), null],
    close() {
      for (const { experiment } of all) experiment.close();
      master.close();
    },
  };
}

function describe({ experiment, run, label, role, config }: Audited): AuditedRule {
  return {
    label,
    role,
    rule: config.rule,
    backend: backendOf({ experiment }),
    layouts: layoutsOf(run),
    past: pastOf(run),
  };
}

function assertWhole(path: string, value: number, low: number, high: number, why: string): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw new ConfigError(path, value, `a whole number >= ${low} and <= ${high}${why}`);
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}
