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
  const { library, models, tasks } = await load();
  const { applySettings, createExperiment, preset } = library;
  const raw = applySettings(preset('pattern-generation'), [
    'backend=wasm',
    'training.streams=20',
    'training.total=60',
    'task.steps=150',
    'rateTerm.mean=batch',
    ...settings,
  ]);
  const results: Uint8Array[] = [];
  for (const threads of [1, 2, 4]) {
    const experiment = createExperiment(raw, { ...models, tasks }, { threads });
    await experiment.ready();
    experiment.train();
    results.push(experiment.checkpoint());
    experiment.close();
  }
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
});
