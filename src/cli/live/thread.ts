import { parentPort, workerData } from 'node:worker_threads';
import { loadKnown } from '../plugins.ts';
import { openDashboard } from './server.ts';

/** The dashboard in a thread of its own, so that looking on takes no time of the training; see `live.ts` for the other end. */
const { folder, plugins } = workerData as {
  readonly folder: string;
  readonly plugins: Parameters<typeof loadKnown>[0];
};
loadKnown(plugins);
const { url } = await openDashboard(folder);
parentPort?.postMessage(url);
