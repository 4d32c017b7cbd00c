import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { allOf, fileSource, hdf5File, loadHdf5, nwbTrials, nwbUnits, openRecording } from '../../src/data/index.ts';
import { openNpz } from '../../src/data/npz.ts';
import { decodeNpy } from '../../src/record/index.ts';
import { emptyFolder, spiketrace, succeed } from './cli.ts';

let folder: string;
/** 30 neurons: two populations of ten that spike, and one between them in the file that does not. */
beforeAll(async () => {
  folder = emptyFolder();
  await loadHdf5();
  const small = ['--set', 'training.total=8', '--set', 'training.streams=2', '--set', 'evaluation.total=2'];
  const sizes = ['--set', 'network.populations.lif.size=10', '--set', 'network.populations.alif.size=12'];
  await succeed(
    ['train', 'evidence', ...small, ...sizes, '--set', 'evaluation.streams=2', '--no-figures', '--out', 'run'],
    folder,
  );
});

const at = (name: string) => join(folder, name);
const arrays = (name: string) => openNpz(fileSource(at(name)));
const npy = (path: string) => decodeNpy(readFileSync(path), path);

/** trial, population, unit, ms of every spike, as rows recorded from the same trials have them. */
async function expected(): Promise<[number, number, number, number][]> {
  if (!existsSync(at('rows'))) {
    const fields = 'population.lif.z,population.alif.z';
    await succeed(['record', 'run', '--fields', fields, '--trials', '1:3', '--out', 'rows'], folder);
  }
  const found: [number, number, number, number][] = [];
  ['lif', 'alif'].forEach((name, p) => {
    const { shape, data } = npy(at(`rows/population.${name}.z.npy`));
    const steps = shape[0] / 2;
    for (let n = 0; n < data.length; n++) {
      const [row, unit] = [Math.floor(n / shape[1]), n % shape[1]];
      if (data[n] !== 0) found.push([1 + Math.floor(row / steps), p, unit, row % steps]);
    }
  });
  return found.sort((a, b) => a[0] - b[0] || a[3] - b[3] || a[1] - b[1] || a[2] - b[2]);
}

describe('export --spikes', () => {
  it('is one line a spike as CSV, one entry a spike as arrays', async () => {
    await succeed(['export', 'run', '--spikes', 's.csv', '--trials', '1:3'], folder);
    await succeed(['export', 'run', '--spikes', 's.npz', '--trials', '1:3'], folder);
    const spikes = await expected();
    expect(spikes.length).toBeGreaterThan(50);
    const [head, ...lines] = readFileSync(at('s.csv'), 'utf8').trim().split('\n');
    expect(head).toBe('trial,population,unit,time_ms');
    expect(lines).toEqual(spikes.map(([trial, p, unit, ms]) => `${trial},${['lif', 'alif'][p]},${unit},${ms}`));
    const file = arrays('s.npz');
    const column = (name: string) => Array.from(allOf(file.open(name)));
    expect(column('trial')).toEqual(spikes.map(([trial]) => trial));
    expect(column('population')).toEqual(spikes.map(([, p]) => p));
    expect(column('unit_in_population')).toEqual(spikes.map(([, , unit]) => unit));
    expect(column('units')).toEqual(spikes.map(([, p, unit]) => 10 * p + unit));
    expect(column('time_ms')).toEqual(spikes.map(([, , , ms]) => ms));
  });

  it('is units and trials as NWB, which is read back as a recording', async () => {
    await succeed(['export', 'run', '--spikes', 's.nwb', '--trials', '1:3'], folder);
    const spikes = await expected();
    const file = hdf5File(at('s.nwb'));
    const { times } = nwbUnits(file);
    expect(times.length).toBe(22);
    const seconds = (trial: number, ms: number) => ((trial - 1) * 2250 + ms) / 1000;
    times.forEach((own, row) => {
      const mine = spikes.filter(([, p, unit]) => 10 * p + unit === row);
      expect(Array.from(own)).toEqual(mine.map(([trial, , , ms]) => seconds(trial, ms)));
    });
    const trials = nwbTrials(file);
    expect(Array.from(trials?.start ?? [])).toEqual([0, 2.25]);
    const { content } = openRecording(at('s.nwb'));
    if (content.kind !== 'events') throw new Error(content.kind);
    expect(content.events(1).times.length).toBe(spikes.filter(([trial]) => trial === 2).length);
  });
});

describe('export of arrays', () => {
  it('is the numbers of the weight files', async () => {
    await succeed(['export', 'run', '--weights', 'w.npz'], folder);
    await succeed(['export', 'run', '--weights', 'w.h5'], folder);
    const [npz, h5] = [arrays('w.npz'), hdf5File(at('w.h5'))];
    const files = readdirSync(at('run/weights')).map((name) => name.replace(/\.npy$/, ''));
    expect([...npz.names].sort()).toEqual([...files].sort());
    for (const name of files) {
      const { shape, data } = npy(at(`run/weights/${name}.npy`));
      for (const array of [npz.open(name), h5.array(name)]) {
        expect(array.shape).toEqual(shape);
        expect(allOf(array)).toEqual(Float64Array.from(data));
      }
    }
  });

  it('is states by trial and step, as recorded', async () => {
    await succeed(['record', 'run', '--fields', 'population.lif.v', '--trials', '0:2', '--out', 'v'], folder);
    const fields = ['--fields', 'population.lif.v', '--trials', '0:2'];
    for (const name of ['v.npz', 'v.h5']) await succeed(['export', 'run', '--states', name, ...fields], folder);
    const { data } = npy(at('v/population.lif.v.npy'));
    for (const array of [arrays('v.npz').open('population.lif.v'), hdf5File(at('v.h5')).array('population.lif.v')]) {
      expect(array.shape).toEqual([2, 2250, 10]);
      expect(allOf(array)).toEqual(data);
    }
  });
});

describe('export', () => {
  it.each([
    ['nothing to write', [], /expected a file: --nir, --spikes, --weights, --states/],
    [
      'an ending that says nothing',
      ['--spikes', 'q.txt'],
      /--spikes: got "q\.txt", expected a file that ends in \.csv/,
    ],
    ['states without names', ['--states', 'q.npz'], /--fields: got undefined, expected what --states holds/],
    [
      'more than is wanted',
      ['--states', 'q.h5', '--fields', 'population.lif.signal', '--max-mb', '0.01'],
      /--max-mb: got 0\.01/,
    ],
    ['an odd range', ['--spikes', 'q.csv', '--trials', '2:2'], /--trials: got "2:2"/],
    ['NIR without a reader', ['--nir', 'q.nir'], /--for: got undefined, expected frameworks/],
  ])('refuses %s before anything is written', async (_, args, message) => {
    const { code, stderr } = await spiketrace(['export', 'run', ...args], folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(readdirSync(folder).filter((name) => name.startsWith('q.'))).toEqual([]);
  });
});
