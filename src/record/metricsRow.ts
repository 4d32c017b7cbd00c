import type { EvaluationEvent, Scores, TrialEvent } from '../core/events.ts';

/** One row of the metrics: what an event of training or of an evaluation reports. */
export type MetricsRow = TrialEvent | EvaluationEvent;

/** A record and not a list, so that a new field of an event is a compile error here. */
const ORDER = {
  type: 0,
  amount: 1,
  trial: 2,
  step: 3,
  updates: 4,
  rateScale: 5,
  symbols: 6,
  loss: 7,
  lossPerStep: 8,
  expectedLoss: 9,
  accuracy: 10,
  rateHz: 11,
  activity: 12,
} satisfies Record<Exclude<keyof TrialEvent | keyof EvaluationEvent, 'own'>, number>;

const COMMON: readonly string[] = Object.keys(ORDER);

/** Columns of a table: those of every run, then its own. */
export function columnsOf(own: readonly string[]): string[] {
  return [...COMMON, ...own];
}

type Cells = ReadonlyMap<string, unknown>;

/** JSON has no word for them, and null means that there is no such score. */
function jsonCell(value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

function cellsOf(row: MetricsRow): Cells {
  const { own, ...rest } = row;
  return new Map<string, unknown>([...Object.entries(rest), ...Object.entries(own)]);
}

/** One line of CSV with a cell for every column; a field that is null or that the event does not have is empty. */
export function toCsvLine(row: MetricsRow, columns: readonly string[]): string {
  const cells = cellsOf(row);
  return columns.map((name) => String(cells.get(name) ?? '')).join(',');
}

/** One line of JSON with the fields of the event; NaN and infinities are strings. */
export function toJsonLine(row: MetricsRow, columns: readonly string[]): string {
  const cells = cellsOf(row);
  const present = columns.filter((name) => cells.has(name));
  return JSON.stringify(Object.fromEntries(present.map((name) => [name, jsonCell(cells.get(name))])));
}

/** A cell as a number; undefined where it is none. */
function numberIn(cell: unknown): number | undefined {
  if (typeof cell === 'number') return cell;
  if (typeof cell !== 'string' || cell.trim() === '') return undefined;
  const value = Number(cell);
  return Number.isNaN(value) && cell !== 'NaN' ? undefined : value;
}

/** The row that the cells state, or null where one is missing or not a number. */
function fromCells(cells: Cells): MetricsRow | null {
  let readable = true;
  const number = (name: string): number => {
    const value = numberIn(cells.get(name));
    if (value === undefined) readable = false;
    return value ?? 0;
  };
  const optional = (name: 'expectedLoss' | 'accuracy'): number | null => {
    const cell = cells.get(name);
    return cell === null || cell === undefined || cell === '' ? null : number(name);
  };
  const scores = (): Scores => ({
    loss: number('loss'),
    lossPerStep: number('lossPerStep'),
    expectedLoss: optional('expectedLoss'),
    accuracy: optional('accuracy'),
    rateHz: number('rateHz'),
    activity: number('activity'),
    own: ownIn(cells, number),
  });
  const row = build(cells.get('type'), number, scores);
  return readable ? row : null;
}

/** What stands in the columns that not every run has. */
function ownIn(cells: Cells, number: (name: string) => number): Record<string, number> {
  const stated = [...cells].filter(([name, cell]) => !COMMON.includes(name) && cell !== null && cell !== '');
  return Object.fromEntries(stated.map(([name]) => [name, number(name)]));
}

function build(type: unknown, number: (name: keyof typeof ORDER) => number, scores: () => Scores): MetricsRow | null {
  const amount = number('amount');
  if (type === 'evaluation') return { type, amount, symbols: number('symbols'), ...scores() };
  if (type !== 'trial') return null;
  return {
    type,
    trial: number('trial'),
    step: number('step'),
    amount,
    updates: number('updates'),
    rateScale: number('rateScale'),
    ...scores(),
  };
}

/** Reads a line of CSV under these columns, in any order; null where it is no row. */
export function fromCsvLine(line: string, columns: readonly string[]): MetricsRow | null {
  const cells = line.split(',');
  if (cells.length !== columns.length) return null;
  return fromCells(new Map(columns.map((name, i) => [name, cells[i]])));
}

/** Reads a line of JSON; null where it is no row. */
export function fromJsonLine(line: string): MetricsRow | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? fromCells(new Map(Object.entries(value))) : null;
  } catch {
    return null;
  }
}
