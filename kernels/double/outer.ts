import { addListed, scale } from './loops';
import { learnRow } from './learn';
import { mirrorBytes } from './mirror';
import { count, LOST, TRIED } from './rounding';
import { addChanges, bitsFor, coarsen, fits, largestOf, moveEntries, moveGroups, sieveRow, stepsOf } from './sieve';

/**
 * M_ij moves by rate sum over pairs of x_i d_j, rounded to steps of its grid. Every entry of a row whose x are not all 0 is tried.
 * rate: as `learnRow` wants changes; row: work space of 2 n numbers; scaled: of pairs * n numbers, nPre words and pairs rows of a mirror;
 * others as those of `addOuter` and `learnRow`
 */
export function learnOuter(
  M: usize, mirror: usize, x: usize, stride: i32, d: usize, list: usize, row: usize, scaled: usize, rate: f64, nPre: i32, n: i32, pairs: i32,
  record: usize, rounding: i32, wraps: i32, key: i32, second: i32,
): void {
  const bytes = <usize>n << 3, reflected = mirror ? mirrorBytes(n) : 0;
  const masks = scaled + <usize>pairs * bytes;
  const coarse = masks + ((<usize>nPre + 1 & ~1) << 2);
  // A rate of 0 tries nothing, whoever spikes, and what is no finite number reaches those that do not.
  const binary = pairs <= 32 && rate != 0 && rate - rate == 0 && whoSpikes(masks, x, stride, nPre, pairs);
  let largest: f64 = 0, bits = 0;
  if (binary) {
    scale(scaled, d, rate, pairs * n);
    largest = largestOf(scaled, pairs * n) * stepsOf(rounding);
    bits = bitsFor(largest, pairs);
    coarsen(coarse, scaled, stepsOf(rounding) * <f64>(1 << bits), pairs, n);
  }
  let rows = 0;
  for (let i = 0; i < nPre; i++, M += bytes, mirror += reflected, x += 8) {
    if (binary) {
      const mask = load<u32>(masks + (<usize>i << 2));
      if (!mask) continue;
      if (fits(popcnt(mask), largest, bits)) {
        rows++;
        const listed = listSpikes(list, mask, coarse, mirrorBytes(n));
        const groups = sieveRow(row, list, listed, n, i * n, bits, rounding, key, second);
        if (groups == row) continue;
        const end = moveGroups(M, mirror, row, groups, list, n, record, wraps);
        if (end == list) continue;
        const last = addChanges(row, list, end, mask, scaled, n);
        moveEntries(M, mirror, row, last, i * n, record, rounding, wraps, key, second);
        continue;
      }
      const end = listSpikes(list, mask, scaled, bytes);
      sumListed(row, list, end, bytes);
    } else {
      const end = listFactors(list, x, stride, d, rate, bytes, pairs);
      if (end == list) continue;
      memory.fill(row, 0, bytes);
      addListed(row, list, end, bytes);
    }
    rows++;
    learnRow(M, mirror, row, list, i * n, n, record, rounding, wraps, key, second);
  }
  const tried = <f64>rows * <f64>n;
  count(record, TRIED, tried);
  count(record, LOST, tried);
}

/** Bit b of word i: whether x_i of pair b is 1. @returns whether all x are 0 or 1 */
function whoSpikes(masks: usize, x: usize, stride: i32, nPre: i32, pairs: i32): bool {
  const one = f64x2.splat(1), none = f64x2.splat(0);
  let odd = none;
  memory.fill(masks, 0, <usize>nPre << 2);
  const whole = nPre & ~1;
  for (let b = 0; b < pairs; b++, x += <usize>stride << 3) {
    for (let i = 0; i < whole; i += 2) {
      const pair = v128.load(x + (<usize>i << 3)), ones = f64x2.eq(pair, one), at = masks + (<usize>i << 2);
      odd = v128.or(odd, v128.andnot(f64x2.ne(pair, none), ones));
      const which = <u64>i64x2.bitmask(ones);
      store<u64>(at, load<u64>(at) | ((which & 1 | (which & 2) << 31) << b));
    }
    if (nPre == whole) continue;
    const last = load<f64>(x + (<usize>whole << 3)), at = masks + (<usize>whole << 2);
    if (last == 1) store<u32>(at, load<u32>(at) | 1 << b);
    else if (last != 0) return false;
  }
  return !v128.any_true(odd);
}

/** Addresses of the rows whose bit is set. @returns the end of the list */
// @ts-ignore: decorator
@inline
function listSpikes(list: usize, mask: u32, rows: usize, bytes: usize): usize {
  for (; mask; mask &= mask - 1, list += 4) store<u32>(list, <u32>(rows + <usize>ctz(mask) * bytes));
  return list;
}

/** Factors and addresses of the pairs whose x is not 0, for `addListed`. @returns the end of the list */
// @ts-ignore: decorator
@inline
function listFactors(list: usize, x: usize, stride: i32, d: usize, rate: f64, bytes: usize, pairs: i32): usize {
  const skip = <usize>stride << 3;
  for (let b = 0; b < pairs; b++) {
    const factor = rate * load<f64>(x + <usize>b * skip);
    store<f64>(list, factor);
    store<u32>(list, <u32>(d + <usize>b * bytes), 8);
    list += factor != 0 ? 16 : 0;
  }
  return list;
}

/** out_j = sum of row_j over a list of addresses of rows. */
// @ts-ignore: decorator
@inline
function sumListed(out: usize, list: usize, end: usize, bytes: usize): void {
  let o: usize = 0;
  for (; o + 64 <= bytes; o += 64) {
    let a = f64x2.splat(0), b = a, c = a, d = a;
    for (let at = list; at < end; at += 4) {
      const row = <usize>load<u32>(at) + o;
      a = f64x2.add(a, v128.load(row)); b = f64x2.add(b, v128.load(row, 16));
      c = f64x2.add(c, v128.load(row, 32)); d = f64x2.add(d, v128.load(row, 48));
    }
    v128.store(out + o, a); v128.store(out + o, b, 16); v128.store(out + o, c, 32); v128.store(out + o, d, 48);
  }
  for (; o + 16 <= bytes; o += 16) {
    let sum = f64x2.splat(0);
    for (let at = list; at < end; at += 4) sum = f64x2.add(sum, v128.load(<usize>load<u32>(at) + o));
    v128.store(out + o, sum);
  }
  for (; o < bytes; o += 8) {
    let sum: f64 = 0;
    for (let at = list; at < end; at += 4) sum += load<f64>(<usize>load<u32>(at) + o);
    store<f64>(out + o, sum);
  }
}
