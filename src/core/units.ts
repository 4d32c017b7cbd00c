import { ConfigError } from './errors.ts';

/** A time constant, or the decay per step itself. `{ decay: 0 }` is no memory at all. */
export type Decay = { readonly tauMs: number } | { readonly decay: number };

/** decay = exp(-dt / tau): the only place where a time constant becomes a decay. Both in ms. */
export function decayPerStep(tauMs: number, dtMs: number): number {
  return Math.exp(-dtMs / tauMs);
}

/** The decay per step of a setting at `path`. @throws ConfigError for tau <= 0 or a decay outside [0, 1). */
export function resolveDecay(setting: Decay, dtMs: number, path: string): number {
  if ('tauMs' in setting) {
    if (!(setting.tauMs > 0)) throw new ConfigError(`${path}.tauMs`, setting.tauMs, 'a time constant > 0 ms');
    return decayPerStep(setting.tauMs, dtMs);
  }
  if (!(setting.decay >= 0 && setting.decay < 1)) {
    throw new ConfigError(`${path}.decay`, setting.decay, 'a decay per step in [0, 1)');
  }
  return setting.decay;
}

/** The power of two that is nearest on a logarithmic scale; 0 for 0. */
export function nearestPowerOfTwo(x: number): number {
  return x === 0 ? 0 : 2 ** Math.round(Math.log2(x));
}

/** Bytes in words, rounded up: what is needed is never stated too small. */
export function inMebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

/** Spikes per step of a rate in Hz. */
export function rateToSpikesPerStep(rateHz: number, dtMs: number): number {
  return (rateHz * dtMs) / 1000;
}

/** Rate in Hz of a number of spikes per step. */
export function spikesPerStepToRate(spikesPerStep: number, dtMs: number): number {
  return (spikesPerStep * 1000) / dtMs;
}
