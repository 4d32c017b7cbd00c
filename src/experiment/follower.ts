import { channelName, projectionSizes, signalSizes } from '../core/bindings.ts';
import { viewsOf } from '../core/feedback.ts';
import { type Layout, layoutLength, type Real, type Role, type Sizes } from '../core/layout.ts';
import type { Weights } from '../core/network.ts';
import type { Feed } from '../engine/feed.ts';
import { gradientOf, type Run, runTrial } from '../engine/run.ts';
import type { Experiment } from './experiment.ts';

/** A run that sees the states of another run, the master, and learns without changing its weights. */
export interface Follower {
  readonly run: Run;
  /** Whether it is the master's own rule, whose matrices and traces are the master's too. */
  readonly twin: boolean;
  /** What it was built from. */
  readonly config: Experiment['config'];
}

/** What belongs to the network and not to the rule. */
const shared: readonly Role[] = ['weights', 'neuron', 'readout', 'past', 'run'];
const dataArrays = ['x', 'target', 'expected', 'weight', 'reward'] as const;

/** The follower stands where the master does: weights, neurons, readout, clock; a twin also with all that the rule keeps. */
export function adopt({ run, twin }: Follower, master: Run): void {
  if (!twin) followReadout(run, master);
  const theirs = new Map(master.network.state.table.map((entry) => [entry.name, entry.length]));
  for (const { name, role, length } of run.network.state.table) {
    if (theirs.get(name) !== length) continue;
    if (!twin && !shared.includes(role)) continue;
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
  const { spec, state, weights } = network;
  spec.populations.forEach(({ name, signals, size: n }, p) => {
    signals.forEach(({ followsReadout, readoutDecay }, c) => {
      if (followsReadout === null) return;
      const share = (1 - readoutDecay) ** (master.clock.updates - clock.updates);
      const B = state.field(`${channelName(`population.${name}.signal`, spec, c)}.${followsReadout}`);
      const channel = spec.channels[c];
      const sizes = spec.populations.map(({ size }) => size);
      const viewsIn = (from: Weights) =>
        viewsOf(
          channel.readouts.map((r) => spec.readouts[r]),
          channel.readouts.map((r) => from[spec.readouts[r].name]),
          p,
          sizes,
          channel.column,
        );
      const now = viewsIn(master.network.weights);
      viewsIn(weights).forEach(({ weights: before, size, column }, r) => {
        for (let j = 0; j < n; j++) {
          for (let k = 0; k < size; k++) {
            const at = j * channel.size + column + k;
            const own = j * size + k;
            B[at] = now[r].weights[own] + share * (B[at] - before[own]);
          }
        }
      });
    });
  });
}

/**
 * Gives every follower with feedback weights of its own the same ones, from the master or else from the first that has any,
 * each in its own scale: rules are to differ by what they do with the feedback, not by its draw.
 */
export function shareFeedback(followers: readonly Follower[], master: Run, config: Follower['config']): void {
  const own = { run: master, config, twin: true };
  const source = [own, ...followers].find((follower) =>
    feedbackOf(follower).some(({ B }) => B.some((value) => value !== 0)),
  );
  if (!source) return;
  const from = feedbackOf(source).flatMap(({ B, scale }) => Array.from(B, (value) => ({ value, scale })));
  for (const follower of followers) {
    const to = feedbackOf(follower);
    if (to.reduce((sum, { B }) => sum + B.length, 0) !== from.length) continue;
    let at = 0;
    for (const { B, scale } of to) {
      for (let s = 0; s < B.length; s++) {
        const { value, scale: before } = from[at++];
        B[s] = value === 0 ? 0 : (scale / before) * value;
      }
    }
  }
}

/** Feedback matrices of all populations, one after the other, with the scale that each was drawn in. */
function feedbackOf({ run, config }: Follower): { readonly B: Real; readonly scale: number }[] {
  const { spec, state } = run.network;
  const direct = state.views('direct').B;
  if (direct) return [{ B: direct, scale: scaleOf(config.rule) }];
  return spec.populations.flatMap(({ name, signals }) => {
    const scale = scaleOf(config.network.populations[name].rule ?? config.rule);
    return signals.flatMap((_, c) => {
      const { B } = state.views(channelName(`population.${name}.signal`, spec, c));
      return B ? [{ B, scale }] : [];
    });
  });
}

function scaleOf(rule: Follower['config']['rule']): number {
  const { feedbackScale, signal } = rule as { feedbackScale?: number; signal?: { scale?: number } };
  return feedbackScale ?? signal?.scale ?? 1;
}

/** The data of one run for another. */
export function copyData(to: Run, from: Run): void {
  for (const name of dataArrays) to.network.trial[name].data.set(from.network.trial[name].data);
}

/** Lets a task that answers do so once, with the network as it stands, so that everybody is shown the same actions. */
export function actOut({ run }: Pick<Follower, 'run'>, feed: Feed, steps: number): void {
  if (!feed.answer) return;
  const { restore } = remember(run);
  runTrial(run, steps, { learn: false, answer: feed.answer });
  restore();
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
  for (const block of Object.values(gradient)) block.fill(0);
}

/** Remembers a run. The first function puts back all of it, the second only the matrices that the rule learns. */
export function remember({ network: { state }, clock }: Run): { restore(): void; restoreMatrices(): void } {
  const numbers = state.data.slice();
  const time = { ...clock };
  const matrices = state.table.filter(
    ({ role, dims }) => (role === 'signal' || role === 'direct' || role === 'passes') && dims[0] !== 'stream',
  );
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

/** Declared state of a part of a rule, with the lengths of who owns it. */
export interface PartLayout {
  readonly layout: Layout;
  readonly sizes: Sizes;
}

/** Declared state of a rule's parts, population by population and projection by projection. */
export function layoutsOf({ network: { spec } }: Run): PartLayout[] {
  if (spec.direct) return [{ layout: spec.direct.layout, sizes: { stream: spec.sizes.stream, step: spec.sizes.step } }];
  if (spec.passes) return [{ layout: spec.passes.layout, sizes: { stream: spec.sizes.stream } }];
  const traces = spec.projections.flatMap((projection) =>
    projection.traces.map(({ layout }) => ({ layout, sizes: projectionSizes(spec, projection) })),
  );
  const signals = spec.populations.flatMap((population) =>
    population.signals.map(({ layout }, c) => ({ layout, sizes: signalSizes(spec, population, c) })),
  );
  return [...traces, ...signals];
}

/** Numbers of past steps that one stream has to keep until the update, for a rule that goes back through them. */
export function pastOf({ network: { spec } }: Run): number {
  const ofSignals = spec.populations.flatMap(({ signals }) => signals.map(({ window }) => window?.past ?? {}));
  return [...ofSignals, spec.direct?.past ?? {}].reduce((sum, layout) => sum + layoutLength(layout, {}), 0);
}
