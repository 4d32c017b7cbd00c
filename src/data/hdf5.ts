import { FileError } from '../core/errors.ts';
import { once } from '../core/once.ts';
import { fileSource } from './disk.ts';
import { attemptHdf5, closeHdf5 } from './hdf5Attempt.ts';
import { checkHeaps } from './hdf5Heaps.ts';
import { type Hdf5DataSet, type Hdf5Module, type Hdf5Type, loadedHdf5 } from './hdf5Load.ts';
import { countOf, decodeNumbers, isReadable, type NumberArray, type NumberType } from './numbers.ts';

/** A data set each of whose entries is a list of numbers. */
export interface RaggedArray {
  readonly path: string;
  readonly count: number;
  /** Entry `index`. @throws FileError */
  read(index: number): Float64Array;
}

/** An HDF5 file. Names are paths within it, such as "spikes/times". */
export interface Hdf5File {
  readonly path: string;
  isGroup(name: string): boolean;
  isDataSet(name: string): boolean;
  /** Names of what lies in a group. */
  names(group: string): readonly string[];
  /** @throws FileError for a name that is not there, or a data set of something else */
  array(name: string): NumberArray;
  ragged(name: string): RaggedArray;
  /** Columns of a data set of records. */
  columns(name: string): ReadonlyMap<string, Float64Array>;
  strings(name: string): readonly string[];
  /** Names of the data sets that a data set of references refers to, in C order, and its shape. */
  references(name: string): { readonly shape: readonly number[]; readonly names: readonly string[] };
  hasAttribute(name: string, attribute: string): boolean;
  /** A number in an attribute; null where there is none. */
  attribute(name: string, attribute: string): number | null;
  /** What a data set holds. */
  kindOf(name: string): 'numbers' | 'ragged' | 'records' | 'strings' | 'references' | 'other';
}

const READ_ONLY = 0;
const GROUP = 0;
const DATA_SET = 1;
/** Bytes of a length and an address in memory. */
const POINTER = 4;

/** Files that are open, by their paths: no more than so many, the latest ones. */
const handles = new Map<string, { readonly state: string; readonly id: bigint }>();
const mostOpen = 16;
/** States in which files were opened. The library takes a file that has changed for the one that it knows, and gives numbers of both. */
const states = new Map<string, string>();

/**
 * A file that is opened when it is read, and again where it was closed for others.
 * @param state what tells two states of the file apart
 * @throws FileError for a file that is damaged or is not HDF5
 */
export function openHdf5(path: string, state: string): Hdf5File {
  const { module } = loadedHdf5();
  const handle = () => handleOf(module, path, state);
  handle();
  return fileOf(module, handle, path);
}

function handleOf(module: Hdf5Module, path: string, state: string): bigint {
  const known = handles.get(path);
  if (known?.state === state) return known.id;
  const close = (one: string) => {
    const { id } = handles.get(one) ?? {};
    handles.delete(one);
    if (id !== undefined) closeHdf5(one, 'read', () => module.close_file(id));
  };
  if ((states.get(path) ?? state) !== state) {
    throw new FileError(path, 'has changed since this process has read it: start anew, or give it another name');
  }
  const id = attempt(path, () => module.open(path, READ_ONLY, false, -1, -1));
  if (id < 0n) throw new FileError(path, 'is not an HDF5 file');
  for (const oldest of handles.keys()) if (handles.size >= mostOpen) close(oldest);
  states.set(path, state);
  handles.set(path, { state, id });
  return id;
}

/** Whether entries have a length of their own, and so lie elsewhere in the file. */
const hasLists = ({ vlen, vlen_type, compound_type }: Hdf5Type): boolean =>
  vlen === true || vlen_type !== undefined || (compound_type?.members ?? []).some(hasLists);

const attempt = <T>(path: string, action: () => T): T => attemptHdf5(path, 'read', action);

function fileOf(module: Hdf5Module, id: () => bigint, path: string): Hdf5File {
  const at = (name: string) => `${path}: ${name}`;
  const typeOf = (name: string) => attempt(at(name), () => (exists(name) ? module.get_type(id(), name) : -1));
  const namesIn = (group: string) => attempt(at(group || '/'), () => module.get_names(id(), group || '/', false));
  const exists = (name: string) => {
    const parts = name.split('/').filter((part) => part !== '');
    return parts.every((part, p) => {
      const group = parts.slice(0, p).join('/');
      return (p === 0 || module.get_type(id(), group) === GROUP) && namesIn(group).includes(part);
    });
  };
  const described = (name: string): Hdf5DataSet => {
    if (typeOf(name) !== DATA_SET) {
      const there = namesIn('').join(', ');
      throw new FileError(path, `holds no data set "${name}"; at its top are ${there || 'none'}`);
    }
    return attempt(at(name), () => module.get_dataset_metadata(id(), name));
  };
  const attributes = (name: string) => attempt(at(name), () => module.get_attribute_names(id(), name));
  const heapsAreSound = once(() => checkHeaps(fileSource(path)));
  const data = <T>(name: string, about: Hdf5DataSet, range: Range | null, use: (bytes: Uint8Array) => T) => {
    if (hasLists(about)) heapsAreSound();
    return attempt(at(name), () => dataOf(module, id(), name, about, range, use));
  };
  return {
    path,
    isGroup: (name) => typeOf(name) === GROUP,
    isDataSet: (name) => typeOf(name) === DATA_SET,
    names: namesIn,
    array(name) {
      const about = described(name);
      const type = numberTypeOf(about, at(name));
      return arrayOf(at(name), about.shape ?? [0], type, (range) =>
        data(name, about, range, (bytes) => Uint8Array.from(bytes)),
      );
    },
    ragged(name) {
      const about = described(name);
      if (!about.vlen_type || about.shape?.length !== 1) {
        throw new FileError(at(name), 'expected one list of numbers a trial, of variable length');
      }
      const type = numberTypeOf(about.vlen_type, at(name));
      return {
        path: at(name),
        count: about.shape[0],
        read: (index) =>
          data(name, about, { offset: [index], count: [1] }, (bytes) =>
            decodeNumbers(listAt(module, bytes, type, at(name)), type, `${at(name)}[${index}]`),
          ),
      };
    },
    columns(name) {
      const about = described(name);
      const { members } = about.compound_type ?? {};
      if (!members) throw new FileError(at(name), 'expected a table of records');
      const rows = data(name, about, null, (bytes) => Uint8Array.from(bytes));
      return new Map(members.map((member) => [member.name, columnOf(rows, about.size, member, at(name))]));
    },
    strings(name) {
      const about = described(name);
      if (about.type !== 3 || about.vlen) throw new FileError(at(name), 'expected text of a fixed length');
      const bytes = data(name, about, null, (all) => Uint8Array.from(all));
      return Array.from({ length: about.total_size }, (_, n) =>
        textOf(bytes.subarray(n * about.size, (n + 1) * about.size)),
      );
    },
    references(name) {
      const about = described(name);
      if (about.ref_type !== 'object') throw new FileError(at(name), 'expected references to data sets');
      const bytes = data(name, about, null, (all) => Uint8Array.from(all));
      const names = Array.from({ length: about.total_size }, (_, n) =>
        attempt(at(name), () =>
          module.get_referenced_name(id(), bytes.slice(n * about.size, (n + 1) * about.size), true),
        ),
      );
      return { shape: about.shape ?? [], names };
    },
    hasAttribute: (name, attribute) => attributes(name).includes(attribute),
    attribute(name, attribute) {
      return attempt(at(name), () => {
        if (!attributes(name).includes(attribute)) return null;
        const about = module.get_attribute_metadata(id(), name, attribute);
        const type = numberTypeOf(about, `${at(name)}.${attribute}`);
        return inMemory(module, about.size * about.total_size, (to) => {
          module.get_attribute_data(id(), name, attribute, BigInt(to));
          return decodeNumbers(module.HEAPU8.slice(to, to + about.size), type, at(name))[0];
        });
      });
    },
    kindOf(name) {
      const about = described(name);
      if (about.vlen_type) return 'ragged';
      if (about.compound_type) return 'records';
      if (about.type === 3) return 'strings';
      if (about.ref_type) return 'references';
      return [0, 1, 8].includes(about.type) ? 'numbers' : 'other';
    },
  };
}

interface Range {
  readonly offset: readonly number[];
  readonly count: readonly number[];
}

/** Memory that may be asked for at once: 1 GiB of the 2 that h5wasm has. */
const mostBytes = 2 ** 30;

function inMemory<T>(module: Hdf5Module, bytes: number, use: (at: number) => T): T {
  if (!(bytes >= 0 && bytes <= mostBytes)) throw new Error(`${bytes} bytes at once are more than 1 GiB`);
  const at = module._malloc(Math.max(8, bytes));
  if (at === 0) throw new Error(`no memory for ${bytes} bytes`);
  try {
    return use(at);
  } finally {
    module._free(at);
  }
}

/** Reads a range of a data set, or all of it; what lies behind addresses is there while `use` runs. */
function dataOf<T>(
  module: Hdf5Module,
  id: bigint,
  name: string,
  about: Hdf5DataSet,
  range: Range | null,
  use: (bytes: Uint8Array) => T,
): T {
  const shape = about.shape ?? [0];
  const count = (range?.count ?? shape).map(BigInt);
  const offset = range ? range.offset.map(BigInt) : shape.map(() => 0n);
  const bytes = about.size * countOf(range?.count ?? shape);
  if (bytes === 0) return use(new Uint8Array(0));
  return inMemory(module, bytes, (at) => {
    module.HEAPU8.fill(0, at, at + bytes);
    // A single number has no axes, and no ranges of them.
    if (shape.length === 0) module.get_dataset_data(id, name, null, null, null, BigInt(at));
    else
      module.get_dataset_data(
        id,
        name,
        count,
        offset,
        shape.map(() => 1n),
        BigInt(at),
      );
    try {
      return use(module.HEAPU8.subarray(at, at + bytes));
    } finally {
      if (about.vlen || about.vlen_type) module.reclaim_vlen_memory_count(id, name, '', BigInt(at), count);
    }
  });
}

/** The numbers of one entry of variable length: its length and address, then the numbers themselves. */
function listAt(module: Hdf5Module, entry: Uint8Array, type: NumberType, path: string): Uint8Array {
  const fields = new DataView(entry.buffer, entry.byteOffset, entry.byteLength);
  const length = fields.getUint32(0, true) * type.bytes;
  const at = fields.getUint32(POINTER, true);
  if (at + length > module.HEAPU8.length) throw new FileError(path, `damaged: an entry states ${length} bytes`);
  return module.HEAPU8.slice(at, at + length);
}

/** The library hands numbers over with the lowest byte first, whatever their order in the file. */
function numberTypeOf(about: Hdf5Type, path: string): NumberType {
  const kind = about.type === 1 ? 'float' : about.signed ? 'signed' : 'unsigned';
  const type = { kind, bytes: about.size, littleEndian: true } as const;
  if ([0, 1, 8].includes(about.type) && isReadable(type)) return type;
  throw new FileError(path, 'expected numbers of 1, 2, 4 or 8 bytes');
}

/** Reads whole entries of the first axis, as few as hold what is asked for. */
function arrayOf(
  path: string,
  shape: readonly number[],
  type: NumberType,
  read: (range: Range) => Uint8Array,
): NumberArray {
  const width = countOf(shape.slice(1));
  return {
    path,
    shape,
    read(from, count) {
      if (count === 0) return new Float64Array(0);
      if (shape.length === 0) return decodeNumbers(read({ offset: [], count: [] }), type, path);
      const first = Math.floor(from / width);
      const rows = Math.ceil((from + count) / width) - first;
      const rest = shape.slice(1);
      const bytes = read({ offset: [first, ...rest.map(() => 0)], count: [rows, ...rest] });
      return decodeNumbers(bytes, type, path, first * width).subarray(
        from - first * width,
        from - first * width + count,
      );
    },
  };
}

function columnOf(
  rows: Uint8Array,
  rowBytes: number,
  member: Hdf5Type & { name: string; offset: number },
  path: string,
) {
  const type = numberTypeOf(member, `${path}.${member.name}`);
  const count = rows.length / rowBytes;
  const packed = new Uint8Array(count * type.bytes);
  for (let row = 0; row < count; row++) {
    const from = row * rowBytes + member.offset;
    packed.set(rows.subarray(from, from + type.bytes), row * type.bytes);
  }
  return decodeNumbers(packed, type, `${path}.${member.name}`);
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
