/** Flags that every command has. */
export interface Global {
  /** Machine-readable output, one JSON object a line. */
  readonly json?: boolean;
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** For people only: standard error, so that standard output stays what was asked for. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Decimals where they say something: a loss of a run that went wrong can have thirty digits. */
export function fixed(value: number, digits: number): string {
  return Math.abs(value) < 1e6 ? value.toFixed(digits) : value.toExponential(2);
}

/** Columns of equal width; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, c) => Math.max(title.length, ...rows.map((row) => row[c].length)));
  const numeric = head.map((_, c) => rows.every((row) => /^[-+]?[\d.]|^-$/.test(row[c])));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, c) => (numeric[c] ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** An error of one job, named after its folder, of the same class. */
export function failure(error: Error, folder: string): Error {
  const named = Object.create(Object.getPrototypeOf(error)) as Error;
  Object.defineProperty(named, 'name', { value: error.name });
  named.message = error.message.includes(folder) ? error.message : `${folder}: ${error.message}`;
  return named;
}

/** The exit code that says which signal has ended a program. */
const signalCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * The first signal asks all jobs to stop at their next trial border and save; a second SIGINT, which somebody typed, ends at once. A second SIGTERM says
 * nothing new: a cluster sends it to a script, which hands it on, and to the program itself. The exit code is the signal's from then on.
 */
export function interruptible(): { readonly stop: Int32Array; readonly release: () => void } {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const onInterrupt = (signal: keyof typeof signalCodes) => {
    process.exitCode = signalCodes[signal];
    const isFirst = Atomics.exchange(stop, 0, 1) === 0;
    if (!isFirst && signal === 'SIGINT') process.exit();
    if (isFirst) tell('\nstopping at the next trial border and saving; once more to end at once');
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onInterrupt);
  return {
    stop,
    release() {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onInterrupt);
    },
  };
}
