import { smoothed } from '../views/curve.ts';
import type { RunInfo, ScoreInfo } from '../views/types.ts';
import type { Side } from './side.ts';

/** A run that was trained before, kept for comparison: its address and its curve. */
export interface Earlier {
  readonly label: string;
  /** Opens it again. */
  readonly hash: string;
  readonly score: ScoreInfo;
  readonly unit: string;
  readonly amount: readonly number[];
  readonly values: readonly number[];
}

/** With the number of the form in which runs are kept. */
const key = 'spiketrace.earlier.1';
const most = 8;
/** Points that are kept of a curve. */
const points = 200;

export function readEarlier(): Earlier[] {
  return JSON.parse(localStorage.getItem(key) ?? '[]') as Earlier[];
}

export function writeEarlier(runs: readonly Earlier[]): void {
  localStorage.setItem(key, JSON.stringify(runs));
}

/** What runs are told apart by. */
export const labelOf = ({ name, rule, seed }: Pick<RunInfo, 'name' | 'rule' | 'seed'>): string =>
  `${name}, ${rule}, seed ${seed}`;

/** With the run of a side in front, in place of one of the same label. */
export function withRun(
  runs: readonly Earlier[],
  { info, amount, score }: Pick<Side, 'info' | 'amount' | 'score'>,
  hash: string,
): Earlier[] {
  if (!info || amount.length < 2) return [...runs];
  const label = labelOf(info);
  const every = Math.ceil(amount.length / points);
  const some = (values: readonly number[]) => values.filter((_, n) => n % every === 0 || n === values.length - 1);
  const run = { label, hash, score: info.score, unit: info.unit, amount: some(amount), values: some(smoothed(score)) };
  return [run, ...runs.filter((one) => one.label !== label)].slice(0, most);
}
