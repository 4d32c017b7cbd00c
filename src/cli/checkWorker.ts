import { parentPort, workerData } from 'node:worker_threads';
import { answerOf, type Checked } from './checkThreads.ts';
import { loadKnown } from './plugins.ts';

/** What entries come to in a thread of its own; see `checkThreads.ts` for the other end. */
const { plugins, entries } = workerData as {
  readonly plugins: Parameters<typeof loadKnown>[0];
  readonly entries: readonly Checked[];
};

loadKnown(plugins);
parentPort?.postMessage(entries.map(answerOf));
