import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { emptyFolder, root, start } from './cli.ts';

export const tsc = join(root, 'node_modules/typescript/bin/tsc');

/** Ends well, or throws with what the program said. */
export async function ran(command: string, args: readonly string[], folder: string): Promise<string> {
  const { code, stdout, stderr } = await start(command, args, folder).ended;
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${stdout}\n${stderr}`);
  return stdout;
}

/** The tarball that would be published, of what `npm run build` made. */
export async function packed(): Promise<string> {
  const folder = emptyFolder();
  await ran('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], root);
  const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz'));
  if (!tarball) throw new Error('npm pack made no tarball');
  return join(folder, tarball);
}

/** A folder with the package installed as a user would have it. */
export async function installed(tarball: string, flags: readonly string[] = []): Promise<string> {
  const folder = join(emptyFolder(), 'user');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{"private": true, "type": "module"}');
  await ran('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...flags, tarball], folder);
  return folder;
}
