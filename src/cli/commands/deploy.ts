import { join } from 'node:path';
import {
  type ChipProfile,
  type Demand,
  type Deployment,
  demandOf,
  deploy as deployOn,
  structureOf,
  widthsOf,
} from '../../../hardware/index.ts';
import { applySettings } from '../../config/settings.ts';
import { ConfigError } from '../../core/errors.ts';
import type { NetworkSpec } from '../../core/network.ts';
import { type Accuracy, measureAccuracy } from '../../experiment/deployment.ts';
import { createExperiment, type Experiment } from '../../experiment/experiment.ts';
import { assertWritableFolder, ensureWritableFolder, writeAtomic } from '../../record/index.ts';
import { catalogue } from '../catalogue.ts';
import { profileOf } from '../chips.ts';
import { writeReckonImages } from '../deploy/images.ts';
import { page } from '../deploy/page.ts';
import type { Report } from '../deploy/report.ts';
import { details, measured, verdicts } from '../deploy/text.ts';
import { loadParts } from '../execute.ts';
import { fixed, type Global, print, tell } from '../output.ts';
import { isRunFolder, loadRun } from '../runFolder.ts';
import { readExperiment } from './run.ts';

export interface DeployFlags extends Global {
  readonly chip: string;
  readonly set?: readonly string[];
  readonly out?: string;
  readonly details?: boolean;
  readonly rate?: number;
  readonly images?: string;
  readonly require?: string;
  readonly accuracy?: boolean;
  readonly seeds: number;
}

/** Verdicts from the worst to the best. */
const rank: readonly Deployment['verdict'][] = ['does not fit', 'fits with', 'fits'];

function verdictOf(text: string): Deployment['verdict'] {
  const verdict = rank.slice(1).find((name) => name.replace(' ', '-') === text);
  if (!verdict) throw new ConfigError('--require', text, 'one of "fits", "fits-with"');
  return verdict;
}

/** `spiketrace deploy`: whether a network with its rule would fit a chip, and the first number that says no. */
export async function deploy(source: string, flags: DeployFlags): Promise<void> {
  const experiment = await openExperiment(source, flags.set ?? []);
  const demand = demandOf(experiment.run.network.spec, { rateHz: flags.rate });
  const chips = flags.chip.split(',').map((name) => profileOf(name.trim()));
  if (flags.images !== undefined && !chips.some(({ id }) => id === 'reckon')) {
    throw new ConfigError('--images', flags.images, 'a folder for images of reckon, which --chip has to name');
  }
  const wanted = flags.require === undefined ? null : verdictOf(flags.require);
  if (flags.out) assertWritableFolder(flags.out);
  const images = flags.images === undefined ? null : writeReckonImages(experiment, flags.images);
  const deployments = chips.map((chip) => ({
    ...deployOn(demand, chip),
    ...(flags.accuracy ? { accuracy: measure(experiment, demand, chip, flags) } : {}),
  }));
  const { name, rule } = experiment.config;
  const report: Report = { experiment: name, rule: String(rule.name), deployments, ...(images ? { images } : {}) };
  if (flags.out) write(flags.out, report);
  if (wanted && deployments.some(({ verdict }) => rank.indexOf(verdict) < rank.indexOf(wanted))) process.exitCode = 1;
  if (flags.json) {
    print(JSON.stringify(report));
    return;
  }
  print(`${name}, rule ${String(rule.name)}\n\n${verdicts(deployments)}`);
  for (const deployment of deployments) {
    if (deployments.length === 1 || flags.details) print(`\n${details(deployment)}`);
    if (deployment.accuracy) print(`\n${measured(deployment)}`);
  }
  if (images) print(`\n${imageLines(images).join('\n')}`);
  if (flags.out) print(`\nreport: ${join(flags.out, 'deployment.html')}`);
}

function imageLines({ image, spi, approximations, agreement }: NonNullable<Report['images']>): string[] {
  return [
    `image: ${image}`,
    `SPI writes: ${spi}`,
    `approximations: ${approximations.join('; ')}`,
    agreement
      ? `spikes of ${agreement.steps} steps: ${agreement.first} of the network, ${agreement.second} of the chip, ${(100 * agreement.share).toFixed(1)} % of either in both, the same up to step ${agreement.parted ?? agreement.steps}`
      : 'spikes were not compared: inputs of this task are no spikes',
  ];
}

function write(folder: string, report: Report): void {
  ensureWritableFolder(folder);
  const save = (file: string, text: string) => writeAtomic(join(folder, file), new TextEncoder().encode(text));
  save('deployment.json', `${JSON.stringify(report, null, 2)}\n`);
  save('deployment.html', page(report));
}

/** Trainings of the three versions. */
function measure({ config }: Experiment, demand: Demand, chip: ChipProfile, { seeds }: DeployFlags): Accuracy {
  const version = { ...structureOf(demand, chip), widths: (spec: NetworkSpec) => widthsOf(demandOf(spec), chip) };
  return measureAccuracy(config, version, catalogue, {
    seeds: Array.from({ length: seeds }, (_, s) => config.seed + s),
    progress: (name, seed, loss) => tell(`${chip.id}: ${name}, seed ${seed}: ${fixed(loss, 4)}`),
  });
}

/** A run folder, a preset or an experiment file. */
export async function openExperiment(source: string, settings: readonly string[]): Promise<Experiment> {
  if (isRunFolder(source)) await loadParts([{ folder: source, experiment: null }], tell);
  if (isRunFolder(source) && settings.length === 0) return loadRun(source);
  const raw = isRunFolder(source) ? loadRun(source).config : await readExperiment(source, []);
  return createExperiment(applySettings(raw, settings, catalogue), catalogue);
}
