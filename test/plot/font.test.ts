import { createCanvas } from '@napi-rs/canvas';
import { describe, expect, it } from 'vitest';
import { font } from '../../src/plot/font.ts';

/** Dark pixels of a text. */
function ink(text: string): string {
  const ctx = createCanvas(60, 40).getContext('2d');
  ctx.font = font(24);
  ctx.fillText(text, 4, 30);
  return Buffer.from(ctx.getImageData(0, 0, 60, 40).data).toString('base64');
}

describe('font', () => {
  const missing = ink('\u{10ffff}');
  it.each([...'aψθΔμσ∂ŷ₀ᵢⱼₖ−·×'])('has a glyph for %s', (character) => {
    expect(ink(character)).not.toBe(ink(' '));
    expect(ink(character)).not.toBe(missing);
  });
});
