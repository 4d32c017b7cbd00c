import { parentPort, workerData } from 'node:worker_threads';
import { executeJob, type Job } from './execute.ts';
import { loadKnown } from './plugins.ts';

/** One job after the other in a thread of its own; see `pool.ts` for the other end. */
const { stop, plugins } = workerData as {
  readonly stop: Int32Array;
  readonly plugins: Parameters<typeof loadKnown>[0];
};
let told = 0;
let known = false;

async function execute(job: Job): Promise<void> {
  try {
    if (!known) loadKnown(plugins);
    known = true;
    const result = await executeJob(job, {
      stopped: () => Atomics.load(stop, 0) === 1,
      progress(progress) {
        const now = performance.now();
        if (now - told < 100 && progress.amount < progress.total) return;
        told = now;
        parentPort?.postMessage({ type: 'progress', progress });
      },
    });
    parentPort?.postMessage({ type: 'done', result });
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    parentPort?.postMessage({ type: 'failed', name, message });
  }
}

parentPort?.on('message', execute);
