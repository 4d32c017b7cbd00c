/** Ridge regression of several outputs: how well features that have been seen predict outputs that have not. */

/** Rows of features and of outputs. */
export interface Table {
  /** [row][feature] */
  readonly x: readonly Float64Array[];
  /** [row][output] */
  readonly y: readonly Float64Array[];
}

/** Ridge per row, in units of the features' variance, which is 1. */
const ridge = 1e-2;

/**
 * Share of the outputs' variance that a linear map of the features predicts on other rows, the mean of the training rows taken for granted;
 * below 0 where the map is worse than this mean. 0 where the outputs do not vary.
 */
export function predictedShare(train: Table, test: Table): number {
  const n = train.x.length;
  if (n < 2 || test.x.length < 2) return 0;
  const width = train.x[0].length;
  const outputs = train.y[0].length;
  const centre = means(train.x, width);
  const scale = deviations(train.x, centre);
  const middle = means(train.y, outputs);
  const standard = (row: Float64Array) => row.map((value, f) => (value - centre[f]) * scale[f]);
  const G = new Float64Array(width * width);
  const B = new Float64Array(width * outputs);
  train.x.forEach((row, r) => {
    const x = standard(row);
    for (let f = 0; f < width; f++) {
      if (x[f] === 0) continue;
      for (let h = 0; h <= f; h++) G[f * width + h] += x[f] * x[h];
      for (let k = 0; k < outputs; k++) B[f * outputs + k] += x[f] * (train.y[r][k] - middle[k]);
    }
  });
  for (let f = 0; f < width; f++) G[f * width + f] += ridge * n;
  solve(G, B, width, outputs);
  let [error, variance] = [0, 0];
  test.x.forEach((row, r) => {
    const x = standard(row);
    for (let k = 0; k < outputs; k++) {
      let y = middle[k];
      for (let f = 0; f < width; f++) y += x[f] * B[f * outputs + k];
      error += (test.y[r][k] - y) ** 2;
      variance += (test.y[r][k] - middle[k]) ** 2;
    }
  });
  return variance > 0 ? 1 - error / variance : 0;
}

function means(rows: readonly Float64Array[], width: number): Float64Array {
  const sums = new Float64Array(width);
  for (const row of rows) for (let f = 0; f < width; f++) sums[f] += row[f] / rows.length;
  return sums;
}

/** 1 / sd; 0 of what does not vary. */
function deviations(rows: readonly Float64Array[], centre: Float64Array): Float64Array {
  const squares = new Float64Array(centre.length);
  for (const row of rows) for (let f = 0; f < row.length; f++) squares[f] += (row[f] - centre[f]) ** 2 / rows.length;
  return squares.map((square) => (square > 1e-12 ? 1 / Math.sqrt(square) : 0));
}

/** B <- G^-1 B by Cholesky; G symmetric and positive, its lower half given.   G: [n][n]; B: [n][m] */
function solve(G: Float64Array, B: Float64Array, n: number, m: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = G[i * n + j];
      for (let k = 0; k < j; k++) sum -= G[i * n + k] * G[j * n + k];
      G[i * n + j] = i === j ? Math.sqrt(sum) : sum / G[j * n + j];
    }
  }
  for (let c = 0; c < m; c++) {
    for (let i = 0; i < n; i++) {
      let sum = B[i * m + c];
      for (let k = 0; k < i; k++) sum -= G[i * n + k] * B[k * m + c];
      B[i * m + c] = sum / G[i * n + i];
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = B[i * m + c];
      for (let k = i + 1; k < n; k++) sum -= G[k * n + i] * B[k * m + c];
      B[i * m + c] = sum / G[i * n + i];
    }
  }
}
