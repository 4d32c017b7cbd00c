// Bundles the program and its threads, so that a command reads some files and not six hundred (dist/program/). What stands in dist/src goes on to be
// the modules of the package; the program's own first files there become ways to the bundle.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { build } from 'rolldown';
import { noticesOf, noticing } from './notices.mjs';

const out = resolve('dist/program');
/** By the name in the bundle. */
const entries = {
  main: 'dist/src/cli/main.js',
  worker: 'dist/src/cli/worker.js',
  checkWorker: 'dist/src/cli/checkWorker.js',
  liveThread: 'dist/src/cli/live/thread.js',
};
const nameOf = new Map(Object.entries(entries).map(([name, path]) => [resolve(path), name]));

/** Modules go on to find files from where they stood, and threads are those of the bundle. */
const placed = {
  name: 'placed',
  transform(code, id) {
    if (!id.startsWith(resolve('dist')) || !code.includes('import.meta.url')) return null;
    const threads = code.replace(/new URL\('([^']+\.js)', import\.meta\.url\)/g, (all, path) => {
      const name = nameOf.get(resolve(dirname(id), path));
      return name ? `new URL('./${name}.js', import.meta.BUNDLE)` : all;
    });
    const here = JSON.stringify(relative(out, id).replaceAll('\\', '/'));
    return threads
      .replaceAll('import.meta.url', `new URL(${here}, import.meta.url).href`)
      .replaceAll('import.meta.BUNDLE', 'import.meta.url');
  },
};

/** Of the fifty languages in which zod can complain, the one in which we do. */
const english = {
  name: 'english',
  load: (id) => (/\/zod\/v4\/locales\/index\.js$/.test(id) ? "export { default as en } from './en.js';" : null),
};

const packages = new Set();
rmSync(out, { recursive: true, force: true });
await build({
  input: entries,
  platform: 'node',
  // Packages with a binary, a loader of their own, of few files, or that need not be there.
  external: [/^node:/, '@napi-rs/canvas', 'jiti', 'chart.js', 'hyparquet-writer', /^h5wasm/, /^@tensorflow/, 'mnist'],
  logLevel: 'warn',
  plugins: [placed, english, noticing(packages)],
  output: {
    dir: out,
    format: 'esm',
    minify: { compress: true, mangle: { keepNames: true } },
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
  },
});
writeFileSync(join(out, 'NOTICES.txt'), noticesOf(packages));
for (const [name, path] of Object.entries(entries)) {
  const hashbang = /^#!.*\n/.exec(readFileSync(path, 'utf8'))?.[0] ?? '';
  const way = relative(dirname(path), join(out, `${name}.js`)).replaceAll('\\', '/');
  writeFileSync(path, `${hashbang}import '${way}';\n`);
}
