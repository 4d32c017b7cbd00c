import type { ReckonConfig } from './config.ts';
import { take } from './generators.ts';
import type { ReckonConstants, ReckonGenerators, ReckonState, RoundingPair } from './state.ts';

/**
 * STEP: threshold, leak and reset of all neurons, decay of their traces, leak of the outputs. The threshold is compared
 * with the membrane that the last propagation left; a reset by subtraction comes after the leak.
 */
export function stepAll(
  state: ReckonState,
  config: ReckonConfig,
  constants: ReckonConstants,
  generators: ReckonGenerators,
): void {
  const { nOut, scan } = constants;
  const { alpha, threshold, kappa, drawsBefore } = constants;
  const pairs = scan >> 1;
  const rounds = config.SPI_EN_STOCH_ROUND === 1;
  const leaks = config.SPI_KAPPA !== 0x80;

  const draws = Math.min(16, scan);
  const gy = rounds && leaks ? generators.y : generators.off;
  leakOutputs(state.y, config.SPI_KAPPA, gy.values, take(gy, draws), gy.stride, nOut);

  for (let side = 0; side < 2; side++) {
    const g = rounds ? generators.u[side] : generators.off;
    const at = take(g, drawsBefore[pairs]);
    stepMembranes(
      state.u,
      state.z,
      alpha,
      threshold,
      config.SPI_RST_MODE,
      drawsBefore,
      g.values,
      at,
      g.stride,
      side,
      pairs,
    );
  }
  decay(state.tInp, alpha, 15, 0xfff, rounds, true, generators.tInp, generators, pairs);
  decay(state.tRec, alpha, 15, 0xfff, rounds, true, generators.tRec, generators, pairs);
  decay(state.tOut, kappa, 7, 0x3ff, rounds, leaks, generators.tOut, generators, pairs);
}

/** Both halves of a trace; a decay of exactly 1 draws all the same, and does not round. */
function decay(
  trace: Uint16Array,
  factor: Int32Array,
  shift: number,
  field: number,
  rounds: boolean,
  leaks: boolean,
  pair: RoundingPair,
  { off }: ReckonGenerators,
  pairs: number,
): void {
  for (let side = 0; side < 2; side++) {
    const drawn = rounds ? pair[side] : off;
    const at = take(drawn, pairs);
    const g = leaks ? drawn : off;
    decayTraces(trace, factor, shift, field, g.values, leaks ? at : 0, g.stride, side, pairs);
  }
}

/**
 * P = u(t-1) alpha, v = P >> 15, one up if v != 0 and frac(P) >= r; z(t) = [u(t-1) >= thr];
 * u(t) = 0 or v - thr where z(t), else v; 16 bits that wrap.
 * u, z [256]; alpha, threshold [pair]; rounding: one 15-bit r for each pair with alpha != 1.
 */
function stepMembranes(
  u: Int16Array,
  z: Uint8Array,
  alpha: Int32Array,
  threshold: Int32Array,
  resetToZero: number,
  drawsBefore: Int32Array,
  rounding: Uint16Array,
  at: number,
  stride: number,
  side: number,
  pairs: number,
): void {
  const kept = resetToZero ? 0 : -1;
  for (let p = 0; p < pairs; p++) {
    const j = 2 * p + side;
    const before = u[j];
    const product = Math.imul(before, alpha[p]);
    let v = (product << 1) >> 16;
    if (v !== 0 && (product & 0x7fff) >= rounding[at + drawsBefore[p] * stride]) v++;
    const thr = threshold[p];
    const spike = before >= thr ? 1 : 0;
    z[j] = spike;
    u[j] = spike ? (v - thr) & kept : v;
  }
}

/**
 * P = t factor, v = P >> shift, one up if v != 0 and frac(P) >= r; cut to the bits of `field`.
 * trace [256]; factor [pair]; rounding: one r for each pair, whose low `shift` bits count.
 */
function decayTraces(
  trace: Uint16Array,
  factor: Int32Array,
  shift: number,
  field: number,
  rounding: Uint16Array,
  at: number,
  stride: number,
  side: number,
  pairs: number,
): void {
  const fraction = (1 << shift) - 1;
  // Words of the 15-bit sequence serve both widths; the stand-in for "no rounding" has a bit above both.
  const bits = fraction | 0x8000;
  for (let p = 0; p < pairs; p++) {
    const j = 2 * p + side;
    const before = trace[j];
    if (before === 0) continue;
    const product = Math.imul(before, factor[p]);
    let v = (product >> shift) & field;
    if (v !== 0 && (product & fraction) >= (rounding[at + p * stride] & bits)) v = (v + 1) & field;
    trace[j] = v;
  }
}

/** y_q <- (y_q kappa) >> 7, one up if not 0 and frac >= r; 16 bits that wrap. y [16]; one 7-bit r for each output. */
function leakOutputs(
  y: Int16Array,
  kappa: number,
  rounding: Uint16Array,
  at: number,
  stride: number,
  nOut: number,
): void {
  for (let q = 0; q < nOut; q++) {
    const product = y[q] * kappa;
    let v = (product << 9) >> 16;
    if (v !== 0 && (product & 0x7f) >= (rounding[at + q * stride] & 0x807f)) v++;
    y[q] = v;
  }
}
