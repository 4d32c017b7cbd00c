import { coresInWords } from '../../../hardware/index.ts';
import type { Rows } from '../html.ts';
import { table } from '../output.ts';
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

type Entry = Report['deployments'][number];

const drawn = ({ head, rows }: Rows) => table(head, rows);

/** One line a chip. */
export function verdicts(deployments: readonly Entry[]): string {
  const rows = deployments.map(({ chip, verdict, reasons, overhead, placement }) => [
    chip,
    verdict,
    coresInWords(placement),
    `${(100 * overhead).toFixed(1)} %`,
    reasons.join('; ') || '-',
  ]);
  return table(['chip', 'verdict', 'cores', 'extra memory', 'because'], rows);
}

/** All that is known of one chip. */
export function details(deployment: Entry): string {
  const { head, rows } = stateRows(deployment);
  // What each variable is stands in the page.
  const state = { head: head.slice(0, -1), rows: rows.map((row) => row.slice(0, -1)) };
  return [
    drawn(checkRows(deployment)),
    ...(rows.length > 0 ? [drawn(state)] : []),
    memoryNote(deployment),
    ...(deployment.placement.cores.length > 0 ? [drawn(placementRows(deployment))] : []),
    drawn(operationRows(deployment)),
    operationNote(deployment),
  ].join('\n\n');
}

export function measured({ chip, accuracy }: Entry): string {
  if (!accuracy) return '';
  return [
    `${chip}\n\n${drawn(accuracyRows(accuracy))}`,
    approximationNote(accuracy),
    partingNotes(accuracy).join('\n'),
    drawn(formatRows(accuracy)),
  ].join('\n\n');
}
