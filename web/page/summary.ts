import { smoothed } from '../views/curve.ts';
import type { Side } from './side.ts';

const grouped = (value: number) => Math.round(value).toLocaleString('en-GB');

/** A run in one sentence. Empty before it is open. */
export function summaryOf({ info, phase, frames, score, evaluation }: Side): string {
  const frame = frames.at(-1);
  if (!info) return '';
  const done = `${info.name} with ${info.rule}, seed ${info.seed}, ${info.backend} backend: ${grouped(frame?.amount ?? 0)} of ${grouped(info.total)} ${info.unit}`;
  const last = smoothed(score).at(-1);
  const now = last === undefined ? [] : [`${info.score.label} ${last.toPrecision(3)}`];
  const rate = frame && Number.isFinite(frame.rateHz) ? [`${frame.rateHz.toFixed(1)} Hz`] : [];
  const speed =
    phase === 'playing' && frame && Number.isFinite(frame.perSecond)
      ? [`${grouped(frame.perSecond)} ${info.unit}/s`]
      : [];
  const test = evaluation === null ? [] : [`on fresh data ${evaluation.toPrecision(3)}`];
  return `${[done, ...now, ...rate, ...speed, ...test].join(', ')}.`;
}
