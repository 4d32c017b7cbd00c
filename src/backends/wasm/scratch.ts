/** Reserves four-byte words. @returns their address */
export type Allot = (words: number) => number;

/** Addresses of scratch by name. */
export type Scratch = Readonly<Record<string, number>>;
