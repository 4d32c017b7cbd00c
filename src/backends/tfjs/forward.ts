import type { Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { type Device, download, rowsOf } from './device.ts';

/** State of all neurons of all streams, each [stream][rec]. */
type CellState = Readonly<Record<'v' | 'a' | 'refractory' | 'z', Tensor>>;
type SteppedState = Readonly<Record<'v' | 'a' | 'refractory' | 'z' | 'psi', Tensor>>;

/** What the backward pass needs of the forward pass, on the device: [step][stream][rec]. */
export type Kept = Readonly<Record<'psi' | 'zBefore' | 'z', Tensor3D>>;

/** The steps [t0, t1) of all streams; states go back to the host at their end. */
export function forward(device: Device, t0: number, t1: number): Kept {
  const { tf, network } = device;
  const { trial, neuron: cell } = network;
  const { history } = network.spec.sizes;
  const { z, zBefore, psi, v, a, refractory } = tf.tidy(() => stepAll(device, t0, t1));
  download(device, z, trial.z, history, t0);
  download(device, psi, trial.psi, 0, t0);
  cell.v.set(v.dataSync());
  cell.a?.set(a.dataSync());
  cell.refractory.set(refractory.dataSync());
  tf.dispose([v, a, refractory]);
  return { psi, zBefore, z };
}

function stepAll(device: Device, t0: number, t1: number): Kept & Pick<CellState, 'v' | 'a' | 'refractory'> {
  const { tf, network } = device;
  const { spec, weights } = network;
  const wRec = tf.tensor2d(Float32Array.from(weights.wRec), [spec.sizes.rec, spec.sizes.rec]);
  const inputs = inputsOf(device, t0, t1);
  let s = stateOf(device, t0);
  const first = s.z;
  const z: Tensor[] = [];
  const psi: Tensor[] = [];
  for (let k = 0; k < t1 - t0; k++) {
    const drops = t0 + k === 0 && spec.borderSpikes === 'drop';
    const now = s;
    const next = tf.tidy(() => step(device, now, inputs[k], wRec, drops));
    if (k > 0) tf.dispose([s.v, s.refractory]);
    s = next;
    z.push(next.z);
    psi.push(next.psi);
  }
  return {
    z: tf.stack(z) as Tensor3D,
    zBefore: tf.stack([first, ...z.slice(0, -1)]) as Tensor3D,
    psi: tf.stack(psi) as Tensor3D,
    v: s.v,
    a: s.a,
    refractory: s.refractory,
  };
}

/** What comes from the input at each step, [stream][rec] each. */
function inputsOf(device: Device, t0: number, t1: number): Tensor[] {
  const { tf, network } = device;
  const { stream: nStream, rec: n, in: nIn } = network.spec.sizes;
  const steps = t1 - t0;
  const wIn = tf.tensor2d(Float32Array.from(network.weights.wIn), [nIn, n]);
  const x = tf.tensor2d(rowsOf(device, network.trial.x, t0, t1, nIn), [nStream * steps, nIn]);
  return tf.unstack(tf.reshape(tf.matMul(x, wIn), [nStream, steps, n]), 1);
}

function stateOf(device: Device, t0: number): CellState {
  const { tf, network } = device;
  const { neuron: cell, trial } = network;
  const { stream: nStream, rec: n, history } = network.spec.sizes;
  const tensor = (values: ArrayLike<number>) => tf.tensor2d(Float32Array.from(values), [nStream, n]);
  return {
    v: tensor(cell.v),
    a: tensor(cell.a ?? new Float32Array(nStream * n)),
    refractory: tensor(cell.refractory),
    z: tensor(rowsOf(device, trial.z, t0 - 1, t0, n, history)),
  };
}

/** One step of all streams; see models/neurons for the equations. */
function step(
  { tf, neuron, strength }: Device,
  s: CellState,
  input: Tensor,
  wRec: Tensor2D,
  drops: boolean,
): SteppedState {
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
}

/** u = decay u + gain W^T z;  y = u + b: the product on the device, the filter on the host. */
export function readout(device: Device, t0: number, t1: number): void {
  const { tf, network } = device;
  const { spec, trial, weights, readout: kept } = network;
  const { stream: nStream, step: stride, rec: n, out: nOut, history } = spec.sizes;
  const { decay, gain } = spec.readout;
  const drive = tf.tidy(() => {
    const z = tf.tensor2d(rowsOf(device, trial.z, t0, t1, n, history), [nStream * (t1 - t0), n]);
    return tf.matMul(z, tf.tensor2d(Float32Array.from(weights.wOut), [n, nOut])).dataSync();
  });
  for (let b = 0; b < nStream; b++) {
    for (let t = t0; t < t1; t++) {
      for (let k = 0; k < nOut; k++) {
        const o = b * nOut + k;
        kept.u[o] = decay * kept.u[o] + gain * drive[(b * (t1 - t0) + t - t0) * nOut + k];
        trial.y[(b * stride + t) * nOut + k] = kept.u[o] + weights.bOut[k];
      }
    }
  }
}
