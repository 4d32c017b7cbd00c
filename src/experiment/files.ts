import { parseWith } from '../config/parse.ts';
import type { ExperimentConfig } from '../config/schema.ts';
import { FileError } from '../core/errors.ts';
import type { FileStore } from '../core/files.ts';
import type { Catalogue } from '../core/plugins.ts';

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

/** A file that the task of an experiment names. */
export interface NamedFile {
  /** Parameter of the task, with dots between its keys. */
  readonly key: string;
  readonly path: string;
  /** The hash that the experiment asks for, hexadecimal digits; null: it takes any. */
  readonly sha256: string | null;
}

/** The files that an experiment names, which need not be there. None for a task that reads no files. */
export function filesOf(input: unknown, { tasks }: Catalogue): NamedFile[] {
  const task = isRecord(input) && isRecord(input.task) ? input.task : {};
  const { files } = tasks.find(({ kind }) => kind === task.kind) ?? {};
  const known = isRecord(task.sha256) ? task.sha256 : {};
  const named: NamedFile[] = [];
  mapPaths(task, files?.paths ?? [], (path, key) => {
    const sha256 = known[key];
    named.push({ key, path, sha256: typeof sha256 === 'string' ? sha256 : null });
    return path;
  });
  return named;
}

/** The catalogue with all tasks on files of another place than the disk. */
export function withFiles(catalogue: Catalogue, store: FileStore): Catalogue {
  return { ...catalogue, tasks: catalogue.tasks.map((task) => task.files?.from(store) ?? task) };
}

/** A configuration with the absolute path and the hash of every file of its task. @throws FileError for a file that is another than it was */
export function withPinnedFiles(config: ExperimentConfig, catalogue: Catalogue): ExperimentConfig {
  const { files } = catalogue.tasks.find(({ kind }) => kind === config.task.kind) ?? {};
  if (!files) return config;
  const { store } = files;
  const known = (config.task as { readonly sha256?: Readonly<Record<string, string>> | null }).sha256 ?? {};
  const sha256: Record<string, string> = {};
  const task = mapPaths(config.task, files.paths, (given, key) => {
    const path = store.resolve(given);
    const hash = store.hashOf(path);
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
