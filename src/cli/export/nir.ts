import { ConfigError } from '../../core/errors.ts';
import type { Written } from '../../data/index.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { exportNetwork, type Target, targets, writtenOwn } from '../../nir/index.ts';
import { weightFiles } from '../weights.ts';

export interface NirFlags {
  readonly for?: string;
  readonly lossy?: boolean;
  readonly readouts?: boolean;
}

export interface NirFile {
  readonly tree: Written;
  readonly target: Target;
  /** What NIR cannot say and was dropped. */
  readonly lost: readonly string[];
  readonly notes: readonly string[];
}

/** Version of the reference library whose format is written. */
const nirVersion = '1.0.8';

/** A network as NIR, with our exact parameters in its metadata. @throws ConfigError, UnsupportedError */
export function nirOf({ config, run }: Experiment, flags: NirFlags): NirFile {
  const target = targetOf(flags.for);
  const files = weightFiles(run.network).map(({ name, shape, values }) => {
    return [name, { shape, values: Float64Array.from(values) }] as const;
  });
  const metadata = writtenOwn({ config, weights: new Map(files) });
  const options = { lossy: flags.lossy ?? false, readouts: flags.readouts ?? false, metadata };
  const { graph, lost, notes } = exportNetwork(run.network, target, options);
  return { tree: { version: nirVersion, node: graph }, target, lost, notes };
}

function targetOf(text: string | undefined): Target {
  const wanted = text?.split(',') ?? [];
  const target = targets.find(({ frameworks }) => wanted.every((name) => frameworks.includes(name)));
  if (target && wanted.length > 0) return target;
  const known = targets.map(({ frameworks }) => frameworks.join(',')).join(' or ');
  throw new ConfigError('--for', text, `frameworks that read one file to the same spikes: ${known}`);
}
