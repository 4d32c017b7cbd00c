import { ConfigError } from '../core/errors.ts';
import type { Listener } from '../core/events.ts';
import type { Real } from '../core/layout.ts';
import { creditsInSteps, type NetworkSpec, windowOf } from '../core/network.ts';
import { type Rows, rowAt } from '../core/rows.ts';
import { fullName, namedRows } from './names.ts';
import type { Run } from './run.ts';

export interface RecordingPlan {
  /** Rows (`task.x`, `population.rec.z`, `readout.out.y`), `population.rec.threshold`, or state such as `population.rec.v`; the beginning may be left out where only one field ends so. */
  readonly fields: readonly string[];
  /** Indices to keep of fields that have one entry per neuron of a population; default all. */
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
  /** `u1`: spikes, 0 or 1. */
  readonly fields: readonly { readonly name: string; readonly width: number; readonly type?: 'u1' }[];

  wants(trial: number): boolean;
  step(run: Run, t: number, listener: Listener): void;
}

interface Source {
  readonly name: string;
  readonly spikes: boolean;
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
  const sources = plan.fields.map((field) => createSource(run, field, stream, plan.neurons));
  const first = plan.fromTrial ?? 0;
  const last = first + (plan.trials ?? Number.POSITIVE_INFINITY);
  const every = plan.everySteps ?? 1;
  const total = Math.ceil(run.totalSteps / sizes.step);
  if (first >= total || (plan.trials !== undefined && last > total)) {
    throw new ConfigError(
      'recording.trials',
      `${first}:${last}`,
      `trials within 0:${total}, all that this training has`,
    );
  }
  return {
    fields: sources.map(({ name, width, spikes }) => ({ name, width, ...(spikes ? { type: 'u1' as const } : {}) })),
    wants: (trial) => trial >= first && trial < last,
    step(of, t, listener) {
      if (t % every !== 0) return;
      const values: Record<string, Float64Array> = {};
      for (const source of sources) values[source.name] = source.copy(of, t);
      listener({ type: 'step', trial: of.clock.trial, t, stream, values });
    },
  };
}

/** What a name stands for: numbers of one stream at one step. */
interface Field {
  readonly name: string;
  /** Neurons of the population whose field it is; null where it has no entry for each. */
  readonly neurons: number | null;
  readonly width: number;
  copy(run: Run, t: number, pick: (array: Real, at: number) => Float64Array): Float64Array;
}

function createSource(run: Run, given: string, stream: number, neurons?: readonly number[]): Source {
  const field = fieldOf(run, given, stream);
  const chosen = field.neurons === null ? undefined : neurons;
  for (const j of chosen ?? []) {
    if (!(Number.isInteger(j) && j >= 0 && j < (field.neurons ?? 0))) {
      throw new ConfigError('recording.neurons', j, `neuron indices in [0, ${field.neurons}) for ${field.name}`);
    }
  }
  const { width } = field;
  const pick = (array: Real, at: number) => {
    if (!chosen) return Float64Array.from(array.subarray(at, at + width));
    return Float64Array.from(chosen, (j) => array[at + j]);
  };
  // As it was asked for, so that a reader finds it.
  const spikes = run.network.spec.populations.some(
    ({ name, spiking }) => spiking && field.name === `population.${name}.z`,
  );
  return { name: given, spikes, width: chosen?.length ?? width, copy: (of, t) => field.copy(of, t, pick) };
}

function fieldOf(run: Run, given: string, stream: number): Field {
  const { spec, state } = run.network;
  const rows = namedRows(run.network);
  const thresholds = spec.populations.flatMap(({ name, neuron }, p) =>
    neuron.threshold ? [{ name: `population.${name}.threshold`, p }] : [],
  );
  const known = [...rows.keys(), ...thresholds.map(({ name }) => name), ...state.table.map(({ name }) => name)];
  const name = fullName(given, known, 'recording.fields');
  const level = thresholds.find((threshold) => threshold.name === name);
  if (level) return thresholdField(run, name, level.p, stream);
  const found = rows.get(name);
  if (found) return rowField(run, name, found, stream);
  if (
    run.gradientChunk > 1 &&
    spec.update.unit === 'trial' &&
    state.table.some((e) => e.name === name && e.role === 'trace')
  ) {
    throw new ConfigError('recording.fields', given, 'the reference backend, which advances traces one step at a time');
  }
  return stateField(run, name, stream);
}

function thresholdField({ network }: Run, name: string, p: number, stream: number): Field {
  const { name: population, size, neuron } = network.spec.populations[p];
  const row = new Float64Array(size);
  return {
    name,
    neurons: size,
    width: size,
    copy(of, _t, pick) {
      neuron.threshold?.(of.network.state.views(`population.${population}`), stream, row);
      return pick(row, 0);
    },
  };
}

function rowField({ network: { spec } }: Run, name: string, { size, steps }: Rows, stream: number): Field {
  if (name.endsWith('.rateTerm') && spec.rateTerm.mean !== 'running') {
    throw new ConfigError('recording.fields', name, 'rateTerm.mean "running": other means are known after the trial');
  }
  if (/\.signal(@[^.]+)?$/.test(name)) assertStepwise(spec, name);
  return {
    name,
    neurons: name.startsWith('population.') ? size : null,
    width: size,
    copy(of, t, pick) {
      const rows = namedRows(of.network).get(name) as Rows;
      return pick(rows.data, rowAt(rows, stream, Math.min(t, steps - 1)));
    },
  };
}

/** @throws ConfigError for what is known at the end of a window only */
function assertStepwise(spec: NetworkSpec, name: string): void {
  const window = windowOf(spec);
  if (window === null || window === 1) return;
  throw new ConfigError(
    'recording.fields',
    name,
    `something known at every step: signals and traces wait for a window of ${window} steps`,
  );
}

function stateField({ network: { spec, state } }: Run, name: string, stream: number): Field {
  const entry = state.table.find((candidate) => candidate.name === name) as (typeof state.table)[number];
  if (entry.role === 'trace') {
    assertStepwise(spec, name);
    if (spec.modulator && !creditsInSteps(spec)) {
      const when = 'no trace: beside a modulator and updates per trial they are made after the last step';
      throw new ConfigError('recording.fields', name, when);
    }
  }
  const { dims, length } = entry;
  const perStream = dims[0] === 'stream';
  const width = perStream ? length / spec.sizes.stream : length;
  return {
    name,
    neurons: perStream && dims.length === 2 && dims[1] === 'self' ? width : null,
    width,
    copy: (of, _t, pick) => pick(of.network.state.field(name), perStream ? stream * width : 0),
  };
}
