import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Written, writeHdf5 } from '../../src/data/index.ts';
import { treeOfJson } from '../../src/nir/index.ts';
import type { Hdf5Dataset, Hdf5Group } from '../../src/nir/tree.ts';
import { experimentOf } from '../nir/nets.ts';
import { emptyFolder, root, spiketrace, succeed } from './cli.ts';

const few = [
  '--set',
  'training.total=2',
  '--set',
  'task.steps=40',
  '--set',
  'evaluation.total=1',
  '--set',
  'evaluation.streams=1',
];
const real = join(root, 'test/data/nir/spyx-rlif.nir');

/** A NIR file of the tree of a golden file. */
async function fileOf(golden: string, folder: string): Promise<string> {
  const { hdf5 } = JSON.parse(readFileSync(join(root, `test/golden/nir-run-${golden}.json`), 'utf8')) as {
    hdf5: unknown;
  };
  const written = (part: Hdf5Group | Hdf5Dataset): Written[string] => {
    if (part.kind === 'group')
      return Object.fromEntries([...part.members].map(([name, member]) => [name, written(member)]));
    const { shape, value } = part;
    if (value instanceof Float64Array) return { type: 'float64', shape, values: value };
    return shape.length === 0 ? value[0] : Array.from({ length: shape[0] }, (_, e) => [value[2 * e], value[2 * e + 1]]);
  };
  const path = join(folder, `${golden}.nir`);
  await writeHdf5(path, written(treeOfJson(hdf5, golden)) as Written);
  return path;
}

it('an imported network trains, is audited, deployed, and goes into fixed point', async () => {
  const folder = emptyFolder();
  const { stdout, stderr } = await succeed(
    ['import', real, '--convention', 'spyx', ...few, '--out', 'net.json'],
    folder,
  );
  expect(stdout).toMatch(/train it with: spiketrace train net\.json --weights net-weights\n$/);
  expect(stderr).toMatch(/the task is a placeholder with 5 inputs and 3 outputs/);
  expect(stderr).toMatch(/has what "output" gives 1 steps earlier than the file/);
  await succeed(['train', 'net.json', '--weights', 'net-weights', '--out', 'run', '--no-figures'], folder);
  const audited = await succeed(
    ['audit', 'net.json', '--windows', '2', '--chunks', '1', '--out', 'audit', '--json'],
    folder,
  );
  expect(audited.stdout).toMatch(/e-prop-1/);
  expect((await succeed(['deploy', 'net.json', '--chip', 'spinnaker2'], folder)).stdout).toMatch(/spinnaker2/);
  const fixed = ['--set', 'backend="fixed"', '--set', 'fixed={"formats":{"*.weights":{"bits":8,"range":4}}}'];
  await succeed(['train', 'net.json', '--weights', 'net-weights', ...fixed, '--out', 'fixed', '--no-figures'], folder);
});

it('a convention may be a file, with a step of its own; one that is not known is refused', async () => {
  const folder = emptyFolder();
  const convention = { dt: 0.001, decay: 'euler', gain: 'dt/tau', reset: 'zero', resetWhen: 'same-step' };
  writeFileSync(join(folder, 'own.json'), JSON.stringify(convention));
  const norse = join(root, 'examples/norse-lifbox.nir');
  const args = ['import', norse, '--convention', 'own.json', '--allow', 'readout-bias', '--dt', '0.0005', ...few];
  await succeed([...args, '--out', 'net.json'], folder);
  const { network } = JSON.parse(readFileSync(join(folder, 'net.json'), 'utf8'));
  expect(network.dtMs).toBe(0.5);
  expect(network.readouts.output.readout.filter.decay).toBeCloseTo(0.95, 6);
  writeFileSync(join(folder, 'own.json'), JSON.stringify({ ...convention, gian: '1' }));
  const wrong = await spiketrace([...args, '--out', 'other.json'], folder);
  expect({ code: wrong.code, stderr: wrong.stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/own\.json\.gian/),
  });
  for (const [given, message] of [
    [['--convention', 'brian'], /--convention: got "brian", expected one of snntorch, norse/],
    [[], /--convention: got undefined, expected how the file is to be read/],
    [['--convention', 'norse', '--allow', 'all'], /--allow: got "all", expected one of multi-spike/],
  ] as const) {
    const { code, stderr } = await spiketrace(['import', norse, ...given, '--out', 'other.json'], folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  }
});

it('what our networks cannot say is refused by the names of nodes, or said otherwise on request', async () => {
  const folder = emptyFolder();
  const path = await fileOf('rockpool-cuba', folder);
  const args = ['import', path, '--convention', 'rockpool', ...few, '--out', 'net.json'];
  const { code, stderr } = await spiketrace(args, folder);
  expect(code).toBe(2);
  expect(stderr).toMatch(/"1_LIFTorch" may have several spikes in a step; --allow multi-spike/);
  const allowed = await succeed([...args, '--allow', 'multi-spike'], folder);
  expect(allowed.stderr).toMatch(/"3_LIFTorch" may have several spikes in a step: one spike a step .*, as asked for/);
});

it('a run goes out and comes back to the bit', async () => {
  const folder = emptyFolder();
  writeFileSync(join(folder, 'e.json'), JSON.stringify(experimentOf(5)));
  await succeed(['train', 'e.json', '--out', 'run', '--no-figures'], folder);
  const out = await succeed(['export', 'run', '--nir', 'net.nir', '--for', 'norse,snntorch'], folder);
  expect(out.stdout).toMatch(/net\.nir: for snntorch, norse, one step is 0\.0001 s there/);
  expect(out.stderr).toMatch(/readouts \(out\) stand in the metadata alone/);
  const back = await succeed(['import', 'net.nir', '--out', 'back.json'], folder);
  expect(back.stderr).toMatch(/restored to the bit/);
  const text = (path: string) => readFileSync(join(folder, path));
  expect(JSON.parse(String(text('back.json')))).toEqual(JSON.parse(String(text('run/config.json'))));
  for (const name of readdirSync(join(folder, 'run/weights'))) {
    expect(text(`back-weights/${name}`).equals(text(`run/weights/${name}`)), name).toBe(true);
  }
  const again = await spiketrace(['export', 'run', '--nir', 'net.nir', '--for', 'norse'], folder);
  expect({ code: again.code, stderr: again.stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/exists already/),
  });
  const mixed = await spiketrace(['export', 'run', '--nir', 'x.nir', '--for', 'norse,spyx'], folder);
  expect(mixed.stderr).toMatch(/--for: got "norse,spyx", expected frameworks that read one file to the same spikes/);
  const spyx = await spiketrace(['export', 'run', '--nir', 'x.nir', '--for', 'spyx'], folder);
  expect(spyx.stderr).toMatch(/its reset "zero" becomes "subtract" \(--lossy writes it all the same\)/);
});
