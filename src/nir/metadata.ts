import { FileError } from '../core/errors.ts';
import type { Written } from '../data/hdf5Write.ts';
import type { Hdf5Group } from './tree.ts';

/** Under this key our own exact parameters stand in the metadata of a graph. */
const key = 'spiketrace';

/** An experiment of ours and its weights, as they stand in a file that we have written. */
export interface OwnParameters {
  /** The configuration of the run. */
  readonly config: unknown;
  /** Files of weights by their names without .npy. */
  readonly weights: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float64Array }>;
}

/** What is written for them, for the metadata of the graph. */
export function writtenOwn({ config, weights }: OwnParameters): Written {
  const arrays = [...weights].map(([name, { shape, values }]) => [name, { type: 'float64', shape, values }] as const);
  return { [key]: { config: JSON.stringify(config), weights: Object.fromEntries(arrays) } };
}

/** Our own parameters in the metadata of a graph; null where it has none. @throws FileError for what we have not written so */
export function ownParameters(metadata: Hdf5Group | null, path: string): OwnParameters | null {
  const own = metadata?.members.get(key);
  if (!own) return null;
  const at = `${path} metadata ${key}`;
  const config = own.kind === 'group' ? own.members.get('config') : undefined;
  const weights = own.kind === 'group' ? own.members.get('weights') : undefined;
  if (config?.kind !== 'dataset' || config.value instanceof Float64Array || weights?.kind !== 'group') {
    throw new FileError(at, 'has no config and weights');
  }
  const arrays = [...weights.members].map(([name, member]) => {
    if (member.kind !== 'dataset' || !(member.value instanceof Float64Array))
      throw new FileError(`${at} ${name}`, 'holds no numbers');
    return [name, { shape: member.shape, values: member.value }] as const;
  });
  return { config: parsed(config.value[0], at), weights: new Map(arrays) };
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FileError(path, 'has a config that is not JSON');
  }
}
