import { isNumbers, isStrings, type Written } from '../data/hdf5Write.ts';
import type { Hdf5Dataset, Hdf5Group } from './tree.ts';

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
    if (isStrings(value)) return [name, { kind: 'dataset', shape: [value.strings.length], value: [...value.strings] }];
    return [name, treeOf(value as Written)];
  });
  return { kind: 'group', members: new Map(members) };
}
