import { FileError } from '../core/errors.ts';
import { countOf, type NumberArray } from './numbers.ts';
import type { TextTable } from './text.ts';

/** Spikes of one trial, in the order of the file. */
export interface Events {
  /** In the unit of the file. [event] */
  readonly times: Float64Array;
  /** Identities of the units, as they are in the file. [event] */
  readonly units: Float64Array;
}

/** What one pass over all events finds. */
export interface EventSummary {
  /** Distinct identities of units, ascending. */
  readonly ids: Float64Array;
  /** The last time, in the unit of the file; 0 where there are no events. */
  readonly longest: number;
}

/** Rows of a table of events that lie one behind the other. Its arrays are of use until the next block. */
interface EventBlock extends Events {
  /** Null where the file has one trial. [event] */
  readonly trials: Float64Array | null;
  /** Where each row begins, and the last one ends. [event + 1] */
  readonly at: Float64Array;
  /** What errors call row r. */
  row(r: number): string;
}

/** A table of events in a file: one row an event. */
export interface EventRows {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  blocks(from: number, to: number): Iterable<EventBlock>;
}

/** A table of events with the places of every trial's rows. */
export interface IndexedEvents {
  /** One more than the largest number of a trial; 1 where the file has one trial. */
  readonly trials: number;
  readonly summary: EventSummary;
  events(trial: number): Events;
}

/** Trials, and units of a summary, that a file may count. */
const mostTrials = 1e8;

/**
 * Goes once over all rows and keeps where those of each trial lie: two numbers for every run of rows of one trial, so that a file may be
 * larger than memory where its trials lie together. @throws FileError that names the row
 */
export function indexEvents(rows: EventRows): IndexedEvents {
  const { path } = rows;
  const runs = startRuns();
  const ids = new Set<number>();
  let longest = 0;
  let last = -1;
  for (const block of rows.blocks(rows.start, rows.end)) {
    const { trials, times, units, at } = block;
    for (let r = 0; r < times.length; r++) {
      const trial = trials ? trials[r] : 0;
      assertRow(path, block, r);
      ids.add(units[r]);
      if (times[r] > longest) longest = times[r];
      if (trial !== last) runs.begin(trial, at[r]);
      runs.goOn(at[r + 1]);
      last = trial;
    }
  }
  const { trials, of } = runs.sorted();
  return {
    trials: Math.max(1, trials),
    summary: { ids: Float64Array.from(ids).sort(), longest },
    events: (trial) => eventsIn(rows, of(trial)),
  };
}

/** Numbers of a run of rows: its trial, where it begins and where it ends. */
const runNumbers = 3;

/** Runs of rows of one trial, three numbers each: a file may have as many as it has rows. */
function startRuns() {
  let data = new Float64Array(1024 * runNumbers);
  let used = 0;
  return {
    begin(trial: number, at: number): void {
      if (used === data.length) {
        const more = new Float64Array(2 * data.length);
        more.set(data);
        data = more;
      }
      data[used] = trial;
      data[used + 1] = at;
      used += runNumbers;
    },
    /** The last run ends here for now. */
    goOn(at: number): void {
      data[used - 1] = at;
    },
    /** One more than the largest trial, and the places of the runs of a trial: from, to, from, to. In the order of the file. */
    sorted() {
      const count = used / runNumbers;
      const order = Uint32Array.from({ length: count }, (_, run) => run);
      const trialOf = (run: number) => data[run * runNumbers];
      order.sort((a, b) => trialOf(a) - trialOf(b) || a - b);
      const trials = count === 0 ? 0 : trialOf(order[count - 1]) + 1;
      const of = (trial: number): number[] => {
        let low = 0;
        for (let high = count; low < high; ) {
          const middle = (low + high) >>> 1;
          if (trialOf(order[middle]) < trial) low = middle + 1;
          else high = middle;
        }
        const places: number[] = [];
        for (let k = low; k < count && trialOf(order[k]) === trial; k++) {
          const from = order[k] * runNumbers + 1;
          places.push(data[from], data[from + 1]);
        }
        return places;
      };
      return { trials, of };
    },
  };
}

function assertRow(path: string, block: EventBlock, r: number): void {
  const { trials, times, units } = block;
  if (!(Number.isSafeInteger(units[r]) && units[r] >= 0)) {
    throw new FileError(path, `${block.row(r)}: got unit ${units[r]}, expected a whole number >= 0`);
  }
  if (!Number.isFinite(times[r])) throw new FileError(path, `${block.row(r)}: got time ${times[r]}`);
  if (trials && !(Number.isInteger(trials[r]) && trials[r] >= 0 && trials[r] < mostTrials)) {
    throw new FileError(
      path,
      `${block.row(r)}: got trial ${trials[r]}, expected a whole number from 0 to ${mostTrials}`,
    );
  }
}

function eventsIn(rows: EventRows, runs: readonly number[]): Events {
  const times: number[] = [];
  const units: number[] = [];
  for (let k = 0; k < runs.length; k += 2) {
    for (const block of rows.blocks(runs[k], runs[k + 1])) {
      for (let r = 0; r < block.times.length; r++) {
        times.push(block.times[r]);
        units.push(block.units[r]);
      }
    }
  }
  return { times: Float64Array.from(times), units: Float64Array.from(units) };
}

/** Rows of arrays, and lines of text, that are looked at together. */
const blockRows = 1 << 16;
const textRowsAtOnce = 1 << 12;

/** Events in arrays of one length. @throws FileError where they have not */
export function arrayRows(path: string, times: NumberArray, units: NumberArray, trials: NumberArray | null): EventRows {
  const count = countOf(times.shape);
  for (const array of [times, units, ...(trials ? [trials] : [])]) {
    if (array.shape.length === 1 && array.shape[0] === count) continue;
    throw new FileError(array.path, `has the shape [${array.shape}], expected [${count}] as ${times.path}`);
  }
  return {
    path,
    start: 0,
    end: count,
    *blocks(from, to) {
      for (let first = from; first < to; first += blockRows) {
        const n = Math.min(blockRows, to - first);
        yield {
          times: times.read(first, n),
          units: units.read(first, n),
          trials: trials?.read(first, n) ?? null,
          at: Float64Array.from({ length: n + 1 }, (_, r) => first + r),
          row: (r) => `row ${first + r}`,
        };
      }
    },
  };
}

/** Events in lines of text, by the numbers of the columns. */
export function textRows(table: TextTable, times: number, units: number, trials: number | null): EventRows {
  const columns = trials === null ? [times, units] : [times, units, trials];
  return {
    path: table.path,
    start: table.start,
    end: table.end,
    *blocks(from, to) {
      const values = columns.map(() => new Float64Array(textRowsAtOnce));
      const at = new Float64Array(textRowsAtOnce + 1);
      const lines = new Float64Array(textRowsAtOnce);
      let count = 0;
      const block = (): EventBlock => {
        const column = (c: number) => values[c].subarray(0, count);
        return {
          times: column(0),
          units: column(1),
          trials: trials === null ? null : column(2),
          at: at.subarray(0, count + 1),
          row: (r) => (lines[r] > 0 ? `line ${lines[r]}` : `byte ${at[r]}`),
        };
      };
      for (const row of table.rows(columns, from, to)) {
        if (count === textRowsAtOnce) {
          yield block();
          count = 0;
        }
        for (let c = 0; c < values.length; c++) values[c][count] = row.values[c];
        at[count] = row.at;
        lines[count] = row.line;
        at[++count] = row.end;
      }
      if (count > 0) yield block();
    },
  };
}
