import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LearningCurveData, renderLearningCurve, renderStacked, renderWeights } from '../../src/plot/index.ts';
import { complaintsOfAxe } from '../support/axe.ts';
import { findBrowser } from '../support/browser.ts';

const steps = 50;
const trial = renderStacked(
  {
    title: 'a </script><b>title</b>',
    dtMs: 2,
    steps,
    startStep: 10,
    panels: [
      {
        kind: 'raster',
        label: 'cells',
        populations: [
          { label: 'exc', size: 4 },
          { label: 'inh', size: 2 },
        ],
        spikes: { t: [25], index: [5] },
      },
      {
        kind: 'lines',
        label: 'v',
        series: [
          { label: 'neuron 3', values: Float64Array.from({ length: steps }, (_, t) => (t === 25 ? Number.NaN : t)) },
        ],
      },
    ],
  },
  { format: 'html' },
);
const run = (label: string, y: readonly number[]) => ({ label, x: y.map((_, n) => 100 * (n + 1)), y });
const curves: LearningCurveData = {
  xLabel: 'symbols',
  yLabel: 'loss',
  bounds: [{ label: 'chance', value: 0.9 }],
  groups: [{ label: 'rflo', runs: [run('seed 4', [0.8, 0.6, 0.4]), run('seed 9', [0.8, 0.5, 0.2])] }],
};
const curve = renderLearningCurve(curves, { format: 'html', title: 'curves' });

describe('a figure as a page', () => {
  it('is small, and is asked for where there is such a page', () => {
    for (const bytes of [trial, curve]) expect(bytes.length).toBeLessThan(100_000);
    const matrix = { label: 'w', pre: 1, post: 1, values: [1] };
    expect(() => renderWeights({ matrices: [matrix] }, { format: 'html' })).toThrow(
      'options.format: got "html", expected png or svg, of a figure of this kind',
    );
  });
});

const executablePath = findBrowser();
const reason = executablePath ? '' : ' (skipped: no Chromium on this machine)';

describe.skipIf(!executablePath)(`a figure as a page, in Chromium${reason}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
  });
  afterAll(() => browser?.close());

  async function shown(bytes: Uint8Array, colorScheme: 'light' | 'dark' = 'light'): Promise<[Page, BrowserContext]> {
    const context = await browser.newContext({ colorScheme, viewport: { width: 800, height: 900 } });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (said) => said.type() === 'error' && complaints.push(said.text()));
    await page.setContent(new TextDecoder().decode(bytes));
    await page.waitForSelector('main[data-shown]');
    expect(complaints).toEqual([]);
    return [page, context];
  }

  /** Points at a place of the n-th panel, as a share of its width and height from the lower left. */
  async function point(page: Page, n: number, x: number, y: number): Promise<string> {
    const box = await page.locator('.u-over').nth(n).boundingBox();
    if (!box) throw new Error('no such panel');
    await page.mouse.move(box.x + x * box.width, box.y + (1 - y) * box.height);
    await page.mouse.move(box.x + x * box.width + 1, box.y + (1 - y) * box.height);
    return (await page.locator('.told').textContent()) ?? '';
  }

  it('says neuron and ms of a spike, and the value of a line', async () => {
    const [page, context] = await shown(trial);
    expect(await page.locator('h1').textContent()).toBe('a </script><b>title</b>');
    // Step 25 of 50 steps in view, row 5 of 6.
    expect(await point(page, 0, 25.5 / steps, 5.5 / 6)).toBe('cells: neuron 5 (inh) at 70 ms');
    expect((await point(page, 0, 0.1, 0.1)).trim()).toBe('');
    expect(await point(page, 1, 24.5 / steps, 0.49)).toBe('v, neuron 3: 24 at 68 ms');
    await context.close();
  });

  it('says value and seed of a curve', async () => {
    const [page, context] = await shown(curve);
    const [low, high] = [0.2 - 0.06 * 0.7, 0.9 + 0.06 * 0.7];
    const at = (value: number) => (value - low) / (high - low);
    expect((await point(page, 0, 0.3, at(0.3))).trim()).toBe('');
    expect(await point(page, 0, 0.5, at(0.5))).toBe('rflo, seed 9: 0.5 (loss) at 200 symbols');
    expect(await point(page, 0, 0.5, at(0.6))).toBe('rflo, seed 4: 0.6 (loss) at 200 symbols');
    await context.close();
  });

  it('zooms by keys, by buttons and by dragging, and back', async () => {
    const [page, context] = await shown(trial);
    const says = () => point(page, 0, 0.5, 5.5 / 6);
    expect(await says()).toContain('70 ms');
    await page.keyboard.press('+');
    await page.keyboard.press('+');
    // Half of a half is in view: a spike by the middle stays there, one step away is further off.
    expect(await point(page, 0, 0.54, 5.5 / 6)).toContain('70 ms');
    expect((await point(page, 0, 0.54 - 1 / (steps / 4), 5.5 / 6)).trim()).toBe('');
    await page.getByRole('button', { name: 'Later' }).click();
    expect(await point(page, 0, 0.29, 5.5 / 6)).toContain('70 ms');
    await page.keyboard.press('0');
    expect(await says()).toContain('70 ms');
    const box = await page.locator('.u-over').nth(1).boundingBox();
    if (!box) throw new Error('no such panel');
    await page.mouse.move(box.x + 0.5 * box.width, box.y + 30);
    await page.mouse.down();
    await page.mouse.move(box.x + 0.75 * box.width, box.y + 32, { steps: 4 });
    await page.mouse.up();
    // The other panel went with it: what was at the middle is at the left.
    expect(await point(page, 0, 0.04, 5.5 / 6)).toContain('70 ms');
    await context.close();
  });

  it.each([
    ['light', trial],
    ['dark', curve],
  ] as const)('has nothing that axe finds wrong, %s', async (scheme, bytes) => {
    const [page, context] = await shown(bytes, scheme);
    expect(await complaintsOfAxe(page)).toEqual([]);
    await context.close();
  });
});
