import { ConfigError } from '../core/errors.ts';
import type { Listener } from '../core/events.ts';
import type { Real } from '../core/layout.ts';
import type { TrialArrays } from '../core/plugins.ts';
import type { Run } from './run.ts';

export interface RecordingPlan {
  /** Whole-time arrays (`x`, `z`, `psi`, `y`, `target`, `error`, `signal`), `threshold`, or state such as `neuron.v`. */
  readonly fields: readonly string[];
  /** Indices to keep of fields that have one entry per recurrent neuron; default all. */
  readonly neurons?: readonly number[] | undefined;
  readonly stream?: number | undefined;
  /** First trial and number of trials to record. */
  readonly fromTrial?: number | undefined;
  readonly trials?: number | undefined;
  /** Every n-th step only. */
  readonly everySteps?: number | undefined;
}

/** Turns chosen steps into events; at most one a step, and nothing is copied in trials that nobody wants. */
export interface Recorder {
  readonly fields: readonly { readonly name: string; readonly width: number }[];
  wants(trial: number): boolean;
  step(run: Run, t: number, listener: Listener): void;
}

interface Source {
  readonly name: string;
  readonly width: number;
  copy(run: Run, t: number): Float64Array;
}

/** @throws ConfigError for a field, a stream or a neuron that the network does not have */
export function createRecorder(run: Run, plan: RecordingPlan): Recorder {
  const { sizes } = run.network.spec;
  const stream = plan.stream ?? 0;
  if (!(Number.isInteger(stream) && stream >= 0 && stream < sizes.stream)) {
    throw new ConfigError('recording.stream', stream, `a stream in [0, ${sizes.stream})`);
  }
  for (const j of plan.neurons ?? []) {
    if (!(Number.isInteger(j) && j >= 0 && j < sizes.rec)) {
      throw new ConfigError('recording.neurons', j, `neuron indices in [0, ${sizes.rec})`);
    }
  }
  const sources = plan.fields.map((field) => createSource(run, field, stream, plan.neurons));
  const first = plan.fromTrial ?? 0;
  const last = first + (plan.trials ?? Number.POSITIVE_INFINITY);
  const every = plan.everySteps ?? 1;
  return {
    fields: sources.map(({ name, width }) => ({ name, width })),
    wants: (trial) => trial >= first && trial < last,
    step(of, t, listener) {
      if (t % every !== 0) return;
      const values: Record<string, Float64Array> = {};
      for (const source of sources) values[source.name] = source.copy(of, t);
      listener({ type: 'step', trial: of.clock.trial, t, stream, values });
    },
  };
}

function createSource(run: Run, field: string, stream: number, neurons?: readonly number[]): Source {
  const { spec, state, trial } = run.network;
  const { step: steps, history, rec } = spec.sizes;
  const pick = (array: Real, at: number, width: number) =>
    width === rec && neurons
      ? Float64Array.from(neurons, (j) => array[at + j])
      : Float64Array.from(array.subarray(at, at + width));
  const widthOf = (width: number) => (width === rec && neurons ? neurons.length : width);
  if (field === 'threshold') {
    const { threshold } = spec.neuron;
    if (!threshold) throw new ConfigError('recording.fields', field, 'a spiking neuron, which has a threshold');
    const row = new Float64Array(rec);
    return {
      name: field,
      width: widthOf(rec),
      copy(of) {
        threshold(of.network.state.views('neuron'), stream, row);
        return pick(row, 0, rec);
      },
    };
  }
  if (field in trial) {
    const key = field as keyof TrialArrays;
    const rows = key === 'z' ? history + steps : steps;
    const width = trial[key].length / (spec.sizes.stream * rows);
    const lead = key === 'z' ? history : 0;
    return {
      name: field,
      width: widthOf(width),
      copy: (of, t) => pick(of.network.trial[key], (stream * rows + lead + t) * width, width),
    };
  }
  const length = state.field(field).length;
  const entry = state.table.find(({ name }) => name === field);
  const perStream = entry?.shape[0] === spec.sizes.stream && (entry?.shape.length ?? 0) > 1;
  const width = perStream ? length / spec.sizes.stream : length;
  return {
    name: field,
    width: widthOf(width),
    copy: (of) => pick(of.network.state.field(field), perStream ? stream * width : 0, width),
  };
}
