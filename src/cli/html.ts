/** A table with a head. */
export interface Rows {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export const escaped = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');

const row = (cells: readonly string[], tag = 'td') =>
  `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;

/** @param about what a screen reader calls it, where it is too wide to be seen whole */
export const htmlTable = ({ head, rows }: Rows, about = head.join(', ')): string =>
  wide(`<table>${row(head, 'th')}${rows.map((cells) => row(cells)).join('')}</table>`, about);

/** What may be wider than a page: it scrolls by itself, by keys too. */
export const wide = (content: string, about: string): string =>
  `<div class="wide" tabindex="0" role="group" aria-label="${escaped(about)}">${content}</div>`;

export const paragraph = (text: string): string => `<p>${escaped(text)}</p>`;

/** Folded, with its heading to be seen; open in print. @param content HTML */
export const folded = (heading: string, content: string): string =>
  `<details><summary>${escaped(heading)}</summary>\n${content}\n</details>`;

/** A picture inside the page. */
export const image = (png: Uint8Array, alt: string): string =>
  `<img alt="${escaped(alt)}" width="760" src="data:image/png;base64,${Buffer.from(png).toString('base64')}">`;

/** Colours of pages by what they are for, light; those of print too. */
export const lightColours =
  '--paper:#fff;--back:#f5f6f7;--ink:#222;--soft:#595f66;--line:#c9ced3;--accent:#00609a;--pass:#006b4c;--degraded:#8a4b00;--fail:#a11b00;color-scheme:light;';
export const darkColours =
  '--paper:#15191d;--back:#0d1013;--ink:#e8e8e8;--soft:#a7b0b8;--line:#3d444b;--accent:#6cb9ea;--pass:#5fd0a8;--degraded:#f0b45c;--fail:#ff9a80;color-scheme:dark;';

const style = `:root{${lightColours}}
@media screen and (prefers-color-scheme:dark){:root{${darkColours}}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:90em;margin:1.5em auto;padding:0 1em}
h1{font-size:1.5em}h2{font-size:1.2em;margin:1.4em 0 .4em}h3{font-size:1.05em;margin:1em 0 .3em}
table{border-collapse:collapse;margin:.6em 0}th,td{border:1px solid var(--line);padding:.25em .6em;text-align:left;vertical-align:top}th{background:var(--back)}
.wide{overflow-x:auto}img{max-width:100%;height:auto}pre{overflow-x:auto}summary{cursor:pointer;padding:.4em 0;font-weight:600}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
@media print{body{margin:0;max-width:none;font-size:10pt}.wide{overflow:visible}details::details-content{content-visibility:visible;block-size:auto}}`;

/** Nothing is fetched, and no script is run. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** A page of its own, which needs no other file. @param more style of this page @param sections HTML */
export const htmlPage = (title: string, heading: string, sections: readonly string[], more = ''): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="${policy}"><title>${escaped(title)}</title>
<style>${style}${more}</style></head><body><main>
<h1>${escaped(heading)}</h1>
${sections.join('\n')}</main></body></html>
`;
