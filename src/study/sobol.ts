/** Degree, coefficients and first direction numbers of a dimension, from the second one on: Joe and Kuo 2008, new-joe-kuo-6. */
const polynomials: readonly (readonly [degree: number, coefficients: number, first: readonly number[]])[] = [
  [1, 0, [1]],
  [2, 1, [1, 3]],
  [3, 1, [1, 3, 1]],
  [3, 2, [1, 1, 1]],
  [4, 1, [1, 1, 3, 3]],
  [4, 4, [1, 3, 5, 13]],
  [5, 2, [1, 1, 5, 5, 17]],
  [5, 4, [1, 1, 5, 5, 5]],
  [5, 7, [1, 1, 7, 11, 19]],
  [5, 11, [1, 1, 5, 1, 1]],
  [5, 13, [1, 1, 1, 3, 11]],
  [5, 14, [1, 3, 5, 5, 31]],
  [6, 1, [1, 3, 3, 9, 7, 49]],
  [6, 13, [1, 1, 1, 15, 21, 21]],
  [6, 16, [1, 3, 1, 13, 27, 49]],
  [6, 19, [1, 1, 1, 15, 7, 5]],
  [6, 22, [1, 3, 1, 15, 13, 25]],
  [6, 25, [1, 1, 5, 5, 19, 61]],
  [7, 1, [1, 3, 7, 11, 23, 15, 103]],
  [7, 4, [1, 3, 7, 13, 13, 15, 69]],
];

/** Dimensions that the sequence is known for. */
export const sobolDimensions = polynomials.length + 1;

const bits = 32;

/** v_1 .. v_32 of a dimension, each as a binary fraction in 32 bits. */
function directionsOf(dimension: number): Uint32Array {
  const v = new Uint32Array(bits);
  if (dimension === 0) return v.map((_, k) => 2 ** (bits - 1 - k));
  const [degree, coefficients, first] = polynomials[dimension - 1];
  for (let k = 0; k < bits; k++) {
    if (k < degree) {
      v[k] = first[k] * 2 ** (bits - 1 - k);
      continue;
    }
    let next = v[k - degree] ^ (v[k - degree] >>> degree);
    for (let c = 1; c < degree; c++) if ((coefficients >>> (degree - 1 - c)) & 1) next ^= v[k - c];
    v[k] = next;
  }
  return v;
}

/**
 * The first `n` points of a Sobol sequence in [0, 1)^d: x_i = XOR over set bits k of gray(i) of v_k. Sobol 1967; direction numbers of Joe and
 * Kuo 2008 (SIAM J. Sci. Comput. 30:2635). More points begin with the same ones.
 * @param shift 32 bits for each dimension, which every point is XORed with (a digital shift keeps the net); none: as published
 * @returns [n][d]
 */
export function sobol(n: number, d: number, shift?: readonly number[]): number[][] {
  const directions = Array.from({ length: d }, (_, dimension) => directionsOf(dimension));
  return Array.from({ length: n }, (_, i) => {
    const gray = i ^ (i >>> 1);
    return directions.map((v, dimension) => {
      let x = shift?.[dimension] ?? 0;
      for (let k = 0; gray >>> k > 0; k++) if ((gray >>> k) & 1) x ^= v[k];
      return (x >>> 0) / 2 ** bits;
    });
  });
}
