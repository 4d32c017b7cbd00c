import { type Block, cut, type Layout, type Real, type Sizes, type Views } from '../../core/layout.ts';
import type { Network } from '../../core/network.ts';
import type { Quantity, TrialRows } from '../../core/plugins.ts';
import { createRng } from '../../core/rng.ts';
import type { Rows } from '../../core/rows.ts';
import { type AccessLog, createLog, watch, watchAll } from './accessLog.ts';

/** A network with all its arrays replaced by watched copies. */
export interface Watched {
  /** Its state is nobody's: a part is handed fields of its own, under the name `own`. */
  readonly network: Network;
  readonly log: AccessLog;
  /** Rows of the trial and of the population by the names under which they are watched. */
  readonly rows: Readonly<Record<string, Rows>>;
  state(layout: Layout, sizes: Sizes): Views;
}

/** @param network of one population, with projections `in` and `rec` and a readout `out`, after a trial */
export function watchNetwork(network: Network): Watched {
  const log = createLog();
  const rng = createRng(3);
  const copy = (array: Real, name: string) => watch(Float64Array.from(array), name, log);
  const copyRows = (of: Rows, name: string): Rows => ({ ...of, data: copy(of.data, name) });
  const each = <T, U>(record: Readonly<Record<string, T>>, of: (value: T, name: string) => U): Record<string, U> =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name, of(value, name)]));
  const [{ z, psi, current, injected, rateTerm, signals }] = network.activity;
  const rows = each({ ...network.trial, z, psi, current, rateTerm, signal: signals[0] }, copyRows);
  const trial = each({ ...network.trial }, (_, name) => rows[name]) as unknown as TrialRows;
  const noState: Block = { data: new Float64Array(0), table: [], views: () => ({}), field: () => new Float64Array(0) };
  return {
    network: {
      spec: network.spec,
      state: noState,
      trial,
      activity: [
        { z: rows.z, psi: rows.psi, current: rows.current, injected, rateTerm: rows.rateTerm, signals: [rows.signal] },
      ],
      weights: each(network.weights, (block, name) => copy(block, `weights.${name}`)),
      gradient: each(network.gradient, (block, name) =>
        copy(
          block.map(() => 0),
          `gradient.${name}`,
        ),
      ),
      copies: network.copies,
    },
    log,
    rows,
    state(layout, sizes) {
      const views = cut([{ name: 'own', layout, sizes }]).views('own');
      for (const view of Object.values(views)) for (let s = 0; s < view.length; s++) view[s] = 0.1 * rng.uniform();
      return watchAll(views, 'own.', log);
    },
  };
}

export type Part = 'trace' | 'signal' | 'direct';

/** The quantities behind the elements of the trial's arrays and the weights that were read; `t` null: a whole trial. */
export function quantitiesRead({ log, rows }: Watched, part: Part, t: number | null): Set<Quantity> {
  const found = new Set<Quantity>();
  for (const [name, elements] of log.reads) {
    if (name.startsWith('own.') || name.startsWith('gradient.')) continue;
    for (const index of elements) found.add(quantityOf(name, index, rows, part, t));
  }
  return found;
}

/** Step to which an element of whole-time rows belongs. */
export function stepOf({ width, history, steps }: Rows, index: number): number {
  return (Math.floor(index / width) % (history + steps)) - history;
}

function quantityOf(name: string, index: number, rows: Watched['rows'], part: Part, t: number | null): Quantity {
  if (name === 'weights.rec' || name === 'weights.in') return 'weights';
  if (name === 'weights.out') return 'readout';
  if (!(name in rows)) throw new Error(`"${name}" is read, which no footprint can declare`);
  const row = stepOf(rows[name], index);
  const arriving = part === 'signal' ? 'z' : 'pre';
  if (name === 'z') {
    if (t === null) return row === rows.z.steps - 1 ? 'z' : arriving;
    if (row === t) return 'z';
    if (row === t - 1) return arriving;
    throw new Error(`z is read at step ${row} while step ${t} runs`);
  }
  if (t !== null && row !== t) throw new Error(`${name} is read at step ${row} while step ${t} runs`);
  if (name === 'x') return part === 'signal' ? 'input' : 'pre';
  return name as Quantity;
}
