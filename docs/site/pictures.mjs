// Pictures of the site at three widths, as they are looked at before a change of it lands.
//
//     npm run site && node docs/site/pictures.mjs [folder for PNG]
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { chromium } from 'playwright-core';
import { preview } from 'vite';

const [, , pngs] = process.argv;
const out = 'docs/site/pictures';
/** Of 100: text stays sharp enough to be read. */
const quality = 30;
const shrink = 0.6;
/** Of a page that is longer, CSS pixels. */
const highest = 2000;
const pages = {
  landing: 'index.html',
  tutorial: 'docs/tutorial-rule.html',
  recipes: 'recipes.html',
  api: 'api/spiketrace/tasks/index.html',
};

mkdirSync(out, { recursive: true });
const executablePath = execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim();
const server = await preview({
  configFile: false,
  build: { outDir: 'dist/site' },
  preview: { port: 0, host: '127.0.0.1' },
});
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
for (const [name, path] of Object.entries(pages)) {
  for (const [width, colorScheme] of [
    [360, 'light'],
    [800, 'dark'],
    [1440, 'light'],
  ]) {
    const page = await browser.newPage({ viewport: { width, height: highest }, colorScheme });
    await page.goto(server.resolvedUrls.local[0] + path, { waitUntil: 'networkidle' });
    for (const figure of await page.locator('spiketrace-network, spiketrace-synapse').all()) await play(page, figure);
    await page.evaluate(() => scrollTo(0, 0));
    await page.waitForTimeout(500);
    const png = await page.screenshot();
    if (pngs) writeFileSync(join(pngs, `${name}-${width}.png`), png);
    const image = await loadImage(png);
    const canvas = createCanvas(Math.round(shrink * image.width), Math.round(shrink * image.height));
    const ctx = canvas.getContext('2d');
    ctx.imageSmoothingQuality = 'high';
    ctx.drawImage(image, 0, 0, canvas.width, canvas.height);
    writeFileSync(join(out, `${name}-${width}.webp`), await canvas.encode('webp', quality));
    await page.close();
  }
}
await browser.close();
await server.close();

/** Lets a figure run for some seconds, and stops it where it can be stopped. */
async function play(page, figure) {
  await figure.scrollIntoViewIfNeeded();
  await figure.getByRole('button', { name: 'Play' }).click();
  await page.waitForTimeout(5000);
  const pause = figure.getByRole('button', { name: 'Pause' });
  if (await pause.count()) await pause.click();
}
