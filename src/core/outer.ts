import type { NetworkSpec, ProjectionSpec } from './network.ts';
import type { NetworkShape, OuterPart, ProjectionShape, ReadoutShape } from './plugins.ts';

/** The lists of a network, whatever else their entries hold. */
interface Lists<P, Q extends ProjectionShape, R extends ReadoutShape> {
  readonly populations: readonly P[];
  readonly projections: readonly Q[];
  readonly readouts: readonly R[];
}

/**
 * The lists without one population and without what ends on it or comes from it; places in them are those of the shorter list. No
 * readout may read it. `projectionsOf` holds the place of each projection that is left in the longer list.
 */
export function without<P, Q extends ProjectionShape, R extends ReadoutShape>(
  population: number,
  { populations, projections, readouts }: Lists<P, Q, R>,
): Lists<P, Q, R> & { readonly projectionsOf: readonly number[] } {
  const place = (p: number) => (p > population ? p - 1 : p);
  const projectionsOf = projections.flatMap(({ pre, post }, q) =>
    pre === population || post === population ? [] : [q],
  );
  return {
    populations: populations.filter((_, p) => p !== population),
    projections: projectionsOf.map((q) => {
      const { pre, post } = projections[q];
      return { ...projections[q], pre: pre === null ? null : place(pre), post: place(post) };
    }),
    readouts: readouts.map((readout) => ({ ...readout, reads: readout.reads.map(place) })),
    projectionsOf,
  };
}

/** What a rule of the test trial knows of its network: one stream, without the module. */
export function testShape(network: NetworkShape, module: number): NetworkShape {
  const { populations, projections, readouts } = without(module, network);
  return { sizes: { ...network.sizes, stream: 1 }, populations, projections, readouts };
}

/** The network of the test trial of one stream: the same without the module, and without anything that learns but `test`. */
export function testSpec(spec: NetworkSpec, { module, test }: OuterPart): NetworkSpec {
  const { populations, projections, readouts, projectionsOf } = without(module, spec);
  const blocks = spec.blocks.flatMap((block) => {
    if (block.kind === 'signal') return [];
    if (block.kind !== 'projection') return [block];
    const owner = projectionsOf.indexOf(block.owner);
    return owner < 0 ? [] : [{ ...block, owner }];
  });
  return {
    ...spec,
    sizes: { ...spec.sizes, stream: 1 },
    populations: populations.map((population) => ({ ...population, rule: null, signals: [] })),
    projections: projections.map((projection): ProjectionSpec => {
      return { ...projection, traces: [], rewiring: null, scaling: null };
    }),
    readouts,
    channels: [],
    blocks,
    modulator: null,
    passes: null,
    direct: test,
    execution: 'deferred',
  };
}
