import type { Real } from '../../core/layout.ts';
import { hasKernels, instantiate, kernelModule } from '../wasm/module.ts';
import type { DoubleKernels } from './kernels.ts';

/** Memory that the loops in WebAssembly work on, and these loops. */
export interface KernelMemory {
  /** Zeroed numbers. */
  take(length: number): Real;
  readonly kernels: DoubleKernels;
}

const page = 65536;
/** Bytes before the first array, and behind the last one, which loads of two numbers may read. */
const margin = 1024;

/** Numbers that fit the addresses of a kernel. */
const largest = 2 ** 32 / 8 - 2 * page;

/** @returns null where the kernels are not at hand or the numbers are too many for them */
export function openKernelMemory(numbers: number): KernelMemory | null {
  if (!hasKernels('double') || numbers > largest) return null;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((8 * numbers + 2 * margin) / page) });
  const kernels = instantiate<DoubleKernels>(kernelModule('double'), memory);
  let next = margin;
  return {
    kernels,
    take(length) {
      const view = new Float64Array(memory.buffer, next, length);
      // Pairs of numbers begin at multiples of 16 bytes.
      next += 16 * Math.ceil(length / 2);
      return view;
    },
  };
}
