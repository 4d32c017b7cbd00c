/** Okabe and Ito's colours, which the usual colour blindnesses keep apart. Yellow is left out: it is lost on white. */
const SERIES = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000'] as const;

export const INK = '#222222';
export const FAINT = '#ececec';
export const AXIS = '#8a8a8a';
export const ABSENT = '#c8c8c8';
export const PAPER = '#ffffff';

/** Colour of the n-th series; the colours repeat after the last. */
export function seriesColour(n: number): string {
  return SERIES[n % SERIES.length];
}

/** Dashes of the n-th series: none, until the colours repeat. */
export function seriesDash(n: number): number[] {
  if (n < SERIES.length) return [];
  return n < 2 * SERIES.length ? [9, 3, 2, 3] : [2, 2];
}

/** `#rrggbb` with an opacity in [0, 1]. */
export function withOpacity(colour: string, opacity: number): string {
  const byte = Math.round(Math.min(1, Math.max(0, opacity)) * 255);
  return colour + byte.toString(16).padStart(2, '0');
}
