import { describe, expect, it } from 'vitest';
import {
  independentRounding,
  independentWords,
  period,
  reserve,
  rounding7,
  rounding15,
  take,
  wordTape,
} from '../../hardware/reckon/generators.ts';

/** Bits of s[i] = s[i-L] ^ s[i-a], one at a time, from a seed register with d_k = s[k] for k < a, else s[k-L]. */
function bitByBit(length: number, lag: number, known: (i: number) => number, count: number): Uint8Array {
  const offset = length - lag;
  const bits = new Uint8Array(offset + count);
  for (let i = -offset; i < count; i++) {
    bits[i + offset] = i < lag ? known(i) : bits[i + offset - length] ^ bits[i + offset - lag];
  }
  return bits.subarray(offset);
}

const plain = (seed: number, length: number) => (i: number) => (seed >> (i >= 0 ? i : i + length)) & 1;

const word = (bits: Uint8Array, from: number, count: number) => {
  let value = 0;
  for (let j = 0; j < count; j++) value += bits[from + j] * 2 ** j;
  return value;
};

describe('words of 32 bits', () => {
  it.each([
    ['input and recurrent weights', 61680, 25, 3, 16],
    ['output weights', 62194, 22, 1, 14],
    ['noise', 4080, 17, 3, 1],
  ])('of %s are the recurrence bit by bit, across refills', (_, seed, length, lag, taken) => {
    const draws = 1400;
    const bits = bitByBit(length, lag, plain(seed, length), 32 * taken * draws);
    const tape = wordTape(seed, length, lag);
    for (let t = 0; t < draws; t++) {
      const at = take(tape, taken);
      for (let w = 0; w < taken; w++) expect(tape.values[at + w]).toBe(word(bits, 32 * (t * taken + w), 32));
    }
  });

  it('survive a large reservation of which little is used', () => {
    const [greedy, modest] = [wordTape(1, 25, 3), wordTape(1, 25, 3)];
    for (let t = 0; t < 3000; t++) {
      const at = reserve(greedy, 4096);
      const used = 16 * (t % 7);
      const want = take(modest, used);
      expect(greedy.values.slice(at, at + used)).toEqual(modest.values.slice(want, want + used));
      take(greedy, used);
    }
  });

  it('begin with the words of the RTL at its power-up seeds', () => {
    expect(wordTape(61680, 25, 3).values[0]).toBe(997043056);
    expect(wordTape(61937, 25, 3).values[0]).toBe(3571150905);
    expect(wordTape(62194, 22, 1).values[0] & 0xfffffff).toBe(109072814);
    expect(wordTape(4080, 17, 3).values[0]).toBe(1362848880);
  });
});

describe('rounding generators', () => {
  const bits = (tape: ReturnType<typeof rounding15>, mask: number) => tape.values[take(tape, 1)] & mask;

  it('draw 15 bits of the recurrence', () => {
    const seed = 0x1234;
    const want = bitByBit(15, 1, plain(seed, 15), 15 * 5000);
    const tape = rounding15(seed);
    for (let t = 0; t < 5000; t++) expect(bits(tape, 0x7fff)).toBe(word(want, 15 * t, 15));
  });

  it('draw 7 bits from an interleaved register', () => {
    const seed = 0x7aba;
    const known = (i: number) => (i === 0 ? seed & 1 : (seed >> (i < -7 ? 2 * (i + 15) - 1 : 2 * (i + 8))) & 1);
    const want = bitByBit(15, 1, known, 7 * 9000);
    const tape = rounding7(seed);
    for (let t = 0; t < 9000; t++) expect(bits(tape, 0x7f)).toBe(word(want, 7 * t, 7));
  });

  it('come back after 32767 draws of 15 bits, each nonzero word once', () => {
    const tape = rounding15(0x4321);
    const drawn = Array.from({ length: period }, () => bits(tape, 0x7fff));
    expect(new Set(drawn).size).toBe(period);
    expect(Math.min(...drawn)).toBe(1);
    expect(Array.from({ length: 20 }, () => bits(tape, 0x7fff))).toEqual(drawn.slice(0, 20));
  });

  it('come back after 4681 draws of 7 bits', () => {
    const tape = rounding7(0x3ff3);
    const drawn = Array.from({ length: 4681 }, () => bits(tape, 0x7f));
    expect(Array.from({ length: 4681 }, () => bits(tape, 0x7f))).toEqual(drawn);
    expect(new Set(drawn).size).toBe(128);
  });
});

describe('independent generators', () => {
  it('give the same numbers for a seed and label, others for others', () => {
    const first = (seed: number, label: string) => independentWords(seed, label).values.slice(0, 8).join();
    expect(first(1, 'a')).toBe(first(1, 'a'));
    expect(new Set([first(1, 'a'), first(2, 'a'), first(1, 'b')]).size).toBe(3);
  });

  it('are uniform within their ranges', () => {
    const count = 200_000;
    for (const [width, lowest, highest] of [
      [15, 1, 32767],
      [7, 0, 127],
    ] as const) {
      const tape = independentRounding(3, 'u', width);
      const drawn = Array.from({ length: count }, () => tape.values[take(tape, 1)]);
      expect(drawn.reduce((least, value) => Math.min(least, value))).toBeGreaterThanOrEqual(lowest);
      expect(drawn.reduce((most, value) => Math.max(most, value))).toBeLessThanOrEqual(highest);
      expect(
        chiSquare(drawn.map((value) => Math.floor(((value - lowest) * 64) / (highest - lowest + 1)))),
      ).toBeLessThan(120);
    }
    const tape = independentWords(3, 'w');
    const drawn = Array.from({ length: count }, () => tape.values[take(tape, 1)]);
    expect(chiSquare(drawn.map((value) => value >>> 26))).toBeLessThan(120);
    expect(chiSquare(drawn.map((value) => value & 63))).toBeLessThan(120);
  });
});

/** Over 64 equal bins: mean 63, standard deviation 11. */
function chiSquare(bins: readonly number[]): number {
  const counts = new Array<number>(64).fill(0);
  for (const bin of bins) counts[bin]++;
  const expected = bins.length / 64;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}
