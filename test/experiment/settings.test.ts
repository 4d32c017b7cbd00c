import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { assertSideBySide } from '../../src/cli/commands/run.ts';
import { recordingBytes } from '../../src/cli/execute.ts';
import {
  applySettings,
  createExperiment,
  createRecorder,
  loadTensorFlow,
  preset,
  type RunEvent,
} from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';

const catalogue = { ...models, tasks };
const pattern = (...settings: string[]) =>
  applySettings(preset('pattern-generation'), ['network.neurons=20', 'task.steps=60', 'training.total=3', ...settings]);
const back = (...settings: string[]) =>
  applySettings(preset('four-six-back'), [
    'network.neurons=16',
    'training.total=1600',
    'training.chunkSteps=50',
    ...settings,
  ]);

describe('settings that do not go together are refused, not ignored', () => {
  it.each(['reference', 'auto'])('postponed traces on %s with a neuron that wasm lacks', (backend) => {
    const steps = 'network.neuron.psiSteps={"edges":[0],"heights":[0,0.5]}';
    const raw = pattern(`backend=${backend}`, 'training.execution=postponed', steps);
    expect(() => createExperiment(raw, catalogue)).toThrow(/no kernel for postponed traces/);
  });

  it('online gradients on tfjs, also where only the readout learns', async () => {
    await loadTensorFlow();
    const raw = back('backend=tfjs', 'rule={"name":"readout-only"}', 'training.update={"every":1,"unit":"trial"}');
    expect(() => createExperiment(raw, catalogue)).toThrow(/no kernel for online traces/);
  });

  it('limits of weights in the wrong order, a window behind the trial', () => {
    expect(() => createExperiment(pattern('optimizer.clamp=[1,-1]'), catalogue)).toThrow(/clamp: got \[1,-1\]/);
    const late = back('loss.window={"start":50,"length":5}');
    expect(() => createExperiment(late, catalogue)).toThrow(/loss\.window\.start: got 50, expected .* < 50/);
  });

  it('a rate term that is known only after the trial cannot be recorded step by step', () => {
    const { run } = createExperiment(pattern(), catalogue);
    expect(() => createRecorder(run, { fields: ['rateTerm'] })).toThrow(/known after the trial/);
  });

  it('a run whose evaluation does not fit is refused before it starts', () => {
    const raw = back('evaluation.streams=2000');
    const { memory } = createExperiment(back(), catalogue);
    expect(() => createExperiment(raw, catalogue, { maxBytes: 2 * memory.bytes })).toThrow(/evaluation\.streams/);
  });

  it('what task and evaluation take belongs to the sum, and every part is named', () => {
    const raw = pattern('task.steps=2000', 'task.inputs=500');
    const { memory } = createExperiment(raw, catalogue);
    expect(memory.parts.task).toBe(2000 * (500 + 8));
    const { network, task, evaluation } = memory.parts;
    expect(memory.total).toBe(network + task + evaluation);
    createExperiment(raw, catalogue, { maxBytes: memory.total });
    expect(() => createExperiment(raw, catalogue, { maxBytes: memory.total - 1 })).toThrow(
      /the run needs \d+ MiB: network \d+ MiB, task 1 MiB and evaluation \d+ MiB .*; \d+ MiB are available/,
    );
  });

  it('the lists of synapses belong to the network, once for all networks of a run', () => {
    const [small, large] = [100, 300].map((neurons) => createExperiment(back(`network.neurons=${neurons}`), catalogue));
    const lists = ({ run }: typeof small) =>
      run.network.spec.projections.reduce((sum, { synapses }) => sum + synapses.post.byteLength, 0);
    expect(lists(large)).toBeGreaterThan(300 * 300 * 4);
    // A weight, its gradient and its postsynaptic neuron at the least.
    expect(large.memory.parts.network - small.memory.parts.network).toBeGreaterThan(3 * (lists(large) - lists(small)));
  });

  it('runs side by side are added up, as many as there are threads, with what the threads take', () => {
    const MiB = 2 ** 20;
    const runs = [100 * MiB, 300 * MiB, 200 * MiB];
    assertSideBySide(runs, 2, 628 * MiB);
    expect(() => assertSideBySide(runs, 2, 627 * MiB)).toThrow(
      '2 runs at a time need 500 MiB and 128 MiB for their threads, 627 MiB are available: fewer --threads',
    );
    expect(() => assertSideBySide(runs, 8, 700 * MiB)).toThrow(/^3 runs at a time need 600 MiB and 192 MiB/);
    assertSideBySide(runs, 1, 1);
  });

  it('a recording takes a buffer for each of its fields', () => {
    const job = { folder: 'run', experiment: {} };
    const recording = { fields: ['z', 'population.rec.v'], maxMegabytes: 1, csv: false };
    expect(recordingBytes({ ...job, recording })).toBe(2 * 2 ** 20 + 2 ** 16);
    expect(recordingBytes(job)).toBe(0);
  });
});

it.each(['reference', 'wasm'])('limits of weights leave absent autapses absent on %s', (backend) => {
  const raw = pattern(`backend=${backend}`, 'optimizer.clamp=[0.001,0.01]', 'network.recurrent.autapses=false');
  const experiment = createExperiment(raw, catalogue);
  experiment.train();
  const { rec } = experiment.run.network.weights;
  for (let j = 0; j < 20; j++) expect(rec[j * 20 + j]).toBe(0);
  expect(Array.from(rec).filter((w) => w > 0).length).toBe(20 * 19);
});

it.each(['reference', 'wasm'])('the gradient of frozen weights does not pile up on %s', (backend) => {
  const experiment = createExperiment(pattern(`backend=${backend}`, 'optimizer.rates.rec=0'), catalogue);
  experiment.train();
  expect(Array.from(experiment.run.network.gradient.rec).every((g) => g === 0)).toBe(true);
});

it('a matrix is recorded whole, also where its first length is the number of streams', () => {
  const experiment = createExperiment(back(), catalogue);
  const recorder = createRecorder(experiment.run, {
    fields: ['readout.out.weights', 'population.rec.v'],
    neurons: [1, 2, 3],
    trials: 1,
  });
  expect(recorder.fields).toEqual([
    { name: 'readout.out.weights', width: 32 },
    { name: 'population.rec.v', width: 3 },
  ]);
  const steps: RunEvent[] = [];
  experiment.train({ until: 800, recorder, listener: (event) => event.type === 'step' && steps.push(event) });
  expect(steps.length).toBe(50);
});

it('a failing evaluation costs nothing that was trained', () => {
  const experiment = createExperiment(back(), catalogue);
  const fill = experiment.task.fill.bind(experiment.task);
  let amount = 0;
  Object.assign(experiment.task, {
    fill(...args: Parameters<typeof fill>) {
      if (amount >= 1600) throw new Error('no more data');
      fill(...args);
    },
  });
  const saved: number[] = [];
  const train = () =>
    experiment.train({
      listener(event) {
        if (event.type === 'trial') amount = event.amount;
        if (event.type === 'checkpoint') saved.push(event.amount);
      },
    });
  expect(train).toThrow('no more data');
  expect(saved.at(-1)).toBe(1600);
});
