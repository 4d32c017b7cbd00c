import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';

const readme = { 'README.md': 'get-started.md', 'CITATION.cff': 'cite.md' };
const shell = /^(npx|npm|node|sed|pip|git|cat) /;

/** The page that a name in a text means, as an address; null: none. @param from path of the page that names it */
function pageOf(name, from, pages) {
  if (readme[name]) return `/${readme[name]}`;
  if (!/^[\w./-]+\.md$/.test(name)) return null;
  const places = [name, posix.join(posix.dirname(from), name), `docs/results/${name}`];
  const found = places.find((place) => place !== from && existsSync(join(pages, place)));
  return found ? `/${found}` : null;
}

/** Pages that are named in code become links to them, and indented blocks look as fenced ones do. */
export function namedPages(md, pages) {
  md.core.ruler.push('named-pages', ({ tokens, env, Token }) => {
    const from = env.relativePath ?? '';
    for (const token of tokens) {
      if (token.type === 'code_block') {
        Object.assign(token, { type: 'fence', info: shell.test(token.content) ? 'sh' : 'txt', markup: '```' });
      }
      if (token.type === 'inline' && !from.startsWith('api/'))
        token.children = linked(token.children, from, pages, Token);
    }
  });
}

function linked(tokens, from, pages, Token) {
  let depth = 0;
  return tokens.flatMap((token) => {
    if (token.type === 'link_open') depth += 1;
    if (token.type === 'link_close') depth -= 1;
    if (depth > 0 || token.type !== 'code_inline') return [token];
    const to = pageOf(token.content, from, pages);
    if (to === null) return [token];
    const open = new Token('link_open', 'a', 1);
    open.attrs = [['href', to]];
    return [open, token, new Token('link_close', 'a', -1)];
  });
}
