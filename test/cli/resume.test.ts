import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createRng } from '../../src/core/rng.ts';
import { differing, emptyFolder, main, rates, set, start, streaming, succeed, trials } from './cli.ts';

describe('run(2n) = run(n), stop, resume', () => {
  // The half of `trials` lies between two updates: the gradient of one trial waits in the checkpoint.
  for (const [name, args, half] of [
    ['online, an update per step', streaming, 1600],
    ['the same on the reference backend', [...streaming, '--backend', 'reference'], 1600],
    ['deferred, Adam, an update every two trials', trials, 3],
    ['the same on the reference backend', [...trials, '--backend', 'reference'], 3],
    ['segregated dendrites', [...streaming, ...set({ rule: { name: 'sg-r-d', delays: 3 } })], 1600],
    [
      'backpropagation through windows',
      [...streaming, ...set({ rule: { name: 'bptt', window: 9, segment: 4 }, 'training.update.every': 4 })],
      1600,
    ],
    ['rate neurons', rates, 1600],
  ] as const) {
    it(name, async () => {
      const folder = emptyFolder();
      const [, stopped] = await Promise.all([
        succeed(['train', ...args, '--no-figures', '--out', 'whole'], folder),
        succeed(['train', ...args, '--no-figures', '--out', 'halves', '--until', String(half)], folder),
      ]);
      const [whole, halves] = [join(folder, 'whole'), join(folder, 'halves')];
      expect(stopped.stdout).toContain('go on with: spiketrace resume halves');
      expect(JSON.parse(readFileSync(join(halves, 'summary.json'), 'utf8'))).toMatchObject({
        amount: half,
        complete: false,
        evaluation: null,
      });
      expect(differing(whole, halves)).not.toEqual([]);
      await succeed(['resume', 'halves', '--no-figures'], folder);
      expect(differing(whole, halves)).toEqual([]);
      const summary = (run: string) => JSON.parse(readFileSync(join(run, 'summary.json'), 'utf8')).evaluation;
      expect(summary(halves)).toEqual(summary(whole));
    });
  }

  it('of a run that is complete changes nothing', async () => {
    const folder = emptyFolder();
    await succeed(['train', ...trials, '--no-figures', '--out', 'run'], folder);
    const summary = readFileSync(join(folder, 'run/summary.json'), 'utf8');
    const checkpoint = readFileSync(join(folder, 'run/checkpoint.bin'));
    await succeed(['resume', 'run', '--no-figures'], folder);
    expect(readFileSync(join(folder, 'run/summary.json'), 'utf8')).toBe(summary);
    expect(readFileSync(join(folder, 'run/checkpoint.bin')).equals(checkpoint)).toBe(true);
  });
});

/** A run of about a second that writes a checkpoint after each of its 250 chunks. */
const manyCheckpoints = [...streaming, ...set({ 'training.total': 40_000, 'training.checkpointEvery': 1 })];

describe('20 kills at random instants', () => {
  it('each leaves a checkpoint that loads, and the run ends with the bytes of one that nobody disturbed', async () => {
    const folder = emptyFolder();
    const whole = join(folder, 'whole');
    const undisturbed = Date.now();
    await succeed(['train', ...manyCheckpoints, '--no-figures', '--out', 'whole'], folder);
    const lasts = Date.now() - undisturbed;
    const lane = async (name: string) => {
      const rng = createRng(4).split(name);
      let kills = 0;
      for (let round = 0; kills < 10; round++) {
        const out = `${name}-${round}`;
        for (let finished = false; !finished; ) {
          const begun = existsSync(join(folder, out, 'checkpoint.bin'));
          const args = begun ? ['resume', out] : ['train', ...manyCheckpoints, '--out', out];
          const { ended, kill } = start(process.execPath, [main, ...args, '--no-figures'], folder);
          const killed = kills < 10 ? wait(lasts * (0.1 + 0.9 * rng.uniform())).then(() => kill('SIGKILL')) : null;
          const { code, signal, stderr } = await ended;
          await killed;
          finished = code === 0;
          if (finished) break;
          expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
          kills++;
          if (existsSync(join(folder, out, 'checkpoint.bin'))) await succeed(['eval', out, '--symbols', '320'], folder);
        }
        expect(differing(whole, join(folder, out))).toEqual([]);
      }
    };
    await Promise.all([lane('a'), lane('b')]);
  }, 240_000);
});

describe('an interrupt', () => {
  it('stops with a checkpoint and says how to go on; the rest is that of an uninterrupted run', async () => {
    const folder = emptyFolder();
    const whole = succeed(['train', ...manyCheckpoints, '--no-figures', '--out', 'whole'], folder);
    const { ended, kill } = start(
      process.execPath,
      [main, 'train', ...manyCheckpoints, '--no-figures', '--out', 'run'],
      folder,
    );
    const metrics = join(folder, 'run/metrics.csv');
    while (!existsSync(metrics) || readFileSync(metrics, 'utf8').split('\n').length < 10) await wait(5);
    kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toContain('stopping at the next trial border and saving');
    expect(stdout).toContain('go on with: spiketrace resume run');
    expect(JSON.parse(readFileSync(join(folder, 'run/summary.json'), 'utf8')).complete).toBe(false);
    await succeed(['resume', 'run', '--no-figures'], folder);
    await whole;
    expect(differing(join(folder, 'whole'), join(folder, 'run'))).toEqual([]);
  });
});
