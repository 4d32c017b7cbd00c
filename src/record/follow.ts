import { Buffer } from 'node:buffer';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { codeOf } from './files.ts';
import { fromCsvLine, type MetricsRow } from './metricsRow.ts';

/** Bytes of a table that are read at once: who looks on must not be kept from all else by one long table. */
const mostBytes = 1 << 22;

/** What has come since the last look. */
export interface Followed {
  readonly rows: readonly MetricsRow[];
  /** The table is another than before, as after a resumption: its rows begin anew. */
  readonly anew: boolean;
}

/**
 * Follows a `metrics.csv` that somebody else writes: each call reads what was appended. A line still being written waits, one that
 * is no row is left out, and a table that is not there has no rows.
 */
export function followMetrics(path: string): () => Followed {
  let file = '';
  let offset = 0;
  let rest = Buffer.alloc(0);
  let columns: readonly string[] | null = null;
  return () => {
    const read = readFrom(path, file, offset);
    if (!read) return { rows: [], anew: false };
    const { identity, bytes, anew } = read;
    if (anew) {
      offset = 0;
      rest = Buffer.alloc(0);
      columns = null;
    }
    file = identity;
    offset += bytes.length;
    const all = Buffer.concat([rest, bytes]);
    const end = all.lastIndexOf(10) + 1;
    rest = all.subarray(end);
    const rows: MetricsRow[] = [];
    for (const line of all.toString('utf8', 0, Math.max(0, end - 1)).split('\n')) {
      if (end === 0) break;
      if (!columns) columns = line.split(',');
      else {
        const row = fromCsvLine(line, columns);
        if (row) rows.push(row);
      }
    }
    return { rows, anew };
  };
}

/** Bytes from `offset` on, or from the start of what is another file by now; null where there is none. */
function readFrom(
  path: string,
  file: string,
  offset: number,
): { readonly identity: string; readonly bytes: Buffer; readonly anew: boolean } | null {
  let handle: number;
  try {
    handle = openSync(path, 'r');
  } catch (error) {
    if (typeof codeOf(error) === 'string') return null;
    throw error;
  }
  try {
    const { ino, dev, size } = fstatSync(handle);
    const identity = `${dev}:${ino}`;
    const anew = identity !== file || size < offset;
    const from = anew ? 0 : offset;
    const bytes = Buffer.alloc(Math.min(mostBytes, size - from));
    const count = readSync(handle, bytes, 0, bytes.length, from);
    return { identity, bytes: bytes.subarray(0, count), anew };
  } finally {
    closeSync(handle);
  }
}
