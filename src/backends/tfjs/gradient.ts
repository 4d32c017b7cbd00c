import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { Real } from '../../core/layout.ts';
import { type Device, rowsOf } from './device.ts';
import type { Kept } from './forward.ts';

/** Adds the gradient of a whole trial: one product over batch and time for each block of weights. */
export function gradientOfTrial(device: Device, kept: Kept, steps: number): void {
  const { tf, network, neuron } = device;
  const { spec, trial, gradient } = network;
  const { in: nIn, stream: nStream, out: nOut } = spec.sizes;
  const { decay, gain } = spec.readout;
  const { rule } = spec;
  const back = filteredError(device, decay, gain, steps);
  const result = tf.tidy(() => {
    const wOut = tf.matMul(flat(tf, kept.z), tf.tensor2d(back, [steps * nStream, nOut]), true).dataSync();
    if (!rule?.trace.kernel) return { wOut };
    const { filter } = rule.trace;
    const F = tf.tensor3d(filteredError(device, filter.decay, filter.gain, steps), [steps, nStream, nOut]);
    const D = backward(device, kept.psi, F, steps);
    const rows = tf.tensor3d(rowsOf(device, trial.x, 0, steps, nIn), [nStream, steps, nIn]);
    const x = tf.transpose(rows, [1, 0, 2]);
    const arriving =
      spec.borderSpikes === 'drop' ? [x, kept.zBefore].map((z) => withoutFirst(tf, z)) : [x, kept.zBefore];
    const [wIn, wRec] = arriving.map((z) => tf.mul(tf.matMul(flat(tf, z), D, true), neuron.gain).dataSync());
    return { wOut, wIn, wRec };
  });
  add(gradient.wOut, result.wOut);
  if (result.wIn) add(gradient.wIn, result.wIn);
  if (result.wRec) add(gradient.wRec, result.wRec);
  if (spec.readout.bias) addBias(device, steps);
}

/** D of every step as one matrix [step stream][rec]; the recursion of models/traces/deferred.ts over the batch. */
function backward(device: Device, psi: Tensor3D, F: Tensor3D, steps: number): Tensor2D {
  const { tf, network, neuron, strength } = device;
  const { spec, weights, signal } = network;
  const { stream: nStream, rec: n, out: nOut } = spec.sizes;
  const B = spec.rule?.signal.kernel?.matrix === 'readout' ? weights.wOut : signal.B;
  const feedback = tf.tensor2d(Float32Array.from(B), [n, nOut]);
  const slopes = tf.unstack(psi);
  const errors = tf.unstack(F);
  const rateAt = rateTerm(device, steps);
  let D: Tensor = tf.zeros([nStream, n]);
  let lambda: Tensor = tf.zeros([nStream, n]);
  const all: Tensor[] = [];
  for (let t = steps - 1; t >= 0; t--) {
    const owed = lambda;
    const later = D;
    const next = tf.tidy(() => {
      const told = tf.matMul(errors[t] as Tensor2D, feedback, false, true);
      const extra = rateAt(t);
      const now = tf.mul(slopes[t], extra ? tf.add(told, extra) : told);
      if (!neuron.adaptation) return { D: tf.add(now, tf.mul(later, neuron.decay)), lambda: owed };
      const damped = tf.mul(tf.mul(slopes[t], strength), owed);
      return {
        D: tf.add(tf.sub(now, damped), tf.mul(later, neuron.decay)),
        lambda: tf.sub(tf.add(now, tf.mul(owed, neuron.adaptation.decay)), damped),
      };
    });
    if (next.lambda !== owed) owed.dispose();
    D = next.D;
    lambda = next.lambda;
    all.push(next.D);
  }
  return flat(tf, tf.stack(all.reverse()) as Tensor3D);
}

/** R of a step: of its own where the mean runs on, else the one of the trial; null where the term is off. [stream][rec] */
function rateTerm(device: Device, steps: number): (t: number) => Tensor | null {
  const { tf, network } = device;
  const { stream: nStream, rec: n } = network.spec.sizes;
  const { strength, mean } = network.spec.rateTerm;
  if (strength === 0) return () => null;
  const known = mean === 'running' ? steps : 1;
  const rows = tf.unstack(tf.tensor3d(rowsOf(device, network.trial.rateTerm, 0, known, n), [nStream, known, n]), 1);
  return (t) => rows[Math.min(t, known - 1)];
}

/** F[t] = gain error[t] + decay F[t+1].   [step][stream][out] */
function filteredError({ network }: Device, decay: number, gain: number, steps: number): Float32Array {
  const { stream: nStream, step: stride, out: nOut } = network.spec.sizes;
  const { error } = network.trial;
  const F = new Float32Array(steps * nStream * nOut);
  for (let t = steps - 1; t >= 0; t--) {
    for (let b = 0; b < nStream; b++) {
      for (let k = 0; k < nOut; k++) {
        const o = (t * nStream + b) * nOut + k;
        const later = t + 1 < steps ? F[o + nStream * nOut] : 0;
        F[o] = gain * error[(b * stride + t) * nOut + k] + decay * later;
      }
    }
  }
  return F;
}

/** [step][stream][width] to [step stream][width] */
function flat(tf: Device['tf'], x: Tensor3D): Tensor2D {
  return tf.reshape(x, [x.shape[0] * x.shape[1], x.shape[2]]);
}

function withoutFirst(tf: Device['tf'], x: Tensor3D): Tensor3D {
  const rest = tf.slice(x, [1, 0, 0]);
  return tf.concat([tf.zeros([1, x.shape[1], x.shape[2]]), rest]) as Tensor3D;
}

function addBias({ network }: Device, steps: number): void {
  const { spec, trial, gradient } = network;
  const { stream: nStream, step: stride, out: nOut } = spec.sizes;
  for (let b = 0; b < nStream; b++) {
    for (let t = 0; t < steps; t++) {
      for (let k = 0; k < nOut; k++) gradient.bOut[k] += trial.error[(b * stride + t) * nOut + k];
    }
  }
}

function add(sum: Real, part: ArrayLike<number>): void {
  for (let s = 0; s < sum.length; s++) sum[s] += part[s];
}
