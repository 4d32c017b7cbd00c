import { Worker } from 'node:worker_threads';
import type { Catalogue } from '../core/plugins.ts';
import { type CheckRow, outcomeOf, sameOutcome } from '../experiment/check/index.ts';
import { catalogue } from './catalogue.ts';
import { loadedPlugins } from './plugins.ts';

/** An entry of the catalogue, with parameters that have no default. */
export interface Checked {
  readonly list: keyof Catalogue;
  readonly name: string;
  readonly choice: Readonly<Record<string, unknown>>;
}

/** What a thread says of an entry: what it comes to, or why it does not. */
export type Answer = { readonly outcome: ReturnType<typeof outcomeOf> } | { readonly message: string };

/** Beside this one. */
const threads = 2;

/**
 * Whether entries come to the same bits in two threads that are at work at once as in this one, which has done other things before.
 * @returns a row for each
 */
export async function checkThreads(entries: readonly Checked[]): Promise<CheckRow[]> {
  const others = await Promise.all(Array.from({ length: threads }, () => answersOf(entries)));
  return entries.map(({ list, name, choice }, at) => {
    const row = (outcome: CheckRow['outcome'], detail: string): CheckRow => {
      return { entry: `${list} ${name}`, check: 'same bits in two threads', outcome, detail };
    };
    const here = answerOf({ list, name, choice });
    if ('message' in here) return row('skipped', `it fails in this one: ${here.message}`);
    if (!here.outcome) return row('skipped', 'it cannot be built, or is no part by itself');
    for (const answers of others) {
      const there = answers[at];
      if ('message' in there) return row('fails', `in another thread: ${there.message}`);
      const parting = sameOutcome(here.outcome, there.outcome);
      if (parting !== null) return row('fails', `in another thread ${parting} differs`);
    }
    return row('holds', '');
  });
}

/** Of this thread. */
export function answerOf({ list, name, choice }: Checked): Answer {
  try {
    return { outcome: outcomeOf(list, name, catalogue, choice) };
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) };
  }
}

/** One after the other, in a thread that loads the same plug-ins. */
function answersOf(entries: readonly Checked[]): Promise<Answer[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./checkWorker.js', import.meta.url), {
      workerData: { plugins: loadedPlugins(), entries },
    });
    worker.on('message', resolve).on('error', reject);
  });
}
