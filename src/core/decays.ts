import { ConfigError } from './errors.ts';
import { resolveDecay } from './units.ts';

/** How a chip stores decays: as a factor of so many bits behind a shift, or as a shift alone. */
export type StoredDecays = { readonly kind: 'multiply'; readonly bits: number } | { readonly kind: 'shift' };

/** m / 2^bits that is nearest to a decay. */
export function decayByMultiply(decay: number, bits: number): number {
  return Math.round(decay * 2 ** bits) / 2 ** bits;
}

/** 1 - 2^-k for whole k: x - (x >> k). On a logarithmic scale the nearest time constant. */
export function decayByShift(decay: number): number {
  return 1 - 2 ** -Math.max(0, Math.round(-Math.log2(1 - decay)));
}

/** A decay as it is stored; below 1 in any case. */
export function storedDecay(decay: number, how: StoredDecays): number {
  switch (how.kind) {
    case 'multiply':
      return Math.min(decayByMultiply(decay, how.bits), 1 - 2 ** -how.bits);
    case 'shift':
      return decayByShift(decay);
    default:
      return how satisfies never;
  }
}

/**
 * Settings with every `{ tauMs }` and `{ decay }` in them replaced by the decay as it is stored, and all gains that follow from it.
 * @throws ConfigError naming the path of a decay that is none
 */
export function withStoredDecays<T>(settings: T, how: StoredDecays, dtMs: number, path: string): T {
  if (typeof settings !== 'object' || settings === null) return settings;
  if (Array.isArray(settings)) return settings.map((item, i) => withStoredDecays(item, how, dtMs, `${path}.${i}`)) as T;
  const entries = Object.entries(settings);
  const [[name, value]] = entries.length === 1 ? entries : [['', null]];
  if ((name === 'tauMs' || name === 'decay') && typeof value === 'number') {
    return { decay: storedDecay(resolveDecay({ [name]: value } as { tauMs: number }, dtMs, path), how) } as T;
  }
  if ((name === 'tauMs' || name === 'decay') && typeof value === 'object') {
    throw new ConfigError(
      path,
      value,
      'one number for all neurons where decays are stored as a chip does (fixed.decays)',
    );
  }
  return Object.fromEntries(
    entries.map(([key, item]) => [key, withStoredDecays(item, how, dtMs, `${path}.${key}`)]),
  ) as T;
}
