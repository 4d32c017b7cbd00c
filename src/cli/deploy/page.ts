import type { Accuracy } from '../../experiment/deployment.ts';
import { renderLearningCurve } from '../../plot/index.ts';
import {
  accuracyRows,
  approximationNote,
  checkRows,
  formatRows,
  memoryNote,
  operationNote,
  operationRows,
  partingNotes,
  placementRows,
  type Report,
  type Rows,
  stateRows,
} from './report.ts';

/** Losses of the three versions over their seeds: a thin line a seed, the mean bold. */
export function accuracyFigure(chip: string, { versions, measure, seeds }: Accuracy): Uint8Array {
  const x = versions.map((_, n) => n);
  const runs = seeds.map((_, s) => ({ x, y: versions.map(({ losses }) => losses[s]) }));
  return renderLearningCurve({
    title: `losses on ${chip}`,
    xLabel: 'version',
    yLabel: measure,
    bounds: [],
    conditions: ['floating point', 'with the structure of the chip', 'in its number formats'],
    groups: [{ label: 'the same seed in each version', runs }],
  });
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const row = (cells: readonly string[], tag = 'td') =>
  `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
const tableOf = ({ head, rows }: Rows) =>
  `<table>${row(head, 'th')}${rows.map((cells) => row(cells)).join('')}</table>`;
const paragraph = (text: string) => `<p>${escaped(text)}</p>`;

function measured({ chip, accuracy }: Report['deployments'][number]): string {
  if (!accuracy) return '';
  const png = Buffer.from(accuracyFigure(chip, accuracy)).toString('base64');
  return [
    '<h3>Accuracy</h3>',
    `<img alt="losses of the three versions on ${escaped(chip)}" width="760" src="data:image/png;base64,${png}">`,
    tableOf(accuracyRows(accuracy)),
    paragraph(approximationNote(accuracy)),
    ...partingNotes(accuracy).map(paragraph),
    tableOf(formatRows(accuracy)),
  ].join('\n');
}

function section(deployment: Report['deployments'][number]): string {
  const { chip, verdict, reasons } = deployment;
  return [
    `<h2>${escaped(chip)}: ${verdict}</h2>`,
    ...(reasons.length > 0 ? [paragraph(reasons.join('; '))] : []),
    tableOf(checkRows(deployment)),
    tableOf(stateRows(deployment)),
    paragraph(memoryNote(deployment)),
    tableOf(placementRows(deployment)),
    tableOf(operationRows(deployment)),
    paragraph(operationNote(deployment)),
    measured(deployment),
  ].join('\n');
}

/** The report as a page of its own. */
export function page({ experiment, rule, deployments }: Report): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escaped(experiment)} on chips</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}table{border-collapse:collapse;margin:1em 0}
th,td{border:1px solid #ccc;padding:.25em .6em;text-align:left;vertical-align:top}th{background:#f3f3f3}img{max-width:100%}</style>
<h1>${escaped(experiment)}, rule ${escaped(rule)}</h1>
${deployments.map(section).join('\n')}</html>
`;
}
