import { ConfigError, UnsupportedError } from '../../src/core/errors.ts';
import type { Real } from '../../src/core/layout.ts';
import type { Network } from '../../src/core/network.ts';
import type { ThresholdKernel } from '../../src/core/plugins.ts';
import { type SingleSpec, singleNetwork, whyNotSingle } from '../../src/core/single.ts';
import { type ReckonConfig, sizesOf } from './config.ts';
import { cueAccumulation } from './cueAccumulation.ts';
import { createReckon, type Reckon } from './reckon.ts';
import { lanes, side } from './state.ts';

/** A network in the words of the chip, and what was lost on the way. */
export interface ReckonNetwork {
  /** With the network in its memories. */
  readonly chip: Reckon;
  /** Membrane units of the chip per unit of weight, and output units per unit of the readout. */
  readonly membraneUnit: number;
  readonly outputUnit: number;
  /** Weight that one step of each 8-bit memory stands for. */
  readonly weightStep: { readonly inp: number; readonly rec: number; readonly out: number };
  /** What was lost, in words. */
  readonly approximations: readonly string[];
}

/** The membrane's decays that the chip stores. */
const smallestDecay = 0x7000 / 0x8000;
/** Where the threshold is put if the weights leave the choice: room for sixteen thresholds in 16 bits. */
const wantedThreshold = 2048;
const largestWeight = 127;
const largestShift = 7;
/** What the chip takes for an output of 1. */
const one = 2048;

/**
 * A trained network for the chip, learning off.
 *
 *     u(t) = alpha u(t-1) - thr z(t-1) + Win x(t) + Wrec z(t-1)        the same on both sides, in units of `membraneUnit`
 *
 * Tick k steps with the membrane of tick k-1, so that the spikes of step t come at tick t+1; see `spikesOf`. Weights are
 * rounded to 8 bits with the shift of each memory; the gain of the input is part of them. A constant input is an input line
 * with an event at every tick. Numbers of neurons and inputs are made even with silent ones.
 * @throws ConfigError naming the number that does not fit, UnsupportedError for another neuron
 */
export function reckonOf(network: Network): ReckonNetwork {
  const odd = whyNotSingle(network.spec);
  if (odd.length > 0) {
    throw new UnsupportedError(
      `ReckOn has one recurrent population between one input and one readout, not ${odd.join(', ')}`,
    );
  }
  const { spec, weights, names } = singleNetwork(network);
  const { sizes, readout } = spec;
  const neuron = checkedNeuron(spec);
  checkSizes(spec);
  const win = scaled(weights.wIn, neuron.gain, `weights.${names.wIn}`);
  const wrec = scaled(weights.wRec, neuron.gain, `weights.${names.wRec}`);
  const wout = scaled(weights.wOut, readout.gain, `weights.${names.wOut}`);
  const scale = scaleOf(neuron.vTh, largest(win), largest(wrec), largest(wout));
  const { unit, outputUnit, shifts } = scale;
  const settings = settingsOf(spec, neuron, scale);
  const { nIn, nRec, nOut } = sizesOf(settings);
  const chip = createReckon(settings, {
    inp: quantised(win, sizes.in, sizes.rec, nIn, nRec, unit / 2 ** shifts.inp),
    rec: quantised(wrec, sizes.rec, sizes.rec, nRec, nRec, unit / 2 ** shifts.rec),
    out: quantised(wout, sizes.rec, sizes.out, nRec, nOut, outputUnit / 2 ** shifts.out),
  });
  return {
    chip,
    membraneUnit: unit,
    outputUnit,
    weightStep: {
      inp: 2 ** shifts.inp / unit / neuron.gain,
      rec: 2 ** shifts.rec / unit / neuron.gain,
      out: 2 ** shifts.out / outputUnit / readout.gain,
    },
    approximations: approximationsOf(spec, neuron, weights.bOut, chip.config, outputUnit),
  };
}

/** Units of the chip per unit of weight and of output, and the shifts of the three memories. */
interface Scale {
  readonly unit: number;
  readonly outputUnit: number;
  readonly shifts: { readonly inp: number; readonly rec: number; readonly out: number };
}

function scaleOf(vTh: number, inp: number, rec: number, out: number): Scale {
  const unit = membraneUnit(vTh, inp, rec);
  const outputUnit = Math.min(one, out > 0 ? (largestWeight * 2 ** largestShift) / out : one);
  return {
    unit,
    outputUnit,
    shifts: { inp: shiftOf(inp, unit), rec: shiftOf(rec, unit), out: shiftOf(out, outputUnit) },
  };
}

/** Registers for inference; the pseudo-derivative is a staircase under the triangle of ours, rates and seeds are those of the example. */
function settingsOf({ sizes, readout, loss }: SingleSpec, neuron: ThresholdKernel, { unit, shifts }: Scale) {
  const threshold = thresholdOf(neuron, unit);
  const slope = (share: number) => clamp16(Math.round(threshold + share * neuron.psiWidth * unit));
  const [nIn, nRec] = [even(sizes.in), even(sizes.rec)];
  const nOut = sizes.out > Math.max(nIn, nRec) ? even(sizes.out) : sizes.out;
  const linear = loss.classification ? 0 : 1;
  return {
    ...cueAccumulation,
    SPI_RST_MODE: neuron.resetToZero ? 1 : 0,
    SPI_DO_EPROP: 0,
    SPI_EN_STOCH_ROUND: 0,
    SPI_REGUL_MODE: 0,
    SPI_REGRESSION: linear,
    SPI_NO_OUT_ACT: linear,
    SPI_FP_LOC_WINP: shifts.inp,
    SPI_FP_LOC_WREC: shifts.rec,
    SPI_FP_LOC_WOUT: shifts.out,
    SPI_KAPPA: Math.round(readout.decay * 0x80),
    SPI_THR_H_0: slope(-1),
    SPI_THR_H_1: slope(-0.5),
    SPI_THR_H_2: slope(0.5),
    SPI_THR_H_3: slope(1),
    SPI_H_0: 0,
    SPI_H_1: 1,
    SPI_H_2: 2,
    SPI_H_3: 1,
    SPI_H_4: 0,
    SPI_NUM_INP_NEUR: nIn - 1,
    SPI_NUM_REC_NEUR: nRec - 1,
    SPI_NUM_OUT_NEUR: nOut - 1,
    ALPHA: [Math.round(neuron.decay * 0x8000)],
    THR: [threshold],
  };
}

/** @throws ConfigError for a weight that is not finite */
function scaled(weights: Real, gain: number, path: string): Float64Array {
  const values = Float64Array.from(weights, (weight) => weight * gain);
  const odd = values.findIndex((value) => !Number.isFinite(value));
  if (odd >= 0) throw new ConfigError(`${path}[${odd}]`, weights[odd], 'a finite number');
  return values;
}

function checkedNeuron({ spiking, neuron }: SingleSpec): ThresholdKernel {
  const { kernel } = neuron;
  if (!spiking || kernel?.name !== 'threshold')
    throw new UnsupportedError('network.neuron: ReckOn has leaky integrate-and-fire neurons only');
  if (kernel.adaptation) {
    throw new UnsupportedError(
      'network.neuron: an adaptive threshold, which ReckOn lacks (its neuron word has no free bit)',
    );
  }
  if (kernel.nRef > 1)
    throw new ConfigError('network.neuron.nRef', kernel.nRef, '0 or 1 (steps): ReckOn has no refractory time');
  const alpha = Math.round(kernel.decay * 0x8000) / 0x8000;
  if (alpha < smallestDecay || alpha >= 1) {
    throw new ConfigError(
      'network.neuron.membrane.decay',
      kernel.decay,
      `${smallestDecay} to ${1 - 2 ** -15} (per step): what ReckOn stores of a decay`,
    );
  }
  return kernel;
}

function checkSizes({ sizes, projections, bias }: SingleSpec): void {
  const atMost = (path: string, value: number, most: number, what: string) => {
    if (value > most) throw new ConfigError(path, value, `at most ${most} ${what} on ReckOn`);
  };
  atMost('task inputs', sizes.in, side, `inputs${bias ? ', the constant one included,' : ''}`);
  atMost('network.neurons', sizes.rec, side, 'neurons');
  atMost('task outputs', sizes.out, lanes, 'outputs');
  atMost('network.recurrent.delayMs', sizes.history, 1, 'step of delay');
  for (const [path, { dense, nSyn, nPre, nPost }] of Object.entries(projections)) {
    const name = path === 'in' ? 'input' : 'recurrent';
    if (!dense)
      throw new ConfigError(`network.${name}.connectivity`, nSyn, `${nPre * nPost} synapses: dense on ReckOn`);
  }
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** The larger of both matrices fills its 8 bits, at the shift that brings the threshold closest to where it is wanted. */
function membraneUnit(vTh: number, inp: number, rec: number): number {
  const most = Math.max(inp, rec);
  if (most === 0) return wantedThreshold / vTh;
  const wanted = Math.log2((wantedThreshold * most) / (vTh * largestWeight));
  const shift = Math.min(largestShift, Math.max(0, Math.round(wanted)));
  return (largestWeight * 2 ** shift) / most;
}

/** The smallest shift with which the largest weight still fits. */
function shiftOf(most: number, unit: number): number {
  return Math.max(0, Math.ceil(Math.log2((most * unit) / largestWeight) - 1e-9));
}

/** u >= thr for integers is u > vTh, or u >= vTh. @throws ConfigError where weights and threshold have no common scale */
function thresholdOf({ vTh, orEqual }: ThresholdKernel, unit: number): number {
  const threshold = orEqual ? Math.ceil(vTh * unit) : Math.floor(vTh * unit) + 1;
  if (threshold > 32_767) {
    throw new ConfigError(
      'network.neuron.vTh',
      vTh,
      `at most ${(32_766 / unit).toPrecision(4)}, 16 bit in units of these weights`,
    );
  }
  return threshold;
}

const even = (count: number) => count + (count % 2);
const clamp16 = (value: number) => Math.max(-32_768, Math.min(32_767, value));

/** [rows][columns] to whole numbers in [toRows][toColumns]; what is added is 0. */
function quantised(
  values: Float64Array,
  rows: number,
  columns: number,
  toRows: number,
  toColumns: number,
  perWeight: number,
): Int8Array {
  const words = new Int8Array(toRows * toColumns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) words[i * toColumns + j] = Math.round(values[i * columns + j] * perWeight);
  }
  return words;
}

function approximationsOf(
  { readout, borderSpikes, state }: SingleSpec,
  { decay }: ThresholdKernel,
  bias: Real,
  { ALPHA, SPI_KAPPA }: ReckonConfig,
  outputUnit: number,
): string[] {
  const alpha = ALPHA[0] / 0x8000;
  const kappa = SPI_KAPPA / 0x80;
  const notes = ['weights of 8 bit'];
  if (alpha !== decay) notes.push(`membrane decay ${alpha} in place of ${decay}`);
  if (kappa !== readout.decay) notes.push(`readout decay ${kappa} in place of ${readout.decay}`);
  if (outputUnit !== one) notes.push(`an output of 1 is ${outputUnit.toFixed(1)} in place of ${one}`);
  const most = largest(Float64Array.from(bias));
  if (most > 0)
    notes.push(`readout biases up to ${most.toPrecision(3)} are left to the reader of the outputs: ReckOn has none`);
  if (borderSpikes === 'drop') notes.push('spikes at the first step of a trial act');
  if (state === 'carry') notes.push('neurons start anew with every sample');
  return notes;
}

/**
 * Spikes of the chip for given input, one sample from rest, learning as its registers say. z [step][rec], 0 or 1.
 * @param x input [step][nIn], each 0 or 1
 * @throws ConfigError for an input that is no spike
 */
export function spikesOf(chip: Reckon, x: readonly ArrayLike<number>[], nRec: number): Uint8Array[] {
  const z: Uint8Array[] = [];
  for (let k = 0; k <= x.length; k++) {
    const events = k < x.length ? eventsOf(x[k], k) : [];
    chip.tick({ events, valid: false, vote: false, last: k === x.length }, (phase) => {
      if (phase === 'step') z.push(chip.state.z.slice(0, nRec));
    });
  }
  return z;
}

function eventsOf(row: ArrayLike<number>, step: number): number[] {
  const events: number[] = [];
  for (let i = 0; i < row.length; i++) {
    if (row[i] === 0) continue;
    if (row[i] !== 1) throw new ConfigError(`x[${step}][${i}]`, row[i], '0 or 1: inputs of ReckOn are events');
    events.push(i);
  }
  return events;
}

/** How many spikes two runs have, and how many of them at the same neuron and step. */
export interface Agreement {
  /** At the same neuron and step. */
  readonly both: number;
  /** Of the first run. */
  readonly first: number;
  /** Of the second. */
  readonly second: number;
  /** both / either; 1 where neither spikes. */
  readonly share: number;
  /** The first step at which they are not the same; null: they are. */
  readonly parted: number | null;
}

/** z [step][rec] of two runs. */
export function agreementOf(a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): Agreement {
  let [both, first, second] = [0, 0, 0];
  let parted: number | null = null;
  for (let t = 0; t < a.length; t++) {
    for (let j = 0; j < a[t].length; j++) {
      if (a[t][j] !== 0) first++;
      if (b[t][j] !== 0) second++;
      if (a[t][j] !== 0 && b[t][j] !== 0) both++;
      if ((a[t][j] !== 0) !== (b[t][j] !== 0)) parted ??= t;
    }
  }
  const either = first + second - both;
  return { both, first, second, share: either === 0 ? 1 : both / either, parted };
}
