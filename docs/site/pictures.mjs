// Pictures of every view at three widths, as they are looked at before a change of one lands: pages of the site, a figure as a page, the report
// of deploy, the dashboard. Those of the playground: scripts/web-figures.mjs.
//
//     npm run site && node docs/site/pictures.mjs [folder for PNG]
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { preview } from 'vite';
import { openDashboard } from '../../dist/src/cli/live/server.js';
import { webpOf } from '../../scripts/webp.mjs';

const [, , pngs] = process.argv;
const out = 'docs/site/pictures';
/** Of 100: text stays sharp enough to be read. */
const quality = 30;
const shrink = 0.6;
/** Of a page that is longer, CSS pixels. */
const highest = 2000;
const widths = [
  [360, 'light'],
  [800, 'dark'],
  [1440, 'light'],
];

/** Which of them a page of docs/ shows. */
const inGuides = { report: 'docs/figures/deploy-report.webp', dashboard: 'docs/figures/dashboard.webp' };

const runs = mkdtempSync(join(tmpdir(), 'spiketrace-pictures-'));
const spiketrace = (...args) => execFileSync(process.execPath, ['dist/src/cli/main.js', ...args], { stdio: 'inherit' });
spiketrace(
  'compare',
  'pattern-generation',
  '--rules',
  'e-prop-1,rflo',
  '--seeds',
  '2',
  '--out',
  join(runs, 'patterns'),
);
spiketrace('plot', join(runs, 'patterns/e-prop-1/seed-1'), '--format', 'html');
spiketrace('deploy', 'four-six-back', '--chip', 'reckon,loihi1,loihi2,spinnaker2', '--out', join(runs, 'report'));
const file = (path) => pathToFileURL(join(runs, path)).href;

const server = await preview({
  configFile: false,
  build: { outDir: 'dist/site' },
  preview: { port: 0, host: '127.0.0.1' },
});
const dashboard = await openDashboard(join(runs, 'patterns'));
const site = (path) => server.resolvedUrls.local[0] + path;
const views = {
  landing: { url: site('index.html'), ready: playAll },
  tutorial: { url: site('docs/tutorial-rule.html'), ready: playAll },
  recipes: { url: site('recipes.html') },
  api: { url: site('api/spiketrace/tasks/index.html') },
  figure: { url: file('patterns/e-prop-1/seed-1/figures/stacked-after.html') },
  report: { url: file('report/deployment.html') },
  dashboard: { url: dashboard.url, ready: lookAtOne },
};

mkdirSync(out, { recursive: true });
const executablePath = execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim();
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
for (const [name, { url, ready }] of Object.entries(views)) {
  for (const [width, colorScheme] of widths) {
    const page = await browser.newPage({ viewport: { width, height: highest }, colorScheme });
    // A dashboard is never idle.
    await page.goto(url, { waitUntil: name === 'dashboard' ? 'load' : 'networkidle' });
    await ready?.(page);
    await page.evaluate(() => scrollTo(0, 0));
    await page.waitForTimeout(500);
    const png = await page.screenshot();
    if (pngs) writeFileSync(join(pngs, `${name}-${width}.png`), png);
    const picture = await webpOf(png, shrink, quality);
    writeFileSync(join(out, `${name}-${width}.webp`), picture);
    if (width === 1440 && inGuides[name]) writeFileSync(inGuides[name], picture);
    await page.close();
  }
}
await browser.close();
await server.close();
await dashboard.close();
rmSync(runs, { recursive: true });

/** Lets the figures of a page run for some seconds, and stops them where they can be stopped. */
async function playAll(page) {
  for (const figure of await page.locator('spiketrace-network, spiketrace-synapse').all()) {
    await figure.scrollIntoViewIfNeeded();
    await figure.getByRole('button', { name: 'Play' }).click();
    await page.waitForTimeout(5000);
    const pause = figure.getByRole('button', { name: 'Pause' });
    if (await pause.count()) await pause.click();
  }
}

async function lookAtOne(page) {
  await page.locator('tr[data-run] button').first().click();
  await page.getByText('at its checkpoint').waitFor();
}
