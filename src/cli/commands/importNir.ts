import { existsSync, mkdirSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { applySettings } from '../../config/settings.ts';
import { ConfigError, FileError } from '../../core/errors.ts';
import type { Network } from '../../core/network.ts';
import { createExperiment } from '../../experiment/experiment.ts';
import {
  type Approximation,
  approximations,
  type Convention,
  experimentOf,
  graphOfTree,
  type NirGraph,
  namedConventions,
  type OwnParameters,
  ownParameters,
  parseConvention,
  readGraph,
  readHdf5,
  unitGraphOf,
} from '../../nir/index.ts';
import { encodeNpy, writeAtomic } from '../../record/index.ts';
import { catalogue } from '../catalogue.ts';
import { readJson } from '../json.ts';
import { nirConfig, putNirWeights } from '../nirWeights.ts';
import { type Global, print, tell } from '../output.ts';
import { readWeights, writeWeights } from '../weights.ts';

export interface ImportFlags extends Global {
  readonly convention?: string;
  readonly dt?: number;
  readonly allow?: string;
  readonly set?: readonly string[];
  readonly out: string;
}

/** `spiketrace import`: an experiment file and a folder of weights from a NIR file. */
export async function importNir(path: string, flags: ImportFlags): Promise<void> {
  if (existsSync(flags.out)) throw new FileError(flags.out, 'exists already; another --out');
  const graph = graphOfTree(await readHdf5(path), path);
  const own = flags.convention === undefined ? ownParameters(graph.metadata, path) : null;
  const folder = join(dirname(flags.out), `${basename(flags.out, extname(flags.out))}-weights`);
  const notes = own ? restoreOwn(own, folder, flags, path) : importGraph(graph, folder, flags, path);
  if (flags.json) {
    print(JSON.stringify({ experiment: flags.out, weights: folder, own: own !== null, notes }));
    return;
  }
  for (const note of notes) tell(note);
  print(
    `experiment: ${flags.out}\nweights: ${folder}\ntrain it with: spiketrace train ${flags.out} --weights ${folder}`,
  );
}

/** The very network that wrote the file, from its metadata. */
function restoreOwn(own: OwnParameters, folder: string, flags: ImportFlags, path: string): string[] {
  const config = applySettings(own.config, [...(flags.set ?? [])], catalogue);
  const { network } = createExperiment(config, catalogue).run;
  mkdirSync(folder, { recursive: true });
  for (const [name, { shape, values }] of own.weights) {
    if (!/^[A-Za-z][A-Za-z0-9_.-]{0,127}$/u.test(name)) throw new FileError(path, `names the weights "${name}"`);
    const places = name.endsWith('.rowStart') || name.endsWith('.post');
    writeAtomic(join(folder, `${name}.npy`), encodeNpy(places ? Int32Array.from(values) : values, [...shape]));
  }
  readWeights(folder, network);
  writeExperiment(config, flags.out);
  return ['the file is ours: configuration and weights are restored to the bit; --convention reads its graph instead'];
}

function importGraph(graph: NirGraph, folder: string, flags: ImportFlags, path: string): string[] {
  const convention = conventionOf(flags);
  const units = unitGraphOf(readGraph(graph, convention, path), convention, allowedOf(flags.allow));
  const imported = experimentOf(units, convention);
  const { nIn, nOut, notes } = imported;
  const placeholder = { kind: 'pattern-generation', inputs: nIn, outputs: nOut };
  const name = basename(path, extname(path));
  const given = { name, ...nirConfig(imported), task: placeholder };
  const config = applySettings(given, [...(flags.set ?? [])], catalogue);
  const { network } = createExperiment(config, catalogue).run;
  putNirWeights(imported, network);
  assertFinite(network, path);
  writeWeights(folder, network);
  writeExperiment(config, flags.out);
  const task = flags.set?.some((setting) => /^task(\.kind)?=/u.test(setting))
    ? []
    : [`the task is a placeholder with ${nIn} inputs and ${nOut} outputs: --set task=... sets yours`];
  return [...notes, ...task];
}

/** Products of numbers of a file can be too large. */
function assertFinite({ weights }: Network, path: string): void {
  for (const [name, values] of Object.entries(weights)) {
    const odd = values.findIndex((value) => !Number.isFinite(value));
    if (odd >= 0)
      throw new FileError(path, `makes the weight ${name}[${odd}] ${values[odd]}, expected a finite number`);
  }
}

function writeExperiment(config: unknown, out: string): void {
  writeAtomic(out, new TextEncoder().encode(`${JSON.stringify(config, null, 1)}\n`));
}

/** A convention by name, or from a JSON file, with the step of --dt. */
function conventionOf({ convention: given, dt }: ImportFlags): Convention {
  const named = namedConventions();
  if (given === undefined) {
    throw new ConfigError(
      '--convention',
      given,
      `how the file is to be read: ${[...named.keys()].join(', ')}, or a JSON file`,
    );
  }
  const known = named.get(given);
  if (!known && !existsSync(given)) {
    throw new ConfigError('--convention', given, `one of ${[...named.keys()].join(', ')}, or a JSON file`);
  }
  const convention = known ?? parseConvention(readJson(given), given);
  return dt === undefined ? convention : { ...convention, dt };
}

function allowedOf(text: string | undefined): ReadonlySet<Approximation> {
  const names = text === undefined ? [] : text.split(',');
  const odd = names.find((name) => !Object.hasOwn(approximations, name));
  if (odd !== undefined) throw new ConfigError('--allow', odd, `one of ${Object.keys(approximations).join(', ')}`);
  return new Set(names as Approximation[]);
}
