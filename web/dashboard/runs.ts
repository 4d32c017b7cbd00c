import type { LiveLook, LiveRun, LiveUpdate } from '../../src/cli/live/protocol.ts';

/** A run with the whole of its curve. */
export interface Run extends Omit<LiveRun, 'curve'> {
  readonly amounts: readonly number[];
  readonly scores: readonly number[];
}

/** Between two attempts at a connection that is refused, ms. */
const againMs = 1000;

/** What the page knows. */
export class Runs {
  readonly all = new Map<string, Run>();
  connected = false;
  look: LiveLook | null = null;
  problem: string | null = null;
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
    this.#listen();
  }

  #listen(): void {
    const events = new EventSource('events');
    events.onopen = () => this.#connect(true);
    events.onerror = () => {
      this.#connect(false);
      // A browser asks again by itself where a connection was lost, and gives up where it was refused: that has an end too.
      if (events.readyState === EventSource.CLOSED) setTimeout(() => this.#listen(), againMs);
    };
    events.onmessage = ({ data }) => this.#take(JSON.parse(data) as LiveUpdate);
  }

  #connect(connected: boolean): void {
    // A server tells a new connection everything.
    if (connected) this.all.clear();
    this.connected = connected;
    this.#changed();
  }

  #take({ runs, gone }: LiveUpdate): void {
    for (const { curve, ...run } of runs) {
      const before = this.all.get(run.id);
      const kept = <T>(values: readonly T[] | undefined) => values?.slice(0, curve.from) ?? [];
      this.all.set(run.id, {
        ...run,
        amounts: [...kept(before?.amounts), ...curve.amount],
        scores: [...kept(before?.scores), ...curve.score],
      });
    }
    for (const id of gone) this.all.delete(id);
    this.#changed();
  }

  /** Asks what the network of a run's last checkpoint does. */
  async see(id: string): Promise<void> {
    try {
      const response = await fetch(`look?run=${encodeURIComponent(id)}`);
      this.problem = response.ok ? null : await response.text();
      if (response.ok) this.look = (await response.json()) as LiveLook;
    } catch {
      this.problem = 'no connection';
    }
    this.#changed();
  }
}

export type Column = 'id' | 'rule' | 'seed' | 'state' | 'amount' | 'last' | 'rateHz';

/** Runs in the order of a column; what has no value comes last, whichever way. */
export function sorted(runs: Iterable<Run>, column: Column, descending: boolean): Run[] {
  const sign = descending ? -1 : 1;
  return [...runs].sort((a, b) => {
    const [x, y] = [a[column], b[column]];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    const order =
      typeof x === 'number' && typeof y === 'number'
        ? x - y
        : String(x).localeCompare(String(y), 'en', { numeric: true });
    return sign * order || a.id.localeCompare(b.id, 'en', { numeric: true });
  });
}
