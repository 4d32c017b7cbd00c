import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, FileError } from '../core/errors.ts';
import { type Network, weightNames } from '../core/network.ts';
import type { Projection } from '../core/projection.ts';
import { decodeNpy, encodeNpy, readBytes, writeAtomic } from '../record/index.ts';

/**
 * Weights as .npy: wIn [in][rec] with the bias row last, wRec [rec][rec], wOut [rec][out], bOut [out], all [pre][post].
 * A sparse projection is its values in storage order beside `<name>.rowStart` and `<name>.post`.
 */
export function writeWeights(folder: string, network: Network): void {
  mkdirSync(folder, { recursive: true });
  for (const name of weightNames) {
    const values = Float64Array.from(network.weights[name]);
    writeAtomic(join(folder, `${name}.npy`), encodeNpy(values, shapeOf(name, network)));
    const projection = projectionOf(name, network);
    if (!projection || projection.dense) continue;
    writeAtomic(join(folder, `${name}.rowStart.npy`), encodeNpy(projection.rowStart, [projection.nPre + 1]));
    writeAtomic(join(folder, `${name}.post.npy`), encodeNpy(projection.post, [projection.nSyn]));
  }
}

/**
 * Puts weights from .npy files into a network; a matrix without a file keeps its drawn values.
 * @throws FileError for a folder without weights, another shape, or other synapses; ConfigError for a value that is not finite, or that the network cannot have
 */
export function readWeights(folder: string, network: Network): void {
  const present = weightNames.filter((name) => existsSync(join(folder, `${name}.npy`)));
  if (present.length === 0)
    throw new FileError(folder, `holds none of ${weightNames.map((name) => `${name}.npy`).join(', ')}`);
  for (const name of present) {
    const path = join(folder, `${name}.npy`);
    const { data, shape } = decodeNpy(readBytes(path), path);
    const expected = shapeOf(name, network);
    if (shape.join() !== expected.join()) throw new FileError(path, `has shape [${shape}], expected [${expected}]`);
    assertSameSynapses(folder, name, network);
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new ConfigError(`${path}[${bad}]`, data[bad], 'a finite weight');
    const projection = projectionOf(name, network);
    if (projection) assertAllowed(path, data, projection);
    network.weights[name].set(data);
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

function assertSameSynapses(folder: string, name: (typeof weightNames)[number], network: Network): void {
  const projection = projectionOf(name, network);
  if (!projection || projection.dense) return;
  for (const part of ['rowStart', 'post'] as const) {
    const path = join(folder, `${name}.${part}.npy`);
    const { data } = decodeNpy(readBytes(path), path);
    if (data.length !== projection[part].length || data.some((value, s) => value !== projection[part][s])) {
      throw new FileError(path, 'names other synapses than this network has; use the seed that they were drawn with');
    }
  }
}

function projectionOf(name: (typeof weightNames)[number], { spec }: Network): Projection | null {
  if (name === 'wIn') return spec.projections.in;
  return name === 'wRec' ? spec.projections.rec : null;
}

function shapeOf(name: (typeof weightNames)[number], network: Network): number[] {
  const { sizes } = network.spec;
  const projection = projectionOf(name, network);
  if (projection) return projection.dense ? [projection.nPre, projection.nPost] : [projection.nSyn];
  return name === 'wOut' ? [sizes.rec, sizes.out] : [sizes.out];
}
