import { parentPort, workerData } from 'node:worker_threads';
import { awaitChange, control, work } from './crew.ts';
import { instantiate } from './module.ts';
import type { CrewData } from './threads.ts';

/** A thread of a crew: waits for rounds and does shards; see `threads.ts` for the other end. */
const { module, memory, controlAt, shards } = workerData as CrewData;
const kernels = instantiate(module, memory);
const block = new Int32Array(memory.buffer, controlAt, control.length);

parentPort?.postMessage('up');
let seen = 0;
while (Atomics.load(block, control.stop) === 0) {
  const word = Atomics.load(block, control.task);
  const round = word >>> 8;
  if (round === seen) {
    awaitChange(block, control.task, word, 20_000);
    continue;
  }
  seen = round;
  work(block, round, kernels, shards);
}
