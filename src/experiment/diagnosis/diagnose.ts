import { type Finding, findingsIn, type Measure } from '../../core/findings.ts';
import type { Catalogue } from '../../core/plugins.ts';
import { measureActivity } from '../../engine/activity.ts';
import { runTrial } from '../../engine/run.ts';
import { createExperiment, type Experiment } from '../experiment.ts';
import { measureDrive } from './drive.ts';
import { measureAlignment, measureRateTerm } from './gradients.ts';
import { measureInformation } from './information.ts';
import { type Progress, progressOf } from './progress.ts';
import { drawSamples } from './samples.ts';
import { measureUpdates, measureWay } from './updates.ts';

/** What stands in the way of a network, and the numbers that say so. */
export interface Diagnosis {
  /** Symbols or trials trained. */
  readonly amount: number;
  readonly progress: Progress;
  /** The first one first; of a network that learns they are notes. */
  readonly findings: readonly Finding[];
  /** All that was measured, and what was not, with the reason. */
  readonly measures: readonly Measure[];
}

export interface DiagnosisOptions {
  /** Losses (rewards, where there are any) of the training so far, trial by trial, by which it is seen whether they still fall. */
  readonly history?: readonly number[];
}

/**
 * Looks for what keeps a network from learning, at the weights that it has, beside those that it was drawn with. Copies of it are run for
 * some trials and learn for some updates; the experiment itself is not changed.
 */
export function diagnose(experiment: Experiment, catalogue: Catalogue, options: DiagnosisOptions = {}): Diagnosis {
  const fresh = createExperiment(experiment.config, catalogue);
  try {
    const samples = drawSamples(experiment);
    const progress = progressOf(experiment, fresh, samples, options.history ?? []);
    const measures = [
      measureInformation(experiment, samples, progress.constant),
      ...measureWay(experiment.run, fresh.run),
      ...activityOf(fresh, 'start'),
      ...activityOf(experiment, 'now'),
      ...measureUpdates(fresh, 'start'),
      ...measureUpdates(experiment, 'now'),
      ...measureRateTerm(fresh, catalogue, 'start'),
      ...measureRateTerm(experiment, catalogue, 'now'),
      ...measureAlignment(experiment, catalogue),
      ...measureDrive(experiment, samples),
    ];
    const findings = findingsIn(measures, progress.verdict === 'learns');
    return { amount: experiment.feed.amount(), progress, findings, measures };
  } finally {
    fresh.close();
  }
}

/** Of the last of three trials of a few streams, which begin at rest. */
function activityOf({ observer, config }: Experiment, when: Measure['when']): Measure[] {
  const { run, feed } = observer(Math.min(config.training.streams, 4));
  const { step } = run.network.spec.sizes;
  try {
    for (let n = 0; n < 3; n++) {
      feed.fill(step);
      runTrial(run, step, { learn: false, answer: feed.answer });
    }
    return measureActivity(run, step, when);
  } finally {
    run.stages.close();
  }
}
