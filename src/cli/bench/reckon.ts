import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createReckon, cueAccumulation, type Reckon } from '../../../hardware/reckon/index.ts';
import { createRng, type Rng } from '../../core/rng.ts';
import { type CueSample, cueChip, cueSamples, type ReckonDataSetFile, runEpoch } from '../verify/reckonDataSet.ts';

/** Work without a network of ours: what is repeated, and how much it is. */
export interface Loop {
  once(): void;
  /** Synapses times steps of one repetition. */
  readonly synapseSteps: number;
  /** A number that must be the same wherever the work is done. */
  checksum(): number;
}

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const dataFile = join(
  process.env.SPIKETRACE_SHARED ?? join(root, '..', 'shared'),
  'data',
  'reckon-cue-accumulation.json',
);

/**
 * One epoch of cue accumulation on ReckOn: 50 samples with learning, 50 without, 2250 ticks each. The chip's own data
 * where the file is at hand, else events of the same number and duration.
 */
export function reckonEpoch(): Loop {
  const [chip, samples] = existsSync(dataFile) ? fromFile() : syntheticCues(createRng(1));
  const { nIn, nRec } = chip.sizes;
  const ticks = samples.reduce((sum, sample) => sum + sample.ticks, 0);
  return {
    once() {
      chip.reset();
      runEpoch(chip, samples);
    },
    synapseSteps: ticks * nRec * (nIn + nRec),
    checksum: () => [...chip.weights().rec].reduce((sum, weight) => sum + weight, 0),
  };
}

function fromFile(): [Reckon, CueSample[]] {
  const file = JSON.parse(readFileSync(dataFile, 'utf8')) as ReckonDataSetFile;
  return [cueChip(file), cueSamples(file)];
}

/** Seven cues of ten inputs from the left or the right, background noise, and a recall cue: about 500 events a sample. */
export function syntheticCues(rng: Rng): [Reckon, CueSample[]] {
  const normal = (count: number, deviation: number) =>
    Int8Array.from({ length: count }, () => Math.max(-128, Math.min(127, Math.round(deviation * rng.normal()))));
  const weights = { inp: normal(4000, 14), rec: normal(10000, 2), out: normal(200, 9) };
  const samples = Array.from({ length: 100 }, (_, s) => syntheticSample(rng, s < 50));
  return [createReckon(cueAccumulation, weights), samples];
}

function syntheticSample(rng: Rng, isTraining: boolean): CueSample {
  const eventStart = new Int32Array(2251);
  const events: number[] = [];
  const cues = Array.from({ length: 7 }, () => rng.integer(2));
  for (let k = 0; k < 2250; k++) {
    const cue = k % 150 < 100 && k < 1050 ? cues[Math.floor(k / 150)] : k >= 2100 ? 2 : 3;
    for (let i = 0; i < 40; i++) {
      const chance = Math.floor(i / 10) === 3 ? 0.01 : Math.floor(i / 10) === cue ? 0.04 : 0;
      if (rng.bernoulli(chance)) events.push(i);
    }
    eventStart[k + 1] = events.length;
  }
  const label = cues.reduce((sum, cue) => sum + cue, 0) > 3 ? 1 : 0;
  const valid = isTraining ? ([2100, 2250] as const) : ([0, 0] as const);
  const learning = isTraining ? 7 : 0;
  return { ticks: 2250, eventStart, eventInput: Uint8Array.from(events), label, valid, vote: [2100, 2250], learning };
}
