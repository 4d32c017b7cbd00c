/** Uniform in (0, 1), 32 bits, for entry `index` of round `count`; `src/core/chance.ts` has the same function. */
// @ts-ignore: decorator
@inline
export function chanceAt(key: u32, count: u32, index: u32): f64 {
  return (<f64>scramble(scramble(key + count * 0x9e3779b1) ^ ((index + 1) * 0x85ebca77)) + 0.5) / 4294967296;
}

/** A bijection of 32 bits in which every bit depends on all. */
// @ts-ignore: decorator
@inline
function scramble(word: u32): u32 {
  let hash = word;
  hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
  return hash ^ (hash >> 16);
}
