import type { Real } from './layout.ts';

/**
 * Numbers of every step of a trial for all streams: [stream][history + step][width]. An owner has `size` columns of each row, from
 * column `from` on. Row -1 is the step before the trial, as far back as -history.
 */
export interface Rows {
  readonly data: Real;
  readonly width: number;
  readonly from: number;
  readonly size: number;
  readonly history: number;
  readonly steps: number;
}

/** Where the owner's columns of step t of stream b begin. */
export function rowAt({ width, from, history, steps }: Rows, b: number, t: number): number {
  return (b * (history + steps) + history + t) * width + from;
}

/** Zeros in the owner's columns of the first steps of stream b. */
export function clearRows(rows: Rows, b: number, steps: number): void {
  for (let t = 0; t < steps; t++) {
    const row = rowAt(rows, b, t);
    rows.data.fill(0, row, row + rows.size);
  }
}

/** Columns [from, from + size) of an owner's rows, as the rows of somebody else. */
export function columnsOf(rows: Rows, from: number, size: number): Rows {
  return { ...rows, from: rows.from + from, size };
}

/** One row that stands for every step of every stream: zeros where nothing is. */
export function noRows(data: Real): Rows {
  return { data, width: 0, from: 0, size: data.length, history: 0, steps: 0 };
}

/** The rows of several owners side by side, for a reader who takes them as one. */
export interface Pool {
  readonly size: number;
  /** Where the numbers are, once `at` has been asked for a step. */
  readonly data: Real;
  /** Where row t of stream b begins in `data`, until the next call. */
  at(b: number, t: number): number;
}

/** @param scratch room for one row where there are several owners */
export function poolOf(parts: readonly Rows[], scratch: (length: number) => Real): Pool {
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  const [only] = parts;
  if (parts.length === 1) return { size, data: only.data, at: (b, t) => rowAt(only, b, t) };
  const data = scratch(size);
  return {
    size,
    data,
    at(b, t) {
      let to = 0;
      for (const part of parts) {
        copyRow(data, to, part.data, rowAt(part, b, t), part.size);
        to += part.size;
      }
      return 0;
    },
  };
}

function copyRow(out: Real, to: number, x: Real, from: number, n: number): void {
  for (let j = 0; j < n; j++) out[to + j] = x[from + j];
}
