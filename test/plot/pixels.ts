import { createCanvas, loadImage } from '@napi-rs/canvas';

/** A decoded figure. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** [r, g, b] of a device pixel. */
  at(x: number, y: number): readonly [number, number, number];
}

/** Edges in device pixels; all inclusive. */
export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

type Rgb = readonly [number, number, number];

export async function decode(png: Uint8Array): Promise<Picture> {
  const image = await loadImage(Buffer.from(png));
  const ctx = createCanvas(image.width, image.height).getContext('2d');
  ctx.drawImage(image, 0, 0);
  const { data } = ctx.getImageData(0, 0, image.width, image.height);
  const at = (x: number, y: number): Rgb => {
    const n = 4 * (Math.round(y) * image.width + Math.round(x));
    return [data[n], data[n + 1], data[n + 2]];
  };
  return { width: image.width, height: image.height, at };
}

/** Like a colour of the palette, antialiasing aside. */
export function near(hex: string, tolerance = 60): (rgb: Rgb) => boolean {
  const wanted = [1, 3, 5].map((n) => Number.parseInt(hex.slice(n, n + 2), 16));
  return (rgb) => rgb.every((value, n) => Math.abs(value - wanted[n]) <= tolerance);
}

export const isBlue = near('#0072B2');
export const isVermilion = near('#D55E00');
export const isDark = (rgb: Rgb): boolean => Math.max(...rgb) < 110;
const isFrame = (rgb: Rgb): boolean => Math.max(...rgb) - Math.min(...rgb) < 12 && rgb[0] < 190 && rgb[0] > 100;

/** The plot areas of a figure, from the top: boxes of grey lines. Coordinates are those of the middle of the line. */
export function frames(picture: Picture): Box[] {
  const boxes: Box[] = [];
  for (let y = 0; y < picture.height; y++) {
    if (!isEdge(picture, y)) continue;
    const { left: start, right } = longestRun(picture, y);
    // A tick mark may stick out of a corner: the border is the first column that goes on downwards, and ends at a row.
    const columns = Array.from({ length: 12 }, (_, n) => ({
      left: start + n,
      end: endOfColumn(picture, start + n, y),
    }));
    const { left, end: lowest } = columns.find((column) => column.end > y + 12) ?? columns[0];
    let end = lowest;
    while (end > y && !isEdge(picture, end)) end--;
    boxes.push({ left, right, top: y + 0.5, bottom: end - 0.5 });
    y = end;
  }
  return boxes;
}

/** Pixels of a box, edges included, for which `is` holds. */
export function count(picture: Picture, box: Box, is: (rgb: Rgb) => boolean): number {
  let found = 0;
  for (let y = Math.round(box.top); y <= Math.round(box.bottom); y++) {
    for (let x = Math.round(box.left); x <= Math.round(box.right); x++) if (is(picture.at(x, y))) found++;
  }
  return found;
}

/** Device pixel of a value on an axis whose ends are at two pixels. */
export function project(value: number, [min, max]: readonly [number, number], from: number, to: number): number {
  return from + ((value - min) / (max - min)) * (to - from);
}

function isEdge(picture: Picture, y: number): boolean {
  const { left, right } = longestRun(picture, y);
  return right - left >= picture.width * 0.3;
}

/** A border goes on until the paper: spikes and curves may cross it. */
function endOfColumn(picture: Picture, x: number, start: number): number {
  let y = start;
  while (y + 1 < picture.height && Math.min(...picture.at(x, y + 1)) < 225) y++;
  return y;
}

function longestRun(picture: Picture, y: number): { left: number; right: number } {
  let best = { left: 0, right: -1 };
  let start = 0;
  for (let x = 0; x <= picture.width; x++) {
    if (x < picture.width && isFrame(picture.at(x, y))) continue;
    if (x - 1 - start > best.right - best.left) best = { left: start, right: x - 1 };
    start = x + 1;
  }
  return best;
}
