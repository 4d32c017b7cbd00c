import { Buffer } from 'node:buffer';
import { closeSync, fsyncSync, openSync, readSync, writeFileSync } from 'node:fs';
import { attempt } from './files.ts';

const CHUNK_BYTES = 1 << 16;

/**
 * The complete lines of a text file, without their ends. A last line without an end is one that a killed process was
 * writing, and is left out. Holds 64 KiB at a time. Throws FileError.
 */
export function* readLines(path: string): Generator<string, void> {
  const file = attempt(path, 'read', () => openSync(path, 'r'));
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const decoder = new TextDecoder();
    const next = () => attempt(path, 'read', () => readSync(file, chunk));
    let rest = '';
    for (let n = next(); n > 0; n = next()) {
      const lines = (rest + decoder.decode(chunk.subarray(0, n), { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } finally {
    closeSync(file);
  }
}

/** Lines as UTF-8 with their ends, in chunks of at least 64 KiB, for `writeAtomic`. */
export function* encodeLines(lines: Iterable<string>): Generator<Uint8Array, void> {
  const encoder = new TextEncoder();
  let text = '';
  for (const line of lines) {
    text += `${line}\n`;
    if (text.length < CHUNK_BYTES) continue;
    yield encoder.encode(text);
    text = '';
  }
  yield encoder.encode(text);
}

/** Appends lines to a file; up to `bufferBytes` characters wait in memory, 0 writes each line at once. */
export class LineWriter {
  readonly #path: string;
  readonly #bufferBytes: number;
  readonly #file: number;
  #text = '';
  #open = true;

  /** Throws FileError, as every method does. */
  constructor(path: string, bufferBytes: number) {
    this.#path = path;
    this.#bufferBytes = bufferBytes;
    this.#file = attempt(path, 'write', () => openSync(path, 'a'));
  }

  append(line: string): void {
    this.#text += `${line}\n`;
    if (this.#text.length >= this.#bufferBytes) this.flush();
  }

  /** Hands the waiting lines to the operating system: they survive the death of this process. */
  flush(): void {
    const text = this.#text;
    this.#text = '';
    if (text !== '') attempt(this.#path, 'write', () => writeFileSync(this.#file, text));
  }

  /** Flushes and waits for the disk: the lines survive the death of the machine. */
  sync(): void {
    this.flush();
    attempt(this.#path, 'write', () => fsyncSync(this.#file));
  }

  /** Flushes and closes; a second call does nothing. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      this.flush();
    } finally {
      closeSync(this.#file);
    }
  }
}
