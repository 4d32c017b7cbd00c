import { period, reserve, roundingSequence, type Tape } from './generators.ts';
import type { Reckon } from './reckon.ts';
import type { RegisterName } from './registers.ts';

type SeedName = Extract<RegisterName, `SPI_SEED_${string}`>;

/** Seed registers that continue the chip's generators where they are now. */
export function currentSeeds({ generators: g }: Reckon): Record<SeedName, number> {
  const two = (pair: readonly Tape<Uint16Array>[], image: (tape: Tape<Uint16Array>) => number) =>
    image(pair[0]) | (image(pair[1]) << 15);
  return {
    SPI_SEED_INP: wordSeed(g.wInp, 25, 3),
    SPI_SEED_REC: wordSeed(g.wRec, 25, 3),
    SPI_SEED_OUT: wordSeed(g.wOut, 22, 1),
    SPI_SEED_NOISE_NEUR: wordSeed(g.noise, 17, 3),
    SPI_SEED_STRND_NEUR: two(g.u, seed15),
    SPI_SEED_STRND_TINP: two(g.tInp, seed15),
    SPI_SEED_STRND_TREC: two(g.tRec, seed15),
    SPI_SEED_STRND_TOUT: two(g.tOut, seed7),
    SPI_SEED_STRND_ONEUR: seed7(g.y),
  };
}

/** Inverse of `wordTape`: runs s[i-L] = s[i] ^ s[i-a] back from the next word to the L bits that lie before it. */
function wordSeed(tape: Tape<Uint32Array>, length: number, lag: number): number {
  const next = tape.values[reserve(tape, 1)];
  const bits = new Uint8Array(2 * length);
  for (let i = 0; i < length; i++) bits[length + i] = (next >>> i) & 1;
  for (let i = 2 * length - 1; i >= length; i--) bits[i - length] = bits[i] ^ bits[i - lag];
  let seed = 0;
  for (let k = 0; k < length; k++) seed |= bits[k < lag ? length + k : k] << k;
  return seed;
}

/** s[-14] to s[0] before the next draw, lowest bit first. */
function past(tape: Tape<Uint16Array>): number {
  return roundingSequence.words[(tape.at - 14 + period) % period];
}

function seed15(tape: Tape<Uint16Array>): number {
  const bits = past(tape);
  return ((bits << 1) & 0x7ffe) | (bits >> 14);
}

function seed7(tape: Tape<Uint16Array>): number {
  const bits = past(tape);
  let seed = bits >> 14;
  for (let m = 1; m <= 7; m++) {
    seed |= ((bits >> (m - 1)) & 1) << (2 * m - 1);
    seed |= ((bits >> (m + 6)) & 1) << (2 * m);
  }
  return seed;
}
