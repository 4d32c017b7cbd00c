import { ConfigError, UnsupportedError } from '../../src/core/errors.ts';
import type { Rng } from '../../src/core/rng.ts';
import { roundHalfEven } from './arithmetic.ts';
import type { SignMode } from './connection.ts';
import { lavaNumbers, lavaSource, type Numbers, ownNumbers, type SharedSource } from './numbers.ts';
import {
  addProduct,
  multiplyByFactor,
  multiplyBySign,
  roundStochastically,
  type Source,
  shiftFloor,
  shiftTowardZero,
} from './product.ts';
import {
  checkLearning,
  type FactorName,
  factorWidths,
  type Learned,
  type LearningParams,
  type Product,
  type SynapseVariable,
  type TraceName,
  traceNames,
  widthOf,
} from './rule.ts';
import { addRepeatedImpulse, keepTrace, recordSpikeTimes, traceHistory } from './trace.ts';

/** A learning engine between two groups. All arrays are live: a neuron that writes its traces writes them here. */
export interface Learning {
  /** x1, x2 [pre], y1..y3 [post]; 7 bit unsigned, or signed where the neuron writes them before each step. */
  readonly traces: Readonly<Record<TraceName, Int32Array>>;
  /** [pre][post]: weight w, delay d (no effect on delays here, as in lava), tag t. */
  readonly synapse: Readonly<Record<SynapseVariable, Int32Array>>;
  /** One step; learning happens in the last one of an epoch. @param pre [pre], @param post [post]: spikes delivered */
  step(pre: ArrayLike<number>, post: ArrayLike<number>): void;
}

/** What synapses start with. */
export interface InitialSynapses {
  /** [pre][post] integers. */
  readonly w: ArrayLike<number>;
  /** Delays, [pre][post] integers. */
  readonly d?: ArrayLike<number>;
  /** Tags, [pre][post] integers. */
  readonly t?: ArrayLike<number>;
}

/** Range of a product and of the sum, in 1/128 of a weight's LSB. */
interface Limits {
  /** Smallest integer. */
  readonly low: number;
  /** Largest integer. */
  readonly high: number;
}

/**
 * Loihi's learning engine: sums of products of traces and synaptic variables, once per epoch.
 *
 * Source: lava-nc/lava b6822fbc, LearningDense tagged fixed_pt and bit_approximate_loihi: lava's model, no proof of what the
 * silicon does. Rewards (r0, r1) are not in it. `compatible: 'lava'` keeps all of the following, 'own' none:
 *
 *  1. One random number per epoch is shared by all traces, and one by all synapses (own: one each).
 *  2. An impulse's fraction has 8 bits and its random number 7: a fraction f comes with probability min(1, 2 f) (own: f).
 *  3. The number of a trace's decay serves all steps of an epoch (own: one each).
 *  4. A repeated spike of x rounds its impulse up (own: stochastically).
 *  5. The generator that rounds synapses has seed 2 whatever the seed (own: split from the seed).
 *  6. Products and sums range from -2^15 - 1, tags from -257 (own: -2^15, -256).
 *  7. Mixed weights learn odd values, though 8 bits with a sign have step 2 (own: even, up to 254).
 *  8. What a neuron writes into y1..y3 decays with tau 65535 before it is used, and a negative value is used as 0 in an
 *     epoch in which that neuron spikes, as if an impulse of 0 had been added and clipped to 0..127. The stored value stays
 *     as written. (own: it is used as it is.) Checked with epochs of one step only.
 *
 * The floor of a product before its left shift is no defect but drifts (see product.ts); `productShift` turns it off.
 * nengo-loihi (e564f66e) has PES only, Brian2Loihi other roundings; neither is emulated.
 * @param random a generator, or with 'lava' the numbers themselves
 * @throws ConfigError for parameters or initial values out of range, UnsupportedError for 'own' without a generator
 */
export function createLearning(
  params: LearningParams,
  initial: InitialSynapses,
  nPre: number,
  nPost: number,
  random: Rng | SharedSource,
): Learning {
  const learned = checkLearning(params);
  const engine = allocate(learned, initial, nPre, nPost, numbersOf(learned, random, nPre, nPost));
  const { traces, synapse, timeX, timeY, repeats, epoch, numbers } = engine;
  let h = 0;
  return {
    traces,
    synapse,
    step(pre, post) {
      h = h === learned.epochSteps ? 1 : h + 1;
      numbers.step();
      for (const repeat of repeats) repeat(pre, post);
      recordSpikeTimes(timeX, pre, h, nPre);
      recordSpikeTimes(timeY, post, h, nPost);
      if (h === learned.epochSteps) epoch();
    },
  };
}

function numbersOf({ compatible, epochSteps }: Learned, random: Rng | SharedSource, nPre: number, nPost: number) {
  if (compatible === 'lava') return lavaNumbers('split' in random ? lavaSource(random) : random);
  if ('split' in random) return ownNumbers(random, nPre, nPost, epochSteps);
  throw new UnsupportedError("six shared numbers are lava's; compatible: 'own' needs a generator");
}

function allocate(learned: Learned, initial: InitialSynapses, nPre: number, nPost: number, numbers: Numbers) {
  const { epochSteps: E, compatible } = learned;
  const timeX = new Int32Array(nPre);
  const timeY = new Int32Array(nPost);
  const synapse = synapsesOf(learned, initial, nPre * nPost);
  const traces = traceArrays(1, nPre, nPost);
  const histories = traceArrays(E + 1, nPre, nPost);
  const ofTraces = traceNames.map((name) => {
    const { decay, impulse, fraction } = constantsOf(learned, name);
    const ofX = name.startsWith('x');
    const written = learned.written && !ofX;
    const [time, n] = ofX ? [timeX, nPre] : [timeY, nPost];
    const heard = written && compatible === 'own' ? new Int32Array(n) : time;
    const [trace, history] = [traces[name], histories[name]];
    const draws = { repeated: numbers.repeated[name], decay: numbers.decay[name], impulse: numbers.impulse[name] };
    return {
      repeat(pre: ArrayLike<number>, post: ArrayLike<number>) {
        if (!written) addRepeatedImpulse(trace, time, ofX ? pre : post, impulse, fraction, draws.repeated, n);
      },
      advance() {
        traceHistory(history, trace, heard, decay, impulse, fraction, draws.decay, draws.impulse, n, E);
        if (!written) keepTrace(trace, history, n, E);
      },
    };
  });
  const flags = { x0: new Int32Array(nPre), y0: new Int32Array(nPost) };
  const sources = sourcesOf(histories, synapse, flags, nPre, nPost);
  const times = { x0: { ...sources.x0, values: timeX }, y0: { ...sources.y0, values: timeY }, u: always(E) };
  const limits = { low: compatible === 'lava' ? -32769 : -32768, high: 32767 };
  const variables = (['w', 'd', 't'] as const)
    .filter((name) => learned[`d${name}`].length > 0)
    .map((name) => variableOf(name, learned, synapse, sources, times, limits, numbers, nPre, nPost));
  let epochs = 0;
  const epoch = () => {
    epochs++;
    numbers.epoch();
    for (const { advance } of ofTraces) advance();
    flag(flags.x0, timeX);
    flag(flags.y0, timeY);
    // All sums before any variable changes.
    for (const { sum } of variables) sum(epochs);
    for (const { round } of variables) round();
    timeX.fill(0);
    timeY.fill(0);
  };
  return { traces, synapse, timeX, timeY, numbers, repeats: ofTraces.map(({ repeat }) => repeat), epoch };
}

function traceArrays(steps: number, nPre: number, nPost: number): Record<TraceName, Int32Array> {
  const [x, y] = [() => new Int32Array(steps * nPre), () => new Int32Array(steps * nPost)];
  return { x1: x(), x2: x(), y1: y(), y2: y(), y3: y() };
}

/** decay = exp(-1/tau), 0 without memory; impulse = floor(I), fraction = round(256 frac(I)). */
function constantsOf({ traces, written, compatible }: Learned, name: TraceName) {
  const byNeuron = written && name.startsWith('y');
  const { tau = byNeuron ? 65535 : 0, impulse: whole = 0 } = traces[name] ?? {};
  const impulse = Math.floor(whole);
  const decay = byNeuron && compatible === 'own' ? 1 : tau === 0 ? 0 : Math.exp(-1 / tau);
  return { decay, impulse, fraction: roundHalfEven(256 * (whole - impulse)) };
}

function flag(out: Int32Array, time: Int32Array): void {
  for (let j = 0; j < out.length; j++) out[j] = time[j] === 0 ? 0 : 1;
}

function always(step: number): Source {
  return { values: Int32Array.of(step), perStep: 0, perPre: 0, perPost: 0 };
}

function sourcesOf(
  histories: Readonly<Record<TraceName, Int32Array>>,
  synapse: Readonly<Record<SynapseVariable, Int32Array>>,
  flags: Readonly<Record<'x0' | 'y0', Int32Array>>,
  nPre: number,
  nPost: number,
): Record<FactorName, Source> {
  const pre = (values: Int32Array, perStep = 0): Source => ({ values, perStep, perPre: 1, perPost: 0 });
  const post = (values: Int32Array, perStep = 0): Source => ({ values, perStep, perPre: 0, perPost: 1 });
  const both = (values: Int32Array): Source => ({ values, perStep: 0, perPre: nPost, perPost: 1 });
  return {
    ...{ x0: pre(flags.x0), x1: pre(histories.x1, nPre), x2: pre(histories.x2, nPre) },
    ...{ y0: post(flags.y0), y1: post(histories.y1, nPost), y2: post(histories.y2, nPost) },
    ...{ y3: post(histories.y3, nPost), w: both(synapse.w), d: both(synapse.d), t: both(synapse.t), C: always(0) },
  };
}

/** The two halves of a variable's update: its sum of products, and what the sum rounds to. */
function variableOf(
  name: SynapseVariable,
  learned: Learned,
  synapse: Readonly<Record<SynapseVariable, Int32Array>>,
  sources: Readonly<Record<FactorName, Source>>,
  times: Readonly<Record<'x0' | 'y0' | 'u', Source>>,
  limits: Limits,
  numbers: Numbers,
  nPre: number,
  nPost: number,
) {
  const n = nPre * nPost;
  const acc = new Float64Array(n);
  const m = new Float64Array(n);
  const values = synapse[name];
  const { low, high, unit } = rangeOf(name, learned);
  const { values: rho, perSynapse } = numbers.rounding[name];
  const [accLow, accHigh] = [low === 0 ? 0 : limits.low, high === 0 ? 0 : limits.high];
  const addTerms = learned[`d${name}`].map((product) =>
    termOf(product, learned, synapse, sources, times, limits, acc, m, nPre, nPost),
  );
  return {
    sum(epoch: number) {
      for (let s = 0; s < n; s++) acc[s] = values[s] * 128;
      for (const add of addTerms) add(epoch);
    },
    round: () => roundStochastically(values, acc, rho, perSynapse, accLow, accHigh, unit, low, high, n),
  };
}

/** m = mantissa * factors >> max(0, sum B + 4 - 15), added to acc with its exponent where the dependency is met. */
function termOf(
  product: Product,
  { productShift }: Learned,
  synapse: Readonly<Record<SynapseVariable, Int32Array>>,
  sources: Readonly<Record<FactorName, Source>>,
  times: Readonly<Record<'x0' | 'y0' | 'u', Source>>,
  { low, high }: Limits,
  acc: Float64Array,
  m: Float64Array,
  nPre: number,
  nPost: number,
): (epoch: number) => void {
  const { mantissa, exponent, dependency, factors } = product;
  const time = times[typeof dependency === 'string' ? dependency : 'u'];
  const every = typeof dependency === 'string' ? 1 : 2 ** dependency.everyEpochs;
  const rightShift = Math.max(0, widthOf(product) + 4 - 15);
  const shiftRight = productShift === 'floor' ? shiftFloor : shiftTowardZero;
  const multiply = factors.map(({ name, constant, sign }) => {
    const limit = 2 ** factorWidths[name];
    return sign
      ? () => multiplyBySign(m, synapse[name as SynapseVariable], constant, nPre * nPost)
      : () => multiplyByFactor(m, time, sources[name], constant, -limit, limit - 1, nPre, nPost);
  });
  return (epoch) => {
    if (epoch % every !== 0) return;
    m.fill(mantissa);
    for (const factor of multiply) factor();
    shiftRight(m, rightShift, nPre * nPost);
    addProduct(acc, m, time, exponent + 7, low, high, nPre, nPost);
  };
}

/** Range and grid of a synaptic variable. */
function rangeOf(name: SynapseVariable, { compatible, signMode }: Learned): Limits & { readonly unit: number } {
  const lava = compatible === 'lava';
  if (name === 'd') return { low: 0, high: 255, unit: 1 };
  if (name === 't') return { low: lava ? -257 : -256, high: 255, unit: 1 };
  const ranges: Record<SignMode, Limits> = {
    excitatory: { low: 0, high: 255 },
    inhibitory: { low: -255, high: 0 },
    mixed: { low: -256, high: lava ? 255 : 254 },
  };
  return { ...ranges[signMode], unit: !lava && signMode === 'mixed' ? 2 : 1 };
}

function synapsesOf(learned: Learned, initial: InitialSynapses, n: number): Record<SynapseVariable, Int32Array> {
  const take = (name: SynapseVariable) => {
    const given = initial[name] ?? new Int32Array(n);
    const { low, high, unit } = rangeOf(name, learned);
    if (given.length !== n) throw new ConfigError(`learning.initial.${name}`, given.length, `${n} values`);
    for (let s = 0; s < n; s++) {
      if (Number.isInteger(given[s] / unit) && given[s] >= low && given[s] <= high) continue;
      const kind = unit === 2 ? 'an even integer' : 'an integer';
      throw new ConfigError(`learning.initial.${name}.${s}`, given[s], `${kind} in ${low}..${high}`);
    }
    return Int32Array.from(given);
  };
  return { w: take('w'), d: take('d'), t: take('t') };
}
