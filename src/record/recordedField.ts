import { ConfigError } from '../core/errors.ts';
import { encodeNpyHeader, NPY_BYTES } from '../data/npy.ts';

export const INDEX_HEADER = 'trial,t,stream,time_ms';
/** Longest index line counted by an estimate: 10^9 trials of 10^8 steps, 10^4 streams, ms of twelve digits. */
const INDEX_LINE_BYTES = 38;

export interface RecordedField {
  /** Key in `StepEvent.values`, and name of the file. */
  readonly name: string;
  /** Numbers per step. */
  readonly width: number;
  /** Numbers on disk: float64 unless said otherwise. */
  readonly type?: 'f8' | 'f4' | 'u1';
}

/** Type of the numbers on disk. */
export function typeOf(field: RecordedField): 'f8' | 'f4' | 'u1' {
  return field.type ?? 'f8';
}

/** Bytes of the files of a recording without steps. */
export function headerBytes(fields: readonly RecordedField[]): number {
  const headers = fields.map((field) => encodeNpyHeader(typeOf(field), [0, field.width]).length);
  return headers.reduce((sum, n) => sum + n, INDEX_HEADER.length + 1);
}

/** Bytes that a step adds to the arrays; its index line comes on top. */
export function rowBytes(fields: readonly RecordedField[]): number {
  return fields.reduce((sum, field) => sum + field.width * NPY_BYTES[typeOf(field)], 0);
}

/** Bytes that a recording of so many rows (steps x streams) takes on disk, never too few. */
export function estimateRecordingBytes(spec: { fields: readonly RecordedField[]; rows: number }): number {
  return headerBytes(spec.fields) + spec.rows * (rowBytes(spec.fields) + INDEX_LINE_BYTES);
}

/** Throws ConfigError for a name that is no file name, a name used twice, or no width. */
export function checkFields(fields: readonly RecordedField[]): void {
  const names = new Set<string>();
  for (const { name, width } of fields) {
    if (!/^\w[\w.-]*$/.test(name)) throw new ConfigError('fields.name', name, 'letters, digits and . _ -');
    if (names.has(name)) throw new ConfigError('fields.name', name, 'every name once');
    if (!Number.isSafeInteger(width) || width < 1) throw new ConfigError(`fields.${name}.width`, width, 'at least 1');
    names.add(name);
  }
}
