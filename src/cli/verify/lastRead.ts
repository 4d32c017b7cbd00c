/** Digits of a number are one place for who looks for what is wrong. */
const isIndex = (key: string) => /^\d+$/.test(key);

/**
 * Reads a document once more, and says which of its values was looked at last before the reading failed: no schema of a golden file
 * is written twice. @returns "layers.0.weights is 3: something else is expected there"
 */
export function lastRead(content: unknown, read: (watched: unknown) => unknown): string {
  let path = '';
  let value = content;
  const watched = (inner: unknown, at: readonly string[]): unknown => {
    if (typeof inner !== 'object' || inner === null) return inner;
    return new Proxy(inner, {
      get(target, key) {
        const found: unknown = Reflect.get(target, key);
        // Methods and lengths of lists are no places of a document.
        if (typeof key === 'symbol' || typeof found === 'function' || (Array.isArray(target) && !isIndex(key)))
          return found;
        path = [...at, key].join('.');
        value = found;
        return watched(found, [...at, key]);
      },
    });
  };
  try {
    read(watched(content, []));
  } catch {
    // The same failure again: `path` is where it was.
  }
  const shown = JSON.stringify(value)?.slice(0, 60) ?? 'missing';
  return `${path || 'the file'} is ${shown}: something else is expected there`;
}
