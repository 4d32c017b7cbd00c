import { keyOf } from '../../core/keyOf.ts';
import type { Catalogue } from '../../core/plugins.ts';
import { type Clock, partChecks } from './parts.ts';
import { type CheckRow, type Checks, rowsOf } from './report.ts';
import { taskChecks } from './tasks.ts';

export type { CheckRow } from './report.ts';

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
  choice: Readonly<Record<string, unknown>> = {},
  clock: Clock | null = null,
): CheckRow[] {
  const key = keyOf(list);
  const entry = (catalogue[list] as readonly Record<string, unknown>[]).find((one) => one[key] === name);
  if (!entry) throw new Error(`${list}: no "${name}"`);
  return rowsOf(`${list} ${name}`, checksOf(list, entry, { ...choice, [key]: name }, catalogue, clock));
}

function checksOf(
  list: keyof Catalogue,
  entry: object,
  choice: Record<string, unknown>,
  catalogue: Catalogue,
  clock: Clock | null,
): Checks {
  if (list !== 'tasks') return partChecks(list, choice, catalogue, clock);
  const { kind: _, ...params } = choice;
  return taskChecks(entry as Catalogue['tasks'][number], params);
}
