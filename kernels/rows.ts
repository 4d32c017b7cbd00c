/** Active presynaptic neurons, and sums over their rows. */

/** Writes (address of row i, p_i) for every p_i that is not 0 behind entry `count` of the list. @returns entries now */
export function collectRows(list: usize, count: i32, p: usize, nPre: i32, w: usize, rowBytes: usize): i32 {
  const none = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= nPre; i += 4) {
    let mask = i32x4.bitmask(f32x4.ne(v128.load(p + (<usize>i << 2)), none));
    while (mask) {
      const at = i + ctz(mask);
      mask &= mask - 1;
      const entry = list + (<usize>count << 3);
      store<u32>(entry, <u32>(w + <usize>at * rowBytes));
      store<f32>(entry + 4, load<f32>(p + (<usize>at << 2)));
      count++;
    }
  }
  for (; i < nPre; i++) {
    const value = load<f32>(p + (<usize>i << 2));
    if (value == 0) continue;
    const entry = list + (<usize>count << 3);
    store<u32>(entry, <u32>(w + <usize>i * rowBytes));
    store<f32>(entry + 4, value);
    count++;
  }
  return count;
}

/** out_j = sum_r p_r row_r[j].   out: [n]; list: `count` entries of collectRows */
export function sumRows(out: usize, list: usize, count: i32, n: i32): void {
  const end = list + (<usize>count << 3);
  let j: usize = 0;
  const bytes = <usize>n << 2;
  for (; j + 128 <= bytes; j += 128) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
    for (let entry = list; entry < end; entry += 8) {
      const row = <usize>load<u32>(entry) + j;
      const p = v128.load32_splat(entry, 4);
      s0 = f32x4.add(s0, f32x4.mul(p, v128.load(row)));
      s1 = f32x4.add(s1, f32x4.mul(p, v128.load(row, 16)));
      s2 = f32x4.add(s2, f32x4.mul(p, v128.load(row, 32)));
      s3 = f32x4.add(s3, f32x4.mul(p, v128.load(row, 48)));
      s4 = f32x4.add(s4, f32x4.mul(p, v128.load(row, 64)));
      s5 = f32x4.add(s5, f32x4.mul(p, v128.load(row, 80)));
      s6 = f32x4.add(s6, f32x4.mul(p, v128.load(row, 96)));
      s7 = f32x4.add(s7, f32x4.mul(p, v128.load(row, 112)));
    }
    v128.store(out + j, s0); v128.store(out + j, s1, 16); v128.store(out + j, s2, 32); v128.store(out + j, s3, 48);
    v128.store(out + j, s4, 64); v128.store(out + j, s5, 80); v128.store(out + j, s6, 96); v128.store(out + j, s7, 112);
  }
  for (; j + 16 <= bytes; j += 16) {
    let sum = f32x4.splat(0);
    for (let entry = list; entry < end; entry += 8) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(entry, 4), v128.load(<usize>load<u32>(entry) + j)));
    }
    v128.store(out + j, sum);
  }
  for (; j < bytes; j += 4) {
    let sum: f32 = 0;
    for (let entry = list; entry < end; entry += 8) sum += load<f32>(entry + 4) * load<f32>(<usize>load<u32>(entry) + j);
    store<f32>(out + j, sum);
  }
}

/** out_post[s] += p_i w_s over the synapses of every active i.   CSR; out: [nPost] */
export function scatterRows(out: usize, p: usize, nPre: i32, w: usize, rows: usize, post: usize): void {
  const none = f32x4.splat(0);
  for (let i = 0; i < nPre; i += 4) {
    const left = nPre - i;
    let mask = left >= 4 ? i32x4.bitmask(f32x4.ne(v128.load(p + (<usize>i << 2)), none)) : (1 << left) - 1;
    while (mask) {
      const at = i + ctz(mask);
      mask &= mask - 1;
      const value = load<f32>(p + (<usize>at << 2));
      if (value == 0) continue;
      const end = load<i32>(rows + (<usize>(at + 1) << 2));
      for (let s = load<i32>(rows + (<usize>at << 2)); s < end; s++) {
        const to = out + (<usize>load<i32>(post + (<usize>s << 2)) << 2);
        store<f32>(to, load<f32>(to) + value * load<f32>(w + (<usize>s << 2)));
      }
    }
  }
}
