import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { Stages } from '../../core/network.ts';
import type { ThresholdKernel } from '../../core/plugins.ts';
import type { SingleNetwork } from '../../core/single.ts';
import type { Device, TensorFlow } from './device.ts';
import { forward, type Kept, readout } from './forward.ts';
import { gradientOfTrial } from './gradient.ts';

/** Stages as tensor operations over the batch. */
export function bindTensorStages(
  tf: TensorFlow,
  network: SingleNetwork,
  neuron: ThresholdKernel,
): Pick<Stages, 'forward' | 'readout' | 'gradient' | 'gradientEnd' | 'gradientOfTrial' | 'ready' | 'close'> {
  const adaptation = neuron.adaptation?.strength ?? new Float32Array(network.spec.sizes.rec);
  const device: Device = { tf, network, neuron, strength: tf.keep(tf.tensor1d(Float32Array.from(adaptation))) };
  let kept: Kept | null = null;
  const forget = () => {
    if (kept) tf.dispose([kept.psi, kept.zBefore, kept.z]);
    kept = null;
  };
  return {
    forward(t0, t1) {
      if (t0 === 0) forget();
      kept = joined(tf, kept, forward(device, t0, t1));
    },
    readout: (t0, t1) => readout(device, t0, t1),
    gradient() {},
    gradientEnd() {},
    gradientOfTrial(steps) {
      if (kept) gradientOfTrial(device, kept, steps);
      forget();
    },
    ready: () => Promise.resolve(),
    close() {
      forget();
      device.strength.dispose();
    },
  };
}

/** A trial that is watched arrives step by step. */
function joined(tf: TensorFlow, before: Kept | null, part: Kept): Kept {
  if (!before) return part;
  const both = (a: Tensor3D, b: Tensor3D) => {
    const whole = tf.concat([a, b]);
    tf.dispose([a, b]);
    return whole;
  };
  return {
    psi: both(before.psi, part.psi),
    zBefore: both(before.zBefore, part.zBefore),
    z: both(before.z, part.z),
  };
}
