import { createRng } from '../../src/core/rng.ts';

/**
 * Random numbers of one consumer as a tape that is read forwards: draw m from now is `values[at + m * stride]`.
 * Kernels get `values`, a position and the stride, so that the chip's generators and our own run in the same loop.
 */
export interface Tape<Values extends Uint16Array | Uint32Array = Uint16Array | Uint32Array> {
  readonly values: Values;
  at: number;
  readonly stride: number;
  /** Makes room for more values behind `at`, and moves `at` along. */
  readonly extend: (tape: Tape<Values>) => void;
}

/** Position of the next draw, with `count` draws in one piece behind it; none is used up. */
export function reserve<V extends Uint16Array | Uint32Array>(tape: Tape<V>, count: number): number {
  if (tape.at + count * tape.stride > tape.values.length) tape.extend(tape);
  return tape.at;
}

/** Uses up `count` draws and gives the position of the first. */
export function take<V extends Uint16Array | Uint32Array>(tape: Tape<V>, count: number): number {
  const at = reserve(tape, count);
  tape.at = at + count * tape.stride;
  return at;
}

/** Most draws that are reserved at a time: a group's rows of sixteen words, or a scan of pairs. */
const mostWords = 256 * 16;
const mostRoundings = 128;

/** Period of s[i] = s[i-15] ^ s[i-1]. */
export const period = 32767;

interface Sequence {
  /** Bits p to p+14 of the sequence for each position p, continued beyond the period for one scan; bit j is s[p+j]. */
  readonly words: Uint16Array;
  /** Position of each nonzero word. */
  readonly position: Uint16Array;
}

/**
 * The maximal sequence s[i] = s[i-15] ^ s[i-1]. All nine rounding generators of the chip read this one sequence, from
 * different positions: 15 bits a draw (membranes, input and recurrent traces) or 7 (outputs and their traces).
 */
export const roundingSequence: Sequence = makeSequence();

function makeSequence(): Sequence {
  const words = new Uint16Array(period + 2 * 15 * mostRoundings);
  const position = new Uint16Array(period + 1);
  let word = 1;
  for (let p = 0; p < words.length; p++) {
    words[p] = word;
    if (p < period) position[word] = p;
    word = (word >> 1) | (((word & 1) ^ (word >> 14)) << 14);
  }
  return { words, position };
}

const wrapSequence = (tape: Tape<Uint16Array>) => {
  tape.at -= period;
};

/** A generator of 15 bits a draw from its seed register: d_0 = s[0], else d_k = s[k-15]. */
export function rounding15(seed: number): Tape<Uint16Array> {
  return readFrom((seed >> 1) | ((seed & 1) << 14), 15);
}

/** A generator of 7 bits a draw; its register is interleaved: d_0 = s[0], d_(2m-1) = s[m-15], d_(2m) = s[m-8]. */
export function rounding7(seed: number): Tape<Uint16Array> {
  let past = (seed & 1) << 14;
  for (let m = 1; m <= 7; m++) {
    past |= ((seed >> (2 * m - 1)) & 1) << (m - 1);
    past |= ((seed >> (2 * m)) & 1) << (m + 6);
  }
  return readFrom(past, 7);
}

/** @param past s[-14] to s[0], lowest bit first; the first draw starts with s[0] */
function readFrom(past: number, stride: number): Tape<Uint16Array> {
  const at = (roundingSequence.position[past] + 14) % period;
  return { values: roundingSequence.words, at, stride, extend: wrapSequence };
}

/** Never rounds up: larger than any fraction, at every position. */
export function noRounding(): Tape<Uint16Array> {
  return { values: new Uint16Array(1).fill(0xffff), at: 0, stride: 0, extend: () => {} };
}

/**
 * The sequence s[i] = s[i-L] ^ s[i-a] in words of 32 bits. Squaring the recurrence five times gives
 * s[i] = s[i-32L] ^ s[i-32a], so whole words obey W[t] = W[t-L] ^ W[t-a].
 * @param seed register image d: d_k = s[k] for k < a, else s[k-L]
 */
export function wordTape(seed: number, length: number, lag: number): Tape<Uint32Array> {
  const values = new Uint32Array(length + 4 * mostWords);
  values.set(firstWords(seed, length, lag));
  fillWords(values, length, length, lag);
  return { values, at: 0, stride: 1, extend: (tape) => extendWords(tape, length, lag) };
}

function firstWords(seed: number, length: number, lag: number): Uint32Array {
  const offset = length - lag;
  const bits = new Uint8Array(offset + 32 * length);
  for (let k = 0; k < length; k++) bits[offset + (k < lag ? k : k - length)] = (seed >>> k) & 1;
  const words = new Uint32Array(length);
  for (let i = 0; i < 32 * length; i++) {
    const at = offset + i;
    if (i >= lag) bits[at] = bits[at - length] ^ bits[at - lag];
    words[i >> 5] |= bits[at] << (i & 31);
  }
  return words;
}

function fillWords(values: Uint32Array, from: number, length: number, lag: number): void {
  for (let t = from; t < values.length; t++) values[t] = values[t - length] ^ values[t - lag];
}

/** Keeps what is not yet read and the `length` words that the recurrence needs. */
function extendWords(tape: Tape<Uint32Array>, length: number, lag: number): void {
  const { values } = tape;
  const kept = Math.max(values.length - tape.at, length);
  const unread = values.length - tape.at;
  values.copyWithin(0, values.length - kept);
  fillWords(values, kept, length, lag);
  tape.at = kept - unread;
}

/** Words of our own generator (sfc32), each 32 bits independent of the others. */
export function independentWords(seed: number, label: string): Tape<Uint32Array> {
  const next = sfc32(seed, label);
  const values: Uint32Array = new Uint32Array(4 * mostWords);
  return fresh({ values, at: 0, stride: 1, extend: (tape: Tape<Uint32Array>) => refill(tape, next) });
}

/** Fractions of our own generator: uniform over 1 to 32767 (15 bits, as the chip's never are 0) or 0 to 127 (7 bits). */
export function independentRounding(seed: number, label: string, bits: 15 | 7): Tape<Uint16Array> {
  const next = sfc32(seed, label);
  const draw = bits === 15 ? () => 1 + ((next() >>> 0) % period) : () => next() & 0x7f;
  const values: Uint16Array = new Uint16Array(64 * mostRoundings);
  return fresh({ values, at: 0, stride: 1, extend: (tape: Tape<Uint16Array>) => refill(tape, draw) });
}

function fresh<V extends Uint16Array | Uint32Array>(tape: Tape<V>): Tape<V> {
  tape.at = tape.values.length;
  tape.extend(tape);
  return tape;
}

function refill(tape: { values: Uint16Array | Uint32Array; at: number }, draw: () => number): void {
  const { values } = tape;
  const unread = values.length - tape.at;
  values.copyWithin(0, tape.at);
  for (let s = unread; s < values.length; s++) values[s] = draw();
  tape.at = 0;
}

/** Chris Doty-Humphrey's small fast counter generator, 32 bits. */
function sfc32(seed: number, label: string): () => number {
  const rng = createRng(seed).split('reckon').split(label);
  let [a, b, c, counter] = [rng.integer(2 ** 32) | 0, rng.integer(2 ** 32) | 0, rng.integer(2 ** 32) | 0, 1];
  return () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum;
  };
}
