/** A table with a head. */
export interface Rows {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const row = (cells: readonly string[], tag = 'td') =>
  `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;

export const htmlTable = ({ head, rows }: Rows): string =>
  `<table>${row(head, 'th')}${rows.map((cells) => row(cells)).join('')}</table>`;

export const paragraph = (text: string): string => `<p>${escaped(text)}</p>`;

/** A picture inside the page. */
export const image = (png: Uint8Array, alt: string): string =>
  `<img alt="${escaped(alt)}" width="760" src="data:image/png;base64,${Buffer.from(png).toString('base64')}">`;

/** A page of its own, which needs no other file. */
export const htmlPage = (title: string, heading: string, sections: readonly string[]): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escaped(title)}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}table{border-collapse:collapse;margin:1em 0}
th,td{border:1px solid #ccc;padding:.25em .6em;text-align:left;vertical-align:top}th{background:#f3f3f3}img{max-width:100%}</style>
<h1>${escaped(heading)}</h1>
${sections.join('\n')}</html>
`;
