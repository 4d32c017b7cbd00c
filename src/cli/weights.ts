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
 * @throws FileError for a folder without weights, another shape, or other synapses; ConfigError for a value that is not finite
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
    network.weights[name].set(data);
    for (const s of projectionOf(name, network)?.masked ?? []) network.weights[name][s] = 0;
  }
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
