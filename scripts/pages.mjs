// Bundles what figures of the format html run in the browser: src/plot/pages/, and the same in dist where there is one.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { build } from 'rolldown';

const pages = [
  {
    input: 'web/figure/main.ts',
    to: 'plot/pages/figure',
    styles: ['node_modules/uplot/dist/uPlot.min.css', 'web/figure/style.css'],
  },
];

for (const { input, to, styles } of pages) {
  mkdirSync(dirname(`src/${to}`), { recursive: true });
  await build({
    input,
    platform: 'browser',
    logLevel: 'warn',
    output: { file: `src/${to}.js`, format: 'iife', minify: true, comments: { legal: true } },
  });
  writeFileSync(`src/${to}.css`, styles.map((path) => readFileSync(path, 'utf8')).join('\n'));
  if (!existsSync('dist/src')) continue;
  mkdirSync(dirname(`dist/src/${to}`), { recursive: true });
  for (const end of ['js', 'css']) copyFileSync(`src/${to}.${end}`, `dist/src/${to}.${end}`);
}
