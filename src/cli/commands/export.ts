import { existsSync, renameSync, rmSync } from 'node:fs';
import { extname } from 'node:path';
import { ConfigError, FileError } from '../../core/errors.ts';
import { type ArrayToWrite, encodeNpz, type Written, writeHdf5 } from '../../data/index.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { writeAtomic } from '../../record/index.ts';
import { loadParts } from '../execute.ts';
import { asTree, statesOf, weightsOf } from '../export/arrays.ts';
import { type NirFlags, nirOf } from '../export/nir.ts';
import { spikesAsArrays, spikesAsCsv, spikesAsNwb, spikesOf } from '../export/spikes.ts';
import { type Global, print, tell } from '../output.ts';
import { loadRun } from '../runFolder.ts';
import { splitOf, type WatchFlags, watch } from '../watched.ts';

export interface ExportFlags extends Global, NirFlags, WatchFlags {
  readonly nir?: string;
  readonly spikes?: string;
  readonly weights?: string;
  readonly states?: string;
  readonly fields?: string;
  readonly maxMb: number;
}

/** A file to write: its bytes, or its tree where it is HDF5, and what is said of it once it is there. */
interface Output {
  readonly path: string;
  readonly content: Uint8Array | Written;
  readonly said: string;
  readonly report: Readonly<Record<string, unknown>>;
}

const kinds = ['nir', 'spikes', 'weights', 'states'] as const;

/** Endings of each kind of file. */
const endings = { spikes: ['.csv', '.npz', '.nwb'], weights: ['.npz', '.h5'], states: ['.npz', '.h5'] } as const;

/** `spiketrace export`: what a run has learned, or does, as files of other tools. */
export async function exportRun(folder: string, flags: ExportFlags): Promise<void> {
  const wanted = kinds.filter((kind) => flags[kind] !== undefined);
  if (wanted.length === 0) throw new ConfigError('export', folder, `a file: ${kinds.map((k) => `--${k}`).join(', ')}`);
  checkFlags(flags);
  await loadParts([{ folder, experiment: null }], tell);
  const experiment = loadRun(folder);
  const makers = { nir: nirOutput, spikes: spikesOutput, weights: weightsOutput, states: statesOutput };
  // Everything is made before the first file is written.
  const outputs = wanted.map((kind) => makers[kind](experiment, flags));
  for (const { path, content, said, report } of outputs) {
    if (content instanceof Uint8Array) writeAtomic(path, content);
    else await writeAside(path, content);
    print(flags.json ? JSON.stringify({ file: path, ...report }) : `${path}: ${said}`);
  }
}

function checkFlags(flags: ExportFlags): void {
  for (const kind of kinds) {
    const path = flags[kind];
    if (path === undefined) continue;
    if (existsSync(path)) throw new FileError(path, `exists already; another --${kind}`);
    const known: readonly string[] = kind === 'nir' ? [] : endings[kind];
    if (known.length > 0 && !known.includes(extname(path).toLowerCase())) {
      throw new ConfigError(`--${kind}`, path, `a file that ends in ${known.join(', ')}`);
    }
  }
  if (flags.spikes !== undefined || flags.states !== undefined) splitOf(flags);
  if (flags.states !== undefined && flags.fields === undefined) {
    throw new ConfigError('--fields', undefined, 'what --states holds, for example z,v,signal');
  }
}

function nirOutput(experiment: Experiment, flags: ExportFlags): Output {
  const { tree, target, lost, notes } = nirOf(experiment, flags);
  if (!flags.json) {
    for (const note of notes) tell(note);
    for (const what of lost) tell(`lost: ${what}`);
  }
  return {
    path: flags.nir ?? '',
    content: tree,
    said: `for ${target.frameworks.join(', ')}, one step is ${target.dt} s there`,
    report: { frameworks: target.frameworks, dt: target.dt, lost, notes },
  };
}

function spikesOutput(experiment: Experiment, flags: ExportFlags): Output {
  const path = flags.spikes ?? '';
  const spikes = spikesOf(watch(experiment, flags), path);
  const { config } = experiment;
  const count = spikes.trial.length;
  const contents: Record<string, () => Output['content']> = {
    '.csv': () => spikesAsCsv(spikes),
    '.npz': () => encodeNpz(spikesAsArrays(spikes)),
    '.nwb': () =>
      spikesAsNwb(spikes, {
        identifier: `${config.name}, ${String(config.rule.name)}, seed ${config.seed}, ${flags.split} ${flags.trials}`,
        description: `spiketrace: ${config.name}, rule ${String(config.rule.name)}, seed ${config.seed}`,
      }),
  };
  const content = contents[extname(path).toLowerCase()]();
  return { path, content, said: `${count} spikes`, report: { spikes: count } };
}

function weightsOutput({ run }: Experiment, flags: ExportFlags): Output {
  return arraysOutput(flags.weights ?? '', weightsOf(run.network));
}

function statesOutput(experiment: Experiment, flags: ExportFlags): Output {
  return arraysOutput(flags.states ?? '', statesOf(watch(experiment, flags), flags.fields ?? '', flags.maxMb));
}

function arraysOutput(path: string, arrays: readonly ArrayToWrite[]): Output {
  const shapes = Object.fromEntries(arrays.map(({ name, shape }) => [name, shape]));
  return {
    path,
    content: extname(path).toLowerCase() === '.npz' ? encodeNpz(arrays) : asTree(arrays),
    said: arrays.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(', '),
    report: { arrays: shapes },
  };
}

/** An HDF5 file that is there only once it is complete. */
async function writeAside(path: string, tree: Written): Promise<void> {
  const aside = `${path}.tmp`;
  try {
    await writeHdf5(aside, tree);
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}
