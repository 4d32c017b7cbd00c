import type { GivenFile } from '../engine/protocol.ts';

/** Bytes of a file that a page takes: it has it in memory, once for each run. */
const mostBytes = 512 * 2 ** 20;

/** Whether a file is an experiment, and not data. */
export const isExperiment = ({ name }: File): boolean => /\.json$/i.test(name);

/** Reads a file that was dropped or chosen. It stays on the page. @throws Error that names the file */
export async function readGiven(file: File): Promise<GivenFile> {
  const { name, size } = file;
  if (size > mostBytes) {
    throw new Error(
      `${size} bytes, expected at most ${mostBytes}: a page has its files in memory; spiketrace train reads them from the disk`,
    );
  }
  if (!globalThis.crypto.subtle) {
    throw new Error('cannot be hashed: browsers do it for pages from https:// or localhost only');
  }
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(await file.arrayBuffer());
  } catch {
    throw new Error('cannot be read: give files, not folders');
  }
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const sha256 = Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { name, bytes, sha256 };
}
