import { type Layout, layoutLength } from '../core/layout.ts';
import type { Weights } from '../core/plugins.ts';
import { gradientOf, type Run, runTrial } from '../engine/run.ts';
import type { Experiment } from './experiment.ts';

/** A run that sees the states of another run, the master, and learns without changing its weights. */
export interface Follower {
  readonly run: Run;
  /** Whether it is the master's own rule, whose matrices and traces are the master's too. */
  readonly twin: boolean;
  /** Settings of its rule. */
  readonly rule: Experiment['config']['rule'];
}

/** What belongs to the network and not to the rule. */
const sharedGroups = ['weights.', 'neuron.', 'readout.', 'run.'];
const dataArrays = ['x', 'target', 'expected', 'weight'] as const;

/** The follower stands where the master does: weights, neurons, readout, clock; a twin also with all that the rule keeps. */
export function adopt({ run, twin }: Follower, master: Run): void {
  if (!twin) followReadout(run, master);
  const theirs = new Map(master.network.state.table.map((entry) => [entry.name, entry.length]));
  for (const { name, length } of run.network.state.table) {
    if (theirs.get(name) !== length) continue;
    if (!twin && !sharedGroups.some((group) => name.startsWith(group))) continue;
    run.network.state.field(name).set(master.network.state.field(name));
  }
  Object.assign(run.clock, master.clock);
  clearGradient(run);
}

/**
 * B[now] = W_out[now] + keep^updates (B - W_out)[before]: feedback that aligns with the readout takes its steps, and what
 * is left between the two fades with each update. For a master with adaptive feedback of its own this is its B.
 */
function followReadout({ network, clock }: Run, master: Run): void {
  const signal = network.spec.rule?.signal;
  if (!signal || signal.followsReadout === null) return;
  const share = (1 - signal.readoutDecay) ** (master.clock.updates - clock.updates);
  const B = network.state.field(`signal.${signal.followsReadout}`);
  const before = network.weights.wOut;
  const now = master.network.weights.wOut;
  for (let s = 0; s < B.length; s++) B[s] = now[s] + share * (B[s] - before[s]);
}

/**
 * Gives every follower with feedback weights of its own the same ones, from the master or else from the first that has any,
 * each in its own scale: rules are to differ by what they do with the feedback, not by its draw.
 */
export function shareFeedback(followers: readonly Follower[], master: Run, rule: Follower['rule']): void {
  const own = { run: master, rule, twin: true };
  const source = [own, ...followers].find(({ run }) => feedbackOf(run)?.some((value) => value !== 0));
  if (!source) return;
  const from = Float64Array.from(feedbackOf(source.run) ?? []);
  for (const follower of followers) {
    const B = feedbackOf(follower.run);
    if (B?.length !== from.length) continue;
    const factor = scaleOf(follower.rule) / scaleOf(source.rule);
    for (let s = 0; s < B.length; s++) B[s] = factor * from[s];
  }
}

function feedbackOf({ network }: Run) {
  return network.state.views('signal').B ?? network.state.views('direct').B;
}

function scaleOf(rule: Follower['rule']): number {
  const { feedbackScale, signal } = rule as { feedbackScale?: number; signal?: { scale?: number } };
  return feedbackScale ?? signal?.scale ?? 1;
}

/** The data of one run for another. */
export function copyData(to: Run, from: Run): void {
  for (const name of dataArrays) to.network.trial[name].set(from.network.trial[name]);
}

/** One chunk: its own matrices learn along, the weights stay. */
export function follow({ run }: Follower, steps: number): void {
  runTrial(run, steps, { learn: true, freeze: true });
}

/** The gradient that the next chunk adds. */
export function gradientOfChunk(follower: Follower, steps: number): Weights {
  clearGradient(follower.run);
  follow(follower, steps);
  return gradientOf(follower.run);
}

function clearGradient({ network: { gradient } }: Run): void {
  for (const block of [gradient.wIn, gradient.wRec, gradient.wOut, gradient.bOut]) block.fill(0);
}

/** Remembers a run. The first function puts back all of it, the second only the matrices that the rule learns. */
export function remember({ network: { state }, clock }: Run): { restore(): void; restoreMatrices(): void } {
  const numbers = state.data.slice();
  const time = { ...clock };
  const matrices = state.table.filter(({ name, dims }) => /^(signal|direct)\./.test(name) && dims[0] !== 'stream');
  return {
    restore() {
      state.data.set(numbers);
      Object.assign(clock, time);
    },
    restoreMatrices() {
      for (const { name, offset, length } of matrices) {
        state.field(name).set(numbers.subarray(offset, offset + length));
      }
    },
  };
}

/** Declared state of a rule's parts. */
export function layoutsOf({ network: { spec } }: Run): Layout[] {
  if (spec.direct) return [spec.direct.layout];
  return spec.rule ? [spec.rule.trace.layout, spec.rule.signal.layout] : [];
}

/** Numbers of past steps that one stream has to keep until the update, for a rule that goes back through them. */
export function pastOf({ network: { spec } }: Run): number {
  return spec.direct ? layoutLength(spec.direct.past, spec.sizes) : 0;
}
