import { ConfigError } from '../core/errors.ts';

/** "3:7" -> [3, 7]: trials from the first up to the last, which is not one of them. @throws ConfigError */
export function rangeOf(text: string, path: string): [number, number] {
  const match = /^(\d+):(\d+)$/.exec(text);
  if (!match || Number(match[2]) <= Number(match[1])) throw new ConfigError(path, text, 'FROM:TO, trials [FROM, TO)');
  return [Number(match[1]), Number(match[2])];
}

/** "100:400" -> [100, 400], ms. @throws ConfigError */
export function spanOf(text: string, path: string): [number, number] {
  const [from, to, ...more] = text.split(':').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (more.length > 0 || !(from >= 0 && to > from && Number.isFinite(to))) {
    throw new ConfigError(path, text, 'FROM:TO in ms with 0 <= FROM < TO, for example 100:400');
  }
  return [from, to];
}

/** "0,5,10-12" -> [0, 5, 10, 11, 12]. @throws ConfigError */
export function indicesOf(text: string, path: string): number[] {
  return text.split(',').flatMap((part) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (!(from <= to)) throw new ConfigError(path, part, 'indices and ranges, for example 0,5,10-12');
    return Array.from({ length: to - from + 1 }, (_, n) => from + n);
  });
}
