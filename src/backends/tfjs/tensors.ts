import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import type { Real } from '../../core/layout.ts';
import type { Stages } from '../../core/network.ts';
import type { ThresholdKernel } from '../../core/plugins.ts';
import type { SingleNetwork } from '../../core/single.ts';

/** Named here and in no file that others import the declarations of. */
export type TensorFlow = typeof import('@tensorflow/tfjs-core');

/** State of all neurons of all streams, each [stream][rec]. */
type CellState = Readonly<Record<'v' | 'a' | 'refractory' | 'z', Tensor>>;
type SteppedState = Readonly<Record<'v' | 'a' | 'refractory' | 'z' | 'psi', Tensor>>;

/** What the backward pass needs of the forward pass, on the device: [step][stream][rec]. */
interface Kept {
  readonly psi: Tensor3D;
  readonly zBefore: Tensor3D;
  readonly z: Tensor3D;
}

/** Stages as tensor operations over the batch. */
export function bindTensorStages(
  tf: TensorFlow,
  network: SingleNetwork,
  neuron: ThresholdKernel,
): Pick<Stages, 'forward' | 'readout' | 'gradient' | 'gradientEnd' | 'gradientOfTrial' | 'ready' | 'close'> {
  const { spec, trial, weights, gradient, neuron: cell, readout, signal } = network;
  const { stream: nStream, step: stride, rec: n, in: nIn, out: nOut, history } = spec.sizes;
  const strength = tf.keep(tf.tensor1d(Float32Array.from(neuron.adaptation?.strength ?? new Float32Array(n))));
  let kept: Kept | null = null;
  const forget = () => {
    if (kept) tf.dispose([kept.psi, kept.zBefore, kept.z]);
    kept = null;
  };

  /** One step of all streams; see models/neurons for the equations. */
  const step = (s: CellState, input: Tensor, wRec: Tensor2D, drops: boolean): SteppedState => {
    const arriving = tf.add(input, tf.matMul(s.z as Tensor2D, wRec));
    const current = drops ? tf.zerosLike(arriving) : arriving;
    const held = tf.mul(s.v, neuron.decay);
    const driven = tf.mul(current, neuron.gain);
    const v = neuron.resetToZero
      ? tf.add(tf.mul(held, tf.sub(1, s.z)), driven)
      : tf.sub(tf.add(held, driven), tf.mul(s.z, neuron.vTh));
    const a = neuron.adaptation ? tf.add(tf.mul(s.a, neuron.adaptation.decay), s.z) : s.a;
    const above = tf.sub(v, neuron.adaptation ? tf.add(tf.mul(a, strength), neuron.vTh) : neuron.vTh);
    const open = tf.cast(tf.lessEqual(s.refractory, 0), 'float32');
    const over = neuron.orEqual ? tf.greaterEqual(above, 0) : tf.greater(above, 0);
    const z = tf.mul(tf.cast(over, 'float32'), open);
    const slope = tf.relu(tf.sub(1, tf.div(tf.abs(above), neuron.psiWidth)));
    const psi = tf.mul(tf.mul(slope, neuron.psiHeight), open);
    const waiting = tf.sub(tf.add(s.refractory, tf.mul(z, neuron.nRef)), 1);
    return { v, a, refractory: tf.clipByValue(waiting, 0, neuron.nRef), z, psi };
  };

  const rowsOf = (array: Real, t0: number, t1: number, width: number): Tensor3D => {
    const values = new Float32Array(nStream * (t1 - t0) * width);
    for (let b = 0; b < nStream; b++) {
      const from = (b * stride + t0) * width;
      values.set(array.subarray(from, from + (t1 - t0) * width), b * (t1 - t0) * width);
    }
    return tf.tensor3d(values, [nStream, t1 - t0, width]);
  };

  return {
    forward(t0, t1) {
      if (t0 === 0) forget();
      const steps = t1 - t0;
      const result = tf.tidy(() => {
        const wIn = tf.tensor2d(Float32Array.from(weights.wIn), [nIn, n]);
        const wRec = tf.tensor2d(Float32Array.from(weights.wRec), [n, n]);
        const x: Tensor2D = tf.reshape(rowsOf(trial.x, t0, t1, nIn), [nStream * steps, nIn]);
        const inputs = tf.unstack(tf.reshape(tf.matMul(x, wIn), [nStream, steps, n]), 1);
        let s: CellState = {
          v: tf.tensor2d(Float32Array.from(cell.v), [nStream, n]),
          a: tf.tensor2d(Float32Array.from(cell.a ?? new Float32Array(nStream * n)), [nStream, n]),
          refractory: tf.tensor2d(Float32Array.from(cell.refractory), [nStream, n]),
          z: tf.tensor2d(before(t0), [nStream, n]),
        };
        const before0 = s.z;
        const z: Tensor[] = [];
        const psi: Tensor[] = [];
        for (let k = 0; k < steps; k++) {
          const drops = t0 + k === 0 && spec.borderSpikes === 'drop';
          const now = s;
          const next = tf.tidy(() => step(now, inputs[k], wRec, drops));
          if (k > 0) tf.dispose([s.v, s.refractory]);
          s = next;
          z.push(next.z);
          psi.push(next.psi);
        }
        const spikes = tf.stack(z) as Tensor3D;
        const earlier = tf.stack([before0, ...z.slice(0, -1)]) as Tensor3D;
        return {
          z: spikes,
          zBefore: earlier,
          psi: tf.stack(psi) as Tensor3D,
          v: s.v,
          a: s.a,
          refractory: s.refractory,
        };
      });
      download(result.z, trial.z, history, t0);
      download(result.psi, trial.psi, 0, t0);
      cell.v.set(result.v.dataSync());
      cell.a?.set(result.a.dataSync());
      cell.refractory.set(result.refractory.dataSync());
      tf.dispose([result.v, result.a, result.refractory]);
      append({ psi: result.psi, zBefore: result.zBefore, z: result.z });
    },
    readout(t0, t1) {
      const { decay, gain } = spec.readout;
      const u = readout.u;
      const drive = tf.tidy(() => {
        const z = tf.tensor2d(rowsBetween(trial.z, t0, t1), [nStream * (t1 - t0), n]);
        return tf.matMul(z, tf.tensor2d(Float32Array.from(weights.wOut), [n, nOut])).dataSync();
      });
      for (let b = 0; b < nStream; b++) {
        for (let t = t0; t < t1; t++) {
          for (let k = 0; k < nOut; k++) {
            const o = b * nOut + k;
            u[o] = decay * u[o] + gain * drive[(b * (t1 - t0) + t - t0) * nOut + k];
            trial.y[(b * stride + t) * nOut + k] = u[o] + weights.bOut[k];
          }
        }
      }
    },
    gradient() {},
    gradientEnd() {},
    gradientOfTrial(steps) {
      if (!kept) return;
      const { psi, zBefore, z } = kept;
      const rule = spec.rule;
      const trace = rule?.trace.kernel;
      const back = filteredError(spec.readout.decay, spec.readout.gain, steps);
      const result = tf.tidy(() => {
        const wOut = tf.matMul(flat(z, steps), tf.tensor2d(back, [steps * nStream, nOut]), true).dataSync();
        if (!rule || !trace) return { wOut };
        const F = tf.tensor3d(filteredError(rule.trace.filter.decay, rule.trace.filter.gain, steps), [
          steps,
          nStream,
          nOut,
        ]);
        const D = backward(psi, F, steps);
        const x = tf.transpose(rowsOf(trial.x, 0, steps, nIn), [1, 0, 2]) as Tensor3D;
        const [fromInput, fromSpikes] =
          spec.borderSpikes === 'drop' ? [withoutFirst(x), withoutFirst(zBefore)] : [x, zBefore];
        return {
          wOut,
          wIn: tf.mul(tf.matMul(flat(fromInput, steps), D, true), neuron.gain).dataSync(),
          wRec: tf.mul(tf.matMul(flat(fromSpikes, steps), D, true), neuron.gain).dataSync(),
        };
      });
      add(gradient.wOut, result.wOut);
      if (result.wIn) add(gradient.wIn, result.wIn);
      if (result.wRec) add(gradient.wRec, result.wRec);
      if (spec.readout.bias) addBias(steps);
      forget();
    },
    ready: () => Promise.resolve(),
    close() {
      forget();
      strength.dispose();
    },
  };

  /** D of every step as one matrix [step stream][rec]; the recursion of models/traces/deferred.ts over the batch. */
  function backward(psi: Tensor3D, F: Tensor3D, steps: number): Tensor2D {
    const kernel = spec.rule?.signal.kernel;
    const B = kernel?.matrix === 'readout' ? weights.wOut : signal.B;
    const feedback = tf.tensor2d(Float32Array.from(B), [n, nOut]);
    const slopes = tf.unstack(psi);
    const errors = tf.unstack(F);
    const running = spec.rateTerm.mean === 'running';
    const rated = spec.rateTerm.strength > 0;
    const rates = rated && running ? tf.unstack(rowsOf(trial.rateTerm, 0, steps, n), 1) : null;
    const rate = rated && !running ? tf.reshape(rowsOf(trial.rateTerm, 0, 1, n), [nStream, n]) : null;
    let D: Tensor = tf.zeros([nStream, n]);
    let lambda: Tensor = tf.zeros([nStream, n]);
    const all: Tensor[] = [];
    for (let t = steps - 1; t >= 0; t--) {
      const owed = lambda;
      const later = D;
      const next = tf.tidy(() => {
        const told = tf.matMul(errors[t] as Tensor2D, feedback, false, true);
        const extra = rates ? rates[t] : rate;
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
    return flat(tf.stack(all.reverse()) as Tensor3D, steps);
  }

  function flat(x: Tensor3D, steps: number): Tensor2D {
    return tf.reshape(x, [steps * nStream, x.shape[2]]);
  }

  function withoutFirst(x: Tensor3D): Tensor3D {
    const rest = tf.slice(x, [1, 0, 0]);
    return tf.concat([tf.zeros([1, nStream, x.shape[2]]), rest]) as Tensor3D;
  }

  /** F[t] = gain error[t] + decay F[t+1].   [step][stream][out] */
  function filteredError(decay: number, gain: number, steps: number): Float32Array {
    const F = new Float32Array(steps * nStream * nOut);
    for (let t = steps - 1; t >= 0; t--) {
      for (let b = 0; b < nStream; b++) {
        for (let k = 0; k < nOut; k++) {
          const o = (t * nStream + b) * nOut + k;
          const later = t + 1 < steps ? F[o + nStream * nOut] : 0;
          F[o] = gain * trial.error[(b * stride + t) * nOut + k] + decay * later;
        }
      }
    }
    return F;
  }

  /** Activity of the step before t0. */
  function before(t0: number): Float32Array {
    const rows = new Float32Array(nStream * n);
    for (let b = 0; b < nStream; b++) {
      const from = (b * (history + stride) + history + t0 - 1) * n;
      rows.set(trial.z.subarray(from, from + n), b * n);
    }
    return rows;
  }

  function rowsBetween(z: Real, t0: number, t1: number): Float32Array {
    const rows = new Float32Array(nStream * (t1 - t0) * n);
    for (let b = 0; b < nStream; b++) {
      const from = (b * (history + stride) + history + t0) * n;
      rows.set(z.subarray(from, from + (t1 - t0) * n), b * (t1 - t0) * n);
    }
    return rows;
  }

  /** One read for all steps: [step][stream][rec] on the device to [stream][lead + step][rec] on the host. */
  function download(x: Tensor3D, to: Real, lead: number, t0: number): void {
    const steps = x.shape[0];
    const values = x.dataSync();
    for (let b = 0; b < nStream; b++) {
      for (let t = 0; t < steps; t++) {
        const from = (t * nStream + b) * n;
        to.set(values.subarray(from, from + n), (b * (lead + stride) + lead + t0 + t) * n);
      }
    }
  }

  /** A trial that is watched arrives step by step. */
  function append(part: Kept): void {
    if (!kept) {
      kept = part;
      return;
    }
    const joined = {
      psi: tf.concat([kept.psi, part.psi]),
      zBefore: tf.concat([kept.zBefore, part.zBefore]),
      z: tf.concat([kept.z, part.z]),
    };
    tf.dispose([kept.psi, kept.zBefore, kept.z, part.psi, part.zBefore, part.z]);
    kept = joined;
  }

  function addBias(steps: number): void {
    for (let b = 0; b < nStream; b++) {
      for (let t = 0; t < steps; t++) {
        for (let k = 0; k < nOut; k++) gradient.bOut[k] += trial.error[(b * stride + t) * nOut + k];
      }
    }
  }
}

function add(sum: Real, part: ArrayLike<number>): void {
  for (let s = 0; s < sum.length; s++) sum[s] += part[s];
}
