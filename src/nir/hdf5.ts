import { FileError } from '../core/errors.ts';
import { importH5wasm } from '../data/hdf5Load.ts';
import { entriesOf, type Hdf5Dataset, type Hdf5Group, limits } from './tree.ts';
import { isNumbers, type Written, type WrittenNumbers } from './written.ts';

/** What is asked of h5wasm, an optional peer whose own types no declaration may name. */
interface H5wasm {
  readonly ready: Promise<{ activate_throwing_error_handler(): unknown }>;
  readonly File: new (path: string, mode: 'r' | 'w') => H5Group & { close(): unknown };
}
interface H5Group {
  readonly type: string;
  keys(): string[];
  get(name: string): H5Group | H5Dataset | { readonly type: string } | null;
  create_group(name: string): H5Group;
  create_dataset(options: Record<string, unknown>): unknown;
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
  const file = attempt(path, () => new File(path, 'r'));
  try {
    return groupOf(file, path, 0, { left: 8 * limits.nodes });
  } finally {
    attempt(path, () => file.close());
  }
}

/** Errors of HDF5 are a page long: the first line of what went wrong is kept. */
function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof FileError) throw error;
    const why = /#\d+: \S+ line \d+ in (\w+\(\): .*)/u.exec(String((error as Error)?.message ?? error))?.[1];
    throw new FileError(
      path,
      `cannot be read as HDF5 (${why ?? String((error as Error)?.message ?? error).split('\n')[0]})`,
    );
  }
}

function groupOf(group: H5Group, path: string, depth: number, budget: { left: number }): Hdf5Group {
  if (depth > 3 * limits.depth) throw new FileError(path, `is nested more than ${limits.depth} graphs deep`);
  const members = new Map<string, Hdf5Group | Hdf5Dataset>();
  for (const name of attempt(path, () => group.keys())) {
    const at = `${path} ${name}`;
    if (--budget.left < 0) throw new FileError(path, `has more than ${8 * limits.nodes} parts`);
    const member = attempt(at, () => group.get(name));
    if (member?.type === 'Group') members.set(name, groupOf(member as H5Group, at, depth + 1, budget));
    else if (member?.type === 'Dataset') members.set(name, datasetOf(member as H5Dataset, at));
    else throw new FileError(at, `is a ${member?.type ?? 'broken link'}, expected a group or a dataset`);
  }
  return { kind: 'group', members };
}

function datasetOf(dataset: H5Dataset, path: string): Hdf5Dataset {
  const shape = attempt(path, () => dataset.shape);
  if (shape === null) throw new FileError(path, 'is empty');
  const entries = entriesOf(shape, path);
  const value = entries === 0 ? [] : attempt(path, () => dataset.value);
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

/** Writes a tree as an HDF5 file. @throws UnsupportedError without h5wasm, FileError for a file that cannot be written */
export async function writeHdf5(path: string, tree: Written): Promise<void> {
  const { File } = await importH5wasm<H5wasm>();
  const file = attempt(path, () => new File(path, 'w'));
  try {
    writeGroup(file, tree, path);
  } finally {
    file.close();
  }
}

function writeGroup(group: H5Group, tree: Written, path: string): void {
  for (const [name, value] of Object.entries(tree)) {
    attempt(`${path} ${name}`, () => {
      if (typeof value === 'string') group.create_dataset({ name, data: value });
      else if (Array.isArray(value)) {
        const rows = value as readonly (readonly string[])[];
        group.create_dataset({ name, data: rows.flat(), shape: [rows.length, rows[0].length] });
      } else if (isNumbers(value)) writeNumbers(group, name, value);
      else writeGroup(group.create_group(name), value as Written, `${path} ${name}`);
    });
  }
}

function writeNumbers(group: H5Group, name: string, { type, shape, values }: WrittenNumbers): void {
  const data = typed(type, values);
  if (shape.length === 0)
    group.create_dataset({
      name,
      data: data instanceof BigInt64Array ? data : values[0],
      ...(type === 'int64' ? { shape: [] } : {}),
    });
  else {
    const compressed = data.length > 0 ? { chunks: [...shape], compression: 4 } : {};
    group.create_dataset({ name, data, shape: [...shape], ...compressed });
  }
}

function typed(type: WrittenNumbers['type'], values: ArrayLike<number>) {
  switch (type) {
    case 'float32':
      return Float32Array.from(values);
    case 'float64':
      return Float64Array.from(values);
    case 'int64':
      return BigInt64Array.from(Array.from(values, (value) => BigInt(value)));
    default:
      return type satisfies never;
  }
}
