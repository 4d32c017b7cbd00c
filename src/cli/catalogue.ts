import { models } from '../../models/index.ts';
import { tasks } from '../../tasks/index.ts';
import { ConfigError } from '../core/errors.ts';
import { keyOf } from '../core/keyOf.ts';
import type { Catalogue } from '../core/plugins.ts';

type Lists = { -readonly [Kind in keyof Catalogue]: Catalogue[Kind] };

const lists: Lists = { ...models, tasks };

/** What the command line can choose from: what comes with the package, and the plug-ins that were loaded. */
export const catalogue: Catalogue = lists;

/** Adds entries of a plug-in. @throws ConfigError for one whose name is taken, before any is added */
export function extendCatalogue(parts: Partial<Catalogue>, from: string): void {
  const names = Object.keys(parts) as (keyof Catalogue)[];
  for (const list of names) {
    const nameOf = (entry: object) => (entry as Record<string, unknown>)[keyOf(list)];
    const added = parts[list] ?? [];
    added.forEach((entry, at) => {
      const name = nameOf(entry);
      const taken = [...lists[list], ...added.slice(0, at)].some((other) => nameOf(other) === name);
      if (taken) throw new ConfigError(`${from}: ${list}.${at}.${keyOf(list)}`, name, 'a name that is not taken');
    });
  }
  for (const list of names) Object.assign(lists, { [list]: [...lists[list], ...(parts[list] ?? [])] });
}
