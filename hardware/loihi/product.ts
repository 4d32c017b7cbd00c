/**
 * Kernels of the learning engine's sums of products. A product goes over the synapses once per factor: an emulator of any
 * rule has no kernel for a rule of its own.
 *
 * Source: lava-nc/lava b6822fbc, LearningDense tagged fixed_pt. Arrays [pre][post]; everything is a whole number.
 */

/** Where a factor is: entry of (h, i, j) is values[h perStep + i perPre + j perPost]. */
export interface Source {
  readonly values: Int32Array;
  readonly perStep: number;
  readonly perPre: number;
  readonly perPost: number;
}

/**
 * m_ij *= clip(f_ij + constant, low, high), f at the step h that `time` has for the synapse; h = 0 leaves m as it is.
 * m [pre][post]; `time` a source whose values are steps 0..E
 */
export function multiplyByFactor(
  m: Float64Array,
  time: Source,
  factor: Source,
  constant: number,
  low: number,
  high: number,
  nPre: number,
  nPost: number,
): void {
  const { values: h, perPre: hPre, perPost: hPost } = time;
  const { values: f, perStep, perPre, perPost } = factor;
  for (let i = 0; i < nPre; i++) {
    const row = i * nPost;
    for (let j = 0; j < nPost; j++) {
      const value = f[h[i * hPre + j * hPost] * perStep + i * perPre + j * perPost] + constant;
      m[row + j] *= value < low ? low : value > high ? high : value;
    }
  }
}

/** m_ij *= sgn(f_ij + constant), for a variable of the synapse. m, f [pre][post] */
export function multiplyBySign(m: Float64Array, f: Int32Array, constant: number, n: number): void {
  for (let s = 0; s < n; s++) {
    const value = f[s] + constant;
    m[s] *= value > 0 ? 1 : value < 0 ? -1 : 0;
  }
}

/** m = floor(m / 2^bits): small negative products become -1, not 0. */
export function shiftFloor(m: Float64Array, bits: number, n: number): void {
  const scale = 2 ** -bits;
  for (let s = 0; s < n; s++) m[s] = Math.floor(m[s] * scale);
}

/** m = sgn(m) floor(|m| / 2^bits): without the bias of the floor; not lava's. */
export function shiftTowardZero(m: Float64Array, bits: number, n: number): void {
  const scale = 2 ** -bits;
  for (let s = 0; s < n; s++) m[s] = Math.trunc(m[s] * scale);
}

/** acc_ij = clip(acc_ij + clip(m_ij 2^shift)) where the synapse's time is not 0. acc, m [pre][post]; acc in 1/128 LSB */
export function addProduct(
  acc: Float64Array,
  m: Float64Array,
  time: Source,
  shift: number,
  low: number,
  high: number,
  nPre: number,
  nPost: number,
): void {
  const { values: h, perPre, perPost } = time;
  const scale = 2 ** shift;
  for (let i = 0; i < nPre; i++) {
    const row = i * nPost;
    for (let j = 0; j < nPost; j++) {
      if (h[i * perPre + j * perPost] === 0) continue;
      const term = m[row + j] * scale;
      const sum = acc[row + j] + (term < low ? low : term > high ? high : term);
      acc[row + j] = sum < low ? low : sum > high ? high : sum;
    }
  }
}

/**
 * V = clip(unit (floor(q) + [rho < q - floor(q)]), low, high),  q = clip(acc, accLow, accHigh) / (128 unit)
 * V [pre][post]; acc in 1/128 LSB; unit: grid of V, LSB; rho[s perSynapse] uniform in [0, 1)
 */
export function roundStochastically(
  V: Int32Array,
  acc: Float64Array,
  rho: Float64Array,
  perSynapse: number,
  accLow: number,
  accHigh: number,
  unit: number,
  low: number,
  high: number,
  n: number,
): void {
  for (let s = 0; s < n; s++) {
    const q = Math.min(Math.max(acc[s], accLow), accHigh) / (128 * unit);
    const below = Math.floor(q);
    const value = unit * (below + (rho[s * perSynapse] < q - below ? 1 : 0));
    V[s] = value < low ? low : value > high ? high : value;
  }
}
