import { ConfigError } from '../core/errors.ts';
import type { Listener } from '../core/events.ts';
import type { Real, Sizes } from '../core/layout.ts';
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

/** Whole-time arrays with an entry per recurrent neuron; the others have inputs or outputs, however many. */
const perNeuron: readonly string[] = ['z', 'psi', 'signal', 'rateTerm'];

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
  const total = Math.ceil(run.totalSteps / sizes.step);
  if (first >= total || (plan.trials !== undefined && last > total)) {
    throw new ConfigError(
      'recording.trials',
      `${first}:${last}`,
      `trials within 0:${total}, all that this training has`,
    );
  }
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

const nameOf = ({ name }: { readonly name: string }) => name;

function createSource(run: Run, field: string, stream: number, neurons?: readonly number[]): Source {
  const { spec, state, trial } = run.network;
  const { history, rec } = spec.sizes;
  const dims = state.table.find(({ name }) => name === field)?.dims;
  // One value per recurrent neuron: threshold, some arrays of a trial, and state of shape [stream][rec].
  const isPerNeuron = dims
    ? dims.length === 2 && dims[0] === 'stream' && dims[1] === 'rec'
    : field === 'threshold' || perNeuron.includes(field);
  const chosen = isPerNeuron ? neurons : undefined;
  const pick = (array: Real, at: number, width: number) => {
    if (!chosen) return Float64Array.from(array.subarray(at, at + width));
    return Float64Array.from(chosen, (j) => array[at + j]);
  };
  const widthOf = (width: number) => chosen?.length ?? width;
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
  if (field === 'rateTerm' && spec.rateTerm.mean !== 'running') {
    throw new ConfigError('recording.fields', field, 'rateTerm.mean "running": other means are known after the trial');
  }
  if (field in trial) {
    const key = field as keyof TrialArrays;
    const width = widthOfField(key, spec.sizes);
    const rows = trial[key].length / (spec.sizes.stream * width);
    const lead = key === 'z' ? history : 0;
    return {
      name: field,
      width: widthOf(width),
      copy: (of, t) => pick(of.network.trial[key], (stream * rows + Math.min(lead + t, rows - 1)) * width, width),
    };
  }
  if (field.startsWith('trace.') && run.gradientChunk > 1 && spec.update.unit === 'trial') {
    throw new ConfigError('recording.fields', field, 'the reference backend, which advances traces one step at a time');
  }
  const entry = state.table.find(({ name }) => name === field);
  if (!entry) {
    const known = [...Object.keys(trial), ...(spec.neuron.threshold ? ['threshold'] : []), ...state.table.map(nameOf)];
    throw new ConfigError('recording.fields', field, `one of ${known.join(', ')}`);
  }
  const { length } = entry;
  const perStream = entry.dims[0] === 'stream';
  const width = perStream ? length / spec.sizes.stream : length;
  return {
    name: field,
    width: widthOf(width),
    copy: (of) => pick(of.network.state.field(field), perStream ? stream * width : 0, width),
  };
}

/** Numbers per step of a whole-time array. */
function widthOfField(key: keyof TrialArrays, { in: nIn, rec, out }: Sizes): number {
  switch (key) {
    case 'x':
      return nIn;
    case 'z':
    case 'psi':
    case 'current':
    case 'signal':
    case 'rateTerm':
      return rec;
    case 'y':
    case 'target':
    case 'expected':
    case 'error':
      return out;
    case 'weight':
      return 1;
    default:
      return key satisfies never;
  }
}
