/** Reserves four-byte words. @returns their address */
export type Take = (words: number) => number;

/** Addresses of scratch by name. */
export type Scratch = Readonly<Record<string, number>>;
