import { ConfigError } from '../../src/core/errors.ts';
import { parseReckon, type ReckonConfig, type ReckonSettings } from './config.ts';
import { reserve } from './generators.ts';
import { createScratch, learnAll } from './learn.ts';
import { propagateAll } from './propagate.ts';
import {
  clearSample,
  createGenerators,
  createState,
  deriveConstants,
  lanes,
  noCounts,
  type Randomness,
  type ReckonConstants,
  type ReckonCounters,
  type ReckonGenerators,
  type ReckonState,
  side,
} from './state.ts';
import { stepAll } from './step.ts';

/** Weights of a network, s8, row by row without the unused columns of the memories. */
export interface ReckonWeights {
  /** [pre nIn][post nRec] */
  readonly inp: ArrayLike<number>;
  /** [pre nRec][post nRec] */
  readonly rec: ArrayLike<number>;
  /** [pre nRec][output nOut] */
  readonly out: ArrayLike<number>;
}

/** What one time tick is told, beside the events. */
export interface ReckonTick {
  /** Inputs that had an event since the tick before; duplicates count once, indices beyond the rows are ignored. */
  readonly events: ArrayLike<number>;
  /** TARGET_VALID: errors are formed and weights learn. */
  readonly valid: boolean;
  /** INFER_ACC: the largest output gets a vote. */
  readonly vote: boolean;
  /** The sample ends with this tick: step and vote, then all but weights and generators is cleared. */
  readonly last: boolean;
}

/** One sample in flat arrays, as `runSample` takes it. */
export interface ReckonSample {
  /** Time ticks, the first included. */
  readonly ticks: number;
  /** Where the events of each tick start in `eventInput` [ticks + 1]. */
  readonly eventStart: Int32Array;
  /** Input index of each event, u8. */
  readonly eventInput: Uint8Array;
  /** Class, 0 to 15; with SPI_REGRESSION use `targets`. */
  readonly label: number;
  /** Regression targets [tick][nOut], s16. */
  readonly targets?: Int16Array;
  /** Ticks with a target, from and to (exclusive). */
  readonly valid: readonly [from: number, to: number];
  /** Ticks with a vote, from and to (exclusive). */
  readonly vote: readonly [from: number, to: number];
}

/** Next word of each generator, as the golden dumps of the RTL name them: lane 0 of the wide ones. */
export interface GeneratorWords {
  readonly winp: number;
  readonly wrec: number;
  readonly wout: number;
  readonly noise: number;
  readonly oneur: number;
  readonly neur: readonly [number, number];
  readonly tinp: readonly [number, number];
  readonly trec: readonly [number, number];
  readonly tout: readonly [number, number];
}

/** Called within a tick, after each of its phases. */
export type PhaseObserver = (phase: 'step' | 'learn' | 'propagate') => void;

/** A ReckOn chip with a network in its memories. */
export interface Reckon {
  /** Its registers. */
  readonly config: ReckonConfig;
  /** What it derives from them. */
  readonly sizes: ReckonConstants;
  /** The chip's memories and registers, live. */
  readonly state: ReckonState;
  /** What it met since they were last cleared, live. */
  readonly counters: ReckonCounters;
  /** Where its random numbers are from. */
  readonly randomness: Randomness;
  /** Where each random stream stands. */
  readonly generators: ReckonGenerators;
  /** Back to power-up: state cleared, weights and seeds as given at first. */
  reset(): void;
  /** Sets which weights learn (SPI_DO_EPROP, 3 bit), as between training and test. */
  setLearning(bits: number): void;
  /** Sets the class of the sample, 0 to 15. */
  setLabel(label: number): void;
  /** Sets the regression targets of this tick [nOut]; 16 bits count. */
  setTargets(targets: ArrayLike<number>): void;
  /** One time tick. `observe` may read the state between its phases. */
  tick(tick: ReckonTick, observe?: PhaseObserver): void;
  /** A whole sample. @returns the output with most votes, the lowest index where there are several */
  runSample(sample: ReckonSample): number;
  /** Votes of the last finished sample [16]. */
  readonly votes: Uint16Array;
  /** Copies of the weights, without the unused columns. */
  weights(): { readonly inp: Int8Array; readonly rec: Int8Array; readonly out: Int8Array };
  /** What each generator delivers next; only of the chip's own generators. */
  generatorWords(): GeneratorWords;
  /** All counters are 0 again. */
  clearCounters(): void;
}

/** What is not in the registers. */
export interface ReckonOptions {
  /** Where its random numbers are from; those of the RTL where it is not given. */
  readonly randomness?: Randomness;
}

/**
 * The open RTL of ReckOn, bit for bit: spiking recurrent network of 256 neurons with e-prop on the chip.
 * Source: ChFrenkel/ReckOn, commit 5e5c0be; C. Frenkel and G. Indiveri, ISSCC 2022.
 *
 * Tick 0 of a sample only propagates its events. Each later tick steps (threshold, leak, reset), votes, learns where it
 * has a target, then propagates its events and the spikes of the step; the last one steps and votes only.
 * @throws ConfigError for a register, a weight or a count that the chip cannot hold
 */
export function createReckon(
  settings: ReckonSettings | ReckonConfig,
  weights: ReckonWeights,
  { randomness = { kind: 'exact' } }: ReckonOptions = {},
): Reckon {
  const config = { ...parseReckon(settings) };
  const given = config.SPI_DO_EPROP;
  const constants = deriveConstants(config);
  const run: Running = {
    config,
    constants,
    state: createState(),
    counters: noCounts(),
    scratch: createScratch(),
    votes: new Uint16Array(lanes),
    generators: createGenerators(config, randomness),
    label: 0,
    started: false,
    touched: false,
  };
  const { state, counters, votes } = run;
  const clearCounters = () => void Object.assign(counters, noCounts());
  loadWeights(state, weights, constants);
  return {
    config,
    sizes: constants,
    state,
    counters,
    randomness,
    get generators() {
      return run.generators;
    },
    votes,
    reset() {
      clearRun(run);
      config.SPI_DO_EPROP = given;
      run.generators = createGenerators(config, randomness);
      loadWeights(state, weights, constants);
      clearCounters();
    },
    setLearning: (bits) => setLearning(config, bits),
    setLabel(next) {
      run.label = next & 15;
    },
    setTargets: (targets) => setTargets(run, targets, 0),
    tick({ events, valid, vote, last }, observe) {
      tell(run, events, 0, events.length);
      advance(run, valid, vote, last, observe);
    },
    runSample: (sample) => runSample(run, sample),
    weights: () => ({
      inp: cut(state.wInp, side, constants.nIn, constants.nRec),
      rec: cut(state.wRec, side, constants.nRec, constants.nRec),
      out: cut(state.wOut, lanes, constants.nRec, constants.nOut),
    }),
    generatorWords: () => wordsOf(run.generators),
    clearCounters,
  };
}

/** A chip at work: its memories, and where it stands in a sample. */
interface Running {
  readonly config: ReckonConfig;
  readonly constants: ReckonConstants;
  readonly state: ReckonState;
  readonly counters: ReckonCounters;
  readonly scratch: ReturnType<typeof createScratch>;
  /** Of the last finished sample. [16] */
  readonly votes: Uint16Array;
  generators: ReckonGenerators;
  /** Class of the sample. */
  label: number;
  /** The sample has had its first tick. */
  started: boolean;
  /** The last pair of neurons was written in this sample. */
  touched: boolean;
}

function setLearning(config: { SPI_DO_EPROP: number }, bits: number): void {
  if (!Number.isInteger(bits) || bits < 0 || bits > 7)
    throw new ConfigError('SPI_DO_EPROP', bits, 'a whole number from 0 to 7');
  config.SPI_DO_EPROP = bits;
}

/** Events of the inputs from `from` to `to` (exclusive) of a list. */
function tell({ state, constants }: Running, events: ArrayLike<number>, from: number, to: number): void {
  for (let e = from; e < to; e++) if (events[e] < constants.rows) state.event[events[e]] = 1;
}

/** Targets of a tick, which start at `from`. */
function setTargets({ state, constants }: Running, targets: ArrayLike<number>, from: number): void {
  for (let q = 0; q < constants.nOut; q++) state.target[q] = targets[from + q];
}

function advance(run: Running, valid: boolean, vote: boolean, last: boolean, observe?: PhaseObserver): void {
  const { state, config, constants, generators, counters } = run;
  if (run.started) step(run, vote, valid && config.SPI_DO_EPROP !== 0, last, observe);
  run.started = true;
  if (last) {
    finish(run);
    return;
  }
  const wrote = propagateAll(state, config, constants, generators, counters);
  run.touched ||= wrote;
  observe?.('propagate');
}

function step(run: Running, vote: boolean, valid: boolean, last: boolean, observe?: PhaseObserver): void {
  const { state, config, constants, generators, scratch, counters, label } = run;
  keepLastPair(state, constants.scan, run.touched);
  run.touched = true;
  stepAll(state, config, constants, generators);
  observe?.('step');
  if (vote) state.votes[config.SPI_REGRESSION ? 0 : largest(state.y, constants.nOut)]++;
  const learns = valid || config.SPI_REGUL_MODE >> 1 === 3;
  if (last || config.SPI_DO_EPROP === 0 || !learns) return;
  learnAll(state, config, constants, generators, scratch, counters, label, valid);
  observe?.('learn');
}

function finish(run: Running): void {
  const { state, constants, votes } = run;
  copyLastPair(state.left, state, constants.scan);
  votes.set(state.votes);
  clearSample(state);
  run.started = false;
  run.touched = false;
}

/** All that power-up clears, but weights, seeds and counters. */
function clearRun(run: Running): void {
  finish(run);
  for (const name of ['left', 'stale', 'error', 'signal', 'slope', 'excess', 'target'] as const)
    run.state[name].fill(0);
  run.votes.fill(0);
  run.label = 0;
}

function runSample(run: Running, { ticks, eventStart, eventInput, label, targets, valid, vote }: ReckonSample): number {
  const { nOut } = run.constants;
  run.label = label & 15;
  for (let k = 0; k < ticks; k++) {
    tell(run, eventInput, eventStart[k], eventStart[k + 1]);
    if (targets) setTargets(run, targets, k * nOut);
    advance(run, k >= valid[0] && k < valid[1], k >= vote[0] && k < vote[1], k === ticks - 1);
  }
  return largest(run.votes, nOut);
}

/** Index of the largest value, the first where there are several. */
function largest(values: ArrayLike<number>, count: number): number {
  let best = 0;
  for (let q = 1; q < count; q++) if (values[q] > values[best]) best = q;
  return best;
}

function loadWeights(state: ReckonState, { inp, rec, out }: ReckonWeights, { nIn, nRec, nOut }: ReckonConstants): void {
  put(state.wInp, side, inp, nIn, nRec, 'weights.inp');
  put(state.wRec, side, rec, nRec, nRec, 'weights.rec');
  put(state.wOut, lanes, out, nRec, nOut, 'weights.out');
}

function put(
  memory: Int8Array,
  width: number,
  values: ArrayLike<number>,
  rows: number,
  columns: number,
  path: string,
): void {
  if (values.length !== rows * columns) {
    throw new ConfigError(`${path}.length`, values.length, `${rows * columns}: ${rows} rows of ${columns}`);
  }
  memory.fill(0);
  for (let s = 0; s < values.length; s++) {
    const value = values[s];
    if (!Number.isInteger(value) || value < -128 || value > 127) {
      throw new ConfigError(`${path}[${s}]`, value, 'a whole number from -128 to 127 (8 bit)');
    }
    memory[Math.floor(s / columns) * width + (s % columns)] = value;
  }
}

function cut(memory: Int8Array, width: number, rows: number, columns: number): Int8Array {
  const values = new Int8Array(rows * columns);
  for (let i = 0; i < rows; i++) values.set(memory.subarray(i * width, i * width + columns), i * columns);
  return values;
}

/** The stale word: what memory holds of the last pair, which is the last sample's until the pair is written. */
function keepLastPair(state: ReckonState, scan: number, touched: boolean): void {
  if (touched) copyLastPair(state.stale, state, scan);
  else state.stale.set(state.left);
}

function copyLastPair(into: Int32Array, { u, tInp, tRec, tOut }: ReckonState, scan: number): void {
  for (let n = 0; n < 2; n++) {
    const j = scan - 2 + n;
    into[4 * n] = u[j];
    into[4 * n + 1] = tInp[j];
    into[4 * n + 2] = tRec[j];
    into[4 * n + 3] = tOut[j];
  }
}

function wordsOf(g: ReckonGenerators): GeneratorWords {
  const word = (tape: ReckonGenerators['wInp']) => tape.values[reserve(tape, 1)];
  const bits = (tape: ReckonGenerators['y'], mask: number) => tape.values[reserve(tape, 1)] & mask;
  const two = ([even, odd]: ReckonGenerators['u'], mask: number): [number, number] => [
    bits(even, mask),
    bits(odd, mask),
  ];
  return {
    winp: word(g.wInp),
    wrec: word(g.wRec),
    wout: word(g.wOut) & 0xfffffff,
    noise: word(g.noise),
    oneur: bits(g.y, 0x7f),
    neur: two(g.u, 0x7fff),
    tinp: two(g.tInp, 0x7fff),
    trec: two(g.tRec, 0x7fff),
    tout: two(g.tOut, 0x7f),
  };
}
