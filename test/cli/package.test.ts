import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Ended, emptyFolder, root, start } from './cli.ts';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

describe('the package', () => {
  it('has every file that it exports, and its program', () => {
    const named = [
      ...Object.values(manifest.exports).flatMap((entry) =>
        typeof entry === 'string' ? entry : Object.values(entry as object),
      ),
      ...Object.values(manifest.bin),
    ].map(String);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('holds what was built, its pages, examples and golden files, and nothing else', async () => {
    const { paths, size } = await contents();
    expect(paths).toEqual(
      expect.arrayContaining([
        'package.json',
        'LICENSE',
        'README.md',
        'dist/src/cli/main.js',
        'dist/program/main.js',
        'dist/program/NOTICES.txt',
        'test/golden/rflo-small.json',
      ]),
    );
    const known =
      /^(dist\/|docs\/|hardware\/reckon\/README.md$|examples\/|test\/golden\/[\w-]+\.json$|[A-Z]+(\.md|\.cff)?$|package\.json$)/;
    expect(paths.filter((path) => !known.test(path))).toEqual([]);
    expect(paths.filter((path) => /^dist\/test|\.test\./.test(path))).toEqual([]);
    expect(size).toBeLessThan(4 * 2 ** 20);
  });

  it('holds what its pages link to and name, as a clone does', async () => {
    const { paths } = await contents();
    const links = pages(root).flatMap((page) => linksOf(page).map((link) => ({ page, link })));
    expect(links.length).toBeGreaterThan(20);
    expect(links.filter(({ link }) => !existsSync(join(root, link)))).toEqual([]);
    expect(links.filter(({ link }) => !paths.some((path) => path === link || path.startsWith(`${link}/`)))).toEqual([]);
  });
});

/** README, CONTRIBUTING, CHANGELOG and all of docs/ but what makes the site of them, as paths from the root. */
function pages(folder: string): string[] {
  const docs = readdirSync(join(folder, 'docs'), { recursive: true, encoding: 'utf8' });
  const inDocs = docs.filter((path) => path.endsWith('.md') && !path.startsWith('site')).map((path) => `docs/${path}`);
  return ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...inDocs];
}

/** Relative links of a page, and the pages, examples and golden files that it names in code; as paths from the root. */
function linksOf(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8');
  const links = [...text.matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)].map(([, to]) => to).filter((to) => !/^\w+:/.test(to));
  const named = [
    ...text.matchAll(/`((docs|examples|test\/golden|hardware\/\w+\/README)[\w./-]+\.\w+|[A-Z]{4,}\.\w+)`/g),
  ].map(([, to]) => to);
  return [...links.map((to) => posix.join(posix.dirname(page), to)), ...named];
}

interface Contents {
  readonly paths: readonly string[];
  /** Of the tarball, bytes. */
  readonly size: number;
}

async function contents(): Promise<Contents> {
  const { code, stdout, stderr } = await start('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], root).ended;
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  const [{ files, size }] = JSON.parse(stdout) as [{ files: { path: string }[]; size: number }];
  return { paths: files.map(({ path }) => path), size };
}

/** The first example of a page, compiled against the package's own declarations and run as a user would. */
async function runExample(page: string): Promise<Ended> {
  const path = join(root, page);
  if (!existsSync(path)) throw new Error(`${page} is missing`);
  const example = /^```ts\n(.*?)^```$/ms.exec(readFileSync(path, 'utf8'))?.[1];
  if (!example) throw new Error(`${page} holds no example in a \`\`\`ts block`);
  const folder = emptyFolder();
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules/spiketrace'));
  symlinkSync(join(root, 'node_modules/@types'), join(folder, 'node_modules/@types'));
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  writeFileSync(join(folder, 'example.ts'), example);
  const options = '--module nodenext --target es2023 --strict --skipLibCheck --types node'.split(' ');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const compiled = await start(process.execPath, [tsc, ...options, 'example.ts'], folder).ended;
  if (compiled.code !== 0) throw new Error(`the example of ${page} does not compile:\n${compiled.stdout}`);
  return start(process.execPath, ['example.js'], folder).ended;
}

describe('README.md', () => {
  it('has a library example that runs and prints something', async () => {
    const { code, stdout, stderr } = await runExample('README.md');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trim()).not.toBe('');
  });
});
