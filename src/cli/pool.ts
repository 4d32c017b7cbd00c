import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { ConfigError, DivergenceError, FileError, StorageError, UnsupportedError } from '../core/errors.ts';
import type { Progress } from '../record/index.ts';
import { executeJob, type Job, type JobResult } from './execute.ts';
import { loadedPlugins } from './plugins.ts';

export interface PoolOptions {
  readonly threads: number;
  /** Progress of job `index`. */
  readonly progress?: (index: number, progress: Progress) => void;
  /** Set by the caller to stop all jobs at their next trial border. */
  readonly stop: Int32Array;
}

/** What became of a job; one failure does not stop the others. */
export type Outcome = { readonly result: JobResult } | { readonly error: Error };

export const defaultThreads = (): number => availableParallelism();

/** Does jobs in the order given, at most `threads` at a time. The results do not depend on the number of threads. */
export async function runJobs(jobs: readonly Job[], options: PoolOptions): Promise<Outcome[]> {
  const outcomes: Outcome[] = new Array(jobs.length);
  const inThreads = options.threads > 1 && jobs.length > 1;
  let next = 0;
  const lane = async () => {
    while (next < jobs.length) {
      const index = next++;
      outcomes[index] = await attempt(jobs[index], index, options, inThreads);
    }
  };
  await Promise.all(Array.from({ length: inThreads ? Math.min(options.threads, jobs.length) : 1 }, lane));
  return outcomes;
}

async function attempt(job: Job, index: number, options: PoolOptions, inThread: boolean): Promise<Outcome> {
  const progress = (state: Progress) => options.progress?.(index, state);
  try {
    const result = inThread
      ? await inWorker(job, options.stop, progress)
      : await executeJob(job, { progress, stopped: () => Atomics.load(options.stop, 0) === 1 });
    return { result };
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }
}

type Message =
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'done'; readonly result: JobResult }
  | { readonly type: 'failed'; readonly name: string; readonly message: string };

function inWorker(job: Job, stop: Int32Array, progress: (progress: Progress) => void): Promise<JobResult> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: { job, stop, plugins: loadedPlugins() },
    });
    worker.on('message', (message: Message) => {
      switch (message.type) {
        case 'progress':
          return progress(message.progress);
        case 'done':
          return resolve(message.result);
        case 'failed':
          return reject(revive(message.name, message.message));
        default:
          return message satisfies never;
      }
    });
    worker.on('error', reject);
    worker.on('exit', (code) => reject(new Error(`a worker ended with code ${code}`)));
  });
}

/** An error that crossed a thread border gets its class back: the exit code depends on it. */
function revive(name: string, message: string): Error {
  const classes = [ConfigError, UnsupportedError, DivergenceError, FileError, StorageError];
  const known = classes.find((candidate) => candidate.name === name);
  const error = new Error(message);
  if (known) Object.setPrototypeOf(error, known.prototype);
  return Object.defineProperty(error, 'name', { value: name });
}
