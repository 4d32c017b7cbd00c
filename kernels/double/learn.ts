import { scale } from './loops';
import {
  count, FIRED, FLOOR, FLUSHED, HIGH, LARGEST, lanes, LOST, LOW, NEAREST, ODD, rounded, SATURATED, SCALE, SMALLEST, STEP, STOCHASTIC, TRIED, upper, within,
  wordsOf, WRAPPED,
} from './rounding';

/** Changes that are rounded to whole steps before they are added. */

/** w_s moves by factor step_s, rounded; step = 0.   [n]; factor: to what `learnRow` wants; row: work space of `length` numbers, list: of as many words */
export function takeRounded(w: usize, step: usize, n: i32, factor: f64, row: usize, list: usize, length: i32, record: usize, rounding: i32, wraps: i32, key: i32, second: i32): void {
  const tried = tries(step, n);
  for (let s = 0; s < n; s += length) {
    const m = min(length, n - s), from = step + (<usize>s << 3);
    scale(row, from, factor, m);
    learnRow(w + (<usize>s << 3), 0, row, list, s, m, record, rounding, wraps, key, second);
  }
  memory.fill(step, 0, <usize>n << 3);
  count(record, TRIED, tried);
  count(record, LOST, tried);
}

/**
 * Entries s, s+1, .. move by changes, which are overwritten.   at: the first of them; mirror: the same as 16-bit integers, 0 for none;
 * changes: in steps, of stochastic rounding in steps of 2^-31; list: work space of n words
 */
export function learnRow(at: usize, mirror: usize, changes: usize, list: usize, s: i32, n: i32, record: usize, rounding: i32, wraps: i32, key: i32, second: i32): void {
  // Work space is as long as whole groups; what lies behind the row changes nothing.
  for (let j = n; j & 3; j++) store<f64>(changes + (<usize>j << 3), 0);
  let end: usize;
  if (rounding == STOCHASTIC) {
    end = drawRow(changes, list, s, n, key, second);
    roundListed(changes, list, end, s, key, second);
  } else end = rounding == FLOOR ? roundRow(FLOOR, changes, list, n) : roundRow(NEAREST, changes, list, n);
  if (end > list) moveListed(at, mirror, changes, list, end, n, record, wraps);
}

/** How many of the changes are not 0. */
export function tries(changes: usize, n: i32): f64 {
  const none = f64x2.splat(0);
  let tried = i64x2.splat(0);
  const whole = <usize>(n & ~1) << 3;
  for (let o: usize = 0; o < whole; o += 16) tried = i64x2.sub(tried, f64x2.ne(v128.load(changes + o), none));
  return lanes(tried) + (n & 1 && load<f64>(changes + whole) != 0 ? 1 : 0);
}

/** Rounds changes to whole steps. @returns the end of the list of groups of four in which one is left */
// @ts-ignore: decorator
@inline
function roundRow(rounding: i32, changes: usize, list: usize, n: i32): usize {
  const none = f64x2.splat(0);
  let end = list;
  for (let j = 0; j < n; j += 4) {
    const o = changes + (<usize>j << 3);
    const first = rounded(v128.load(o), rounding, none), last = rounded(v128.load(o, 16), rounding, none);
    v128.store(o, first); v128.store(o, last, 16);
    store<u32>(end, j);
    end += v128.any_true(v128.or(f64x2.ne(first, none), f64x2.ne(last, none))) ? 4 : 0;
  }
  return end;
}

/**
 * Lists groups of four in which a change may be left: a change c is not where 0 <= r - c < 1 for its random number r.
 * @returns the end of the list
 */
function drawRow(changes: usize, list: usize, s: i32, n: i32, key: i32, second: i32): usize {
  const keys = i32x4.splat(key), seconds = i32x4.splat(second), none = f64x2.splat(0), all = f64x2.splat(2147483648);
  let end = list;
  for (let j = 0; j < n; j += 4) {
    const o = changes + (<usize>j << 3);
    const words = wordsOf(s + j, keys, seconds);
    const a = f64x2.sub(f64x2.convert_low_i32x4_s(words), v128.load(o));
    const b = f64x2.sub(f64x2.convert_low_i32x4_s(upper(words)), v128.load(o, 16));
    // All four within; a change that is no number is not, and must not be lost.
    const low = v128.and(f64x2.ge(a, none), f64x2.ge(b, none)), high = v128.and(f64x2.lt(a, all), f64x2.lt(b, all));
    store<u32>(end, j);
    end += i64x2.all_true(v128.and(low, high)) ? 0 : 4;
  }
  return end;
}

/** Rounds the changes of the listed groups to whole steps. */
function roundListed(changes: usize, list: usize, end: usize, s: i32, key: i32, second: i32): void {
  const keys = i32x4.splat(key), seconds = i32x4.splat(second);
  for (; list < end; list += 4) {
    const j = load<u32>(list);
    const o = changes + (<usize>j << 3), words = wordsOf(s + j, keys, seconds);
    v128.store(o, drawn(v128.load(o), words));
    v128.store(o, drawn(v128.load(o, 16), upper(words)), 16);
  }
}

/** Whole steps of two changes in steps of 2^-31; `draw` in `src/backends/fixed/store.ts`. */
// @ts-ignore: decorator
@inline
function drawn(change: v128, words: v128): v128 {
  const chance = f64x2.convert_low_i32x4_s(words), all = f64x2.splat(2147483648), none = f64x2.splat(0);
  const rest = f64x2.sub(chance, change);
  const lost = v128.and(f64x2.ge(rest, none), f64x2.lt(rest, all));
  const below = f64x2.floor(f64x2.mul(change, f64x2.splat(1.0 / 2147483648.0)));
  const up = f64x2.lt(chance, f64x2.sub(change, f64x2.mul(below, all)));
  return v128.andnot(f64x2.add(below, v128.and(up, f64x2.splat(1))), lost);
}

/** Carries out the whole steps of the listed groups; `moveBy` in `src/backends/fixed/store.ts` says the same for one number. */
function moveListed(at: usize, mirror: usize, steps: usize, list: usize, end: usize, n: i32, record: usize, wraps: i32): void {
  const scale = f64x2.splat(load<f64>(record, SCALE)), step = f64x2.splat(load<f64>(record, STEP)), none = f64x2.splat(0);
  const low = f64x2.splat(load<f64>(record, LOW)), high = f64x2.splat(load<f64>(record, HIGH));
  let smallest = f64x2.splat(load<f64>(record, SMALLEST)), largest = f64x2.splat(load<f64>(record, LARGEST));
  let moved = i64x2.splat(0), fired = moved, flushed = moved, beyondAll = moved, odd = moved;
  for (; list < end; list += 4) {
    const j = load<u32>(list);
    for (let half: u32 = 0; half < 4; half += 2) {
      const o = <usize>(j + half) << 3;
      const move = v128.load(steps + o), moves = f64x2.ne(move, none);
      if (!v128.any_true(moves)) continue;
      const pair = <i32>(j + half) + 1 < n;
      const old = pair ? v128.load(at + o) : v128.load64_splat(at + o);
      let integer = f64x2.add(f64x2.mul(old, scale), move);
      const asked = f64x2.mul(integer, step);
      smallest = v128.bitselect(f64x2.pmin(smallest, asked), smallest, moves);
      largest = v128.bitselect(f64x2.pmax(largest, asked), largest, moves);
      const beyond = v128.and(v128.or(f64x2.lt(integer, low), f64x2.gt(integer, high)), moves);
      if (v128.any_true(beyond)) {
        beyondAll = i64x2.sub(beyondAll, beyond);
        integer = within(integer, record, wraps);
      }
      const stored = f64x2.add(f64x2.mul(integer, step), none);
      const changed = v128.and(f64x2.ne(stored, old), moves);
      moved = i64x2.sub(moved, moves);
      fired = i64x2.sub(fired, changed);
      flushed = i64x2.sub(flushed, v128.and(f64x2.eq(stored, none), changed));
      if (pair) v128.store(at + o, v128.bitselect(stored, old, moves));
      else if (<i32>(j + half) < n) store<f64>(at + o, f64x2.extract_lane(v128.bitselect(stored, old, moves), 0));
      if (!mirror) continue;
      odd = i64x2.sub(odd, f64x2.ne(integer, integer));
      store<i16>(mirror + (o >> 2), <i16>f64x2.extract_lane(integer, 0));
      if (pair) store<i16>(mirror + (o >> 2), <i16>f64x2.extract_lane(integer, 1), 2);
    }
  }
  count(record, ODD, lanes(odd));
  count(record, LOST, -lanes(moved));
  count(record, FIRED, lanes(fired));
  count(record, FLUSHED, lanes(flushed));
  count(record, wraps ? WRAPPED : SATURATED, lanes(beyondAll));
  store<f64>(record, min(f64x2.extract_lane(smallest, 0), f64x2.extract_lane(smallest, 1)), SMALLEST);
  store<f64>(record, max(f64x2.extract_lane(largest, 0), f64x2.extract_lane(largest, 1)), LARGEST);
}
