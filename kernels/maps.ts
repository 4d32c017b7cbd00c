/** Dense maps between rows of [n]: M [pre][post], four numbers at a time. */

// @ts-ignore: decorator
@inline
function total(x: v128): f32 {
  const pairs = f32x4.add(x, i8x16.shuffle(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** The entries of a scalar product after the last whole four. */
// @ts-ignore: decorator
@inline
function rest(x: usize, y: usize, whole: usize, bytes: usize): f32 {
  let sum: f32 = 0;
  for (let o = whole; o < bytes; o += 4) sum += load<f32>(x + o) * load<f32>(y + o);
  return sum;
}

// @ts-ignore: decorator
@inline
function dot(x: usize, y: usize, whole: usize, bytes: usize): f32 {
  let sum = f32x4.splat(0);
  for (let o: usize = 0; o < whole; o += 16) sum = f32x4.add(sum, f32x4.mul(v128.load(x + o), v128.load(y + o)));
  return total(sum) + rest(x, y, whole, bytes);
}

/** out_i = sum_j M_ij g_j for `count` vectors.   out: [count][nPre]; g: [count][nPost]; M: [nPre][nPost] */
export function pullBack(out: usize, M: usize, g: usize, nPre: i32, nPost: i32, count: i32): void {
  const preBytes = <usize>nPre << 2, bytes = <usize>nPost << 2;
  let b = 0;
  for (; b + 4 <= count; b += 4) pullBack4(out + <usize>b * preBytes, M, g + <usize>b * bytes, nPre, nPost);
  for (; b < count; b++) pullBack1(out + <usize>b * preBytes, M, g + <usize>b * bytes, nPre, nPost);
}

/** Four vectors and two rows of M at a time: six loads for eight products. Exported so that it is not put into its caller. */
export function pullBack4(out: usize, M: usize, g: usize, nPre: i32, nPost: i32): void {
  const bytes = <usize>nPost << 2, two = bytes << 1, three = two + bytes, preBytes = <usize>nPre << 2;
  const whole = bytes & ~15;
  let i: usize = 0;
  for (; i + 8 <= preBytes; i += 8) {
    const row = M + <usize>(i >> 2) * bytes, next = row + bytes;
    let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, c0 = a0, c1 = a0, c2 = a0, c3 = a0;
    for (let o: usize = 0; o < whole; o += 16) {
      const p = v128.load(row + o), q = v128.load(next + o);
      let f = v128.load(g + o);
      a0 = f32x4.add(a0, f32x4.mul(p, f)); c0 = f32x4.add(c0, f32x4.mul(q, f));
      f = v128.load(g + bytes + o);
      a1 = f32x4.add(a1, f32x4.mul(p, f)); c1 = f32x4.add(c1, f32x4.mul(q, f));
      f = v128.load(g + two + o);
      a2 = f32x4.add(a2, f32x4.mul(p, f)); c2 = f32x4.add(c2, f32x4.mul(q, f));
      f = v128.load(g + three + o);
      a3 = f32x4.add(a3, f32x4.mul(p, f)); c3 = f32x4.add(c3, f32x4.mul(q, f));
    }
    const to = out + i;
    store<f32>(to, total(a0) + rest(row, g, whole, bytes)); store<f32>(to, total(c0) + rest(next, g, whole, bytes), 4);
    store<f32>(to + preBytes, total(a1) + rest(row, g + bytes, whole, bytes)); store<f32>(to + preBytes, total(c1) + rest(next, g + bytes, whole, bytes), 4);
    store<f32>(to + 2 * preBytes, total(a2) + rest(row, g + two, whole, bytes)); store<f32>(to + 2 * preBytes, total(c2) + rest(next, g + two, whole, bytes), 4);
    store<f32>(to + 3 * preBytes, total(a3) + rest(row, g + three, whole, bytes)); store<f32>(to + 3 * preBytes, total(c3) + rest(next, g + three, whole, bytes), 4);
  }
  for (; i < preBytes; i += 4) {
    const row = M + <usize>(i >> 2) * bytes;
    for (let s: usize = 0; s < 4; s++) store<f32>(out + s * preBytes + i, dot(row, g + s * bytes, whole, bytes));
  }
}

function pullBack1(out: usize, M: usize, g: usize, nPre: i32, nPost: i32): void {
  const bytes = <usize>nPost << 2, whole = bytes & ~15;
  for (let i: usize = 0; i < <usize>nPre << 2; i += 4) store<f32>(out + i, dot(M + <usize>(i >> 2) * bytes, g, whole, bytes));
}

/** row += x.   [n] */
// @ts-ignore: decorator
@inline
export function addRow(row: usize, x: usize, bytes: usize): void {
  let o: usize = 0;
  for (; o + 64 <= bytes; o += 64) {
    v128.store(row + o, f32x4.add(v128.load(row + o), v128.load(x + o)));
    v128.store(row + o, f32x4.add(v128.load(row + o, 16), v128.load(x + o, 16)), 16);
    v128.store(row + o, f32x4.add(v128.load(row + o, 32), v128.load(x + o, 32)), 32);
    v128.store(row + o, f32x4.add(v128.load(row + o, 48), v128.load(x + o, 48)), 48);
  }
  for (; o + 16 <= bytes; o += 16) v128.store(row + o, f32x4.add(v128.load(row + o), v128.load(x + o)));
  for (; o < bytes; o += 4) store<f32>(row + o, load<f32>(row + o) + load<f32>(x + o));
}

/** M_i += x for every i of the list.   M: rows of [n]; x: [n] */
export function addRows(M: usize, x: usize, list: usize, end: usize, n: i32): void {
  const bytes = <usize>n << 2;
  for (; list < end; list += 4) addRow(M + <usize>load<u32>(list) * bytes, x, bytes);
}

/** out += factor x.   out, x: [n] */
export function addTimes(out: usize, x: usize, factor: f32, n: i32): void {
  const bytes = <usize>n << 2, f = f32x4.splat(factor);
  let o: usize = 0;
  for (; o + 16 <= bytes; o += 16) v128.store(out + o, f32x4.add(v128.load(out + o), f32x4.mul(f, v128.load(x + o))));
  for (; o < bytes; o += 4) store<f32>(out + o, load<f32>(out + o) + factor * load<f32>(x + o));
}
