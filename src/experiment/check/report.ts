/** What became of one check. */
export interface CheckRow {
  /** List and name of the entry, as in `tasks my-task`. */
  readonly entry: string;
  readonly check: string;
  /** `skipped`: it says nothing of such an entry, with the reason. */
  readonly outcome: 'holds' | 'fails' | 'skipped';
  /** What was seen: a number, the first place where it fails, or the reason. */
  readonly detail: string;
}

export type Outcome = Pick<CheckRow, 'outcome' | 'detail'>;

export const holds = (detail = ''): Outcome => ({ outcome: 'holds', detail });
export const fails = (detail: string): Outcome => ({ outcome: 'fails', detail });
export const skipped = (detail: string): Outcome => ({ outcome: 'skipped', detail });

/** Checks by name, in the order in which they are done. */
export type Checks = Readonly<Record<string, () => Outcome>>;

/** Does them one after the other; an error is a check that fails. */
export function rowsOf(entry: string, checks: Checks): CheckRow[] {
  return Object.entries(checks).map(([check, run]) => ({ entry, check, ...attempt(run) }));
}

function attempt(run: () => Outcome): Outcome {
  try {
    return run();
  } catch (error) {
    return fails(error instanceof Error ? error.message : String(error));
  }
}

/** The first index at which two arrays differ in a bit; null where they are the same. */
export function firstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  for (let s = 0; s < a.length; s++) if (!Object.is(a[s], b[s])) return s;
  return null;
}

/** The first name whose numbers are not the same; null where all are. */
export function sameOutcome(
  a: ReadonlyMap<string, Float64Array>,
  b: ReadonlyMap<string, Float64Array> | null,
): string | null {
  for (const [name, values] of a) if (firstDifference(values, b?.get(name) ?? []) !== null) return name;
  return null;
}
