import type { ReckonConfig } from './config.ts';
import { reserve, take } from './generators.ts';
import {
  lanes,
  type ReckonConstants,
  type ReckonCounters,
  type ReckonGenerators,
  type ReckonState,
  side,
} from './state.ts';
import { type Drives, updateOutputRow, updateRows } from './update.ts';

/** Buffers of a learning tick, made once. */
export interface LearnScratch {
  /** Of the weights from inputs. */
  readonly inp: Drives;
  /** Of the weights from neurons. */
  readonly rec: Drives;
  /** The stale word's traces, as a trace of two neurons. */
  readonly stale: Uint16Array;
}

export function createScratch(): LearnScratch {
  const drives = (): Drives => ({
    lane: new Int32Array(lanes),
    perTrace: new Int32Array(lanes),
    gain: new Int32Array(lanes),
    pull: new Int32Array(lanes),
    tally: new Int32Array(5),
  });
  return { inp: drives(), rec: drives(), stale: new Uint16Array(2) };
}

/**
 * EPROP: errors, then for each group of sixteen neurons learning signals, pseudo-derivatives and output weights (phase A)
 * and input and recurrent weights (phase B).
 * @param valid whether the tick has a target; without one only the rate regularisation acts, on the stale word
 */
export function learnAll(
  state: ReckonState,
  config: ReckonConfig,
  constants: ReckonConstants,
  generators: ReckonGenerators,
  scratch: LearnScratch,
  counters: ReckonCounters,
  label: number,
  valid: boolean,
): void {
  outputErrors(state, config, constants.nOut, label, valid);
  if (!valid) counters.staleTicks++;
  for (let group = 0; group < constants.groups; group++) {
    counters.signalSaturations += signals(state, config, constants, group, valid);
    if (valid && config.SPI_DO_EPROP & 4) learnOutputs(state, config, constants, generators, scratch, counters, group);
    if (config.SPI_DO_EPROP === 4) continue;
    const mayLearn = (bit: number) => valid || (config.SPI_REGUL_W & bit) !== 0;
    if (config.SPI_DO_EPROP & 1 && mayLearn(1))
      learnSet(true, state, config, constants, generators, scratch, counters, group, valid);
    if (config.SPI_DO_EPROP & 2 && mayLearn(2))
      learnSet(false, state, config, constants, generators, scratch, counters, group, valid);
  }
}

/** err_q = sat16(target_q - act(y_q)), act the hard sigmoid (y + 2048) / 2 within 0 and 2048, or the identity. */
function outputErrors(state: ReckonState, config: ReckonConfig, nOut: number, label: number, valid: boolean): void {
  const { y, error, target } = state;
  for (let q = 0; q < nOut; q++) {
    const active = config.SPI_NO_OUT_ACT ? y[q] : y[q] > 2047 ? 2048 : y[q] < -2048 ? 0 : (y[q] + 2048) >> 1;
    const wanted = config.SPI_REGRESSION ? target[q] : q === label ? 2048 : 0;
    error[q] = valid ? Math.max(-32768, Math.min(32767, wanted - active)) : 0;
  }
}

/**
 * LS_j = sat16(((sum_q err_q wOut_jq) << scale) >> 12), h_j by the first of four thresholds above u_j,
 * g_j = max(0, (tRec_j >> loc) - F0). Lanes beyond the last row repeat the last pair; their excess still counts.
 * @returns how many signals saturated
 */
function signals(
  state: ReckonState,
  config: ReckonConfig,
  constants: ReckonConstants,
  group: number,
  valid: boolean,
): number {
  const { signal, slope, excess, u, tRec, stale } = state;
  const { rows, nRec } = constants;
  const signalling = valid && (config.SPI_DO_EPROP & 3) !== 0;
  let saturated = 0;
  for (let n = 0; n < lanes; n++) {
    const j = lanes * group + n;
    const from = j < rows ? j : ((rows - 1) & ~1) + (j & 1);
    const membrane = valid ? u[from] : stale[4 * (j & 1)];
    const trace = valid ? tRec[from] : stale[4 * (j & 1) + 2];
    slope[j] = slopeAt(membrane, config);
    excess[j] = config.SPI_REGUL_MODE ? Math.max(0, (trace >> config.SPI_FP_LOC_TREC) - config.SPI_REGUL_F0) : 0;
    if (!signalling || j >= nRec) signal[j] = 0;
    else {
      const value = signalOf(state, j, constants.nOut, config.SPI_LEARN_SIG_SCALE);
      signal[j] = Math.max(-32768, Math.min(32767, value));
      if (signal[j] !== value) saturated++;
    }
  }
  return saturated;
}

/** The sum has up to 42 bits, so it is scaled as a double. */
function signalOf({ error, wOut }: ReckonState, j: number, nOut: number, scale: number): number {
  let sum = 0;
  for (let q = 0; q < nOut; q++) sum += error[q] * wOut[j * lanes + q];
  return Math.floor((sum * (1 << scale)) / 4096);
}

function slopeAt(u: number, config: ReckonConfig): number {
  if (u < config.SPI_THR_H_0) return config.SPI_H_0;
  if (u < config.SPI_THR_H_1) return config.SPI_H_1;
  if (u < config.SPI_THR_H_2) return config.SPI_H_2;
  return u < config.SPI_THR_H_3 ? config.SPI_H_3 : config.SPI_H_4;
}

/** Output weights of a group: drive err_q t_j, one draw of 448 bits for each neuron whose trace is not 0. */
function learnOutputs(
  state: ReckonState,
  config: ReckonConfig,
  { nRec, nOut }: ReckonConstants,
  generators: ReckonGenerators,
  scratch: LearnScratch,
  counters: ReckonCounters,
  group: number,
): void {
  const { inp } = scratch;
  const end = Math.min(nRec, lanes * (group + 1));
  inp.tally.fill(0);
  for (let j = lanes * group; j < end; j++) {
    const trace = state.tOut[j] >> config.SPI_FP_LOC_TOUT;
    if (trace === 0) continue;
    const at = take(generators.wOut, 14);
    updateOutputRow(
      state.wOut,
      inp.tally,
      state.error,
      trace,
      generators.wOut.values,
      at,
      config.SPI_LR_P_WOUT,
      config.SPI_LR_R_WOUT,
      j * lanes,
      nOut,
    );
  }
  addTally(counters, inp.tally);
}

/** Phase B for one of the two sets: all presynaptic rows of a group. */
function learnSet(
  isInput: boolean,
  state: ReckonState,
  config: ReckonConfig,
  constants: ReckonConstants,
  generators: ReckonGenerators,
  scratch: LearnScratch,
  counters: ReckonCounters,
  group: number,
  valid: boolean,
): void {
  const drives = isInput ? scratch.inp : scratch.rec;
  const rows = isInput ? constants.nIn : constants.nRec;
  const active = collectDrives(drives, isInput, state, config, constants.nRec, group, valid);
  if (!valid) {
    for (let n = 0; n < 2; n++) scratch.stale[n] = state.stale[4 * n + (isInput ? 1 : 2)];
  }
  const current = isInput ? state.tInp : state.tRec;
  const tape = isInput ? generators.wInp : generators.wRec;
  const at = reserve(tape, lanes * rows);
  drives.tally.fill(0);
  const drawn = updateRows(
    isInput ? state.wInp : state.wRec,
    drives,
    active,
    valid ? current : scratch.stale,
    valid ? side - 1 : 1,
    isInput ? config.SPI_FP_LOC_TINP : config.SPI_FP_LOC_TREC,
    hasExcess(state, config, group),
    tape.values,
    at,
    isInput ? config.SPI_LR_P_WINP : config.SPI_LR_P_WREC,
    isInput ? config.SPI_LR_R_WINP : config.SPI_LR_R_WREC,
    lanes * group,
    isInput ? -1 : 0,
    rows,
  );
  take(tape, lanes * drawn);
  addTally(counters, drives.tally);
}

/** Whether any lane of the group, used or not, is above its rate: rows are not skipped then. */
function hasExcess({ excess }: ReckonState, config: ReckonConfig, group: number): boolean {
  if (config.SPI_REGUL_MODE === 0) return false;
  for (let n = 0; n < lanes; n++) if (excess[lanes * group + n] !== 0) return true;
  return false;
}

/**
 * The lanes whose weights can change in this tick, with their drive per unit of trace LS h, the gain of positive drives
 * in sixteenths, and what regularisation subtracts.
 * @returns how many lanes
 */
function collectDrives(
  drives: Drives,
  isInput: boolean,
  state: ReckonState,
  config: ReckonConfig,
  nRec: number,
  group: number,
  valid: boolean,
): number {
  const regularised = (config.SPI_REGUL_W & (isInput ? 1 : 2)) !== 0;
  const additive = regularised && (config.SPI_REGUL_MODE & 2) !== 0;
  const multiplicative = config.SPI_REGUL_W !== 0 && (config.SPI_REGUL_MODE & 1) !== 0;
  const left = isInput ? config.SPI_REGUL_K_INP_P : config.SPI_REGUL_K_REC_P;
  const right = isInput ? config.SPI_REGUL_K_INP_R : config.SPI_REGUL_K_REC_R;
  let active = 0;
  for (let n = 0; n < lanes && lanes * group + n < nRec; n++) {
    const j = lanes * group + n;
    const perTrace = valid ? state.signal[j] * state.slope[j] : 0;
    const pull = additive ? ((state.excess[j] << left) >>> right) | 0 : 0;
    if (perTrace === 0 && pull === 0) continue;
    drives.lane[active] = n;
    drives.perTrace[active] = perTrace;
    drives.gain[active] = multiplicative ? Math.max(0, 16 - (state.excess[j] >> config.SPI_REGUL_K_MUL)) : 16;
    drives.pull[active] = pull;
    active++;
  }
  return active;
}

function addTally(counters: ReckonCounters, tally: Int32Array): void {
  counters.updatesTried += tally[0];
  counters.updatesFired += tally[1];
  counters.updatesLost += tally[2];
  counters.clampedProbabilities += tally[3];
  counters.guardInversions += tally[4];
}
