import { FileError } from '../core/errors.ts';
import type { ByteSource } from '../core/files.ts';
import { openNpy } from './npy.ts';
import type { NumberArray } from './numbers.ts';
import { openZip } from './zip.ts';

/** Arrays by name. */
export interface NamedArrays {
  readonly path: string;
  readonly names: readonly string[];
  /** @throws FileError for a name that is not there, or an array that cannot be read */
  open(name: string): NumberArray;
}

/** The arrays of an archive that np.savez or np.savez_compressed wrote. @throws FileError */
export function openNpz(source: ByteSource): NamedArrays {
  const entries = openZip(source);
  const names = [...entries.keys()].flatMap((entry) => (entry.endsWith('.npy') ? [entry.slice(0, -4)] : []));
  const opened = new Map<string, NumberArray>();
  return {
    path: source.path,
    names,
    open(name) {
      const known = opened.get(name);
      if (known) return known;
      const entry = entries.get(`${name}.npy`);
      if (!entry) throw new FileError(source.path, `holds no array "${name}"; there are ${names.join(', ') || 'none'}`);
      const array = openNpy(entry());
      opened.set(name, array);
      return array;
    },
  };
}
