import type { Real } from '../../core/layout.ts';
import type { Loops } from '../../core/loops.ts';
import { isPlastic, type Network, rateAt, type Stages, weightNames } from '../../core/network.ts';
import type { BoundSignal } from '../../core/plugins.ts';
import { type WeightRange, weightRanges } from '../../core/projection.ts';

/** One update of all plastic weights: the optimiser turns the gradient into a step, the step is taken, limits apply. */
export function bindUpdate(network: Network, signal: BoundSignal | null): Stages['update'] {
  const { spec, state, weights, gradient } = network;
  const { take, multiply } = { ...plain, ...network.loops };
  const descend = network.loops?.descend ?? descendWith(take, multiply);
  const { sizes, rule, optimizer, clamp, rates } = spec;
  const readoutKeep = 1 - (rule?.signal.readoutDecay ?? 0);
  const plastic = weightNames.filter((name) => isPlastic(name, spec));
  const frozen = weightNames.filter((name) => !isPlastic(name, spec));
  const slots = new Map(
    plastic.map((name) => [name, optimizer.slots.map((slot) => state.field(`optimizer.${slot}.${name}`))]),
  );
  const projections = { wIn: spec.projections.in, wRec: spec.projections.rec, wOut: null, bOut: null };
  const limited = new Map(
    plastic
      .filter((name) => clamp || projections[name]?.signs)
      .map((name) => [name, weightRanges(projections[name], weights[name].length, clamp)]),
  );
  const masked = { wIn: spec.projections.in.masked, wRec: spec.projections.rec.masked, wOut: null, bOut: null };
  return (progress, count, trials) => {
    const scale = spec.update.reduction === 'mean' ? 1 / (sizes.stream * trials) : 1;
    for (const name of frozen) gradient[name].fill(0);
    for (const name of plastic) {
      const step = gradient[name];
      clear(step, masked[name]);
      const rate = rateAt(rates[name], progress);
      const follow = name === 'wOut' ? signal?.readoutStep : undefined;
      if (optimizer.kind === 'sgd' && !follow) descend(weights[name], step, scale, rate);
      else {
        if (scale !== 1) multiply(step, scale);
        optimizer.step(step, slots.get(name) ?? [], rate, count, weightNames.indexOf(name));
        follow?.(step);
        take(weights[name], step);
      }
      if (name === 'wOut' && readoutKeep !== 1) multiply(weights.wOut, readoutKeep);
      limit(weights[name], limited.get(name) ?? []);
      if (clamp) clear(weights[name], masked[name]);
    }
  };
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
