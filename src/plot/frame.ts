import type { Canvas, SKRSContext2D } from '@napi-rs/canvas';
import { canvasModule } from './canvas.ts';
import { DEFAULT_SCALE } from './check.ts';
import { font } from './font.ts';
import { INK, PAPER } from './palette.ts';
import type { FigureOptions } from './types.ts';

/** Px above the panels that the title takes. */
export const TITLE_HEIGHT = 30;
export const MARGIN = 10;

/** The sheet that panels are placed on: white, in px of `scale` device pixels. */
export interface Frame {
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

/** Device pixels per px of this figure. */
export function scaleOf(options: FigureOptions): number {
  return options.scale ?? DEFAULT_SCALE;
}

export function openFrame(width: number, height: number, scale: number, title: string | undefined): Frame {
  const canvas = canvasModule().createCanvas(Math.round(width * scale), Math.round(height * scale));
  const ctx = canvas.getContext('2d');
  ctx.fillStyle = PAPER;
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  if (title) drawTitle(ctx, title, width, scale);
  return { canvas, ctx, scale, top: topOf(title) };
}

/** Copies a panel so that its upper left corner is at (x, y) px; on whole device pixels, so that nothing blurs. */
export function place(frame: Frame, panel: Canvas, x: number, y: number): void {
  frame.ctx.drawImage(panel, Math.round(x * frame.scale), Math.round(y * frame.scale));
}

/** The bytes of the finished figure. Ends the frame. */
export function toPng(frame: Frame): Uint8Array {
  const png = new Uint8Array(frame.canvas.toBuffer('image/png'));
  release(frame.canvas);
  return png;
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
