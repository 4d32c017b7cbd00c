import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import {
  ConfigError,
  DivergenceError,
  FileError,
  LockedError,
  StorageError,
  UnsupportedError,
} from '../core/errors.ts';
import type { Progress } from '../record/index.ts';
import { executeJob, type Job, type JobResult } from './execute.ts';
import { loadedPlugins } from './plugins.ts';

export interface PoolOptions {
  readonly threads: number;
  /** Of every job, bytes that it takes. */
  readonly bytes?: readonly number[];
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
  const lanes = jobs.length > 1 ? Math.min(options.threads, jobs.length) : 1;
  let next = 0;
  const work = async () => {
    const lane = openLane(lanes > 1, options.stop);
    while (next < jobs.length) {
      const index = next++;
      const progress = (state: Progress) => options.progress?.(index, state);
      outcomes[index] = await lane.attempt(jobs[index], options.bytes?.[index] ?? 0, progress);
    }
    lane.close();
  };
  await Promise.all(Array.from({ length: lanes }, work));
  return outcomes;
}

/** What does one job after the other. */
export interface Lane {
  /** @param bytes that the job takes */
  attempt(job: Job, bytes: number, progress: (progress: Progress) => void): Promise<Outcome>;
  /** Starts its thread, which loads the program while the job is still made. */
  wake(): void;
  /** Whether there is a thread that takes memory. */
  hasThread(): boolean;
  /** Ends the thread; another job starts another. */
  close(): void;
}

/** A thread that has held more than this is ended: only then is all of its memory free for the next run. */
const keptBytes = 192 * 2 ** 20;

/** @param inThread in a thread of its own; else in this one @param stop set to stop a job */
export function openLane(inThread: boolean, stop: Int32Array): Lane {
  const caught = async (action: () => Promise<JobResult>): Promise<Outcome> => {
    try {
      return { result: await action() };
    } catch (error) {
      return { error: error instanceof Error ? error : new Error(String(error)) };
    }
  };
  if (!inThread) {
    const stopped = () => Atomics.load(stop, 0) === 1;
    const attempt: Lane['attempt'] = (job, _, progress) => caught(() => executeJob(job, { progress, stopped }));
    return { attempt, wake() {}, hasThread: () => false, close() {} };
  }
  let worker: Worker | null = null;
  const awake = () => {
    if (!worker || !isAlive(worker)) worker = started(stop);
    return worker;
  };
  const close = () => {
    void worker?.terminate();
    worker = null;
  };
  return {
    async attempt(job, bytes, progress) {
      const own = awake();
      const outcome = await caught(() => inWorker(own, job, progress));
      if (!isAlive(own) || bytes > keptBytes) close();
      return outcome;
    },
    wake: () => void awake(),
    hasThread: () => worker !== null,
    close,
  };
}

/** A thread that has ended has no number. */
const isAlive = ({ threadId }: Worker): boolean => threadId >= 0;

type Message =
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'done'; readonly result: JobResult }
  | { readonly type: 'failed'; readonly name: string; readonly message: string };

/** What ended a thread. */
const whyLost = new WeakMap<Worker, unknown>();

function started(stop: Int32Array): Worker {
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: { stop, plugins: loadedPlugins() },
  });
  // An exit follows.
  return worker.on('error', (error) => whyLost.set(worker, error));
}

function inWorker(worker: Worker, job: Job, progress: (progress: Progress) => void): Promise<JobResult> {
  return new Promise((resolve, reject) => {
    const settle = (action: () => void) => {
      worker.off('message', onMessage).off('exit', onExit);
      action();
    };
    const onMessage = (message: Message) => {
      switch (message.type) {
        case 'progress':
          return progress(message.progress);
        case 'done':
          return settle(() => resolve(message.result));
        case 'failed':
          return settle(() => reject(revive(message.name, message.message)));
        default:
          return message satisfies never;
      }
    };
    const onExit = (code: number) =>
      settle(() => reject(whyLost.get(worker) ?? new Error(`a worker ended with code ${code}`)));
    worker.on('message', onMessage).on('exit', onExit);
    worker.postMessage(job);
  });
}

/** An error that crossed a thread border gets its class back: the exit code depends on it. */
function revive(name: string, message: string): Error {
  const classes = [ConfigError, UnsupportedError, DivergenceError, FileError, LockedError, StorageError];
  const known = classes.find((candidate) => candidate.name === name);
  const error = new Error(message);
  if (known) Object.setPrototypeOf(error, known.prototype);
  return Object.defineProperty(error, 'name', { value: name });
}
