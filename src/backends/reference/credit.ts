import { bindingOfReadout, bindingOfTrace } from '../../core/bindings.ts';
import type { Real, Views } from '../../core/layout.ts';
import type { Network, Stages } from '../../core/network.ts';
import type { BoundTrace, ModulatorInstance, TraceBinding } from '../../core/plugins.ts';
import type { Rows } from '../../core/rows.ts';

/**
 * What a modulator scales where weights change within a trial, of each stream and block of weights:
 *
 *     G(t) = keep G(t-1) + trace(t) signal(t);      gradient += m(t) G(t)
 *
 * A trace adds to a gradient over all streams, so each stream has one of its own here.
 */
export function bindCredit(
  network: Network,
  { keep }: ModulatorInstance,
): Required<Pick<Stages, 'gradient' | 'gradientEnd' | 'gradientOfTrial' | 'credit'>> {
  const { spec, state, gradient } = network;
  const nStream = spec.sizes.stream;
  const blocks = spec.blocks.map(({ name }) => {
    const all = state.field(`modulator.${name}.G`);
    const own = Array.from({ length: nStream }, (_, b) => partOf(all, b, nStream));
    return { name, all, own, gradient: gradient[name] };
  });
  const ofStream = (name: string, b: number): Real =>
    (blocks.find((block) => block.name === name) as { own: Real[] }).own[b];
  const traces = spec.projections.flatMap((projection, q) =>
    projection.traces.flatMap((trace, c) =>
      Array.from({ length: nStream }, (_, b): BoundTrace => {
        const binding = streamOf(bindingOfTrace(network, q, c), b, nStream);
        return trace.bind({ ...binding, gradient: ofStream(projection.name, b) });
      }),
    ),
  );
  const readouts = spec.readouts.map(({ readout, name }, r) =>
    Array.from({ length: nStream }, (_, b) =>
      readout.bindGradient({
        ...bindingOfReadout(network, r),
        gradient: { weights: ofStream(name, b), bias: ofStream(`${name}.bias`, b) },
      }),
    ),
  );
  return {
    gradient(t0, t1) {
      for (let t = t0; t < t1; t++) {
        for (const { all } of blocks) for (let s = 0; s < all.length; s++) all[s] *= keep;
        for (let q = 0; q < traces.length; q++) traces[q].step(t);
        for (let r = 0; r < readouts.length; r++) for (let b = 0; b < nStream; b++) readouts[r][b].step(b, t);
      }
    },
    credit(m) {
      for (const { own, gradient: sum } of blocks) {
        for (let b = 0; b < nStream; b++) for (let s = 0; s < sum.length; s++) sum[s] += m[b] * own[b][s];
      }
    },
    gradientEnd() {},
    gradientOfTrial() {},
  };
}

function partOf(values: Real, b: number, nStream: number): Real {
  const length = values.length / nStream;
  return values.subarray(b * length, (b + 1) * length);
}

/** A trace on the rows and the state of one stream. */
function streamOf(binding: TraceBinding, b: number, nStream: number): TraceBinding {
  const { sizes, state, pre, psi, signal, rateTerm } = binding;
  const rows = (of: Rows): Rows => (of.width === 0 ? of : { ...of, data: partOf(of.data, b, nStream) });
  const views: Views = Object.fromEntries(
    Object.entries(state).map(([name, values]) => [name, partOf(values, b, nStream)]),
  );
  return {
    ...binding,
    sizes: { ...sizes, stream: 1 },
    state: views,
    pre: rows(pre),
    psi: rows(psi),
    signal: rows(signal),
    rateTerm: rows(rateTerm),
  };
}
