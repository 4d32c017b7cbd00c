import { rowAt } from '../core/rows.ts';
import { namedRows } from '../engine/names.ts';
import type { Experiment } from './experiment.ts';

/** Numbers of a field of the state, or of the rows of a trial. */
export function valuesOf({ run: { network } }: Experiment, name: string): ArrayLike<number> {
  return namedRows(network).get(name)?.data ?? network.state.field(name);
}

/** The parts of a field that belong to step t: its rows, or all of it. */
export function rowsOf(
  { run: { network } }: Experiment,
  name: string,
  t: number,
): readonly (readonly [from: number, to: number])[] {
  const rows = namedRows(network).get(name);
  if (!rows) return [[0, network.state.field(name).length]];
  return Array.from({ length: network.spec.sizes.stream }, (_, b) => {
    const from = rowAt(rows, b, t);
    return [from, from + rows.size] as const;
  });
}
