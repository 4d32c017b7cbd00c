// Makes a site that was built for one folder run in any: every address is taken from where the page itself lies.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseAst } from 'rollup/parseAst';

/** The folder that VitePress is told; it is in no text of ours. */
export const placeholder = '/__site__/';
/** Where a page says which folder it is in. */
const variable = 'window.__site';

export function makeRelative(out) {
  for (const file of readdirSync(out, { recursive: true, encoding: 'utf8' })) {
    if (file.startsWith('playground')) continue;
    const path = join(out, file);
    const rewrite = { html: inPage, js: inScript, css: inStyle }[/\.(\w+)$/.exec(file)?.[1]];
    if (!rewrite) continue;
    const text = readFileSync(path, 'utf8');
    if (text.includes(placeholder)) writeFileSync(path, rewrite(text, upFrom(file)));
  }
}

/** From a file to the root of the site. */
const upFrom = (file) => `${posix.relative(posix.dirname(file.replaceAll('\\', '/')), '.') || '.'}/`;

const inStyle = (text, up) => text.replaceAll(placeholder, up);

/**
 * Addresses relative to the page work without scripts. VitePress goes to other pages without loading them, whereupon relative ones would mean
 * something else: before it begins they are made absolute.
 */
function inPage(text, up) {
  const before = `<script>${variable}=new URL(${JSON.stringify(up)},location.href).pathname</script>`;
  const after =
    '<script>for(const one of document.querySelectorAll("[href^=\'.\']"))one.setAttribute("href",one.href)</script>';
  return text.replaceAll(placeholder, up).replace('<head>', `<head>${before}`).replace('</body>', `${after}</body>`);
}

/** Strings and templates with the folder in them are put together at run time. */
function inScript(text) {
  const edits = [];
  visit(parseAst(text), (node) => {
    if (node.type === 'Literal' && typeof node.value === 'string' && node.value.includes(placeholder)) {
      const parts = node.value.split(placeholder).map((part) => JSON.stringify(part));
      edits.push({ ...node, to: `(${parts.join(`+${variable}+`)})` });
    }
    if (node.type === 'TemplateElement' && node.value.raw.includes(placeholder)) {
      edits.push({ ...node, to: text.slice(node.start, node.end).replaceAll(placeholder, `\${${variable}}`) });
    }
  });
  edits.sort((a, b) => b.start - a.start);
  return edits.reduce((so, { start, end, to }) => so.slice(0, start) + to + so.slice(end), text);
}

function visit(node, see) {
  if (Array.isArray(node)) for (const one of node) visit(one, see);
  else if (node && typeof node === 'object') {
    if (typeof node.type === 'string') see(node);
    for (const value of Object.values(node)) if (value && typeof value === 'object') visit(value, see);
  }
}
