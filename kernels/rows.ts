import { Events } from './net';

/**
 * Events of a trial. The forward pass writes them once, the other stages read them: looking for the few entries of a row
 * that are not 0 costs more than using them.
 */

/** The events of a stream, as indices, one step after the other; steps from -history on are those before the trial. */
// @ts-ignore: decorator
@inline
export function listOf(ev: Events, stride: i32, b: i32): usize {
  return ev.list + (<usize>(b * (stride + ev.history) * ev.size) << 2);
}

/** Where it stands how many events there are up to step t, that one included; four bytes before, up to the step before. */
// @ts-ignore: decorator
@inline
export function endOf(ev: Events, stride: i32, b: i32, t: i32): usize {
  return ev.ends + (<usize>(b * (stride + ev.history + 1) + t + ev.history + 1) << 2);
}

/** First event of step t of stream b. */
// @ts-ignore: decorator
@inline
export function eventsFrom(ev: Events, stride: i32, b: i32, t: i32): usize {
  return eventsTo(ev, stride, b, t - 1);
}

/** End of the events of step t. */
// @ts-ignore: decorator
@inline
export function eventsTo(ev: Events, stride: i32, b: i32, t: i32): usize {
  return listOf(ev, stride, b) + (<usize>load<i32>(endOf(ev, stride, b, t)) << 2);
}

/** Row of step t. */
// @ts-ignore: decorator
@inline
export function rowOf(ev: Events, stride: i32, b: i32, t: i32): usize {
  return ev.data + (<usize>((b * (ev.history + stride) + ev.history + t) * ev.width + ev.from) << 2);
}

/** Lists the events of step t. */
export function listStep(ev: Events, stride: i32, b: i32, t: i32): void {
  const start = listOf(ev, stride, b), end = endOf(ev, stride, b, t);
  const first = start + (<usize>load<i32>(end - 4) << 2);
  store<i32>(end, <i32>((listActive(first, rowOf(ev, stride, b, t), ev.size) - start) >> 2));
}

/** Lists the events of the steps before the trial. */
export function listPast(ev: Events, stride: i32, b: i32): void {
  store<i32>(endOf(ev, stride, b, -ev.history - 1), 0);
  for (let t = -ev.history; t < 0; t++) listStep(ev, stride, b, t);
}

/** Lanes that are set in a mask of four, first ones first: what to add to the index of the first lane. */
const lanesOf: usize = memory.data<i32>([
  0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 1, 2, 0, 0, 0, 1, 2, 0,
  3, 0, 0, 0, 0, 3, 0, 0, 1, 3, 0, 0, 0, 1, 3, 0, 2, 3, 0, 0, 0, 2, 3, 0, 1, 2, 3, 0, 0, 1, 2, 3,
]);

/**
 * Appends the indices of the lanes that are set in a mask of four, the first of them i, without a branch that depends on them.
 * Writes up to four numbers beyond the end.   @returns the end
 */
// @ts-ignore: decorator
@inline
export function listFour(at: usize, mask: i32, i: i32): usize {
  v128.store(at, i32x4.add(i32x4.splat(i), v128.load(lanesOf + (<usize>mask << 4))));
  return at + (<usize>popcnt(mask) << 2);
}

/** Appends the indices [i, n) of the entries that are not 0, one by one.   @returns the end */
// @ts-ignore: decorator
@inline
export function listRest(at: usize, row: usize, i: i32, n: i32): usize {
  for (; i < n; i++) {
    store<i32>(at, i);
    at += load<f32>(row + (<usize>i << 2)) != 0 ? 4 : 0;
  }
  return at;
}

/** Appends the indices of the entries that are not 0.   @returns the end */
export function listActive(at: usize, row: usize, n: i32): usize {
  const none = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) at = listFour(at, i32x4.bitmask(f32x4.ne(v128.load(row + (<usize>i << 2)), none)), i);
  return listRest(at, row, i, n);
}

/**
 * out_j = sum_i x_i wX_ij over the events [x0, x1) + sum_i wZ_ij over the spikes [z0, z1), after what is there where `add` is set;
 * thirty-two or four neurons at a time. Two lists in one sweep, since nearly every population has values from an input
 * and spikes from neurons.   dense; wX, wZ: [pre][n]
 */
export function sumRows(out: usize, add: bool, x: usize, x0: usize, x1: usize, wX: usize, z0: usize, z1: usize, wZ: usize, n: i32): void {
  const bytes = <usize>n << 2;
  let j: usize = 0;
  for (; j + 128 <= bytes; j += 128) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
    if (add) {
      s0 = v128.load(out + j); s1 = v128.load(out + j, 16); s2 = v128.load(out + j, 32); s3 = v128.load(out + j, 48);
      s4 = v128.load(out + j, 64); s5 = v128.load(out + j, 80); s6 = v128.load(out + j, 96); s7 = v128.load(out + j, 112);
    }
    for (let event = x0; event < x1; event += 4) {
      const row = wX + <usize>load<u32>(event) * bytes + j;
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
      const row = wZ + <usize>load<u32>(spike) * bytes + j;
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
    let sum = add ? v128.load(out + j) : f32x4.splat(0);
    for (let event = x0; event < x1; event += 4) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(x + (<usize>load<u32>(event) << 2)), v128.load(wX + <usize>load<u32>(event) * bytes + j)));
    }
    for (let spike = z0; spike < z1; spike += 4) sum = f32x4.add(sum, v128.load(wZ + <usize>load<u32>(spike) * bytes + j));
    v128.store(out + j, sum);
  }
  for (; j < bytes; j += 4) {
    let sum: f32 = add ? load<f32>(out + j) : 0;
    for (let event = x0; event < x1; event += 4) sum += load<f32>(x + (<usize>load<u32>(event) << 2)) * load<f32>(wX + <usize>load<u32>(event) * bytes + j);
    for (let spike = z0; spike < z1; spike += 4) sum += load<f32>(wZ + <usize>load<u32>(spike) * bytes + j);
    store<f32>(out + j, sum);
  }
}

/** out_j = sum over the events [first, end) of x_i w_ij, after what is there where `add` is set; x is 1 where x is 0.   w: [pre][n] */
export function sumList(out: usize, add: bool, x: usize, first: usize, end: usize, w: usize, n: i32): void {
  if (x) sumRows(out, add, x, first, end, w, 0, 0, 0, n);
  else sumRows(out, add, 0, 0, 0, 0, first, end, w, n);
}

/** Events whose sparse rows are fetched together. One after the other, each row's way from memory is waited for. */
const TOGETHER: usize = 32 << 2;

/**
 * Fetches the first cache lines of the rows of the events [e0, e1), a hundred synapses; the rest of a longer row follows by
 * itself. narrow: 1 where targets have two bytes. A load may trap, so it stays although nobody uses what it brings.
 */
function fetchRows(e0: usize, e1: usize, values: usize, rows: usize, post: usize, narrow: i32): void {
  for (let event = e0; event < e1; event += 4) {
    const o = <usize>load<u32>(rows + (<usize>load<u32>(event) << 2)) << 2;
    const v = values + o, p = post + (o >> narrow);
    load<u8>(v); load<u8>(p); load<u8>(v, 64); load<u8>(p, 64); load<u8>(v, 128); load<u8>(p, 128);
    load<u8>(v, 192); load<u8>(p, 192); load<u8>(v, 256); load<u8>(v, 320); load<u8>(v, 384);
  }
}

/** out_post[s] += x_i w_s over the events [e0, e1) and the synapses of each one's neuron i; x is 1 where x is 0.   CSR; out: [nPost] */
export function scatterRows(out: usize, e0: usize, e1: usize, x: usize, w: usize, rows: usize, post: usize, narrow: i32): void {
  for (let first = e0; first < e1; first += TOGETHER) {
    const last = min(first + TOGETHER, e1);
    fetchRows(first, last, w, rows, post, narrow);
    for (let event = first; event < last; event += 4) {
      const i = <usize>load<u32>(event) << 2;
      const value: f32 = x ? load<f32>(x + i) : 1;
      if (narrow) scatterNarrow(out, i, value, w, rows, post);
      else scatterRow(out, i, value, w, rows, post);
    }
  }
}

/** out_post[s] += value w_s over the synapses of the neuron at offset i.   CSR; out: [nPost] */
function scatterRow(out: usize, i: usize, value: f32, w: usize, rows: usize, post: usize): void {
  const end = load<i32>(rows + i, 4);
  for (let s = load<i32>(rows + i); s < end; s++) {
    const to = out + (<usize>load<i32>(post + (<usize>s << 2)) << 2);
    store<f32>(to, load<f32>(to) + value * load<f32>(w + (<usize>s << 2)));
  }
}

/** The same with targets of two bytes. */
function scatterNarrow(out: usize, i: usize, value: f32, w: usize, rows: usize, post: usize): void {
  const end = load<i32>(rows + i, 4);
  let to = out;
  for (let s = load<i32>(rows + i); s < end; s++) {
    to += <usize>load<u16>(post + (<usize>s << 1)) << 2;
    store<f32>(to, load<f32>(to) + value * load<f32>(w + (<usize>s << 2)));
  }
}

/** grad_s += x_i D_post[s] over the events [e0, e1) and the synapses of each one's neuron i; x is 1 where x is 0.   CSR; D: [nPost] */
export function gatherRows(grad: usize, e0: usize, e1: usize, x: usize, d: usize, rows: usize, post: usize, narrow: i32): void {
  for (let first = e0; first < e1; first += TOGETHER) {
    const last = min(first + TOGETHER, e1);
    fetchRows(first, last, grad, rows, post, narrow);
    for (let event = first; event < last; event += 4) {
      const i = <usize>load<u32>(event) << 2;
      const value: f32 = x ? load<f32>(x + i) : 1;
      if (narrow) gatherNarrow(grad, i, value, d, rows, post);
      else gatherRow(grad, i, value, d, rows, post);
    }
  }
}

/** grad_s += value D_post[s] over the synapses of the neuron at offset i.   CSR; D: [nPost] */
function gatherRow(grad: usize, i: usize, value: f32, d: usize, rows: usize, post: usize): void {
  const end = load<i32>(rows + i, 4);
  for (let s = load<i32>(rows + i); s < end; s++) {
    const o = <usize>s << 2;
    store<f32>(grad + o, load<f32>(grad + o) + value * load<f32>(d + (<usize>load<i32>(post + o) << 2)));
  }
}

/** The same with targets of two bytes. */
function gatherNarrow(grad: usize, i: usize, value: f32, d: usize, rows: usize, post: usize): void {
  const end = load<i32>(rows + i, 4);
  let from = d;
  for (let s = load<i32>(rows + i); s < end; s++) {
    const g = grad + (<usize>s << 2);
    from += <usize>load<u16>(post + (<usize>s << 1)) << 2;
    store<f32>(g, load<f32>(g) + value * load<f32>(from));
  }
}
