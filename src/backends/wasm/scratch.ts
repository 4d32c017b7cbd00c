/** Reserves four-byte words. @returns their address */
export type Allot = (words: number) => number;

/** Addresses of scratch by name. */
export type Scratch = Readonly<Record<string, number>>;

/** Reserves each of some arrays of four-byte words. */
export function allotAll(lengths: Readonly<Record<string, number>>, allot: Allot): Scratch {
  return Object.fromEntries(Object.entries(lengths).map(([name, length]) => [name, allot(length)]));
}
