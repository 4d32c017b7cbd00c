/**
 * What leaves the network and what comes back, for one stream: the loops of `models/readouts/leaky.ts` and `models/signals/broadcast.ts`. With
 * two outputs, both at a time and without a branch on spikes, which no processor foresees.
 */

/** y = sum_j z_j W_j;  u = decay u + gain y;  y = u + b.   y, u, b: [nOut]; z: [n]; W: [n][nOut] */
export function read(y: usize, u: usize, z: usize, W: usize, b: usize, decay: f64, gain: f64, n: i32, nOut: i32): void {
  const bytes = <usize>nOut << 3;
  if (nOut != 2 || !addBoth(y, z, W, n)) addActive(y, z, W, n, bytes);
  for (let o: usize = 0; o < bytes; o += 8) {
    const filtered = decay * load<f64>(u + o) + gain * load<f64>(y + o);
    store<f64>(u + o, filtered);
    store<f64>(y + o, filtered + load<f64>(b + o));
  }
}

/** @returns false where y is no finite number: it may be so by a weight that no spike has read */
// @ts-ignore: decorator
@inline
function addBoth(y: usize, z: usize, W: usize, n: i32): bool {
  let sum = f64x2.splat(0);
  for (let j = 0; j < n; j++, z += 8, W += 16) sum = f64x2.add(sum, f64x2.mul(v128.load64_splat(z), v128.load(W)));
  v128.store(y, sum);
  return i64x2.all_true(f64x2.eq(f64x2.sub(sum, sum), f64x2.splat(0)));
}

// @ts-ignore: decorator
@inline
function addActive(y: usize, z: usize, W: usize, n: i32, bytes: usize): void {
  memory.fill(y, 0, bytes);
  for (let j = 0; j < n; j++, z += 8, W += bytes) {
    const activity = load<f64>(z);
    if (activity == 0) continue;
    for (let o: usize = 0; o < bytes; o += 8) store<f64>(y + o, load<f64>(y + o) + activity * load<f64>(W + o));
  }
}

/** G_jk += f_j error_k.   G: [n][nOut] */
export function addError(G: usize, f: usize, error: usize, n: i32, nOut: i32): void {
  const both = v128.load(error);
  // What is no number would reach entries that see 0 of it.
  if (nOut == 2 && i64x2.all_true(f64x2.eq(f64x2.sub(both, both), f64x2.splat(0)))) {
    for (let j = 0; j < n; j++, f += 8, G += 16) v128.store(G, f64x2.add(v128.load(G), f64x2.mul(v128.load64_splat(f), both)));
    return;
  }
  const bytes = <usize>nOut << 3;
  for (let j = 0; j < n; j++, f += 8, G += bytes) {
    const factor = load<f64>(f);
    if (factor == 0) continue;
    for (let o: usize = 0; o < bytes; o += 8) store<f64>(G + o, load<f64>(G + o) + factor * load<f64>(error + o));
  }
}

/** L_j = sum_k B_jk error_k.   L: [n]; B: [n][nOut] */
export function project(L: usize, B: usize, error: usize, n: i32, nOut: i32): void {
  const bytes = <usize>nOut << 3;
  let j = 0;
  if (nOut == 2) {
    const both = v128.load(error), none = f64x2.splat(0);
    for (; j + 2 <= n; j += 2, L += 16, B += 32) {
      const p = f64x2.mul(v128.load(B), both), q = f64x2.mul(v128.load(B, 16), both);
      v128.store(L, f64x2.add(f64x2.add(none, i64x2.shuffle(p, q, 0, 2)), i64x2.shuffle(p, q, 1, 3)));
    }
  }
  for (; j < n; j++, L += 8, B += bytes) {
    let sum: f64 = 0;
    for (let o: usize = 0; o < bytes; o += 8) sum += load<f64>(B + o) * load<f64>(error + o);
    store<f64>(L, sum);
  }
}
