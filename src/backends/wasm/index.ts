import { UnsupportedError } from '../../core/errors.ts';
import type { Real } from '../../core/layout.ts';
import type { Backend, Network, NetworkLengths, NetworkSpec, Workspace } from '../../core/network.ts';
import { gradientChunk, scratchLengths, topologyBytes } from './memory.ts';
import { hasKernels, instantiate } from './module.ts';
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

function missing({ neuron, readout, rule, optimizer }: NetworkSpec): string[] {
  const names: string[] = [];
  if (!hasKernels()) names.push('the compiled kernels (npm run build makes them)');
  if (!neuron.kernel) names.push('this neuron');
  if (!readout.kernel) names.push('this readout');
  if (!optimizer.kernel) names.push('this optimiser');
  if (rule && !rule.trace.kernel) names.push('this trace');
  if (rule?.trace.kernel && rule.trace.kernel.resetGain > 0) names.push('traces with the reset in them');
  if (rule && !rule.signal.kernel) names.push('this signal');
  return names;
}

function totalBytes(spec: NetworkSpec, lengths: NetworkLengths): number {
  const scratch = Object.values(scratchLengths(spec)).reduce((sum, length) => sum + aligned(4 * length), 0);
  return (
    aligned(netBytes) + aligned(4 * lengths.state) + aligned(4 * lengths.trial) + scratch + topologyBytes(spec) + slack
  );
}

/** Arrays start at multiples of 64 bytes. */
function aligned(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

function open(spec: NetworkSpec, lengths: NetworkLengths): Workspace {
  const absent = missing(spec);
  if (absent.length > 0)
    throw new UnsupportedError(`backend "wasm" has no kernel for ${absent.join(', ')}; use --backend reference`);
  const base = page;
  const bytes = base + totalBytes(spec, lengths);
  if (bytes > 65536 * page) {
    throw new UnsupportedError(
      `backend "wasm" addresses 4 GiB; this network needs ${(bytes / 2 ** 30).toFixed(1)} GiB`,
    );
  }
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / page) });
  let next = base + aligned(netBytes);
  const take = (length: number): number => {
    const at = next;
    next += aligned(4 * length);
    return at;
  };
  return {
    allocate: (length: number): Real => new Float32Array(memory.buffer, take(length), length),
    compile: (network: Network) => compileStages(network, instantiate(memory), memory, base, take),
  };
}
