import type { Sheet, Size } from '../views/plot.ts';
import { light } from '../views/theme.ts';

export type Draw = (sheet: Sheet) => void;

/** Device pixels of a CSS pixel in a PNG. */
const pngScale = 2;

function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export function saveText(text: string, name: string): void {
  download(new Blob([text], { type: 'application/json' }), name);
}

export function saveBytes(bytes: Uint8Array, name: string): void {
  download(new Blob([bytes as Uint8Array<ArrayBuffer>]), name);
}

/** What is on paper is light, whatever the page is. */
export async function savePng({ width, height }: Size, draw: Draw, name: string): Promise<void> {
  const canvas = new OffscreenCanvas(width * pngScale, height * pngScale);
  const ctx = canvas.getContext('2d') as unknown as CanvasRenderingContext2D;
  ctx.scale(pngScale, pngScale);
  ctx.fillStyle = light.paper;
  ctx.fillRect(0, 0, width, height);
  draw({ ctx, width, height, theme: light, vector: false });
  download(await canvas.convertToBlob({ type: 'image/png' }), `${name}.png`);
}

export async function saveSvg({ width, height }: Size, draw: Draw, name: string): Promise<void> {
  const { Context } = await import('svgcanvas');
  const ctx = new Context(width, height);
  draw({ ctx: ctx as unknown as CanvasRenderingContext2D, width, height, theme: light, vector: true });
  download(new Blob([ctx.getSerializedSvg()], { type: 'image/svg+xml' }), `${name}.svg`);
}
