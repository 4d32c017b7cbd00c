import type { EvaluationEvent } from '../../core/events.ts';
import { meritIn } from '../../core/merit.ts';
import { meritName, scoreOf } from '../../study/measures.ts';
import type { StudyRow } from '../../study/table.ts';
import { fixed } from '../output.ts';
import { type Found, folderOf, lookAt, type OpenStudy } from './folder.ts';

/** All runs of a study as they are now. */
export interface Collected {
  /** Names of scores, the one that is compared first. */
  readonly measures: readonly string[];
  readonly rows: readonly StudyRow[];
}

/** Reads every run's folder; runs may go on meanwhile. */
export function collectRows(opened: OpenStudy): Collected {
  const seen = opened.plan.runs.map((run) => {
    const { state, result, failure } = lookAt(folderOf(opened, run));
    const { amount = null, seconds = null } = result ?? {};
    const scores = state === 'done' ? (result?.evaluation ?? null) : null;
    return { run, scores, told: { state, amount, seconds, message: messageOf({ state, result, failure }) } };
  });
  const first = seen.find(({ scores }) => scores !== null)?.scores;
  const measures = first ? (opened.study.measures?.map((name) => resolved(name, first)) ?? measuresOf(first)) : [];
  const rows = seen.map(({ run, scores, told }) => ({
    run: run.name,
    cell: run.cell.name,
    seed: run.seed,
    ...told,
    measures: Object.fromEntries(measures.map((name) => [name, scores && scoreOf(scores, name)])),
  }));
  return { measures, rows };
}

const resolved = (name: string, scores: EvaluationEvent) => (name === meritName ? meritIn(scores).measure : name);

/** What a table shows of a run that names no measures. */
function measuresOf(scores: EvaluationEvent): string[] {
  const names = [meritIn(scores).measure, 'accuracy', 'rateHz'];
  return [...new Set(names)].filter((name) => scoreOf(scores, name) !== null);
}

function messageOf({ state, result, failure }: Found): string {
  if (state === 'failed') return failure?.message ?? '';
  if (state !== 'hopeless' || !result?.hopeless) return '';
  const { measure, value, limit, amount } = result.hopeless;
  return `${measure} ${fixed(value, 4)} at ${amount}, worse than ${fixed(limit, 4)}`;
}
