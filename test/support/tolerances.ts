import type { Closeness } from './matchers.ts';

/** How near two results must be, by what is compared. All on the float64 reference backend, relative to the largest entry. */
export const tolerances = {
  /** The same sum in another order: gradients of the two executions, of streams against trials. */
  reordered: { relative: 1e-12 },
  /** Two rules that are one in exact arithmetic and share no sum. */
  identity: { relative: 1e-10 },
  /** A formula typed a second time in the test. */
  formula: { relative: 1e-13 },
  /** Central differences with a step of 1e-5: error h^2 of the third derivative plus rounding over h. */
  finiteDifference: { relative: 2e-8 },
  /** Constants given to ten digits. */
  tenDigits: { relative: 0, absolute: 6e-11 },
} as const satisfies Readonly<Record<string, Closeness>>;
