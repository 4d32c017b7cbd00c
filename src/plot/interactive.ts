import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { FigureContent } from './types.ts';

/** Digits of a number in a page: more than a screen can show. */
const digits = 6;

/**
 * A figure as one HTML file, to be zoomed and pointed at: the numbers, and a script (`web/figure`) that draws them. It fetches nothing and runs
 * that script only: its rules name the script and the style by their hashes.
 */
export function interactiveFigure(content: FigureContent): Uint8Array {
  const script = readFileSync(new URL('./pages/figure.js', import.meta.url), 'utf8').replaceAll(
    '</script',
    '<\\/script',
  );
  const style = readFileSync(new URL('./pages/figure.css', import.meta.url), 'utf8');
  const policy = `default-src 'none'; script-src '${hashOf(script)}'; style-src '${hashOf(style)}'; base-uri 'none'; form-action 'none'`;
  const title = escaped(content.data.title ?? 'figure');
  return new TextEncoder().encode(`<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${title}</title><style>${style}</style></head><body><main><h1>${title}</h1></main>
<script type="text/plain" id="content">${packed(content)}</script>
<script>${script}</script></body></html>
`);
}

const hashOf = (text: string) => `sha256-${createHash('sha256').update(text).digest('base64')}`;

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** gzip in base64. Typed arrays become lists, NaN becomes null. */
function packed(content: FigureContent): string {
  const text = JSON.stringify(content, (_, value: unknown) => {
    if (typeof value === 'number') return Number.isFinite(value) ? Number(value.toPrecision(digits)) : null;
    return ArrayBuffer.isView(value) ? Array.from(value as Float64Array) : value;
  });
  return gzipSync(text).toString('base64');
}
