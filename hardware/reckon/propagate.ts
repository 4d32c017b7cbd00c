import type { ReckonConfig } from './config.ts';
import { take } from './generators.ts';
import {
  lanes,
  type ReckonConstants,
  type ReckonCounters,
  type ReckonGenerators,
  type ReckonState,
  side,
} from './state.ts';

/**
 * PROP: events of this tick and spikes of the step before reach membranes, outputs and traces, in the order of the
 * presynaptic index. Both kinds of weight of one index are added in one addition.
 * @returns whether the word of the last scanned pair was written
 */
export function propagateAll(
  state: ReckonState,
  config: ReckonConfig,
  constants: ReckonConstants,
  generators: ReckonGenerators,
  counters: ReckonCounters,
): boolean {
  const { event, z } = state;
  const { rows, nRec, scan } = constants;
  const lastPair = (scan >> 1) - 1;
  const lastIsReached = 2 * lastPair < nRec;
  const tracesInput = (config.SPI_DO_EPROP & 1) !== 0 || config.SPI_FORCE_TRACES === 1;
  let touched = false;
  for (let i = 0; i < rows; i++) {
    if ((event[i] | z[i]) === 0) continue;
    touched ||= lastIsReached || (tracesInput && i >> 1 === lastPair);
    propagateRow(state, config, constants, generators, counters, i);
    countTraces(state, config, counters, i);
  }
  event.fill(0);
  return touched;
}

function propagateRow(
  state: ReckonState,
  config: ReckonConfig,
  { nRec, nOut }: ReckonConstants,
  generators: ReckonGenerators,
  counters: ReckonCounters,
  i: number,
): void {
  const { u, y, event, z, wInp, wRec, wOut } = state;
  if (z[i]) counters.readoutSaturations += addOutputs(y, wOut, i * lanes, config.SPI_FP_LOC_WOUT, nOut);
  const { noise } = generators;
  const noiseBits = config.SPI_NOISE_EN;
  const at = noiseBits ? take(noise, nRec >> 1) : 0;
  counters.synapticOperations += (event[i] + z[i]) * nRec;
  counters.membraneSaturations += addRow(
    u,
    wInp,
    wRec,
    noise.values,
    at,
    -noiseBits,
    config.SPI_NOISE_STR,
    -event[i],
    -z[i],
    config.SPI_FP_LOC_WINP,
    config.SPI_FP_LOC_WREC,
    i * side,
    nRec,
  );
}

/**
 * w = [event] (wInp_ij << shiftInp) + [spike] (wRec_ij << shiftRec); u_j <- wrap16(u_j + w + noise_j), held at the end of
 * the range where u_j and w have one sign and the sum the other. The noise is not asked.
 * u [256]; weights [pre][256]; noise: one word for two neurons, from `at`; masks are 0 or -1.
 * @returns how many were held
 */
function addRow(
  u: Int16Array,
  wInp: Int8Array,
  wRec: Int8Array,
  noise: Uint32Array,
  at: number,
  noiseMask: number,
  noiseShift: number,
  inputMask: number,
  spikeMask: number,
  shiftInp: number,
  shiftRec: number,
  row: number,
  nRec: number,
): number {
  let held = 0;
  for (let j = 0; j < nRec; j++) {
    const w = ((wInp[row + j] & inputMask) << shiftInp) + ((wRec[row + j] & spikeMask) << shiftRec);
    const word = noise[at + ((j >> 1) & noiseMask)] & noiseMask;
    const added = (j & 1 ? word >> 16 : (word << 16) >> 16) >> noiseShift;
    const before = u[j];
    const sum = ((before + w + added) << 16) >> 16;
    // Signs: equal before, different after.
    if ((before ^ w) >= 0 && (before ^ sum) < 0) {
      u[j] = before < 0 ? -32768 : 32767;
      held++;
    } else u[j] = sum;
  }
  return held;
}

/** y_q <- sat16(y_q + (wOut_iq << shift)). y [16]; wOut [pre][16]. @returns how many saturated */
function addOutputs(y: Int16Array, wOut: Int8Array, row: number, shift: number, nOut: number): number {
  let saturated = 0;
  for (let q = 0; q < nOut; q++) {
    const sum = y[q] + (wOut[row + q] << shift);
    const value = Math.max(-32768, Math.min(32767, sum));
    if (value !== sum) saturated++;
    y[q] = value;
  }
  return saturated;
}

/** Traces of index i, which saturate; each advances where its weights learn, or where traces are forced. */
function countTraces(state: ReckonState, config: ReckonConfig, counters: ReckonCounters, i: number): void {
  const on = config.SPI_FORCE_TRACES ? 7 : config.SPI_DO_EPROP;
  let saturated = 0;
  if (state.event[i] && on & 1) saturated += raise(state.tInp, i, 8 << config.SPI_FP_LOC_TINP, 0xfff);
  if (state.z[i] && on & 2) saturated += raise(state.tRec, i, 8 << config.SPI_FP_LOC_TREC, 0xfff);
  if (state.z[i] && on & 4) saturated += raise(state.tOut, i, 2 << config.SPI_FP_LOC_TOUT, 0x3ff);
  counters.traceSaturations += saturated;
}

function raise(trace: Uint16Array, i: number, by: number, most: number): number {
  const sum = trace[i] + by;
  trace[i] = Math.min(sum, most);
  return sum > most ? 1 : 0;
}
