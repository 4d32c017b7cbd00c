import type { Network, Stages } from '../../core/network.ts';
import type { BoundSignal } from '../../core/plugins.ts';

/** The learning signal on the arrays of its network; null where there is none. */
export function bindSignal({ spec, state, trial, weights, loops }: Network): BoundSignal | null {
  const { sizes, projections, rule } = spec;
  return rule?.signal.bind({ sizes, state: state.views('signal'), trial, weights, projections, loops }) ?? null;
}

/** Learning signal, eligibility trace and readout gradient: they only add to the gradient. */
export function bindGradient(
  network: Network,
  signal: BoundSignal | null,
): Pick<Stages, 'signal' | 'direct' | 'gradient' | 'gradientEnd' | 'gradientOfTrial'> {
  const { spec, state, trial, weights, gradient, loops } = network;
  const { sizes, projections, rule } = spec;
  const binding = { sizes, state: state.views('trace'), trial, projections, gradient, loops };
  const trace = rule && spec.execution === 'online' ? rule.trace.bind(binding) : null;
  const deferred = rule && spec.execution === 'deferred' ? (rule.trace.bindDeferred?.(binding) ?? null) : null;
  const direct = spec.direct?.bind({ sizes, state: state.views('direct'), trial, weights, projections, gradient });
  const readout = spec.readout.bindGradient({ sizes, state: state.views('readout'), trial, weights, gradient, loops });
  const nStream = sizes.stream;
  return {
    signal(t0, t1, progress) {
      if (signal) for (let t = t0; t < t1; t++) signal.step(t, progress(t));
    },
    direct: (t0, t1) => direct?.(t0, t1),
    gradient(t0, t1) {
      for (let t = t0; t < t1; t++) {
        trace?.step(t);
        for (let b = 0; b < nStream; b++) readout.step(b, t);
      }
    },
    gradientEnd: (steps) => trace?.finish(steps),
    gradientOfTrial(steps) {
      deferred?.(steps);
      for (let b = 0; b < nStream; b++) readout.deferred(b, steps);
    },
  };
}
