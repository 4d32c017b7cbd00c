import type { Real } from '../../core/layout.ts';
import { type ArrayLoops, plainArrays } from '../../core/noise.ts';
import type { Kernels } from './module.ts';

/** Loops over arrays in the memory of the kernels; those over others are the plain ones. */
export function arraysOf(kernels: Kernels, { buffer }: WebAssembly.Memory): ArrayLoops {
  const isOurs = (out: Real) => out.buffer === buffer;
  const addressOf = (out: Real, from: number) => out.byteOffset + from * out.BYTES_PER_ELEMENT;
  const drawers = { normal: kernels.drawNormal, sign: kernels.drawSign };
  return {
    draw(noise, first, out, from, n, sd) {
      if (!isOurs(out)) return plainArrays.draw(noise, first, out, from, n, sd);
      drawers[noise.kind](addressOf(out, from), n, sd, noise.key, first);
    },
    scale(out, from, n, factor) {
      if (!isOurs(out)) return plainArrays.scale(out, from, n, factor);
      kernels.multiply(addressOf(out, from), n, factor);
    },
  };
}
