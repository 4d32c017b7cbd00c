import type { Real } from '../../core/layout.ts';
import type { LinearDynamics, NeuronKernel } from '../../core/plugins.ts';

/** Constants of every neuron as kernels read them: rows of one number a neuron. */
export type ConstantRows = readonly Real[];

/** Numbers from one row to the next: whole groups of four neurons. */
export function rowLength(size: number): number {
  return 4 * Math.ceil(size / 4);
}

/** Rows of `cells` in `kernels/forward.ts`; none where all neurons are alike. */
export function cellRows(kernel: NeuronKernel | null): ConstantRows {
  if (!kernel || kernel.name === 'threshold' || kernel.name === 'rate') return [];
  if (kernel.name === 'integrator') return [kernel.decay, kernel.gain];
  const { decay, gain, leak, vTh, psiHeight, psiWidth, adaptation, synapse } = kernel;
  const none = new Float64Array(decay.length);
  const perWidth = Float64Array.from(psiWidth, (width) => 1 / width);
  return [decay, gain, leak, vTh, psiHeight, perWidth, adaptation?.decay ?? none, synapse ?? none];
}

/** Rows of `linear` in `kernels/linear.ts`: transition, input, own, read; none where the trace has a closed form. */
export function linearRows(linear: LinearDynamics | null): ConstantRows {
  if (!linear) return [];
  const { transition, input, own, read } = linear;
  return matrixRows(linear, [transition, input, own, read]);
}

/** Matrices [self][c] as c rows of [self] each. */
export function matrixRows({ input, states }: LinearDynamics, matrices: readonly Real[]): ConstantRows {
  const size = input.length / states;
  return matrices.flatMap((matrix) => {
    const width = matrix.length / size;
    const row = (c: number) => Float64Array.from({ length: size }, (_, j) => matrix[j * width + c]);
    return Array.from({ length: width }, (_, c) => row(c));
  });
}
