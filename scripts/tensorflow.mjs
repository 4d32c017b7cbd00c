// One training iteration of 100 steps on the TensorFlow.js backend beside the wasm one, by batch and size.
// Usage: npm run build && node scripts/tensorflow.mjs
import { models } from '../dist/models/index.js';
import { applySettings, createExperiment, loadTensorFlow, preset, runTrial } from '../dist/src/index.js';
import { tasks } from '../dist/tasks/index.js';

const { engine } = await loadTensorFlow();
console.log(`TensorFlow.js engine: ${engine}`);

function time(backend, neurons, streams) {
  const experiment = createExperiment(
    applySettings(preset('pattern-generation'), [
      `backend=${backend}`,
      `network.neurons=${neurons}`,
      `training.streams=${streams}`,
      'task.steps=100',
      'optimizer.rates={"in":1e-6,"rec":1e-6,"out":1e-6}',
    ]),
    { ...models, tasks },
  );
  const { run, feed } = experiment;
  feed.fill(100);
  const samples = [];
  for (let r = -1; r < 3; r++) {
    const start = performance.now();
    runTrial(run, 100, { learn: true });
    if (r >= 0) samples.push(performance.now() - start);
  }
  experiment.close();
  return samples.sort((a, b) => a - b)[1];
}

const rows = [];
for (const neurons of [100, 400, 1000]) {
  for (const streams of [1, 16, 64, 256]) {
    const tfjs = time('tfjs', neurons, streams);
    const wasm = time('wasm', neurons, streams);
    rows.push({
      neurons,
      batch: streams,
      tfjs_ms: tfjs.toFixed(1),
      wasm_ms: wasm.toFixed(2),
      ratio: (tfjs / wasm).toFixed(0),
    });
  }
}
console.table(rows);
