import { FileError } from '../core/errors.ts';

/** Numbers of a dataset, row by row. */
export interface NirArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** What HDF5 keeps, less what NIR does not use (attributes, compression). A JSON twin of a file has the same tree. */
export interface Hdf5Group {
  readonly kind: 'group';
  readonly members: ReadonlyMap<string, Hdf5Group | Hdf5Dataset>;
}
export interface Hdf5Dataset {
  readonly kind: 'dataset';
  readonly shape: readonly number[];
  /** Numbers, or strings, row by row. */
  readonly value: Float64Array | readonly string[];
}

/** Largest number of entries of a dataset, of nodes of a graph, and of graphs within one another: more is no network, but a slip or an attack. */
export const limits = { entries: 2 ** 26, nodes: 10_000, depth: 32 } as const;

/** Entries of a shape. @throws FileError for one that is none, or that is too large */
export function entriesOf(shape: readonly number[], path: string): number {
  const count = shape.reduce((product, length) => product * length, 1);
  if (!shape.every((length) => Number.isSafeInteger(length) && length >= 0) || count > limits.entries) {
    throw new FileError(path, `got shape [${shape}], expected whole lengths and at most ${limits.entries} entries`);
  }
  return count;
}

type Json = { readonly [key: string]: unknown };
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The tree that a JSON twin spells out: groups with `members`, datasets with `shape`, `string` and `value`. @throws FileError */
export function treeOfJson(twin: unknown, path: string, depth = 0): Hdf5Group | Hdf5Dataset {
  if (!isObject(twin)) throw new FileError(path, 'is neither a group nor a dataset');
  if (twin.kind === 'dataset') return datasetOfJson(twin, path);
  if (twin.kind !== 'group' || !isObject(twin.members)) throw new FileError(path, 'is neither a group nor a dataset');
  if (depth > 2 * limits.depth) throw new FileError(path, `is nested more than ${limits.depth} graphs deep`);
  const members = Object.entries(twin.members).map(
    ([name, member]) => [name, treeOfJson(member, `${path}/${name}`, depth + 1)] as const,
  );
  return { kind: 'group', members: new Map(members) };
}

function datasetOfJson({ shape, string, value }: Json, path: string): Hdf5Dataset {
  if (!Array.isArray(shape)) throw new FileError(path, 'states no shape');
  const entries = entriesOf(shape as number[], path);
  const flat = (Array.isArray(value) ? value.flat(32) : [value]) as unknown[];
  const type = string === true ? 'string' : 'number';
  // h5py writes numpy booleans as such.
  const given = flat.map((entry) => (typeof entry === 'boolean' ? Number(entry) : entry));
  const odd = given.find((entry) => typeof entry !== type);
  if (odd !== undefined) throw new FileError(path, `holds ${JSON.stringify(odd)}, expected a ${type}`);
  if (given.length !== entries) throw new FileError(path, `has ${given.length} values, expected ${entries}`);
  return {
    kind: 'dataset',
    shape: shape as number[],
    value: type === 'string' ? (given as string[]) : Float64Array.from(given as number[]),
  };
}
