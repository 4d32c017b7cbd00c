import { filter, map, type Observable, Subject, scan } from 'rxjs';
import type { Listener, RunEvent, StartEvent, TrialEvent } from '../core/events.ts';

export interface EventStream {
  /** To be handed to the engine. */
  readonly listener: Listener;
  /** Hot: subscribe before the run starts, nothing is repeated. */
  readonly events$: Observable<RunEvent>;
  complete(): void;
  fail(error: unknown): void;
}

/** The events of a run as an observable. For what looks on: rxjs reports an error of a subscriber to nobody who waits for the run. */
export function createEventStream(): EventStream {
  const subject = new Subject<RunEvent>();
  return {
    listener: (event) => subject.next(event),
    events$: subject.asObservable(),
    complete: () => subject.complete(),
    fail: (error) => subject.error(error),
  };
}

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { readonly type: T }>;

/** The events of one type, with their type. */
export function ofType<T extends RunEvent['type']>(events$: Observable<RunEvent>, type: T): Observable<EventOf<T>> {
  return events$.pipe(filter((event): event is EventOf<T> => event.type === type));
}

/** What a progress line shows. Null: not known yet. */
export interface Progress {
  readonly amount: number;
  readonly total: number;
  /** What `amount` and `total` count. */
  readonly unit: string;
  /** Expected loss where the task states one, else the loss, per step; smoothed over some ten trials. */
  readonly loss: number | null;
  readonly rateHz: number | null;
  /** Amount per second over the last half minute, or over the last trial where that took longer. */
  readonly perSecond: number | null;
  readonly secondsLeft: number | null;
}

interface Sample {
  readonly atMs: number;
  readonly amount: number;
}

interface Run {
  readonly start: StartEvent;
  readonly now: Sample;
  /** Earlier samples, oldest first; the speed is measured from the oldest one. */
  readonly past: readonly Sample[];
  readonly loss: number | null;
  readonly rateHz: number | null;
}

const WINDOW_MS = 30_000;
/** Trials may last less than a millisecond; this bounds what is kept to some 30 samples. */
const SAMPLE_MS = WINDOW_MS / 30;
const SMOOTHING = 0.1;

function begin(start: StartEvent, atMs: number): Run {
  const now = { atMs, amount: start.amount };
  return { start, now, past: [now], loss: null, rateHz: null };
}

/** Keeps the samples of the window, and the one before it. */
function remember(past: readonly Sample[], now: Sample): readonly Sample[] {
  const first = past.findIndex((_, i) => (past[i + 1]?.atMs ?? Number.POSITIVE_INFINITY) > now.atMs - WINDOW_MS);
  const kept = past.slice(first);
  const last = kept.at(-1);
  return last && now.atMs - last.atMs < SAMPLE_MS ? kept : [...kept, now];
}

/** A trial without a scored step has no loss. */
function smooth(before: number | null, loss: number): number | null {
  if (Number.isNaN(loss)) return before;
  return before === null ? loss : before + SMOOTHING * (loss - before);
}

function advance(run: Run, trial: TrialEvent, atMs: number): Run {
  const now = { atMs, amount: trial.amount };
  const loss = trial.expectedLoss ?? trial.lossPerStep;
  return {
    start: run.start,
    now,
    past: remember(run.past, now),
    loss: smooth(run.loss, loss),
    rateHz: trial.rateHz,
  };
}

function speedOf({ past, now }: Run): number | null {
  const oldest = past[0];
  if (!oldest || now.atMs <= oldest.atMs || now.amount <= oldest.amount) return null;
  return (1000 * (now.amount - oldest.amount)) / (now.atMs - oldest.atMs);
}

function report(run: Run): Progress {
  const { total, unit } = run.start;
  const { amount } = run.now;
  const perSecond = speedOf(run);
  const left = Math.max(0, total - amount);
  const secondsLeft = left === 0 ? 0 : perSecond === null ? null : left / perSecond;
  return { amount, total, unit, loss: run.loss, rateHz: run.rateHz, perSecond, secondsLeft };
}

/**
 * The state of a run after its start and after every trial. `now` is a clock in milliseconds that never runs backwards.
 * The speed counts from the amount that the run started with, so it is right after a resume; a second start begins anew.
 */
export function progress$(events$: Observable<RunEvent>, now: () => number): Observable<Progress> {
  return events$.pipe(
    filter((event) => event.type === 'start' || event.type === 'trial'),
    scan<StartEvent | TrialEvent, Run | null>((run, event) => {
      if (event.type === 'start') return begin(event, now());
      return run && advance(run, event, now());
    }, null),
    filter((run) => run !== null),
    map(report),
  );
}
