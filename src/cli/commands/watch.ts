import { existsSync } from 'node:fs';
import { FileError } from '../../core/errors.ts';
import { openDashboard } from '../live/server.ts';
import { type Global, print } from '../output.ts';

/** `spiketrace watch`: the runs of a folder on a page of this machine, until it is stopped. */
export async function watchRuns(folder: string, flags: Global & { readonly port: number }): Promise<void> {
  if (!existsSync(folder)) throw new FileError(folder, 'no such folder');
  const { url } = await openDashboard(folder, { port: flags.port });
  print(flags.json ? JSON.stringify({ url }) : `runs in ${folder}: ${url}`);
}
