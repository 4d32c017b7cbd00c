import { ConfigError } from '../core/errors.ts';
import { createExperiment } from '../experiment/experiment.ts';
import { catalogue } from './catalogue.ts';
import { loadRun } from './runFolder.ts';

/** A run that is there was made with the settings asked for: its numbers would be sold as those of others otherwise. */
export function assertSameExperiment(folder: string, experiment: unknown): void {
  const wanted = createExperiment(experiment, catalogue).config;
  const odd = difference(loadRun(folder).config, wanted, '');
  if (odd) {
    throw new ConfigError('--out', folder, `a run with ${odd.path} ${odd.want}, not ${odd.got}; name another folder`);
  }
}

/** The first setting that two configurations do not share. */
function difference(got: unknown, want: unknown, path: string): { path: string; got: string; want: string } | null {
  if (JSON.stringify(got) === JSON.stringify(want)) return null;
  if (!isRecord(got) || !isRecord(want)) return { path, got: JSON.stringify(got), want: JSON.stringify(want) };
  for (const key of new Set([...Object.keys(want), ...Object.keys(got)])) {
    const found = difference(got[key], want[key], path === '' ? key : `${path}.${key}`);
    if (found) return found;
  }
  return null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
