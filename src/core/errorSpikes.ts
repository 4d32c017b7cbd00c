import { chanceAt, signedEvent } from './chance.ts';
import type { Field, Layout, Real, Views } from './layout.ts';
import type { Rng } from './rng.ts';

/** Errors that reach the neurons as events of two populations, one for each sign. */
export interface ErrorSpikes {
  /** What one event stands for: 1 / rate. */
  readonly size: number;
  readonly key: number;
}

const errorsDrawn: Field = {
  shape: [1],
  home: 'global',
  unit: 'phases',
  doc: 'phases whose errors were drawn',
  bookkeeping: true,
};

/** What a signal has to keep for them. */
export function errorSpikesLayout(size: number | null): Layout {
  return size === null ? {} : { errorsDrawn };
}

export function errorSpikes(size: number | null, rng: Rng): ErrorSpikes | null {
  return size === null ? null : { size, key: rng.split('errors').integer(2 ** 32) };
}

/** told_k = size sign(error_k) with probability min(1, |error_k| / size), else 0.   told: row at `to`; error: row of stream b at `from` */
export function tellErrors(
  told: Real,
  error: Real,
  to: number,
  from: number,
  b: number,
  nOut: number,
  { size, key }: ErrorSpikes,
  { errorsDrawn }: Views,
): void {
  for (let k = 0; k < nOut; k++) {
    told[to + k] = signedEvent(error[from + k], size, chanceAt(key, errorsDrawn[0], b * nOut + k));
  }
}

/** The next phase has draws of its own. Counts in float32 end at 2^24. */
export function endPhase({ errorsDrawn }: Views): void {
  errorsDrawn[0] = (errorsDrawn[0] + 1) % 2 ** 24;
}
