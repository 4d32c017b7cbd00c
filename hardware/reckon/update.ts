import { lanes, side } from './state.ts';

/** The active lanes of a group of sixteen neurons, in order. */
export interface Drives {
  /** Place in the group, 0 to 15. [16] */
  readonly lane: Int32Array;
  /** Learning signal times pseudo-derivative: the drive for a trace of 1. */
  readonly perTrace: Int32Array;
  /** Sixteenths of a positive drive that multiplicative regularisation leaves. */
  readonly gain: Int32Array;
  /** What additive regularisation subtracts. */
  readonly pull: Int32Array;
  /** Updates tried, fired, lost at the end of the range; probabilities clamped; drives inverted by the guard. */
  readonly tally: Int32Array;
}

/**
 * For each row i with trace or excess, and each active lane j:
 * e = LS_j t_i h_j; K = 16 e where e < 0, gain_j e else; s = wrap32((K >> 4) - pull_j), -2^31 where s >= 0 and bit 31 of
 * K is set; w_ij moves by sign(s) where min(|s| << P, 2^32 - 1) >> R >= r.
 *
 * w [pre][256]; trace [indexMask + 1]; random: sixteen words of 32 bits for each row that is not skipped, from `at`.
 * @param first neuron of lane 0
 * @param self 0 where row i and neuron i are the same: a weight that fires is set to 0 there; -1 elsewhere
 * @returns rows that drew
 */
export function updateRows(
  w: Int8Array,
  drives: Drives,
  active: number,
  trace: Uint16Array,
  indexMask: number,
  traceShift: number,
  skipsNone: boolean,
  random: Uint32Array,
  at: number,
  left: number,
  right: number,
  first: number,
  self: number,
  rows: number,
): number {
  const { lane, perTrace, gain, pull, tally } = drives;
  const limit = 2 ** (32 - left);
  let drawn = 0;
  for (let i = 0; i < rows; i++) {
    const t = trace[i & indexMask] >> traceShift;
    if (t === 0 && !skipsNone) continue;
    const word = at + lanes * drawn++;
    const row = i * side + first;
    const diagonal = self < 0 ? -1 : i - first;
    for (let a = 0; a < active; a++) {
      const n = lane[a];
      const s = driveOf(t, perTrace[a], gain[a], pull[a], tally);
      if (s === 0) continue;
      tally[0]++;
      const size = s < 0 ? -s : s;
      let chance = 0xffffffff;
      if (size < limit) chance = (size << left) >>> 0;
      else tally[3]++;
      if (chance >>> right < random[word + n] && s !== -0x80000000) continue;
      w[row + n] = n === diagonal ? land(w[row + n], s, 0, tally) : land(w[row + n], s, -1, tally);
    }
  }
  return drawn;
}

/** The signed drive s of one weight, with the overflow guard that looks at bit 31 of K alone. */
function driveOf(t: number, perTrace: number, gain: number, pull: number, tally: Int32Array): number {
  const e = Math.imul(t, perTrace);
  const factor = e < 0 ? 16 : gain;
  // K has up to 37 bits: its quotient from two parts of e, its low 32 bits by itself.
  const quotient = Math.imul(e >> 4, factor) + (Math.imul(e & 15, factor) >> 4);
  const s = (quotient - pull) | 0;
  if (s < 0 || Math.imul(e, factor) >= 0) return s;
  if (s > 0 || e > 0) tally[4]++;
  return -0x80000000;
}

/** One step of a weight that fired, held at the ends of s8. */
function land(weight: number, drive: number, mask: number, tally: Int32Array): number {
  tally[1]++;
  const moved = weight + (drive < 0 ? -1 : 1);
  if (moved > 127 || moved < -128) {
    tally[2]++;
    return weight & mask;
  }
  return moved & mask;
}

/**
 * Output weights of neuron j: drive d = err_q t; one step by sign(d) where min(|d| << P, 2^28 - 1) >> R >= r.
 * wOut [pre][16]; random: 448 bits from word `at`, 28 for each output.
 */
export function updateOutputRow(
  wOut: Int8Array,
  tally: Int32Array,
  error: Int16Array,
  trace: number,
  random: Uint32Array,
  at: number,
  left: number,
  right: number,
  row: number,
  nOut: number,
): void {
  const limit = 2 ** (28 - left);
  for (let q = 0; q < nOut; q++) {
    const drive = error[q] * trace;
    if (drive === 0) continue;
    tally[0]++;
    const size = Math.abs(drive);
    let chance = 0xfffffff;
    if (size < limit) chance = size << left;
    else tally[3]++;
    if (chance >> right < lane28(random, at, q)) continue;
    wOut[row + q] = land(wOut[row + q], drive, -1, tally);
  }
}

/** Bits 28 q to 28 q + 27 of fourteen words. */
function lane28(random: Uint32Array, at: number, q: number): number {
  const from = 28 * q;
  const word = at + (from >> 5);
  const shift = from & 31;
  const low = random[word] >>> shift;
  const high = shift > 4 ? random[word + 1] << (32 - shift) : 0;
  return (low | high) & 0xfffffff;
}
