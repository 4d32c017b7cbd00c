import { blockLength } from '../../core/bindings.ts';
import { linearOf } from '../../core/dynamics.ts';
import type { NetworkSpec, PopulationSpec, ProjectionSpec } from '../../core/network.ts';
import type { CellsKernel, LinearDynamics, NeuronKernel, ThresholdKernel, TraceInstance } from '../../core/plugins.ts';
import type { Projection } from '../../core/projection.ts';
import { type PlannedBptt, planBptt } from './bptt.ts';
import { type ConstantRows, cellRows, linearRows, rowLength } from './constants.ts';
import { dendriteScratch } from './dendrite.ts';
import { type PlannedLearned, planLearned } from './learned.ts';
import { eventsFields, feedbackFields, netFields, projectionFields, readFields, readoutFields } from './records.ts';
import { type Allot, allotAll, type Scratch } from './scratch.ts';

/** Neurons that the deferred gradient takes back together; WIDTH in `kernels/deferred.ts`. */
const blockWidth = 128;

/** Steps that a synapse is taken through at once; CHUNK in `kernels/online.ts`. */
export const gradientChunk = 8;

/** Where everything that kernels need besides state and rows of a trial lies in memory. The same calls of `allot` in the same order measure it. */
export interface Plan {
  /** Loss factors, and the words of the threads. */
  readonly scale: number;
  readonly control: number;
  /** A rate term of 0 for all neurons of a population: further channels have none. */
  readonly noRate: number;
  /** Events of distinct columns of the input. */
  readonly sources: readonly (PlannedEvents & { readonly from: number; readonly size: number })[];
  readonly populations: readonly PlannedPopulation[];
  /** Index arrays of sparse projections, 0 of dense ones. */
  readonly topology: readonly { readonly rows: number; readonly post: number; readonly narrow: boolean }[];
  readonly shards: readonly PlannedShard[];
  /** Records with the whole gradient, for a stage that is not divided. */
  readonly whole: PlannedShard | null;
  readonly bptt: PlannedBptt | null;
  readonly learned: PlannedLearned | null;
}

export interface PlannedEvents {
  readonly record: number;
  readonly list: number;
  readonly ends: number;
}

export interface PlannedPopulation {
  readonly events: PlannedEvents;
  readonly strength: number;
  readonly constant: number;
  /** Constants of every neuron, and matrices of its traces. */
  readonly cells: number;
  readonly linear: number;
  /** What it hears of every channel; one entry where there is none. */
  readonly heard: readonly PlannedSignal[];
}

export interface PlannedSignal {
  /** Errors as spikes; null where the errors themselves are heard. */
  readonly told: number | null;
  /** Records of the matrices through which errors come, at most one for every readout. */
  readonly feedback: readonly number[];
  /** Of the dendrite signal; nothing where it is another. */
  readonly dendrite: Scratch;
}

export interface PlannedShard {
  readonly b0: number;
  readonly b1: number;
  /** Scratch of each population and each projection, for all channels. */
  readonly scratch: readonly Scratch[];
  readonly lists: readonly { readonly times: number; readonly entries: number }[];
  /** Records of populations and projections: those of the first channel are for the forward pass, too. */
  readonly channels: readonly { readonly nets: readonly number[]; readonly projections: readonly number[] }[];
  readonly readouts: readonly { readonly record: number; readonly reads: readonly number[] }[];
  /** Gradients of the shard, by block; null: those of the network. */
  readonly gradients: Readonly<Record<string, number>> | null;
}

/** Parts of the streams that have a gradient of their own, added up in order; independent of the number of threads. */
export function shardCount({ update, sizes }: NetworkSpec): number {
  return update.unit === 'trial' ? Math.min(sizes.stream, 16) : 1;
}

export function planOf(spec: NetworkSpec, allot: Allot): Plan {
  const { sizes, populations, projections, readouts, direct } = spec;
  const { stream, step, out } = sizes;
  const count = channelCount(spec);
  const widest = populations.reduce((most, { size }) => Math.max(most, size), 0);
  const events = (size: number, history: number): PlannedEvents => ({
    record: allot(eventsFields.length),
    list: allot(stream * (step + history) * size + 4),
    ends: allot(stream * (step + history + 1)),
  });
  const shared = {
    scale: allot(stream),
    control: allot(16),
    noRate: count > 1 ? allot(stream * widest + blockWidth) : 0,
    sources: slicesOf(projections).map(({ from, size }) => ({ from, size, ...events(size, sizes.inHistory) })),
    populations: populations.map((population, p): PlannedPopulation => {
      const { size, history, neuron, current } = population;
      const rows = (of: ConstantRows) => allot(of.length * rowLength(size));
      return {
        events: events(size, history),
        strength: adaptationOf(neuron.kernel) ? allot(size + blockWidth) : 0,
        constant: current ? allot(size + 4) : 0,
        cells: rows(cellRows(neuron.kernel)),
        linear: rows(linearRows(matricesInto(spec, p))),
        heard: Array.from({ length: count }, (_, c) => ({
          told: population.signals[c]?.kernel?.errorSpikes ? allot(stream * step * out + 4) : null,
          feedback: readouts.map(() => allot(feedbackFields.length)),
          dendrite: allotAll(dendriteScratch(spec, p, c), allot),
        })),
      };
    }),
    topology: projections.map(({ synapses }) => topologyOf(spec, synapses, allot)),
  };
  const parts = shardCount(spec);
  const shards = Array.from({ length: parts }, (_, s) => {
    const b0 = Math.floor((s * stream) / parts);
    return shardOf(spec, allot, b0, Math.floor(((s + 1) * stream) / parts), parts > 1);
  });
  return {
    ...shared,
    shards,
    whole: direct ? shardOf(spec, allot, 0, stream, false) : null,
    bptt: planBptt(spec, allot),
    learned: planLearned(spec, allot),
  };
}

function shardOf(spec: NetworkSpec, allot: Allot, b0: number, b1: number, divided: boolean): PlannedShard {
  const { sizes, populations, projections, readouts, blocks, execution, channels } = spec;
  const deferred = channels.length > 0 && execution === 'deferred';
  return {
    b0,
    b1,
    scratch: populations.map((population, p) => allotAll(scratchLengths(spec, population, p), allot)),
    channels: Array.from({ length: channelCount(spec) }, () => ({
      nets: populations.map(() => allot(netFields.length)),
      projections: projections.map(() => allot(projectionFields.length)),
    })),
    lists: projections.map(({ pre, synapses }) => {
      const { nPre, dense } = synapses;
      const listed = deferred ? nPre + 1 : 0;
      const valued = pre === null || !populations[pre].spiking;
      const entries = deferred && dense ? (valued ? 2 : 1) * sizes.step * nPre : 0;
      return { times: allot(listed), entries: allot(entries) };
    }),
    readouts: readouts.map(({ reads }) => ({
      record: allot(readoutFields.length),
      reads: reads.map(() => allot(readFields.length)),
    })),
    gradients: divided
      ? Object.fromEntries(blocks.map((block) => [block.name, allot(blockLength(block, spec))]))
      : null,
  };
}

/** Projections onto a population that learn, and the first column of each in `epsSteps`. */
export function learningInto(
  spec: NetworkSpec,
  p: number,
): { readonly width: number; readonly offsets: ReadonlyMap<number, number> } {
  const offsets = new Map<number, number>();
  let width = 0;
  spec.projections.forEach(({ post, synapses, traces }, q) => {
    if (post !== p || traces.length === 0) return;
    offsets.set(q, width);
    width += synapses.nPre;
  });
  return { width, offsets };
}

/** Channels, and one for a network without. */
function channelCount({ channels }: NetworkSpec): number {
  return Math.max(1, channels.length);
}

/** The trace onto a population that meets a channel: the same for all projections that learn. */
export function traceInto({ projections }: NetworkSpec, p: number, c = 0): TraceInstance | undefined {
  return projections.find(({ post, traces }) => post === p && traces.length > 0)?.traces[c];
}

/**
 * Matrices that the traces onto a population follow, `own` less the reset where that is in them; null: the closed form of spikes,
 * which has kernels of its own.
 */
export function matricesInto(spec: NetworkSpec, p: number): LinearDynamics | null {
  const kernel = traceInto(spec, p)?.kernel;
  if (!kernel || (kernel.dynamics.form === 'filter-then-post' && !kernel.attached)) return null;
  const linear = linearOf(kernel.dynamics, spec.populations[p].size);
  if (!kernel.attached) return linear;
  return { ...linear, own: linear.own.map((value, r) => value - linear.reset[r]) };
}

/** The adaptation of threshold neurons. */
export function adaptationOf(kernel: NeuronKernel | null): ThresholdKernel['adaptation'] | CellsKernel['adaptation'] {
  return kernel === null || kernel.name === 'integrator' || kernel.name === 'rate' ? null : kernel.adaptation;
}

/** Four-byte words of scratch that a shard needs for a population, by the names of `Net`. */
function scratchLengths(spec: NetworkSpec, { size: n }: PopulationSpec, p: number): Record<string, number> {
  const { step, stream, out } = spec.sizes;
  const learns = spec.channels.length > 0;
  const deferred = learns && spec.execution === 'deferred';
  const online = learns && spec.execution === 'online';
  const postponed = learns && spec.execution === 'postponed';
  const { width } = learningInto(spec, p);
  const states = matricesInto(spec, p)?.states ?? 1;
  // The list serves readouts, too, which read any population.
  const widest = spec.populations.reduce((most, { size }) => Math.max(most, size), 0);
  return {
    current: n + 4,
    list: widest + 4,
    feedbackT: n * out + blockWidth,
    errorBack: step * out,
    drive: (online ? stream : 1) * n + blockWidth,
    owed: states * (n + blockWidth),
    block: deferred ? (step + 1) * blockWidth : 0,
    lanes: 64,
    epsSteps: (postponed ? step : online ? gradientChunk : 0) * width + 4,
    damp: (online ? gradientChunk : 1) * n + (postponed ? 5 * (width + 4) : blockWidth),
    spare: online ? n + 4 : 0,
    packed: online ? 4 * gradientChunk * (n + 8) : 0,
    actives: postponed ? 8 * step : 0,
  };
}

/** Distinct columns of the input that projections read. */
export function slicesOf(projections: readonly ProjectionSpec[]): { readonly from: number; readonly size: number }[] {
  const slices = new Map<string, { from: number; size: number }>();
  for (const { pre, from, synapses } of projections) {
    if (pre === null) slices.set(`${from}:${synapses.nPre}`, { from, size: synapses.nPre });
  }
  return [...slices.values()];
}

function topologyOf(spec: NetworkSpec, projection: Projection, allot: Allot) {
  if (projection.dense) return { rows: 0, post: 0, narrow: false };
  const narrow = isNarrow(spec, projection);
  const rows = allot(projection.nPre + 1);
  return { rows, post: allot(Math.ceil(((narrow ? 2 : 4) * projection.nSyn) / 4)), narrow };
}

/**
 * Whether two bytes a target do: its distance from the last one of the row. The online traces read targets as they are,
 * and in a large network with few synapses a distance may be too long.
 */
export function isNarrow({ execution }: Pick<NetworkSpec, 'execution'>, { nPre, rowStart, post }: Projection): boolean {
  if (execution === 'online') return false;
  for (let i = 0; i < nPre; i++) {
    let last = 0;
    for (let s = rowStart[i]; s < rowStart[i + 1]; s++) {
      const distance = post[s] - last;
      if (distance < 0 || distance > 0xffff) return false;
      last = post[s];
    }
  }
  return true;
}

/** Distances of the targets of each row from the one before, of the first one from 0. */
export function distances({ nPre, nSyn, rowStart, post }: Projection): Uint16Array {
  const out = new Uint16Array(nSyn);
  for (let i = 0; i < nPre; i++) {
    for (let s = rowStart[i]; s < rowStart[i + 1]; s++) out[s] = post[s] - (s > rowStart[i] ? post[s - 1] : 0);
  }
  return out;
}
