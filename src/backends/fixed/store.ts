import { type FieldFormat, type FieldStatistics, limitsOf } from '../../core/format.ts';
import type { Real } from '../../core/layout.ts';
import type { Loops } from '../../core/loops.ts';
import type { Chance } from './chance.ts';
import type { DoubleKernels } from './kernels.ts';

/** Puts the numbers of one field on its grid, and counts what became of them. */
export interface Store {
  statistics(): FieldStatistics;
  /** Counts begin anew; the range does not. */
  resetCounts(): void;
  /**
   * Entries [from, from + n) of the field, and of so many rows in all, `stride` entries apart; those that have not changed since the last
   * time cost a comparison.
   */
  settle(from: number, n: number, rows?: number, stride?: number): void;
  /** The field may have been written from outside, on its grid: that is no change. */
  reload(): void;
  /** How the field takes changes that are rounded before they are added; null where the sum has to be rounded. */
  readonly learn: Learn | null;
  /** A trace that is filtered and put on its grid in one go; null where there is no kernel for it. */
  readonly filtered: Filtered | null;
}

/** Of the loops of a backend, the one that filters a trace, on this field; `sweep` comes before the first call of a step. */
export interface Filtered {
  sweep(): void;
  readonly addFiltered: Loops['addFiltered'];
}

/**
 * Of the loops of a backend those that change a field, for this field, which is on its grid: each change is rounded to steps, and few of
 * them are left to be carried out.
 */
export interface Learn extends Pick<Loops, 'addOuter' | 'take'> {
  /** w moves by rate (scale sum of eps_i d_j over the streams), as by a gradient.   eps: [stream][pre]; d: [stream][post] */
  takeProducts?(eps: Real, d: Real, nPre: number, nPost: number, nStream: number, scale: number, rate: number): void;
  /** out_j += sum_i x_i M_ij in integers. @returns whether it could: x has to be of 0 and 1 */
  predict?(out: Real, to: number, x: Real, from: number, nPre: number, nPost: number): boolean;
}

/** What a store works on: all of one memory where kernels do the work. */
export interface StoreArrays {
  /** The field. */
  readonly values: Real;
  /**
   * The numbers as they were stored last, of the same length: what a change is measured against. null for rows of a trial, in which
   * every number is new.
   */
  readonly kept: Real | null;
  /** The format and the counts. [recordLength] */
  readonly record: Real;
  /** Work space of two numbers per entry of the longest row, in whole groups of eight. */
  readonly row: Real;
  /** Work space of 4 numbers per pair of an outer product and per entry of what a matrix reads. */
  readonly list: Real;
  /** Work space of the pairs of an outer product, as numbers and as two rows of a mirror, and of half a number per row. */
  readonly scaled: Real;
  /** Room for a matrix as 16-bit integers, for kernels that read it; null: none is kept. */
  readonly mirror: { readonly room: Real; readonly rows: number } | null;
}

/** Entries of the record, which plain loops and kernels share. */
export const slots = {
  scale: 0,
  step: 1,
  low: 2,
  high: 3,
  count: 4,
  tried: 5,
  fired: 6,
  lost: 7,
  saturated: 8,
  wrapped: 9,
  flushed: 10,
  smallest: 11,
  largest: 12,
  /** Of a field with a copy of 16-bit integers: other than 0 where one of its entries is no number, which no integer says. */
  odd: 13,
} as const;
export const recordLength = 14;

type Format = FieldFormat['format'];
const roundings: readonly Format['rounding'][] = ['floor', 'nearest', 'toward-zero', 'stochastic'];

/** @param kernels take the place of the plain loops, with the same numbers, unless random numbers come one after the other */
export function createStore(
  { field, format }: FieldFormat,
  arrays: StoreArrays,
  chance: Chance,
  kernels: DoubleKernels | null = null,
): Store {
  const { record, values, kept } = arrays;
  const scale = 2 ** format.fraction;
  const [low, high] = limitsOf(format);
  record.set([scale, 1 / scale, low, high, high - low + 1]);
  const count = (name: keyof typeof slots) => record[slots[name]];
  const stochastic = format.rounding === 'stochastic';
  const inOrder = stochastic && !chance.keys;
  const bind = kernels && !inOrder ? boundKernels(kernels, format, arrays, chance) : plainLoops(format, arrays, chance);
  return {
    ...bind,
    // Toward zero depends on the sum, not on the change alone.
    learn: format.rounding === 'toward-zero' || inOrder ? null : bind.learn,
    reload() {
      kept?.set(values);
      bind.reload?.();
    },
    statistics: () => ({
      field,
      format,
      tried: count('tried'),
      fired: count('fired'),
      lost: count('lost'),
      saturated: count('saturated'),
      wrapped: count('wrapped'),
      flushed: count('flushed'),
      smallest: count('smallest'),
      largest: count('largest'),
    }),
    resetCounts: () => void record.fill(0, slots.tried, slots.flushed + 1),
  };
}

type Roundings = Pick<Store, 'settle' | 'learn' | 'filtered'> & { readonly reload?: () => void };

/** What every rounding kernel of a field is told: addresses, how it rounds, where its random numbers are. */
interface Rounding {
  readonly k: DoubleKernels;
  readonly arrays: StoreArrays;
  readonly bits: number;
  readonly scale: number;
  /** Steps of a change: those of stochastic rounding are 2^-31 of a step. */
  readonly unit: number;
  readonly sweep: () => void;
  /** Addresses of the values and of the record. */
  readonly to: number;
  readonly at: number;
  readonly kind: number;
  readonly wraps: number;
  /** Of the random numbers; other ones with every sweep. [2] */
  readonly keys: Int32Array;
}

function boundKernels(k: DoubleKernels, format: Format, arrays: StoreArrays, chance: Chance): Roundings {
  const { values, kept, record, mirror } = arrays;
  const stochastic = format.rounding === 'stochastic';
  const scale = 2 ** format.fraction;
  const keys = chance.keys ?? new Int32Array(2);
  const kind = roundings.indexOf(format.rounding);
  const wraps = format.overflow === 'wrap' ? 1 : 0;
  const [to, old, at] = [values.byteOffset, kept?.byteOffset ?? 0, record.byteOffset];
  const sweep = stochastic ? chance.sweep : () => {};
  const unit = stochastic ? scale * 2 ** 31 : scale;
  const rounding: Rounding = { k, arrays, bits: format.bits, scale, unit, sweep, to, at, kind, wraps, keys };
  return {
    ...(mirror && {
      reload: () => k.reflect(mirror.room.byteOffset, to, mirror.rows, values.length / mirror.rows, at),
    }),
    filtered: filteredOf(rounding),
    settle(from, n, rows = 1, stride = 0) {
      // A row is a sweep.
      const together = stochastic ? 1 : rows;
      for (let row = 0; row < rows; row += together) {
        sweep();
        k.settle(to, old, from + row * stride, n, together, stride, at, kind, wraps, keys[0], keys[1]);
      }
    },
    learn: { ...learnOf(rounding), ...predictOf(rounding) },
  };
}

/** A filtered trace that is rounded while it meets its signal. */
function filteredOf({ k, sweep, to, at, kind, wraps, keys }: Rounding): Roundings['filtered'] {
  return {
    sweep,
    addFiltered: (grad, _eBar, e, signal, rate, { nPre, nPost }, syn, signalRow, rateRow, kappa, gain) =>
      k.addFilteredRounded(
        grad.byteOffset,
        to + 8 * syn,
        e.byteOffset + 8 * syn,
        signal.byteOffset + 8 * signalRow,
        rate.byteOffset + 8 * rateRow,
        kappa,
        gain,
        nPre,
        nPost,
        syn,
        at,
        kind,
        wraps,
        keys[0],
        keys[1],
      ),
  };
}

/** Changes that go to the stored numbers as they are made. */
function learnOf({ k, arrays, unit, sweep, to, at, kind, wraps, keys }: Rounding): Learn {
  const { record, row, list, scaled, mirror } = arrays;
  const [work, groups, times] = [row.byteOffset, list.byteOffset, scaled.byteOffset];
  const copied = () => (record[slots.odd] === 0 ? (mirror?.room.byteOffset ?? 0) : 0);
  return {
    addOuter(_M, x, from, stride, d, rate, nPre, nPost, pairs) {
      sweep();
      const first = x.byteOffset + 8 * from;
      const by = rate * unit;
      k.learnOuter(
        to,
        copied(),
        first,
        stride,
        d.byteOffset,
        groups,
        work,
        times,
        by,
        nPre,
        nPost,
        pairs,
        at,
        kind,
        wraps,
        keys[0],
        keys[1],
      );
    },
    take(_w, step) {
      sweep();
      k.takeRounded(
        to,
        step.byteOffset,
        step.length,
        -unit,
        work,
        groups,
        row.length & ~3,
        at,
        kind,
        wraps,
        keys[0],
        keys[1],
      );
    },
    takeProducts(eps, d, nPre, nPost, nStream, scaleOf, rate) {
      sweep();
      const [e, f] = [eps.byteOffset, d.byteOffset];
      k.learnProducts(
        to,
        e,
        f,
        groups,
        work,
        times,
        scaleOf,
        rate,
        -unit,
        nPre,
        nPost,
        nStream,
        at,
        kind,
        wraps,
        keys[0],
        keys[1],
      );
    },
  };
}

/** Products with the copy in 16-bit integers, of a field that has one and holds numbers alone. */
function predictOf({ k, arrays, bits, scale }: Rounding): Partial<Learn> {
  const { record, list, mirror } = arrays;
  if (!mirror) return {};
  return {
    predict: (out, start, x, from, nPre, nPost) =>
      record[slots.odd] === 0 &&
      k.addMirrored(
        out.byteOffset + 8 * start,
        mirror.room.byteOffset,
        x.byteOffset + 8 * from,
        list.byteOffset,
        nPre,
        nPost,
        1 / scale,
        2 ** (16 - bits),
      ) !== 0,
  };
}

/** The definition. */
function plainLoops(format: Format, { values, kept, record, row }: StoreArrays, chance: Chance): Roundings {
  const round = rounders[format.rounding];
  const wraps = format.overflow === 'wrap';
  const sweep = format.rounding === 'stochastic' ? chance.sweep : () => {};
  const scale = 2 ** format.fraction;
  const unit = format.rounding === 'stochastic' ? scale * 2 ** 31 : scale;
  const change = (s: number, by: number) => {
    const whole = format.rounding === 'stochastic' ? draw(by, chance.at(s) * 2 ** 31) : round(by, chance, s);
    if (whole === 0) record[slots.lost] += 1;
    else moveBy(values, s, whole, record, wraps);
  };
  return {
    settle(from, n, rows = 1, stride = 0) {
      for (let row = 0, first = from; row < rows; row++, first += stride) {
        sweep();
        for (let s = first; s < first + n; s++) settleOne(values, kept, s, record, wraps, round, chance);
      }
    },
    learn: {
      addOuter(_M, x, from, stride, d, rate, nPre, nPost, pairs) {
        sweep();
        for (let i = 0; i < nPre; i++) {
          let active = false;
          row.fill(0, 0, nPost);
          for (let b = 0; b < pairs; b++) {
            const factor = rate * unit * x[from + b * stride + i];
            if (factor === 0) continue;
            active = true;
            for (let j = 0; j < nPost; j++) row[j] += factor * d[b * nPost + j];
          }
          if (!active) continue;
          record[slots.tried] += nPost;
          for (let j = 0; j < nPost; j++) change(i * nPost + j, row[j]);
        }
      },
      take(_w, step) {
        sweep();
        for (let s = 0; s < step.length; s++) {
          if (step[s] === 0) continue;
          record[slots.tried] += 1;
          change(s, -unit * step[s]);
        }
        step.fill(0);
      },
    },
    filtered: null,
  };
}

/** Stochastic rounding of a change to whole steps. @param change in steps of 2^-31 @param word random, of 31 bits */
function draw(change: number, word: number): number {
  const rest = word - change;
  if (rest >= 0 && rest < 2 ** 31) return 0;
  const below = Math.floor(change / 2 ** 31);
  return below + (word < change - below * 2 ** 31 ? 1 : 0);
}

function settleOne(
  values: Real,
  kept: Real | null,
  s: number,
  record: Real,
  wraps: boolean,
  round: Rounder,
  chance: Chance,
): void {
  const value = values[s];
  if (value < record[slots.smallest]) record[slots.smallest] = value;
  if (value > record[slots.largest]) record[slots.largest] = value;
  const old = kept ? kept[s] : Number.NaN;
  if (value === old) return;
  const scale = record[slots.scale];
  record[slots.tried] += 1;
  const rounded = round(value * scale, chance, s);
  const integer = within(rounded, record, wraps);
  // Never -0: what is stored is an integer.
  const stored = integer / scale + 0;
  // Beyond the word the change may have been of many steps.
  if (stored === old) record[slots.lost] += integer === rounded || Math.abs(value * scale - integer) < 1 ? 1 : 0;
  else record[slots.fired] += 1;
  if (stored === 0 && value !== 0) record[slots.flushed] += 1;
  values[s] = stored;
  if (kept) kept[s] = stored;
}

/** Moves entry s by a whole number of steps. */
function moveBy(values: Real, s: number, steps: number, record: Real, wraps: boolean): void {
  const scale = record[slots.scale];
  const integer = values[s] * scale + steps;
  if (integer / scale < record[slots.smallest]) record[slots.smallest] = integer / scale;
  if (integer / scale > record[slots.largest]) record[slots.largest] = integer / scale;
  const stored = within(integer, record, wraps) / scale + 0;
  if (stored === values[s]) return;
  record[slots.fired] += 1;
  if (stored === 0) record[slots.flushed] += 1;
  values[s] = stored;
}

/** An integer beyond the word, saturated or wrapped. */
function within(integer: number, record: Real, wraps: boolean): number {
  const low = record[slots.low];
  const high = record[slots.high];
  if (!(integer < low || integer > high)) return integer;
  if (wraps) {
    const count = record[slots.count];
    record[slots.wrapped] += 1;
    return low + ((((integer - low) % count) + count) % count);
  }
  record[slots.saturated] += 1;
  return integer < low ? low : high;
}

type Rounder = (value: number, chance: Chance, s: number) => number;

const rounders: Readonly<Record<Format['rounding'], Rounder>> = {
  floor: (value) => Math.floor(value),
  nearest: (value) => Math.floor(value + 0.5),
  'toward-zero': (value) => Math.trunc(value),
  // Up with the chance of what it lies above a whole number; whole numbers stay, and draw nothing.
  stochastic: (value, chance, s) => (value === Math.floor(value) ? value : Math.ceil(value - chance.at(s))),
};
