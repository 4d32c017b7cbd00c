import type { ExperimentConfig } from '../config/schema.ts';
import { ConfigError } from '../core/errors.ts';
import type { PopulationSpec } from '../core/network.ts';
import type { TaskInstance } from '../core/plugins.ts';
import { createRng } from '../core/rng.ts';
import { buildProjection } from '../engine/projections.ts';

/** From every neuron of a population to every neuron of all others. */
export function signalBlock(populations: readonly PopulationSpec[], owner: number) {
  const nPost = populations.reduce((sum, { size }, p) => sum + (p === owner ? 0 : size), 0);
  const { name, size } = populations[owner];
  const connectivity = { kind: 'dense' } as const;
  const shape = { nPre: size, nPost, bias: false, recurrent: false, autapses: true, connectivity, dale: null };
  return { name: `${name}.signal`, owner, synapses: buildProjection(shape, createRng(0)) };
}

/** A trial that is done twice has an end, a beginning that is always the same, and input that does not depend on what was answered. */
export function checkTwoPasses(
  { rule, training, modulator, network }: ExperimentConfig,
  task: TaskInstance,
  state: string,
): void {
  const beside = `beside "${String(rule.name)}", whose trials are two passes`;
  if (task.mode.kind === 'stream')
    throw new ConfigError('task.kind', 'an endless stream', `a task of trials ${beside}`);
  if (task.environment) throw new ConfigError('task.kind', 'a task that answers', `one that does not ${beside}`);
  if (training.update.unit === 'step') throw new ConfigError('training.update.unit', 'step', `"trial" ${beside}`);
  if (state === 'carry') throw new ConfigError('training.state', state, `"reset" ${beside}`);
  if (modulator !== null) throw new ConfigError('modulator.kind', modulator.kind, `null ${beside}`);
  for (const [name, { rewiring, scaling }] of Object.entries(network.projections)) {
    const path = `network.projections.${name}`;
    if (rewiring) throw new ConfigError(`${path}.rewiring.kind`, rewiring.kind, `null ${beside}`);
    if (scaling) throw new ConfigError(`${path}.scaling.kind`, scaling.kind, `null ${beside}`);
  }
}
