import { type Cause, criteria, excessOf } from '../../core/findings.ts';
import type { Diagnosis } from '../../experiment/diagnosis/diagnose.ts';
import { renderHeatMap } from '../../plot/index.ts';

/** Powers of ten at which colours end, and numbers. */
const ends = { colour: 1, number: 9 };

/** How far each cause is beyond its threshold, at the start and now: above 0 it is there. */
export function drawDiagnosis(title: string, { measures }: Diagnosis): Uint8Array {
  const causes = [...new Set(criteria.map(({ cause }) => cause))];
  const times = ['start', 'now'] as const;
  const worst = (cause: Cause, when: (typeof times)[number]) => {
    const excesses = criteria
      .filter((criterion) => criterion.cause === cause)
      .flatMap((criterion) =>
        measures.flatMap(({ quantity, when: at, value }) =>
          quantity === criterion.quantity && at === when && value !== null ? [excessOf(criterion, value)] : [],
        ),
      );
    if (excesses.length === 0) return Number.NaN;
    return Math.min(ends.number, Math.max(-ends.number, Math.log10(Math.max(...excesses))));
  };
  return renderHeatMap({
    title,
    panels: [
      {
        label: 'powers of ten beyond its threshold; above 0 it is there',
        values: causes.flatMap((cause) => times.map((when) => worst(cause, when))),
      },
    ],
    across: 1,
    rows: causes,
    columns: ['at the start', 'now'],
    rowTitle: '',
    columnTitle: '',
    cellWidth: 150,
    middle: 0,
    limit: ends.colour,
    digits: 1,
  });
}
