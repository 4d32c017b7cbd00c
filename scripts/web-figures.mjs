// Pictures of the playground at three widths, light and dark: the widest for docs/playground.md, the others for the site.
//
//     npm run web && node scripts/web-figures.mjs [folder for PNG]
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { chromium } from 'playwright-core';
import { preview } from 'vite';
import { webpOf } from './webp.mjs';

const [, , pngs] = process.argv;
/** Of 100: text stays sharp enough to be read. */
const quality = 30;
const pages = [
  {
    to: 'docs/site/pictures/playground-360',
    width: 360,
    shrink: 0.8,
    scheme: 'light',
    hash: '#preset=four-six-back&until=160000',
  },
  {
    to: 'docs/site/pictures/playground-800',
    width: 800,
    shrink: 0.6,
    scheme: 'dark',
    hash: '#preset=pattern-generation&until=60',
  },
  {
    to: 'docs/figures/playground',
    width: 1440,
    shrink: 0.5,
    scheme: 'light',
    hash: '#preset=four-six-back&beside=sg-r-d&until=160000',
  },
];

const executablePath = execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim();
const server = await preview({ configFile: 'web/vite.config.ts', preview: { port: 0, host: '127.0.0.1' } });
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
for (const { to, width, shrink, scheme, hash } of pages) {
  // High enough for every view to be in sight, and so to be drawn.
  const page = await browser.newPage({ viewport: { width, height: 5000 }, colorScheme: scheme });
  await page.goto(`${server.resolvedUrls.local[0]}${hash}`);
  await page.waitForSelector('main[data-phase=resting]');
  await page.click('button.primary');
  await page.waitForSelector('main[data-phase=playing]');
  await page.waitForSelector('main[data-phase=resting]');
  await page.waitForTimeout(2500);
  const box = await page.locator('main').boundingBox();
  const png = await page.screenshot({ clip: { x: 0, y: 0, width, height: Math.ceil(box.height) } });
  if (pngs) writeFileSync(join(pngs, `${basename(to)}.png`), png);
  writeFileSync(`${to}.webp`, await webpOf(png, shrink, quality));
  await page.close();
}
await browser.close();
await server.close();
