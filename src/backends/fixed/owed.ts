import type { Real } from '../../core/layout.ts';
import { type FastLoops, scratchOf } from '../../core/loops.ts';
import type { Network } from '../../core/network.ts';
import { descendWith } from '../reference/update.ts';
import type { Learn } from './store.ts';

/** A gradient that is not written down: what it is the product of. */
interface Owed {
  readonly learn: Learn;
  /** A copy: the trace is put on its grid before the weights move. [stream][pre] */
  readonly eps: Real;
  open: boolean;
  d: Real;
  readonly nPre: number;
  readonly nPost: number;
  readonly nStream: number;
}

/** Loops of the trace and of the update that leave products of weights that move at once to the store of the weights. */
interface OwedLoops {
  readonly loops: FastLoops;
  /** Whether the weights move right after the gradient that comes now, before anybody reads it. */
  due(soon: boolean): void;
}

/**
 * Where weights move after every step the gradient of a factored trace need not be made: `addTimes` keeps eps and d, and
 * `descend` hands them on with its two factors.
 */
export function owing(
  { spec, weights, gradient }: Network,
  learnOf: (field: Real) => Learn | null,
  loops: FastLoops,
): OwedLoops {
  const { optimizer, update, sizes } = spec;
  const scratch = scratchOf(loops);
  const atOnce = update.unit === 'step' && update.every === 1 && optimizer.linear;
  const { addTimes, multiply, take } = loops;
  if (!atOnce || !addTimes || !multiply || !take) return { loops, due() {} };
  const owed = new Map<Real, Owed>();
  for (const { name, plastic, synapses } of spec.blocks) {
    const learn = learnOf(weights[name]);
    if (!learn?.takeProducts || !plastic || !synapses?.dense || synapses.masked.length > 0) continue;
    const { nPre, nPost } = synapses;
    const eps = scratch(sizes.stream * nPre);
    owed.set(gradient[name], { learn, eps, open: false, d: gradient[name], nPre, nPost, nStream: sizes.stream });
  }
  const descend = descendWith(take, multiply);
  let soon = false;
  return {
    due(now) {
      soon = now;
    },
    loops: {
      ...loops,
      addTimes(grad, eps, d, projection, nStream) {
        const own = soon ? owed.get(grad) : undefined;
        if (!own) return addTimes(grad, eps, d, projection, nStream);
        own.open = true;
        own.eps.set(eps);
        own.d = d;
      },
      descend(w, step, scale, rate) {
        const own = owed.get(step);
        if (!own?.open) return descend(w, step, scale, rate);
        own.open = false;
        own.learn.takeProducts?.(own.eps, own.d, own.nPre, own.nPost, own.nStream, scale, rate);
      },
    },
  };
}
