import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FileError } from '../core/errors.ts';
import type { Listener } from '../core/events.ts';
import { writeAtomic } from './files.ts';
import { encodeLines, LineWriter, readLines } from './lines.ts';
import { columnsOf, fromCsvLine, fromJsonLine, type MetricsRow, toCsvLine, toJsonLine } from './metricsRow.ts';

export const METRICS_CSV = 'metrics.csv';
export const METRICS_JSONL = 'metrics.jsonl';

export interface MetricsSink {
  /** Appends trial and evaluation events, at once; ignores all others. Throws FileError. */
  readonly listener: Listener;
  /** Waits until all rows are on the disk. Call it before a checkpoint is written: no row of it is lost then. */
  flush(): void;
  close(): void;
}

interface Line {
  readonly text: string;
  /** Counted from 1. */
  readonly number: number;
  /** Null where the line cannot be read. */
  readonly row: MetricsRow | null;
}

/** The data lines of either table. */
function* scan(path: string): Generator<Line, void> {
  const csv = path.endsWith('.csv');
  let columns: readonly string[] | null = null;
  let number = 0;
  for (const text of readLines(path)) {
    number++;
    if (!csv) yield { text, number, row: fromJsonLine(text) };
    else if (columns) yield { text, number, row: fromCsvLine(text, columns) };
    else columns = text.split(',');
  }
}

/** All rows of `metrics.csv` or `metrics.jsonl`; a last line still being written is left out. Throws FileError. */
export function readMetrics(path: string): MetricsRow[] {
  const rows: MetricsRow[] = [];
  for (const { row, number } of scan(path)) {
    if (!row) throw new FileError(path, `line ${number} is not a row of metrics`);
    rows.push(row);
  }
  return rows;
}

/**
 * Lines up to the amount of a checkpoint. A line that cannot be read is dropped with the rows after the checkpoint (the
 * disk promised nothing about those), but is an error among the rows before it, which were flushed.
 */
function* keptLines(path: string, resumeAmount: number): Generator<string, void> {
  if (!existsSync(path)) return;
  let unreadable = 0;
  for (const { text, number, row } of scan(path)) {
    if (!row) unreadable ||= number;
    else if (row.amount <= resumeAmount) {
      if (unreadable > 0) throw new FileError(path, `line ${unreadable} is damaged`);
      yield text;
    }
  }
}

/** Columns of a table that is gone on with. @throws FileError where it lacks one of this run's */
function columnsIn(path: string, needed: readonly string[]): readonly string[] {
  if (!existsSync(path)) return needed;
  for (const line of readLines(path)) {
    const columns = line.split(',');
    if (needed.some((name) => !columns.includes(name))) {
      throw new FileError(path, `got columns ${line}, expected ${needed.join(',')}`);
    }
    return columns;
  }
  return needed;
}

function* startOf(path: string, columns: readonly string[], resumeAmount: number | undefined): Generator<string, void> {
  if (path.endsWith('.csv')) yield columns.join(',');
  if (resumeAmount !== undefined) yield* keptLines(path, resumeAmount);
}

export interface MetricsOptions {
  /** Amount of the checkpoint that a run goes on from. */
  readonly resumeAmount?: number;
  /** Names of the scores that not every run has. */
  readonly own?: readonly string[];
}

/**
 * Opens the two tables of a run in an existing folder, `metrics.csv` and `metrics.jsonl`: one line per trial or
 * evaluation, numbers with all their digits. Without `resumeAmount` both start empty. With it, the amount of the
 * checkpoint that the run goes on from, rows past that amount and a half-written line are cut off first, so that the
 * tables end with the bytes of a run that was never interrupted; for this a run must report everything of an amount
 * before its checkpoint of that amount. Throws FileError.
 */
export function openMetrics(folder: string, { resumeAmount, own = [] }: MetricsOptions = {}): MetricsSink {
  const paths = [join(folder, METRICS_CSV), join(folder, METRICS_JSONL)] as const;
  const needed = columnsOf(own);
  const columns = resumeAmount === undefined ? needed : columnsIn(paths[0], needed);
  for (const path of paths) writeAtomic(path, encodeLines(startOf(path, columns, resumeAmount)));
  const csv = new LineWriter(paths[0], 0);
  const jsonl = new LineWriter(paths[1], 0);
  return {
    listener(event) {
      if (event.type !== 'trial' && event.type !== 'evaluation') return;
      csv.append(toCsvLine(event, columns));
      jsonl.append(toJsonLine(event, columns));
    },
    flush() {
      csv.sync();
      jsonl.sync();
    },
    close() {
      csv.close();
      jsonl.close();
    },
  };
}
