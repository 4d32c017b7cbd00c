import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { expect, it } from 'vitest';
import { emptyFolder, root } from '../cli/cli.ts';
import { ran } from '../cli/installed.ts';
import { blocks, commandsOf } from './blocks.ts';

const left = new Set(['node_modules', '.git', 'runs', 'dist', 'docs']);

/** Exchanges a text that is there once. */
function edit(path: string, from: RegExp, to: string): void {
  const text = readFileSync(path, 'utf8');
  const edited = text.replace(from, to);
  if (edited === text) throw new Error(`${path} has no ${from}`);
  writeFileSync(path, edited);
}

it('"A rule in a minute" of CONTRIBUTING.md works as it is written', async () => {
  const folder = join(emptyFolder(), 'clone');
  cpSync(root, folder, { recursive: true, filter: (path) => !left.has(path.slice(root.length).split(sep)[0]) });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));

  // What the page says, taken from the page.
  const page = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
  const file = /The signal is a file, `([^`]+)`/.exec(page)?.[1] ?? '';
  const [, name, list, index, row] =
    /Its line is `(\w+)` in the list `(\w+)` of `([^`]+)`, its test a row in `signalRows` of\n`[^`]+`: `([^`]+)`/.exec(
      page,
    ) ?? [];
  const suite = /in `signalRows` of\n`([^`]+)`/.exec(page)?.[1] ?? '';
  const program = blocks.find(({ language, page: of }) => of === 'CONTRIBUTING.md' && language === 'ts');
  const commands = blocks.find(({ text }) => text.includes('"sign-broadcast"}}'));
  if (!program || !commands || !name || !list || !index || !row) throw new Error('CONTRIBUTING.md reads otherwise');

  writeFileSync(join(folder, file), `${program.text}\n`);
  edit(join(folder, index), new RegExp(`( ${list}: \\[[^\\]]*)\\]`), `$1, ${name}]`);
  edit(join(folder, index), /^import/m, `import { ${name} } from './${list}/${name}.ts';\nimport`);
  edit(join(folder, suite), /(signalRows: [^{]*\{)/, `$1\n  ${row},`);

  for (const command of commandsOf(commands)) {
    const short = command.startsWith('npx')
      ? `${command} --set training.total=1600 --set evaluation.total=1600`
      : command;
    await ran('bash', ['-c', short], folder);
  }
  const figures = readFileSync(join(folder, 'runs/four-six-back/metrics.csv'), 'utf8');
  expect(figures.split('\n').length).toBeGreaterThan(1);
  await ran('npm', ['run', 'check'], folder);
  const [own] = /[\w-]+/.exec(row) ?? [];
  const tested = await ran('npx', ['--no-install', 'vitest', 'run', suite, '-t', String(own)], folder);
  // Of a file whose tests are all left out none has passed.
  expect(tested).toMatch(/\d passed/);
}, 240_000);
