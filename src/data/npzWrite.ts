import { type Zippable, zipSync } from 'fflate';
import { encodeNpy, type NpyArray } from './npy.ts';

export interface ArrayToWrite {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: NpyArray;
}

/** The first date that ZIP can say: the same arrays make the same bytes. */
const epoch = '1980-01-01T00:00:00';

/** Arrays as np.savez_compressed writes them. */
export function encodeNpz(arrays: readonly ArrayToWrite[]): Uint8Array {
  const entries: Zippable = {};
  for (const { name, shape, values } of arrays) entries[`${name}.npy`] = encodeNpy(values, shape);
  return zipSync(entries, { level: 6, mtime: epoch });
}
