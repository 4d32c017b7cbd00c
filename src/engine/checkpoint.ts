import { FileError } from '../core/errors.ts';
import type { Clock, Run } from './run.ts';

/** What a checkpoint says of itself, beside the numbers. */
interface Header {
  readonly config: unknown;
  readonly clock: Clock;
  readonly element: 'float64' | 'float32';
  readonly fields: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

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
  const expected = state.table.map((entry) => `${entry.name}[${entry.shape}]`);
  const got = header.fields.map((entry) => `${entry.name}[${entry.shape}]`);
  const odd = expected.findIndex((name, f) => name !== got[f]);
  if (odd >= 0 || got.length !== expected.length) {
    const at = odd >= 0 ? odd : expected.length;
    throw new FileError(
      path,
      `holds another network: field ${got[at] ?? 'missing'} where ${expected[at] ?? 'none'} is expected`,
    );
  }
  if (bytes.length - start !== state.data.byteLength) {
    throw new FileError(path, `holds ${bytes.length - start} bytes of state, expected ${state.data.byteLength}`);
  }
  new Uint8Array(state.data.buffer, state.data.byteOffset, state.data.byteLength).set(bytes.subarray(start));
  Object.assign(run.clock, header.clock);
}

function readHeader(bytes: Uint8Array, path: string): { readonly header: Header; readonly start: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length >= 4 ? view.getUint32(0, true) : Number.POSITIVE_INFINITY;
  if (4 + length > bytes.length) throw new FileError(path, 'is too short for a checkpoint');
  try {
    const header: Header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
    return { header, start: padded(4 + length) };
  } catch {
    throw new FileError(path, 'has a header that is not JSON');
  }
}

function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}
