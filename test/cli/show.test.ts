import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Shown } from '../../src/cli/commands/show.ts';
import { encodeNpy } from '../../src/record/index.ts';
import { emptyFolder, root, spiketrace, succeed } from './cli.ts';

const example = join(root, 'examples/ei-network.json');

describe('show', () => {
  it('says what a network is made of, and draws it', async () => {
    const folder = emptyFolder();
    const { stdout } = await succeed(['show', example, '--out', 'network.png'], folder);
    expect(stdout).toMatch(/^ei-network: 210 neurons, [\d,]+ synapses, .* rule e-prop-1/u);
    expect(stdout).toMatch(/^exc +120 +alif +e-prop-1$/mu);
    expect(stdout).toMatch(/^inh-exc +inh +exc +\d+ +\d+ % +1 to 10 +inhibitory +yes +none$/mu);
    expect(readFileSync(join(folder, 'network.png')).subarray(1, 4).toString()).toBe('PNG');
    expect(existsSync(join(folder, 'runs'))).toBe(false);
  });

  it('counts as the numbers of the experiment say', async () => {
    const folder = emptyFolder();
    const settings = ['--set', 'network.projections.inh-inh.plastic=false', '--set', 'network.populations.inh.size=40'];
    const { stdout } = await succeed(['show', example, '--json', ...settings], folder);
    const shown = JSON.parse(stdout) as Shown;
    expect(shown.neurons).toBe(60 + 120 + 40);
    const of = (name: string) => shown.projections.find((projection) => projection.name === name);
    expect(of('input-front')).toMatchObject({ synapses: 100 * 60, density: 1, delayMs: [0, 0], plastic: true });
    expect(of('front-inh')?.synapses).toBe(60 * 40);
    expect(of('inh-inh')).toMatchObject({ from: 'inh', to: 'inh', plastic: false, sign: 'inhibitory' });
    expect(Math.abs((of('exc-exc')?.density ?? 0) - 0.2)).toBeLessThan(0.02);
    expect(shown.synapses).toBe(shown.projections.reduce((sum, { synapses }) => sum + synapses, 0));
    expect(shown.plastic).toBe(shown.synapses - (of('inh-inh')?.synapses ?? 0));
    expect(shown.bytes.total).toBeGreaterThan(8 * shown.synapses);
  });

  it('shows the smallest graph of a preset', async () => {
    const { stdout } = await succeed(['show', 'pattern-generation', '--json'], emptyFolder());
    const shown = JSON.parse(stdout) as Shown;
    expect(shown.populations).toEqual([{ name: 'rec', neurons: 100, kind: 'lif', rule: 'e-prop-1' }]);
    expect(shown.projections.map(({ name, synapses }) => [name, synapses])).toEqual([
      ['in', 10_000],
      ['rec', 9_900],
    ]);
  });

  it('says which projections are rewired or scaled, and counts their synapses alone', async () => {
    const settings = [
      'network.recurrent.connectivity={"kind":"in-degree","n":10}',
      'network.recurrent.rewiring={"kind":"deep-r"}',
      'network.input.scaling={"kind":"presynaptic-scaling"}',
    ].flatMap((setting) => ['--set', setting]);
    const { stdout } = await succeed(['show', 'pattern-generation', ...settings], emptyFolder());
    expect(stdout).toMatch(/^in +input +rec +10,000 +100 % .* presynaptic-scaling$/mu);
    expect(stdout).toMatch(/^rec +rec +rec +1,000 +10 % .* deep-r$/mu);
  });

  it('refuses a graph by the path of what is wrong', async () => {
    const folder = emptyFolder();
    const text = readFileSync(example, 'utf8').replace('"from": "front", "to": "exc"', '"from": "fronte", "to": "exc"');
    writeFileSync(join(folder, 'odd.json'), text);
    const { code, stderr } = await spiketrace(['show', 'odd.json', '--out', 'odd.png'], folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(/network\.projections\.front-exc\.from: got "fronte", expected/u);
    expect(existsSync(join(folder, 'odd.png'))).toBe(false);
  });
});

describe('numbers from .npy files', () => {
  const experiment = (npy: Record<string, unknown>) => ({
    name: 'from-files',
    task: { kind: 'pattern-generation', steps: 50, inputs: 20 },
    network: {
      populations: {
        all: { size: 4, neuron: { kind: 'lif', membrane: { tauMs: npy.taus ?? { npy: 'taus.npy' } }, vTh: 0.1 } },
      },
      projections: {
        in: { from: 'input', to: 'all' },
        rec: {
          from: 'all',
          to: 'all',
          connectivity: { kind: 'pairs', pairs: npy.pairs ?? { npy: 'pairs.npy' } },
        },
      },
      readouts: { out: { from: 'all', readout: { kind: 'leaky', filter: { tauMs: 20 } } } },
    },
    rule: { name: 'e-prop-1' },
    optimizer: { kind: 'sgd', rates: { in: 1e-4, rec: 1e-4, out: 1e-3 } },
    loss: { kind: 'square' },
    training: { total: 3 },
    evaluation: { total: 1, streams: 1 },
  });
  const taus = [10, 20, 30, 40.5];
  const pairs = [
    [0, 1],
    [1, 2],
    [3, 0],
  ];
  const folderOf = (npy: Record<string, unknown>) => {
    const folder = emptyFolder();
    mkdirSync(join(folder, 'inside'));
    writeFileSync(join(folder, 'inside/taus.npy'), encodeNpy(Float64Array.from(taus), [4]));
    writeFileSync(join(folder, 'inside/pairs.npy'), encodeNpy(Int32Array.from(pairs.flat()), [3, 2]));
    writeFileSync(join(folder, 'inside/experiment.json'), JSON.stringify(experiment(npy)));
    return folder;
  };

  it('are those of lists, relative to the experiment, and a run folder holds them itself', async () => {
    const [files, lists] = [folderOf({}), folderOf({ taus, pairs })];
    for (const folder of [files, lists]) {
      await succeed(['train', 'inside/experiment.json', '--no-figures', '--out', 'run'], folder);
    }
    for (const name of ['config.json', 'checkpoint.bin']) {
      expect(readFileSync(join(files, 'run', name)).equals(readFileSync(join(lists, 'run', name))), name).toBe(true);
    }
    const { stdout } = await succeed(['show', 'inside/experiment.json', '--json'], files);
    expect((JSON.parse(stdout) as Shown).projections[1]).toMatchObject({ name: 'rec', synapses: 3 });
  });

  it('are refused by the path of the file, or of what its numbers are for', async () => {
    const folder = folderOf({ taus: { npy: 'nowhere.npy' } });
    const missing = await spiketrace(['show', 'inside/experiment.json'], folder);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(/inside\/nowhere\.npy: does not exist/u);
    const swapped = await spiketrace(['show', 'inside/experiment.json'], folderOf({ taus: { npy: 'pairs.npy' } }));
    expect(swapped.code).toBe(2);
    expect(swapped.stderr).toMatch(/network\.populations\.all\.neuron\.membrane\.tauMs/u);
  });

  it('are known to the schema for editors', async () => {
    const { stdout } = await succeed(['schema', '--json'], emptyFolder());
    expect(stdout).toContain('a .npy file, relative to this one');
  });
});
