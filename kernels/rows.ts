import { Net } from './net';

/**
 * Events of a trial. The forward pass writes them once, the other stages read them: looking for the few entries of a row
 * that are not 0 costs more than using them.
 */

/** First event of the inputs at step t of stream b, as an index; its value stands in the row of x. */
export function xFrom(net: Net, b: i32, t: i32): usize {
  return net.xList + (<usize>(b * net.stride * net.nIn + load<i32>(net.xEnds + (<usize>(b * (net.stride + 1) + t) << 2))) << 2);
}

/** Row of the inputs at step t. */
export function xRow(net: Net, b: i32, t: i32): usize {
  return net.x + (<usize>((b * net.stride + t) * net.nIn) << 2);
}

/** End of the events of the inputs at step t. */
export function xTo(net: Net, b: i32, t: i32): usize {
  return xFrom(net, b, t + 1);
}

/** First spike of step t, as an index; steps from -history on are those before the trial. */
export function zFrom(net: Net, b: i32, t: i32): usize {
  const place = net.zEnds + (<usize>(b * (net.stride + net.history + 1) + t + net.history) << 2);
  return net.zList + (<usize>(b * (net.stride + net.history) * net.n + load<i32>(place)) << 2);
}

/** End of the spikes of step t. */
export function zTo(net: Net, b: i32, t: i32): usize {
  return zFrom(net, b, t + 1);
}

/** Lanes that are set in a mask of four, first ones first: what to add to the index of the first lane. */
const lanesOf: usize = memory.data<i32>([
  0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 1, 2, 0, 0, 0, 1, 2, 0,
  3, 0, 0, 0, 0, 3, 0, 0, 1, 3, 0, 0, 0, 1, 3, 0, 2, 3, 0, 0, 0, 2, 3, 0, 1, 2, 3, 0, 0, 1, 2, 3,
]);

/**
 * Appends the indices of the entries that are not 0, without a branch that depends on them. Writes up to three numbers
 * beyond the end.   @returns the end
 */
export function listActive(at: usize, row: usize, n: i32): usize {
  const none = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const mask = i32x4.bitmask(f32x4.ne(v128.load(row + (<usize>i << 2)), none));
    v128.store(at, i32x4.add(i32x4.splat(i), v128.load(lanesOf + (<usize>mask << 4))));
    at += <usize>popcnt(mask) << 2;
  }
  for (; i < n; i++) {
    store<i32>(at, i);
    at += load<f32>(row + (<usize>i << 2)) != 0 ? 4 : 0;
  }
  return at;
}

/** out_j = sum over the events of x_i wIn_ij + sum over the spikes of wRec_ij, thirty-two or four neurons at a time. */
export function sumRows(out: usize, x: usize, x0: usize, x1: usize, wIn: usize, z0: usize, z1: usize, wRec: usize, n: i32): void {
  const bytes = <usize>n << 2;
  let j: usize = 0;
  for (; j + 128 <= bytes; j += 128) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
    for (let event = x0; event < x1; event += 4) {
      const row = wIn + <usize>load<u32>(event) * bytes + j;
      const p = v128.load32_splat(x + (<usize>load<u32>(event) << 2));
      s0 = f32x4.add(s0, f32x4.mul(p, v128.load(row)));
      s1 = f32x4.add(s1, f32x4.mul(p, v128.load(row, 16)));
      s2 = f32x4.add(s2, f32x4.mul(p, v128.load(row, 32)));
      s3 = f32x4.add(s3, f32x4.mul(p, v128.load(row, 48)));
      s4 = f32x4.add(s4, f32x4.mul(p, v128.load(row, 64)));
      s5 = f32x4.add(s5, f32x4.mul(p, v128.load(row, 80)));
      s6 = f32x4.add(s6, f32x4.mul(p, v128.load(row, 96)));
      s7 = f32x4.add(s7, f32x4.mul(p, v128.load(row, 112)));
    }
    for (let spike = z0; spike < z1; spike += 4) {
      const row = wRec + <usize>load<u32>(spike) * bytes + j;
      s0 = f32x4.add(s0, v128.load(row));
      s1 = f32x4.add(s1, v128.load(row, 16));
      s2 = f32x4.add(s2, v128.load(row, 32));
      s3 = f32x4.add(s3, v128.load(row, 48));
      s4 = f32x4.add(s4, v128.load(row, 64));
      s5 = f32x4.add(s5, v128.load(row, 80));
      s6 = f32x4.add(s6, v128.load(row, 96));
      s7 = f32x4.add(s7, v128.load(row, 112));
    }
    v128.store(out + j, s0); v128.store(out + j, s1, 16); v128.store(out + j, s2, 32); v128.store(out + j, s3, 48);
    v128.store(out + j, s4, 64); v128.store(out + j, s5, 80); v128.store(out + j, s6, 96); v128.store(out + j, s7, 112);
  }
  for (; j + 16 <= bytes; j += 16) {
    let sum = f32x4.splat(0);
    for (let event = x0; event < x1; event += 4) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(x + (<usize>load<u32>(event) << 2)), v128.load(wIn + <usize>load<u32>(event) * bytes + j)));
    }
    for (let spike = z0; spike < z1; spike += 4) sum = f32x4.add(sum, v128.load(wRec + <usize>load<u32>(spike) * bytes + j));
    v128.store(out + j, sum);
  }
  for (; j < bytes; j += 4) {
    let sum: f32 = 0;
    for (let event = x0; event < x1; event += 4) sum += load<f32>(x + (<usize>load<u32>(event) << 2)) * load<f32>(wIn + <usize>load<u32>(event) * bytes + j);
    for (let spike = z0; spike < z1; spike += 4) sum += load<f32>(wRec + <usize>load<u32>(spike) * bytes + j);
    store<f32>(out + j, sum);
  }
}

/** out_post[s] += value w_s over the synapses of presynaptic neuron i.   CSR; out: [nPost] */
export function scatterRow(out: usize, i: i32, value: f32, w: usize, rows: usize, post: usize): void {
  const end = load<i32>(rows + (<usize>(i + 1) << 2));
  for (let s = load<i32>(rows + (<usize>i << 2)); s < end; s++) {
    const to = out + (<usize>load<i32>(post + (<usize>s << 2)) << 2);
    store<f32>(to, load<f32>(to) + value * load<f32>(w + (<usize>s << 2)));
  }
}

/** grad_s += value D_post[s] over the synapses of presynaptic neuron i.   CSR; D: [nPost] */
export function gatherRow(grad: usize, i: i32, value: f32, d: usize, rows: usize, post: usize): void {
  const end = load<i32>(rows + (<usize>(i + 1) << 2));
  for (let s = load<i32>(rows + (<usize>i << 2)); s < end; s++) {
    const o = <usize>s << 2;
    store<f32>(grad + o, load<f32>(grad + o) + value * load<f32>(d + (<usize>load<i32>(post + o) << 2)));
  }
}
