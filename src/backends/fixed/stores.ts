import { blockGroup, channelName, readoutParts, signalSizes } from '../../core/bindings.ts';
import type { FieldFormat } from '../../core/format.ts';
import { fieldShape, type Real, type Role } from '../../core/layout.ts';
import type { Network, NetworkSpec } from '../../core/network.ts';
import { columnsOf, type Rows, rowAt } from '../../core/rows.ts';
import { createChance } from './chance.ts';
import { type LearnOf, longestRow } from './loops.ts';
import type { KernelMemory } from './memory.ts';
import { createStore, type Filtered, recordLength, type Store, type StoreArrays } from './store.ts';

/** A store with where it belongs. */
export interface Bound {
  readonly field: string;
  /** What its group of state is; `rows` of a trial. */
  readonly role: Role;
  /** Of rows of a trial: which. */
  readonly rows: (Rows & { readonly stage: RowStage }) | null;
  readonly values: Real;
  readonly store: Store;
  readonly length: number;
  /** It rounds its changes itself, so that it need not be settled. */
  learns: boolean;
}

/** Rows that stages hand on. */
export type RowStage = 'psi' | 'y' | 'error' | 'signal' | 'rateTerm';

/** Numbers of work space that all stores of a network share. */
function workOf(spec: NetworkSpec): { readonly row: number; readonly list: number; readonly scaled: number } {
  const longest = longestRow(spec);
  const widest = spec.populations.reduce((most, { size }) => Math.max(most, size), 0);
  const rowOfWords = 4 * Math.ceil(widest / 8);
  return {
    row: 16 * Math.ceil(longest / 8),
    list: 4 * longest,
    scaled: spec.sizes.stream * (widest + 2 * rowOfWords) + 5 * rowOfWords + Math.ceil(longest / 2) + 1,
  };
}

/** Numbers that `bindStores` takes for fields of so many numbers in all, without kernels. */
export function storeNumbers(spec: NetworkSpec, fields: number): number {
  const { row, list, scaled } = workOf(spec);
  return row + list + scaled + fields + (spec.formats?.length ?? 0) * recordLength;
}

export function bindStores(network: Network, take: (length: number) => Real, memory: KernelMemory | null): Bound[] {
  const { spec, state } = network;
  if (!spec.formats) return [];
  const { generator, seed } = spec.rounding;
  const work = workOf(spec);
  const row = take(work.row);
  const list = take(work.list);
  const scaled = take(work.scaled);
  const learning = learningFields(spec);
  const shapes = matrixShapes(spec);
  const rowsOf = stagedRows(network);
  const roles = new Map(state.table.map(({ name, role }) => [name, role]));
  // Signed words of up to 16 bits are also kept as such, where a signal reads the matrix.
  const mirrorOf = ({ field, format }: FieldFormat): StoreArrays['mirror'] => {
    const shape = shapes.get(field);
    if (!memory || !shape || !format.signed || format.bits > 16) return null;
    const [rows, width] = shape;
    return { room: take(2 * Math.ceil(width / 8) * rows), rows };
  };
  return spec.formats.map((given, index): Bound => {
    const { field } = given;
    const rows = rowsOf.get(field) ?? null;
    const values: Real = rows ? rows.data : state.field(field);
    // A number that is no grid point: everything is settled the first time.
    const kept = rows ? null : take(values.length).fill(Number.NaN);
    const arrays: StoreArrays = {
      values,
      kept,
      record: take(recordLength),
      row,
      list,
      scaled,
      mirror: mirrorOf(given),
    };
    const chance = createChance(generator, state.field('fixed.chance'), index, seed);
    const store = createStore(given, arrays, chance, memory?.kernels);
    const learns = store.learn !== null && learning.has(field);
    return {
      field,
      role: rows ? 'rows' : (roles.get(field) ?? 'run'),
      rows,
      values,
      store,
      length: values.length,
      learns,
    };
  });
}

/** Matrices of signals, [rows, columns]. */
function matrixShapes(spec: NetworkSpec): Map<string, number[]> {
  const shapes = new Map<string, number[]>();
  for (const population of spec.populations) {
    population.signals.forEach(({ layout }, c) => {
      const group = channelName(`population.${population.name}.signal`, spec, c);
      for (const [name, field] of Object.entries(layout)) {
        if (field.home !== 'synapse' && field.home !== 'pair') continue;
        shapes.set(`${group}.${name}`, fieldShape(field, signalSizes(spec, population, c)));
      }
    });
  }
  return shapes;
}

function stagedRows({ spec, trial, activity }: Network): Map<string, Rows & { readonly stage: RowStage }> {
  const found = new Map<string, Rows & { readonly stage: RowStage }>();
  spec.populations.forEach(({ name }, p) => {
    const { psi, rateTerm, signals } = activity[p];
    found.set(`population.${name}.psi`, { ...psi, stage: 'psi' });
    found.set(`population.${name}.rateTerm`, { ...rateTerm, stage: 'rateTerm' });
    signals.forEach((signal, c) => {
      found.set(channelName(`population.${name}.signal`, spec, c), { ...signal, stage: 'signal' });
    });
  });
  for (const { name, column, size } of spec.readouts) {
    for (const stage of ['y', 'error'] as const) {
      found.set(`readout.${name}.${stage}`, { ...columnsOf(trial[stage], column, size), stage });
    }
  }
  return found;
}

export function settle(stores: readonly Bound[]): void {
  for (const { store, length, learns } of stores) if (!learns) store.settle(0, length);
}

/** The step's row of every stream. */
export function settleRows(stores: readonly Bound[], t: number, streams: number): void {
  for (const { store, rows } of stores) {
    if (rows) store.settle(rowAt(rows, 0, t), rows.size, streams, (rows.history + rows.steps) * rows.width);
  }
}

/**
 * What was there before the first step: drawn weights, matrices of the signal. The numbers of a resumed run are on their grids, and
 * its draws go on where they were.
 */
export function putOnGrids(stores: readonly Bound[], chance: Real): void {
  const before = Float64Array.from(chance);
  for (const { store, role, length } of stores) if (role !== 'rows') store.settle(0, length);
  if (before.some((drawn) => drawn !== 0)) chance.set(before);
  for (const { store } of stores) store.resetCounts();
}

export function withRole(stores: readonly Bound[], name: Role): readonly Bound[] {
  return stores.filter(({ role }) => role === name);
}

/** The store that a filtered trace goes through. */
export function filteredOf(stores: readonly Bound[]): (values: Real) => Filtered | null {
  const byValues = new Map(stores.map((bound) => [bound.values, bound]));
  return (values) => {
    const bound = byValues.get(values);
    const filtered = bound?.store.filtered;
    if (!bound || !filtered) return null;
    if (!bound.learns) filtered.sweep();
    bound.learns = true;
    return filtered;
  };
}

/** The store that rounds the changes of a field, if it does. */
export function learnOf(stores: readonly Bound[]): LearnOf {
  const byValues = new Map(stores.map((bound) => [bound.values, bound]));
  return (values) => {
    const bound = byValues.get(values);
    return bound?.learns ? bound.store.learn : null;
  };
}

/** Names of the fields whose changes are rounded. Weights that are also limited, or decay, have their sum rounded. */
function learningFields(spec: NetworkSpec): ReadonlySet<string> {
  const { clamp, populations, blocks } = spec;
  const fields = new Set<string>();
  for (const { name, signals } of populations) {
    signals.forEach(({ layout }, c) => {
      const group = channelName(`population.${name}.signal`, spec, c);
      for (const [field, { outer }] of Object.entries(layout)) if (outer) fields.add(`${group}.${field}`);
    });
  }
  const decays = (readout: number) => readoutParts(spec, readout).some(({ keep }) => keep !== 1);
  for (const block of blocks) {
    const limited = block.kind === 'readout' ? decays(block.owner) : (block.synapses?.signs ?? null) !== null;
    if (!clamp && !limited) fields.add(`${blockGroup(block, spec)}.weights`);
  }
  return fields;
}

/** Fields of traces that change by `addFiltered` alone. */
export function filteredFields(spec: NetworkSpec): ReadonlySet<string> {
  return new Set(
    spec.projections.flatMap(({ name, traces }) =>
      traces.flatMap(({ layout }, c) =>
        Object.entries(layout).flatMap(([field, { filtered }]) =>
          filtered ? [`${channelName(`projection.${name}.trace`, spec, c)}.${field}`] : [],
        ),
      ),
    ),
  );
}
