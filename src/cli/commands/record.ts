import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../../core/errors.ts';
import type { StepEvent } from '../../core/events.ts';
import type { Split } from '../../core/plugins.ts';
import { nextSteps } from '../../engine/feed.ts';
import { createRecorder, type Recorder, type RecordingPlan } from '../../engine/recorder.ts';
import { runTrial } from '../../engine/run.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { estimateRecordingBytes, openRecording, toCsv, writeAtomic } from '../../record/index.ts';
import { loadParts } from '../execute.ts';
import { type Global, print, tell } from '../output.ts';
import { findRuns, loadRun } from '../runFolder.ts';
import { indicesOf, rangeOf } from './run.ts';

export interface RecordFlags extends Global {
  readonly fields?: string;
  readonly spikes?: string;
  readonly trials: string;
  readonly split: string;
  readonly neurons?: string;
  readonly every?: number;
  readonly maxMb: number;
  readonly csv?: boolean;
  readonly out?: string;
}

/** `spiketrace record`: steps of a trained network, weights as they are, on fresh data or on those that it has learned from. */
export async function record(folder: string, flags: RecordFlags): Promise<void> {
  const [fromTrial, toTrial] = rangeOf(flags.trials, '--trials');
  const { split } = flags;
  if (split !== 'train' && split !== 'test') throw new ConfigError('--split', split, 'train or test');
  if (flags.fields === undefined && flags.spikes === undefined) {
    throw new ConfigError('--fields', undefined, 'fields to record, for example z,v; or --spikes with a file');
  }
  const runs = findRuns(folder);
  if (runs.length > 1 && (flags.out !== undefined || flags.spikes !== undefined)) {
    throw new ConfigError(
      flags.out !== undefined ? '--out' : '--spikes',
      folder,
      'one run folder: files would be written twice',
    );
  }
  await loadParts(
    runs.map((run) => ({ folder: run, experiment: null })),
    tell,
  );
  for (const run of runs) {
    const watched = watch(loadRun(run), { fromTrial, toTrial, split });
    if (flags.fields !== undefined) writeRows(run, watched, flags);
    if (flags.spikes !== undefined) writeSpikes(flags.spikes, watched, flags);
  }
}

type Plan = Pick<RecordingPlan, 'fields' | 'neurons' | 'everySteps'>;

interface Watched {
  readonly experiment: Experiment;
  readonly split: Split;
  /** Trials that are told of. */
  readonly trials: number;
  /** What a plan records. `run` does the trials from the first on, and tells of those that are wanted. */
  follow(plan: Plan): { readonly fields: Recorder['fields']; run(tell: (event: StepEvent) => void): void };
}

function watch(
  experiment: Experiment,
  { fromTrial, toTrial, split }: { readonly fromTrial: number; readonly toTrial: number; readonly split: Split },
): Watched {
  const trials = toTrial - fromTrial;
  return {
    experiment,
    split,
    trials,
    follow(plan) {
      const { run, feed } = experiment.observer(1, split);
      const recorder = createRecorder(run, { ...plan, fromTrial, trials });
      return {
        fields: recorder.fields,
        run(tell) {
          const listener = (event: { readonly type: string }) => tell(event as StepEvent);
          while (run.clock.trial < toTrial) {
            const steps = nextSteps(run, experiment.task, run.totalSteps);
            feed.fill(steps);
            const onStep = recorder.wants(run.clock.trial) ? (t: number) => recorder.step(run, t, listener) : undefined;
            runTrial(run, steps, { learn: true, freeze: true, answer: feed.answer, onStep });
          }
        },
      };
    },
  };
}

function writeRows(run: string, watched: Watched, flags: RecordFlags): void {
  const plan = {
    fields: (flags.fields ?? '').split(',').map((name) => name.trim()),
    neurons: flags.neurons ? indicesOf(flags.neurons, '--neurons') : undefined,
    everySteps: flags.every,
  };
  const out = flags.out ?? join(run, 'recordings', watched.split);
  if (existsSync(join(out, 'index.csv'))) {
    throw new ConfigError('--out', out, 'a folder without a recording: name another, or remove it');
  }
  const followed = watched.follow(plan);
  const { fields } = followed;
  const maxBytes = flags.maxMb * 2 ** 20;
  const { sizes } = watched.experiment.run.network.spec;
  const bytes = estimateRecordingBytes({ fields, rows: watched.trials * Math.ceil(sizes.step / (flags.every ?? 1)) });
  if (bytes > maxBytes) {
    throw new ConfigError(
      '--max-mb',
      flags.maxMb,
      `at least ${Math.ceil(bytes / 2 ** 20)} (MiB), or fewer trials, steps, neurons or fields`,
    );
  }
  const recording = openRecording(out, {
    fields,
    maxBytes,
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

/** One line a spike: trial, population, unit, and ms since the beginning of the trial. */
function writeSpikes(path: string, watched: Watched, { json }: RecordFlags): void {
  const { spec } = watched.experiment.run.network;
  const spiking = spec.populations.filter(({ spiking: does }) => does);
  if (spiking.length === 0)
    throw new ConfigError('--spikes', path, 'a network with spikes; rates are recorded with --fields');
  const { dtMs } = watched.experiment.config.network;
  const fields = spiking.map(({ name }) => `population.${name}.z`);
  const lines = ['trial,population,unit,time_ms'];
  watched.follow({ fields }).run(({ trial, t, values }) => {
    spiking.forEach(({ name }, p) => {
      values[fields[p]].forEach((z, unit) => {
        if (z !== 0) lines.push(`${trial},${name},${unit},${Number((t * dtMs).toPrecision(12))}`);
      });
    });
  });
  writeAtomic(path, new TextEncoder().encode(`${lines.join('\n')}\n`));
  print(json ? JSON.stringify({ spikes: path, count: lines.length - 1 }) : `${path}: ${lines.length - 1} spikes`);
}
