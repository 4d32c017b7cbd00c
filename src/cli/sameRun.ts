import { ConfigError } from '../core/errors.ts';
import { createExperiment } from '../experiment/experiment.ts';
import { catalogue } from './catalogue.ts';
import { loadRun } from './runFolder.ts';

/** A run that is there was made with the settings asked for: its numbers would be sold as those of others otherwise. */
export function assertSameExperiment(folder: string, experiment: unknown): void {
  const wanted = createExperiment(experiment, catalogue).config;
  const [odd] = differences(loadRun(folder).config, wanted);
  if (odd) {
    throw new ConfigError('--out', folder, `a run with ${odd.path} ${odd.want}, not ${odd.got}; name another folder`);
  }
}

interface Difference {
  readonly path: string;
  readonly got: string;
  readonly want: string;
}

/** The settings that two configurations do not share. */
export function differences(got: unknown, want: unknown, path = ''): Difference[] {
  if (JSON.stringify(got) === JSON.stringify(want)) return [];
  if (!isRecord(got) || !isRecord(want)) return [{ path, got: written(got), want: written(want) }];
  const keys = [...new Set([...Object.keys(want), ...Object.keys(got)])];
  return keys.flatMap((key) => differences(got[key], want[key], path === '' ? key : `${path}.${key}`));
}

const written = (value: unknown): string => JSON.stringify(value) ?? 'nothing';

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
