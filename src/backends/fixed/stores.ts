import type { FieldFormat } from '../../core/format.ts';
import { fieldShape, type Real, type Sizes } from '../../core/layout.ts';
import { type Network, type NetworkSpec, type WeightName, weightNames } from '../../core/network.ts';
import { createChance } from './chance.ts';
import { type LearnOf, longestRow } from './loops.ts';
import type { KernelMemory } from './memory.ts';
import { createStore, type Filtered, recordLength, type Store, type StoreArrays } from './store.ts';

/** A store with where it belongs. */
export interface Bound {
  readonly field: string;
  readonly group: string;
  /** Its name within the group. */
  readonly name: string;
  readonly values: Real;
  readonly store: Store;
  readonly length: number;
  /** It rounds its changes itself, so that it need not be settled. */
  learns: boolean;
}

export function bindStores(
  { spec, state, trial }: Network,
  take: (length: number) => Real,
  memory: KernelMemory | null,
): Bound[] {
  if (!spec.formats) return [];
  const { generator, seed } = spec.rounding;
  const longest = longestRow(spec);
  const row = take(16 * Math.ceil(longest / 8));
  const list = take(4 * longest);
  const { sizes, rule } = spec;
  const rowOfWords = 4 * Math.ceil(sizes.rec / 8);
  const scaled = take(sizes.stream * (sizes.rec + 2 * rowOfWords) + 5 * rowOfWords + Math.ceil(longest / 2) + 1);
  const learning = learningFields(spec);
  // Signed words of up to 16 bits are also kept as such, where a signal reads the matrix.
  const mirrorOf = ({ field, format }: FieldFormat): StoreArrays['mirror'] => {
    const declared = field.startsWith('signal.') ? rule?.signal.layout[field.slice('signal.'.length)] : undefined;
    const isMatrix = declared?.home === 'synapse' || declared?.home === 'pair';
    if (!memory || !isMatrix || !format.signed || format.bits > 16) return null;
    const [rows, width] = fieldShape(declared, sizes);
    return { room: take(2 * Math.ceil(width / 8) * rows), rows };
  };
  return spec.formats.map((given, index): Bound => {
    const { field } = given;
    const cut = field.lastIndexOf('.');
    const group = field.slice(0, cut);
    const name = field.slice(cut + 1);
    const values: Real = group === 'trial' ? trial[name as 'psi'] : state.field(field);
    // A number that is no grid point: everything is settled the first time.
    const kept = group === 'trial' ? null : take(values.length).fill(Number.NaN);
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
    return { field, group, name, values, store, length: values.length, learns };
  });
}

export function settle(stores: readonly Bound[]): void {
  for (const { store, length, learns } of stores) if (!learns) store.settle(0, length);
}

/** The step's row of every stream. */
export function settleRows(rows: readonly Bound[], t: number, { stream, step }: Sizes): void {
  for (const { store, length } of rows) {
    const width = length / (stream * step);
    store.settle(t * width, width, stream, step * width);
  }
}

/**
 * What was there before the first step: drawn weights, matrices of the signal. The numbers of a resumed run are on their grids, and
 * its draws go on where they were.
 */
export function putOnGrids(stores: readonly Bound[], chance: Real): void {
  const before = Float64Array.from(chance);
  for (const { store, group, length } of stores) if (group !== 'trial') store.settle(0, length);
  if (before.some((drawn) => drawn !== 0)) chance.set(before);
  for (const { store } of stores) store.resetCounts();
}

export function inGroup(stores: readonly Bound[], name: string): readonly Bound[] {
  return stores.filter(({ group }) => group === name);
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
function learningFields({ clamp, rule, projections }: NetworkSpec): ReadonlySet<string> {
  const matrices = Object.entries(rule?.signal.layout ?? {}).filter(([, { outer }]) => outer);
  const limited: Readonly<Record<WeightName, boolean>> = {
    wIn: projections.in.signs !== null,
    wRec: projections.rec.signs !== null,
    wOut: (rule?.signal.readoutDecay ?? 0) > 0,
    bOut: false,
  };
  const weights = weightNames.filter((name) => !clamp && !limited[name]);
  return new Set([...matrices.map(([name]) => `signal.${name}`), ...weights.map((name) => `weights.${name}`)]);
}
