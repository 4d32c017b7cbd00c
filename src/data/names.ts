import { FileError } from '../core/errors.ts';

/** What there is to find in a file, under a name of the user's or one of those that tools give it. */
export type Part = 'times' | 'units' | 'trial' | 'labels' | 'values';

/** Names of arrays, data sets or columns; null: one of the usual ones. */
export type Names = Readonly<Record<Part, string | null>>;

/** The usual ones. */
export const noNames: Names = { times: null, units: null, trial: null, labels: null, values: null };

export type TimeUnit = 's' | 'ms' | 'us' | 'steps';

/** Usual names in small letters, the likelier first. */
const usual: Readonly<Record<Part, readonly string[]>> = {
  times: ['times', 'time', 't', 'timestamps', 'timestamp', 'spike_times', 'spike_time', 'time_ms', 'time_s', 'time_us'],
  units: [
    'units',
    'unit',
    'i',
    'ids',
    'id',
    'sender',
    'senders',
    'node_ids',
    'node_id',
    'gid',
    'gids',
    'neuron',
    'neurons',
    'neuron_id',
    'indices',
    'cluster',
    'clusters',
    'spike_clusters',
    'channel',
  ],
  trial: ['trial', 'trials', 'sample', 'samples', 'episode'],
  labels: ['labels', 'label', 'y', 'targets', 'target', 'class'],
  values: ['x', 'values', 'data', 'raster', 'spikes', 'arr_0'],
};

/**
 * The name in a file of one of its parts; null where it has none and none was asked for.
 * @throws FileError for a name asked for that is not there
 */
export function nameOf(part: Part, asked: Names, there: readonly string[], path: string): string | null {
  const name = asked[part];
  if (name !== null) {
    if (there.includes(name)) return name;
    throw new FileError(path, `holds no "${name}" (names.${part}); there are ${there.join(', ') || 'none'}`);
  }
  const lower = there.map((one) => one.toLowerCase());
  const found = usual[part].find((one) => lower.includes(one));
  return found === undefined ? null : there[lower.indexOf(found)];
}

/**
 * The same, where it has to be there.
 * @param only what it can be: where there is but one, no name is needed
 * @throws FileError
 */
export function nameIn(
  part: Part,
  asked: Names,
  there: readonly string[],
  path: string,
  only: readonly string[] = [],
): string {
  const name = nameOf(part, asked, there, path);
  if (name !== null) return name;
  if (only.length === 1) return only[0];
  throw new FileError(path, `names no ${part}; there are ${there.join(', ') || 'none'}: say which with names.${part}`);
}

/** The unit that the end of a name states. */
export function unitOfName(name: string): TimeUnit | null {
  const unit = /_(s|ms|us)$/.exec(name.toLowerCase())?.[1];
  return (unit as TimeUnit | undefined) ?? null;
}
