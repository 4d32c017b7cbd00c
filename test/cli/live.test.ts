import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LiveRun, LiveUpdate } from '../../src/cli/live/protocol.ts';
import { type Dashboard, openDashboard } from '../../src/cli/live/server.ts';
import { emptyFolder, succeed, trials } from './cli.ts';

describe('the dashboard', () => {
  const folder = emptyFolder();
  let dashboard: Dashboard;
  beforeAll(async () => {
    await succeed(['train', ...trials, '--out', join(folder, 'mine'), '--no-figures']);
    dashboard = await openDashboard(folder, { everyMs: 20 });
  });
  afterAll(() => dashboard?.close());

  /** Status and text of an answer. */
  const asked = async (path: string, headers: Record<string, string> = {}): Promise<[number, string]> =>
    new Promise((resolve, reject) => {
      get(new URL(path, dashboard.url), { headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => resolve([answer.statusCode ?? 0, text]));
      }).on('error', reject);
    });

  /** Everything that one connection is told, put together, until `enough`. */
  async function told(enough: (runs: ReadonlyMap<string, LiveRun>) => boolean) {
    const runs = new Map<string, LiveRun>();
    let updates = 0;
    await new Promise<void>((resolve, reject) => {
      const request = get(new URL('events', dashboard.url), (answer) => {
        let rest = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          const events = (rest + part).split('\n\n');
          rest = events.pop() ?? '';
          for (const event of events.filter((text) => text.startsWith('data: '))) {
            updates++;
            const { runs: some, gone } = JSON.parse(event.slice(6)) as LiveUpdate;
            for (const { curve, ...run } of some) {
              const before = runs.get(run.id)?.curve;
              expect(curve.from === 0 || before?.amount.length === curve.from).toBe(true);
              const amount = [...(before?.amount.slice(0, curve.from) ?? []), ...curve.amount];
              const score = [...(before?.score.slice(0, curve.from) ?? []), ...curve.score];
              runs.set(run.id, { ...run, curve: { from: 0, amount, score } });
            }
            for (const id of gone) runs.delete(id);
          }
          if (!enough(runs)) return;
          request.destroy();
          resolve();
        });
      }).on('error', reject);
    });
    return { runs, updates };
  }

  it('tells of a finished run all that its files say', async () => {
    const { runs } = await told((all) => all.size > 0);
    const run = runs.get('mine');
    expect(run).toMatchObject({ name: 'pattern-generation', rule: 'e-prop-1', state: 'finished', total: 8, amount: 8 });
    expect(run?.curve.amount).toHaveLength(8);
    const rows = readFileSync(join(folder, 'mine/metrics.csv'), 'utf8').trim().split('\n');
    const [head, first] = rows.map((line) => line.split(','));
    expect(run?.curve.score[0]).toBe(Number(first[head.indexOf('lossPerStep')]));
  });

  it('tells every connection everything, what comes to be, and what goes', async () => {
    const copy = join(folder, 'other');
    const following = told((all) => all.get('other')?.amount === 16_000);
    mkdirSync(copy);
    for (const name of ['config.json', 'metrics.csv']) copyFileSync(join(folder, 'mine', name), join(copy, name));
    const [head, first] = readFileSync(join(copy, 'metrics.csv'), 'utf8').split('\n');
    const line = (amount: number) => first.split(',').with(1, String(amount)).join(',');
    // More rows than points are kept, in parts.
    for (let part = 1; part <= 16; part++) {
      const lines = Array.from({ length: 1000 * part }, (_, n) => line(n + 1));
      writeFileSync(join(copy, 'metrics.csv'), `${[head, ...lines].join('\n')}\n`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    const { runs, updates } = await following;
    const late = await told((all) => all.get('other')?.amount === 16_000);
    expect(late.updates).toBe(1);
    expect(updates).toBeGreaterThan(1);
    expect(runs.get('other')?.curve).toEqual(late.runs.get('other')?.curve);
    const gone = told((all) => all.size === 1);
    rmSync(copy, { recursive: true });
    await gone;
  });

  it('looks into a checkpoint', async () => {
    const [code, text] = await asked('look?run=mine');
    const look = JSON.parse(text);
    expect({ code, unit: look.unit, amount: look.amount, steps: look.steps }).toEqual({
      code: 200,
      unit: 'trials',
      amount: 8,
      steps: 60,
    });
    expect(look.rasters.map(({ label }: { label: string }) => label)).toEqual(['input', 'recurrent neurons']);
    expect(look.outputs.map(({ dashed }: { dashed: boolean }) => dashed)).toEqual([false, true]);
  });

  it.each([
    ['config.json', '[1'],
    ['config.json', 'null'],
    ['config.json', '{"training":{"total":"many"},"rule":7,"seed":"1","name":{"a":1}}'],
    ['metrics.csv', '\0\n\n,,,\ntrial,1'],
    ['metrics.csv', 'type,amount\n__proto__,1\n'],
    ['run.lock', '{"pid":"none"'],
    ['run.lock', '[]'],
    ['checkpoint.bin', 'no checkpoint'],
  ])('lives with a folder whose %s is %j', async (name, text) => {
    const odd = join(folder, 'odd');
    mkdirSync(odd, { recursive: true });
    writeFileSync(join(odd, 'config.json'), '{}');
    writeFileSync(join(odd, name), text);
    await told((all) => all.has('odd'));
    const [code, why] = await asked('look?run=odd');
    expect({ code, why }).toMatchObject({ code: 422, why: expect.stringContaining('checkpoint.bin') });
    rmSync(odd, { recursive: true });
    await told((all) => !all.has('odd'));
  });

  it('serves its page, under rules, and nothing else', async () => {
    const [code, page] = await asked('');
    expect(code).toBe(200);
    expect(page).toContain('<title>spiketrace runs</title>');
    for (const path of ['look?run=../mine', 'look?run=%2Fetc', 'look']) expect((await asked(path))[0]).toBe(404);
    for (const path of ['package.json', '..%2f..%2fpackage.json', 'constructor', '__proto__']) {
      expect((await asked(path))[0]).toBe(404);
    }
    expect((await asked('/'))[0]).toBe(403);
    expect((await asked('events', { host: 'evil.example' }))[0]).toBe(403);
    expect((await asked('events', { origin: 'http://evil.example' }))[0]).toBe(403);
  });

  it('survives messages of no meaning', async () => {
    const { port, pathname } = new URL(dashboard.url);
    await Promise.all(
      Array.from({ length: 60 }, (_, n) => sendNonsense(Number(port), n % 2 === 0 ? pathname : '/', n)),
    );
    expect((await asked(''))[0]).toBe(200);
  });
});

/** Bytes that are no request, or a strange one. */
function sendNonsense(port: number, path: string, n: number): Promise<void> {
  const kinds = [
    Buffer.from(Array.from({ length: 200 }, (_, k) => (n * 31 + k * k * 7) % 256)),
    Buffer.from(`GET ${path}look?run=%E0%A4%A HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`),
    Buffer.from(`GET ${path}events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`),
    Buffer.from(`GET ${path} HTTP/9.9\r\n\r\n`),
    Buffer.from('\r\n\r\n\0\0\0'),
    Buffer.from(`POST ${path}look HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: -1\r\n\r\n{`),
  ];
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(kinds[n % kinds.length]));
    socket.on('error', () => {}).on('close', () => resolve());
    socket.resume();
    setTimeout(() => socket.destroy(), 500);
  });
}

it('train --live gives the same bits, and says where to look', async () => {
  const folder = emptyFolder();
  const checkpoint = async (name: string, ...flags: string[]) => {
    const { stderr } = await succeed(['train', ...trials, '--out', name, '--no-figures', ...flags], folder);
    return { stderr, bytes: readFileSync(join(folder, name, 'checkpoint.bin')) };
  };
  const [plain, live] = [await checkpoint('plain'), await checkpoint('live', '--live')];
  expect(Buffer.compare(plain.bytes, live.bytes)).toBe(0);
  expect(live.stderr).toMatch(/^live: http:\/\/127\.0\.0\.1:\d+\/[\w-]{43}\/\n/);
  expect(live.stderr).toContain('spiketrace watch live');
});
