import { createRequire } from 'node:module';
import type * as Napi from '@napi-rs/canvas';
import type { Canvas } from '@napi-rs/canvas';
import { UnsupportedError } from '../core/errors.ts';
import type { PictureFormat } from './types.ts';

let loaded: typeof Napi | undefined;

/**
 * The canvas that figures are drawn on, loaded where the first one is drawn: its binary is an optional package of each platform, and
 * nothing but a figure needs it.
 * @throws UnsupportedError where it was left out of the installation
 */
export function canvasModule(): typeof Napi {
  if (loaded) return loaded;
  try {
    loaded = createRequire(import.meta.url)('@napi-rs/canvas') as typeof Napi;
    return loaded;
  } catch {
    throw new UnsupportedError(
      'figures need the package @napi-rs/canvas with the binary of this platform: install without --omit=optional',
    );
  }
}

/**
 * A canvas of width by height, which keeps pixels or, for a vector format, what was drawn. The type is that of the former, which the
 * latter shares but for what it ends as.
 */
export function canvasFor(format: PictureFormat, width: number, height: number): Canvas {
  const { createCanvas, SvgExportFlag } = canvasModule();
  // Text as paths: the font of a figure is not on every machine.
  if (format === 'svg') return createCanvas(width, height, SvgExportFlag.ConvertTextToPaths) as unknown as Canvas;
  return createCanvas(width, height);
}
