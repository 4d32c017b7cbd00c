import { z } from 'zod';
import { FileError } from '../core/errors.ts';
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

/**
 * The state of a run as bytes: u32 length of the header, header (JSON, UTF-8), padding to 8, the state buffer itself.
 * `config` is the resolved configuration, so that a checkpoint is enough to go on.
 */
export function encodeCheckpoint(run: Run, config: unknown): Uint8Array {
  const { state } = run.network;
  const header: Header = {
    config,
    clock: run.clock,
    element: state.data instanceof Float64Array ? 'float64' : 'float32',
    fields: state.table.map(({ name, shape }) => ({ name, shape })),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const start = padded(4 + text.length);
  const bytes = new Uint8Array(start + state.data.byteLength);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  bytes.set(new Uint8Array(state.data.buffer, state.data.byteOffset, state.data.byteLength), start);
  return bytes;
}

/** The resolved configuration in a checkpoint. @throws FileError if the header cannot be read */
export function checkpointConfig(bytes: Uint8Array, path: string): unknown {
  return readHeader(bytes, path).header.config;
}

/** Puts a run, built from the same configuration, where the checkpoint was taken. @throws FileError if it is of another network */
export function restoreCheckpoint(run: Run, bytes: Uint8Array, path: string): void {
  const { header, start } = readHeader(bytes, path);
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
  if (bytes.length - start !== numbers * size) {
    throw new FileError(path, `holds ${bytes.length - start} bytes of state, expected ${numbers * size}`);
  }
  const target = new Uint8Array(state.data.buffer, state.data.byteOffset, state.data.byteLength);
  state.table.forEach(({ offset, length }, f) => {
    const from = start + (found[f]?.offset ?? 0) * size;
    target.set(bytes.subarray(from, from + length * size), offset * size);
  });
  Object.assign(run.clock, header.clock);
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

function readHeader(bytes: Uint8Array, path: string): { readonly header: Header; readonly start: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length >= 4 ? view.getUint32(0, true) : Number.POSITIVE_INFINITY;
  if (4 + length > bytes.length) throw new FileError(path, 'is too short for a checkpoint');
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
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
