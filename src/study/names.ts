/** Longest part that a value gets in the name of a cell. */
const longest = 40;
/** Longest name of a cell; a longer one is cut and gets its hash. */
const longestName = 200;

/** 64 bits of a text as 16 hexadecimal digits: two FNV-1a passes, each finished by an avalanche. */
export function shortHash(text: string): string {
  return [0x811c9dc5, 0x1b873593].map((start) => hash32(text, start).toString(16).padStart(8, '0')).join('');
}

function hash32(text: string, start: number): number {
  let hash = start;
  for (let c = 0; c < text.length; c++) hash = Math.imul(hash ^ text.charCodeAt(c), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Letters, digits and what neither a shell nor a disk reads as something else. */
const safe = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/;

/**
 * A value in the name of a folder: itself where it is short and safe, else what can be read of it and a hash of all. Two values
 * that differ never have one name, up to their case.
 */
export function nameOfValue(value: unknown): string {
  const text = typeof value === 'string' ? value : canonical(value);
  const plain = typeof value === 'number' ? /^[-+.\w]+$/.test(text) : safe.test(text);
  // The text "1" is not the number 1.
  if (plain && text.length <= longest && !(typeof value === 'string' && readsAsJson(value))) return text;
  const words = (text.match(/[A-Za-z0-9.]+/g) ?? []).join('-').replace(/^[.-]+|[.-]+$/g, '');
  const short = words.slice(0, longest - 17);
  return `${short}${short === '' ? '' : '-'}${shortHash(canonical(value))}`;
}

function readsAsJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** JSON with the keys of objects in order: what is equal has one text. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** A drawn point: its number, and a hash of its values, so that another range is another cell. */
export function nameOfDraw(index: number, values: readonly number[]): string {
  return `draw-${index}-${shortHash(canonical(values)).slice(0, 8)}`;
}

/** The name of a cell from those of its levels. */
export function nameOfCell(parts: readonly string[]): string {
  const name = parts.length === 0 ? 'base' : parts.join(',');
  return name.length <= longestName ? name : `${name.slice(0, longestName - 17)}-${shortHash(name)}`;
}
