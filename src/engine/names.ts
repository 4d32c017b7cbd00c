import { channelName } from '../core/bindings.ts';
import { ConfigError } from '../core/errors.ts';
import type { Network } from '../core/network.ts';
import { columnsOf, type Rows } from '../core/rows.ts';

/** Rows of a trial by the names that recordings, formats and figures use. */
export function namedRows(network: Network): ReadonlyMap<string, Rows> {
  const known = named.get(network) ?? nameRows(network);
  named.set(network, known);
  return known;
}

/** Rows stay where they are as long as their network; a recording asks for them at every step. */
const named = new WeakMap<Network, ReadonlyMap<string, Rows>>();

function nameRows({ spec, trial, activity }: Network): ReadonlyMap<string, Rows> {
  const rows = new Map<string, Rows>([['task.x', trial.x]]);
  spec.populations.forEach(({ name }, p) => {
    const { z, psi, current, rateTerm, signals } = activity[p];
    rows.set(`population.${name}.z`, z).set(`population.${name}.psi`, psi);
    signals.forEach((signal, c) => {
      rows.set(channelName(`population.${name}.signal`, spec, c), signal);
    });
    if (current.data.length > 0) rows.set(`population.${name}.current`, current);
    rows.set(`population.${name}.rateTerm`, rateTerm);
  });
  for (const { name, column, size } of spec.readouts) {
    for (const field of ['y', 'target', 'expected', 'error'] as const) {
      rows.set(`readout.${name}.${field}`, columnsOf(trial[field], column, size));
    }
  }
  return rows.set('task.weight', trial.weight);
}

/**
 * The name that is meant: as it stands, or, where only one of the known ones ends so, without its beginning: `y` of a network with one
 * readout.
 * @throws ConfigError for a name that fits none, or several
 */
export function fullName(given: string, known: Iterable<string>, path: string): string {
  const names = [...known];
  if (names.includes(given)) return given;
  const fitting = names.filter((name) => name.endsWith(`.${given}`));
  if (fitting.length === 1) return fitting[0];
  throw new ConfigError(path, given, `one of ${(fitting.length > 1 ? fitting : names).join(', ')}`);
}

/** Whether a pattern, with `*` for any number of characters, fits a name. */
export function fits(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'u').test(name);
}
