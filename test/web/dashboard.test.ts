import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dashboard, openDashboard } from '../../src/cli/live/server.ts';
import { emptyFolder, succeed, trials } from '../cli/cli.ts';
import { complaintsOfAxe } from '../support/axe.ts';
import { findBrowser } from '../support/browser.ts';

const executablePath = findBrowser();
const reason = executablePath ? '' : ' (skipped: no Chromium on this machine)';
/** A name that would be a picture with a script, were it not text. */
const hostile = `<img src=x onerror=document.title='broken'> & "quoted" ${'long '.repeat(12)}`;

/** A wire between page and server that can be cut, as a tunnel to another machine is. */
async function openProxy() {
  let lost = false;
  const server = createServer(({ url = '', method, headers }, response) => {
    const onward = request(url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    onward.end();
  });
  server.on('connection', (socket) => lost && socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lose(now: boolean) {
      lost = now;
      server.closeAllConnections();
    },
    close: () => server.close(),
  };
}

describe.skipIf(!executablePath)(`the dashboard in Chromium${reason}`, () => {
  const folder = emptyFolder();
  let browser: Browser;
  let dashboard: Dashboard;
  beforeAll(async () => {
    await succeed(['train', ...trials, '--seeds', '2', '--out', folder, '--no-figures']);
    cpSync(join(folder, 'e-prop-1/seed-1'), join(folder, hostile), { recursive: true });
    const config = join(folder, hostile, 'config.json');
    const own = JSON.parse(readFileSync(config, 'utf8'));
    writeFileSync(
      config,
      JSON.stringify({ ...own, seed: 30, name: '<script>alert(1)</script>', rule: { name: '<b>bold</b>' } }),
    );
    dashboard = await openDashboard(folder, { everyMs: 50 });
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    await dashboard?.close();
  });

  async function open(options: Parameters<Browser['newContext']>[0] = {}): Promise<[Page, BrowserContext, string[]]> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (said) => said.type() === 'error' && complaints.push(said.text()));
    page.setDefaultTimeout(10_000);
    await page.goto(dashboard.url);
    await page.waitForSelector('main[data-connected=true] tbody tr:nth-child(3)');
    return [page, context, complaints];
  }

  it('shows runs in a table that is sorted by its heads, and names as text', async () => {
    const [page, context, complaints] = await open();
    const seeds = () => page.locator('tbody td:nth-child(4)').allTextContents();
    await page.locator('thead button', { hasText: 'seed' }).click();
    expect(await seeds()).toEqual(['1', '2', '30']);
    await page.locator('thead button', { hasText: 'seed' }).click();
    expect(await seeds()).toEqual(['30', '2', '1']);
    expect(await page.locator('tbody th').first().textContent()).toBe(hostile);
    expect(await page.locator('tbody td').nth(1).textContent()).toBe('<b>bold</b>');
    expect(await page.title()).toBe('spiketrace runs');
    expect(await page.locator('img').count()).toBe(0);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('comes back after a lost connection, and has what came meanwhile', async () => {
    const between = await openProxy();
    const [page, context] = await open({ proxy: { server: between.url, bypass: '<-loopback>' } });
    between.lose(true);
    await page.waitForSelector('main[data-connected=false]');
    mkdirSync(join(folder, 'meanwhile'));
    writeFileSync(join(folder, 'meanwhile/config.json'), '{"name":"meanwhile","training":{"total":5}}');
    between.lose(false);
    await page.waitForSelector('main[data-connected=true] tr[data-run="meanwhile"]');
    expect(await page.locator('tbody tr').count()).toBe(4);
    rmSync(join(folder, 'meanwhile'), { recursive: true });
    await page.waitForSelector('tr[data-run="meanwhile"]', { state: 'detached' });
    await context.close();
    between.close();
  });

  it('compares the runs that are chosen, looks into one, and follows what comes', async () => {
    const [page, context] = await open();
    const about = () => page.getByRole('img', { name: /^Learning curves/ }).getAttribute('aria-label');
    expect(await about()).toContain('of 3 runs: loss per step');
    await page.locator('tbody input').first().click();
    expect(await about()).toContain('of 2 runs');
    await page.locator('tr[data-run="e-prop-1/seed-2"] button').click();
    await page.getByText('e-prop-1/seed-2, at its checkpoint after 8 trials').waitFor();
    expect(await page.getByRole('img', { name: /Raster of recurrent neurons: \d+ marks in 60 ms/ }).count()).toBe(1);
    mkdirSync(join(folder, 'late'));
    writeFileSync(join(folder, 'late/config.json'), '{"name":"late","rule":{"name":"rflo"},"training":{"total":5}}');
    await page.locator('tr[data-run="late"]').waitFor();
    expect(await page.locator('tr[data-run="late"]').textContent()).toContain('0 of 5');
    await context.close();
  });

  it('asks again where it was refused', async () => {
    const own = await openDashboard(folder, { everyMs: 50 });
    const looking = await Promise.all(Array.from({ length: 16 }, () => fetch(`${own.url}events`)));
    const page = await browser.newPage();
    const refusal = page.waitForResponse((answer) => answer.status() === 503);
    await page.goto(own.url);
    await refusal;
    await page.waitForSelector('main[data-connected=false]');
    for (const { body } of looking) await body?.cancel();
    await page.waitForSelector('main[data-connected=true] tbody tr:nth-child(3)');
    await page.close();
    await own.close();
  });

  it('says when its server is gone', async () => {
    const own = await openDashboard(folder, { everyMs: 50 });
    const page = await browser.newPage();
    await page.goto(own.url);
    await page.waitForSelector('main[data-connected=true]');
    await own.close();
    await page.waitForSelector('main[data-connected=false]');
    expect(await page.locator('.status').textContent()).toContain('No connection');
    await page.close();
  });

  it.each(['light', 'dark'] as const)('has nothing that axe finds wrong, %s', async (colorScheme) => {
    const [page, context] = await open({ colorScheme, viewport: { width: 360, height: 800 } });
    await page.locator('tr[data-run="e-prop-1/seed-1"] button').click();
    await page.getByText('at its checkpoint').waitFor();
    expect(await complaintsOfAxe(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await context.close();
  });
});
