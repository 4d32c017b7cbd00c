import { describe, expect, it, vi } from 'vitest';
import type { RunEvent, StartEvent, TrialEvent } from '../../src/core/events.ts';
import { createEventStream, ofType, type Progress, progress$ } from '../../src/record/observe.ts';
import { evaluationEvent, trialEvent } from './scratch.ts';

function startEvent(amount: number, total: number): StartEvent {
  return { type: 'start', rule: 'e-prop-1', seed: 1, backend: 'reference', unit: 'symbols', amount, total, bounds: [] };
}

/** Progress after each event, with the clock at that event in milliseconds. */
function progress(timed: readonly (readonly [number, RunEvent])[]): Progress[] {
  const { listener, events$ } = createEventStream();
  const seen: Progress[] = [];
  let clockMs = 0;
  progress$(events$, () => clockMs).subscribe((state) => seen.push(state));
  for (const [atMs, event] of timed) {
    clockMs = atMs;
    listener(event);
  }
  return seen;
}

const trial = (amount: number, change: Partial<TrialEvent> = {}) => trialEvent(1, { amount, ...change });

describe('createEventStream', () => {
  it('passes every event on, in order, to all subscribers', () => {
    const { listener, events$, complete } = createEventStream();
    const seen: RunEvent[][] = [[], []];
    const done = vi.fn();
    for (const list of seen) events$.subscribe({ next: (event) => list.push(event), complete: done });
    const events = [startEvent(0, 10), trial(5), evaluationEvent(5)];
    for (const event of events) listener(event);
    complete();
    listener(trial(6));
    expect(seen).toEqual([events, events]);
    expect(done).toHaveBeenCalledTimes(2);
  });

  it('passes a failure on', () => {
    const { events$, fail } = createEventStream();
    const failed = vi.fn();
    events$.subscribe({ error: failed });
    const error = new Error('v[3] became NaN');
    fail(error);
    expect(failed).toHaveBeenCalledExactlyOnceWith(error);
  });

  it('ofType selects events with their type', () => {
    const { listener, events$ } = createEventStream();
    const symbols: number[] = [];
    ofType(events$, 'evaluation').subscribe((event) => symbols.push(event.symbols));
    for (const event of [startEvent(0, 10), trial(5), evaluationEvent(5)]) listener(event);
    expect(symbols).toEqual([80000]);
  });
});

describe('progress$', () => {
  it('starts at the start, without figures that nobody knows yet', () => {
    const unknown = { loss: null, rateHz: null, perSecond: null, secondsLeft: null };
    expect(progress([[7, startEvent(0, 1000)]])).toEqual([{ amount: 0, total: 1000, unit: 'symbols', ...unknown }]);
    expect(progress([[7, trial(5)]])).toEqual([]);
  });

  it('counts the speed from the amount of a resume', () => {
    const [, after] = progress([
      [5000, startEvent(900, 1000)],
      [7000, trial(920)],
    ]);
    expect([after?.amount, after?.perSecond, after?.secondsLeft]).toEqual([920, 10, 8]);
  });

  it('forgets the speed of long ago', () => {
    const slow = Array.from({ length: 60 }, (_, i) => [1000 * (i + 1), trial(i + 1)] as const);
    const fast = Array.from({ length: 600 }, (_, i) => [60_000 + 100 * (i + 1), trial(60 + i + 1)] as const);
    const states = progress([[0, startEvent(0, 10_000)], ...slow, ...fast]);
    expect(states[60]?.perSecond).toBeCloseTo(1, 9);
    expect(states.at(-1)?.perSecond).toBeCloseTo(10, 9);
    expect(states.at(-1)?.secondsLeft).toBeCloseTo(934, 6);
  });

  it('measures trials longer than its window by the last one', () => {
    const states = progress([
      [0, startEvent(0, 1000)],
      [100_000, trial(100)],
      [300_000, trial(500)],
    ]);
    expect(states.map((state) => state.perSecond)).toEqual([null, 1, 2]);
  });

  it('survives trials within one tick of the clock', () => {
    const many = Array.from({ length: 50_000 }, (_, i) => [Math.floor(i / 100), trial(i + 1)] as const);
    const states = progress([[0, startEvent(0, 50_000)], ...many]);
    expect(states[1]?.perSecond).toBe(null);
    expect(states.at(-1)?.perSecond).toBeCloseTo((1000 * 50_000) / 499, 6);
    expect(states.at(-1)?.secondsLeft).toBe(0);
  });

  it('smooths the expected loss, or the loss where there is none', () => {
    const change = { expectedLoss: null, lossPerStep: 3 };
    const states = progress([
      [0, startEvent(0, 10)],
      [1, trial(1, { expectedLoss: 1, lossPerStep: 9, rateHz: 20 })],
      [2, trial(2, { ...change, rateHz: 30 })],
    ]);
    expect(states.map((state) => state.loss)).toEqual([null, 1, 1.2]);
    expect(states.map((state) => state.rateHz)).toEqual([null, 20, 30]);
  });

  it('a second start begins anew', () => {
    const states = progress([
      [0, startEvent(0, 10)],
      [1000, trial(10)],
      [2000, startEvent(0, 20)],
      [3000, trial(5)],
    ]);
    expect(states.slice(2).map((state) => [state.amount, state.loss === null, state.perSecond])).toEqual([
      [0, true, null],
      [5, false, 5],
    ]);
  });
});
