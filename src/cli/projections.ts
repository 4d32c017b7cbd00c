import { type NetworkSpec, type ProjectionSpec, wholesOf } from '../core/network.ts';
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
  /** What changes its synapses beside the rule, by kind; null: nothing. */
  readonly rewiring: string | null;
  readonly scaling: string | null;
}

/** The projections of a network, in the order of the configuration. */
export function shownProjections(spec: NetworkSpec): ShownProjection[] {
  const plastic = new Set(
    spec.blocks.flatMap(({ name, kind, plastic: moves }) => (moves && kind === 'projection' ? [name] : [])),
  );
  return wholesOf(spec).map(({ name, synapses: whole, parts }): ShownProjection => {
    const [{ pre, post, rewiring, scaling }] = parts;
    const delays = parts.map(({ delay }) => delay * spec.dtMs);
    const synapses = parts.reduce((sum, part) => sum + existing(part.whole.drawn ?? part.synapses), 0);
    return {
      name,
      from: pre === null ? 'input' : spec.populations[pre].name,
      to: spec.populations[post].name,
      synapses,
      density: synapses / (whole.nPre * whole.nPost),
      delayMs: [Math.min(...delays), Math.max(...delays)],
      sign: signOf(parts[0]),
      plastic: parts.some((part) => plastic.has(part.name)),
      rewiring: rewiring?.kind ?? null,
      scaling: scaling?.kind ?? null,
    };
  });
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
