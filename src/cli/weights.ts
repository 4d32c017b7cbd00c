import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readoutSizes } from '../core/bindings.ts';
import { ConfigError, FileError } from '../core/errors.ts';
import { formerBlocks } from '../core/formerNames.ts';
import type { Real } from '../core/layout.ts';
import { type Network, wholesOf } from '../core/network.ts';
import type { Projection } from '../core/projection.ts';
import { adoptSynapses } from '../engine/upkeep.ts';
import { decodeNpy, encodeNpy, readBytes, writeAtomic } from '../record/index.ts';

/** Weights that a user knows by one name: a projection with all its delays, a readout, or a bias. */
interface Matrix {
  readonly name: string;
  readonly shape: readonly number[];
  /** null of a readout. */
  readonly projection: Projection | null;
  /** Of a projection that is rewired: its place in the list; how many synapses it has among so many pairs, a bias not counted; else null. */
  readonly rewired: { readonly place: number; readonly count: number; readonly pairs: number } | null;
  /** Parts that hold its numbers, and where each stands in it; null: all of it. */
  readonly parts: readonly { readonly values: Real; readonly places: Int32Array | null }[];
}

function matricesOf({ spec, weights }: Network): Matrix[] {
  const projections = wholesOf(spec).map(({ name, synapses, parts }): Matrix => {
    const { whole, bias } = parts[0];
    const { drawn } = whole;
    const { dense, nPre, nPost, nSyn } = synapses;
    const biases = bias ? nPost : 0;
    return {
      name,
      shape: dense ? [nPre, nPost] : [nSyn],
      projection: synapses,
      rewired: drawn && {
        place: spec.projections.indexOf(parts[0]),
        count: drawn.nSyn - biases,
        pairs: nSyn - biases,
      },
      parts: parts.map((part) => ({ values: weights[part.name], places: part.whole.places })),
    };
  });
  const readouts = spec.readouts.flatMap((readout): Matrix[] => {
    const { name, size } = readout;
    const of = (block: string, shape: number[]): Matrix => {
      return { name: block, shape, projection: null, rewired: null, parts: [{ values: weights[block], places: null }] };
    };
    return [of(name, [readoutSizes(spec, readout).pre, size]), of(`${name}.bias`, [size])];
  });
  const signals = spec.blocks.flatMap(({ name, kind, synapses }): Matrix[] => {
    if (kind !== 'signal' || !synapses) return [];
    const { nPre, nPost } = synapses;
    const parts = [{ values: weights[name], places: null }];
    return [{ name, shape: [nPre, nPost], projection: synapses, rewired: null, parts }];
  });
  return [...projections, ...readouts, ...signals];
}

/** A file of weights: its name without .npy. */
export interface WeightFile {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float64Array | Int32Array;
}

/**
 * Weights as arrays: `<projection>` [pre][post] with the bias row last, `<readout>` [pre][out], `<readout>.bias` [out].
 * A sparse projection is its values in storage order beside `<name>.rowStart` and `<name>.post`.
 */
export function weightFiles(network: Network): WeightFile[] {
  return matricesOf(network).flatMap(({ name, shape, projection, parts }) => {
    const values = new Float64Array(shape.reduce((product, n) => product * n, 1));
    for (const part of parts) {
      if (part.places) scatter(values, part.places, part.values);
      else values.set(part.values);
    }
    const file = { name, shape, values };
    if (!projection || projection.dense) return [file];
    return [
      file,
      { name: `${name}.rowStart`, shape: [projection.nPre + 1], values: projection.rowStart },
      { name: `${name}.post`, shape: [projection.nSyn], values: projection.post },
    ];
  });
}

/** Weights as .npy, one for each of `weightFiles`. */
export function writeWeights(folder: string, network: Network): void {
  mkdirSync(folder, { recursive: true });
  for (const { name, shape, values } of weightFiles(network)) {
    writeAtomic(join(folder, `${name}.npy`), encodeNpy(values, [...shape]));
  }
}

/**
 * Puts weights from .npy files into a network; a matrix without a file keeps its drawn values. Files of the time before networks
 * were graphs are known by their names.
 * @throws FileError for a folder without weights, another shape, or other synapses; ConfigError for a value that is not finite, or that the network cannot have
 */
export function readWeights(folder: string, network: Network): void {
  const matrices = matricesOf(network);
  const fileOf = (name: string) =>
    [name, formerBlocks[name]].find((file) => file !== undefined && existsSync(join(folder, `${file}.npy`)));
  const present = matrices.flatMap((matrix) => {
    const file = fileOf(matrix.name);
    return file === undefined ? [] : [{ file, matrix }];
  });
  if (present.length === 0)
    throw new FileError(folder, `holds none of ${matrices.map(({ name }) => `${name}.npy`).join(', ')}`);
  for (const { file, matrix } of present) {
    const path = join(folder, `${file}.npy`);
    const { data, shape } = decodeNpy(readBytes(path), path);
    if (shape.join() !== matrix.shape.join())
      throw new FileError(path, `has shape [${shape}], expected [${matrix.shape}]`);
    const { projection, parts, rewired } = matrix;
    if (projection && !projection.dense) assertSameSynapses(folder, file, projection);
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new ConfigError(`${path}[${bad}]`, data[bad], 'a finite weight');
    if (projection) assertAllowed(path, data, projection);
    if (rewired) assertCount(path, data, rewired);
    for (const { values, places } of parts) {
      if (places) gather(values, places, data);
      else values.set(data);
    }
    if (rewired) adoptSynapses(network, rewired.place);
  }
}

/** @throws ConfigError for a weight against its neuron's sign, or at a synapse that the network does not have */
function assertAllowed(path: string, data: ArrayLike<number>, { masked, signs, rowStart }: Projection): void {
  for (const s of masked) {
    if (data[s] !== 0) throw new ConfigError(`${path}[${s}]`, data[s], '0: neurons have no autapses here');
  }
  signs?.forEach((sign, i) => {
    for (let s = rowStart[i]; sign !== 0 && s < rowStart[i + 1]; s++) {
      if (data[s] * sign >= 0) continue;
      const what = sign > 0 ? '>= 0: its neuron excites' : '<= 0: its neuron inhibits';
      throw new ConfigError(`${path}[${s}]`, data[s], `a weight ${what} (presynaptic ${i})`);
    }
  });
}

function assertCount(path: string, data: ArrayLike<number>, { count, pairs }: NonNullable<Matrix['rewired']>): void {
  let found = 0;
  for (let s = 0; s < pairs; s++) if (data[s] !== 0) found++;
  if (found !== count) throw new FileError(path, `has ${found} synapses, expected ${count}, which rewiring keeps`);
}

function assertSameSynapses(folder: string, file: string, projection: Projection): void {
  for (const part of ['rowStart', 'post'] as const) {
    const path = join(folder, `${file}.${part}.npy`);
    const { data } = decodeNpy(readBytes(path), path);
    if (data.length !== projection[part].length || data.some((value, s) => value !== projection[part][s])) {
      throw new FileError(path, 'names other synapses than this network has; use the seed that they were drawn with');
    }
  }
}

function scatter(to: Real, places: Int32Array, values: Real): void {
  for (let s = 0; s < values.length; s++) to[places[s]] = values[s];
}

function gather(values: Real, places: Int32Array, from: ArrayLike<number>): void {
  for (let s = 0; s < values.length; s++) values[s] = from[places[s]];
}
