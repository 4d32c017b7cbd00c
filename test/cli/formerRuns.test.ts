import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readMetrics } from '../../src/record/index.ts';
import { emptyFolder, succeed } from './cli.ts';

/**
 * Folders of the version before the graph, whose state had the names of one population: each was stopped at half of its training;
 * `after` is what that version ended with. They were made of `four-six-back` with 8 neurons, 640 symbols, two streams.
 */
const data = join(import.meta.dirname, '..', 'data', 'former-runs');
const weights = { wIn: 'in', wRec: 'rec', 'wRec.post': 'rec.post', wOut: 'out', bOut: 'out.bias' };

describe.each([
  ['adam', 0.6213701223761082],
  ['dendrite', 0.6595020708092775],
  ['adaptive', 0.6540398956005731],
])('a run of the former version: %s', (label, lossPerStep) => {
  const folder = join(data, label);

  it('goes on, and ends with the bytes that the former version ended with', async () => {
    const run = join(emptyFolder(), 'run');
    cpSync(folder, run, { recursive: true, filter: (path) => path !== join(folder, 'after') });
    await succeed(['resume', run, '--no-figures', '--threads', '1'], run);
    for (const [before, now] of Object.entries(weights)) {
      const path = join(folder, 'after', `${before}.npy`);
      if (!existsSync(path)) continue;
      expect(readFileSync(join(run, 'weights', `${now}.npy`)).equals(readFileSync(path)), now).toBe(true);
    }
    expect(readMetrics(join(run, 'metrics.csv'))).toEqual(readMetrics(join(folder, 'after', 'metrics.csv')));
    const { network } = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')) as {
      network: Record<string, unknown>;
    };
    expect(network).toHaveProperty('neurons', 8);
  });

  it('is evaluated as it was', async () => {
    const { stdout } = await succeed(['eval', folder, '--symbols', '200', '--json'], emptyFolder());
    expect(JSON.parse(stdout)).toMatchObject({ lossPerStep, amount: 200 });
  });
});
