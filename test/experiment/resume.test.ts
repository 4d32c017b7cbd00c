import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { preset } from '../../src/config/presets.ts';
import { applySettings } from '../../src/config/settings.ts';
import type { RunEvent } from '../../src/core/events.ts';
import { createExperiment } from '../../src/experiment/experiment.ts';
import { tasks } from '../../tasks/index.ts';

const catalogue = { ...models, tasks };
const nBack = applySettings(preset('four-six-back'), [
  'backend=reference',
  'network.neurons=20',
  'rule.feedback=adaptive',
  'training.total=2000',
  'training.streams=4',
  'training.chunkSteps=60',
  'training.checkpointEvery=700',
  'evaluation.total=400',
  'evaluation.streams=2',
]);
const pattern = applySettings(preset('pattern-generation'), [
  'backend=reference',
  'task.steps=80',
  'task.inputs=12',
  'network.neurons=15',
  'network.neuron.kind=alif',
  'optimizer={"kind":"adam","rates":{"in":0.003,"rec":0.003,"out":0.003}}',
  'training={"total":16,"streams":2,"update":{"every":2,"unit":"trial"},"execution":"deferred"}',
]);
const chance = applySettings(nBack, [
  'rule={"name":"e-prop-1","errorSpikeSize":0.5,"presynapticFilter":false}',
  'optimizer.kind=one-step',
  'optimizer.delta=0.015625',
  'network.recurrent.dale.excitatory=0.8',
  'network.neuron.psiLevels=3',
]);
const sparse = applySettings(nBack, [
  'network.neuron={"kind":"alif","vTh":1}',
  'network.readout.filter.decay=0.7',
  'network.recurrent.connectivity={"kind":"in-degree","n":5}',
  'optimizer.kind=momentum',
  'training.update={"every":7,"unit":"step"}',
]);

const scaled = '{"kind":"presynaptic-scaling","goal":3}';
const rewired = applySettings(pattern, [
  `network.recurrent={"connectivity":{"kind":"in-degree","n":3},"scaling":${scaled},"rewiring":{"kind":"deep-r","l1":1,"temperature":0.01}}`,
  `network.input={"connectivity":{"kind":"probability","p":0.4},"scaling":${scaled},"rewiring":{"kind":"prune-regrow","every":3}}`,
]);

const runs: readonly { readonly label: string; readonly config: unknown; readonly stops: readonly number[] }[] = [
  { label: 'n-back online, an update a step', config: nBack, stops: [1000, 1200, 240] },
  { label: 'pattern generation deferred, Adam, two trials an update', config: pattern, stops: [8, 6, 2] },
  { label: 'errors as spikes and one-step updates', config: chance, stops: [1000, 240] },
  {
    label: 'the same on wasm',
    config: applySettings(chance, ['backend=wasm']),
    stops: [1000, 240],
  },
  { label: 'rewired and scaled projections', config: rewired, stops: [8, 6, 2] },
  { label: 'the same on wasm', config: applySettings(rewired, ['backend=wasm']), stops: [8, 2] },
  { label: 'a sparse network, an update every 7 steps', config: sparse, stops: [960, 240] },
];

describe.each(runs)('$label', ({ config, stops }) => {
  const whole = createExperiment(config, catalogue);
  const events = listen(whole);

  it.each(stops)('run(2n) = run(n), stop at %i, resume from the bytes, run on: bit for bit', (until) => {
    const first = createExperiment(config, catalogue);
    const before = listen(first, until);
    const checkpoint = first.checkpoint();
    const second = createExperiment(config, catalogue);
    second.restore(checkpoint);
    const after = listen(second);
    expect(second.run.network.state.data).toBeBitEqual(whole.run.network.state.data);
    expect(second.run.clock).toEqual(whole.run.clock);
    expect(first.run.clock.trial).toBeGreaterThan(0);
    expect(first.run.clock.trial).toBeLessThan(whole.run.clock.trial);
    expect(trialsOf([...before, ...after])).toEqual(trialsOf(events));
    expect(second.evaluate()).toEqual(whole.evaluate());
  });

  it('resumes from every checkpoint that it told, whose pieces are those of the state', () => {
    const told: Uint8Array[] = [];
    const again = createExperiment(config, catalogue);
    const { data } = again.run.network.state;
    again.train({
      listener: (event) => {
        if (event.type !== 'checkpoint') return;
        expect(event.pieces.slice(1).every(({ buffer }) => buffer === data.buffer)).toBe(true);
        told.push(Uint8Array.from(event.pieces.flatMap((piece) => [...piece])));
        expect(told.at(-1)).toEqual(again.checkpoint());
      },
    });
    expect(told.length).toBeGreaterThan(1);
    for (const bytes of told) {
      const resumed = createExperiment(config, catalogue);
      resumed.restore(bytes);
      resumed.train();
      expect(resumed.run.network.state.data).toBeBitEqual(whole.run.network.state.data);
    }
  });

  it('tells start, trials, evaluation, checkpoint and end, in this order', () => {
    const kinds = events.map(({ type }) => type).filter((type) => type !== 'trial');
    expect(kinds[0]).toBe('start');
    expect(kinds.slice(-3)).toEqual(['evaluation', 'checkpoint', 'end']);
    expect(events.at(-1)).toMatchObject({ complete: true, amount: whole.config.training.total });
    const stopped = listen(createExperiment(config, catalogue), stops[0]);
    expect(stopped.map(({ type }) => type)).not.toContain('evaluation');
    expect(stopped.at(-1)).toMatchObject({ complete: false });
  });

  it('is the same run for the same seed, another for another', () => {
    const again = createExperiment(config, catalogue);
    again.train();
    expect(again.run.network.state.data).toBeBitEqual(whole.run.network.state.data);
    const other = createExperiment(applySettings(config, ['seed=2']), catalogue);
    other.train();
    expect(other.run.network.weights.in).not.toBeBitEqual(whole.run.network.weights.in);
  });

  it('is not moved by looking: evaluation and observer leave it as it is', () => {
    const watched = createExperiment(config, catalogue);
    for (const _ of watched.trainTrials()) {
      if (watched.run.clock.trial !== 2) continue;
      const { run, feed } = watched.observer(1);
      feed.fill(10);
      run.network.weights.in.fill(0);
      watched.evaluate({ total: 8 });
    }
    expect(watched.run.network.state.data).toBeBitEqual(whole.run.network.state.data);
  });
});

describe('evaluation', () => {
  const experiment = createExperiment(nBack, catalogue);
  experiment.train({ until: 240 });

  it('is a function of the weights and the label', () => {
    const scores = experiment.evaluate({ total: 2000 });
    expect(experiment.evaluate({ total: 2000 })).toEqual(scores);
    expect(experiment.evaluate({ total: 2000, label: 'other' })).not.toEqual(scores);
    expect(scores.amount).toBeGreaterThanOrEqual(2000);
    expect(scores.expectedLoss).toBeGreaterThan(0.3);
  });

  it('does not depend on the number of streams beyond chance', () => {
    const one = experiment.evaluate({ total: 20_000, streams: 1 });
    const many = experiment.evaluate({ total: 20_000, streams: 20 });
    expect(Math.abs((one.expectedLoss ?? 0) - (many.expectedLoss ?? 0))).toBeLessThan(0.05);
    expect(Math.abs(one.rateHz - many.rateHz)).toBeLessThan(3);
  });

  it('gives the observer the weights and the feedback of the run', () => {
    const { run } = experiment.observer();
    expect(run.network.weights.rec).toBeBitEqual(experiment.run.network.weights.rec);
    expect(run.network.state.field('population.rec.signal.B')).toBeBitEqual(
      experiment.run.network.state.field('population.rec.signal.B'),
    );
    expect(run.clock.step).toBe(0);
  });
});

it('stops where it is asked to, as until would', () => {
  const [asked, until] = [createExperiment(nBack, catalogue), createExperiment(nBack, catalogue)];
  asked.train({ stopped: () => asked.run.clock.trial === 3 });
  until.train({ until: 3 * 240 });
  expect(asked.run.network.state.data).toBeBitEqual(until.run.network.state.data);
});

function listen(experiment: ReturnType<typeof createExperiment>, until?: number): RunEvent[] {
  const events: RunEvent[] = [];
  experiment.train({ until, listener: (event) => events.push(event) });
  return events;
}

function trialsOf(events: readonly RunEvent[]): RunEvent[] {
  return events.filter(({ type }) => type === 'trial');
}
