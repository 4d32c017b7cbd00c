import { endPhase, tellErrors } from '../../core/errorSpikes.ts';
import type { SingleNetwork } from '../../core/single.ts';

/** Draws the spikes of the errors at the steps [t0, t1) that the signal learns at. @param at where what the neurons hear stands */
export function bindTell(
  { spec, signal: views, trial }: SingleNetwork,
  at: number,
  memory: WebAssembly.Memory,
): (t0: number, t1: number) => void {
  const { stream, step, out } = spec.sizes;
  const told = new Float32Array(memory.buffer, at, trial.error.length);
  const spikes = spec.rule?.signal.kernel?.errorSpikes;
  const perPhase = spec.rule?.signal.stepsPerPhase ?? 1;
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
