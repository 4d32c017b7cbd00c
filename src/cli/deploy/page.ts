import type { Accuracy } from '../../experiment/deployment.ts';
import { renderLearningCurve } from '../../plot/index.ts';
import { escaped, htmlPage, htmlTable, image, paragraph } from '../html.ts';
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

function measured({ chip, accuracy }: Report['deployments'][number]): string {
  if (!accuracy) return '';
  return [
    '<h3>Accuracy</h3>',
    image(accuracyFigure(chip, accuracy), `losses of the three versions on ${chip}`),
    htmlTable(accuracyRows(accuracy)),
    paragraph(approximationNote(accuracy)),
    ...partingNotes(accuracy).map(paragraph),
    htmlTable(formatRows(accuracy)),
  ].join('\n');
}

function section(deployment: Report['deployments'][number]): string {
  const { chip, verdict, reasons } = deployment;
  return [
    `<h2>${escaped(chip)}: ${verdict}</h2>`,
    ...(reasons.length > 0 ? [paragraph(reasons.join('; '))] : []),
    htmlTable(checkRows(deployment)),
    htmlTable(stateRows(deployment)),
    paragraph(memoryNote(deployment)),
    htmlTable(placementRows(deployment)),
    htmlTable(operationRows(deployment)),
    paragraph(operationNote(deployment)),
    measured(deployment),
  ].join('\n');
}

/** The report as a page of its own. */
export function page({ experiment, rule, deployments }: Report): string {
  const heading = `${experiment}, rule ${rule}`;
  return htmlPage(`${experiment} on chips`, heading, deployments.map(section));
}
