import type { EvaluationEvent } from '../../core/events.ts';
import { scoreOf } from '../../study/measures.ts';
import type { StudyRow } from '../../study/table.ts';
import { meritIn } from '../merit.ts';
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
  let asked = opened.study.measures;
  const seen = opened.plan.runs.map((run) => {
    const { state, result, failure } = lookAt(folderOf(opened, run));
    const scores = state === 'done' ? (result?.evaluation ?? null) : null;
    if (scores && !asked) asked = measuresOf(scores);
    return {
      run,
      state,
      scores,
      amount: result?.amount ?? null,
      seconds: result?.seconds ?? null,
      message: messageOf({ state, result, failure }),
    };
  });
  const measures = asked ?? [];
  const rows = seen.map(({ run, scores, ...row }) => ({
    run: run.name,
    cell: run.cell.name,
    seed: run.seed,
    ...row,
    measures: Object.fromEntries(measures.map((name) => [name, scores && measured(scores, name)])),
  }));
  return { measures, rows };
}

/** `merit` stands for what the task is scored by. */
function measured(scores: EvaluationEvent, name: string): number | null {
  return scoreOf(scores, name === 'merit' ? meritIn(scores).measure : name);
}

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
