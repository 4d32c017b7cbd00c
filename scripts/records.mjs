import { readFileSync, writeFileSync } from 'node:fs';

/**
 * The records that kernels read, as TypeScript knows them, from the classes that the kernels declare: `node scripts/records.mjs`
 * writes `src/backends/wasm/records.ts`.
 */
const sources = ['kernels/net.ts', 'kernels/bptt.ts', 'kernels/learned.ts', 'kernels/dendrite.ts'];
export const target = 'src/backends/wasm/records.ts';

/** Fields of every unmanaged class, in their order; `f:` marks float ones. */
export function recordsOf(text) {
  const records = [];
  for (const [, name, body] of text.matchAll(/@unmanaged\s+export class (\w+) \{([^}]*)\}/g)) {
    const fields = [...body.replace(/\/\/.*$/gm, '').matchAll(/(\w+): (\w+);/g)];
    records.push({ name, fields: fields.map(([, field, type]) => (type === 'f32' ? `f:${field}` : field)) });
  }
  return records;
}

/** The module, as it is committed. */
export function recordsModule() {
  const records = sources.flatMap((path) => recordsOf(readFileSync(path, 'utf8')));
  const lists = records.map(({ name, fields }) => {
    const constant = `${name[0].toLowerCase()}${name.slice(1)}Fields`;
    const quoted = fields.map((field) => `'${field}'`);
    const line = `export const ${constant} = [${quoted.join(', ')}] as const;\n`;
    // As the formatter would have it.
    if (line.length <= 121) return line;
    return `export const ${constant} = [\n${quoted.map((field) => `  ${field},\n`).join('')}] as const;\n`;
  });
  return `// Written by scripts/records.mjs from the classes of kernels/; fields of four bytes in their order, \`f\` marks the float ones.\n\n${lists.join('\n')}`;
}

if (process.argv[1]?.endsWith('records.mjs')) writeFileSync(target, recordsModule());
