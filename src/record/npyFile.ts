import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { ConfigError, FileError } from '../core/errors.ts';
import {
  decodeNpyHeader,
  encodeNpyHeader,
  NPY_BYTES,
  type NpyArray,
  type NpyHeader,
  type NpyType,
  npyArray,
} from '../data/npy.ts';
import { countOf } from '../data/numbers.ts';
import { attempt } from './files.ts';

/** More than any header of version 1.0. */
const HEADER_LIMIT = 1 << 16;
const BLOCK_BYTES = 1 << 18;

export interface NpyWriterOptions {
  readonly type: NpyType;
  /** Shape of one row; the file has shape [rows, ...rowShape]. */
  readonly rowShape: readonly number[];
  /** Memory for rows that wait to be written; at least one row waits. */
  readonly bufferBytes: number;
}

function writeAll(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file, bytes, done, bytes.length - done, position + done);
  }
}

/**
 * Appends rows to a .npy file whose length is not known beforehand. The header counts the rows of the last flush, and is
 * written after them: a killed process leaves a file that can be read. Methods throw FileError.
 */
export class NpyWriter {
  readonly #path: string;
  readonly #type: NpyType;
  readonly #rowShape: readonly number[];
  /** Waiting numbers, [row][...rowShape]. */
  readonly #buffer: NpyArray;
  readonly #file: number;
  readonly #offset: number;
  #waiting = 0;
  #written = 0;
  #open = true;

  /** Makes the file, or empties it. Throws ConfigError for an impossible row, FileError for the file. */
  constructor(path: string, { type, rowShape, bufferBytes }: NpyWriterOptions) {
    const width = countOf(rowShape);
    if (!Number.isSafeInteger(width) || width < 1) throw new ConfigError('rowShape', rowShape, 'lengths of at least 1');
    this.#path = path;
    this.#type = type;
    this.#rowShape = rowShape;
    const rows = Math.max(1, Math.floor(bufferBytes / (width * NPY_BYTES[type])));
    this.#buffer = npyArray(type, new ArrayBuffer(rows * width * NPY_BYTES[type]));
    const header = this.#header();
    this.#offset = header.length;
    this.#file = attempt(path, 'write', () => openSync(path, 'w'));
    attempt(path, 'write', () => writeAll(this.#file, header, 0));
  }

  /** Rows appended so far, waiting ones included. */
  get rows(): number {
    return (this.#written + this.#waiting) / countOf(this.#rowShape);
  }

  #header(): Uint8Array {
    return encodeNpyHeader(this.#type, [this.#written / countOf(this.#rowShape), ...this.#rowShape]);
  }

  /** Adds whole rows, converted to the file's type as a typed array does it. Throws ConfigError for part of a row. */
  append(rows: NpyArray): void {
    const width = countOf(this.#rowShape);
    if (rows.length % width !== 0) throw new ConfigError('rows', rows.length, `a multiple of ${width} numbers`);
    for (let done = 0; done < rows.length; ) {
      const part = rows.subarray(done, done + this.#buffer.length - this.#waiting);
      this.#buffer.set(part, this.#waiting);
      this.#waiting += part.length;
      done += part.length;
      if (this.#waiting === this.#buffer.length) this.flush();
    }
  }

  /** Writes the waiting rows, then the header that counts them. */
  flush(): void {
    if (this.#waiting === 0) return;
    const size = NPY_BYTES[this.#type];
    const bytes = new Uint8Array(this.#buffer.buffer, 0, this.#waiting * size);
    attempt(this.#path, 'write', () => writeAll(this.#file, bytes, this.#offset + this.#written * size));
    this.#written += this.#waiting;
    this.#waiting = 0;
    attempt(this.#path, 'write', () => writeAll(this.#file, this.#header(), 0));
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

function readAt(file: number, length: number, position: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let done = 0;
  for (let n = 1; n > 0 && done < length; done += n) n = readSync(file, bytes, done, length - done, position + done);
  return bytes.subarray(0, done);
}

function* rowsOf(file: number, path: string, { type, shape, offset }: NpyHeader): Generator<NpyArray, void> {
  const width = countOf(shape.slice(1));
  const rowBytes = width * NPY_BYTES[type];
  const total = (shape[0] ?? 1) * rowBytes;
  const blockBytes = Math.max(1, Math.floor(BLOCK_BYTES / rowBytes)) * rowBytes;
  for (let done = 0; done < total; done += blockBytes) {
    const expected = Math.min(blockBytes, total - done);
    const block = attempt(path, 'read', () => readAt(file, expected, offset + done));
    if (block.length < expected) {
      throw new FileError(path, `truncated: got ${done + block.length} bytes of numbers, expected ${total}`);
    }
    const numbers = npyArray(type, block.buffer);
    for (let i = 0; i < numbers.length; i += width) yield numbers.subarray(i, i + width);
  }
}

/** The rows of a .npy file one by one, each of product(shape[1..]) numbers; holds 256 KiB at a time. Throws FileError. */
export function* readNpyRows(path: string): Generator<NpyArray, void> {
  const file = attempt(path, 'read', () => openSync(path, 'r'));
  try {
    const head = attempt(path, 'read', () => readAt(file, HEADER_LIMIT, 0));
    const header = decodeNpyHeader(head, path);
    if (header.fortran && header.shape.length > 1) {
      throw new FileError(path, 'got Fortran order, expected C order: its rows do not lie together');
    }
    yield* rowsOf(file, path, header);
  } finally {
    closeSync(file);
  }
}
