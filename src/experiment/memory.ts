import type { ExperimentConfig } from '../config/schema.ts';
import { UnsupportedError } from '../core/errors.ts';
import { type Backend, type NetworkSpec, synapseCount } from '../core/network.ts';
import { testSpec } from '../core/outer.ts';
import type { TaskInstance } from '../core/plugins.ts';
import { inMebibytes } from '../core/units.ts';
import { networkLength } from '../engine/network.ts';
import { expectedSynapses } from '../engine/projections.ts';
import { type Parts, projectionShape, storedShape } from './build.ts';

/** What a network takes in bytes: in all, and per synapse. */
export interface NetworkMemory {
  readonly bytes: number;
  readonly perSynapse: number;
}

/** What a run takes in bytes: the network that learns, and beside it all that is there at its largest moment. */
export interface Memory extends NetworkMemory {
  readonly parts: {
    readonly network: number;
    /** Tables of the task. */
    readonly task: number;
    /** The network of the evaluation at the end, which stands beside the other. */
    readonly evaluation: number;
  };
  /** The sum of the parts: a checkpoint is written from the state, and read into it. */
  readonly total: number;
}

/** Of a network and of the synapses that it has. */
export function memoryOf(spec: NetworkSpec, backend: Backend): NetworkMemory {
  const bytes = stateBytes(spec, backend) + topologyBytes(spec);
  return { bytes, perSynapse: bytes / Math.max(1, synapseCount(spec)) };
}

/** Of all that a network computes with and computes, without the lists of its synapses. */
export function stateBytes(spec: NetworkSpec, backend: Backend): number {
  const outer = spec.direct?.outer;
  const networks = outer ? [spec, testSpec(spec, outer)] : [spec];
  return networks.reduce((sum, network) => sum + backend.bytes(network, networkLength(network, backend)), 0);
}

/** Which synapses there are: lists that all networks of a run share. */
function topologyBytes({ projections }: NetworkSpec): number {
  const lists = projections.flatMap(({ synapses, whole }) => [
    ...[synapses, whole.synapses, whole.drawn].flatMap((part) => (part ? [part.rowStart, part.post, part.masked] : [])),
    ...(whole.places ? [whole.places] : []),
  ]);
  return [...new Set(lists)].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/**
 * What a network takes at the least: a weight, its gradient and its postsynaptic index for every synapse, and the rows of
 * a trial. Asked before synapses are drawn, which for a network of no earthly size would not end.
 */
export function leastMemory(config: ExperimentConfig, { task }: Parts, streams: number, steps: number): NetworkMemory {
  const { populations, projections } = config.network;
  const synapses = Object.keys(projections).reduce((sum, name) => {
    const path = `network.projections.${name}`;
    const { shape } = projectionShape(config, name, task);
    return sum + expectedSynapses(projections[name].rewiring ? storedShape(shape, path) : shape, path);
  }, 0);
  const neurons = Object.values(populations).reduce((sum, { size }) => sum + size, 0);
  const perSynapse = 12;
  const row = 4 * (task.nIn + 2 * neurons + 4 * task.nOut);
  return { bytes: synapses * perSynapse + streams * steps * row, perSynapse };
}

/** @throws UnsupportedError where the memory that a network needs cannot be had in one piece */
export function allocated<T>({ bytes }: NetworkMemory, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UnsupportedError(
      `the network needs ${inMebibytes(bytes)}, which cannot be allocated (${error.message}): ` +
        'fewer neurons, synapses, streams (training.streams), or steps of a trial',
    );
  }
}

export function wholeMemory(network: NetworkMemory, evaluation: number, task: TaskInstance): Memory {
  const parts = { network: network.bytes, task: task.bytes ?? 0, evaluation };
  return { ...network, parts, total: parts.network + parts.task + parts.evaluation };
}

/** @throws UnsupportedError that names every part */
export function assertAllFits({ parts, total }: Memory, maxBytes = Number.POSITIVE_INFINITY): void {
  if (total <= maxBytes) return;
  throw new UnsupportedError(
    `the run needs ${inMebibytes(total)}: network ${inMebibytes(parts.network)}, task ${inMebibytes(parts.task)} and ` +
      `evaluation ${inMebibytes(parts.evaluation)} (evaluation.streams); ${inMebibytes(maxBytes)} are available`,
  );
}

export function assertFits(
  { bytes, perSynapse }: NetworkMemory,
  maxBytes = Number.POSITIVE_INFINITY,
  streams = '',
): void {
  if (bytes <= maxBytes) return;
  throw new UnsupportedError(
    `the network needs ${inMebibytes(bytes)} (${perSynapse.toFixed(0)} bytes per synapse), ${inMebibytes(maxBytes)} are available: ` +
      `fewer neurons, synapses, streams (${streams}), or steps of a trial`,
  );
}
