/** One compared quantity of a golden file. */
export interface Quantity {
  readonly name: string;
  readonly checked: boolean;
  /** max |got - want| / max |want|; the absolute error where every value wanted is 0; null where not checked. */
  readonly worst: number | null;
  readonly tolerance: number | null;
  /** Index of the worst value with what was got and wanted, or why it was not checked. */
  readonly where: string;
}

/** Which backend is verified, and what it may be off by: float64 keeps each quantity's own tolerance. */
export interface Subject {
  readonly backend: 'reference' | 'wasm';
  tolerance(exact: number): number;
}

/** float32 on networks of some hundred steps: see test/conformance/backends.test.ts for where the number comes from. */
const float32Tolerance = 5e-4;

export const subjects: Readonly<Record<Subject['backend'], Subject>> = {
  reference: { backend: 'reference', tolerance: (exact) => exact },
  wasm: { backend: 'wasm', tolerance: (exact) => (exact === 0 ? 0 : Math.max(exact, float32Tolerance)) },
};

export type Nested = number | readonly Nested[];

/** All numbers of a nested array, row by row. */
export function flatten(value: Nested, into: number[] = []): number[] {
  if (typeof value === 'number') into.push(value);
  else for (const part of value) flatten(part, into);
  return into;
}

/** Lengths of a nested array, along its first entries. */
export function shapeOf(value: Nested): number[] {
  return typeof value === 'number' ? [] : [value.length, ...(value.length > 0 ? shapeOf(value[0]) : [])];
}

/** Compares two lists of numbers; `shape` is for naming the worst place. */
export function compare(
  name: string,
  got: ArrayLike<number>,
  want: Nested,
  tolerance: number,
  shape = shapeOf(want),
): Quantity {
  const wanted = flatten(want);
  if (got.length !== wanted.length) {
    return {
      name,
      checked: true,
      worst: Number.POSITIVE_INFINITY,
      tolerance,
      where: `length ${got.length}, expected ${wanted.length}`,
    };
  }
  let largest = 0;
  let error = -1;
  let worstAt = 0;
  for (let s = 0; s < wanted.length; s++) {
    const difference = Math.abs(got[s] - wanted[s]);
    largest = Math.max(largest, Math.abs(wanted[s]));
    if (!(difference <= error)) {
      error = difference;
      worstAt = s;
      if (Number.isNaN(difference)) break;
    }
  }
  const worst = Math.max(error, 0) / (largest || 1);
  const where =
    wanted.length === 0 ? 'empty' : `${place(worstAt, shape)}: got ${got[worstAt]}, want ${wanted[worstAt]}`;
  return { name, checked: true, worst, tolerance, where };
}

/** The same, where the file states an absolute tolerance. */
export function compareAbsolute(name: string, got: ArrayLike<number>, want: Nested, tolerance: number): Quantity {
  const largest = flatten(want).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return compare(name, got, want, tolerance / (largest || 1));
}

export function notChecked(name: string, why: string): Quantity {
  return { name, checked: false, worst: null, tolerance: null, where: why };
}

export function passes(quantities: readonly Quantity[]): boolean {
  const checked = quantities.filter((quantity) => quantity.checked);
  return (
    checked.length > 0 &&
    checked.every(({ worst, tolerance }) => worst !== null && tolerance !== null && worst <= tolerance)
  );
}

function place(index: number, shape: readonly number[]): string {
  let rest = index;
  let text = '';
  for (let d = shape.length - 1; d >= 0; d--) {
    text = `[${rest % shape[d]}]${text}`;
    rest = Math.floor(rest / shape[d]);
  }
  return text || '[]';
}
