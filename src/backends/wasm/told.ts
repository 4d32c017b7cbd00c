import { channelName } from '../../core/bindings.ts';
import { endPhase, tellErrors } from '../../core/errorSpikes.ts';
import type { Network } from '../../core/network.ts';
import { columnsOf, rowAt } from '../../core/rows.ts';
import type { Plan } from './memory.ts';

/** Draws the spikes of the errors at the steps [t0, t1) that the signals learn at. */
export function bindTell(
  network: Network,
  { populations }: Plan,
  memory: WebAssembly.Memory,
): (t0: number, t1: number) => void {
  const tellers = populations.flatMap(({ heard }, p) =>
    heard.flatMap(({ told }, c) => (told === null ? [] : [bindOne(network, p, c, told, memory)])),
  );
  return (t0, t1) => {
    for (const tell of tellers) for (let t = t0; t < t1; t++) tell(t);
  };
}

/** The errors of a channel as a population hears them. @param at where they stand, in the rows of the errors themselves */
function bindOne(
  { spec, state, trial }: Network,
  p: number,
  c: number,
  at: number,
  memory: WebAssembly.Memory,
): (t: number) => void {
  const { name, signals } = spec.populations[p];
  const { stepsPerPhase, kernel } = signals[c];
  const { column, size } = spec.channels[c];
  const spikes = kernel?.errorSpikes;
  const views = state.views(channelName(`population.${name}.signal`, spec, c), 'signal');
  const error = columnsOf(trial.error, column, size);
  const told = new Float32Array(memory.buffer, at, error.data.length);
  return (t) => {
    if (!spikes || (t + 1) % stepsPerPhase !== 0) return;
    for (let b = 0; b < spec.sizes.stream; b++) {
      const row = rowAt(error, b, t);
      tellErrors(told, error.data, row, row, b, size, spikes, views);
    }
    endPhase(views);
  };
}
