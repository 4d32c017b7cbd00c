import { z } from 'zod';
import { count, countTo, listed, magnitude, positive, signed } from '../src/core/schema.ts';
import { probability } from './cellGroups.ts';
import { splitSeed } from './epochs.ts';

const path = z.string().min(1);
const name = z.string().min(1).nullable().default(null);
const index = z
  .number()
  .int()
  .min(0)
  .max(2 ** 31 - 1);

const labelFile = path
  .nullable()
  .default(null)
  .describe('labels, where they are in a file of their own: lines of trial and label, or .npy');
const targetFile = path
  .nullable()
  .default(null)
  .describe('arrays of a target signal, where they are in a file of their own');

const names = z
  .strictObject({ times: name, units: name, trial: name, labels: name, values: name })
  .prefault({})
  .describe('arrays, data sets or columns of the file; null: a usual name, such as times or time_ms, units or sender');

const coding = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('spikes') }).describe('values are spikes, or numbers of spikes'),
    z
      .strictObject({ kind: z.literal('current'), gain: signed.default(1) })
      .describe('a current of gain times the value, for all steps of a row'),
    z
      .strictObject({ kind: z.literal('delta'), threshold: positive.default(0.1) })
      .describe(
        'one spike of a cell for more, or of one for less, where a value changes by more than the threshold from row to row',
      ),
    z
      .strictObject({ kind: z.literal('latency'), low: signed.default(0), high: signed.default(1) })
      .describe('one spike a row, the earlier the larger the value between low and high; none at low'),
    z
      .strictObject({
        kind: z.literal('poisson'),
        rate: probability.default(0.5).describe('spikes per step at the value high'),
        low: signed.default(0),
        high: signed.default(1),
      })
      .describe('spikes with a probability in proportion to the value between low and high'),
  ])
  .default({ kind: 'spikes' });

const target = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('label'),
      classes: countTo(1_000_000).nullable().default(null).describe('outputs; null: one more than the largest label'),
      fromMs: magnitude.default(0).describe('the steps before it are not scored, ms'),
    }),
    z.strictObject({
      kind: z.literal('signal'),
      name: z
        .string()
        .min(1)
        .nullable()
        .default(null)
        .describe('array [trial][row][output], or [row][output] of one trial; of a .npy file none'),
    }),
    z
      .strictObject({ kind: z.literal('next'), steps: listed.default(1).describe('how far ahead') })
      .describe('the input itself, later'),
  ])
  .default({ kind: 'label', classes: null, fromMs: 0 });

const split = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('share'),
      heldOut: z.number().gt(0).lt(1).default(0.2).describe('share of the trials that is kept for the test'),
      seed: splitSeed.describe('which trials these are'),
    }),
    z.strictObject({ kind: z.literal('trials'), test: z.array(index).min(1).describe('trials of the test, from 0') }),
    z.strictObject({ kind: z.literal('file'), file: path.describe('trials of the test'), labelFile, targetFile }),
    z.strictObject({ kind: z.literal('none') }).describe('the test shows the trials of the training'),
  ])
  .default({ kind: 'share', heldOut: 0.2, seed: 1 });

/** Parameters of the task `recording`. */
export const recordingParams = z.strictObject({
  kind: z.literal('recording'),
  file: path.describe('recording, or a folder of files of one trial each; in an experiment file relative to it'),
  labelFile,
  targetFile,
  names,
  sensor: z
    .strictObject({ width: countTo(65_536), height: countTo(65_536) })
    .nullable()
    .default(null)
    .describe('columns and rows of the sensor of events of pixels; null: of N-MNIST'),
  timeUnit: z
    .enum(['s', 'ms', 'us', 'steps'])
    .nullable()
    .default(null)
    .describe('of the times; null: as the file says'),
  durationMs: positive
    .nullable()
    .default(null)
    .describe('length of a trial, ms; null: of arrays, that of the first one'),
  longer: z
    .enum(['refuse', 'cut'])
    .default('refuse')
    .describe('what lies outside of durationMs: an error, or left out'),
  rowSteps: listed.default(1).describe('steps that a row of an array lasts'),
  units: count
    .nullable()
    .default(null)
    .describe('units of the recording, silent ones included; null: as many as the file needs'),
  unitIds: z
    .union([z.enum(['index', 'sorted']), z.strictObject({ offset: index })])
    .default('index')
    .describe('identities of units: places from 0, places from an offset, or in ascending order of those that occur'),
  keep: z.array(index).min(1).nullable().default(null).describe('units that are read, in this order; null: all'),
  pool: listed.default(1).describe('neighbouring units that share an input'),
  perStep: z
    .enum(['one', 'count'])
    .default('one')
    .describe('several spikes of an input in one step: one, or their number'),
  coding,
  jitterMs: magnitude.default(0).describe('training: standard deviation by which every spike is moved in time, ms'),
  shiftMs: magnitude.default(0).describe('training: most by which a trial is moved in time, ms'),
  shiftUnits: z
    .number()
    .int()
    .min(0)
    .max(1_000_000)
    .default(0)
    .describe('training: most by which the units of a trial are moved'),
  target,
  split,
  sha256: z
    .record(z.string(), z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256, 64 hexadecimal digits'))
    .nullable()
    .default(null)
    .describe('hashes of the files by their path here; a run that goes on refuses other files'),
});

export type RecordingParams = z.infer<typeof recordingParams>;
