import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demandOf, deploy, profiles } from '../../hardware/index.ts';
import { page as pageOf } from '../../src/cli/deploy/page.ts';
import { memoryParts } from '../../src/cli/deploy/report.ts';
import { network } from '../hardware/demands.ts';
import { complaintsOfAxe } from '../support/axe.ts';
import { findBrowser } from '../support/browser.ts';

const { spec } = network({ name: 'sg-r-d' }, { readout: { filter: { decay: 0.9 } } }).run.network;
const deployments = profiles.map((chip) => deploy(demandOf(spec, { rateHz: 20 }), chip));
const shownChips = deployments.slice(0, 3);
const html = pageOf({ experiment: `it's <i>"mine"</i>`, rule: 'sg-r-d', deployments: shownChips });

describe('the report of deploy', () => {
  it('has parts of memory that are all of it', () => {
    for (const deployment of deployments) {
      const sum = memoryParts(deployment).reduce((total, { bytes }) => total + bytes, 0);
      expect(sum).toBeCloseTo(deployment.inferenceBytes + deployment.learningBytes, 6);
    }
  });

  it('says of every check that is not passed what would make it fit', () => {
    const open = shownChips.flatMap(({ checks }) => checks.filter(({ status }) => status !== 'pass'));
    expect(open.length).toBeGreaterThan(3);
    expect(html.match(/<li><span class="word (fail|degraded)">/g)).toHaveLength(open.length);
    expect(html).not.toContain('<script');
    expect(html).toContain('<h1>it&#39;s &lt;i&gt;&quot;mine&quot;&lt;/i&gt;, rule sg-r-d</h1>');
  });
});

const executablePath = findBrowser();
const reason = executablePath ? '' : ' (skipped: no Chromium on this machine)';

describe.skipIf(!executablePath)(`the report of deploy in Chromium${reason}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
  });
  afterAll(() => browser?.close());

  async function shown(options: Parameters<Browser['newContext']>[0]): Promise<[Page, BrowserContext]> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    await page.setContent(html);
    return [page, context];
  }

  it.each(['light', 'dark'] as const)(
    'has nothing that axe finds wrong, %s, and no width of its own',
    async (scheme) => {
      const [page, context] = await shown({ colorScheme: scheme, viewport: { width: 360, height: 800 } });
      for (const summary of await page.locator('summary').all()) await summary.click();
      expect(await complaintsOfAxe(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
      await context.close();
    },
  );

  it('has chips side by side, details folded on the screen and open in print', async () => {
    const [page, context] = await shown({ viewport: { width: 1440, height: 900 } });
    const [first, second] = await page.locator('.chip').all();
    expect((await first.boundingBox())?.y).toBe((await second.boundingBox())?.y);
    const state = page.getByText('state words read').first();
    expect(await state.isVisible()).toBe(false);
    await page.emulateMedia({ media: 'print' });
    expect(await state.isVisible()).toBe(true);
    await context.close();
  });
});
