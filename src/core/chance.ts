/**
 * A random number of a place instead of a sequence: what is drawn for entry `index` in round `count` does not depend on what
 * else is drawn, so that neither threads nor a resumed run change it. `kernels/chance.ts` has the same function.
 *
 * @param key 32 bits, one for each consumer @returns uniform in (0, 1), 32 bits
 */
export function chanceAt(key: number, count: number, index: number): number {
  return (scramble(scramble(key + Math.imul(count, 0x9e3779b1)) ^ Math.imul(index + 1, 0x85ebca77)) + 0.5) / 4294967296;
}

/** The key of one block of weights. */
export function blockKey(key: number, block: number): number {
  return scramble(key ^ Math.imul(block + 1, 0x27d4eb2f));
}

/** A bijection of 32 bits in which every bit depends on all (murmur3's last step). @returns them as a whole number >= 0 */
export function scramble(word: number): number {
  return scrambledBits(word) >>> 0;
}

/** The same bits as an int32. */
export function scrambledBits(word: number): number {
  let hash = word;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** +- size or 0, with the mean `value` where |value| <= size. */
export function signedEvent(value: number, size: number, chance: number): number {
  return chance * size < Math.abs(value) ? Math.sign(value) * size : 0;
}
