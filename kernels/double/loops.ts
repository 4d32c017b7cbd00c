/** Loops that round nothing. M, grad, w: [pre][n]. Addresses and sizes are in bytes and numbers. */

/** out_j += sum of value * row_j over a list of values (eight bytes) and addresses of rows, sixteen bytes an entry. */
// @ts-ignore: decorator
@inline
export function addListed(out: usize, list: usize, end: usize, bytes: usize): void {
  let o: usize = 0;
  for (; o + 128 <= bytes; o += 128) {
    const to = out + o;
    let a = v128.load(to), b = v128.load(to, 16), c = v128.load(to, 32), d = v128.load(to, 48);
    let e = v128.load(to, 64), f = v128.load(to, 80), g = v128.load(to, 96), h = v128.load(to, 112);
    for (let at = list; at < end; at += 16) {
      const row = <usize>load<u32>(at, 8) + o, value = v128.load64_splat(at);
      a = f64x2.add(a, f64x2.mul(value, v128.load(row)));
      b = f64x2.add(b, f64x2.mul(value, v128.load(row, 16)));
      c = f64x2.add(c, f64x2.mul(value, v128.load(row, 32)));
      d = f64x2.add(d, f64x2.mul(value, v128.load(row, 48)));
      e = f64x2.add(e, f64x2.mul(value, v128.load(row, 64)));
      f = f64x2.add(f, f64x2.mul(value, v128.load(row, 80)));
      g = f64x2.add(g, f64x2.mul(value, v128.load(row, 96)));
      h = f64x2.add(h, f64x2.mul(value, v128.load(row, 112)));
    }
    v128.store(to, a); v128.store(to, b, 16); v128.store(to, c, 32); v128.store(to, d, 48);
    v128.store(to, e, 64); v128.store(to, f, 80); v128.store(to, g, 96); v128.store(to, h, 112);
  }
  for (; o + 16 <= bytes; o += 16) {
    let sum = v128.load(out + o);
    for (let at = list; at < end; at += 16) {
      sum = f64x2.add(sum, f64x2.mul(v128.load64_splat(at), v128.load(<usize>load<u32>(at, 8) + o)));
    }
    v128.store(out + o, sum);
  }
  for (; o < bytes; o += 8) {
    let sum = load<f64>(out + o);
    for (let at = list; at < end; at += 16) sum += load<f64>(at) * load<f64>(<usize>load<u32>(at, 8) + o);
    store<f64>(out + o, sum);
  }
}

/** out_j += sum_i x_i M_ij over the x_i that are not 0.   out: [n]; x: [nPre]; list: work space of 16 nPre bytes */
export function addRows(out: usize, M: usize, x: usize, list: usize, nPre: i32, n: i32): void {
  const bytes = <usize>n << 3;
  let end = list;
  for (let i = 0; i < nPre; i++, M += bytes) {
    const value = load<f64>(x + (<usize>i << 3));
    store<f64>(end, value);
    store<u32>(end, <u32>M, 8);
    end += value != 0 ? 16 : 0;
  }
  if (end > list) addListed(out, list, end, bytes);
}

/** M_ij += rate x_i d_j over `count` pairs, one row of M after the other.   x: [nPre], every `stride`; d: [count][n]; list: 16 count bytes */
export function addOuter(M: usize, x: usize, stride: i32, d: usize, list: usize, rate: f64, nPre: i32, n: i32, count: i32): void {
  const bytes = <usize>n << 3, skip = <usize>stride << 3;
  for (let i = 0; i < nPre; i++, M += bytes, x += 8) {
    let end = list;
    for (let b = 0; b < count; b++) {
      const factor = rate * load<f64>(x + <usize>b * skip);
      store<f64>(end, factor);
      store<u32>(end, <u32>(d + <usize>b * bytes), 8);
      end += factor != 0 ? 16 : 0;
    }
    if (end > list) addListed(M, list, end, bytes);
  }
}

/** out_i = sum_j M_ij g_j for `count` vectors.   out, g: [count][n]; M: [n][n]; turned: work space of 2 n numbers */
export function pullBack(out: usize, M: usize, g: usize, turned: usize, n: i32, count: i32): void {
  const bytes = <usize>n << 3;
  let b = 0;
  for (; b + 8 <= count; b += 8) pullBack8(out + <usize>b * bytes, M, g + <usize>b * bytes, turned, n);
  for (; b < count; b++) {
    for (let i: usize = 0; i < bytes; i += 8) {
      const row = M + i * <usize>n;
      let sum: f64 = 0;
      for (let o: usize = 0; o < bytes; o += 8) sum += load<f64>(row + o) * load<f64>(g + <usize>b * bytes + o);
      store<f64>(out + <usize>b * bytes + i, sum);
    }
  }
}

/** Eight vectors at a time, two in a lane pair, so that each sum keeps its order.   turned: [n][8] */
function pullBack8(out: usize, M: usize, g: usize, turned: usize, n: i32): void {
  const bytes = <usize>n << 3;
  for (let b: usize = 0; b < 8; b++) {
    for (let j: usize = 0; j < <usize>n; j++) store<f64>(turned + (j << 6) + (b << 3), load<f64>(g + b * bytes + (j << 3)));
  }
  for (let i: usize = 0; i < bytes; i += 8) {
    const row = M + i * <usize>n;
    let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
    for (let o: usize = 0; o < bytes; o += 8) {
      const m = v128.load64_splat(row + o), at = turned + (o << 3);
      s0 = f64x2.add(s0, f64x2.mul(m, v128.load(at)));
      s1 = f64x2.add(s1, f64x2.mul(m, v128.load(at, 16)));
      s2 = f64x2.add(s2, f64x2.mul(m, v128.load(at, 32)));
      s3 = f64x2.add(s3, f64x2.mul(m, v128.load(at, 48)));
    }
    const to = out + i;
    store<f64>(to, f64x2.extract_lane(s0, 0)); store<f64>(to + bytes, f64x2.extract_lane(s0, 1));
    store<f64>(to + 2 * bytes, f64x2.extract_lane(s1, 0)); store<f64>(to + 3 * bytes, f64x2.extract_lane(s1, 1));
    store<f64>(to + 4 * bytes, f64x2.extract_lane(s2, 0)); store<f64>(to + 5 * bytes, f64x2.extract_lane(s2, 1));
    store<f64>(to + 6 * bytes, f64x2.extract_lane(s3, 0)); store<f64>(to + 7 * bytes, f64x2.extract_lane(s3, 1));
  }
}

/** f_i = decay f_i + gain x_i.   [n] */
export function filter(f: usize, x: usize, decay: f64, gain: f64, n: i32): void {
  const bytes = <usize>n << 3, k = f64x2.splat(decay), z = f64x2.splat(gain);
  let o: usize = 0;
  for (; o + 16 <= bytes; o += 16) {
    v128.store(f + o, f64x2.add(f64x2.mul(k, v128.load(f + o)), f64x2.mul(z, v128.load(x + o))));
  }
  for (; o < bytes; o += 8) store<f64>(f + o, decay * load<f64>(f + o) + gain * load<f64>(x + o));
}

/** e_ij = psi_j eps_i.   e: [nPre][n] */
export function eligibilityLif(e: usize, eps: usize, psi: usize, nPre: i32, n: i32): void {
  const bytes = <usize>n << 3;
  for (let i = 0; i < nPre; i++, e += bytes) {
    const trace = load<f64>(eps + (<usize>i << 3)), f = f64x2.splat(trace);
    let o: usize = 0;
    for (; o + 16 <= bytes; o += 16) v128.store(e + o, f64x2.mul(v128.load(psi + o), f));
    for (; o < bytes; o += 8) store<f64>(e + o, load<f64>(psi + o) * trace);
  }
}

/** e_ij = decay e_ij + psi_j pulse_i. */
export function eligibilityPostThenFilter(e: usize, pulse: usize, psi: usize, decay: f64, nPre: i32, n: i32): void {
  const bytes = <usize>n << 3, k = f64x2.splat(decay);
  for (let i = 0; i < nPre; i++, e += bytes) {
    const arriving = load<f64>(pulse + (<usize>i << 3)), p = f64x2.splat(arriving);
    let o: usize = 0;
    for (; o + 16 <= bytes; o += 16) {
      v128.store(e + o, f64x2.add(f64x2.mul(k, v128.load(e + o)), f64x2.mul(v128.load(psi + o), p)));
    }
    for (; o < bytes; o += 8) store<f64>(e + o, decay * load<f64>(e + o) + load<f64>(psi + o) * arriving);
  }
}

/** eBar_ij = kappa eBar_ij + gain e_ij;  grad_ij += L_j eBar_ij + R_j e_ij. */
export function addFiltered(grad: usize, eBar: usize, e: usize, signal: usize, rate: usize, kappa: f64, gain: f64, nPre: i32, n: i32): void {
  const bytes = <usize>n << 3, k = f64x2.splat(kappa), z = f64x2.splat(gain);
  for (let i = 0; i < nPre; i++, grad += bytes, eBar += bytes, e += bytes) {
    let o: usize = 0;
    for (; o + 16 <= bytes; o += 16) {
      const own = v128.load(e + o);
      const filtered = f64x2.add(f64x2.mul(k, v128.load(eBar + o)), f64x2.mul(z, own));
      v128.store(eBar + o, filtered);
      const owed = f64x2.add(f64x2.mul(v128.load(signal + o), filtered), f64x2.mul(v128.load(rate + o), own));
      v128.store(grad + o, f64x2.add(v128.load(grad + o), owed));
    }
    for (; o < bytes; o += 8) {
      const own = load<f64>(e + o), filtered = kappa * load<f64>(eBar + o) + gain * own;
      store<f64>(eBar + o, filtered);
      store<f64>(grad + o, load<f64>(grad + o) + (load<f64>(signal + o) * filtered + load<f64>(rate + o) * own));
    }
  }
}

/** grad_ij += (gain L_j + R_j) e_ij. */
export function addUnfiltered(grad: usize, e: usize, signal: usize, rate: usize, gain: f64, nPre: i32, n: i32): void {
  const bytes = <usize>n << 3, z = f64x2.splat(gain);
  for (let i = 0; i < nPre; i++, grad += bytes, e += bytes) {
    let o: usize = 0;
    for (; o + 16 <= bytes; o += 16) {
      const d = f64x2.add(f64x2.mul(z, v128.load(signal + o)), v128.load(rate + o));
      v128.store(grad + o, f64x2.add(v128.load(grad + o), f64x2.mul(d, v128.load(e + o))));
    }
    for (; o < bytes; o += 8) {
      const d = gain * load<f64>(signal + o) + load<f64>(rate + o);
      store<f64>(grad + o, load<f64>(grad + o) + d * load<f64>(e + o));
    }
  }
}

/** w = w - step;  step = 0.   [n] */
export function take(w: usize, step: usize, n: i32): void {
  const bytes = <usize>n << 3, none = f64x2.splat(0);
  let o: usize = 0;
  for (; o + 16 <= bytes; o += 16) {
    v128.store(w + o, f64x2.sub(v128.load(w + o), v128.load(step + o)));
    v128.store(step + o, none);
  }
  for (; o < bytes; o += 8) {
    store<f64>(w + o, load<f64>(w + o) - load<f64>(step + o));
    store<f64>(step + o, 0);
  }
}

/** out = factor x.   [n] */
export function scale(out: usize, x: usize, factor: f64, n: i32): void {
  const bytes = <usize>n << 3, f = f64x2.splat(factor);
  let o: usize = 0;
  for (; o + 16 <= bytes; o += 16) v128.store(out + o, f64x2.mul(f, v128.load(x + o)));
  for (; o < bytes; o += 8) store<f64>(out + o, factor * load<f64>(x + o));
}

/** x = factor x.   [n] */
export function multiply(x: usize, factor: f64, n: i32): void {
  scale(x, x, factor, n);
}
