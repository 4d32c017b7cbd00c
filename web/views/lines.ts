import { cursor, legend, openAxes, polyline, rangeOf, type Sheet } from './plot.ts';
import type { Line } from './types.ts';

export interface LinesData {
  readonly lines: readonly Line[];
  readonly steps: number;
  readonly dtMs: number;
  readonly cursor: number | null;
  readonly yLabel: string;
  /** Zero is in the range, and drawn. */
  readonly zero?: boolean;
  /** The last step that is drawn, in the range of all; left out: all are. */
  readonly until?: number | undefined;
}

/** Values of a trial over its time, in one panel. */
export function drawLines(
  sheet: Sheet,
  { lines, steps, dtMs, cursor: at, yLabel, zero = false, until = steps - 1 }: LinesData,
): void {
  const { ctx, theme } = sheet;
  const named = lines.filter(({ label }) => label !== '' && !label.startsWith('threshold'));
  const entries = named.map(({ label, colour, dashed }) => ({ label, dashed, colour: theme.series(colour) }));
  const top = legend(sheet, entries);
  const area = openAxes(
    sheet,
    { domain: [0, steps * dtMs], label: 'time (ms)' },
    {
      domain: rangeOf(
        lines.map(({ values }) => values),
        zero,
      ),
      label: yLabel,
    },
    top,
  );
  if (zero) polyline(ctx, area, (n) => n * steps * dtMs, [0, 0], { colour: theme.axis, width: 1 });
  // Thresholds and targets last, so that they are seen.
  for (const { values, colour, dashed } of lines.toSorted((a, b) => Number(a.dashed) - Number(b.dashed))) {
    polyline(ctx, area, (t) => t * dtMs, values.subarray(0, until + 1), {
      colour: theme.series(colour),
      width: 1.5,
      dashed,
    });
  }
  cursor(sheet, area, at === null ? null : at * dtMs);
}
