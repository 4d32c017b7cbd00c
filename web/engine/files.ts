import { type Catalogue, ConfigError, filesOf, givenFiles, withFiles } from '../../src/browser.ts';
import type { FileName, Files, NeededFile } from './protocol.ts';

/** The files of an experiment, and what is missing of them. */
export interface Found {
  /** The catalogue, whose tasks read what was given. */
  readonly catalogue: Catalogue;
  readonly files: readonly FileName[];
  readonly missing: readonly NeededFile[];
}

/**
 * Looks for the files that an experiment names among those that were given: by their names, and by the hashes that it or the address asks for.
 * @throws ConfigError for two files that a page cannot tell apart
 */
export function findFiles(experiment: unknown, catalogue: Catalogue, { given, asked }: Files): Found {
  const store = givenFiles(given);
  const paths = new Map<string, string>();
  const found: NeededFile[] = filesOf(experiment, catalogue).map(({ key, path, sha256 }) => {
    const name = store.resolve(path);
    const other = paths.get(name);
    if (other !== undefined && other !== path) {
      throw new ConfigError(
        `task.${key}`,
        path,
        `another name than that of ${other}: a page knows files by their names`,
      );
    }
    paths.set(name, path);
    const wanted = sha256 ?? asked.find((file) => file.name === name)?.sha256 ?? null;
    return { name, sha256: wanted, got: given.find((file) => file.name === name)?.sha256 ?? null };
  });
  const distinct = [...new Map(found.map((file) => [file.name, file])).values()];
  const isThere = ({ sha256, got }: NeededFile) => got !== null && (sha256 === null || sha256 === got);
  return {
    catalogue: withFiles(catalogue, store),
    files: distinct.map(({ name, got }) => ({ name, sha256: got })),
    missing: distinct.filter((file) => !isThere(file)),
  };
}
