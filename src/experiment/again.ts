import type { ExperimentConfig } from '../config/schema.ts';
import { ConfigError } from '../core/errors.ts';
import type { TaskInstance } from '../core/plugins.ts';

/** A rule in passes compares losses, of which a firing-rate term would have to be a part. */
export function checkPasses(config: ExperimentConfig, task: TaskInstance): void {
  const { rateTerm, rule } = config;
  const beside = `beside the rule "${rule.name}", which runs every trial more than once`;
  checkAgain(config, task, beside);
  if (rateTerm.strength > 0) throw new ConfigError('rateTerm.strength', rateTerm.strength, `0 ${beside}`);
}

/** A trial whose second pass learns what the first one was worth has an end, and a beginning that is always the same. */
export function checkTwoPasses(config: ExperimentConfig, task: TaskInstance, state: string): void {
  const beside = `beside "${String(config.rule.name)}", whose trials are two passes`;
  if (task.mode.kind === 'stream')
    throw new ConfigError('task.kind', 'an endless stream', `a task of trials ${beside}`);
  if (state === 'carry') throw new ConfigError('training.state', state, `"reset" ${beside}`);
  checkAgain(config, task, beside);
}

/** What no trial that is run again can be put together with: it would be another one by then, or learn from all of its runs. */
function checkAgain(
  { modulator, training, network, task: given }: ExperimentConfig,
  task: TaskInstance,
  beside: string,
): void {
  if (task.environment) throw new ConfigError('task.kind', given.kind, `a task that does not answer ${beside}`);
  if (training.update.unit === 'step') throw new ConfigError('training.update.unit', 'step', `"trial" ${beside}`);
  if (modulator) throw new ConfigError('modulator.kind', modulator.kind, `null ${beside}`);
  for (const [name, { rewiring, scaling }] of Object.entries(network.projections)) {
    const path = `network.projections.${name}`;
    if (rewiring) throw new ConfigError(`${path}.rewiring.kind`, rewiring.kind, `null ${beside}`);
    if (scaling) throw new ConfigError(`${path}.scaling.kind`, scaling.kind, `null ${beside}`);
  }
}
