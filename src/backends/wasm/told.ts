import { endPhase, tellErrors } from '../../core/errorSpikes.ts';
import type { Real } from '../../core/layout.ts';
import type { Network } from '../../core/network.ts';
import { sharedLengths } from './memory.ts';
import type { Site } from './stages.ts';

/** Room for errors as spikes; null where the neurons hear the errors themselves. */
export function layTold({ spec, trial }: Network, { memory, take }: Pick<Site, 'memory' | 'take'>): Real | null {
  const length = sharedLengths(spec).told;
  return length > 0 ? new Float32Array(memory.buffer, take(length), trial.error.length) : null;
}

/** Draws the spikes of the errors at the steps [t0, t1) that the signal learns at. */
export function bindTell({ spec, state, trial }: Network, told: Real): (t0: number, t1: number) => void {
  const { stream, step, out } = spec.sizes;
  const spikes = spec.rule?.signal.kernel?.errorSpikes;
  const perPhase = spec.rule?.signal.stepsPerPhase ?? 1;
  const views = state.views('signal');
  return (t0, t1) => {
    for (let t = t0; t < t1 && spikes; t++) {
      if ((t + 1) % perPhase !== 0) continue;
      for (let b = 0; b < stream; b++) {
        const row = (b * step + t) * out;
        tellErrors(told, trial.error, row, row, b, out, spikes, views);
      }
      endPhase(views);
    }
  };
}
