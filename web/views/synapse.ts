import { drawLines, type LinesData } from './lines.ts';
import type { Sheet } from './plot.ts';
import type { Line, SynapseRows } from './types.ts';

export interface SynapseData {
  readonly synapse: SynapseRows;
  readonly steps: number;
  readonly dtMs: number;
  readonly cursor: number | null;
  /** The last step that is drawn; left out: all are. */
  readonly until?: number | undefined;
}

/** One factor of the weight change: its name, and what it is over the trial. */
export interface Factor {
  readonly label: string;
  readonly lines: readonly Line[];
}

/** Height of the panel of a factor, CSS pixels. */
export const factorHeight = 108;

/** From the top: what arrives, what is kept of it, what it meets, and what comes of it. */
export function factorsOf({ input, traces, psi, signals, terms, weight }: SynapseRows): Factor[] {
  const one = (label: string, values: Float32Array, colour: number): Factor => ({
    label,
    lines: [{ label: '', values, dashed: false, colour }],
  });
  return [
    one('input z', input, 6),
    ...traces.map(({ label, values }) => one(`trace ${label}`, values, 0)),
    one('ψ (post)', psi, 3),
    ...(signals.length > 0 ? [{ label: 'signal L', lines: signals }] : []),
    ...(terms ? [one('adds to dE/dw', terms, 1)] : []),
    one('weight', weight, 2),
  ];
}

/** The factors of one synapse over a trial, one below the other. */
export function drawSynapse(sheet: Sheet, { synapse, steps, dtMs, cursor, until }: SynapseData): void {
  factorsOf(synapse).forEach(({ label, lines }, n) => {
    const data: LinesData = { lines, steps, dtMs, cursor, yLabel: label, zero: label !== 'weight', until };
    sheet.ctx.save();
    sheet.ctx.translate(0, n * factorHeight);
    drawLines({ ...sheet, height: factorHeight }, data);
    sheet.ctx.restore();
  });
}
