import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';

/** Threads start from compiled files, so this test looks at the built package. */
const built = new URL('../../dist/', import.meta.url);

interface Built {
  readonly library: typeof import('../../src/index.ts');
  readonly models: typeof import('../../models/index.ts')['models'];
  readonly tasks: typeof import('../../tasks/index.ts')['tasks'];
}

async function load(): Promise<Built> {
  const from = (path: string) => import(new URL(path, built).href);
  const library = await from('src/index.js');
  return { library, models: (await from('models/index.js')).models, tasks: (await from('tasks/index.js')).tasks };
}

async function expectSameBits({ library, models, tasks }: Built, raw: unknown): Promise<void> {
  const results: Uint8Array[] = [];
  for (const threads of [1, 2, 4]) {
    const experiment = library.createExperiment(raw, { ...models, tasks }, { threads });
    await experiment.ready();
    experiment.train();
    results.push(experiment.checkpoint());
    experiment.close();
  }
  // Traces of all streams are too many bytes to be listed where they differ.
  for (const result of results) expect(Buffer.compare(result, results[0])).toBe(0);
}
const rewired = JSON.stringify({
  connectivity: { kind: 'probability', p: 0.2 },
  rewiring: { kind: 'deep-r', l1: 10, temperature: 0.01 },
  scaling: { kind: 'presynaptic-scaling' },
});

it
  .skipIf(!existsSync(built))
  .each([
    [[]],
    [[`network.recurrent=${rewired}`]],
    [['rule.errorSpikeSize=0.5', 'optimizer.kind=one-step', 'optimizer.delta=0.01', 'optimizer.rates.rec=0.01']],
  ])('the same bits for 1, 2 and 4 threads %j', async (settings) => {
  const parts = await load();
  const { applySettings, preset } = parts.library;
  const raw = applySettings(preset('pattern-generation'), [
    'backend=wasm',
    'training.streams=20',
    'training.total=60',
    'task.steps=150',
    'rateTerm.mean=batch',
    ...settings,
  ]);
  await expectSameBits(parts, raw);
});

const spread = (low: number, high: number) => ({ decay: { kind: 'uniform', low, high } });

it.skipIf(!existsSync(built)).each(['online', 'deferred', 'postponed'])(
  'the same bits of neurons that differ and readouts with different filters, %s',
  async (execution) => {
    const names = ['in', 'own', 'up', 'down', 'one', 'two'];
    const raw = {
      name: 'graph',
      seed: 3,
      backend: 'wasm',
      task: { kind: 'pattern-generation', steps: 150, outputs: 2 },
      network: {
        dtMs: 1,
        populations: {
          a: {
            size: 90,
            neuron: { kind: 'alif', membrane: spread(0.8, 0.97), vTh: 0.5, adaptation: spread(0.9, 0.99) },
          },
          b: {
            size: 41,
            neuron: { kind: 'cuba-lif', membrane: spread(0.8, 0.95), vTh: 0.5, synapse: spread(0.3, 0.7) },
          },
        },
        projections: {
          in: { from: 'input', to: 'a', init: { kind: 'normal', gain: 1.5 } },
          own: { from: 'a', to: 'a' },
          up: { from: 'a', to: 'b', delayMs: 0 },
          down: { from: 'b', to: 'a', delayMs: 3 },
        },
        readouts: {
          one: { from: ['a', 'b'], outputs: [0], readout: { kind: 'leaky', filter: { decay: 0.9 } } },
          two: { from: 'b', outputs: [1], readout: { kind: 'leaky', filter: { decay: 0.6 } } },
        },
      },
      rule: { name: 'e-prop-1', feedback: 'adaptive', errorSpikeSize: 0.5 },
      loss: { kind: 'square' },
      rateTerm: { strength: 0.1, targetHz: 20, mean: 'trial' },
      optimizer: { kind: 'sgd', rates: Object.fromEntries(names.map((name) => [name, 1e-4])) },
      training: { total: 60, streams: 20, execution },
      evaluation: { total: 1, streams: 1 },
    };
    await expectSameBits(await load(), raw);
  },
);
