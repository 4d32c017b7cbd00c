import { join } from 'node:path';
import {
  type Agreement,
  agreementOf,
  exportImage,
  reckonOf,
  spikesOf,
  spiStream,
  writeImage,
} from '../../../hardware/index.ts';
import { ConfigError } from '../../core/errors.ts';
import { type Rows, rowAt } from '../../core/rows.ts';
import { singleNetwork } from '../../core/single.ts';
import { runTrial } from '../../engine/run.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { ensureWritableFolder, writeAtomic } from '../../record/index.ts';

/** Content of `export.json`, beside the image and the SPI stream. */
export interface ReckonExport {
  readonly image: string;
  readonly spi: string;
  readonly threshold: number;
  readonly membraneUnit: number;
  readonly outputUnit: number;
  readonly weightStep: { readonly inp: number; readonly rec: number; readonly out: number };
  /** Biases of the readout, for the reader of the outputs. */
  readonly readoutBias: readonly number[];
  readonly approximations: readonly string[];
  /** Spikes of one trial of the task on the chip against those of the network; null where inputs are no spikes. */
  readonly agreement: (Agreement & { readonly steps: number }) | null;
}

/** Most steps of the task that are compared. */
const mostSteps = 1000;

/**
 * Writes a trained network as ReckOn takes it: `network.json` with the words of its memories, `spi.hex` with the SPI writes that
 * load them, one 32-bit word a line, and `export.json` with the scales.
 * @throws ConfigError, UnsupportedError for a network that does not fit; nothing is written then
 */
export function writeReckonImages(experiment: Experiment, folder: string): ReckonExport {
  const { network } = experiment.run;
  const made = reckonOf(network);
  const image = exportImage(made.chip);
  const { membraneUnit, outputUnit, weightStep, approximations } = made;
  const report: ReckonExport = {
    image: join(folder, 'network.json'),
    spi: join(folder, 'spi.hex'),
    threshold: made.chip.config.THR[0],
    membraneUnit,
    outputUnit,
    weightStep,
    readoutBias: Array.from(singleNetwork(network).weights.bOut),
    approximations,
    agreement: compare(experiment, made.chip),
  };
  ensureWritableFolder(folder);
  const write = (path: string, text: string) => writeAtomic(path, new TextEncoder().encode(text));
  write(report.image, writeImage(image));
  write(report.spi, `${Array.from(spiStream(image), (word) => word.toString(16).padStart(8, '0')).join('\n')}\n`);
  write(join(folder, 'export.json'), `${JSON.stringify(report, null, 2)}\n`);
  return report;
}

/** One trial of the task from rest, on both. */
function compare(experiment: Experiment, chip: ReturnType<typeof reckonOf>['chip']): ReckonExport['agreement'] {
  const { run, feed } = experiment.observer(1);
  const { step } = run.network.spec.sizes;
  feed.fill(step);
  runTrial(run, step, { learn: false, answer: feed.answer });
  const { x } = run.network.trial;
  const [{ z }] = run.network.activity;
  const steps = Math.min(step, mostSteps);
  const listed = (rows: Rows) =>
    Array.from({ length: steps }, (_, t) => rows.data.subarray(rowAt(rows, 0, t), rowAt(rows, 0, t) + rows.size));
  try {
    return { ...agreementOf(listed(z), spikesOf(chip, listed(x), z.size)), steps };
  } catch (error) {
    if (error instanceof ConfigError) return null;
    throw error;
  }
}
