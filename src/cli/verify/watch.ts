import type { Weights } from '../../core/plugins.ts';
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
  /** State of the neurons, traces and direct rule after the step, by `group.field`. */
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
    if (!learn) for (const block of [gradient.wIn, gradient.wRec, gradient.wOut, gradient.bOut]) block.fill(0);
  };
  runTrial(run, steps, { learn: true, freeze: !learn, onStep: take });
  take();
  return taken;
}

function copyWeights({ wIn, wRec, wOut, bOut }: Weights): Weights {
  return {
    wIn: Float64Array.from(wIn),
    wRec: Float64Array.from(wRec),
    wOut: Float64Array.from(wOut),
    bOut: Float64Array.from(bOut),
  };
}

function copyState({ network: { state } }: Run): Record<string, Float64Array> {
  const names = state.table.map(({ name }) => name).filter((name) => /^(neuron|trace|signal|direct)\./.test(name));
  return Object.fromEntries(names.map((name) => [name, Float64Array.from(state.field(name))]));
}

/** Rows [pre][post] of several matrices put together and turned round: [post][pre of the first, then of the next]. */
export function turned(matrices: readonly ArrayLike<number>[], nPost: number): number[] {
  return Array.from({ length: nPost }, (_, j) =>
    matrices.flatMap((matrix) => Array.from({ length: matrix.length / nPost }, (_unused, i) => matrix[i * nPost + j])),
  ).flat();
}
