import { keyOf } from '../../core/keyOf.ts';
import type { Catalogue } from '../../core/plugins.ts';
import { type Clock, partChecks, trainedState } from './parts.ts';
import { type CheckRow, type Checks, rowsOf } from './report.ts';
import { firstRows, taskChecks } from './tasks.ts';

export { type CheckRow, sameOutcome } from './report.ts';

type Choice = Readonly<Record<string, unknown>>;

/**
 * What holds of an entry of a catalogue: a task by itself, any other part in a small network. It is done in seconds, on `reference`.
 * @param choice parameters that have no default
 * @param clock of the row that says how fast a part is; without one it is left out, so that the rows follow from the entry alone
 * @returns a row for every check @throws Error for a name that the list does not have
 */
export function checkEntry(
  list: keyof Catalogue,
  name: string,
  catalogue: Catalogue,
  choice: Choice = {},
  clock: Clock | null = null,
): CheckRow[] {
  const { entry, given } = found(list, name, catalogue, choice);
  return rowsOf(`${list} ${name}`, checksOf(list, entry, given, catalogue, clock));
}

/**
 * What an entry comes to: the first trials of a task, and of any other part the state of a small network that was trained with it. In
 * every thread it is the same.
 * @returns numbers by name; null for a part that cannot be built or is none by itself
 */
export function outcomeOf(
  list: keyof Catalogue,
  name: string,
  catalogue: Catalogue,
  choice: Choice = {},
): ReadonlyMap<string, Float64Array> | null {
  const { entry, given } = found(list, name, catalogue, choice);
  return list === 'tasks'
    ? firstRows(entry as Catalogue['tasks'][number], withoutKind(given))
    : trainedState(list, given, catalogue);
}

/** @throws Error for a name that the list does not have */
function found(list: keyof Catalogue, name: string, catalogue: Catalogue, choice: Choice) {
  const key = keyOf(list);
  const entry = (catalogue[list] as readonly Record<string, unknown>[]).find((one) => one[key] === name);
  if (!entry) throw new Error(`${list}: no "${name}"`);
  return { entry, given: { ...choice, [key]: name } };
}

const withoutKind = ({ kind: _, ...params }: Readonly<Record<string, unknown>>) => params;

function checksOf(
  list: keyof Catalogue,
  entry: object,
  given: Choice,
  catalogue: Catalogue,
  clock: Clock | null,
): Checks {
  return list === 'tasks'
    ? taskChecks(entry as Catalogue['tasks'][number], withoutKind(given))
    : partChecks(list, given, catalogue, clock);
}
