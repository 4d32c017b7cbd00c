import { channelName } from '../core/bindings.ts';
import type { Listener, Scores } from '../core/events.ts';
import { scheduleAt } from '../core/network.ts';
import { checkpointPieces } from './checkpoint.ts';
import { type Feed, nextSteps } from './feed.ts';
import type { Recorder } from './recorder.ts';
import { type Run, runTrial, updateRest } from './run.ts';
import { addTrial, checkFinite, emptyTally, scoresOf } from './scores.ts';
import { createVitals } from './vitals.ts';

export interface TrainOptions {
  /** Stop at the first trial border at or after this amount (symbols or trials); default: the total. */
  readonly until?: number | undefined;
  /** Asked after every trial; true stops there, as `until` would. */
  readonly stopped?: (() => boolean) | undefined;
  readonly listener?: Listener | undefined;
  /** Watches chosen steps; its events go to the listener. */
  readonly recorder?: Recorder | undefined;
}

export interface TrainPlan {
  readonly total: number;
  /** A checkpoint is told at the first trial border after this amount. */
  readonly checkpointEvery: number;
}

/**
 * The training loop. It knows the order of things and nothing of rules, tasks or files: fill, run, check, tell.
 * `note` is said once, at the start.
 * Yields after every trial. @throws DivergenceError as soon as a trial leaves a number that is not finite
 */
export function* trainTrials(
  run: Run,
  feed: Feed,
  plan: TrainPlan,
  name: { readonly rule: string; readonly seed: number; readonly backend: string },
  note: string | null,
  config: unknown,
  evaluate: () => Scores & { readonly amount: number },
  { until = plan.total, stopped, listener, recorder }: TrainOptions,
): Generator<void> {
  const { task } = feed;
  const unit = task.mode.kind === 'stream' ? 'symbols' : 'trials';
  listener?.({ type: 'start', ...name, unit, amount: feed.amount(), total: plan.total, bounds: task.bounds });
  if (note !== null) listener?.({ type: 'warning', amount: feed.amount(), message: note, finding: null });
  const began = feed.amount();
  const end = Math.min(until, plan.total);
  let saved = began;
  const vitals = listener ? createVitals(run) : null;
  while (feed.amount() < end && !stopped?.()) {
    const steps = nextSteps(run, task, run.totalSteps);
    const scores = trainOne(run, feed, steps, listener, recorder);
    for (const finding of (scores && vitals?.after(steps, scores)) ?? []) {
      const message = `${finding.text} at ${feed.amount()} ${unit}; ${finding.advice}`;
      listener?.({ type: 'warning', amount: feed.amount(), message, finding });
    }
    if (feed.amount() - saved >= plan.checkpointEvery && feed.amount() < end) {
      saved = feed.amount();
      listener?.({ type: 'checkpoint', amount: saved, pieces: checkpointPieces(run, config) });
    }
    yield;
  }
  const amount = feed.amount();
  const complete = amount >= plan.total;
  if (complete) updateRest(run);
  const savingOnFailure = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      listener?.({ type: 'checkpoint', amount, pieces: checkpointPieces(run, config) });
      throw error;
    }
  };
  if (listener) {
    // Every score up to an amount is told before the checkpoint of that amount: a resumed run must not repeat one.
    if (complete && amount > began) {
      const { amount: symbols, ...scores } = savingOnFailure(evaluate);
      listener({ type: 'evaluation', amount, symbols, ...scores });
    }
    listener({ type: 'checkpoint', amount, pieces: checkpointPieces(run, config) });
    listener({ type: 'end', amount, complete, findings: vitals?.standing() ?? [], curve: vitals?.curve() ?? null });
  }
}

/** Mean losses per phase, stream and neuron of what signals learn for themselves, in the trial just done, over their neurons. */
function ownLosses({ network }: Run): Scores['own'] {
  const { spec, state } = network;
  const sums: Record<string, number> = {};
  const neurons: Record<string, number> = {};
  for (const { name, size, signals } of spec.populations) {
    signals.forEach(({ losses }, c) => {
      if (losses.length === 0) return;
      const kept = state.field(`${channelName(`population.${name}.signal`, spec, c)}.losses`);
      losses.forEach((own, k) => {
        sums[own.name] = (sums[own.name] ?? 0) + size * (kept[k] / kept[losses.length]);
        neurons[own.name] = (neurons[own.name] ?? 0) + size;
      });
    });
  }
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / neurons[name]]));
}

/** @returns the scores of the trial, null where nobody listens */
function trainOne(run: Run, feed: Feed, steps: number, listener?: Listener, recorder?: Recorder): Scores | null {
  const { network, clock, totalSteps } = run;
  feed.fill(steps);
  const onStep = recorder?.wants(clock.trial) && listener ? (t: number) => recorder.step(run, t, listener) : undefined;
  runTrial(run, steps, { learn: true, answer: feed.answer, onStep });
  checkFinite(run, steps);
  if (!listener) return null;
  const tally = emptyTally();
  addTrial(tally, run, steps);
  const scores = scoresOf(tally, network, feed.task.statesExpected);
  const progress = Math.min(1, clock.step / totalSteps);
  listener({
    type: 'trial',
    trial: clock.trial,
    step: clock.step,
    amount: feed.amount(),
    updates: clock.updates,
    rateScale: scheduleAt(network.spec.signalSchedule, progress),
    ...scores,
    own: { ...scores.own, ...ownLosses(run) },
  });
  return scores;
}
