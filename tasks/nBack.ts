import { z } from 'zod';
import { ConfigError } from '../src/core/errors.ts';
import type { Bound } from '../src/core/events.ts';
import type { TaskInstance, TaskModel, TrialTarget } from '../src/core/plugins.ts';
import type { Rng } from '../src/core/rng.ts';
import { count, countTo, magnitude, positive } from '../src/core/schema.ts';
import { rateToSpikesPerStep } from '../src/core/units.ts';
import { entropy } from './bounds.ts';

const probability = z.number().min(0).max(1);
const effect = z.number().min(-1).max(1);
const perPopulation = countTo(100_000);
/** Every chunk of a stream draws the symbols before it anew, so that a lag costs memory and time. */
const lag = countTo(100_000);
const params = z.strictObject({
  kind: z.literal('n-back'),
  lags: z.tuple([lag, lag]).default([4, 6]).describe('symbols back'),
  inputProbability: probability.default(0.5).describe('P(x = 1)'),
  base: probability.default(0.5).describe('P(y = 1) where both remembered symbols are 0'),
  effects: z.tuple([effect, effect]).default([0.5, -0.25]).describe('what each remembered 1 adds to P(y = 1)'),
  stepsPerSymbol: count.default(1),
  scoreAt: z.enum(['every-step', 'last-step']).default('last-step').describe('steps of a symbol that are scored'),
  outputs: z
    .union([z.literal(1), z.literal(2)])
    .default(2)
    .describe('[y, 1-y] for a softmax, or y alone'),
  encoding: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('one-hot') }),
      z.strictObject({
        kind: z.literal('poisson'),
        cells: perPopulation.default(20).describe('per population'),
        rateHz: positive.default(100).describe('while the symbol of the population is on, Hz'),
        silentHz: magnitude.default(0).describe('while it is off, Hz'),
      }),
      z.strictObject({
        kind: z.literal('regular'),
        cells: perPopulation.default(20).describe('per population'),
        rateHz: positive.default(100).describe('while the symbol of the population is on, Hz'),
      }),
    ])
    .default({ kind: 'one-hot' }),
});
type Params = z.infer<typeof params>;

/** Random numbers of a stream come in blocks of this many symbols, each a pure function of its index. */
const blockSymbols = 1024;

/**
 * (n1, n2)-back: x(n) is 1 with probability p_x, and the label is 1 with P(n) = base + d1 x(n - n1) + d2 x(n - n2).
 * With lags (4, 6) it is the "add task" of Marschall, Cho, Savin 2020 (JMLR 21:135). One endless stream: symbol n of a
 * stream is a function of the seed and n alone. Symbols before the stream's beginning are 0 and the labels that would
 * need them are not scored. Bounds are expected cross-entropies in nats.
 */
export const nBack: TaskModel<Params> = {
  kind: 'n-back',
  source: 'Marschall, Cho, Savin 2020, JMLR 21:135',
  params,
  derive(p, { dtMs, rng: taskRng }): TaskInstance {
    checkProbabilities(p);
    const cells = p.encoding.kind === 'one-hot' ? 1 : p.encoding.cells;
    const encode = encoder(p.encoding, dtMs, taskRng);
    return {
      nIn: 2 * cells,
      nOut: p.outputs,
      mode: { kind: 'stream', stepsPerSymbol: p.stepsPerSymbol },
      statesExpected: true,
      testIsNew: true,
      bounds: nBackBounds(p),
      inputPopulations: [
        { label: 'x = 1', size: cells },
        { label: 'x = 0', size: cells },
      ],
      fill: (out, rng, start) => fillStream(out, rng, start, p, encode),
    };
  },
};

/** Writes the input of one step: `bit` is on, population 0 codes for 1 and population 1 for 0. */
type Encode = (x: TrialTarget['x'], row: number, bit: number, step: number, rng: Rng) => void;

const encodeOneHot: Encode = (x, row, bit) => {
  x[row] = bit;
  x[row + 1] = 1 - bit;
};

function encoder(encoding: Params['encoding'], dtMs: number, rng: Rng): Encode {
  switch (encoding.kind) {
    case 'one-hot':
      return encodeOneHot;
    case 'poisson':
      return encodePoisson(encoding, dtMs);
    case 'regular':
      return encodeRegular(encoding, dtMs, rng.split('phases'));
    default:
      return encoding satisfies never;
  }
}

/** Every cell fires once a period at a phase of its own, drawn once, while its population's symbol is on. */
function encodeRegular({ cells, rateHz }: { cells: number; rateHz: number }, dtMs: number, rng: Rng): Encode {
  const period = Math.round(1 / rateToSpikesPerStep(rateHz, dtMs));
  if (period < 1)
    throw new ConfigError('task.encoding.rateHz', rateHz, `at most one spike a step, <= ${1000 / dtMs} (Hz)`);
  const phases = Array.from({ length: 2 * cells }, () => rng.integer(period));
  return (x, row, bit, step) => {
    for (let c = 0; c < 2 * cells; c++) {
      const on = c < cells ? bit === 1 : bit === 0;
      x[row + c] = on && step % period === phases[c] ? 1 : 0;
    }
  };
}

function encodePoisson(
  { cells, rateHz, silentHz }: { cells: number; rateHz: number; silentHz: number },
  dtMs: number,
): Encode {
  const on = rateToSpikesPerStep(rateHz, dtMs);
  const off = rateToSpikesPerStep(silentHz, dtMs);
  if (on > 1) throw new ConfigError('task.encoding.rateHz', rateHz, `at most one spike a step, <= ${1000 / dtMs} (Hz)`);
  return (x, row, bit, step, rng) => {
    const source = rng.split('spikes').split(step);
    for (let c = 0; c < cells; c++) x[row + c] = source.bernoulli(bit ? on : off);
    for (let c = cells; c < 2 * cells; c++) x[row + c] = source.bernoulli(bit ? off : on);
  };
}

function fillStream(out: TrialTarget, rng: Rng, start: number, p: Params, encode: Encode): void {
  const { stepsPerSymbol, outputs } = p;
  const memory = Math.max(...p.lags);
  const first = Math.floor(start / stepsPerSymbol);
  const count = Math.floor((start + out.steps - 1) / stepsPerSymbol) - first + 1;
  const inputs = blockwise(rng.split('x'), first - memory, count + memory);
  const labels = blockwise(rng.split('y'), first, count);
  const bit = (n: number) => (n >= 0 && inputs[n - first + memory] < p.inputProbability ? 1 : 0);
  for (let t = 0; t < out.steps; t++) {
    const n = Math.floor((start + t) / stepsPerSymbol);
    const chance = labelProbability(p, bit(n - p.lags[0]), bit(n - p.lags[1]));
    const label = labels[n - first] < chance ? 1 : 0;
    encode(out.x, t * out.xStride, bit(n), start + t, rng);
    write(out.target, t * outputs, label, outputs);
    write(out.expected, t * outputs, chance, outputs);
    const last = (start + t + 1) % stepsPerSymbol === 0;
    out.weight[t] = n >= memory && (last || p.scoreAt === 'every-step') ? 1 : 0;
  }
}

function write(target: TrialTarget['target'], row: number, value: number, outputs: number): void {
  target[row] = value;
  if (outputs === 2) target[row + 1] = 1 - value;
}

/** Uniform numbers of the symbols [from, from + count) of a stream; those before symbol 0 are 1. */
function blockwise(rng: Rng, from: number, count: number): Float64Array {
  const values = new Float64Array(count).fill(1);
  const begin = Math.max(from, 0);
  for (let block = Math.floor(begin / blockSymbols); block * blockSymbols < from + count; block++) {
    const source = rng.split(block);
    for (let n = block * blockSymbols; n < Math.min((block + 1) * blockSymbols, from + count); n++) {
      const value = source.uniform();
      if (n >= from) values[n - from] = value;
    }
  }
  return values;
}

/** P(y = 1) given the two remembered symbols. */
export function labelProbability(
  p: { base: number; effects: readonly [number, number] },
  x1: number,
  x2: number,
): number {
  return p.base + p.effects[0] * x1 + p.effects[1] * x2;
}

/** Expected cross-entropy in nats of an ideal predictor that knows nothing, the first lag, or both. */
export function nBackBounds(p: Pick<Params, 'lags' | 'base' | 'effects' | 'inputProbability'>): Bound[] {
  const px = p.inputProbability;
  const chances = [0, 1].map((x1) => [0, 1].map((x2) => labelProbability(p, x1, p.lags[0] === p.lags[1] ? x1 : x2)));
  const mix = (values: readonly number[]) => (1 - px) * values[0] + px * values[1];
  const both = mix(chances.map((row) => mix(row.map(entropy))));
  const first = mix(chances.map((row) => entropy(mix(row))));
  const marginal = entropy(mix(chances.map(mix)));
  return [
    { label: 'marginal', value: marginal },
    { label: `lag ${p.lags[0]}`, value: first },
    { label: `lags ${p.lags[0]} and ${p.lags[1]}`, value: both, ideal: true },
  ];
}

function checkProbabilities(p: Params): void {
  for (const x1 of [0, 1]) {
    for (const x2 of [0, 1]) {
      const chance = labelProbability(p, x1, x2);
      if (chance < 0 || chance > 1) {
        throw new ConfigError('task.effects', p.effects, `base + effects within [0, 1]; P(y = 1) would be ${chance}`);
      }
    }
  }
}
