import { UnsupportedError } from '../../core/errors.ts';
import type { Real } from '../../core/layout.ts';
import {
  type Backend,
  creditsInSteps,
  type Network,
  type NetworkLengths,
  type NetworkSpec,
  type OpenOptions,
  type Workspace,
} from '../../core/network.ts';
import type { DirectInstance } from '../../core/plugins.ts';
import { formatBytes, missingFormats, onGrids } from './formats.ts';
import { workOf } from './lay.ts';
import { gradientChunk, planOf, shardCount } from './memory.ts';
import { hasKernels, kernelModule } from './module.ts';
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
  numberBytes: 4,
  missing,
  bytes: (spec, lengths) => totalBytes(spec, lengths) + formatBytes(spec),
  open,
  sharesRows,
  keepsTransients: false,
  gradientChunk,
};

function missing(spec: NetworkSpec): string[] {
  const { populations, projections, readouts, direct, optimizer, execution } = spec;
  const names = new Set<string>();
  if (!hasKernels()) names.add('the compiled kernels (npm run build makes them)');
  for (const name of missingFormats(spec)) names.add(name);
  if (spec.passes?.clamps) names.add('activity that is held at a target');
  for (const { neuron, kind } of populations) if (!neuron.kernel) names.add(`the neuron "${kind}" as it is set`);
  for (const { readout, kind } of readouts) if (!readout.kernel) names.add(`the readout "${kind}"`);
  if (creditsInSteps(spec)) names.add('updates within a trial beside a modulator');
  if (!optimizer.kernel) names.add(`the optimiser "${optimizer.kind}"`);
  const traces = projections.flatMap((projection) => projection.traces);
  for (const { post, traces: own } of projections) {
    if (own.some(({ kernel }) => !kernel)) names.add(`the trace "${populations[post].rule?.trace}" as it is set`);
  }
  if (execution === 'online' && traces.some(({ kernel }) => kernel && kernel.resetGain > 0))
    names.add('online traces with the reset in them');
  if (traces.some(({ kernel }) => kernel?.dynamics.form === 'linear' && kernel.dynamics.states > 2))
    names.add('traces of more than two states');
  for (const { rule, signals, spiking } of populations) {
    if (signals.some(({ kernel }) => !kernel)) names.add(`the signal "${rule?.signal}" as it is set`);
    const dendrites = signals.some(({ kernel }) => kernel?.name === 'dendrite');
    if (dendrites && execution !== 'online') names.add('deferred or postponed traces with this signal');
    if (dendrites && !spiking) names.add(`the signal "${rule?.signal}" of neurons without spikes`);
  }
  if (direct && !hasDirectKernel(direct)) names.add(`the rule "${spec.rule}" as it is set`);
  return [...names];
}

/** A rule from elsewhere may name a kernel that there is none of. */
function hasDirectKernel({ kernel, outer }: DirectInstance): boolean {
  if (kernel?.name === 'learned-signal') return outer !== undefined;
  return kernel?.name === 'bptt' && outer === undefined;
}

function totalBytes(spec: NetworkSpec, lengths: NetworkLengths): number {
  let words = 0;
  planOf(spec, (length) => {
    words += aligned(4 * length);
    return 0;
  });
  return aligned(4 * lengths.state) + aligned(4 * lengths.trial) + words + slack;
}

/** Arrays start at multiples of 64 bytes. */
function aligned(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

function open(spec: NetworkSpec, lengths: NetworkLengths, { threads = 1 }: OpenOptions = {}): Workspace {
  const absent = missing(spec);
  const other = spec.formats ? 'fixed' : 'reference';
  if (absent.length > 0)
    throw new UnsupportedError(`backend "wasm" has no kernel for ${absent.join(', ')}; use --backend ${other}`);
  const crewSize = Math.min(threads, shardCount(spec));
  const shared = crewSize > 1 && hasKernels('shared') && workOf(spec) >= leastWork;
  const bytes = page + totalBytes(spec, lengths);
  if (bytes > 65535 * page) {
    throw new UnsupportedError(
      `backend "wasm" addresses 4 GiB; this network needs ${(bytes / 2 ** 30).toFixed(1)} GiB; --backend ${other} has no such limit`,
    );
  }
  const pages = Math.ceil(bytes / page);
  const memory = new WebAssembly.Memory(shared ? { initial: pages, maximum: pages, shared: true } : { initial: pages });
  let next = page;
  const allot = (length: number): number => {
    const at = next;
    next += aligned(4 * length);
    return at;
  };
  return {
    allocate: (length: number): Real => new Float32Array(memory.buffer, allot(length), length),
    compile(network: Network) {
      const module = kernelModule(shared ? 'shared' : 'own');
      const site = { module, memory, plan: planOf(spec, allot), threads: shared ? crewSize : 1 };
      return onGrids(compileStages(network, site), network);
    },
  };
}

/** Synapse-steps of a trial below which threads cost more than they bring. */
const leastWork = 2e7;
