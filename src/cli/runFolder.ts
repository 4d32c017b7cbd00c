import { existsSync, readdirSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { ConfigError, FileError } from '../core/errors.ts';
import type { OpenOptions } from '../core/network.ts';
import { checkpointConfig } from '../engine/checkpoint.ts';
import { createExperiment, type Experiment } from '../experiment/experiment.ts';
import { readCheckpoint } from '../record/index.ts';
import { catalogue } from './catalogue.ts';
import { loadKept } from './plugins.ts';

/** Names inside a run folder. */
export const files = {
  config: 'config.json',
  checkpoint: 'checkpoint.bin',
  summary: 'summary.json',
  fixedPoint: 'fixed-point.json',
  weights: 'weights',
  figures: 'figures',
  recording: 'recording',
} as const;

export function isRunFolder(folder: string): boolean {
  return existsSync(join(folder, files.checkpoint));
}

/** The run folders at or below a folder: OUT itself, or OUT/rule/seed-k. @throws FileError if there is none */
export function findRuns(folder: string): string[] {
  if (!existsSync(folder)) throw new FileError(folder, 'no such folder');
  if (isRunFolder(folder)) return [folder];
  const below = (path: string) =>
    readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(path, entry.name))
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const found = below(folder).flatMap((child) => (isRunFolder(child) ? [child] : below(child).filter(isRunFolder)));
  if (found.length === 0) throw new FileError(folder, `holds no run: no ${files.checkpoint} in it or below it`);
  return found;
}

/** The experiment of a run folder where its checkpoint left it. @throws FileError for a damaged or foreign checkpoint */
export function loadRun(folder: string, options: OpenOptions = {}): Experiment {
  const path = join(folder, files.checkpoint);
  return readCheckpoint(path, (payload) => {
    loadKept(folder);
    const experiment = createExperiment(checkpointConfig(payload), catalogue, {
      ...options,
      maxBytes: availableMemory(),
    });
    experiment.restore(payload);
    return experiment;
  });
}

/** The configuration that a run was trained with; null where it has no checkpoint. */
export function savedConfig(folder: string): unknown {
  const path = join(folder, files.checkpoint);
  return existsSync(path) ? readCheckpoint(path, (payload) => checkpointConfig(payload)) : null;
}

/** Bytes that a run may take. */
export function availableMemory(): number {
  return process.availableMemory?.() ?? freemem();
}

/** @throws ConfigError if the folder already holds a run */
export function assertNoRun(folder: string): void {
  if (isRunFolder(folder)) {
    throw new ConfigError(
      '--out',
      folder,
      'a folder without a run; "spiketrace resume" goes on with one, or name another',
    );
  }
}
