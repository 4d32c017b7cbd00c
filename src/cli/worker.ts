import { parentPort, workerData } from 'node:worker_threads';
import { executeJob, type Job, type JobResult, type JobWatcher } from './execute.ts';
import { loadKnown } from './plugins.ts';

/** One job in a thread of its own; see `pool.ts` for the other end. */
const { job, stop, plugins } = workerData as {
  readonly job: Job;
  readonly stop: Int32Array;
  readonly plugins: Parameters<typeof loadKnown>[0];
};
let told = 0;

async function execute(watcher: JobWatcher): Promise<JobResult> {
  loadKnown(plugins);
  return executeJob(job, watcher);
}

execute({
  stopped: () => Atomics.load(stop, 0) === 1,
  progress(progress) {
    const now = performance.now();
    if (now - told < 100 && progress.amount < progress.total) return;
    told = now;
    parentPort?.postMessage({ type: 'progress', progress });
  },
}).then(
  (result) => parentPort?.postMessage({ type: 'done', result }),
  (error: Error) => parentPort?.postMessage({ type: 'failed', name: error.name, message: error.message }),
);
