import type { ExperimentConfig } from '../config/schema.ts';
import { ConfigError } from '../core/errors.ts';
import type { ProjectionSpec } from '../core/network.ts';
import type { Catalogue } from '../core/plugins.ts';
import type { Rng } from '../core/rng.ts';
import { find } from './find.ts';

/** Projections with their rewiring and scaling, as the configuration names them. */
export function withUpkeep(
  projections: readonly ProjectionSpec[],
  { network }: ExperimentConfig,
  catalogue: Catalogue,
  rng: Rng,
): ProjectionSpec[] {
  return projections.map((projection): ProjectionSpec => {
    const { whole, name, synapses } = projection;
    const given = network.projections[whole.name];
    // The bias of a population is a projection that the configuration does not list.
    if (!given) return projection;
    const path = `network.projections.${whole.name}`;
    const derive = <T, M extends { readonly kind: string; derive(params: never, context: object): T }>(
      models: readonly M[],
      part: 'rewiring' | 'scaling',
    ) => {
      const chosen = given[part];
      if (chosen === null) return null;
      const at = `${path}.${part}`;
      if (!given.plastic) throw new ConfigError(at, chosen.kind, 'null beside plastic: false');
      const model = find(models, 'kind', chosen.kind, `${at}.kind`);
      const context = { path: at, synapses, rng: rng.split(part).split(name) };
      return { kind: model.kind, part: model.derive(chosen as never, context) };
    };
    return {
      ...projection,
      rewiring: derive(catalogue.rewirings, 'rewiring'),
      scaling: derive(catalogue.scalings, 'scaling'),
    };
  });
}
