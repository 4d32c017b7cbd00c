import { keyOf } from '../../core/keyOf.ts';
import type { Catalogue } from '../../core/plugins.ts';
import { partChecks } from './parts.ts';
import { type CheckRow, type Checks, rowsOf } from './report.ts';
import { taskChecks } from './tasks.ts';

export type { CheckRow } from './report.ts';

/**
 * What holds of an entry of a catalogue: a task by itself, any other part in a small network. It is done in seconds, on `reference`.
 * @param choice parameters that have no default
 * @returns a row for every check @throws Error for a name that the list does not have
 */
export function checkEntry(
  list: keyof Catalogue,
  name: string,
  catalogue: Catalogue,
  choice: Readonly<Record<string, unknown>> = {},
): CheckRow[] {
  const key = keyOf(list);
  const entry = (catalogue[list] as readonly Record<string, unknown>[]).find((one) => one[key] === name);
  if (!entry) throw new Error(`${list}: no "${name}"`);
  return rowsOf(`${list} ${name}`, checksOf(list, entry, { ...choice, [key]: name }, catalogue));
}

function checksOf(list: keyof Catalogue, entry: object, choice: Record<string, unknown>, catalogue: Catalogue): Checks {
  if (list !== 'tasks') return partChecks(list, choice, catalogue);
  const { kind: _, ...params } = choice;
  return taskChecks(entry as Catalogue['tasks'][number], params);
}
