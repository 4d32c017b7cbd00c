import { awaitChange, type Crew, control, type Shard, work } from './crew.ts';
import { type Kernels, stageNames } from './module.ts';

/** What a thread of a crew is started with. */
export interface CrewData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly controlAt: number;
  readonly shards: readonly Shard[];
}

/**
 * A crew of this thread and `threads - 1` others on shared memory. Which thread does which shard does not matter: each
 * shard has its own streams, scratch and gradient. The threads do not keep a process alive.
 */
export function threadCrew(kernels: Kernels, data: CrewData, threads: number): Crew {
  const workers = globalThis.process.getBuiltinModule('node:worker_threads');
  const block = new Int32Array(data.memory.buffer, data.controlAt, control.length);
  block[control.shards] = data.shards.length;
  const crew = Array.from({ length: threads - 1 }, () => {
    const worker = new workers.Worker(new URL('./crewWorker.js', import.meta.url), { workerData: data });
    worker.unref();
    // A thread that cannot start is missed by nobody but who waits for it: the others do its part.
    const up = new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', reject);
    });
    up.catch(() => {});
    return { worker, up };
  });
  let round = 0;
  return {
    run(stage, t0, t1) {
      round = (round + 1) & 0x7fffff;
      Atomics.store(block, control.stage, stageNames.indexOf(stage));
      Atomics.store(block, control.t0, t0);
      Atomics.store(block, control.t1, t1);
      Atomics.store(block, control.done, 0);
      Atomics.store(block, control.task, round << 8);
      Atomics.notify(block, control.task);
      work(block, round, kernels, data.shards);
      for (
        let done = Atomics.load(block, control.done);
        done < data.shards.length;
        done = Atomics.load(block, control.done)
      ) {
        awaitChange(block, control.done, done, 20_000);
      }
      if (Atomics.load(block, control.failed) === 1) throw new Error(`a thread failed in stage "${stage}"`);
    },
    async ready() {
      await Promise.all(crew.map(({ up }) => up));
    },
    close() {
      Atomics.store(block, control.stop, 1);
      Atomics.notify(block, control.task);
      for (const { worker } of crew) void worker.terminate();
    },
  };
}
