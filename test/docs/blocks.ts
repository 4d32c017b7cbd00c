import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../cli/cli.ts';

/** A block of code of a page: fenced with a language, or indented. */
export interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

export const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];

/** All blocks of a page. A block that is indented by four spaces has an empty line before it and no language. */
export function blocksOf(page: string): Block[] {
  const lines = readFileSync(join(root, page), 'utf8').split('\n');
  const blocks: Block[] = [];
  for (let n = 0; n < lines.length; n++) {
    const fence = /^```(\w*)$/.exec(lines[n]);
    const indented = /^ {4}/.test(lines[n]) && (n === 0 || lines[n - 1] === '');
    if (!fence && !indented) continue;
    const start = fence ? n + 1 : n;
    const inside = fence ? (line: string) => line !== '```' : (line: string) => /^ {4}/.test(line) || line === '';
    let end = start;
    while (end < lines.length && inside(lines[end])) end++;
    const text = lines.slice(start, end).map((line) => (fence ? line : line.slice(4)));
    blocks.push({ page, line: start + 1, language: fence?.[1] ?? '', text: text.join('\n').trim() });
    n = end;
  }
  return blocks;
}

export const blocks = pages.flatMap(blocksOf);

/** Commands of a block of shell, one a line, without the comment behind two spaces. */
export function commandsOf({ text }: Block): string[] {
  const joined = text.replace(/\\\n\s*/g, '');
  return joined.split('\n').flatMap((line) => {
    const command = line.replace(/\s+# .*$/, '').trim();
    return command === '' ? [] : [command];
  });
}
