import type { Canvas, SKRSContext2D, SvgCanvas } from '@napi-rs/canvas';
import { ConfigError } from '../core/errors.ts';
import { canvasFor, canvasModule } from './canvas.ts';
import { DEFAULT_SCALE } from './check.ts';
import { font } from './font.ts';
import { INK, PAPER } from './palette.ts';
import type { FigureOptions, PictureFormat } from './types.ts';

/** Px above the panels that the title takes. */
export const TITLE_HEIGHT = 30;
export const MARGIN = 10;

/** The sheet that panels are placed on: white, in px of `scale` device pixels. */
export interface Frame {
  readonly format: PictureFormat;
  /** px */
  readonly width: number;
  readonly height: number;
  /** Of a vector figure: its panels as elements, in the order in which they were placed. */
  readonly elements: string[];
  readonly canvas: Canvas;
  readonly ctx: SKRSContext2D;
  readonly scale: number;
  /** Y in px of the first panel. */
  readonly top: number;
}

/** Px above the first panel. */
export function topOf(title: string | undefined): number {
  return title ? TITLE_HEIGHT : MARGIN;
}

/** Device pixels per px of this figure; a vector figure has none. */
export function scaleOf(options: FigureOptions): number {
  return formatOf(options) === 'svg' ? 1 : (options.scale ?? DEFAULT_SCALE);
}

/** @throws ConfigError for a figure that is not drawn here */
export function formatOf({ format = 'png' }: FigureOptions): PictureFormat {
  if (format === 'html') throw new ConfigError('options.format', format, 'png or svg, of a figure of this kind');
  return format;
}

export function openFrame(width: number, height: number, options: FigureOptions, title: string | undefined): Frame {
  const format = formatOf(options);
  const scale = scaleOf(options);
  const canvas = canvasFor(format, Math.round(width * scale), Math.round(height * scale));
  const ctx = canvas.getContext('2d');
  ctx.fillStyle = PAPER;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  if (title) drawTitle(ctx, title, width, scale);
  return { format, width, height, elements: [], canvas, ctx, scale, top: topOf(title) };
}

/** Copies a panel so that its upper left corner is at (x, y) px; on whole device pixels, so that nothing blurs. */
export function place(frame: Frame, panel: Canvas, x: number, y: number): void {
  if (frame.format === 'svg') frame.elements.push(elementOf(panel, x, y, frame.elements.length + 1));
  else frame.ctx.drawImage(panel, Math.round(x * frame.scale), Math.round(y * frame.scale));
}

/** The bytes of the finished figure. Ends the frame. */
export function finish(frame: Frame): Uint8Array {
  const { canvas, elements, width, height } = frame;
  if (frame.format === 'svg') {
    const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
    const inner = [elementOf(canvas, 0, 0, 0), ...elements].join('\n');
    return new TextEncoder().encode(
      `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${size}>\n${inner}\n</svg>\n`,
    );
  }
  const png = new Uint8Array(canvas.toBuffer('image/png'));
  release(canvas);
  return png;
}

/** What was drawn on a canvas as an element of a larger figure. Names within it are told from those of the others by a number. */
function elementOf(canvas: Canvas, x: number, y: number, n: number): string {
  const text = (canvas as unknown as SvgCanvas).getContent().toString('utf8');
  return text
    .slice(text.indexOf('<svg'))
    .trim()
    .replace('<svg ', `<svg x="${x}" y="${y}" `)
    .replace(/\bid="/g, `id="p${n}-`)
    .replace(/url\(#/g, `url(#p${n}-`)
    .replace(/href="#/g, `href="#p${n}-`);
}

/** Gives the pixels back at once: a loop that draws and never waits would keep those of every figure. */
export function release(canvas: Canvas): void {
  canvas.width = 1;
  canvas.height = 1;
}

/** A canvas only to measure text before the size of the figure is known. */
export function measuringContext(): SKRSContext2D {
  return canvasModule().createCanvas(1, 1).getContext('2d');
}

function drawTitle(ctx: SKRSContext2D, title: string, width: number, scale: number): void {
  ctx.save();
  ctx.scale(scale, scale);
  ctx.fillStyle = INK;
  ctx.textBaseline = 'middle';
  ctx.font = font(14, 'bold');
  ctx.fillText(title, MARGIN, TITLE_HEIGHT / 2, width - 2 * MARGIN);
  ctx.restore();
}
