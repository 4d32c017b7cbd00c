import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../../core/errors.ts';
import { startRecording, toCsv } from '../../record/index.ts';
import { loadParts } from '../execute.ts';
import { type Global, print, tell } from '../output.ts';
import { indicesOf } from '../ranges.ts';
import { assertRecordingFits } from '../recordingLimit.ts';
import { findRuns, loadRun } from '../runFolder.ts';
import { splitOf, stepsOf, type Watched, type WatchFlags, watch } from '../watched.ts';

export interface RecordFlags extends Global, WatchFlags {
  readonly fields: string;
  readonly neurons?: string;
  readonly every?: number;
  readonly maxMb: number;
  readonly csv?: boolean;
  readonly out?: string;
}

/** `spiketrace record`: steps of a trained network, weights as they are, on fresh data or on those that it has learned from. */
export async function record(folder: string, flags: RecordFlags): Promise<void> {
  splitOf(flags);
  const runs = findRuns(folder);
  if (runs.length > 1 && flags.out !== undefined) {
    throw new ConfigError('--out', folder, 'one run folder: files would be written twice');
  }
  await loadParts(
    runs.map((run) => ({ folder: run, experiment: null })),
    tell,
  );
  for (const run of runs) writeRows(run, watch(loadRun(run), flags), flags);
}

function writeRows(run: string, watched: Watched, flags: RecordFlags): void {
  const plan = {
    fields: flags.fields.split(',').map((name) => name.trim()),
    neurons: flags.neurons ? indicesOf(flags.neurons, '--neurons') : undefined,
    everySteps: flags.every,
  };
  const out = flags.out ?? join(run, 'recordings', watched.split);
  if (existsSync(join(out, 'index.csv'))) {
    throw new ConfigError('--out', out, 'a folder without a recording: name another, or remove it');
  }
  const followed = watched.follow(plan);
  const { fields } = followed;
  assertRecordingFits(fields, stepsOf(watched, flags.every), { maxMb: flags.maxMb, flag: '--max-mb' });
  const recording = startRecording(out, {
    fields,
    dtMs: watched.experiment.run.network.spec.dtMs,
    maxBytes: flags.maxMb * 2 ** 20,
    onStop(message) {
      throw new ConfigError('--out', out, `a disk with room: ${message}`);
    },
  });
  followed.run(recording.listener);
  recording.close();
  if (flags.csv) for (const { name } of fields) toCsv(out, name, join(out, `${name}.csv`));
  print(
    flags.json ? JSON.stringify({ run, recording: out, steps: recording.rows }) : `${out}: ${recording.rows} steps`,
  );
}
