import { dirname, resolve } from 'node:path';
import { FileError } from '../core/errors.ts';
import type { Catalogue } from '../core/plugins.ts';
import { mapPaths } from '../experiment/files.ts';
import { decodeNpy, readBytes } from '../record/index.ts';

/**
 * An experiment with every `{ "npy": "FILE" }` replaced by the numbers of the file: lists of parameters, of delays, of pairs.
 * What is made of it, and written into run folders, stands for itself.
 * @param source the file that the experiment is from, which paths are relative to
 * @throws FileError for a file that cannot be read, is of another type, or has more than two axes
 */
export function withArrays(experiment: unknown, source: string): unknown {
  if (Array.isArray(experiment)) return experiment.map((value) => withArrays(value, source));
  if (typeof experiment !== 'object' || experiment === null) return experiment;
  const keys = Object.keys(experiment);
  const { npy } = experiment as { readonly npy?: unknown };
  if (keys.length === 1 && typeof npy === 'string') return numbersOf(resolve(dirname(source), npy));
  return Object.fromEntries(Object.entries(experiment).map(([key, value]) => [key, withArrays(value, source)]));
}

function numbersOf(path: string): number[] | number[][] {
  const { shape, data } = decodeNpy(readBytes(path), path);
  const numbers = Array.from(data);
  if (shape.length === 1) return numbers;
  const [rows, columns] = shape;
  if (shape.length !== 2) throw new FileError(path, `has ${shape.length} axes, expected 1 for a list or 2 for pairs`);
  return Array.from({ length: rows }, (_, row) => numbers.slice(row * columns, (row + 1) * columns));
}

/**
 * An experiment in which the files of its task are named from where the experiment lies.
 * @param source the file that the experiment is from
 */
export function withPaths(experiment: unknown, source: string, catalogue: Catalogue): unknown {
  if (typeof experiment !== 'object' || experiment === null) return experiment;
  const { task } = experiment as { readonly task?: { readonly kind?: unknown } };
  const { files } = catalogue.tasks.find(({ kind }) => kind === task?.kind) ?? {};
  if (!files) return experiment;
  return { ...experiment, task: mapPaths(task, files.paths, (path) => resolve(dirname(source), path)) };
}
