// Bundles what browsers run of the package: figures of the format html (src/plot/pages/) and the dashboard (src/cli/live/pages/), and the same in
// dist where there is one.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { build } from 'rolldown';
import { noticesOf, noticing } from './notices.mjs';

const pages = [
  {
    input: 'web/figure/main.ts',
    to: 'plot/pages/figure',
    styles: ['node_modules/uplot/dist/uPlot.min.css', 'web/figure/style.css'],
  },
  {
    input: 'web/dashboard/main.tsx',
    to: 'cli/live/pages/dashboard',
    styles: ['web/page/style.css', 'web/dashboard/style.css'],
    html: 'web/dashboard/dashboard.html',
  },
];

for (const { input, to, styles, html } of pages) {
  const packages = new Set();
  mkdirSync(dirname(`src/${to}`), { recursive: true });
  await build({
    input,
    platform: 'browser',
    logLevel: 'warn',
    tsconfig: 'web/tsconfig.json',
    plugins: [noticing(packages)],
    output: { file: `src/${to}.js`, format: 'iife', minify: true, codeSplitting: false },
  });
  writeFileSync(`src/${to}.js`, `${noticesOf(packages)}${readFileSync(`src/${to}.js`, 'utf8')}`);
  writeFileSync(`src/${to}.css`, styles.map((path) => readFileSync(path, 'utf8')).join('\n'));
  if (html) copyFileSync(html, `src/${to}.html`);
  if (!existsSync('dist/src')) continue;
  mkdirSync(dirname(`dist/src/${to}`), { recursive: true });
  for (const end of ['js', 'css', ...(html ? ['html'] : [])]) copyFileSync(`src/${to}.${end}`, `dist/src/${to}.${end}`);
}
