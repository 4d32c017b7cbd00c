import { z } from 'zod';
import { FileError } from '../core/errors.ts';
import { type ByteSource, memorySource } from '../core/files.ts';
import { formerName } from '../core/formerNames.ts';
import type { Clock, Run } from './run.ts';

const counted = z.number().int().min(0);

/** What a checkpoint says of itself, beside the numbers. */
const headerSchema = z.object({
  config: z.unknown(),
  clock: z.object({
    trial: counted,
    step: counted,
    updates: counted,
    pending: counted,
    sinceUpdate: counted,
  } satisfies Record<keyof Clock, unknown>),
  element: z.enum(['float64', 'float32']),
  fields: z.array(z.object({ name: z.string(), shape: z.array(counted).readonly() })),
});
type Header = z.infer<typeof headerSchema>;

/** Bytes of the state that are handled at once: 64 MiB in a piece that is written, 256 KiB in one that is read, which is a copy. */
const writtenAtOnce = 2 ** 26;
const readAtOnce = 2 ** 18;

/**
 * The state of a run as bytes: u32 length of the header, header (JSON, UTF-8), padding to 8, the state buffer itself, which is not copied.
 * `config` is the resolved configuration, so that a checkpoint is enough to go on.
 */
export function checkpointPieces(run: Run, config: unknown): Uint8Array[] {
  const { state } = run.network;
  const header: Header = {
    config,
    clock: run.clock,
    element: state.data instanceof Float64Array ? 'float64' : 'float32',
    fields: state.table.map(({ name, shape }) => ({ name, shape })),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(padded(4 + text.length));
  new DataView(head.buffer).setUint32(0, text.length, true);
  head.set(text, 4);
  const { buffer, byteOffset, byteLength } = state.data;
  const pieces: Uint8Array[] = [head];
  for (let at = 0; at < byteLength; at += writtenAtOnce)
    pieces.push(new Uint8Array(buffer, byteOffset + at, Math.min(writtenAtOnce, byteLength - at)));
  return pieces;
}

/** A checkpoint as one copy; see `checkpointPieces`. */
export function encodeCheckpoint(run: Run, config: unknown): Uint8Array {
  const pieces = checkpointPieces(run, config);
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** The resolved configuration in a checkpoint. @throws FileError if the header cannot be read */
export function checkpointConfig(checkpoint: Uint8Array | ByteSource, path = 'checkpoint'): unknown {
  return readHeader(sourceOf(checkpoint, path)).header.config;
}

/** Puts a run, built from the same configuration, where the checkpoint was taken. @throws FileError if it is of another network */
export function restoreCheckpoint(run: Run, checkpoint: Uint8Array | ByteSource, given = 'checkpoint'): void {
  const source = sourceOf(checkpoint, given);
  const { path } = source;
  const { header, start } = readHeader(source);
  const { state } = run.network;
  const element = state.data instanceof Float64Array ? 'float64' : 'float32';
  if (header.element !== element) throw new FileError(path, `holds ${header.element} numbers, this run has ${element}`);
  const held = new Map<string, Held>();
  let numbers = 0;
  for (const { name, shape } of header.fields) {
    held.set(name, { name, shape, offset: numbers });
    numbers += lengthOf(shape);
  }
  const found = state.table.map(({ name }) => held.get(name) ?? held.get(formerName(name) ?? ''));
  const odd = state.table.findIndex(({ length }, f) => !found[f] || lengthOf(found[f].shape) !== length);
  const used = new Set(found);
  const extra = [...held.values()].find((field) => !used.has(field));
  if (odd >= 0 || extra) {
    const got = odd >= 0 ? found[odd] : extra;
    const wanted = odd >= 0 ? `${state.table[odd].name}[${state.table[odd].shape}]` : 'none';
    const has = got ? `${got.name}[${got.shape}]` : 'missing';
    throw new FileError(path, `holds another network: field ${has} where ${wanted} is expected`);
  }
  const { BYTES_PER_ELEMENT: size } = state.data;
  if (source.size - start !== numbers * size) {
    throw new FileError(path, `holds ${source.size - start} bytes of state, expected ${numbers * size}`);
  }
  const target = new Uint8Array(state.data.buffer, state.data.byteOffset, state.data.byteLength);
  state.table.forEach(({ offset, length }, f) => {
    const from = start + (found[f]?.offset ?? 0) * size;
    for (let at = 0; at < length * size; at += readAtOnce)
      target.set(source.read(from + at, Math.min(readAtOnce, length * size - at)), offset * size + at);
  });
  Object.assign(run.clock, header.clock);
}

function sourceOf(checkpoint: Uint8Array | ByteSource, path: string): ByteSource {
  return checkpoint instanceof Uint8Array ? memorySource(path, checkpoint) : checkpoint;
}

function lengthOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** A field in a checkpoint. */
interface Held {
  readonly name: string;
  readonly shape: readonly number[];
  /** Numbers before it. */
  readonly offset: number;
}

function readHeader(source: ByteSource): { readonly header: Header; readonly start: number } {
  const { path, size } = source;
  const length = size >= 4 ? new DataView(source.read(0, 4).buffer).getUint32(0, true) : Number.POSITIVE_INFINITY;
  if (4 + length > size) throw new FileError(path, 'is too short for a checkpoint');
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(source.read(4, length)));
  } catch {
    throw new FileError(path, 'has a header that is not JSON');
  }
  const found = headerSchema.safeParse(header);
  if (!found.success) {
    const [{ path: at, message }] = found.error.issues;
    throw new FileError(path, `has a header that is none: ${at.join('.')}: ${message}`);
  }
  return { header: found.data, start: padded(4 + length) };
}

function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}
