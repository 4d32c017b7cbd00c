// How smoothly the playground moves while it trains, and what it costs the training: 1,000 neurons, one second of raster.
//
//     npm run web && node scripts/web-smooth.mjs > docs/results/web-smooth.json
//
// Frames a second are counted by `requestAnimationFrame` in headless Chromium, between Play and Pause. "Without view" is the same page whose
// requests for frames are thrown away, so that the worker trains and shows nothing. The two take turns, so that both meet the same machine.
import { execFileSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { chromium } from 'playwright-core';
import { preview } from 'vite';

const seconds = 6;
const turns = 3;
const settings = ['network.neurons=1000', 'training.total=20000', 'rateTerm.targetHz=26'];
const hash = `#preset=pattern-generation&${settings.map((one) => `set=${encodeURIComponent(one)}`).join('&')}`;
const executablePath = execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim();

const server = await preview({ configFile: 'web/vite.config.ts', preview: { port: 0, host: '127.0.0.1' } });
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });

/** Counts the frames of the display between two calls. */
const counter = () => {
  globalThis.shown = [];
  requestAnimationFrame(function tick(at) {
    globalThis.shown.push(at);
    requestAnimationFrame(tick);
  });
};

/** @param viewed false: no frame is ever asked for */
async function measure(viewed) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  if (!viewed) {
    await page.addInitScript(() => {
      const post = Worker.prototype.postMessage;
      Worker.prototype.postMessage = function (message, ...rest) {
        if (message.type !== 'frame') post.call(this, message, ...rest);
      };
    });
  }
  await page.goto(`${server.resolvedUrls.local[0]}${hash}`);
  await page.waitForSelector('main[data-phase=resting]');
  await page.waitForTimeout(2000);
  await page.evaluate(() => {
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (...all) {
      globalThis.worker = this;
      this.addEventListener('message', ({ data }) => {
        if (data.type === 'frame') globalThis.spikes = data.frame.neurons.t.length;
      });
      Worker.prototype.postMessage = post;
      return post.apply(this, all);
    };
  });
  await page.click('button.primary');
  await page.waitForTimeout(1000);
  await page.evaluate(counter);
  const framesBefore = Number(await page.getAttribute('main', 'data-frames'));
  await page.waitForTimeout(1000 * seconds);
  const at = await page.evaluate(() => globalThis.shown);
  const frames = Number(await page.getAttribute('main', 'data-frames')) - framesBefore;
  // Trials a second over the whole time of playing, as the worker counts them when it rests.
  const [amount, playedMs, spikes] = await page.evaluate(async () => {
    const begun = performance.now();
    const rests = new Promise((resolve) => {
      globalThis.worker.addEventListener('message', ({ data }) => data.type === 'rests' && resolve(data.amount));
    });
    document.querySelector('button.primary').click();
    return [await rests, performance.now() - begun, globalThis.spikes];
  });
  const played = seconds + 1 + playedMs / 1000;
  const gaps = at
    .slice(1)
    .map((ms, n) => ms - at[n])
    .sort((a, b) => a - b);
  await page.close();
  return {
    trialsPerSecond: amount / played,
    displayFramesPerSecond: (1000 * gaps.length) / (at.at(-1) - at[0]),
    gapMs: { median: gaps[gaps.length >> 1], p99: gaps[Math.floor(0.99 * gaps.length)], largest: gaps.at(-1) },
    newFramesPerSecond: frames / seconds,
    spikesInView: spikes ?? 0,
  };
}

const [loadBefore] = loadavg();
const rows = { viewed: [], unviewed: [] };
for (let turn = 0; turn < turns; turn++) {
  rows.viewed.push(await measure(true));
  rows.unviewed.push(await measure(false));
}
await browser.close();
await server.close();

const mean = (all, of) => all.reduce((sum, row) => sum + of(row), 0) / all.length;
const speed = (row) => row.trialsPerSecond;
const result = {
  command: 'npm run web && node scripts/web-smooth.mjs',
  experiment: hash,
  machine: `${cpus()[0].model.trim()}, ${cpus().length} cores, Node ${process.version}, Chromium ${browser.version()}, headless`,
  loadBefore,
  displayFramesPerSecond: mean(rows.viewed, (row) => row.displayFramesPerSecond),
  newFramesPerSecond: mean(rows.viewed, (row) => row.newFramesPerSecond),
  speedOfUnviewed: mean(rows.viewed, speed) / mean(rows.unviewed, speed),
  ...rows,
};
console.log(JSON.stringify(result, null, 2));
