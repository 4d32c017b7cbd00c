/** Input that cannot be used: the message names the path, the value got, what was expected and the unit. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly path: string;
  readonly got: unknown;
  readonly expected: string;
  constructor(path: string, got: unknown, expected: string) {
    super(`${path}: got ${show(got)}, expected ${expected}`);
    this.path = path;
    this.got = got;
    this.expected = expected;
  }

  /** The same with what else is wrong in its message, a line each. */
  with(others: readonly ConfigError[]): this {
    for (const { message } of others) this.message += `\n${message}`;
    return this;
  }
}

/** Two parts that exist but do not fit together, or a part that a backend does not have. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';
}

/** A value of the running network that is not finite. */
export class DivergenceError extends Error {
  override readonly name = 'DivergenceError';
  constructor(field: string, index: number, step: number, value: number) {
    super(
      `${field}[${index}] became ${value} at step ${step}; nothing after the last checkpoint was saved. ` +
        'Try a smaller learning rate or a stronger firing-rate term.',
    );
  }
}

/** Bytes of a damaged file may stand in a message, and in the name of what is odd in it: control characters are written out. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A file that is damaged, foreign, or of another version. */
export class FileError extends Error {
  override readonly name: string = 'FileError';
  constructor(path: string, problem: string) {
    super(printable(`${path}: ${problem}`));
  }
}

/** A folder that another process writes. */
export class LockedError extends FileError {
  override readonly name = 'LockedError';
}

/** A run that could not go on writing what it makes: the disk is full, the folder is gone. What was saved stays. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
}

function show(value: unknown): string {
  if (typeof value === 'number' || value === undefined) return String(value);
  const text = written(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** A value as JSON, or in words where it is none: a bigint, a circle, lists nested too deep for JSON. */
function written(value: unknown): string {
  try {
    return JSON.stringify(value) ?? (typeof value === 'symbol' ? String(value) : `a ${typeof value}`);
  } catch {
    return typeof value === 'object' ? 'an object that is no JSON' : `${String(value)} (${typeof value})`;
  }
}
