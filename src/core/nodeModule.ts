import { UnsupportedError } from './errors.ts';

interface Modules {
  readonly 'node:crypto': typeof import('node:crypto');
  readonly 'node:fs': typeof import('node:fs');
  readonly 'node:module': typeof import('node:module');
  readonly 'node:path': typeof import('node:path');
}

/**
 * A module of Node's, asked for where it is needed, so that a page can load what else is in a file.
 * @param what reads from the disk, for the message
 * @throws UnsupportedError in a page
 */
export function nodeModule<Name extends keyof Modules>(name: Name, what: string): Modules[Name] {
  const found: unknown = globalThis.process?.getBuiltinModule?.(name);
  if (!found) throw new UnsupportedError(`${what} reads from the disk: it needs Node`);
  return found as Modules[Name];
}
