import type { NetworkSpec, ProjectionSpec } from '../core/network.ts';
import type { Projection } from '../core/projection.ts';

/** A projection as the configuration has it, all delays together. */
export interface ShownProjection {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly synapses: number;
  /** Share of all pairs. */
  readonly density: number;
  /** Smallest and largest, ms. */
  readonly delayMs: readonly [number, number];
  readonly sign: 'excitatory' | 'inhibitory' | 'mixed' | 'free';
  readonly plastic: boolean;
}

/** The projections of a network, in the order of the configuration. */
export function wholeProjections(spec: NetworkSpec): ShownProjection[] {
  const plastic = new Set(
    spec.blocks.flatMap(({ kind, owner, plastic: moves }) => (moves && kind === 'projection' ? [owner] : [])),
  );
  return wholesOf(spec).map((parts) => shownProjection(spec, parts, plastic));
}

/** Places of the parts of every projection, which differ by their delay. */
function wholesOf({ projections }: NetworkSpec): number[][] {
  const wholes = new Map<string, number[]>();
  projections.forEach(({ whole }, q) => {
    wholes.set(whole.name, [...(wholes.get(whole.name) ?? []), q]);
  });
  return [...wholes.values()];
}

function shownProjection(spec: NetworkSpec, parts: readonly number[], plastic: ReadonlySet<number>): ShownProjection {
  const { whole, pre, post } = spec.projections[parts[0]];
  const delays = parts.map((q) => spec.projections[q].delay * spec.dtMs);
  const synapses = parts.reduce((sum, q) => sum + existing(spec.projections[q].synapses), 0);
  return {
    name: whole.name,
    from: pre === null ? 'input' : spec.populations[pre].name,
    to: spec.populations[post].name,
    synapses,
    density: synapses / (whole.synapses.nPre * whole.synapses.nPost),
    delayMs: [Math.min(...delays), Math.max(...delays)],
    sign: signOf(spec.projections[parts[0]]),
    plastic: parts.some((q) => plastic.has(q)),
  };
}

function existing({ nSyn, masked }: Projection): number {
  return nSyn - masked.length;
}

function signOf({ synapses: { signs } }: ProjectionSpec): ShownProjection['sign'] {
  if (!signs) return 'free';
  const bound = signs.filter((sign) => sign !== 0);
  if (bound.every((sign) => sign > 0)) return 'excitatory';
  return bound.every((sign) => sign < 0) ? 'inhibitory' : 'mixed';
}
