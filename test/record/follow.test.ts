import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { followMetrics, METRICS_CSV, openMetrics } from '../../src/record/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'spiketrace-follow-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scores = { loss: 1, lossPerStep: 2, expectedLoss: null, accuracy: null, rateHz: 20, activity: 0.1, own: {} };
const trial = (n: number) =>
  ({ type: 'trial', amount: 10 * n, trial: n, step: n, updates: n, rateScale: 1, ...scores }) as const;

it('reads what was appended, once, and waits for the end of a line', () => {
  const path = join(folder, METRICS_CSV);
  const follow = followMetrics(path);
  expect(follow()).toEqual({ rows: [], anew: false });
  const metrics = openMetrics(folder, {});
  metrics.listener(trial(1));
  metrics.listener(trial(2));
  metrics.flush();
  expect(follow()).toMatchObject({
    anew: true,
    rows: [
      { amount: 10, expectedLoss: null },
      { amount: 20, rateHz: 20 },
    ],
  });
  expect(follow()).toEqual({ rows: [], anew: false });
  appendFileSync(path, 'trial,30,3,3,3,1,,1,2,,');
  expect(follow().rows).toEqual([]);
  appendFileSync(path, ',20,0.1\nno row at all\n');
  expect(follow().rows.map(({ amount }) => amount)).toEqual([30]);
  metrics.listener(trial(4));
  metrics.close();
  expect(follow().rows.map(({ amount }) => amount)).toEqual([40]);
  // A resumption writes the table anew, up to its checkpoint.
  openMetrics(folder, { resumeAmount: 20 }).close();
  expect(follow()).toMatchObject({ anew: true, rows: [{ amount: 10 }, { amount: 20 }] });
});

it('begins again where a table is shorter than it was', () => {
  const path = join(folder, 'short.csv');
  writeFileSync(path, `type,amount\n${'x,1\n'.repeat(20)}`);
  const follow = followMetrics(path);
  expect(follow()).toEqual({ rows: [], anew: true });
  writeFileSync(path, 'type,amount\n');
  expect(follow()).toEqual({ rows: [], anew: true });
});
