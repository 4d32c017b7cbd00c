import { attemptHdf5, closeHdf5 } from './hdf5Attempt.ts';
import { importH5wasm } from './hdf5Load.ts';

/** Key of the attributes of a group that is written. */
export const attributes = Symbol('attributes');

/** What an attribute holds; a reference is to the object of a path in the same file, which is written before. */
export type WrittenAttribute = string | readonly string[] | { readonly reference: string };
export type WrittenAttributes = Readonly<Record<string, WrittenAttribute>>;

/** What is written: groups of groups, numbers of a type, strings and tables of strings. */
export interface Written {
  readonly [name: string]: Written | WrittenNumbers | WrittenStrings | string | readonly (readonly string[])[];
  readonly [attributes]?: WrittenAttributes;
}

export interface WrittenNumbers {
  readonly type: 'float32' | 'float64' | 'int32' | 'int64' | 'uint32';
  /** [] is a scalar. */
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  readonly [attributes]?: WrittenAttributes;
}

/** A list of strings. */
export interface WrittenStrings {
  readonly strings: readonly string[];
  readonly [attributes]?: WrittenAttributes;
}

/** Whether a part is numbers and no group. */
export function isNumbers(value: object): value is WrittenNumbers {
  return 'values' in value && 'shape' in value && Array.isArray((value as { shape: unknown }).shape);
}

/** Whether a part is a list of strings and no group. */
export function isStrings(value: object): value is WrittenStrings {
  return 'strings' in value && Array.isArray((value as { strings: unknown }).strings);
}

/** What is asked of h5wasm, an optional peer whose own types no declaration may name. */
interface H5wasm {
  readonly ready: Promise<{ activate_throwing_error_handler(): unknown }>;
  readonly File: new (path: string, mode: 'w') => H5Group & { close(): unknown };
}
interface H5Object {
  create_attribute(name: string, data: unknown): void;
  create_reference(): unknown;
}
interface H5Group extends H5Object {
  get(name: string): H5Object | null;
  create_group(name: string): H5Group;
  create_dataset(options: Record<string, unknown>): unknown;
}

/** Writes a tree as an HDF5 file. @throws UnsupportedError without h5wasm, FileError for a file that cannot be written */
export async function writeHdf5(path: string, tree: Written): Promise<void> {
  const { File } = await importH5wasm<H5wasm>();
  const file = attemptHdf5(path, 'write', () => new File(path, 'w'));
  try {
    writeGroup(file, file, tree, path);
  } finally {
    closeHdf5(path, 'write', () => file.close());
  }
}

function writeGroup(file: H5Group, group: H5Group, tree: Written, path: string): void {
  writeAttributes(file, group, tree[attributes]);
  for (const [name, value] of Object.entries(tree)) {
    attemptHdf5(`${path} ${name}`, 'write', () => {
      if (typeof value === 'string') group.create_dataset({ name, data: value });
      else if (Array.isArray(value)) {
        const rows = value as readonly (readonly string[])[];
        group.create_dataset({ name, data: rows.flat(), shape: [rows.length, rows[0].length] });
      } else if (isNumbers(value)) {
        writeNumbers(group, name, value);
        writeAttributes(file, group.get(name), value[attributes]);
      } else if (isStrings(value)) {
        group.create_dataset({ name, data: [...value.strings], shape: [value.strings.length] });
        writeAttributes(file, group.get(name), value[attributes]);
      } else writeGroup(file, group.create_group(name), value as Written, `${path} ${name}`);
    });
  }
}

function writeAttributes(file: H5Group, object: H5Object | null, given: WrittenAttributes = {}): void {
  for (const [name, value] of Object.entries(given)) {
    const data =
      typeof value === 'object' && 'reference' in value ? file.get(value.reference)?.create_reference() : value;
    object?.create_attribute(name, data);
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
    case 'int32':
      return Int32Array.from(values);
    case 'uint32':
      return Uint32Array.from(values);
    case 'int64':
      return BigInt64Array.from(Array.from(values, (value) => BigInt(value)));
    default:
      return type satisfies never;
  }
}
