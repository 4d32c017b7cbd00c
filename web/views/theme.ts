import { seriesColour } from '../../src/plot/palette.ts';

/** Colours of a page, light or dark; the series are those of the figures. */
export interface Theme {
  readonly ink: string;
  readonly faint: string;
  readonly axis: string;
  readonly paper: string;
  /** A pair without a synapse. */
  readonly absent: string;
  /** Ends of a scale of weights: below zero, above it. */
  readonly ends: readonly [string, string];
  /** Colour of the n-th series. */
  series(n: number): string;
}

const blue = '#0072B2';
const vermilion = '#D55E00';

export const light: Theme = {
  ink: '#222222',
  faint: '#ececec',
  axis: '#6f6f6f',
  paper: '#ffffff',
  absent: '#c8c8c8',
  ends: [blue, vermilion],
  series: seriesColour,
};

/** Blue is lifted and black turned, so that both can be seen on the dark. */
const lifted: Readonly<Record<string, string>> = { '#0072B2': '#4aa8e0', '#000000': '#f2f2f2', '#D55E00': '#f0843a' };

export const dark: Theme = {
  ink: '#e8e8e8',
  faint: '#2a3036',
  axis: '#9aa3ab',
  paper: '#15191d',
  absent: '#3d444b',
  ends: ['#4aa8e0', '#f0843a'],
  series(n) {
    const colour = seriesColour(n);
    return lifted[colour] ?? colour;
  },
};
