import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeNpy } from '../../src/record/index.ts';
import { emptyFolder, jsonLines, set, snapshot, spiketrace, streaming, succeed } from './cli.ts';

const npy = (path: string) => decodeNpy(readFileSync(path), path);

describe('record, after the fact', () => {
  let folder = '';
  const few = set({ 'training.total': 32, 'network.neurons': 20, 'evaluation.total': 16 });
  beforeAll(async () => {
    folder = emptyFolder();
    await succeed(['train', ...streaming, '--no-figures', '--out', 'stream'], folder);
    await succeed(['train', 'pattern-generation', ...few, '--no-figures', '--out', 'trials'], folder);
  });

  it('writes rows of the trials that are asked for, and leaves the run as it was', async () => {
    const before = snapshot(join(folder, 'stream'));
    const args = ['record', 'stream', '--fields', 'z,v,signal', '--trials', '1:3', '--neurons', '0-5', '--csv'];
    const { stdout } = await succeed([...args, '--out', 'rows', '--json'], folder);
    const [{ steps }] = jsonLines<{ steps: number }>(stdout);
    expect(readdirSync(join(folder, 'rows')).sort()).toEqual(
      ['index.csv', 'signal.csv', 'signal.npy', 'v.csv', 'v.npy', 'z.csv', 'z.npy'].sort(),
    );
    const { shape, data } = npy(join(folder, 'rows/z.npy'));
    expect(shape).toEqual([steps, 6]);
    expect(new Set(Array.from(data as Float64Array))).toEqual(new Set([0, 1]));
    const trials = readFileSync(join(folder, 'rows/index.csv'), 'utf8').trim().split('\n').slice(1);
    expect(new Set(trials.map((line) => line.split(',')[0]))).toEqual(new Set(['1', '2']));
    expect(snapshot(join(folder, 'stream'))).toEqual(before);
  });

  it('is the same again, and another on the data of the training', async () => {
    const rows = async (out: string, ...args: string[]) => {
      await succeed(['record', 'stream', '--fields', 'x,z', '--out', out, ...args], folder);
      return Array.from(npy(join(folder, out, 'z.npy')).data as Float64Array);
    };
    const first = await rows('a');
    expect(await rows('b')).toEqual(first);
    expect(await rows('c', '--split', 'train')).not.toEqual(first);
  });

  it('goes into the run folder where nothing else is said, and not over another recording', async () => {
    await succeed(['record', 'trials', '--fields', 'y', '--every', '10'], folder);
    expect(npy(join(folder, 'trials/recordings/test/y.npy')).shape).toEqual([100, 1]);
    const { code, stderr } = await spiketrace(['record', 'trials', '--fields', 'y'], folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--out: got ".*recordings\/test", expected a folder without a recording/);
  });

  it('keeps spikes as bytes', async () => {
    await succeed(['record', 'trials', '--fields', 'z,v', '--out', 'bytes'], folder);
    const z = readFileSync(join(folder, 'bytes/z.npy'));
    expect(z.subarray(0, 128).toString('latin1')).toContain("'descr': '|u1'");
    expect(z.length).toBe(128 + 1000 * 20);
    expect(readFileSync(join(folder, 'bytes/v.npy')).length).toBe(128 + 8 * 1000 * 20);
  });

  it('says when each row was, in ms', async () => {
    await succeed(['record', 'stream', '--fields', 'z', '--every', '2', '--out', 'when'], folder);
    const [head, ...lines] = readFileSync(join(folder, 'when/index.csv'), 'utf8').trim().split('\n');
    expect(head).toBe('trial,t,stream,time_ms');
    expect(lines.slice(0, 2)).toEqual(['0,0,0,0', '0,2,0,10']);
  });

  it.each([
    ['nothing to record', ['record', 'trials'], /required option '--fields <names>' not specified/],
    ['an odd range', ['record', 'trials', '--fields', 'z', '--trials', '3:1'], /--trials: got "3:1", expected FROM:TO/],
    [
      'an unknown split',
      ['record', 'trials', '--fields', 'z', '--split', 'x'],
      /--split: got "x", expected train or test/,
    ],
    ['an unknown field', ['record', 'trials', '--fields', 'q', '--out', 'q'], /recording\.fields: got "q"/],
    [
      'an odd neuron',
      ['record', 'trials', '--fields', 'z', '--neurons', '99', '--out', 'q'],
      /neuron indices in \[0, 20\)/,
    ],
    [
      'more than is wanted',
      ['record', 'trials', '--fields', 'z', '--max-mb', '0.01', '--out', 'q'],
      /--max-mb: got 0\.01/,
    ],
  ] as const)('refuses %s before anything is written', async (_, args, message) => {
    const { code, stdout, stderr } = await spiketrace(args, folder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(existsSync(join(folder, 'q'))).toBe(false);
  });
});
