// Formats of bytes: checkpoints, arrays (.npy), networks as NIR (HDF5), and recordings of every kind.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import {
  experimentOf,
  graphOfTree,
  namedConventions,
  readGraph,
  readHdf5,
  unitGraphOf,
} from '../../../dist/src/nir/index.js';
import { decodeNpy, encodeNpy, readCheckpoint, writeCheckpoint } from '../../../dist/src/record/index.js';
import { attempt, mutant, samples } from './recordings.mjs';
import { outcomeOf, refusal } from './verdict.mjs';

const root = join(import.meta.dirname, '../../..');
const scratch = (name) => join(mkdtempSync(join(tmpdir(), 'fuzz-')), name);

const small = {
  'network.neurons': 6,
  'training.total': 80,
  'training.streams': 2,
  'training.chunkSteps': 10,
  'evaluation.total': 20,
  'evaluation.streams': 1,
};

/** Every second mutant has a checksum that fits, so that what lies behind it is read; one that is accepted trains a trial. */
export function checkpoint({ api, models, tasks }) {
  const catalogue = { ...models, tasks };
  const settings = Object.entries(small).map(([path, value]) => `${path}=${value}`);
  const made = api.createExperiment(api.applySettings(api.preset('four-six-back'), settings, catalogue), catalogue);
  made.trainTrials().next();
  const path = scratch('checkpoint.bin');
  const inner = made.checkpoint();
  writeCheckpoint(path, [inner]);
  const outer = readFileSync(path);
  return (seed) => {
    if (seed % 2 === 0) writeFileSync(path, mutant(outer, seed));
    else writeCheckpoint(path, [mutant(inner, seed)]);
    return outcomeOf(() => {
      const experiment = readCheckpoint(path, (payload) => {
        const saved = api.createExperiment(api.checkpointConfig(payload), catalogue, { maxBytes: 2 ** 24 });
        saved.restore(payload);
        return saved;
      });
      try {
        experiment.trainTrials().next();
      } catch (error) {
        if (error.name !== 'DivergenceError') throw error;
      }
    }, 'checkpoint.bin');
  };
}

export function npy() {
  const kinds = [Float64Array, Float32Array, Int32Array, Uint8Array];
  const good = kinds.map((kind) =>
    encodeNpy(
      kind.from({ length: 24 }, (_, n) => n),
      [2, 3, 4],
    ),
  );
  return (seed) =>
    outcomeOf(() => {
      const { shape, data } = decodeNpy(mutant(good[seed % good.length], seed), 'weights.npy');
      const length = shape.reduce((product, n) => product * n, 1);
      if (length !== data.length) throw new Error(`shape [${shape}] of ${data.length} numbers`);
    }, 'weights.npy');
}

/** Read as every convention there is, in turn, up to an experiment. */
export function nir() {
  const good = readFileSync(join(root, 'examples/norse-lifbox.nir'));
  const conventions = [...namedConventions().values()];
  const folder = scratch('');
  return async (seed) => {
    // Each a file of its own: HDF5 may take a file that it has open for another of the same place on the disk.
    const path = join(folder, `${seed}.nir`);
    writeFileSync(path, mutant(good, seed));
    try {
      const graph = graphOfTree(await readHdf5(path), path);
      const convention = conventions[seed % conventions.length];
      const { nIn, nOut } = experimentOf(
        unitGraphOf(readGraph(graph, convention, path), convention, new Set()),
        convention,
      );
      if (!(nIn > 0 && nOut > 0)) throw new Error(`${nIn} inputs and ${nOut} outputs`);
      return { outcome: 'accepted' };
    } catch (error) {
      return refusal(error, basename(path));
    } finally {
      rmSync(path);
    }
  };
}

/** All samples of recordings in turn. */
export function recordings({ api }) {
  const files = Object.values(samples);
  const folder = scratch('');
  return (seed) => {
    const source = join(root, 'test/golden/recordings', files[seed % files.length]);
    const { refused, unnamed, crashed } = attempt(api, source, folder, 1, seed);
    if (unnamed.length > 0) return { outcome: 'fault', fault: `${basename(source)}: ${unnamed[0].message}` };
    return { outcome: crashed ? 'crashed HDF5' : refused > 0 ? 'refused' : 'accepted', crashed };
  };
}
