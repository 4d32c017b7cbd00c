import type { Canvas } from '@napi-rs/canvas';
import { canvasModule } from './canvas.ts';
import type { Paint } from './chart.ts';
import { divergingColour } from './colourMap.ts';
import type { WeightMatrix } from './types.ts';

/** A picture stretched over the plot area. */
export function paintCells(image: Canvas): Paint {
  return (ctx, area) => {
    const width = area.right - area.left;
    const height = area.bottom - area.top;
    // Cells have sharp edges; only a matrix with more cells than device pixels is averaged.
    ctx.imageSmoothingEnabled = image.width > width * area.scale || image.height > height * area.scale;
    ctx.imageSmoothingQuality = 'high';
    ctx.drawImage(image, area.left, area.top, width, height);
  };
}

/** One pixel a synapse. */
export function matrixImage({ pre, post, values }: WeightMatrix, limit: number): Canvas {
  const canvas = canvasModule().createCanvas(post, pre);
  const ctx = canvas.getContext('2d');
  const image = ctx.createImageData(post, pre);
  for (let n = 0; n < pre * post; n++) {
    image.data.set(divergingColour(values[n], limit), 4 * n);
    image.data[4 * n + 3] = 255;
  }
  ctx.putImageData(image, 0, 0);
  return canvas;
}
