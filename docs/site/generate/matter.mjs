// The pages that are there: copied as they lie, so that the links between them are the links on the site.
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Pages beside those of docs/. */
const others = ['CHANGELOG.md', 'CONTRIBUTING.md', 'hardware/reckon/README.md'];

/** The readme is two pages: what it takes to begin, and what was measured, by its headings. */
const measuredFrom = '\n## Measured\n';

export function writeMatter(root, site, pages) {
  mkdirSync(pages, { recursive: true });
  const docs = readdirSync(join(root, 'docs')).filter((name) => name !== 'site');
  for (const name of [...others, ...docs.map((one) => `docs/${one}`)])
    cpSync(join(root, name), join(pages, name), { recursive: true });
  writeIndex(join(pages, 'docs/results'), 'Measurements', 'What was measured, with the command that measured it.');
  writeIndex(join(pages, 'docs/decisions'), 'Decisions', 'Why the frame is as it is, and what was tried beside it.');
  for (const name of ['index.md', 'views.md', 'pictures'])
    cpSync(join(site, name), join(pages, name), { recursive: true });
  cpSync(join(root, 'web/page/icon.svg'), join(pages, 'public/icon.svg'));
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const [begin, measured] = readme.split(measuredFrom);
  if (measured === undefined) throw new Error(`README.md has no heading "${measuredFrom.trim()}"`);
  writeFileSync(join(pages, 'get-started.md'), begin.replace(/^# .*$/m, '# Get started'));
  writeFileSync(join(pages, 'measured.md'), `# Measured\n${measured}`);
}

/** A page that names all of a folder. */
function writeIndex(folder, title, about) {
  const files = readdirSync(folder).filter((file) => file.endsWith('.md'));
  const items = files.sort().map((file) => `- [${titleOf(join(folder, file))}](${file})`);
  writeFileSync(join(folder, 'index.md'), `# ${title}\n\n${about}\n\n${items.join('\n')}\n`);
}

/** The first heading of a page. */
export const titleOf = (path) => /^# (.*)$/m.exec(readFileSync(path, 'utf8'))?.[1].replaceAll('`', '') ?? path;
