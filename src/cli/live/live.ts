import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { loadedPlugins } from '../plugins.ts';

/** A dashboard beside what this process does. It ends with the process, or when it is closed. */
export interface Live {
  readonly url: string;
  close(): Promise<unknown>;
}

/** @param folder that runs are written to, which may not be there yet */
export async function openLive(folder: string): Promise<Live> {
  const worker = new Worker(new URL('./thread.js', import.meta.url), {
    workerData: { folder, plugins: loadedPlugins() },
  });
  const [url] = (await once(worker, 'message')) as [string];
  // Looking on never keeps a training that is over, and never ends one that is not.
  worker.unref();
  worker.on('error', () => {});
  return { url, close: () => worker.terminate() };
}
