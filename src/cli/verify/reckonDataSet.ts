import { createReckon, type Reckon, type ReckonConfig, type ReckonSample } from '../../../hardware/reckon/index.ts';
import type { ReckonWeightLists } from './reckonRtl.ts';
import { compare, type Quantity, type Subject } from './report.ts';

interface GivenSample {
  readonly set: 'train' | 'test';
  readonly label: number;
  /** [tick, input, input, ...] */
  readonly events: readonly (readonly number[])[];
  readonly rtl_inference: number;
  readonly rtl_votes: readonly number[];
}

/** A file of kind `reckon-data-set`: a data set, what the RTL made of it in one epoch, and later epochs of a model. */
export interface ReckonDataSetFile {
  readonly meta: {
    readonly later_epochs_model_only: {
      readonly train_right: readonly number[];
      readonly test_right: readonly number[];
    };
  };
  readonly config: ReckonConfig;
  readonly initial_weights: ReckonWeightLists;
  readonly samples: readonly GivenSample[];
  readonly weights_after_training: ReckonWeightLists;
}

const ticks = 2250;
const decision = [2100, 2250] as const;

/** One sample in the form that the chip takes, with the register that says whether it learns. */
export interface CueSample extends ReckonSample {
  readonly learning: number;
}

/** Samples of the file: votes in the last 150 ticks of each, targets in those of the training set. */
export function cueSamples(file: ReckonDataSetFile): CueSample[] {
  return file.samples.map(({ set, label, events }) => {
    const isTraining = set === 'train';
    const valid = isTraining ? decision : ([0, 0] as const);
    return {
      ticks,
      ...flatEvents(events),
      label,
      valid,
      vote: decision,
      learning: isTraining ? file.config.SPI_DO_EPROP : 0,
    };
  });
}

function flatEvents(events: GivenSample['events']): Pick<ReckonSample, 'eventStart' | 'eventInput'> {
  const eventStart = new Int32Array(ticks + 1);
  for (const [tick, ...inputs] of events) eventStart[tick + 1] += inputs.length;
  for (let k = 0; k < ticks; k++) eventStart[k + 1] += eventStart[k];
  const inOrder = [...events].sort(([a], [b]) => a - b);
  return { eventStart, eventInput: Uint8Array.from(inOrder.flatMap(([, ...inputs]) => inputs)) };
}

export function cueChip(file: ReckonDataSetFile): Reckon {
  const { w_inp: inp, w_rec: rec, w_out: out } = file.initial_weights;
  return createReckon(file.config, { inp, rec, out });
}

/** All samples once, in order; `seen` may read the chip after each. @returns what it inferred of each */
export function runEpoch(chip: Reckon, samples: readonly CueSample[], seen?: (s: number) => void): number[] {
  return samples.map((sample, s) => {
    chip.setLearning(sample.learning);
    const inferred = chip.runSample(sample);
    seen?.(s);
    return inferred;
  });
}

/** Compares the first epoch with the RTL, sample by sample, and the counts of all listed epochs. */
export function verifyReckonDataSet(file: ReckonDataSetFile, subject: Subject): Quantity[] {
  if (subject.backend !== 'reference') throw new Error('a chip is emulated in integers only, on the reference backend');
  const chip = cueChip(file);
  const samples = cueSamples(file);
  const { nOut } = chip.sizes;
  const votes: number[] = [];
  const lastTraining = samples.findLastIndex(({ learning }) => learning !== 0);
  let trained = chip.weights();
  const inferred = runEpoch(chip, samples, (s) => {
    votes.push(...chip.votes.subarray(0, nOut));
    if (s === lastTraining) trained = chip.weights();
  });
  const given = file.samples;
  const after = file.weights_after_training;
  return [
    exact(
      'inference',
      inferred,
      given.map(({ rtl_inference }) => rtl_inference),
    ),
    exact(
      'votes',
      votes,
      given.flatMap(({ rtl_votes }) => rtl_votes),
    ),
    exact('weights_after_training.w_inp', trained.inp, after.w_inp),
    exact('weights_after_training.w_rec', trained.rec, after.w_rec),
    exact('weights_after_training.w_out', trained.out, after.w_out),
    ...verifyEpochs(file, chip, samples, inferred),
  ];
}

function verifyEpochs(
  file: ReckonDataSetFile,
  chip: Reckon,
  samples: readonly CueSample[],
  first: readonly number[],
): Quantity[] {
  const { train_right: train, test_right: test } = file.meta.later_epochs_model_only;
  const right: { train: number[]; test: number[] } = { train: [], test: [] };
  for (let epoch = 0; epoch < train.length; epoch++) {
    const inferred = epoch === 0 ? first : runEpoch(chip, samples);
    for (const set of ['train', 'test'] as const) {
      right[set].push(file.samples.filter((sample, s) => sample.set === set && sample.label === inferred[s]).length);
    }
  }
  return [exact('train_right', right.train, train), exact('test_right', right.test, test)];
}

function exact(name: string, got: ArrayLike<number>, want: readonly number[]): Quantity {
  return compare(`${name} (${want.length})`, got, want, 0);
}
