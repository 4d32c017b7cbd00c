import type { Real } from './layout.ts';

/** Dense maps M [pre][post] on vectors that are mostly 0: presynaptic values of 0 cost nothing. */

/** out_j += sum_i x_i M_ij.   out: [nPost] at `to`; x: [nPre] at `from` */
export function predict(out: Real, to: number, M: Real, x: Real, from: number, nPre: number, nPost: number): void {
  for (let i = 0; i < nPre; i++) {
    const value = x[from + i];
    if (value === 0) continue;
    const row = i * nPost;
    for (let j = 0; j < nPost; j++) out[to + j] += value * M[row + j];
  }
}

/** M_ij += rate x_i d_j for `count` pairs.   x: [nPre] at `from`, every `stride`; d: [count][nPost] */
export function addOuter(
  M: Real,
  x: Real,
  from: number,
  stride: number,
  d: Real,
  rate: number,
  nPre: number,
  nPost: number,
  count: number,
): void {
  for (let b = 0; b < count; b++) {
    for (let i = 0; i < nPre; i++) {
      const factor = rate * x[from + b * stride + i];
      if (factor === 0) continue;
      const row = i * nPost;
      for (let j = 0; j < nPost; j++) M[row + j] += factor * d[b * nPost + j];
    }
  }
}

/** out_i = sum_j M_ij g_j, the map read backwards, for `count` vectors.   out, g: [count][n]; M: [n][n] */
export function pullBack(out: Real, M: Real, g: Real, n: number, count: number): void {
  for (let at = 0; at < count * n; at += n) {
    for (let i = 0; i < n; i++) {
      const row = i * n;
      let sum = 0;
      for (let j = 0; j < n; j++) sum += M[row + j] * g[at + j];
      out[at + i] = sum;
    }
  }
}

/** out_i += sum_j w_ij g_j of a projection onto itself.   w: [syn] */
export function addPulledBack(
  out: Real,
  w: Real,
  g: Real,
  rowStart: Int32Array,
  post: Int32Array,
  n: number,
  count: number,
): void {
  for (let at = 0; at < count * n; at += n) {
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let s = rowStart[i]; s < rowStart[i + 1]; s++) sum += w[s] * g[at + post[s]];
      out[at + i] += sum;
    }
  }
}

/** d = x - d.   d: [n] at `at`; x: [n] at `from` */
export function subtractInto(d: Real, at: number, x: Real, from: number, n: number): void {
  for (let j = 0; j < n; j++) d[at + j] = x[from + j] - d[at + j];
}

/** out = factor x.   out: [n] at `to`; x: [n] at `from` */
export function rescale(out: Real, to: number, x: Real, from: number, factor: number, n: number): void {
  for (let j = 0; j < n; j++) out[to + j] = factor * x[from + j];
}

/** |x|^2 in four partial sums, which need not wait for each other.   x: [n] at `at` */
export function square(x: Real, at: number, n: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = at + n - (n % 4);
  for (let s = at; s < whole; s += 4) {
    a += x[s] * x[s];
    b += x[s + 1] * x[s + 1];
    c += x[s + 2] * x[s + 2];
    d += x[s + 3] * x[s + 3];
  }
  for (let s = whole; s < at + n; s++) a += x[s] * x[s];
  return a + b + (c + d);
}

/** 1/2 |x|^2.   x: [n] */
export function halfSquare(x: Real, n: number): number {
  return square(x, 0, n) / 2;
}
