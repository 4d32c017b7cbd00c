import { createCanvas, loadImage } from '@napi-rs/canvas';

/** A picture made smaller, as WebP. @param png bytes of it @param shrink factor on both sides @param quality of 100 */
export async function webpOf(png, shrink, quality) {
  const image = await loadImage(png);
  const canvas = createCanvas(Math.round(shrink * image.width), Math.round(shrink * image.height));
  const ctx = canvas.getContext('2d');
  ctx.imageSmoothingQuality = 'high';
  ctx.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.encode('webp', quality);
}
