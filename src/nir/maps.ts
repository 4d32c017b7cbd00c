import { FileError } from '../core/errors.ts';
import { limits } from './tree.ts';

/** y_j = offset_j + sum over s of row j: weight_s x_pre(s). The synapses of j are [rowStart_j, rowStart_j+1). */
export interface LinearMap {
  readonly nIn: number;
  readonly nOut: number;
  readonly rowStart: Int32Array;
  readonly pre: Int32Array;
  readonly weight: Float64Array;
  readonly offset: Float64Array;
}

/** A map from its entries, row by row: `add` is called with pre and weight for one j after the other. @throws FileError for too many */
export function mapOf(
  nIn: number,
  nOut: number,
  path: string,
  row: (j: number, add: (pre: number, weight: number) => void) => void,
  offset = new Float64Array(nOut),
): LinearMap {
  const pres: number[] = [];
  const weights: number[] = [];
  const rowStart = new Int32Array(nOut + 1);
  const add = (pre: number, weight: number) => {
    pres.push(pre);
    weights.push(weight);
  };
  for (let j = 0; j < nOut; j++) {
    row(j, add);
    if (pres.length > limits.entries) throw new FileError(path, `has more than ${limits.entries} connections`);
    rowStart[j + 1] = pres.length;
  }
  return { nIn, nOut, rowStart, pre: Int32Array.from(pres), weight: Float64Array.from(weights), offset };
}

/** y_j = x_j */
export function identityMap(n: number): LinearMap {
  return scaleMap(new Float64Array(n).fill(1));
}

/** y_j = scale_j x_j */
export function scaleMap(scale: Float64Array): LinearMap {
  return mapOf(scale.length, scale.length, '', (j, add) => add(j, scale[j]));
}

/** y = offset + W x.   x: [nIn], y: [nOut], where it is added to */
export function addTo(y: Float64Array, { nOut, rowStart, pre, weight, offset }: LinearMap, x: Float64Array): void {
  for (let j = 0; j < nOut; j++) {
    let sum = 0;
    for (let s = rowStart[j]; s < rowStart[j + 1]; s++) sum += weight[s] * x[pre[s]];
    y[j] += sum + offset[j];
  }
}

/** The map of `outer` behind `inner`; offsets stay apart. Entries of one pair are added up. */
export function composed(
  outer: LinearMap,
  inner: Pick<LinearMap, 'nIn' | 'rowStart' | 'pre' | 'weight'>,
  path: string,
): LinearMap {
  return mapOf(inner.nIn, outer.nOut, path, (j, add) => {
    const sums = new Map<number, number>();
    for (let s = outer.rowStart[j]; s < outer.rowStart[j + 1]; s++) {
      const middle = outer.pre[s];
      for (let r = inner.rowStart[middle]; r < inner.rowStart[middle + 1]; r++) {
        sums.set(inner.pre[r], (sums.get(inner.pre[r]) ?? 0) + outer.weight[s] * inner.weight[r]);
      }
    }
    for (const [pre, weight] of sums) add(pre, weight);
  });
}

/** The sum of two maps of the same ends. */
export function added(a: LinearMap, b: LinearMap, path: string): LinearMap {
  return mapOf(a.nIn, a.nOut, path, (j, add) => {
    const sums = new Map<number, number>();
    for (const map of [a, b]) {
      for (let s = map.rowStart[j]; s < map.rowStart[j + 1]; s++) {
        sums.set(map.pre[s], (sums.get(map.pre[s]) ?? 0) + map.weight[s]);
      }
    }
    for (const [pre, weight] of sums) add(pre, weight);
  });
}

/** The rows of a map that `keep` says, the others empty. */
export function rowsOfMap(map: LinearMap, keep: (j: number) => boolean, path: string): LinearMap {
  return mapOf(map.nIn, map.nOut, path, (j, add) => {
    if (!keep(j)) return;
    for (let s = map.rowStart[j]; s < map.rowStart[j + 1]; s++) add(map.pre[s], map.weight[s]);
  });
}
