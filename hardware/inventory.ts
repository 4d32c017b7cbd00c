import { fieldLength, type Home, type Layout, type Sizes } from '../src/core/layout.ts';

/** Numbers that one stream of a network keeps from step to step, by where they live. */
export type Inventory = Readonly<Record<Home, number>>;

/** Counts a part's state from its declared layout; scratch of a step and bookkeeping are left out. */
export function inventory(layout: Layout, sizes: Sizes): Inventory {
  const one = { ...sizes, stream: 1 };
  const counts: Record<Home, number> = { pre: 0, post: 0, synapse: 0, pair: 0, global: 0 };
  for (const field of Object.values(layout)) {
    if (!field.transient && !field.bookkeeping) counts[field.home] += fieldLength(field, one);
  }
  return counts;
}
