/** Binary entropy in nats. */
export function entropy(q: number): number {
  return q <= 0 || q >= 1 ? 0 : -q * Math.log(q) - (1 - q) * Math.log(1 - q);
}

/** Probability that a group of cells that is on has no spike in so many steps, so that nobody can know of it. @param rate spikes per step */
export function unseen(rate: number, cells: number, steps: number): number {
  return (1 - rate) ** (cells * steps);
}
