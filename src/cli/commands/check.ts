import { ConfigError } from '../../core/errors.ts';
import { keyOf } from '../../core/keyOf.ts';
import type { Catalogue } from '../../core/plugins.ts';
import { type CheckRow, checkEntry } from '../../experiment/check/index.ts';
import { catalogue } from '../catalogue.ts';
import { checkThreads } from '../checkThreads.ts';
import { type Global, print, table } from '../output.ts';
import { loadPlugins } from '../plugins.ts';

export interface CheckFlags extends Global {
  readonly with?: readonly string[];
}

/** `spiketrace check`: what holds of the entries of a plug-in. @returns whether all of it does */
export async function check(file: string, flags: CheckFlags): Promise<boolean> {
  const given = (flags.with ?? []).map(readChoice);
  const before = namesIn(catalogue);
  loadPlugins([file]);
  const added = namesIn(catalogue)
    .filter(({ list, name }) => !before.some((one) => one.list === list && one.name === name))
    .map((one) => ({ ...one, choice: given.find((choice) => (choice.name ?? choice.kind) === one.name) ?? {} }));
  const alone = added.map(({ list, name, choice }) =>
    checkEntry(list, name, catalogue, choice, () => performance.now()),
  );
  const inThreads = await checkThreads(added);
  const rows = alone.flatMap((own, at) => [...own, inThreads[at]]);
  if (flags.json) for (const row of rows) print(JSON.stringify(row));
  else {
    print(table(['of', 'check', '', 'seen'], rows.map(cellsOf)));
    print(`\n${summaryOf(rows)}`);
  }
  return rows.every(({ outcome }) => outcome !== 'fails');
}

interface Named {
  readonly list: keyof Catalogue;
  readonly name: string;
}

function namesIn(lists: Catalogue): Named[] {
  return (Object.keys(lists) as (keyof Catalogue)[]).flatMap((list) =>
    (lists[list] as readonly object[]).map((entry) => ({
      list,
      name: String((entry as Record<string, unknown>)[keyOf(list)]),
    })),
  );
}

function readChoice(text: string): Readonly<Record<string, unknown>> {
  try {
    const choice: unknown = JSON.parse(text);
    if (typeof choice === 'object' && choice !== null && ('kind' in choice || 'name' in choice)) return choice as never;
  } catch {
    // Said below, as for what is JSON and nothing with a name.
  }
  throw new ConfigError('--with', text, 'an object with the kind or name of an entry, {"kind":"my-task","steps":50}');
}

const marks = { holds: 'holds', fails: 'FAILS', skipped: '-' } as const;

function cellsOf({ entry, check: name, outcome, detail }: CheckRow): string[] {
  return [entry, name, marks[outcome], detail];
}

function summaryOf(rows: readonly CheckRow[]): string {
  const count = (wanted: CheckRow['outcome']) => rows.filter(({ outcome }) => outcome === wanted).length;
  return `${count('holds')} hold, ${count('fails')} fail, ${count('skipped')} say nothing here`;
}
