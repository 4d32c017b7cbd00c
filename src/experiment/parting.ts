import type { ExperimentConfig } from '../config/schema.ts';
import { ConfigError } from '../core/errors.ts';
import type { FieldFormat } from '../core/format.ts';
import { neuronCount } from '../core/network.ts';
import type { Catalogue } from '../core/plugins.ts';
import { rowAt } from '../core/rows.ts';
import { nextSteps } from '../engine/feed.ts';
import { namedRows } from '../engine/names.ts';
import { runTrial } from '../engine/run.ts';
import { createExperiment, type Experiment } from './experiment.ts';
import { rowsOf, valuesOf } from './fields.ts';

/** Where two runs first differ in a number. Steps are counted from the beginning of the training. */
export interface ValueParting {
  readonly step: number;
  readonly field: string;
  /** Index within the field, [stream] first where it has one. */
  readonly index: readonly number[];
  readonly float: number;
  readonly fixed: number;
  /** One step of the field's format. */
  readonly formatStep: number;
}

export interface SpikeParting {
  readonly step: number;
  readonly stream: number;
  readonly population: string;
  readonly neuron: number;
  readonly float: number;
  readonly fixed: number;
}

export interface Parting {
  /** Steps that were looked at, at most. */
  readonly steps: number;
  /** null: they did not part. */
  readonly value: ValueParting | null;
  readonly spike: SpikeParting | null;
}

export interface PartingOptions {
  /** Steps to be compared at most. 1000 */
  readonly steps?: number;
  /** Numbers of the float run that are kept at a time. 2^23 */
  readonly numbers?: number;
}

/** The order of things in a step, for the one that parts first: the weights it starts with, then stage by stage. */
const order: readonly RegExp[] = [
  /\.weights$/,
  /^population\.[^.]+\.(?!psi$|signal(@|$)|rateTerm$)[^.]+$/,
  /\.psi$/,
  /^readout\.[^.]+\.(?!y$|error$)[^.]+$/,
  /\.y$/,
  /\.error$/,
  /\.rateTerm$/,
  /\.signal(@[^.]+)?\./,
  /\.signal(@[^.]+)?$/,
  /\.trace(@[^.]+)?\./,
];

/**
 * Runs an experiment in floating point and in its formats, both learning, from the same drawn weights on the same data, and says
 * where the fixed one first is more than one step of a field's format away, and which spike is the first that only one has.
 * @throws ConfigError for an experiment without formats
 */
export function firstParting(
  config: ExperimentConfig,
  catalogue: Catalogue,
  { steps = 1000, numbers = 2 ** 23 }: PartingOptions = {},
): Parting {
  if (!config.fixed) throw new ConfigError('fixed', config.fixed, 'number formats');
  let spike: SpikeParting | null = null;
  let last = steps;
  for (let from = 0; from < last; ) {
    const pair = openPair(config, catalogue);
    last = Math.min(steps, pair.float.run.totalSteps);
    const to = Math.min(last, from + Math.max(1, Math.floor(numbers / pair.size)));
    // Spikes are cheap to keep, so that the first pass looks at all of them.
    const found = compareFrom(pair, from, to, from === 0 ? last : to);
    if (from === 0) spike = found.spike;
    if (found.value) return { steps: last, value: found.value, spike };
    from = to;
  }
  return { steps: last, value: null, spike };
}

interface Pair {
  readonly float: Experiment;
  readonly fixed: Experiment;
  readonly fields: readonly FieldFormat[];
  /** Numbers of one step. */
  readonly size: number;
}

function openPair(config: ExperimentConfig, catalogue: Catalogue): Pair {
  const training = { ...config.training, execution: 'online' };
  const float = createExperiment({ ...config, backend: 'reference', fixed: null, training }, catalogue);
  const fixed = createExperiment({ ...config, backend: 'fixed', training }, catalogue);
  const rank = ({ field }: FieldFormat) => {
    const place = order.findIndex((pattern) => pattern.test(field));
    return place < 0 ? order.length : place;
  };
  const fields = [...(fixed.run.network.spec.formats ?? [])].sort((a, b) => rank(a) - rank(b));
  const size = fields.reduce((sum, { field }) => sum + rowsOf(float, field, 0).reduce((n, [a, b]) => n + b - a, 0), 0);
  return { float, fixed, fields, size };
}

/** Values of the steps [from, to), spikes of all up to `end`, trial by trial, until both have parted. */
function compareFrom(pair: Pair, from: number, to: number, end: number) {
  const { float, fixed } = pair;
  const { run, task } = float;
  let value: ValueParting | null = null;
  let spike: SpikeParting | null = null;
  while (run.clock.step < end && !(value && spike)) {
    const start = run.clock.step;
    const length = nextSteps(run, task, run.totalSteps);
    const kept: Float64Array[][] = [];
    const spikes: Uint8Array[] = [];
    const wanted = (t: number) => !value && start + t >= from && start + t < to;
    learn(float, length, (t) => {
      spikes.push(spikesOf(float, t));
      kept.push(wanted(t) ? pair.fields.map(({ field }) => copyOf(float, field, t)) : []);
    });
    learn(fixed, length, (t) => {
      if (wanted(t)) value = differingValue(pair, kept[t], t, start + t);
      if (start + t < end) spike ??= differingSpike(float, spikes[t], spikesOf(fixed, t), start + t);
    });
  }
  return { value: value as ValueParting | null, spike: spike as SpikeParting | null };
}

function learn({ run, feed }: Experiment, steps: number, onStep: (t: number) => void): void {
  feed.fill(steps);
  runTrial(run, steps, { learn: true, answer: feed.answer, onStep });
}

function copyOf(experiment: Experiment, field: string, t: number): Float64Array {
  const values = valuesOf(experiment, field);
  const parts = rowsOf(experiment, field, t);
  const copied = new Float64Array(parts.reduce((sum, [from, to]) => sum + to - from, 0));
  let at = 0;
  for (const [from, to] of parts) for (let s = from; s < to; s++) copied[at++] = values[s];
  return copied;
}

function differingValue(
  { fixed, fields }: Pair,
  kept: readonly Float64Array[],
  t: number,
  step: number,
): ValueParting | null {
  for (let f = 0; f < fields.length; f++) {
    const { field, format } = fields[f];
    const formatStep = 2 ** -format.fraction;
    const own = copyOf(fixed, field, t);
    // A difference of exactly one step may be a rounding.
    const s = own.findIndex((number, place) => Math.abs(number - kept[f][place]) > formatStep * (1 + 1e-9));
    if (s >= 0) return { step, field, index: indexOf(fixed, field, s), float: kept[f][s], fixed: own[s], formatStep };
  }
  return null;
}

/** Index in each dimension of the field. A row of a trial is [stream][width]. */
function indexOf({ run }: Experiment, field: string, flat: number): number[] {
  const { network } = run;
  const entry = network.state.table.find(({ name }) => name === field);
  const shape = entry?.shape ?? [network.spec.sizes.stream, namedRows(network).get(field)?.size ?? 1];
  const index: number[] = [];
  let rest = flat;
  for (const length of [...shape].reverse()) {
    index.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  return index;
}

/** Activity of all streams at step t, 1 where there is any, population after population. [stream][neurons] */
function spikesOf({ run: { network } }: Experiment, t: number): Uint8Array {
  const { spec, activity } = network;
  const spikes = new Uint8Array(spec.sizes.stream * neuronCount(spec));
  let to = 0;
  for (let b = 0; b < spec.sizes.stream; b++) {
    for (const { z } of activity) {
      const from = rowAt(z, b, t);
      for (let j = 0; j < z.size; j++) spikes[to++] = z.data[from + j] === 0 ? 0 : 1;
    }
  }
  return spikes;
}

function differingSpike(
  { run: { network } }: Experiment,
  float: Uint8Array,
  fixed: Uint8Array,
  step: number,
): SpikeParting | null {
  const s = fixed.findIndex((spike, place) => spike !== float[place]);
  if (s < 0) return null;
  const n = neuronCount(network.spec);
  let neuron = s % n;
  for (const { name, size } of network.spec.populations) {
    if (neuron < size) {
      return { step, stream: Math.floor(s / n), population: name, neuron, float: float[s], fixed: fixed[s] };
    }
    neuron -= size;
  }
  return null;
}
