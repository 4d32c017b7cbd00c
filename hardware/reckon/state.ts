import { ofPair, type ReckonConfig, type ReckonSizes, sizesOf } from './config.ts';
import {
  independentRounding,
  independentWords,
  noRounding,
  rounding7,
  rounding15,
  type Tape,
  wordTape,
} from './generators.ts';

/** Presynaptic rows and postsynaptic columns of the input and recurrent weight memories. */
export const side = 256;
/** Columns of the output weight memory, and postsynaptic neurons in a word of the other two. */
export const lanes = 16;

/**
 * All that the chip keeps. Arrays have the length of its memories, not of the network, and the widths of its registers.
 */
export interface ReckonState {
  /** Input weights [pre 256][post 256], s8. */
  readonly wInp: Int8Array;
  /** Recurrent weights [pre 256][post 256], s8. */
  readonly wRec: Int8Array;
  /** Output weights [pre 256][output 16], s8; also the feedback. */
  readonly wOut: Int8Array;
  /** Membranes [256], s16; a weight adds w << SPI_FP_LOC_W*. */
  readonly u: Int16Array;
  /** Spikes of the last step [256], 0 or 1. */
  readonly z: Uint8Array;
  /** Input traces [256], u12; the trace of input i decays with the word of neuron i. */
  readonly tInp: Uint16Array;
  /** Recurrent traces [256], u12. */
  readonly tRec: Uint16Array;
  /** Output traces [256], u10. */
  readonly tOut: Uint16Array;
  /** Outputs [16], s16; 2048 is 1. */
  readonly y: Int16Array;
  /** Ticks with vote in which each output was the largest [16]. */
  readonly votes: Uint16Array;
  /** Errors of the last learning tick [16], s16. */
  readonly error: Int16Array;
  /** Learning signals of the last learning tick [256], s16. */
  readonly signal: Int16Array;
  /** Pseudo-derivatives of the last learning tick [256], s5. */
  readonly slope: Int8Array;
  /** Recurrent trace (shifted) above SPI_REGUL_F0 in the last learning tick [256], u12. */
  readonly excess: Uint16Array;
  /** Regression targets [16], s16. */
  readonly target: Int16Array;
  /** Inputs with an event since the last tick [256], 0 or 1. */
  readonly event: Uint8Array;
  /**
   * The last pair of the scan as memory held it before the last step: u, tInp, tRec, tOut of its even and its odd
   * neuron [2][4]. Regularisation of ticks without target reads this word instead of the right ones.
   */
  readonly stale: Int32Array;
  /** The same at the end of the last sample: what memory holds until the pair is written [2][4]. */
  readonly left: Int32Array;
}

/** What a run of the chip met, since the last `clearCounters`. */
export interface ReckonCounters {
  /** Weights added to a membrane. */
  synapticOperations: number;
  /** Membranes stopped at the end of their 16 bits. */
  membraneSaturations: number;
  /** The same of outputs. */
  readoutSaturations: number;
  /** The same of traces. */
  traceSaturations: number;
  /** The same of learning signals. */
  signalSaturations: number;
  /** Weights that had a drive other than 0. */
  updatesTried: number;
  /** Weights whose drive beat the random number. */
  updatesFired: number;
  /** Of those, stopped at -128 or 127. */
  updatesLost: number;
  /** Drives beyond the largest probability. */
  clampedProbabilities: number;
  /** Positive drives that the overflow guard turned into decrements. */
  guardInversions: number;
  /** Ticks regularised from the stale word. */
  staleTicks: number;
}

export const noCounts = (): ReckonCounters => ({
  synapticOperations: 0,
  membraneSaturations: 0,
  readoutSaturations: 0,
  traceSaturations: 0,
  signalSaturations: 0,
  updatesTried: 0,
  updatesFired: 0,
  updatesLost: 0,
  clampedProbabilities: 0,
  guardInversions: 0,
  staleTicks: 0,
});

export function createState(): ReckonState {
  return {
    wInp: new Int8Array(side * side),
    wRec: new Int8Array(side * side),
    wOut: new Int8Array(side * lanes),
    u: new Int16Array(side),
    z: new Uint8Array(side),
    tInp: new Uint16Array(side),
    tRec: new Uint16Array(side),
    tOut: new Uint16Array(side),
    y: new Int16Array(lanes),
    votes: new Uint16Array(lanes),
    error: new Int16Array(lanes),
    signal: new Int16Array(side),
    slope: new Int8Array(side),
    excess: new Uint16Array(side),
    target: new Int16Array(lanes),
    event: new Uint8Array(side),
    stale: new Int32Array(8),
    left: new Int32Array(8),
  };
}

/** Sets to zero what a sample leaves behind; weights, generators and the words of the last pair stay. */
export function clearSample(state: ReckonState): void {
  for (const name of ['u', 'z', 'tInp', 'tRec', 'tOut', 'y', 'votes', 'event'] as const) state[name].fill(0);
}

/** What the chip derives from its registers, once. */
export interface ReckonConstants extends ReckonSizes {
  /** Decay of each pair of neurons, in units of 2^-15. [128] */
  readonly alpha: Int32Array;
  /** Of each pair of neurons. [128] */
  readonly threshold: Int32Array;
  /** Decay of the outputs, in units of 2^-7, the same for every pair. [128] */
  readonly kappa: Int32Array;
  /** Membrane rounding draws of the pairs before this one: a pair with decay 1 draws none [129]. */
  readonly drawsBefore: Int32Array;
}

export function deriveConstants(config: ReckonConfig): ReckonConstants {
  const alpha = Int32Array.from({ length: 128 }, (_, p) => ofPair(config.ALPHA, p));
  const drawsBefore = new Int32Array(129);
  for (let p = 0; p < 128; p++) drawsBefore[p + 1] = drawsBefore[p] + (alpha[p] === 0x8000 ? 0 : 1);
  return {
    ...sizesOf(config),
    alpha,
    threshold: Int32Array.from({ length: 128 }, (_, p) => ofPair(config.THR, p)),
    kappa: new Int32Array(128).fill(config.SPI_KAPPA),
    drawsBefore,
  };
}

/** `exact`: the chip's shift registers. `independent`: the same probabilities from a seeded generator of our own. */
export type Randomness = { readonly kind: 'exact' } | { readonly kind: 'independent'; readonly seed: number };

/** Generators of even and odd neurons. */
export type RoundingPair = readonly [even: Tape<Uint16Array>, odd: Tape<Uint16Array>];

export interface ReckonGenerators {
  readonly wInp: Tape<Uint32Array>;
  readonly wRec: Tape<Uint32Array>;
  readonly wOut: Tape<Uint32Array>;
  readonly noise: Tape<Uint32Array>;
  readonly u: RoundingPair;
  readonly tInp: RoundingPair;
  readonly tRec: RoundingPair;
  readonly tOut: RoundingPair;
  readonly y: Tape<Uint16Array>;
  /** Stands in where nothing is rounded. */
  readonly off: Tape<Uint16Array>;
}

export function createGenerators(config: ReckonConfig, randomness: Randomness): ReckonGenerators {
  return randomness.kind === 'exact' ? chipGenerators(config) : ownGenerators(randomness.seed);
}

function chipGenerators(config: ReckonConfig): ReckonGenerators {
  const two = (seed: number, make: (half: number) => Tape<Uint16Array>): RoundingPair => [
    make(seed & 0x7fff),
    make((seed >>> 15) & 0x7fff),
  ];
  return {
    wInp: wordTape(config.SPI_SEED_INP, 25, 3),
    wRec: wordTape(config.SPI_SEED_REC, 25, 3),
    wOut: wordTape(config.SPI_SEED_OUT, 22, 1),
    noise: wordTape(config.SPI_SEED_NOISE_NEUR, 17, 3),
    u: two(config.SPI_SEED_STRND_NEUR, rounding15),
    tInp: two(config.SPI_SEED_STRND_TINP, rounding15),
    tRec: two(config.SPI_SEED_STRND_TREC, rounding15),
    tOut: two(config.SPI_SEED_STRND_TOUT, rounding7),
    y: rounding7(config.SPI_SEED_STRND_ONEUR),
    off: noRounding(),
  };
}

function ownGenerators(seed: number): ReckonGenerators {
  const two = (label: string, bits: 15 | 7): RoundingPair => [
    independentRounding(seed, `${label}-even`, bits),
    independentRounding(seed, `${label}-odd`, bits),
  ];
  return {
    wInp: independentWords(seed, 'w-inp'),
    wRec: independentWords(seed, 'w-rec'),
    wOut: independentWords(seed, 'w-out'),
    noise: independentWords(seed, 'noise'),
    u: two('u', 15),
    tInp: two('t-inp', 15),
    tRec: two('t-rec', 15),
    tOut: two('t-out', 7),
    y: independentRounding(seed, 'y', 7),
    off: noRounding(),
  };
}
