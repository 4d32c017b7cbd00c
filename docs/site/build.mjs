// The documentation site, into dist/site: pages that are written anew from their one place, the playground, the API, and VitePress over all of it.
//
//     npm ci --prefix docs/site     # once
//     npm run site
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeApi } from './generate/api.mjs';
import { writeCite } from './generate/cite.mjs';
import { writeFeatures } from './generate/features.mjs';
import { writeMatter } from './generate/matter.mjs';
import { writeRecipes } from './generate/recipes.mjs';
import { makeRelative } from './generate/relative.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = `${here}.pages`;
const out = process.argv[2] ?? `${root}dist/site`;

if (!existsSync(`${here}node_modules/vitepress`)) {
  console.error('The site has packages of its own: npm ci --prefix docs/site');
  process.exit(2);
}
if (!existsSync(`${root}dist/src/index.js`)) {
  console.error('Tables are made with what `npm run build` makes of the package.');
  process.exit(2);
}

/** A stage, and how long it took. */
async function stage(name, work) {
  const begin = performance.now();
  await work();
  console.log(`${name}: ${((performance.now() - begin) / 1000).toFixed(1)} s`);
}

rmSync(pages, { recursive: true, force: true });
rmSync(out, { recursive: true, force: true });
await stage('pages', () => writeMatter(root, here, pages));
await stage('recipes', () => writeRecipes(root, pages));
await stage('rules, neurons, backends, chips', () => writeFeatures(pages));
await stage('how to cite', () => writeCite(root, pages));
await stage('API', () => writeApi(root, pages));
await stage('playground', () => {
  const vite = ['build', 'web', '--config', 'web/vite.config.ts', '--logLevel', 'error'];
  const made = spawnSync(
    process.execPath,
    ['node_modules/vite/bin/vite.js', ...vite, '--outDir', `${pages}/public/playground`],
    { cwd: root, stdio: 'inherit' },
  );
  if (made.status !== 0) process.exit(1);
});
await stage('VitePress', async () => {
  const { build } = await import('vitepress');
  await build(here, { outDir: out, logLevel: 'error' });
});
await stage('relative addresses', () => makeRelative(out));
