// How to cite, from CITATION.cff, and the papers of the rules from the registry.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export async function writeCite(root, pages) {
  const text = readFileSync(join(root, 'CITATION.cff'), 'utf8');
  const field = (name) => {
    const found = new RegExp(`^${name}: "?(.*?)"?$`, 'm').exec(text)?.[1];
    if (!found) throw new Error(`CITATION.cff has no "${name}"`);
    return found;
  };
  const authors = [...text.matchAll(/^ {2}- name: (.*)$/gm)].map(([, name]) => name);
  const { models } = await import(join(root, 'dist/models/index.js'));
  const sources = grouped(models.rules);
  writeFileSync(
    join(pages, 'cite.md'),
    `# How to cite

${field('message')}

> ${authors.join(', ')}. *${field('title')}*, version ${field('version')}. Software, ${field('license')} licence.

\`\`\`bibtex
@software{spiketrace,
  author  = {${authors.map((name) => `{${name}}`).join(' and ')}},
  title   = {${field('title')}},
  version = {${field('version')}},
  license = {${field('license')}}
}
\`\`\`

The file \`CITATION.cff\` of the repository says the same to programs. State the seed, the version and the configuration (\`config.json\` of a run): with them anybody gets the same bits.

## Papers of the rules

| rules | paper |
|---|---|
${[...sources].map(([source, rules]) => `| ${rules.map(({ name }) => `\`${name}\``).join(', ')} | ${source.replaceAll('|', '\\|')} |`).join('\n')}
`,
  );
}

function grouped(rules) {
  const groups = new Map();
  for (const rule of rules) groups.set(rule.source, [...(groups.get(rule.source) ?? []), rule]);
  return groups;
}
