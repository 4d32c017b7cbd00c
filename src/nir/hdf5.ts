import { FileError } from '../core/errors.ts';
import { fileSource } from '../data/disk.ts';
import { attemptHdf5, closeHdf5 } from '../data/hdf5Attempt.ts';
import { checkHeaps } from '../data/hdf5Heaps.ts';
import { importH5wasm } from '../data/hdf5Load.ts';
import { entriesOf, type Hdf5Dataset, type Hdf5Group, limits } from './tree.ts';

/** What is asked of h5wasm, an optional peer whose own types no declaration may name. */
interface H5wasm {
  readonly ready: Promise<{ activate_throwing_error_handler(): unknown }>;
  readonly File: new (path: string, mode: 'r') => H5Group & { close(): unknown };
}
interface H5Group {
  readonly type: string;
  keys(): string[];
  get(name: string): H5Group | H5Dataset | { readonly type: string } | null;
}
interface H5Dataset {
  readonly type: string;
  readonly shape: number[] | null;
  readonly value: unknown;
}

/**
 * The tree of an HDF5 file. Links to other files are refused; what is no number and no string too.
 * @throws FileError naming the dataset, UnsupportedError without h5wasm
 */
export async function readHdf5(path: string, importer?: (name: string) => Promise<unknown>): Promise<Hdf5Group> {
  const { File } = await importH5wasm<H5wasm>(importer);
  checkHeaps(fileSource(path));
  const file = attemptHdf5(path, 'read', () => new File(path, 'r'));
  try {
    return groupOf(file, path, 0, { left: 8 * limits.nodes });
  } finally {
    closeHdf5(path, 'read', () => file.close());
  }
}

function groupOf(group: H5Group, path: string, depth: number, budget: { left: number }): Hdf5Group {
  if (depth > 3 * limits.depth) throw new FileError(path, `is nested more than ${limits.depth} graphs deep`);
  const members = new Map<string, Hdf5Group | Hdf5Dataset>();
  for (const name of attemptHdf5(path, 'read', () => group.keys())) {
    const at = `${path} ${name}`;
    if (--budget.left < 0) throw new FileError(path, `has more than ${8 * limits.nodes} parts`);
    const member = attemptHdf5(at, 'read', () => group.get(name));
    if (member?.type === 'Group') members.set(name, groupOf(member as H5Group, at, depth + 1, budget));
    else if (member?.type === 'Dataset') members.set(name, datasetOf(member as H5Dataset, at));
    else throw new FileError(at, `is a ${member?.type ?? 'broken link'}, expected a group or a dataset`);
  }
  return { kind: 'group', members };
}

function datasetOf(dataset: H5Dataset, path: string): Hdf5Dataset {
  const shape = attemptHdf5(path, 'read', () => dataset.shape);
  if (shape === null) throw new FileError(path, 'is empty');
  const entries = entriesOf(shape, path);
  const value = entries === 0 ? [] : attemptHdf5(path, 'read', () => dataset.value);
  const list = (ArrayBuffer.isView(value) || Array.isArray(value) ? value : [value]) as ArrayLike<unknown>;
  if (list.length !== entries) throw new FileError(path, `has ${list.length} values, expected ${entries}`);
  if (entries > 0 && typeof list[0] === 'string') {
    const strings = Array.from(list);
    if (!strings.every((entry): entry is string => typeof entry === 'string'))
      throw new FileError(path, 'is of mixed types');
    return { kind: 'dataset', shape, value: strings };
  }
  const numbers = new Float64Array(entries);
  for (let s = 0; s < entries; s++) {
    const entry = list[s];
    if (typeof entry !== 'number' && typeof entry !== 'bigint' && typeof entry !== 'boolean') {
      throw new FileError(path, `holds a ${typeof entry}, expected numbers or strings`);
    }
    numbers[s] = Number(entry);
  }
  return { kind: 'dataset', shape, value: numbers };
}
