import { createHash } from 'node:crypto';
import { ConfigError } from '../../core/errors.ts';
import { type ArrayToWrite, attributes, type Written } from '../../data/index.ts';
import type { Watched } from '../watched.ts';

/** Every spike of some trials, in the order of time: columns of equal length. */
export interface SpikeTable {
  /** Populations that spike: name, size, and row of their first neuron in the raster. */
  readonly populations: readonly { readonly name: string; readonly size: number; readonly first: number }[];
  readonly trial: number[];
  /** Index in `populations`. */
  readonly population: number[];
  /** Neuron within its population. */
  readonly unit: number[];
  /** Since the beginning of the trial. */
  readonly timeMs: number[];
  /** First trial, how many, and the length of each in ms. */
  readonly trials: { readonly first: number; readonly count: number; readonly ms: number };
}

/** @throws ConfigError for a network without spikes */
export function spikesOf(watched: Watched, path: string): SpikeTable {
  const { spec } = watched.experiment.run.network;
  let first = 0;
  const all = spec.populations.map(({ name, size, spiking }) => {
    const population = { name, size, first, spiking };
    first += size;
    return population;
  });
  const populations = all.filter(({ spiking }) => spiking);
  if (populations.length === 0) {
    throw new ConfigError('--spikes', path, 'a network with spikes; rates are written with --states');
  }
  const fields = populations.map(({ name }) => `population.${name}.z`);
  const [trial, population, unit, timeMs]: number[][] = [[], [], [], []];
  watched.follow({ fields }).run((event) => {
    populations.forEach((_, p) => {
      event.values[fields[p]].forEach((z, j) => {
        if (z === 0) return;
        trial.push(event.trial);
        population.push(p);
        unit.push(j);
        timeMs.push(Number((event.t * spec.dtMs).toPrecision(12)));
      });
    });
  });
  const ms = spec.sizes.step * spec.dtMs;
  return {
    populations,
    trial,
    population,
    unit,
    timeMs,
    trials: { first: watched.fromTrial, count: watched.trials, ms },
  };
}

/** One line a spike. */
export function spikesAsCsv({ populations, trial, population, unit, timeMs }: SpikeTable): Uint8Array {
  const lines = ['trial,population,unit,time_ms'];
  trial.forEach((n, s) => {
    lines.push(`${n},${populations[population[s]].name},${unit[s]},${timeMs[s]}`);
  });
  return new TextEncoder().encode(`${lines.join('\n')}\n`);
}

/** One entry a spike: trial, row of the raster (`units`), index of the population and neuron within it, time in ms. */
export function spikesAsArrays({ populations, trial, population, unit, timeMs }: SpikeTable): ArrayToWrite[] {
  const whole = (name: string, values: ArrayLike<number>): ArrayToWrite => {
    return { name, shape: [values.length], values: Int32Array.from(values) };
  };
  return [
    whole('trial', trial),
    whole(
      'units',
      unit.map((j, s) => populations[population[s]].first + j),
    ),
    whole('population', population),
    whole('unit_in_population', unit),
    { name: 'time_ms', shape: [timeMs.length], values: Float64Array.from(timeMs) },
  ];
}

const core = (type: string) => ({ namespace: 'core', neurodata_type: type });
const table = (type: string, namespace: string, description: string, colnames: readonly string[]) => ({
  ...{ namespace, neurodata_type: type },
  description,
  colnames,
});
const column = (description: string, type = 'VectorData') => ({
  [attributes]: { namespace: 'hdmf-common', neurodata_type: type, description },
});

/**
 * Neurodata Without Borders 2.7: units with their spike times, trials one after the other, all in seconds. An object is named by where it
 * stands in the file and by `seed`, so that the same run gives the same file.
 */
export function spikesAsNwb(
  spikes: SpikeTable,
  about: { readonly identifier: string; readonly description: string },
): Written {
  const { populations, trial, population, unit, timeMs, trials } = spikes;
  const units = populations.flatMap(({ name, size }, p) =>
    Array.from({ length: size }, (_, j) => ({ name, p, j, times: [] as number[] })),
  );
  const starts = populations.map((_, p) => units.findIndex((candidate) => candidate.p === p));
  trial.forEach((n, s) => {
    units[starts[population[s]] + unit[s]].times.push(((n - trials.first) * trials.ms + timeMs[s]) / 1000);
  });
  const at = (place: string) => ({ object_id: uuidOf(`${about.identifier} ${place}`) });
  const ids = (count: number) => ({
    type: 'int64' as const,
    shape: [count],
    values: Array.from({ length: count }, (_, k) => k),
    [attributes]: { namespace: 'hdmf-common', neurodata_type: 'ElementIdentifiers' },
  });
  const seconds = (values: number[], description: string) => ({
    type: 'float64' as const,
    shape: [values.length],
    values,
    ...column(description),
  });
  let end = 0;
  const ends = units.map(({ times }) => {
    end += times.length;
    return end;
  });
  const beginnings = Array.from({ length: trials.count }, (_, n) => (n * trials.ms) / 1000);
  return {
    [attributes]: { ...core('NWBFile'), nwb_version: '2.7.0', ...at('root') },
    identifier: about.identifier,
    session_description: about.description,
    session_start_time: beginning,
    timestamps_reference_time: beginning,
    file_create_date: { strings: [beginning] },
    acquisition: {},
    analysis: {},
    processing: {},
    stimulus: { presentation: {}, templates: {} },
    general: {},
    units: {
      [attributes]: {
        ...table('Units', 'core', 'neurons of a simulated network', ['population', 'neuron', 'spike_times']),
        ...at('units'),
      },
      id: ids(units.length),
      population: { strings: units.map(({ name }) => name), ...column('population of the neuron') },
      neuron: {
        type: 'int64',
        shape: [units.length],
        values: units.map(({ j }) => j),
        ...column('index within its population'),
      },
      spike_times: seconds(
        units.flatMap(({ times }) => times),
        'seconds; trials follow one another',
      ),
      spike_times_index: {
        type: 'uint32',
        shape: [units.length],
        values: ends,
        [attributes]: {
          namespace: 'hdmf-common',
          neurodata_type: 'VectorIndex',
          description: 'end of the times of each unit',
          target: { reference: 'units/spike_times' },
        },
      },
    },
    intervals: {
      trials: {
        [attributes]: {
          ...table('TimeIntervals', 'core', 'trials of the task', ['start_time', 'stop_time', 'trial']),
          ...at('trials'),
        },
        id: ids(trials.count),
        start_time: seconds(beginnings, 'seconds'),
        stop_time: seconds(
          beginnings.map((start) => start + trials.ms / 1000),
          'seconds',
        ),
        trial: {
          type: 'int64',
          shape: [trials.count],
          values: beginnings.map((_, n) => trials.first + n),
          ...column('number of the trial'),
        },
      },
    },
  };
}

/** A simulation has no date: its times count from here. */
const beginning = '1970-01-01T00:00:00+00:00';

/** 128 bits of a text as NWB writes them. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
