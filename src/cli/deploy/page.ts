import type { Accuracy } from '../../experiment/deployment.ts';
import { renderLearningCurve } from '../../plot/index.ts';
import { folded, htmlPage, htmlTable, image, paragraph } from '../html.ts';
import { cards, countInWords, matrix, overviewStyle, verdictInWords } from './overview.ts';
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

/** All that is known of one chip, folded. */
function section(deployment: Report['deployments'][number]): string {
  const { chip, verdict } = deployment;
  const content = [
    htmlTable(checkRows(deployment), `checks of ${chip}`),
    htmlTable(stateRows(deployment), `state on ${chip}`),
    paragraph(memoryNote(deployment)),
    htmlTable(placementRows(deployment), `cores of ${chip}`),
    htmlTable(operationRows(deployment), `operations on ${chip}`),
    paragraph(operationNote(deployment)),
    measured(deployment),
  ];
  return folded(`${chip}: ${verdictInWords(verdict)}`, content.join('\n'));
}

/** The report as a page of its own: all chips at a glance, and below everything that is known of each. */
export function page({ experiment, rule, deployments }: Report): string {
  const sections = [
    paragraph(countInWords(deployments)),
    cards(deployments),
    '<h2>Checks</h2>',
    matrix(deployments),
    '<h2>Details</h2>',
    ...deployments.map(section),
  ];
  return htmlPage(`${experiment} on chips`, `${experiment}, rule ${rule}`, sections, overviewStyle);
}
