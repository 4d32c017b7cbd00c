import type { Real } from '../core/layout.ts';
import type { Split, TaskInstance, TrialTarget } from '../core/plugins.ts';
import type { Rng } from '../core/rng.ts';
import { rowAt } from '../core/rows.ts';
import { bindAnswers } from './answers.ts';
import type { Run } from './run.ts';

/** Brings a task's trials into the arrays of a run. */
export interface Feed {
  readonly task: TaskInstance;
  /** Fills all streams for the trial that the clock says is next. */
  fill(steps: number): void;
  /** Of a task that answers: lets it, when the network has put out step t. */
  readonly answer?: (t: number) => void;
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
  const { sizes } = network.spec;
  const { x } = network.trial;
  const streams = Array.from({ length: sizes.stream }, (_, b) => ({ ...slice(run, task, b), rng: rng.split(b) }));
  const answers =
    task.environment &&
    bindAnswers(
      run,
      task.environment,
      streams.map((stream) => stream.rng),
      split,
    );
  const startOf = (b: number) => (task.mode.kind === 'stream' ? clock.step : clock.trial * sizes.stream + b);
  // The constant of plastic biases.
  if (x.width > task.nIn) for (let s = x.width - 1; s < x.data.length; s += x.width) x.data[s] = 1;
  return {
    task,
    fill(steps) {
      for (let b = 0; b < streams.length; b++) {
        const { arrays, copyOutputs, rng: source } = streams[b];
        task.fill({ ...arrays, steps }, source, startOf(b), split);
        copyOutputs?.(steps);
        if (window) mute(arrays.weight, window, steps);
      }
      answers?.begin(steps, startOf);
    },
    ...(answers ? { answer: answers.answer } : {}),
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

/** One stream's part of the whole-time arrays, and what brings the task's outputs to the readouts where they are not the same. */
function slice({ network }: Run, task: TaskInstance, b: number) {
  const { trial, spec } = network;
  const { step, in: nIn, out } = spec.sizes;
  const first = rowAt(trial.x, b, 0);
  const outputs = spec.readouts.flatMap((readout) => [...readout.outputs]);
  const part = (data: Real) => data.subarray(b * step * out, (b + 1) * step * out);
  const own = { target: part(trial.target.data), expected: part(trial.expected.data) };
  const same = outputs.length === task.nOut && outputs.every((output, k) => output === k);
  const room = () => new Float64Array(step * task.nOut);
  const given = same ? own : { target: room(), expected: room() };
  return {
    arrays: {
      ...given,
      x: trial.x.data.subarray(first, first + step * nIn),
      weight: trial.weight.data.subarray(b * step, (b + 1) * step),
      ...(trial.reward.width > 0 ? { reward: trial.reward.data.subarray(b * step, (b + 1) * step) } : {}),
      xStride: nIn,
    } satisfies Omit<TrialTarget, 'steps'>,
    copyOutputs: same
      ? null
      : (steps: number) => {
          choose(own.target, given.target, outputs, task.nOut, steps);
          choose(own.expected, given.expected, outputs, task.nOut, steps);
        },
  };
}

/** Columns of a task's outputs that readouts are to learn.   to: [step][chosen]; from: [step][nOut] */
function choose(to: Real, from: Real, outputs: readonly number[], nOut: number, steps: number): void {
  const n = outputs.length;
  for (let t = 0; t < steps; t++) for (let k = 0; k < n; k++) to[t * n + k] = from[t * nOut + outputs[k]];
}

/** Steps outside the window are not scored. */
function mute(weight: TrialTarget['weight'], window: { start: number; length: number }, steps: number): void {
  for (let t = 0; t < steps; t++) {
    if (t < window.start || t >= window.start + window.length) weight[t] = 0;
  }
}
