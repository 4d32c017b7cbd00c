import { ConfigError } from '../core/errors.ts';

/** The entry of a registry that a configuration names. @throws ConfigError */
export function find<K extends string, T extends { readonly [key in K]: string }>(
  entries: readonly T[],
  key: K,
  name: unknown,
  path: string,
): T {
  const found = entries.find((entry) => entry[key] === name);
  if (!found) throw new ConfigError(path, name, `one of ${entries.map((entry) => `"${entry[key]}"`).join(', ')}`);
  return found;
}
