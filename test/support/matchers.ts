import { expect } from 'vitest';

/** Numbers in any nesting: a number, an array, a typed array, arrays of those. */
export type Numbers = number | Float64Array | Float32Array | Int32Array | readonly Numbers[];

export interface Closeness {
  /** Allowed error in units of the largest expected entry. */
  readonly relative: number;
  /** Allowed error as it is, for values that may all be 0. */
  readonly absolute?: number;
}

declare module 'vitest' {
  interface Matchers<T> {
    /** Every entry within `relative` of the largest expected entry (or within `absolute`); shapes must be the same. */
    toBeClose(expected: Numbers, closeness: Closeness): void;
    /** Every entry the same double: 0 and -0 differ, NaN equals NaN. */
    toBeBitEqual(expected: Numbers): void;
  }
}

interface Comparison {
  /** null where shapes are the same. */
  readonly mismatch: string | null;
  readonly count: number;
  readonly worst: number;
  readonly at: string;
  readonly got: number;
  readonly want: number;
  readonly largest: number;
}

expect.extend({
  toBeClose(received: Numbers, expected: Numbers, { relative, absolute = 0 }: Closeness) {
    const found = compareNumbers(received, expected);
    const limit = Math.max(absolute, relative * found.largest);
    const pass = found.mismatch === null && found.worst <= limit;
    return { pass, message: () => describeWorst(found, `error <= ${limit}`, this.isNot) };
  },
  toBeBitEqual(received: Numbers, expected: Numbers) {
    const found = compareNumbers(received, expected, (got, want) =>
      Object.is(got, want) ? 0 : Number.POSITIVE_INFINITY,
    );
    return {
      pass: found.mismatch === null && found.worst === 0,
      message: () => describeWorst(found, 'the same bits', this.isNot),
    };
  },
});

/** The entry with the largest error; a NaN on one side only is the worst of all. */
function compareNumbers(received: Numbers, expected: Numbers, distance = absoluteError): Comparison {
  const got = entries(received);
  const want = entries(expected);
  let worst = 0;
  let at = 0;
  let largest = 0;
  const mismatch = shapeMismatch(got, want);
  for (let s = 0; s < (mismatch ? 0 : want.length); s++) {
    const error = distance(got[s].value, want[s].value);
    largest = Math.max(largest, Math.abs(want[s].value));
    if (error > worst) {
      worst = error;
      at = s;
    }
  }
  const [g, w] = [got[at] ?? { index: '', value: Number.NaN }, want[at] ?? { index: '', value: Number.NaN }];
  return { mismatch, count: want.length, worst, at: w.index, got: g.value, want: w.value, largest };
}

function absoluteError(got: number, want: number): number {
  if (Object.is(got, want)) return 0;
  const error = Math.abs(got - want);
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

interface Entry {
  readonly index: string;
  readonly value: number;
}

function entries(numbers: Numbers, index = '', into: Entry[] = []): Entry[] {
  if (typeof numbers === 'number') into.push({ index, value: numbers });
  else for (let s = 0; s < numbers.length; s++) entries(numbers[s], `${index}[${s}]`, into);
  return into;
}

function shapeMismatch(got: readonly Entry[], want: readonly Entry[]): string | null {
  if (got.length !== want.length) return `${got.length} numbers, expected ${want.length}`;
  const odd = want.findIndex(({ index }, s) => index !== got[s].index);
  return odd < 0 ? null : `an entry at ${got[odd].index} where ${want[odd].index} is expected`;
}

function describeWorst(found: Comparison, wanted: string, isNot: boolean): string {
  if (found.mismatch) return `shapes differ: ${found.mismatch}`;
  const { at, got, want, worst, largest, count } = found;
  const relative = largest > 0 ? `, ${worst / largest} of the largest expected entry ${largest}` : '';
  const head = `${isNot ? 'did not expect' : 'expected'} ${wanted} in all of ${count} numbers`;
  return `${head}\nworst at ${at || '[]'}: got ${got}, expected ${want}\nerror ${worst}${relative}`;
}
