import type { Network, Stages } from '../../core/network.ts';
import { bindForward } from '../reference/forward.ts';
import { bindSignals } from '../reference/gradient.ts';
import { bindRateTerm } from '../reference/rateTerm.ts';
import { bindUpdate } from '../reference/update.ts';

/**
 * Small stages that gain nothing from tensors: error, rate term, update, and the signal of a watched step. They are the
 * reference backend's, on float32 arrays.
 */
export function bindHostStages(
  network: Network,
): Pick<Stages, 'error' | 'rateRunning' | 'rateOfTrial' | 'signal' | 'update'> {
  const signals = bindSignals(network);
  return {
    error: bindForward(network).error,
    ...bindRateTerm(network),
    signal(t0, t1, progress) {
      // The deferred gradient makes the signal itself; only a watched step needs it here.
      if (t1 - t0 === 1) for (const signal of signals) signal.step(t0, progress(t0), t0);
    },
    update: bindUpdate(network, signals),
  };
}
