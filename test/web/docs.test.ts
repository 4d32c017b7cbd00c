import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { presetNames } from '../../src/config/presets.ts';
import { root } from '../cli/cli.ts';
import { complaintsOfAxe } from '../support/axe.ts';
import { findBrowser } from '../support/browser.ts';
import { type Site, serve } from './site.ts';

const folder = join(root, 'dist/site');
const executablePath = findBrowser();
const missing = [
  ...(executablePath ? [] : ['no Chromium on this machine']),
  ...(existsSync(join(folder, 'index.html')) ? [] : ['no site; npm ci --prefix docs/site && npm run site builds it']),
];
const reason = missing.length > 0 ? ` (skipped: ${missing.join(', ')})` : '';

describe.skipIf(missing.length > 0)(`the documentation site, in a folder of a server${reason}`, () => {
  let site: Site;
  let browser: Browser;

  beforeAll(async () => {
    site = await serve(folder);
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    site?.close();
  });

  /** A page, and what it complained of: errors, answers that are none, requests that leave the folder. */
  async function open(path: string, context?: BrowserContext): Promise<{ page: Page; complaints: string[] }> {
    const page = await (context ?? (await browser.newContext())).newPage();
    const complaints: string[] = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (said) => said.type() === 'error' && complaints.push(said.text()));
    page.on('response', (answer) => answer.status() >= 400 && complaints.push(`${answer.status()} ${answer.url()}`));
    // A page that is left cancels what it had asked for ahead; all else that gets no answer is a fault.
    page.on('requestfailed', (request) => {
      const why = request.failure()?.errorText;
      if (why !== 'net::ERR_ABORTED') complaints.push(`${request.url()} failed: ${why}`);
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(site.url) && !/^(blob|data):/.test(request.url())) complaints.push(request.url());
    });
    page.setDefaultTimeout(20_000);
    await page.goto(site.url + path, { waitUntil: 'networkidle' });
    return { page, complaints };
  }

  it('leads from the landing page to a learning curve of the reader in two clicks', async () => {
    const { page, complaints } = await open('');
    await page.getByRole('link', { name: 'Watch it learn' }).click();
    await page.waitForURL(/playground/);
    await page.getByRole('button', { name: 'Play', exact: true }).click();
    await page.waitForFunction(() => /Learning curve: .* [1-9]\d* points/.test(document.body.innerHTML));
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('has a network that learns on the landing page, and a link to the same run in the playground', async () => {
    const { page, complaints } = await open('');
    const figure = page.locator('spiketrace-network');
    await figure.scrollIntoViewIfNeeded();
    await figure.getByRole('button', { name: 'Play' }).click();
    await page.waitForFunction(() => /Learning curve: .* [1-9]\d* points/.test(document.body.innerHTML));
    await figure.getByRole('link', { name: 'Open in the playground' }).click();
    await page.waitForSelector('main[data-phase=resting]');
    expect(page.url()).toContain('preset=pattern-generation');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('finds a word', async () => {
    const { page, complaints } = await open('');
    await page.locator('.VPNavBarSearch button').click();
    await page.locator('.VPLocalSearchBox input').fill('eligibility');
    const results = page.locator('.VPLocalSearchBox .result');
    await results.first().waitFor();
    expect(await results.count()).toBeGreaterThan(5);
    await results.first().click();
    await page.waitForFunction(() => document.querySelector('.vp-doc')?.textContent?.toLowerCase().includes('eligib'));
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('goes from page to page and back, in whatever depth, with pages that are there without scripts', async () => {
    const { page, complaints } = await open('docs/results/audit.html');
    await page.getByRole('link', { name: 'Recipes', exact: true }).first().click();
    await page.waitForURL(`${site.url}recipes.html`);
    await page.locator('.VPSidebar').getByRole('link', { name: 'How to cite' }).click();
    await page.waitForURL(`${site.url}cite.html`);
    await page.locator('.VPNavBar').getByRole('link', { name: 'API' }).click();
    await page.getByRole('link', { name: 'spiketrace/hardware', exact: true }).first().click();
    await page.waitForFunction(() => document.querySelector('h1')?.textContent?.includes('spiketrace/hardware'));
    await page.reload({ waitUntil: 'networkidle' });
    expect(complaints).toEqual([]);
    await page.close();
    // Where there are no scripts only the way counts: modules that were asked for ahead are dropped.
    const plain = await open('docs/results/audit.html', await browser.newContext({ javaScriptEnabled: false }));
    await plain.page.locator('.VPSidebar').getByRole('link', { name: 'Hardware' }).click();
    expect(plain.page.url()).toBe(`${site.url}docs/hardware.html`);
    await plain.page.close();
  });

  it('opens a recipe in the playground', async () => {
    const { page, complaints } = await open('docs/results/audit.html');
    await page.getByRole('link', { name: 'Recipes', exact: true }).first().click();
    await page
      .getByRole('row', { name: /^store-recall/ })
      .getByRole('link')
      .click();
    await page.waitForSelector('main[data-phase=resting]');
    expect(page.url()).toBe(`${site.url}playground/index.html#preset=store-recall`);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('moves a synapse through a trial: played, stepped by the slider, trained to the next one', async () => {
    const { page, complaints } = await open('docs/tutorial-rule.html');
    const figure = page.locator('spiketrace-synapse');
    await figure.scrollIntoViewIfNeeded();
    const term = (name: string) => figure.locator('.terms tr', { hasText: name }).locator('td').textContent();
    await figure.locator('.terms').waitFor();
    await figure.getByText('999 ms of trial 1').waitFor();
    await figure.getByRole('button', { name: 'Play' }).click();
    await page.waitForFunction(() => {
      const step = Number(document.querySelector<HTMLElement>('.learn')?.dataset.step);
      return step > 20 && step < 900;
    });
    await figure.getByRole('button', { name: 'Pause' }).click();
    await figure.getByRole('slider').fill('999');
    const [weight, sum] = [await term('weight'), await term('sum so far')];
    expect(Number(sum)).not.toBe(0);
    await figure.getByRole('button', { name: 'Train this trial' }).click();
    await figure.getByText('999 ms of trial 2').waitFor();
    expect(await term('weight')).not.toBe(weight);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('keeps still where the reader asks for it', async () => {
    const context = await browser.newContext({ reducedMotion: 'reduce' });
    const { page } = await open('docs/tutorial-rule.html', context);
    const figure = page.locator('spiketrace-synapse');
    await figure.scrollIntoViewIfNeeded();
    await figure.getByRole('slider').fill('400');
    await figure.getByText('400 ms of trial 1').waitFor();
    expect(await figure.getByRole('button', { name: 'Play' }).count()).toBe(0);
    await context.close();
  });

  const looked = [
    'index.html',
    'docs/tutorial-rule.html',
    'recipes.html',
    'features.html',
    'api/spiketrace/tasks/index.html',
  ];
  describe.each([
    [360, 'light'],
    [800, 'dark'],
    [1440, 'light'],
  ] as const)('%i pixels wide, %s', (width, colorScheme) => {
    it.each(looked)('axe finds nothing wrong with %s, and it fits', async (path) => {
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
      const { page, complaints } = await open(path, context);
      for (const figure of await page.locator('spiketrace-network, spiketrace-synapse').all()) {
        await figure.scrollIntoViewIfNeeded();
        await figure.locator('.learn[data-phase=resting]').waitFor();
      }
      expect(await complaintsOfAxe(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      expect(complaints).toEqual([]);
      await context.close();
    });
  });

  it('has every preset among its recipes, every decision, and no address that only one folder has', () => {
    const html = (path: string) => readFileSync(join(folder, path), 'utf8');
    const recipes = html('recipes.html');
    for (const name of presetNames) expect(recipes).toContain(`<code>${name}</code>`);
    for (const name of readdirSync(join(root, 'docs/decisions')))
      expect(existsSync(join(folder, 'docs/decisions', name.replace(/md$/, 'html')))).toBe(true);
    for (const path of looked) expect(html(path)).not.toMatch(/(src|href)="(\/|https?:)/);
  });
});
