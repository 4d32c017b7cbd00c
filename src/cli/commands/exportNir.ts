import { existsSync, renameSync, rmSync } from 'node:fs';
import { ConfigError, FileError } from '../../core/errors.ts';
import { exportNetwork, type Target, targets, writeHdf5, writtenOwn } from '../../nir/index.ts';
import { type Global, print, tell } from '../output.ts';
import { loadRun } from '../runFolder.ts';
import { weightFiles } from '../weights.ts';

export interface ExportFlags extends Global {
  readonly nir: string;
  readonly for: string;
  readonly lossy?: boolean;
  readonly readouts?: boolean;
}

/** Version of the reference library whose format is written. */
const nirVersion = '1.0.8';

/** `spiketrace export`: the network of a run as a NIR file, with our exact parameters in its metadata. */
export async function exportNir(folder: string, flags: ExportFlags): Promise<void> {
  if (existsSync(flags.nir)) throw new FileError(flags.nir, 'exists already; another --nir');
  const target = targetOf(flags.for);
  const { config, run } = loadRun(folder);
  const files = weightFiles(run.network).map(({ name, shape, values }) => {
    return [name, { shape, values: Float64Array.from(values) }] as const;
  });
  const metadata = writtenOwn({ config, weights: new Map(files) });
  const options = { lossy: flags.lossy ?? false, readouts: flags.readouts ?? false, metadata };
  const { graph, lost, notes } = exportNetwork(run.network, target, options);
  await writeAside(flags.nir, (path) => writeHdf5(path, { version: nirVersion, node: graph }));
  if (flags.json) {
    print(JSON.stringify({ file: flags.nir, frameworks: target.frameworks, dt: target.dt, lost, notes }));
    return;
  }
  for (const note of notes) tell(note);
  for (const what of lost) tell(`lost: ${what}`);
  print(`${flags.nir}: for ${target.frameworks.join(', ')}, one step is ${target.dt} s there`);
}

function targetOf(text: string): Target {
  const wanted = text.split(',');
  const target = targets.find(({ frameworks }) => wanted.every((name) => frameworks.includes(name)));
  if (target) return target;
  const known = targets.map(({ frameworks }) => frameworks.join(',')).join(' or ');
  throw new ConfigError('--for', text, `frameworks that read one file to the same spikes: ${known}`);
}

/** A file that is there only once it is complete. */
async function writeAside(path: string, write: (path: string) => Promise<void>): Promise<void> {
  const aside = `${path}.tmp`;
  try {
    await write(aside);
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}
