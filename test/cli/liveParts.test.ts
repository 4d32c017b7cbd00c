import { describe, expect, it } from 'vitest';
import { mostPoints, ThinCurve } from '../../src/cli/live/curve.ts';
import { admitted, newToken, sameSecret } from '../../src/cli/live/doors.ts';
import type { LiveRun, LiveUpdate } from '../../src/cli/live/protocol.ts';
import { tellClient } from '../../src/cli/live/server.ts';

describe('a curve of bounded size', () => {
  it('keeps its mean and its end, whatever its length', () => {
    const curve = new ThinCurve();
    for (let n = 1; n <= 10 * mostPoints; n++) curve.add(n, n % 2);
    const { amount, score } = curve.from(0);
    expect(amount.length).toBeLessThan(mostPoints);
    expect(amount.length).toBeGreaterThan(mostPoints / 4);
    expect(new Set(score)).toEqual(new Set([0.5]));
    // Every point stands for as many trials, and lies at the last of them.
    expect(amount).toEqual(amount.map((_, n) => (n + 1) * amount[0]));
    expect(amount.at(-1)).toBeGreaterThan(9.9 * mostPoints);
    const { version } = curve;
    curve.add(1e6, Number.NaN);
    expect(curve.version).toBe(version);
  });
});

describe('who is let in', () => {
  const token = newToken();
  const asked = (headers: Record<string, string> = {}, url = `/${token}/events`, method = 'GET') =>
    admitted({ url, method, headers: { host: '127.0.0.1:80', ...headers } }, 80, token)?.pathname ?? null;

  it('is who has the token, on this host, from its own page', () => {
    expect(token.length).toBeGreaterThan(40);
    expect(newToken()).not.toBe(token);
    expect(asked()).toBe('/events');
    expect(asked({ origin: 'http://127.0.0.1:80', 'sec-fetch-site': 'same-origin' })).toBe('/events');
    expect(asked({ 'sec-fetch-site': 'none' })).toBe('/events');
  });

  it.each([
    ['another host (DNS rebinding)', { host: 'evil.example:80' }],
    ['another name of this host', { host: 'localhost:80' }],
    ['another port', { host: '127.0.0.1:81' }],
    ['another origin', { origin: 'http://evil.example' }],
    ['no origin', { origin: 'null' }],
    ['another site', { 'sec-fetch-site': 'cross-site' }],
  ])('is not %s', (_, headers) => {
    expect(asked(headers)).toBeNull();
  });

  it('is nobody with another token, path or method', () => {
    for (const url of [
      '/',
      '/events',
      `/${token}`,
      `/${token}x/events`,
      `/${token.slice(1)}/events`,
      '',
      `//${token}/`,
    ]) {
      expect(asked({}, url), url).toBeNull();
    }
    expect(asked({}, undefined, 'POST')).toBeNull();
    expect(sameSecret('a', 'a')).toBe(true);
    expect(sameSecret('a', 'ab')).toBe(false);
  });
});

it('a page that is slow gets no update, and later all at once', () => {
  const sent: LiveUpdate[] = [];
  const response = { writableLength: 0, write: (text: string) => sent.push(JSON.parse(text.slice(6))) > 0 };
  const client = { response, told: new Map(), heardMs: 0 };
  const curve = new ThinCurve();
  const run = { folder: '', curve, changes: 0, state: { id: 'a' } as LiveRun };
  const runs = new Map([['a', run]]);
  const turn = (amount: number) => {
    curve.add(amount, 1);
    run.changes++;
    tellClient(client, { runs });
  };
  turn(1);
  response.writableLength = 10;
  for (let n = 2; n < 50; n++) turn(n);
  expect(sent).toHaveLength(1);
  response.writableLength = 0;
  turn(50);
  expect(sent.map(({ runs: [told] }) => [told.curve.from, told.curve.amount.length])).toEqual([
    [0, 1],
    [1, 49],
  ]);
  tellClient(client, { runs });
  expect(sent).toHaveLength(2);
  runs.clear();
  tellClient(client, { runs });
  tellClient(client, { runs });
  expect(sent.slice(2)).toEqual([{ runs: [], gone: ['a'] }]);
});
