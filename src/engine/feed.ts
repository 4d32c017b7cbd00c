import type { Split, TaskInstance, TrialTarget } from '../core/plugins.ts';
import type { Rng } from '../core/rng.ts';
import type { Run } from './run.ts';

/** Brings a task's trials into the arrays of a run. */
export interface Feed {
  readonly task: TaskInstance;
  /** Fills all streams for the trial that the clock says is next. */
  fill(steps: number): void;
  /** Symbols or trials, over all streams, that the clock says are done. */
  amount(): number;
}

/** @param window scored steps of every trial; null for all that the task scores. @param split which of the task's trials */
export function createFeed(
  run: Run,
  task: TaskInstance,
  rng: Rng,
  window: { readonly start: number; readonly length: number } | null,
  split: Split,
): Feed {
  const { network, clock } = run;
  const { sizes, bias } = network.spec;
  const streams = Array.from({ length: sizes.stream }, (_, b) => ({ arrays: slice(run, b), rng: rng.split(b) }));
  if (bias) for (let s = sizes.in - 1; s < network.trial.x.length; s += sizes.in) network.trial.x[s] = 1;
  return {
    task,
    fill(steps) {
      for (let b = 0; b < streams.length; b++) {
        const { arrays, rng: source } = streams[b];
        const start = task.mode.kind === 'stream' ? clock.step : clock.trial * sizes.stream + b;
        task.fill({ ...arrays, steps }, source, start, split);
        if (window) mute(arrays.weight, window, steps);
      }
    },
    amount() {
      const perStream = task.mode.kind === 'stream' ? Math.floor(clock.step / task.mode.stepsPerSymbol) : clock.trial;
      return perStream * sizes.stream;
    },
  };
}

/** Steps of the next trial: a chunk is cut short where the total ends within it. */
export function nextSteps(run: Run, task: TaskInstance, totalSteps: number): number {
  const longest = run.network.spec.sizes.step;
  return task.mode.kind === 'stream' ? Math.min(longest, totalSteps - run.clock.step) : task.mode.steps;
}

/** One stream's part of the whole-time arrays. */
function slice(run: Run, b: number): Omit<TrialTarget, 'steps'> {
  const { trial, spec } = run.network;
  const { step, in: nIn, out } = spec.sizes;
  return {
    x: trial.x.subarray(b * step * nIn, (b + 1) * step * nIn),
    target: trial.target.subarray(b * step * out, (b + 1) * step * out),
    expected: trial.expected.subarray(b * step * out, (b + 1) * step * out),
    weight: trial.weight.subarray(b * step, (b + 1) * step),
    xStride: nIn,
  };
}

/** Steps outside the window are not scored. */
function mute(weight: TrialTarget['weight'], window: { start: number; length: number }, steps: number): void {
  for (let t = 0; t < steps; t++) {
    if (t < window.start || t >= window.start + window.length) weight[t] = 0;
  }
}
