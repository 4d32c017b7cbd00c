import type { Frame } from '../views/types.ts';

/** Where a page stands: frames back from the newest, and the step within the frame (null: all of it). */
export interface Position {
  readonly back: number;
  readonly t: number | null;
}

export const nowhere: Position = { back: 0, t: null };

/** The frame at a position, the oldest one of those that go back less far. */
export function frameAt(frames: readonly Frame[], { back }: Position): Frame | null {
  return frames[Math.max(0, frames.length - 1 - back)] ?? null;
}

/** One step on or back, through the frames that were shown; null at their ends. */
export function movedBy(frames: readonly Frame[], position: Position, by: 1 | -1): Position | null {
  const frame = frameAt(frames, position);
  if (!frame) return null;
  if (position.t === null) return { ...position, t: by === 1 ? 0 : frame.steps - 1 };
  const t = position.t + by;
  if (t >= 0 && t < frame.steps) return { ...position, t };
  const back = position.back - by;
  if (back < 0 || back >= frames.length) return null;
  const beside = frames[frames.length - 1 - back];
  return { back, t: by === 1 ? 0 : beside.steps - 1 };
}
