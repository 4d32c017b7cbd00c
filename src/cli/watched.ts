import { ConfigError } from '../core/errors.ts';
import type { StepEvent } from '../core/events.ts';
import type { Split } from '../core/plugins.ts';
import { nextSteps } from '../engine/feed.ts';
import { createRecorder, type Recorder, type RecordingPlan } from '../engine/recorder.ts';
import { runTrial } from '../engine/run.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { rangeOf } from './ranges.ts';

/** Which trials (chunks of a stream) of a trained network are gone through, and of which data. */
export interface WatchFlags {
  readonly trials: string;
  readonly split: string;
}

type Plan = Pick<RecordingPlan, 'fields' | 'neurons' | 'everySteps'>;

/** A trained network, its weights as they are. */
export interface Watched {
  readonly experiment: Experiment;
  readonly split: Split;
  readonly fromTrial: number;
  /** Trials that are told of. */
  readonly trials: number;
  /** What a plan records. `run` does the trials from the first on, and tells of those that are wanted. */
  follow(plan: Plan): { readonly fields: Recorder['fields']; run(tell: (event: StepEvent) => void): void };
}

/** @throws ConfigError for trials or data that there cannot be */
export function splitOf({ trials, split }: WatchFlags): { fromTrial: number; toTrial: number; split: Split } {
  const [fromTrial, toTrial] = rangeOf(trials, '--trials');
  if (split !== 'train' && split !== 'test') throw new ConfigError('--split', split, 'train or test');
  return { fromTrial, toTrial, split };
}

export function watch(experiment: Experiment, flags: WatchFlags): Watched {
  const { fromTrial, toTrial, split } = splitOf(flags);
  const trials = toTrial - fromTrial;
  return {
    experiment,
    split,
    fromTrial,
    trials,
    follow(plan) {
      const { run, feed } = experiment.observer(1, split);
      const recorder = createRecorder(run, { ...plan, fromTrial, trials });
      return {
        fields: recorder.fields,
        run(tell) {
          const listener = (event: { readonly type: string }) => tell(event as StepEvent);
          while (run.clock.trial < toTrial) {
            const steps = nextSteps(run, experiment.task, run.totalSteps);
            feed.fill(steps);
            const onStep = recorder.wants(run.clock.trial) ? (t: number) => recorder.step(run, t, listener) : undefined;
            runTrial(run, steps, { learn: true, freeze: true, answer: feed.answer, onStep });
          }
        },
      };
    },
  };
}

/** Steps of all trials together, every n-th of each. */
export function stepsOf({ experiment, trials }: Watched, everySteps = 1): number {
  return trials * Math.ceil(experiment.run.network.spec.sizes.step / everySteps);
}
