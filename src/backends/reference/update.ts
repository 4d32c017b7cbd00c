import { blockGroup, readoutParts } from '../../core/bindings.ts';
import type { Real } from '../../core/layout.ts';
import { square } from '../../core/linearMaps.ts';
import type { Loops } from '../../core/loops.ts';
import { clipFactor, type Network, rateAt, type Stages, type WeightBlock } from '../../core/network.ts';
import { type WeightRange, weightRanges } from '../../core/projection.ts';
import type { PlacedSignal } from './gradient.ts';

/** One update of all plastic weights: the optimiser turns the gradient into a step, the step is taken, limits apply. */
export function bindUpdate(network: Network, signals: readonly PlacedSignal[]): Stages['update'] {
  const { spec, gradient } = network;
  const plastic = spec.blocks.flatMap((block, index) =>
    block.plastic ? [bindBlock(network, signals, block, index)] : [],
  );
  const moving = spec.blocks.flatMap(({ name, plastic: moves, synapses }): Moving[] =>
    moves ? [{ step: gradient[name], masked: synapses?.masked ?? null }] : [],
  );
  const frozen = spec.blocks.filter((block) => !block.plastic).map(({ name }) => gradient[name]);
  return (progress, count, trials) => {
    const scale = spec.update.reduction === 'mean' ? 1 / (spec.sizes.stream * trials) : 1;
    for (const step of frozen) step.fill(0);
    const clipped = spec.clip === null ? 1 : clipOf(moving, scale, spec.clip);
    for (const update of plastic) update(progress, count, scale * clipped);
  };
}

/** Of the gradient of all blocks together (TensorFlow's clip_by_global_norm). */
function clipOf(blocks: readonly Moving[], scale: number, clip: number): number {
  let squares = 0;
  for (const { step, masked } of blocks) {
    clear(step, masked);
    squares += square(step, 0, step.length);
  }
  return clipFactor(clip, scale, squares);
}

/** Gradient of a block that learns, and its entries that are no synapses. */
interface Moving {
  readonly step: Real;
  readonly masked: Int32Array | null;
}

/** The update of one block, the `index`-th of its network. */
function bindBlock(
  network: Network,
  signals: readonly PlacedSignal[],
  block: WeightBlock,
  index: number,
): (progress: number, count: number, scale: number) => void {
  const { spec, state, loops } = network;
  const { take, multiply } = { ...plain, ...loops };
  const descend = loops?.descend ?? descendWith(take, multiply);
  const { optimizer, clamp } = spec;
  const { name, synapses, rate: given } = block;
  const weights = network.weights[name];
  const step = network.gradient[name];
  const slots = optimizer.slots.map((slot) => state.field(`${blockGroup(block, spec)}.${slot}`));
  const limits = clamp || synapses?.signs ? weightRanges(synapses, weights.length, clamp) : [];
  const follow = block.kind === 'readout' ? followersOf(network, signals, block.owner) : [];
  const decaying = block.kind === 'readout' ? decayingParts(network, block.owner, weights) : [];
  const masked = synapses?.masked ?? null;
  return (progress, count, scale) => {
    clear(step, masked);
    const rate = rateAt(given, progress);
    if (optimizer.linear && follow.length === 0) descend(weights, step, scale, rate);
    else {
      if (scale !== 1) multiply(step, scale);
      optimizer.step(step, slots, rate, count, index);
      for (const told of follow) told(step);
      take(weights, step);
    }
    for (const { part, keep } of decaying) multiply(part, keep);
    limit(weights, limits);
    if (clamp) clear(weights, masked);
  };
}

/** Signals with feedback that takes the steps of a readout, each given the rows of its own population. */
function followersOf({ spec }: Network, signals: readonly PlacedSignal[], readout: number): ((step: Real) => void)[] {
  const { size } = spec.readouts[readout];
  const parts = readoutParts(spec, readout);
  return signals.flatMap(({ readoutStep, population, channel }) => {
    const part = parts.find((one) => one.population === population);
    if (!readoutStep || !part) return [];
    const [from, end] = [part.row * size, (part.row + part.n) * size];
    const heard = spec.channels[channel].readouts.filter((r) => spec.readouts[r].reads.includes(population));
    const own = heard.indexOf(readout);
    return own < 0 ? [] : [(step: Real) => readoutStep(own, step.subarray(from, end))];
  });
}

/** Weights of a readout that decay with every update. */
function decayingParts({ spec }: Network, readout: number, weights: Real): { part: Real; keep: number }[] {
  const { size } = spec.readouts[readout];
  return readoutParts(spec, readout)
    .filter(({ keep }) => keep !== 1)
    .map(({ row, n, keep }) => ({ part: weights.subarray(row * size, (row + n) * size), keep }));
}

/** w <- w - step;  step <- 0. */
export function take(w: Real, step: Real): void {
  for (let s = 0; s < w.length; s++) {
    w[s] -= step[s];
    step[s] = 0;
  }
}

/** w -= (step scale) rate, by the loops that a backend has. */
export function descendWith(takeNow: Loops['take'], multiplyNow: Loops['multiply']): Loops['descend'] {
  return (w, step, scale, rate) => {
    if (scale !== 1) multiplyNow(step, scale);
    multiplyNow(step, rate);
    takeNow(w, step);
  };
}

function multiply(x: Real, factor: number): void {
  for (let s = 0; s < x.length; s++) x[s] *= factor;
}

const plain = { take, multiply };

function limit(w: Real, ranges: readonly WeightRange[]): void {
  for (const { from, to, low, high } of ranges)
    for (let s = from; s < to; s++) w[s] = Math.min(Math.max(w[s], low), high);
}

function clear(x: Real, entries: Int32Array | null): void {
  if (entries) for (let m = 0; m < entries.length; m++) x[entries[m]] = 0;
}
