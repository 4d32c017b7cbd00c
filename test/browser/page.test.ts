import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { createExperiment, preset } from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';
import { findBrowser } from '../support/browser.ts';

const bundle = fileURLToPath(new URL('../../dist/browser/', import.meta.url));

const browser = findBrowser();
const reason = !browser ? 'no Chromium on this machine' : !existsSync(bundle) ? 'dist/browser is not built' : '';

/** A page that trains and posts what came out. */
const page = `<!doctype html><meta charset="utf-8"><script type="module">
import { catalogue, createExperiment, preset, ready } from './spiketrace.js';
try {
  await ready();
  const experiment = createExperiment({ ...preset('four-six-back'), seed: 5 }, catalogue);
  experiment.train({ until: 8000 });
  const rec = Array.from(experiment.run.network.weights.rec);
  await fetch('/result', { method: 'POST', body: JSON.stringify({ backend: experiment.config.backend, rec }) });
} catch (error) {
  await fetch('/result', { method: 'POST', body: JSON.stringify({ error: String(error) }) });
}
</script>`;

interface PageResult {
  readonly error?: string;
  readonly backend: string;
  readonly rec: readonly number[];
}

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

/** Serves the page and the bundle on the loopback interface; resolves with what the page posts. */
function serve(): Promise<{ port: number; result: Promise<PageResult> }> {
  let deliver: (result: PageResult) => void;
  const result = new Promise<PageResult>((resolve) => {
    deliver = resolve;
  });
  const types: Readonly<Record<string, string>> = { js: 'text/javascript', wasm: 'application/wasm' };
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      let body = '';
      request.on('data', (part: Buffer) => {
        body += part.toString();
      });
      request.on('end', () => {
        deliver(JSON.parse(body) as PageResult);
        response.end();
      });
      return;
    }
    const name = (request.url ?? '/').slice(1);
    const path = join(bundle, name);
    if (name === '' || !existsSync(path)) {
      response.setHeader('content-type', 'text/html');
      response.end(page);
    } else {
      response.setHeader('content-type', types[name.split('.').at(-1) ?? ''] ?? 'text/plain');
      response.end(readFileSync(path));
    }
  });
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({ port: (server.address() as AddressInfo).port, result }));
  });
}

describe.skipIf(reason !== '')(`in a page${reason && ` (skipped: ${reason})`}`, () => {
  it('trains without Node and ends at the same bits as in Node', async () => {
    const { port, result } = await serve();
    const profile = mkdtempSync(join(tmpdir(), 'spiketrace-page-'));
    const flags = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--user-data-dir=${profile}`,
    ];
    const child = spawn(browser ?? '', [...flags, `http://127.0.0.1:${port}/`], {
      stdio: 'ignore',
      detached: true,
    });
    try {
      const got = await result;
      expect(got.error).toBeUndefined();
      expect(got.backend).toBe('wasm');
      const here = createExperiment({ ...preset('four-six-back'), seed: 5 }, { ...models, tasks });
      here.train({ until: 8000 });
      expect(here.config.backend).toBe('wasm');
      expect(got.rec).toEqual(Array.from(here.run.network.weights.rec));
    } finally {
      // The browser is a group of processes; all of them have to be gone before its folder can go.
      const gone = once(child, 'exit');
      if (child.pid) process.kill(-child.pid, 'SIGKILL');
      await gone;
      rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    }
  });
});
