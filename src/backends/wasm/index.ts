import { UnsupportedError } from '../../core/errors.ts';
import type { Real } from '../../core/layout.ts';
import type { Backend, Network, NetworkLengths, NetworkSpec, OpenOptions, Workspace } from '../../core/network.ts';
import { bpttScratch } from './bptt.ts';
import { dendriteOf, dendriteScratch } from './dendrite.ts';
import { gradientChunk, scratchLengths, sharedLengths, topologyBytes } from './memory.ts';
import { hasKernels, kernelModule } from './module.ts';
import { netBytes } from './net.ts';
import { compileStages, sharesRows } from './stages.ts';

/** Bytes that loads of four neurons may read beyond the last array. */
const slack = 4096;
const page = 65536;

/**
 * The fast backend: float32, 128-bit SIMD without relaxed instructions, so that the same seed gives the same bits on every
 * machine. Each stage of a trial is one call over all streams. Whatever it has no kernel for it names in `missing`.
 */
export const wasm: Backend = {
  name: 'wasm',
  missing,
  bytes: totalBytes,
  open,
  sharesRows,
  keepsTransients: false,
  gradientChunk,
};

function missing(spec: NetworkSpec): string[] {
  const { neuron, readout, loss, rule, direct, optimizer, execution, projections, kinds } = spec;
  const names: string[] = [];
  if (!hasKernels()) names.push('the compiled kernels (npm run build makes them)');
  if (spec.formats) names.push('number formats');
  if (!neuron.kernel) names.push(`the neuron "${kinds.neuron}" as it is set`);
  if (!readout.kernel) names.push(`the readout "${kinds.readout}"`);
  if (!loss.kernel) names.push(`the loss "${kinds.loss}"`);
  if (!optimizer.kernel) names.push(`the optimiser "${optimizer.kind}"`);
  if (rule && !rule.trace.kernel) names.push(`the trace "${kinds.trace}" as it is set`);
  if (rule?.trace.kernel && rule.trace.kernel.resetGain > 0) names.push('traces with the reset in them');
  if (rule && !rule.signal.kernel) names.push(`the signal "${kinds.signal}" as it is set`);
  if (dendriteOf(spec) && execution !== 'online') names.push('deferred or postponed traces with this signal');
  if (direct && !direct.kernel) names.push(`the rule "${kinds.rule}" as it is set`);
  if (direct && !projections.rec.dense) names.push('this rule in a sparse network');
  if (direct && !projections.in.dense) names.push('this rule with sparse input');
  return names;
}

/** Parts of the streams that have a gradient of their own, added up in order; independent of the number of threads. */
function shardCount({ update, sizes }: NetworkSpec): number {
  return update.unit === 'trial' ? Math.min(sizes.stream, 16) : 1;
}

function totalBytes(spec: NetworkSpec, lengths: NetworkLengths): number {
  const shards = shardCount(spec);
  const lengthOf = (part: Readonly<Record<string, number>>) =>
    Object.values(part).reduce((sum, n) => sum + aligned(4 * n), 0);
  const { synIn, synRec, rec, out } = spec.sizes;
  const gradients = shards > 1 ? shards * lengthOf({ synIn, synRec, wOut: rec * out, out }) : 0;
  const scratch =
    lengthOf(dendriteScratch(spec)) +
    (spec.direct ? lengthOf({ ...bpttScratch(spec), current: spec.sizes.rec + 4 }) + aligned(netBytes) : 0) +
    lengthOf(sharedLengths(spec)) +
    shards * (lengthOf(scratchLengths(spec)) + aligned(netBytes));
  return aligned(4 * lengths.state) + aligned(4 * lengths.trial) + gradients + scratch + topologyBytes(spec) + slack;
}

/** Arrays start at multiples of 64 bytes. */
function aligned(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

function open(spec: NetworkSpec, lengths: NetworkLengths, { threads = 1 }: OpenOptions = {}): Workspace {
  const absent = missing(spec);
  if (absent.length > 0)
    throw new UnsupportedError(`backend "wasm" has no kernel for ${absent.join(', ')}; use --backend reference`);
  const shards = shardCount(spec);
  const crewSize = Math.min(threads, shards);
  const shared = crewSize > 1 && hasKernels('shared') && workOf(spec) >= leastWork;
  const bytes = page + totalBytes(spec, lengths);
  if (bytes > 65535 * page) {
    throw new UnsupportedError(
      `backend "wasm" addresses 4 GiB; this network needs ${(bytes / 2 ** 30).toFixed(1)} GiB; --backend reference has no such limit`,
    );
  }
  const pages = Math.ceil(bytes / page);
  const memory = new WebAssembly.Memory(shared ? { initial: pages, maximum: pages, shared: true } : { initial: pages });
  let next = page;
  const take = (length: number): number => {
    const at = next;
    next += aligned(4 * length);
    return at;
  };
  return {
    allocate: (length: number): Real => new Float32Array(memory.buffer, take(length), length),
    compile(network: Network) {
      const module = kernelModule(shared ? 'shared' : 'own');
      return compileStages(network, { module, memory, take, shards, threads: shared ? crewSize : 1 });
    },
  };
}

/** Synapse-steps of a trial below which threads cost more than they bring. */
const leastWork = 2e7;

function workOf({ sizes }: NetworkSpec): number {
  return (sizes.synIn + sizes.synRec) * sizes.step * sizes.stream;
}
