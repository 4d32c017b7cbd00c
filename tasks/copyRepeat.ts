import { z } from 'zod';
import { ConfigError } from '../src/core/errors.ts';
import type { Split, TaskInstance, TaskModel, TrialTarget } from '../src/core/plugins.ts';
import type { Rng } from '../src/core/rng.ts';
import { count, countTo, listed } from '../src/core/schema.ts';
import { unseen } from './bounds.ts';
import { probability, spikesOf } from './cellGroups.ts';

const most = countTo(1000);
const params = z.strictObject({
  kind: z.literal('copy-repeat'),
  symbols: z.number().int().min(2).max(1000).default(2).describe('symbols of the alphabet'),
  length: z.tuple([most, most]).default([1, 3]).describe('shortest and longest sequence, symbols'),
  repeats: z.tuple([most, most]).default([1, 2]).describe('fewest and most repetitions that are asked for'),
  lengthenEvery: count
    .nullable()
    .default(null)
    .describe(
      'trials of training after which the longest sequence is a symbol longer, beginning with the shortest; null: all lengths from the start',
    ),
  symbolSteps: listed.default(20).describe('length of a symbol, shown or answered, and of the command, steps'),
  cellsPerGroup: listed.default(5).describe('inputs of each group'),
  rate: probability.default(0.4).describe('spikes per step of a group that is on'),
  noise: probability.default(0.04).describe('spikes per step of the noise group, on until the answer is over'),
});
type Params = z.infer<typeof params>;

/**
 * Repeat copy: a sequence of L symbols is shown, then a command that says how often, r; the network is to put out the sequence r times.
 *
 *     symbol 1 | .. | symbol L | command r | r L symbols to answer          inputs [symbols, commands, first, next, noise][cells]
 *
 * L and r are uniform. While the network answers, "first" is on in the first symbol of each repetition and "next" in all others, so that it
 * has to keep the sequence and its place in it, but no clock. Trials are as long as the longest one; what is left of a shorter one is silent and
 * not scored. A symbol is one decision, by its summed outputs. Each answer rests on one shown symbol: with u the probability that none of its
 * spikes came, the ideal predictor reaches u ln(symbols), one that knows no symbol ln(symbols).
 *
 * Curriculum: trial n of the training has sequences of at most min(longest, shortest + floor(n / lengthenEvery)) symbols, a function of n alone, so
 * that a run that is resumed sees the same trials. Test trials have all lengths.
 *
 * Graves, Wayne and Danihelka 2014 (arXiv 1410.5401), section 4.2; with a curriculum on length in Bellec et al. 2019 (arXiv 1901.09049). Both
 * recalled: there symbols are 8 random bits and lengthen with success; commands, cues and all constants are ours.
 */
export const copyRepeat: TaskModel<Params> = {
  kind: 'copy-repeat',
  source: 'Graves et al. 2014, arXiv 1410.5401; Bellec et al. 2019, arXiv 1901.09049; constants are ours',
  params,
  derive(p): TaskInstance {
    for (const name of ['length', 'repeats'] as const) {
      if (p[name][0] > p[name][1]) throw new ConfigError(`task.${name}`, p[name], 'the smallest one first');
    }
    const steps = (p.length[1] + 1 + p.repeats[1] * p.length[1]) * p.symbolSteps;
    const commands = p.repeats[1] - p.repeats[0] + 1;
    const guess = Math.log(p.symbols);
    return {
      nIn: (p.symbols + commands + 3) * p.cellsPerGroup,
      nOut: p.symbols,
      mode: { kind: 'trial', steps, decisionSteps: p.symbolSteps },
      statesExpected: false,
      testIsNew: true,
      bounds: [
        { label: 'no symbol', value: guess },
        { label: 'every symbol', value: guess * unseen(p.rate, p.cellsPerGroup, p.symbolSteps), ideal: true },
      ],
      inputPopulations: [
        { label: 'symbols', size: p.symbols * p.cellsPerGroup },
        { label: 'commands', size: commands * p.cellsPerGroup },
        ...['first', 'next', 'noise'].map((label) => ({ label, size: p.cellsPerGroup })),
      ],
      fill: (out, rng, start, split) => write(out, p, steps, longest(p, start, split), rng.split(split).split(start)),
    };
  },
};

/** The longest sequence that trial `start` may have. */
function longest({ length, lengthenEvery }: Params, start: number, split: Split): number {
  if (split === 'test' || lengthenEvery === null) return length[1];
  return Math.min(length[1], length[0] + Math.floor(start / lengthenEvery));
}

function write(out: TrialTarget, p: Params, steps: number, longestNow: number, rng: Rng): void {
  const draws = rng.split('symbols');
  const L = p.length[0] + draws.integer(longestNow - p.length[0] + 1);
  const command = draws.integer(p.repeats[1] - p.repeats[0] + 1);
  const shown = Array.from({ length: L }, () => draws.integer(p.symbols));
  const end = L + 1 + (p.repeats[0] + command) * L;
  const ofCues = p.symbols + p.repeats[1] - p.repeats[0] + 1;
  const spikes = rng.split('spikes');
  for (let slot = 0; slot * p.symbolSteps < steps; slot++) {
    const answer = slot > L && slot < end ? (slot - L - 1) % L : -1;
    const rates = new Array<number>(ofCues + 3).fill(0);
    if (slot < L) rates[shown[slot]] = p.rate;
    if (slot === L) rates[p.symbols + command] = p.rate;
    if (answer >= 0) rates[answer === 0 ? ofCues : ofCues + 1] = p.rate;
    if (slot < end) rates[ofCues + 2] = p.noise;
    for (let t = slot * p.symbolSteps; t < (slot + 1) * p.symbolSteps; t++) {
      spikesOf(out.x, t * out.xStride, rates, p.cellsPerGroup, spikes);
      out.weight[t] = answer >= 0 ? 1 : 0;
      for (let k = 0; k < p.symbols; k++) out.target[p.symbols * t + k] = answer >= 0 && k === shown[answer] ? 1 : 0;
    }
  }
}
