import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { root } from './cli.ts';
import { installed, packed, ran, tsc } from './installed.ts';

/** A program that uses every entry point. */
const program = `import { createExperiment, type ExperimentConfig, type LoadedTensorFlow, loadKernels, preset } from 'spiketrace';
import { catalogue, ready } from 'spiketrace/browser';
import { loadRun, readNpy, trainInto, weightFiles, writeNpy } from 'spiketrace/files';
import { deploy, profileSchema } from 'spiketrace/hardware';
import { models } from 'spiketrace/models';
import { namedConventions, readGraph } from 'spiketrace/nir';
import { renderLearningCurve } from 'spiketrace/plot';
import { tasks } from 'spiketrace/tasks';

const given = { ...preset('four-six-back'), backend: 'reference' };
const experiment = createExperiment(given, { ...models, tasks });
const config: ExperimentConfig = experiment.config;
const engineOf = (found: LoadedTensorFlow): string => found.engine;
for (const used of [deploy, renderLearningCurve, loadKernels, readGraph, ready, engineOf, profileSchema.parse]) {
  if (typeof used !== 'function') throw new Error('not exported');
}
experiment.train({ until: 4000 });
const few = { ...given, training: { total: 320, streams: 16, chunkSteps: 10 } };
trainInto('from-a-program', few, { until: 160, goOn: true }).then(({ folder, amount }) => {
  const [first] = weightFiles(loadRun(folder).run.network);
  const { shape, data } = readNpy(folder + '/weights/' + first.name + '.npy');
  writeNpy('copy.npy', data, shape);
  if (amount !== 160 || data[3] !== first.values[3] || readNpy('copy.npy').data[3] !== data[3]) throw new Error('files');
  console.log(config.seed, catalogue.rules.length === models.rules.length, experiment.evaluate({ total: 160 }).loss > 0);
});
`;

/** The same for CommonJS, where Node loads ES modules that do not await at their top. */
const commonJs = `const { createExperiment, preset } = require('spiketrace');
const { models } = require('spiketrace/models');
const { tasks } = require('spiketrace/tasks');
for (const entry of ['hardware', 'plot', 'browser', 'files', 'nir']) if (!require('spiketrace/' + entry)) throw new Error(entry);
console.log(createExperiment(preset('four-six-back'), { ...models, tasks }).config.seed);
`;

describe('a program that has installed the package', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await installed(await packed());
    writeFileSync(join(folder, 'program.mts'), program);
    writeFileSync(join(folder, 'program.cts'), program);
    writeFileSync(join(folder, 'program.cjs'), commonJs);
    // What a program needs for console and its own files, and what the package must not need: types of nothing else.
    for (const name of ['@types/node', 'undici-types']) {
      mkdirSync(join(folder, 'node_modules/@types'), { recursive: true });
      cpSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), { recursive: true });
    }
  }, 120_000);

  const compile = (file: string, options: string) =>
    ran(
      process.execPath,
      [tsc, '--ignoreConfig', '--strict', '--exactOptionalPropertyTypes', ...options.split(' '), file],
      folder,
    );

  it.each([
    ['nodenext, without a DOM', '--module nodenext --lib es2022 --types node'],
    ['nodenext, with a DOM and without Node', '--module nodenext --lib es2022,dom'],
    ['a bundler', '--module esnext --moduleResolution bundler --lib es2022,dom'],
  ])('compiles strictly and without skipLibCheck: %s', async (_, options) => {
    await compile('program.mts', `--noEmit --target es2022 ${options}`);
  });

  it('runs', async () => {
    await compile('program.mts', '--target es2022 --module nodenext --lib es2022 --types node');
    expect(await ran(process.execPath, ['program.mjs'], folder)).toBe('1 true true\n');
  });

  it('may be CommonJS: it compiles and runs', async () => {
    expect(await ran(process.execPath, ['program.cjs'], folder)).toBe('1\n');
    await compile('program.cts', '--target es2022 --module nodenext --lib es2022 --types node');
    expect(await ran(process.execPath, ['program.cjs'], folder)).toBe('1 true true\n');
  });
});
