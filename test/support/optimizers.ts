import { models } from '../../models/index.ts';
import type { Optimizer, OptimizerModel } from '../../src/core/plugins.ts';

/** As an experiment writes it, without rates. */
export type Settings = { readonly kind: string } & Readonly<Record<string, unknown>>;

/** The optimiser of these settings. `owners`: names of the blocks of weights, in their order. */
export function createOptimizer(settings: Settings, key = 0, owners: readonly string[] = ['all']): Optimizer {
  const model = models.optimizers.find(({ kind }) => kind === settings.kind) as OptimizerModel;
  return model.derive(model.params.parse(settings), { key, owners });
}
