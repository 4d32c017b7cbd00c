import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

  it('holds what was built and nothing else', async () => {
    const { code, stdout, stderr } = await start('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], root)
      .ended;
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['package.json', 'LICENSE', 'README.md', 'dist/src/cli/main.js']));
    expect(paths.filter((path) => !/^(dist\/|[A-Z]+(\.md|\.cff)?$|package\.json$)/.test(path))).toEqual([]);
    expect(paths.filter((path) => /(^|\/)test\/|\.test\.|golden/.test(path))).toEqual([]);
  });
});

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
