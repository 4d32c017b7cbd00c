import type { Hdf5Dataset, Hdf5Group } from './tree.ts';

/** What is written: groups of groups, numbers of a type, and strings. */
export interface Written {
  readonly [name: string]: Written | WrittenNumbers | string | readonly (readonly string[])[];
}
export interface WrittenNumbers {
  readonly type: 'float32' | 'float64' | 'int64';
  /** [] is a scalar. */
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

/** The tree that a reader finds in what is written; numbers lose what their type does not hold. */
export function treeOf(written: Written): Hdf5Group {
  const members = Object.entries(written).map(([name, value]): [string, Hdf5Group | Hdf5Dataset] => {
    if (typeof value === 'string') return [name, { kind: 'dataset', shape: [], value: [value] }];
    if (Array.isArray(value)) {
      const rows = value as readonly (readonly string[])[];
      return [name, { kind: 'dataset', shape: [rows.length, 2], value: rows.flat() }];
    }
    if (isNumbers(value)) {
      const values =
        value.type === 'float32' ? Float64Array.from(Float32Array.from(value.values)) : Float64Array.from(value.values);
      return [name, { kind: 'dataset', shape: value.shape, value: values }];
    }
    return [name, treeOf(value as Written)];
  });
  return { kind: 'group', members: new Map(members) };
}

/** Whether a part is numbers and no group. */
export function isNumbers(value: object): value is WrittenNumbers {
  return 'values' in value && 'shape' in value && Array.isArray((value as { shape: unknown }).shape);
}
