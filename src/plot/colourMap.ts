import { ABSENT } from './palette.ts';

type Rgb = readonly [number, number, number];

/** Blue, white, vermilion: the ends differ in hue for every colour blindness, and only 0 is white. */
const NEGATIVE: readonly Rgb[] = [
  [247, 247, 247],
  [103, 169, 207],
  [0, 70, 120],
];
const POSITIVE: readonly Rgb[] = [
  [247, 247, 247],
  [239, 138, 98],
  [150, 30, 0],
];

/** Colour of a weight on a scale from -limit to limit; grey for NaN, the end colour beyond the ends. */
export function divergingColour(weight: number, limit: number): Rgb {
  if (Number.isNaN(weight)) return hexToRgb(ABSENT);
  const side = weight < 0 ? NEGATIVE : POSITIVE;
  const place = Math.min(1, Math.abs(weight) / limit) * (side.length - 1);
  const lower = Math.min(side.length - 2, Math.floor(place));
  return mix(side[lower], side[lower + 1], place - lower);
}

function mix(a: Rgb, b: Rgb, share: number): Rgb {
  const channel = (n: 0 | 1 | 2) => Math.round(a[n] + (b[n] - a[n]) * share);
  return [channel(0), channel(1), channel(2)];
}

function hexToRgb(hex: string): Rgb {
  const byte = (start: number) => Number.parseInt(hex.slice(start, start + 2), 16);
  return [byte(1), byte(3), byte(5)];
}
