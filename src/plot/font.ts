import { createRequire } from 'node:module';
import { UnsupportedError } from '../core/errors.ts';
import { canvasModule } from './canvas.ts';

const ALIAS = 'spiketrace figures';
const WEIGHTS = ['400', '700'] as const;
const KNOWN = ['DejaVu Sans', 'Noto Sans', 'Liberation Sans', 'Arial', 'Helvetica Neue', 'Helvetica'] as const;

let family: string | undefined;

/**
 * Family of all text. A container without fonts would draw figures without any text and without an error, so DejaVu
 * Sans (Greek and subscripts included) comes with the package and makes figures equal on every machine.
 * @throws UnsupportedError when there is no font at all.
 */
export function fontFamily(): string {
  family ??= registerShipped() ? ALIAS : systemFamily();
  return family;
}

/** A CSS font of `px` pixels. */
export function font(px: number, weight: 'normal' | 'bold' = 'normal'): string {
  return `${weight} ${px}px "${fontFamily()}"`;
}

function registerShipped(): boolean {
  const { GlobalFonts } = canvasModule();
  try {
    const { resolve } = createRequire(import.meta.url);
    return WEIGHTS.every((weight) => {
      const file = resolve(`@fontsource/dejavu-sans/files/dejavu-sans-latin-${weight}-normal.woff2`);
      return GlobalFonts.registerFromPath(file, ALIAS) !== null;
    });
  } catch {
    return false; // left out by a bundler: the system may still have one
  }
}

function systemFamily(): string {
  const found = canvasModule().GlobalFonts.families.map((entry) => entry.family);
  const chosen = KNOWN.find((name) => found.includes(name)) ?? found[0];
  if (chosen === undefined)
    throw new UnsupportedError('no font found: install @fontsource/dejavu-sans or a system font');
  return chosen;
}
