import { type NetworkSpec, type PopulationSpec, windowOf } from '../core/network.ts';
import { createRecorder } from '../engine/recorder.ts';
import { runTrial } from '../engine/run.ts';
import type { Experiment } from '../experiment/experiment.ts';

/** Steps [from, from + steps) of a trial, or of a stream after its first chunk. */
export interface Window {
  readonly from: number;
  readonly steps: number;
}

/** What stream 0 did over some steps: rows of every field, [step][width]. */
export interface Observation extends Window {
  readonly dtMs: number;
  readonly rows: Readonly<Record<string, readonly Float64Array[]>>;
}

/**
 * Watches the network on data of its own, weights frozen, signals computed, without changing the run. A stream is
 * watched after one chunk, so that its start is not what is seen.
 */
export function observe(experiment: Experiment, { from, steps }: Window): Observation {
  const { run, feed } = experiment.observer(1);
  const { spec } = run.network;
  const length = spec.sizes.step;
  if (experiment.task.mode.kind === 'stream') {
    feed.fill(length);
    runTrial(run, length, { learn: true, freeze: true, answer: feed.answer });
  }
  const fields = ['task.x', ...spec.populations.flatMap((population) => fieldsOf(population, spec)), ...outputs(spec)];
  const recorder = createRecorder(run, { fields });
  const rows: Record<string, Float64Array[]> = Object.fromEntries(fields.map((field) => [field, []]));
  for (let first = 0; first < from + steps; first += length) {
    feed.fill(length);
    runTrial(run, length, {
      learn: true,
      freeze: true,
      answer: feed.answer,
      onStep(t) {
        if (first + t < from || first + t >= from + steps) return;
        recorder.step(run, t, (event) => {
          if (event.type === 'step') for (const field of fields) rows[field].push(event.values[field]);
        });
      },
    });
  }
  return { dtMs: spec.dtMs, from, steps, rows };
}

function fieldsOf({ name, neuron }: PopulationSpec, spec: NetworkSpec): string[] {
  const { channels, direct } = spec;
  const fields = ['z', 'psi', neuron.membrane];
  if (neuron.threshold) fields.push('threshold');
  // A signal with a window is known when the window is over.
  if (channels.length > 0 && !direct && windowOf(spec) === null) fields.push('signal');
  return fields.map((field) => `population.${name}.${field}`);
}

function outputs({ readouts }: NetworkSpec): string[] {
  return readouts.flatMap(({ name }) =>
    ['y', 'target', 'expected', 'error'].map((field) => `readout.${name}.${field}`),
  );
}
