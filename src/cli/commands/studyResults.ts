import { join } from 'node:path';
import { ensureWritableFolder, writeAtomic } from '../../record/index.ts';
import { type Column, comparisons, countStates, csvRows, states, summaries, tidyTable } from '../../study/table.ts';
import { canDraw } from '../figures/run.ts';
import { type Global, print, table, tell } from '../output.ts';
import { files } from '../runFolder.ts';
import { drawStudy, type Figure } from '../study/figures.ts';
import { openStudy } from '../study/folder.ts';
import { comparisonRows, notes, studyPage, summaryRows } from '../study/page.ts';
import { collectRows } from '../study/rows.ts';
import { version } from '../version.ts';

const encoded = (text: string) => new TextEncoder().encode(text);

/** `spiketrace study collect`: all runs as one table, and what is in it in short; runs may go on meanwhile. */
export async function collect(folder: string, flags: Global & { readonly out?: string }): Promise<void> {
  const opened = openStudy(folder);
  const collected = collectRows(opened);
  const { rows, measures } = collected;
  if (flags.out) writeAtomic(flags.out, await fileOf(flags.out, tidyTable(opened.plan, rows, measures)));
  const tests = measures.length > 0 ? comparisons(opened.plan, rows, measures[0]) : [];
  if (flags.json) {
    for (const row of rows) print(JSON.stringify({ row }));
    for (const summary of summaries(opened.plan, rows, measures)) print(JSON.stringify({ summary }));
    for (const comparison of tests) print(JSON.stringify({ comparison }));
    return;
  }
  const shown = summaryRows(opened, collected);
  print(table(shown.head, shown.rows));
  print(`\n${notes.summary}`);
  const compared = comparisonRows(tests);
  if (tests.length > 0) print(`\n${table(compared.head, compared.rows)}\n\n${measures[0]} ${notes.tests}`);
  const counts = countStates(rows.map(({ state }) => state));
  print(
    `\n${states
      .filter((state) => counts[state] > 0)
      .map((state) => `${counts[state]} ${state}`)
      .join(', ')}`,
  );
  for (const { run, state, message } of rows) if (state === 'failed') print(`failed: ${run}: ${message}`);
  if (flags.out) print(`table: ${flags.out}`);
}

/** A table as the bytes of a file: Apache Parquet where its name says so, else comma-separated values. */
async function fileOf(path: string, columns: readonly Column[]): Promise<Uint8Array> {
  if (!/\.parquet$/i.test(path)) return encoded(`${[...csvRows(columns)].join('\n')}\n`);
  const { parquetWriteBuffer } = await import('hyparquet-writer');
  const types = { text: 'STRING', number: 'DOUBLE', whole: 'INT64' } as const;
  const columnData = columns.map(({ name, kind, values }) => ({
    name,
    data: kind === 'whole' ? values.map((value) => (value === null ? null : BigInt(value))) : [...values],
    type: types[kind],
    nullable: kind !== 'text',
  }));
  return new Uint8Array(parquetWriteBuffer({ columnData, createdBy: `spiketrace ${version()}` }));
}

/** `spiketrace study plot` */
export function plotStudy(folder: string, flags: Global): void {
  const opened = openStudy(folder);
  const figures = canDraw(tell) ? drawStudy(opened, collectRows(opened)) : [];
  const out = join(folder, files.figures);
  if (figures.length > 0) ensureWritableFolder(out);
  for (const { name, png } of figures) {
    writeAtomic(join(out, name), png);
    print(flags.json ? JSON.stringify({ figure: join(out, name) }) : `figure: ${join(out, name)}`);
  }
  if (figures.length === 0) tell('no figures: no run is done');
}

/** `spiketrace study report`: one page that needs no other file. */
export function report(folder: string, flags: Global & { readonly out?: string }): void {
  const opened = openStudy(folder);
  const collected = collectRows(opened);
  const figures: Figure[] = canDraw(tell) ? drawStudy(opened, collected) : [];
  const path = flags.out ?? join(folder, 'report.html');
  writeAtomic(path, encoded(studyPage(opened, collected, figures, version())));
  print(flags.json ? JSON.stringify({ report: path }) : `report: ${path}`);
}
