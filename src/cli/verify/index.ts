import { FileError } from '../../core/errors.ts';
import { loadFormats } from '../../data/index.ts';
import { readJson } from '../json.ts';
import { type ContrastiveFile, verifyContrastive } from './contrastive.ts';
import { type DataSampleFile, dataFileOf, verifyDataSample } from './dataSample.ts';
import { type DeepRFile, verifyDeepR } from './deepR.ts';
import { type Eprop2File, verifyEprop2 } from './eprop2.ts';
import { type Eprop3File, verifyEprop3 } from './eprop3.ts';
import { type EpropDelaysFile, verifyEpropDelays } from './epropDelays.ts';
import { type EpropGraphFile, verifyEpropGraph } from './epropGraph.ts';
import { type EpropNetworkFile, verifyEpropNetwork } from './epropNetwork.ts';
import { type EpropRewardFile, verifyEpropReward } from './epropReward.ts';
import { type EpropTrainingFile, verifyEpropTraining } from './epropTraining.ts';
import { type KernlFile, verifyKernl } from './kernl.ts';
import { lastRead } from './lastRead.ts';
import { type LoihiAtrlifFile, type LoihiLifFile, verifyLoihiAtrlif, verifyLoihiLif } from './loihi.ts';
import { type LoihiLearningFile, verifyLoihiLearning } from './loihiLearning.ts';
import { type NestFile, verifyNestIntervals } from './nestIntervals.ts';
import { type NirRunFile, verifyNirRun } from './nirRun.ts';
import { type PerturbationFile, verifyPerturbation } from './perturbation.ts';
import { type PresynapticScalingFile, verifyPresynapticScaling } from './presynapticScaling.ts';
import { type RateRulesFile, verifyRateRules } from './rateRules.ts';
import { type ReckonDataSetFile, verifyReckonDataSet } from './reckonDataSet.ts';
import { type ReckonRtlFile, verifyReckonRtl } from './reckonRtl.ts';
import { passes, type Quantity, type Subject, subjects } from './report.ts';
import { type RfloAugmentedFile, verifyRfloAugmented } from './rfloAugmented.ts';
import { type RfloRateFile, verifyRfloRate } from './rfloRate.ts';

export interface Verdict {
  readonly file: string;
  readonly pass: boolean;
  readonly quantities: readonly Quantity[];
}

/** Compares the quantities of a file; the path is for files that tell of others beside them. */
type Reader = (file: never, subject: Subject, path: string) => Quantity[];

/** Kinds of golden files and what reads them, one line each. */
const kinds: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['contrastive', (file: ContrastiveFile, subject: Subject) => verifyContrastive(file, subject)],
  ['data-sample', (file: DataSampleFile, _: Subject, path: string) => verifyDataSample(file, path)],
  ['deep-r', (file: DeepRFile, subject: Subject) => verifyDeepR(file, subject)],
  ['eprop-2', (file: Eprop2File, subject: Subject) => verifyEprop2(file, subject)],
  ['eprop-3', (file: Eprop3File, subject: Subject) => verifyEprop3(file, subject)],
  ['eprop-delays', (file: EpropDelaysFile, subject: Subject) => verifyEpropDelays(file, subject)],
  ['eprop-graph', (file: EpropGraphFile, subject: Subject) => verifyEpropGraph(file, subject)],
  ['eprop-network', (file: EpropNetworkFile, subject: Subject) => verifyEpropNetwork(file, subject)],
  ['eprop-reward', (file: EpropRewardFile, subject: Subject) => verifyEpropReward(file, subject)],
  ['eprop-training', (file: EpropTrainingFile, subject: Subject) => verifyEpropTraining(file, subject)],
  ['kernl', (file: KernlFile, subject: Subject) => verifyKernl(file, subject)],
  ['loihi-lif', (file: LoihiLifFile, subject: Subject) => verifyLoihiLif(file, subject)],
  ['loihi2-atrlif', (file: LoihiAtrlifFile, subject: Subject) => verifyLoihiAtrlif(file, subject)],
  ['loihi-learning', (file: LoihiLearningFile, subject: Subject) => verifyLoihiLearning(file, subject)],
  ['nest-eprop-intervals', (file: NestFile, subject: Subject) => verifyNestIntervals(file, subject)],
  ['nir-run', (file: NirRunFile, subject: Subject) => verifyNirRun(file, subject)],
  ['perturbation', (file: PerturbationFile, subject: Subject) => verifyPerturbation(file, subject)],
  ['presynaptic-scaling', (file: PresynapticScalingFile, subject: Subject) => verifyPresynapticScaling(file, subject)],
  ['rate-rules', (file: RateRulesFile, subject: Subject) => verifyRateRules(file, subject)],
  ['reckon-data-set', (file: ReckonDataSetFile, subject: Subject) => verifyReckonDataSet(file, subject)],
  ['reckon-rtl', (file: ReckonRtlFile, subject: Subject) => verifyReckonRtl(file, subject)],
  ['rflo-augmented', (file: RfloAugmentedFile, subject: Subject) => verifyRfloAugmented(file, subject)],
  ['rflo-rate', (file: RfloRateFile, subject: Subject) => verifyRfloRate(file, subject)],
  ['shd-content', (file: DataSampleFile, _: Subject, path: string) => verifyDataSample(file, path)],
]);

/** Loads what the reader of a file needs that does not come at once. @throws FileError, UnsupportedError */
export async function loadForVerify(path: string): Promise<void> {
  const content = readJson(path);
  if (!['data-sample', 'shd-content'].includes(String(kindIn(content)))) return;
  const sample = content as DataSampleFile;
  if (sample.meta.refuse === undefined) await loadFormats([dataFileOf(sample, path)]);
}

function kindIn(content: unknown): unknown {
  return (content as { meta?: { kind?: unknown } } | null)?.meta?.kind;
}

/**
 * Runs the engine on the network that a golden file describes and compares every quantity of the file.
 * @throws FileError for a file that cannot be read, is not JSON, or is of a kind that is not known
 */
export function verifyFile(path: string, backend: Subject['backend'] = 'reference'): Verdict {
  const content = readJson(path);
  const kind = kindIn(content);
  const reader = kinds.get(String(kind));
  if (!reader) {
    throw new FileError(
      path,
      `unknown kind ${JSON.stringify(kind) ?? 'none'}; known are ${[...kinds.keys()].join(', ')}`,
    );
  }
  const quantities = quantitiesOf(content, (file) => reader(file as never, subjects[backend], path), `${kind}`, path);
  return { file: path, pass: passes(quantities), quantities };
}

/** @throws FileError that says why, or which value was looked at last where something else was expected there */
function quantitiesOf(content: unknown, reader: (file: unknown) => Quantity[], kind: string, path: string): Quantity[] {
  try {
    return reader(content);
  } catch (error) {
    const { message, name } = error instanceof Error ? error : new Error(String(error));
    const isOfTheLanguage = ['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError'].includes(name);
    throw new FileError(path, `cannot be used as ${kind}: ${isOfTheLanguage ? lastRead(content, reader) : message}`);
  }
}

export type { Quantity };
