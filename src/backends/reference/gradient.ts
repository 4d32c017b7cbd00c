import { bindingOfReadout, bindingOfSignal, bindingOfTrace } from '../../core/bindings.ts';
import { bindingOfDirect } from '../../core/direct.ts';
import type { Network, Stages } from '../../core/network.ts';
import type { BoundSignal } from '../../core/plugins.ts';

/** A signal on the arrays of its population. */
export interface PlacedSignal extends BoundSignal {
  readonly population: number;
  readonly channel: number;
}

/** The learning signals of all populations, in their order. */
export function bindSignals(network: Network): PlacedSignal[] {
  return network.spec.populations.flatMap(({ signals }, population) =>
    signals.map((signal, channel) => ({
      population,
      channel,
      ...signal.bind(bindingOfSignal(network, population, channel)),
    })),
  );
}

/** Learning signals, eligibility traces and gradients of readouts: they only add to the gradient. */
export function bindGradient(
  network: Network,
  signals: readonly PlacedSignal[],
): Pick<Stages, 'signal' | 'direct' | 'gradient' | 'gradientEnd' | 'gradientOfTrial'> {
  const { spec } = network;
  const { execution, sizes } = spec;
  const placed = spec.projections.flatMap(({ traces }, q) =>
    traces.map((trace, c) => ({ trace, binding: bindingOfTrace(network, q, c) })),
  );
  const traces = execution === 'online' ? placed.map(({ trace, binding }) => trace.bind(binding)) : [];
  const deferred =
    execution === 'deferred' ? placed.flatMap(({ trace, binding }) => trace.bindDeferred?.(binding) ?? []) : [];
  const direct = spec.direct?.bind(bindingOfDirect(network));
  const readouts = spec.readouts.map(({ readout }, r) => readout.bindGradient(bindingOfReadout(network, r)));
  const nStream = sizes.stream;
  const windowed = ({ population, channel }: PlacedSignal) =>
    spec.populations[population].signals[channel].window !== null;
  const atOnce = signals.filter(windowed);
  const stepwise = signals.filter((signal) => !windowed(signal));
  return {
    signal(t0, t1, progress) {
      for (let t = t0; t < t1; t++) for (const signal of stepwise) signal.step(t, progress(t), t);
      for (const signal of atOnce) signal.step(t1 - 1, progress(t1 - 1), t0);
    },
    direct: (t0, t1) => direct?.(t0, t1),
    gradient(t0, t1) {
      for (let t = t0; t < t1; t++) {
        for (let q = 0; q < traces.length; q++) traces[q].step(t);
        for (let r = 0; r < readouts.length; r++) for (let b = 0; b < nStream; b++) readouts[r].step(b, t);
      }
    },
    gradientEnd(steps) {
      for (const trace of traces) trace.finish(steps);
    },
    gradientOfTrial(steps) {
      for (const back of deferred) back(steps);
      for (const readout of readouts) for (let b = 0; b < nStream; b++) readout.deferred(b, steps);
    },
  };
}
