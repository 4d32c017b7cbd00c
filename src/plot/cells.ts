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
    const drawn = area.format === 'svg' ? enlarged(image, width, height) : image;
    ctx.drawImage(drawn, area.left, area.top, width, height);
  };
}

/** Several pixels a cell: a viewer may smooth what it enlarges, and then only the pixels at edges. */
function enlarged(image: Canvas, width: number, height: number): Canvas {
  const times = Math.ceil((4 * Math.max(width, height)) / Math.min(image.width, image.height));
  const [across, down] = [image.width, image.height].map((cells) => cells * Math.min(times, Math.ceil(2000 / cells)));
  const canvas = canvasModule().createCanvas(across, down);
  const ctx = canvas.getContext('2d');
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(image, 0, 0, across, down);
  return canvas;
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
