import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, FileError } from '../core/errors.ts';
import type { Listener, StepEvent } from '../core/events.ts';
import { ensureWritableFolder, writeAtomic } from './files.ts';
import { encodeLines, LineWriter, readLines } from './lines.ts';
import { NpyWriter, readNpyRows } from './npyFile.ts';
import { checkFields, headerBytes, INDEX_HEADER, type RecordedField, rowBytes, typeOf } from './recordedField.ts';

const INDEX = 'index.csv';
const BUFFER_BYTES = 1 << 20;
const INDEX_BUFFER_BYTES = 1 << 16;

/** Bytes that a recording of so many fields keeps in memory, whatever it writes to disk. */
export function recordingMemory(fields: number): number {
  return fields * BUFFER_BYTES + INDEX_BUFFER_BYTES;
}

export interface RecordingOptions {
  readonly fields: readonly RecordedField[];
  /** Length of a step in ms. */
  readonly dtMs: number;
  /** Bytes that all files of the recording may take together. */
  readonly maxBytes: number;
  /** Told once, in words, where recording stops before the run does. */
  readonly onStop: (message: string) => void;
}

export interface Recording {
  /** Writes step events; ignores all others. Throws ConfigError where an event does not hold the fields. */
  readonly listener: Listener;
  /** Steps recorded. */
  readonly rows: number;
  /** Bytes of the files, waiting ones included. */
  readonly bytes: number;
  /** True once a limit or a full disk ended the recording; the run goes on. */
  readonly stopped: boolean;
  /** After this the files can be read while the run goes on. */
  flush(): void;
  close(): void;
}

const pathOf = (folder: string, field: string) => join(folder, `${field}.npy`);

/** The values of an event in the order of the fields. */
function valuesOf(event: StepEvent, fields: readonly RecordedField[]): Float64Array[] {
  return fields.map(({ name, width }) => {
    const values = event.values[name];
    if (values?.length === width) return values;
    throw new ConfigError(`step event, values.${name}`, values?.length, `${width} numbers`);
  });
}

function openWriters(folder: string, fields: readonly RecordedField[]): NpyWriter[] {
  const bufferBytes = BUFFER_BYTES / Math.max(1, fields.length);
  return fields.map(
    (field) => new NpyWriter(pathOf(folder, field.name), { type: typeOf(field), rowShape: [field.width], bufferBytes }),
  );
}

class StepRecorder implements Recording {
  readonly #options: RecordingOptions;
  /** One per field, in their order. */
  readonly #writers: readonly NpyWriter[];
  readonly #index: LineWriter;
  readonly #rowBytes: number;
  #bytes: number;
  #rows = 0;
  #stopped = false;

  constructor(folder: string, options: RecordingOptions) {
    this.#options = options;
    this.#index = new LineWriter(join(folder, INDEX), INDEX_BUFFER_BYTES);
    this.#writers = openWriters(folder, options.fields);
    this.#rowBytes = rowBytes(options.fields);
    this.#bytes = headerBytes(options.fields);
  }

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  readonly listener: Listener = (event) => {
    if (event.type === 'step' && !this.#stopped) this.#orStop(() => this.#write(event));
  };

  flush(): void {
    if (!this.#stopped) this.#each((file) => file.flush());
  }

  close(): void {
    this.#each((file) => file.close());
    this.#stopped = true;
  }

  #write(event: StepEvent): void {
    const { fields, maxBytes, dtMs } = this.#options;
    const values = valuesOf(event, fields);
    const line = `${event.trial},${event.t},${event.stream},${Number((event.t * dtMs).toPrecision(12))}`;
    const bytes = this.#bytes + this.#rowBytes + line.length + 1;
    if (bytes > maxBytes) {
      this.#stop(`the limit of ${maxBytes} bytes is reached`);
      return;
    }
    for (const [i, row] of values.entries()) this.#writers[i]?.append(row);
    this.#index.append(line);
    this.#bytes = bytes;
    this.#rows++;
  }

  #each(action: (file: NpyWriter | LineWriter) => void): void {
    for (const file of [...this.#writers, this.#index]) this.#orStop(() => action(file));
  }

  #orStop(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#stop(error.message);
    }
  }

  #stop(reason: string): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#each((file) => file.close());
    this.#options.onStop(`recording stopped after ${this.#rows} steps, the run goes on: ${reason}`);
  }
}

/**
 * Records steps to a folder: per field one .npy of shape [rows][width], and `index.csv` with trial, t, stream and ms since
 * the beginning of the trial of each row. Holds about 1 MB. After a kill the files may differ by the rows that waited; the shortest one counts.
 * Throws ConfigError for the fields, FileError where the folder cannot be written or holds a recording already.
 */
export function startRecording(folder: string, options: RecordingOptions): Recording {
  checkFields(options.fields);
  ensureWritableFolder(folder);
  const index = join(folder, INDEX);
  if (existsSync(index)) throw new FileError(index, 'this folder holds a recording already');
  writeAtomic(index, encodeLines([INDEX_HEADER]));
  return new StepRecorder(folder, options);
}

function* csvLines(folder: string, field: string): Generator<string, void> {
  const index = readLines(join(folder, INDEX));
  index.next();
  let header = true;
  for (const row of readNpyRows(pathOf(folder, field))) {
    if (header) yield [INDEX_HEADER, ...Array.from(row, (_, n) => `${field}_${n}`)].join(',');
    header = false;
    const at = index.next();
    if (at.done) return;
    yield `${at.value},${row.join(',')}`;
  }
  if (header) yield INDEX_HEADER;
}

/** Writes one recorded field as CSV: trial, t, stream, ms, then a column per number. Throws FileError. */
export function toCsv(folder: string, field: string, outPath: string): void {
  writeAtomic(outPath, encodeLines(csvLines(folder, field)));
}
