import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { applySettings, createExperiment, type Experiment, preset } from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';
import { emptyFolder, root, spiketrace } from '../cli/cli.ts';
import { complaintsOfAxe } from '../support/axe.ts';
import { findBrowser } from '../support/browser.ts';
import { type Site, serve } from './site.ts';

const executablePath = findBrowser();
const reason = executablePath ? '' : ' (skipped: no Chromium on this machine)';
const catalogue = { ...models, tasks };

describe.skipIf(!executablePath)(`the playground in Chromium${reason}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'spiketrace-web-'));
  let site: Site;
  let browser: Browser;

  beforeAll(async () => {
    await build({ configFile: join(root, 'web/vite.config.ts'), logLevel: 'error', build: { outDir: folder } });
    site = await serve(folder);
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    site?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A page that has opened its run, and what it complained of. */
  async function open(hash = '', context?: BrowserContext): Promise<{ page: Page; complaints: string[] }> {
    const page = await (context ?? (await browser.newContext())).newPage();
    const complaints: string[] = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (said) => said.type() === 'error' && complaints.push(said.text()));
    page.setDefaultTimeout(15_000);
    await page.goto(site.url + hash);
    await page.waitForSelector('main[data-phase=resting]:not([data-frames="0"])');
    return { page, complaints };
  }
  const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
  const settled = (page: Page) => page.waitForSelector('main:is([data-phase=resting], [data-phase=ended])');

  async function saved(page: Page, name: string): Promise<Buffer> {
    const [download] = await Promise.all([page.waitForEvent('download'), press(page, name)]);
    return readFileSync(await download.path());
  }

  /** To where the address says, on every side. */
  async function train(page: Page, until: number): Promise<void> {
    await press(page, 'Play');
    const done = `${until.toLocaleString('en-GB')} of`;
    await page.waitForFunction((text) => {
      const sides = document.querySelectorAll('.side').length;
      return document.querySelector('.status')?.textContent?.split(text).length === sides + 1;
    }, done);
    await settled(page);
  }

  it.each([
    ['four-six-back', 32_000],
    ['four-six-back-poisson', 32_000],
    ['pattern-generation', 60],
  ])('%s trains to the same bits as in Node, while everything is in view', async (name, until) => {
    const context = await browser.newContext({ viewport: { width: 1200, height: 3000 } });
    const { page, complaints } = await open(`#preset=${name}&seed=5&until=${until}`, context);
    await train(page, until);
    const checkpoint = await saved(page, 'Save checkpoint');
    const here = createExperiment({ ...preset(name), seed: 5 }, catalogue);
    here.train({ until });
    expect(here.feed.amount()).toBe(until);
    expect(here.config.backend).toBe('wasm');
    expect(Buffer.compare(checkpoint, here.checkpoint())).toBe(0);
    expect(Number(await page.getAttribute('main', 'data-frames'))).toBeGreaterThan(1);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('is small, usable at once, and one click from a learning curve', async () => {
    const before = site.sent();
    const begin = performance.now();
    const { page } = await open();
    expect(performance.now() - begin).toBeLessThan(4000);
    expect(site.sent() - before).toBeLessThan(600_000);
    await press(page, 'Play');
    await page.waitForFunction(() => /Learning curve: .* [1-9]\d* points/.test(document.body.innerHTML));
    await page.close();
  });

  it('steps through the trial that comes, a step at a time, and changes no bit of it', async () => {
    const { page } = await open('#preset=pattern-generation&seed=3');
    const time = () => page.locator('.sliders label').nth(1).textContent();
    await page.locator('h1').click();
    await page.keyboard.press('.');
    await page.keyboard.press('.');
    await page.keyboard.press('ArrowRight');
    expect(await time()).toContain('2 ms');
    await page.keyboard.press('ArrowLeft');
    expect(await time()).toContain('1 ms');
    const slider = page.locator('.sliders input').nth(1);
    await slider.fill('999');
    await press(page, 'On by 1 ms');
    await page.waitForFunction(() => document.querySelector('.side h2')?.textContent?.includes('trial 2'));
    const here = createExperiment({ ...preset('pattern-generation'), seed: 3 }, catalogue);
    here.train({ until: 1 });
    expect(Buffer.compare(await saved(page, 'Save checkpoint'), here.checkpoint())).toBe(0);
    await page.locator('.sliders input').nth(0).fill('0');
    await page.waitForFunction(() => document.querySelector('.side h2')?.textContent?.includes('trial 1'));
    await page.close();
  });

  it('runs two rules side by side on the data of one seed, from its address alone', async () => {
    const { page } = await open('#preset=four-six-back&seed=2&beside=rflo&until=8000');
    await train(page, 8000);
    const headings = page.locator('.side > h2');
    await page.waitForFunction(() => document.querySelectorAll('.side > h2')[1]?.textContent === 'rflo, trial 3');
    await page.waitForFunction(() => document.querySelectorAll('.side > h2')[0]?.textContent === 'e-prop-1, trial 3');
    expect(await headings.count()).toBe(2);
    expect(await page.locator('.status').textContent()).toMatch(
      /e-prop-1, seed 2.* 8,000 of .*rflo, seed 2.* 8,000 of/,
    );
    await page.getByLabel('Seed').fill('4');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => location.hash.includes('seed=4'));
    await settled(page);
    expect(await page.locator('details.earlier summary').textContent()).toBe('Earlier runs (2)');
    await page.close();
  });

  it('saves an experiment that the command line trains, and drawings as PNG and SVG', async () => {
    const { page } = await open('#preset=four-six-back&rule=rflo&neuron=alif&chip=loihi2&set=training.total=1600');
    const file = join(emptyFolder(), 'saved.json');
    writeFileSync(file, await saved(page, 'Save experiment'));
    const out = join(emptyFolder(), 'run');
    const set = ['--set', 'evaluation.total=1600', '--no-figures'];
    const { code, stderr } = await spiketrace(['train', file, '--out', out, ...set]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(existsSync(join(out, 'config.json'))).toBe(true);
    const png = await saved(page, 'Save Spikes as PNG');
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    const svg = (await saved(page, 'Save Spikes as SVG')).toString();
    expect(svg.match(/<rect/g)?.length).toBeGreaterThan(100);
    await page.close();
  });

  it('takes an experiment that is dropped, and says with path, value and range what cannot be', async () => {
    const { page } = await open();
    const take = async (experiment: unknown) =>
      page.getByLabel('Experiment and data files').setInputFiles({
        name: 'own.json',
        mimeType: 'application/json',
        buffer: Buffer.from(JSON.stringify(experiment)),
      });
    await take({ ...preset('pattern-generation'), name: 'mine' });
    await page.waitForFunction(() => document.querySelector('.status')?.textContent?.startsWith('mine with'));
    expect(page.url()).toContain('experiment=');
    await take(applySettings(preset('pattern-generation'), ['network.neurons=-3']));
    await page.waitForSelector('.failure');
    expect(await page.locator('.failures').textContent()).toContain('network.neurons: got -3, expected a number');
    await page.close();
  });

  const fileInput = (page: Page) => page.getByLabel('Experiment and data files');
  const example = (name: string) => join(root, 'examples', name);
  const asks = (page: Page) => page.waitForSelector('main[data-phase=asking]');

  /** What is trained on the files of `recording.json`, in Node. */
  function recordingHere(): Experiment {
    const experiment = JSON.parse(readFileSync(example('recording.json'), 'utf8'));
    const task = { ...experiment.task, file: example('recording.csv'), labelFile: example('recording-labels.csv') };
    return createExperiment({ ...experiment, task, seed: 1 }, catalogue);
  }
  /** Trains as far as the address says, which is where another has been trained to in Node. */
  async function trainsTo(page: Page, here: Experiment): Promise<void> {
    await train(page, here.feed.amount());
    const fresh = recordingHere();
    fresh.restore(await saved(page, 'Save checkpoint'));
    expect(fresh.run.clock).toEqual(here.run.clock);
    expect(fresh.run.network.state.data).toEqual(here.run.network.state.data);
  }

  it('trains on files of its own to the bits of Node, and its address asks for them', async () => {
    const context = await browser.newContext();
    const { page, complaints } = await open('#seed=1', context);
    await fileInput(page).setInputFiles(['recording.json', 'recording.csv', 'recording-labels.csv'].map(example));
    await page.waitForFunction(() => document.querySelector('.status')?.textContent?.startsWith('recording with'));
    await page.waitForFunction(() => location.hash.split('file=').length === 3);
    const here = recordingHere();
    here.train({ until: 64 });
    const link = `${page.url()}&until=64`;
    await page.goto(link);
    await settled(page);
    await trainsTo(page, here);
    // The same in the frame of a plug-in, which gets the files and no more.
    await page.getByText('A rule of your own').click();
    await press(page, 'Use plug-in');
    await page.waitForSelector('iframe[sandbox="allow-scripts"]', { state: 'attached' });
    await page.waitForSelector('main[data-phase=resting]');
    await trainsTo(page, here);

    const other = await context.newPage();
    await other.goto(link);
    await asks(other);
    const panel = other.getByRole('status', { name: 'Files of this run' });
    const text = readFileSync(example('recording.csv'), 'utf8');
    const { sha256 } = here.config.task as unknown as { readonly sha256: Record<string, string> };
    expect(await panel.textContent()).toContain(`recording.csv, SHA-256 ${sha256.file.slice(0, 12)}`);
    expect(await complaintsOfAxe(other)).toEqual([]);
    const buffer = Buffer.from(text.replace('9.2', '9.3'));
    await fileInput(other).setInputFiles({ name: 'recording.csv', mimeType: 'text/csv', buffer });
    await other.waitForFunction(() => document.querySelector('.files')?.textContent?.includes('got another file'));
    await fileInput(other).setInputFiles(['recording.csv', 'recording-labels.csv'].map(example));
    await other.waitForSelector('main[data-phase=resting]');
    await fileInput(other).setInputFiles({ name: 'recording.csv', mimeType: 'text/csv', buffer });
    await asks(other);
    await press(other, 'Train on what was given');
    await other.waitForSelector('main[data-phase=resting]');
    expect(other.url()).not.toContain(sha256.file);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('learns from a table of spikes alone in three clicks, and names file and line of one that is damaged', async () => {
    const { page } = await open();
    const events = Array.from({ length: 400 }, (_, n) => `${Math.floor(n / 40)},${n % 8},${(n % 40) * 2.5}`);
    const give = (name: string, lines: readonly string[]) =>
      fileInput(page).setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(lines.join('\n')) });
    await give('bad.csv', ['trial,unit,time', ...events.slice(0, 3), '0,x,3']);
    await page.waitForSelector('.failure');
    expect(await page.locator('.failures').textContent()).toMatch(/bad\.csv: line 5/);
    await fileInput(page).setInputFiles(join(root, 'test/golden/recordings/shd-standin.h5'));
    await page.waitForFunction(() =>
      document.querySelector('.failures')?.textContent?.includes('save its spikes as .npz'),
    );
    await give('mine.csv', ['trial,unit,time', ...events]);
    const panel = page.getByRole('status', { name: 'Your recording' });
    expect(await panel.textContent()).toContain('10 trials of 8 units, 400 spikes in 98 ms');
    expect(await panel.getByLabel('Unit of its times').inputValue()).toBe('ms');
    expect(await complaintsOfAxe(page)).toEqual([]);
    await press(page, 'Train on it');
    await page.waitForFunction(() => document.querySelector('.status')?.textContent?.startsWith('mine with e-prop-1'));
    await press(page, 'Play');
    await page.waitForFunction(() => /Learning curve: .* [1-9]\d* points/.test(document.body.innerHTML));
    await page.close();
  });

  it('follows a synapse that is clicked', async () => {
    const context = await browser.newContext({ viewport: { width: 1200, height: 3000 } });
    const { page } = await open('#preset=four-six-back', context);
    await page.getByLabel('from', { exact: true }).fill('17');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.body.innerText.includes('Synapse rec: 17 to'));
    const weights = page.getByRole('img', { name: /Weight matrix/ });
    await weights.click({ position: { x: 100, y: 50 } });
    await page.waitForFunction(() => !document.body.innerText.includes('Synapse rec: 17 to'));
    expect(await page.locator('.terms').textContent()).toMatch(/trace eps.*learning signal L.*adds to dE\/dw.*weight/s);
    await context.close();
  });

  it('keeps what is typed into a field while it trains', async () => {
    const context = await browser.newContext({ viewport: { width: 1200, height: 3000 } });
    const { page } = await open('#preset=four-six-back', context);
    await press(page, 'Play');
    const field = page.getByLabel('from', { exact: true });
    await field.fill('17');
    const shown = () => page.locator('main').getAttribute('data-frames').then(Number);
    const before = await shown();
    await page.waitForFunction(
      (n) => Number(document.querySelector<HTMLElement>('main')?.dataset.frames) > n,
      before + 5,
    );
    await page.waitForTimeout(600);
    expect(await field.inputValue()).toBe('17');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.body.innerText.includes('Synapse rec: 17 to'));
    await context.close();
  });

  it('leaves what is selected in a field alone when the page follows another synapse meanwhile', async () => {
    const context = await browser.newContext({ viewport: { width: 1200, height: 3000 } });
    const { page } = await open('#preset=four-six-back', context);
    const field = page.getByLabel('from', { exact: true });
    await field.selectText();
    const before = await field.inputValue();
    await page.getByRole('button', { name: 'Play' }).evaluate((button: HTMLElement) => button.click());
    await page.waitForFunction((n) => {
      const followed = /Synapse rec: (\d+) to/.exec(document.body.innerText)?.[1];
      return followed !== undefined && followed !== n;
    }, before);
    await page.keyboard.type('17');
    expect(await field.inputValue()).toBe('17');
    await context.close();
  });

  /** Opens a link that carries a plug-in, and then runs it. */
  async function runsNothingUnasked(link: string): Promise<void> {
    expect(link).toContain('plugin=');
    const page = await (await browser.newContext()).newPage();
    await page.goto(link);
    await asks(page);
    await page.getByRole('status', { name: 'Plug-in of this link' }).waitFor();
    await page.keyboard.press('Space');
    expect(await page.locator('iframe').count()).toBe(0);
    expect(await page.locator('main').getAttribute('data-frames')).toBe('0');
    expect(await page.getByLabel('Plug-in (TypeScript)').inputValue()).toContain("name: 'sign-e-prop'");
    expect(await complaintsOfAxe(page)).toEqual([]);
    await press(page, 'Use plug-in');
    await page.waitForFunction(() => document.querySelector('.side h2')?.textContent?.startsWith('sign-e-prop'));
    await page.context().close();
  }

  it('runs a plug-in in a frame without origin, and one of a link when its reader says so', async () => {
    const { page, complaints } = await open('#preset=four-six-back&until=8000');
    await page.getByText('A rule of your own').click();
    await press(page, 'Use plug-in');
    await page.waitForSelector('iframe[sandbox="allow-scripts"]', { state: 'attached' });
    await settled(page);
    await page.locator('.choices select').nth(1).selectOption('sign-e-prop');
    await page.waitForFunction(() => document.querySelector('.side h2')?.textContent?.startsWith('sign-e-prop'));
    await train(page, 8000);
    expect(await page.locator('.status').textContent()).toContain('8,000 of');
    expect(complaints).toEqual([]);
    await runsNothingUnasked(page.url());
    await page.getByLabel('Plug-in (TypeScript)').fill('export default { rules: 3 }');
    await press(page, 'Use plug-in');
    await page.waitForFunction(() =>
      document.querySelector('.failures')?.textContent?.includes('plug-in: rules: got 3'),
    );
    await page.close();
  });

  it.each(['light', 'dark'] as const)('has nothing that axe finds wrong, %s', async (colorScheme) => {
    const context = await browser.newContext({ colorScheme, viewport: { width: 360, height: 800 } });
    const { page } = await open('#preset=store-recall&until=640', context);
    await train(page, 640);
    for (const summary of await page.locator('summary').all()) await summary.click();
    expect(await complaintsOfAxe(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await context.close();
  });

  it('states its rules: scripts of its own only, workers of its own and of blobs', () => {
    const html = readFileSync(join(folder, 'index.html'), 'utf8');
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1].split('; ');
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
    expect(policy).toContain("worker-src 'self' blob:");
    expect(html).not.toMatch(/(src|href)="(\/|https?:)/);
  });
});
