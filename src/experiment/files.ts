import { parseWith } from '../config/parse.ts';
import type { ExperimentConfig } from '../config/schema.ts';
import { FileError } from '../core/errors.ts';
import { nodeModule } from '../core/nodeModule.ts';
import type { Catalogue } from '../core/plugins.ts';
import { hashOf } from '../data/index.ts';

type Fields = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

/** Parameters with every path in them replaced; what is no text stays. @param paths keys, with dots between them */
export function mapPaths(
  params: unknown,
  paths: readonly string[],
  use: (path: string, key: string) => string,
): unknown {
  const mapAt = (value: unknown, [key, ...rest]: readonly string[], whole: string): unknown => {
    if (key === undefined) return typeof value === 'string' ? use(value, whole) : value;
    return isRecord(value) && key in value ? { ...value, [key]: mapAt(value[key], rest, whole) } : value;
  };
  return paths.reduce((mapped, path) => mapAt(mapped, path.split('.'), path), params);
}

/**
 * Loads what the files of an experiment's task need that does not come at once: to be awaited before `createExperiment`. Does nothing for a task
 * that reads no files.
 * @throws ConfigError, FileError, UnsupportedError with what to install
 */
export async function loadTaskFiles(input: unknown, catalogue: Catalogue): Promise<void> {
  const task = isRecord(input) && isRecord(input.task) ? input.task : null;
  const model = catalogue.tasks.find(({ kind }) => kind === task?.kind);
  if (model?.files) await model.files.load(parseWith(model.params, task, 'task') as never);
}

/** A configuration with the absolute path and the hash of every file of its task. @throws FileError for a file that is another than it was */
export function withPinnedFiles(config: ExperimentConfig, catalogue: Catalogue): ExperimentConfig {
  const { files } = catalogue.tasks.find(({ kind }) => kind === config.task.kind) ?? {};
  if (!files) return config;
  const { resolve } = nodeModule('node:path', `task "${config.task.kind}"`);
  const known = (config.task as { readonly sha256?: Readonly<Record<string, string>> | null }).sha256 ?? {};
  const sha256: Record<string, string> = {};
  const task = mapPaths(config.task, files.paths, (given, key) => {
    const path = resolve(given);
    const hash = hashOf(path);
    if (known[key] !== undefined && known[key] !== hash) {
      throw new FileError(
        path,
        `is not the file that the experiment names: SHA-256 ${hash}, expected ${known[key]} (task.sha256)`,
      );
    }
    sha256[key] = hash;
    return path;
  });
  return { ...config, task: { ...(task as ExperimentConfig['task']), sha256 } };
}
