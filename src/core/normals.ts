import type { Real } from './layout.ts';
import type { Rng } from './rng.ts';

/**
 * Standard normal numbers for noise that is drawn at every neuron and step, several times as fast as `Rng.normal`: the ziggurat of
 * Marsaglia and Tsang (2000), J Stat Softw 5(8), in the form of Doornik (2005), where layer, sign and place come from different bits, on
 * xoshiro128** (Blackman, Vigna 2021, ACM TOMS 47:36). 24 bits a number.
 */
export function normalsOf(rng: Rng): FillNormal {
  const words = Int32Array.from(rng.state().words);
  return (out, from, n, sd) => {
    // In local variables, which is what makes it fast.
    let a = words[0];
    let b = words[1];
    let c = words[2];
    let d = words[3];
    let bits = 0;
    const to = from + n;
    for (let at = from; at < to; ) {
      const five = Math.imul(b, 5);
      bits = Math.imul((five << 7) | (five >>> 25), 9);
      const t = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= t;
      d = (d << 11) | (d >>> 21);
      const layer = bits & 127;
      const place = bits >>> 8;
      let size = place * widths[layer];
      if (place >= inside[layer]) {
        words[0] = a;
        words[1] = b;
        words[2] = c;
        words[3] = d;
        size = odd(layer, size, words);
        a = words[0];
        b = words[1];
        c = words[2];
        d = words[3];
        if (size < 0) continue;
      }
      // A sign by a branch would be guessed wrong half of the time.
      out[at++] = (1 - ((bits >>> 6) & 2)) * sd * size;
    }
    words[0] = a;
    words[1] = b;
    words[2] = c;
    words[3] = d;
  };
}

/**
 * Numbers that are + or - the standard deviation, with the same chance: one random bit each, as a chip has it.
 * xoshiro128** as above, 32 numbers a step.
 */
export function signsOf(rng: Rng): FillNormal {
  const words = Int32Array.from(rng.state().words);
  let bits = 0;
  let left = 0;
  return (out, from, n, sd) => {
    const to = from + n;
    let at = from;
    while (at < to) {
      if (left === 0) {
        bits = step(words);
        left = 32;
      }
      const end = Math.min(to, at + left);
      left -= end - at;
      for (; at < end; at++) {
        out[at] = (1 - ((bits << 1) & 2)) * sd;
        bits >>>= 1;
      }
    }
  };
}

/** Writes n numbers of standard deviation sd, those that come next. */
export type FillNormal = (out: Real, from: number, n: number, sd: number) => void;

/** Of a number that may lie outside of its layer: itself, one of the tail, or -1 for none. */
function odd(layer: number, x: number, words: Int32Array): number {
  if (layer === 0) return tail(words);
  const inner = Math.exp(-0.5 * (edges[layer + 1] ** 2 - x * x));
  const outer = Math.exp(-0.5 * (edges[layer] ** 2 - x * x));
  return inner + uniform(words) * (outer - inner) < 1 ? x : -1;
}

/** In (0, 1), by one step of the generator. */
function uniform(words: Int32Array): number {
  return ((step(words) >>> 0) + 0.5) / 2 ** 32;
}

/** 32 random bits. */
function step(words: Int32Array): number {
  const a = words[0];
  const b = words[1];
  const c = words[2];
  const d = words[3];
  const five = Math.imul(b, 5);
  const e = d ^ b;
  words[1] = b ^ c ^ a;
  words[0] = a ^ e;
  words[2] = c ^ a ^ (b << 9);
  words[3] = (e << 11) | (e >>> 21);
  return Math.imul((five << 7) | (five >>> 25), 9);
}

/** Where the lowest layer ends, and the area of each. */
const end = 3.442619855899;
const area = 9.91256303526217e-3;
const layers = 128;
/** Right ends of the layers from the lowest on, whose tail is beyond. [layer], 0 last */
const edges = edgesOf();
/** Places of 24 bits below which a number is in a layer for sure, and how far apart they are. [layer] */
const inside = Float64Array.from({ length: layers }, (_, k) => Math.floor((edges[k + 1] / edges[k]) * 2 ** 24));
const widths = Float64Array.from({ length: layers }, (_, k) => edges[k] / 2 ** 24);

function edgesOf(): Float64Array {
  const density = (x: number) => Math.exp(-0.5 * x * x);
  const found = new Float64Array(layers + 1);
  found[0] = area / density(end);
  found[1] = end;
  for (let k = 2; k < layers; k++) found[k] = Math.sqrt(-2 * Math.log(area / found[k - 1] + density(found[k - 1])));
  return found;
}

/** A number beyond the end of the lowest layer (Marsaglia 1964). */
function tail(words: Int32Array): number {
  for (;;) {
    const x = -Math.log(uniform(words)) / end;
    const y = -Math.log(uniform(words));
    if (2 * y > x * x) return end + x;
  }
}
