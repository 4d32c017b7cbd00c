import type { Network } from '../../core/network.ts';
import type { ArrayToWrite, Written } from '../../data/index.ts';
import { assertRecordingFits } from '../recordingLimit.ts';
import { stepsOf, type Watched } from '../watched.ts';
import { weightFiles } from '../weights.ts';

/** What a run has learned, under the names of its weight files. */
export function weightsOf(network: Network): ArrayToWrite[] {
  return weightFiles(network).map(({ name, shape, values }) => ({ name, shape, values }));
}

/** Fields of the steps of some trials, each [trial][step][width]; steps beyond the end of a shorter trial are NaN. @throws ConfigError */
export function statesOf(watched: Watched, names: string, maxMb: number): ArrayToWrite[] {
  const followed = watched.follow({ fields: names.split(',').map((name) => name.trim()) });
  assertRecordingFits(followed.fields, stepsOf(watched), { maxMb, flag: '--max-mb' });
  const steps = watched.experiment.run.network.spec.sizes.step;
  const arrays = followed.fields.map(({ name, width }) => ({
    name,
    shape: [watched.trials, steps, width],
    values: new Float64Array(watched.trials * steps * width).fill(Number.NaN),
  }));
  followed.run(({ trial, t, values }) => {
    for (const { name, shape, values: all } of arrays) {
      all.set(values[name], ((trial - watched.fromTrial) * steps + t) * shape[2]);
    }
  });
  return arrays;
}

export function asTree(arrays: readonly ArrayToWrite[]): Written {
  return Object.fromEntries(
    arrays.map(({ name, shape, values }) => {
      return [name, { type: values instanceof Int32Array ? 'int32' : 'float64', shape, values } as const];
    }),
  );
}
