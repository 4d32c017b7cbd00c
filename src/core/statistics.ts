export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** sqrt(sum (x - mean)^2 / (n - 1)); NaN for a single value. */
export function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.length < 2
    ? Number.NaN
    : Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/** Mean and deviation, which is 0 for a single value. */
export function spread(values: readonly number[]): { readonly mean: number; readonly sd: number } {
  return { mean: meanOf(values), sd: values.length < 2 ? 0 : deviationOf(values) };
}
