import { type Comparison, comparisons, countStates, states, summaries } from '../../study/table.ts';
import { escaped, htmlPage, htmlTable, image, paragraph, type Rows } from '../html.ts';
import { fixed } from '../output.ts';
import { keptPlugins } from '../plugins.ts';
import type { Figure } from './figures.ts';
import { type OpenStudy, titleOf } from './folder.ts';
import type { Collected } from './rows.ts';

/** Mean, spread and interval of every cell, for people. */
export function summaryRows({ plan }: OpenStudy, { rows, measures }: Collected): Rows {
  const head = ['cell', 'runs', ...measures.flatMap((name) => [name, 'sd', '95 % interval'])];
  const body = summaries(plan, rows, measures).map(({ cell, done, of, measures: found }) => [
    cell,
    `${done} of ${of}`,
    ...measures.flatMap((name) => {
      const own = found[name];
      return own ? [fixed(own.mean, 4), digits(own.sd), interval(own.low, own.high)] : ['-', '-', '-'];
    }),
  ]);
  return { head, rows: body };
}

/** Levels against one another on the same seeds, for people. */
export function comparisonRows(all: readonly Comparison[]): Rows {
  return {
    head: ['factor', 'a', 'b', 'pairs', 'b - a', '95 % interval', 'p', 'p (Holm)'],
    rows: all.map(({ factor, a, b, n, difference, low, high, p, pHolm }) => [
      factor,
      a,
      b,
      String(n),
      fixed(difference, 4),
      interval(low, high),
      digits(p),
      digits(pHolm),
    ]),
  };
}

/** What the numbers of the tables are. */
export const notes = {
  summary: 'sd with n - 1; the interval is that of the mean, by percentiles of 2000 bootstrap samples of the seeds',
  tests:
    'paired by seed, other factors averaged; p of a two-sided sign-flip test (n pairs have no p below 2 / 2^n), corrected for all pairs of the factor',
} as const;

const digits = (value: number) => (Number.isNaN(value) ? '-' : fixed(value, 4));
const interval = (low: number, high: number) => (Number.isNaN(low) ? '-' : `${fixed(low, 4)} .. ${fixed(high, 4)}`);

/** The study as one page: file, table, tests, figures, versions, and what is missing. */
export function studyPage(
  opened: OpenStudy,
  collected: Collected,
  figures: readonly Figure[],
  version: string,
): string {
  const { study, plan, folder } = opened;
  const name = titleOf(opened);
  const counts = countStates(collected.rows.map(({ state }) => state));
  const [measure] = collected.measures;
  const tests = measure === undefined ? [] : comparisons(plan, collected.rows, measure);
  const open = collected.rows.filter(({ state }) => state !== 'done');
  const inStates = states.map((state) => `${counts[state]} ${state}`).join(', ');
  return htmlPage(`${name}: a study`, name, [
    paragraph(`${plan.cells.length} cells x ${plan.seeds.length} seeds = ${plan.runs.length} runs: ${inStates}.`),
    '<h2>Means over seeds</h2>',
    htmlTable(summaryRows(opened, collected)),
    paragraph(notes.summary),
    ...(tests.length > 0
      ? [`<h2>Levels compared by ${escaped(measure)}</h2>`, htmlTable(comparisonRows(tests)), paragraph(notes.tests)]
      : []),
    ...figures.map(({ about, png }) => `<h2>${escaped(about)}</h2>\n${image(png, about)}`),
    '<h2>Runs without a result</h2>',
    open.length === 0
      ? paragraph('None.')
      : htmlTable({
          head: ['run', 'state', 'why'],
          rows: open.map(({ run, state, message }) => [run, state, message]),
        }),
    '<h2>Study</h2>',
    `<pre tabindex="0" aria-label="the study file">${escaped(JSON.stringify(study, null, 2))}</pre>`,
    paragraph(`spiketrace ${version}, Node ${process.version}, ${process.platform} ${process.arch}${plugins(folder)}`),
  ]);
}

function plugins(folder: string): string {
  const list = keptPlugins(folder);
  if (list.length === 0) return '';
  return `; plug-ins ${list.map(({ file, sha256 }) => `${file} (SHA-256 ${sha256})`).join(', ')}`;
}
