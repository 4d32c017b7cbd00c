import type { Tensor1D, Tensor3D } from '@tensorflow/tfjs-core';
import type { Real } from '../../core/layout.ts';
import type { ThresholdKernel } from '../../core/plugins.ts';
import type { SingleNetwork } from '../../core/single.ts';

/** Named here and in no file that others import the declarations of. */
export type TensorFlow = typeof import('@tensorflow/tfjs-core');

/** A network and the library that its numbers are sent to. */
export interface Device {
  readonly tf: TensorFlow;
  readonly network: SingleNetwork;
  readonly neuron: ThresholdKernel;
  /** Strength of the adaptation, 0 without one. [rec] */
  readonly strength: Tensor1D;
}

/** Steps [t0, t1) of all streams, `lead` rows before each stream's first. [stream][lead + step][width] to [stream][t1 - t0][width] */
export function rowsOf(
  { network }: Device,
  array: Real,
  t0: number,
  t1: number,
  width: number,
  lead = 0,
): Float32Array {
  const { stream: nStream, step: stride } = network.spec.sizes;
  const length = (t1 - t0) * width;
  const rows = new Float32Array(nStream * length);
  for (let b = 0; b < nStream; b++) {
    const from = (b * (lead + stride) + lead + t0) * width;
    rows.set(array.subarray(from, from + length), b * length);
  }
  return rows;
}

/** One read for all steps: [step][stream][rec] on the device to [stream][lead + step][rec] on the host. */
export function download({ network }: Device, x: Tensor3D, to: Real, lead: number, t0: number): void {
  const { stream: nStream, step: stride, rec: n } = network.spec.sizes;
  const values = x.dataSync();
  for (let b = 0; b < nStream; b++) {
    for (let t = 0; t < x.shape[0]; t++) {
      const from = (t * nStream + b) * n;
      to.set(values.subarray(from, from + n), (b * (lead + stride) + lead + t0 + t) * n);
    }
  }
}
