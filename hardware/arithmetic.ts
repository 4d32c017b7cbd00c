import { decayByMultiply, decayByShift } from '../src/core/decays.ts';
import { atLeast, type Check, degraded, fail, localRule, pass } from './check.ts';
import type { Demand, DemandedDecay, Learning } from './demand.ts';
import type { ChipDecay, ChipProfile } from './profile.ts';

/** A product that changes a weight: its magnitude in bits, against what the chip can hold. */
export interface Product {
  /** Its factors, in words. */
  readonly of: string;
  /** Bits of its magnitude at worst, without the sign. */
  readonly bits: number;
  /** Bits that are cut off on the right before the product is added. */
  readonly shift: number;
}

/** Worst-case bit growth of every product of the rule; empty where the chip has no accumulator of known width. */
export function productsOf(learning: Learning, chip: ChipProfile): Product[] {
  const { accumulatorBits, signalBits, slopeBits, rateBits } = chip.arithmetic;
  const room = accumulatorBits.value;
  if (room === null || learning.direct) return [];
  const signal = Math.max(0, (signalBits.value ?? 0) - 1);
  const slope = Math.max(0, (slopeBits.value ?? 0) - 1);
  const trace = chip.traceBits.value ?? 0;
  const product = (of: string, ...factors: number[]): Product => {
    const bits = factors.reduce((sum, width) => sum + width, rateBits.value ?? 0);
    return { of, bits, shift: Math.max(0, bits - (room - 1)) };
  };
  const learned = learning.variables.filter(({ kind, home }) => kind === 'matrix' && home !== 'post');
  return [
    learning.factored
      ? product('trace x pseudo-derivative x signal', trace, slope, signal)
      : product('eligibility x signal', trace, signal),
    product('readout trace x error', chip.readoutTraceBits?.value ?? trace, signal),
    ...learned.map(({ name }) => product(`${name}: its input x its error`, signal, signal)),
  ];
}

export function arithmeticWidth(learning: Learning, chip: ChipProfile): Check {
  const name = 'arithmetic width';
  const { accumulatorBits, fractionBits, rounding } = chip.arithmetic;
  if (learning.direct) return fail(name, 'sums over other neurons, not a product at the synapse', localRule);
  const products = productsOf(learning, chip);
  if (products.length === 0) return pass(name, `no figure (${accumulatorBits.source})`);
  const widest = products.reduce((a, b) => (b.bits > a.bits ? b : a));
  const smallest = smallestUpdate(fractionBits.value);
  const growth = `${widest.of} has ${widest.bits + 1} bit, ${accumulatorBits.value} offered (${accumulatorBits.kind})`;
  if (widest.shift === 0) return pass(name, `${growth}; ${smallest}`);
  const bias = rounding === 'floor' ? ', and the floor lowers signed ones by half a step in the mean' : '';
  return degraded(
    name,
    `${growth}: shifted right by ${widest.shift}, products below 2^${widest.shift} vanish${bias}; ${smallest}`,
  );
}

function smallestUpdate(fractionBits: number | null): string {
  if (fractionBits === null) return 'smallest update: no figure';
  return `smallest update ${fractionBits === 0 ? 'one' : `2^-${fractionBits} of a`} step`;
}

/** What becomes of a decay on a chip. Time constants in steps, traces in their own steps. */
export interface KeptDecay {
  /** Field of the state that decays. */
  readonly name: string;
  /** Factor per step that the network has. */
  readonly wanted: number;
  /** The nearest that the chip has. */
  readonly kept: number;
  /** Of the factor that is wanted. */
  readonly tau: number;
  /** Of the one that is kept. */
  readonly keptTau: number;
  /** The longest that its decay form and its words hold; null: no limit. */
  readonly longestTau: number | null;
  /** Values below it no longer fall as they should; null: no figure. */
  readonly deadZone: number | null;
  /** What a spike may add without overflow at a spike per step; null: no figure. */
  readonly spike: number | null;
  /** The chip has a decay as long and as short as the one that is wanted. */
  readonly inRange: boolean;
}

/** Decays by subtraction of a constant are no decays of this kind. */
export function keptDecays(demand: Demand, chip: ChipProfile): KeptDecay[] {
  return demand.decays.filter(({ of }) => chip.decays[of].form !== 'subtract').map((d) => keepDecay(d, chip));
}

function keepDecay({ name, of, decay, learns }: DemandedDecay, chip: ChipProfile): KeptDecay {
  const { form, bits, range } = chip.decays[of];
  const grid = nearest(decay, form, bits);
  const kept = Math.min(Math.max(grid, range[0]), largestDecay(form, bits, range[1]));
  const trace = of === 'trace' || learns;
  const width = trace ? traceBits(of, chip) : chip.membraneBits.value;
  const random = chip.roundings.includes('stochastic');
  const byForm = form === 'multiply' && bits !== null ? 2 ** bits : null;
  // Where it always rounds down, a number of n bits is gone after 2^n steps.
  const byWidth = width !== null && !random ? 2 ** width : null;
  const limits = [byForm, byWidth].filter((limit) => limit !== null);
  return {
    name,
    wanted: decay,
    kept,
    tau: tauOf(decay),
    keptTau: tauOf(kept),
    longestTau: limits.length > 0 ? Math.min(...limits) : null,
    deadZone: deadZoneOf(kept, form, random, chip.roundings[0]),
    spike: trace && width !== null ? 2 ** width * (1 - kept) : null,
    inRange: grid >= range[0] && grid <= largestDecay(form, bits, range[1]) + 1e-12,
  };
}

function traceBits(of: DemandedDecay['of'], chip: ChipProfile): number | null {
  if (of === 'readout') return chip.readoutTraceBits?.value ?? chip.traceBits.value;
  return chip.traceBits.value;
}

function nearest(decay: number, form: ChipDecay['form'], bits: number | null): number {
  if (form === 'shift') return decayByShift(decay);
  if (form === 'multiply' && bits !== null) return decayByMultiply(decay, bits);
  return decay;
}

function largestDecay(form: ChipDecay['form'], bits: number | null, highest: number): number {
  return form === 'multiply' && bits !== null ? Math.min(highest, 1 - 2 ** -bits) : highest;
}

function deadZoneOf(decay: number, form: ChipDecay['form'], random: boolean, rounding: string): number | null {
  if (form === 'analog' || form === 'any') return null;
  if (random) return 1;
  return (rounding === 'nearest' ? 0.5 : 1) / (1 - decay);
}

/** The time constant of a decay, in steps. */
function tauOf(decay: number): number {
  return decay <= 0 ? 0 : decay >= 1 ? Number.POSITIVE_INFINITY : -1 / Math.log(decay);
}

/** A time constant that is off by more than this share is another network. */
const tolerance = 0.1;

export function decays(demand: Demand, chip: ChipProfile): Check {
  const name = 'decays';
  if (demand.decays.length === 0) return pass(name, 'none');
  const subtracted = demand.decays.find(({ of }) => chip.decays[of].form === 'subtract');
  if (subtracted) {
    const { source, kind } = chip.decays[subtracted.of];
    return degraded(
      name,
      `${subtracted.name} decays by ${shown(subtracted.decay)}, and the chip subtracts a constant (${kind}: ${source})`,
    );
  }
  const kept = keptDecays(demand, chip);
  const outside = kept.find(({ inRange, tau, longestTau }) => !inRange || (longestTau !== null && tau > longestTau));
  if (outside)
    return fail(name, `${described(outside)}: out of the range of the chip`, neededFor(outside, demand, chip));
  const shifted = kept.find(({ tau, keptTau }) => Math.abs(keptTau / tau - 1) > tolerance);
  if (shifted) return degraded(name, described(shifted));
  const dead = kept.find(({ deadZone, spike }) => deadZone !== null && spike !== null && deadZone > spike);
  if (dead) return degraded(name, `${described(dead)}: a spike is below the dead zone`);
  return pass(name, inWords(kept));
}

/** The range, the bits of the factor, or the width of the word with which a decay would be kept. */
function neededFor(one: KeptDecay, demand: Demand, chip: ChipProfile): string {
  const { of } = demand.decays.find(({ name, decay }) => name === one.name && decay === one.wanted) as DemandedDecay;
  const { bits, range } = chip.decays[of];
  const needed: string[] = [];
  if (one.wanted < range[0]) needed.push(`decays.${of}.range begins at ${shown(one.wanted)} or below`);
  if (one.wanted > range[1]) needed.push(`decays.${of}.range ends at ${shown(one.wanted)} or above`);
  const width = bitsFor(one.tau);
  if (bits !== null && bits < width && one.wanted > 0) needed.push(atLeast(`decays.${of}.bits`, width));
  const word =
    of === 'readout' && chip.readoutTraceBits ? 'readoutTraceBits' : of === 'membrane' ? 'membraneBits' : 'traceBits';
  if (one.longestTau !== null && one.tau > one.longestTau) {
    needed.push(`${atLeast(word, width)}, or stochastic rounding`);
  }
  return needed.length > 0 ? needed.join(' and ') : `decays.${of} holds ${shown(one.wanted)}`;
}

/** Bits of a factor, or of a word that is always rounded down, that hold a time constant in steps. */
function bitsFor(tau: number): number {
  return Math.ceil(Math.log2(Math.max(1, tau)));
}

/** A line of every field; where neurons differ, from the shortest to the longest. */
function inWords(kept: readonly KeptDecay[]): string {
  return [...new Set(kept.map(({ name }) => name))]
    .map((name) => {
      const values = kept.filter((one) => one.name === name);
      const [first] = values;
      const last = values[values.length - 1];
      return values.length === 1
        ? described(first)
        : `${described(first)} to ${keptInWords(last)}, ${values.length} values`;
    })
    .join('; ');
}

function described(one: KeptDecay): string {
  return `${one.name} ${keptInWords(one)}`;
}

function keptInWords({ wanted, kept, keptTau, longestTau, deadZone, spike }: KeptDecay): string {
  const longest = longestTau === null ? '' : `, longest tau ${longestTau} steps`;
  const zone =
    deadZone === null ? '' : `, dead zone ${shown(deadZone)}${spike === null ? '' : ` of ${shown(spike)} a spike`}`;
  return `${shown(wanted)} as ${shown(kept)} (tau ${shown(keptTau)} steps${longest}${zone})`;
}

function shown(value: number): string {
  return String(Number(value.toPrecision(4)));
}
