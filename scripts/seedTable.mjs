// Rows of result files and cells of tables over several seeds, for the scripts that write and print them.
import { existsSync, readFileSync } from 'node:fs';

/** The JSON objects in the lines of a file; none where there is no file. */
export const rowsIn = (path) =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : [];

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean of the n values before the end-th. */
export const before = (list, end, n = 10) => mean(list.slice(end - n, end));

/** Mean (lowest to highest). */
export function summary(list, digits) {
  return `${mean(list).toFixed(digits)} (${Math.min(...list).toFixed(digits)}-${Math.max(...list).toFixed(digits)})`;
}

/** A cell for each mark of a course that every run has one of: runs[seed][name][mark]. */
export function columns(runs, name, digits) {
  return runs[0][name].map((_, at) =>
    summary(
      runs.map((one) => one[name][at]),
      digits,
    ),
  );
}
