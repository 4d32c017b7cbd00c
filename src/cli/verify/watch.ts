import type { Role } from '../../core/layout.ts';
import type { Weights } from '../../core/network.ts';
import { createRng } from '../../core/rng.ts';
import { createFeed } from '../../engine/feed.ts';
import { gradientOf, type Run, runTrial } from '../../engine/run.ts';
import type { Experiment } from '../../experiment/experiment.ts';

/** What one step of a trial was, as flat copies. */
export interface WatchedStep {
  /** Gradient that this step has added; of rules that go back, at the step at which they do. */
  readonly gradient: Weights;
  /** Weights at which the step ran. */
  readonly weights: Weights;
  /** State of the neurons, traces, signals and direct rule after the step, by name. */
  readonly state: Readonly<Record<string, Float64Array>>;
}

/**
 * Runs the next trial of one stream and takes every step down. `learn`: with the updates that the configuration asks
 * for at every step; else weights are frozen.
 * @returns the steps, and last what was there when the trial had ended
 */
export function watchTrial(experiment: Experiment, learn: boolean): WatchedStep[] {
  const { run, task, config } = experiment;
  const { gradient, spec } = run.network;
  const steps = spec.sizes.step;
  const taken: WatchedStep[] = [];
  createFeed(run, task, createRng(config.seed), config.loss.window, 'train').fill(steps);
  const take = () => {
    taken.push({ gradient: gradientOf(run), weights: copyWeights(run.network.weights), state: copyState(run) });
    if (!learn) for (const block of Object.values(gradient)) block.fill(0);
  };
  runTrial(run, steps, { learn: true, freeze: !learn, onStep: take });
  take();
  return taken;
}

function copyWeights(weights: Weights): Weights {
  return Object.fromEntries(Object.entries(weights).map(([name, block]) => [name, Float64Array.from(block)]));
}

const watched: readonly Role[] = ['neuron', 'trace', 'signal', 'direct'];

function copyState({ network: { state } }: Run): Record<string, Float64Array> {
  const names = state.table.filter(({ role }) => watched.includes(role)).map(({ name }) => name);
  return Object.fromEntries(names.map((name) => [name, Float64Array.from(state.field(name))]));
}

/** Rows [pre][post] of several matrices put together and turned round: [post][pre of the first, then of the next]. */
export function turned(matrices: readonly ArrayLike<number>[], nPost: number): number[] {
  return Array.from({ length: nPost }, (_, j) =>
    matrices.flatMap((matrix) => Array.from({ length: matrix.length / nPost }, (_unused, i) => matrix[i * nPost + j])),
  ).flat();
}
