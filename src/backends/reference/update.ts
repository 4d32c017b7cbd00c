import type { Real } from '../../core/layout.ts';
import { isPlastic, type Network, type Stages, scheduleAt, weightNames } from '../../core/network.ts';
import type { BoundSignal } from '../../core/plugins.ts';

/** One update of all plastic weights: the optimiser turns the gradient into a step, the step is taken, limits apply. */
export function bindUpdate(network: Network, signal: BoundSignal | null): Stages['update'] {
  const { spec, state, weights, gradient } = network;
  const { take, multiply } = { ...plain, ...network.loops };
  const { sizes, rule, optimizer, clamp, rates } = spec;
  const readoutKeep = 1 - (rule?.signal.readoutDecay ?? 0);
  const plastic = weightNames.filter((name) => isPlastic(name, spec));
  const frozen = weightNames.filter((name) => !isPlastic(name, spec));
  const slots = new Map(
    plastic.map((name) => [name, optimizer.slots.map((slot) => state.field(`optimizer.${slot}.${name}`))]),
  );
  const masked = { wIn: spec.projections.in.masked, wRec: spec.projections.rec.masked, wOut: null, bOut: null };
  return (progress, count, trials) => {
    const scale = spec.update.reduction === 'mean' ? 1 / (sizes.stream * trials) : 1;
    for (const name of frozen) gradient[name].fill(0);
    for (const name of plastic) {
      const step = gradient[name];
      clear(step, masked[name]);
      if (scale !== 1) multiply(step, scale);
      const { rate, schedule } = rates[name];
      const now = rate * scheduleAt(schedule, progress);
      if (optimizer.kind === 'sgd') multiply(step, now);
      else optimizer.step(step, slots.get(name) ?? [], now, count);
      if (name === 'wOut') signal?.readoutStep?.(step);
      take(weights[name], step);
      if (name === 'wOut' && readoutKeep !== 1) multiply(weights.wOut, readoutKeep);
      if (clamp) limit(weights[name], clamp[0], clamp[1]);
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

function multiply(x: Real, factor: number): void {
  for (let s = 0; s < x.length; s++) x[s] *= factor;
}

const plain = { take, multiply };

function limit(w: Real, low: number, high: number): void {
  for (let s = 0; s < w.length; s++) w[s] = Math.min(Math.max(w[s], low), high);
}

function clear(x: Real, entries: Int32Array | null): void {
  if (entries) for (let m = 0; m < entries.length; m++) x[entries[m]] = 0;
}
