import type { Kernels, StageName } from './module.ts';
import { stageNames } from './module.ts';

/** One part of the streams: its record in memory and its streams [b0, b1). */
export interface Shard {
  readonly net: number;
  readonly b0: number;
  readonly b1: number;
}

/** Runs a kernel on every shard. The parts are fixed by the network, never by the number of threads. */
export interface Crew {
  run(stage: StageName, t0: number, t1: number): void;
  /** Resolves when all threads are at work; until then the others do their part. */
  ready(): Promise<void>;
  /** Ends the threads. */
  close(): void;
}

export function aloneCrew(kernels: Kernels, shards: readonly Shard[]): Crew {
  return {
    run(stage, t0, t1) {
      const kernel = kernels[stage];
      for (let s = 0; s < shards.length; s++) kernel(shards[s].net, shards[s].b0, shards[s].b1, t0, t1);
    },
    ready: () => Promise.resolve(),
    close() {},
  };
}

/** Words of the control block that threads share. */
export const control = { task: 0, done: 1, stage: 2, t0: 3, t1: 4, shards: 5, stop: 6, failed: 7, length: 8 } as const;

/**
 * Claims the next shard of round `round`, or -1 if all are taken or the round is over. Round and shard are one word, so a
 * thread that comes late cannot take a shard of the next round for one of the last.
 */
export function claim(block: Int32Array, round: number): number {
  for (;;) {
    const word = Atomics.load(block, control.task);
    const shard = word & 255;
    if (word >>> 8 !== (round & 0xffffff) || shard >= block[control.shards]) return -1;
    if (Atomics.compareExchange(block, control.task, word, word + 1) === word) return shard;
  }
}

/** Does claimed shards until none is left. */
export function work(block: Int32Array, round: number, kernels: Kernels, shards: readonly Shard[]): void {
  const kernel = kernels[stageNames[Atomics.load(block, control.stage)]];
  const t0 = Atomics.load(block, control.t0);
  const t1 = Atomics.load(block, control.t1);
  for (let s = claim(block, round); s >= 0; s = claim(block, round)) {
    try {
      kernel(shards[s].net, shards[s].b0, shards[s].b1, t0, t1);
    } catch {
      Atomics.store(block, control.failed, 1);
    }
    if (Atomics.add(block, control.done, 1) + 1 === shards.length) Atomics.notify(block, control.done);
  }
}

/** Looks `tries` times before it sleeps: a stage follows the last one within microseconds. */
export function awaitChange(block: Int32Array, word: number, old: number, tries: number): void {
  for (let n = 0; n < tries; n++) if (Atomics.load(block, word) !== old) return;
  while (Atomics.load(block, word) === old) Atomics.wait(block, word, old, 1000);
}
