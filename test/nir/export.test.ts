import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { weightFiles } from '../../src/cli/weights.ts';
import { createRng } from '../../src/core/rng.ts';
import { rowAt } from '../../src/core/rows.ts';
import { writeHdf5 } from '../../src/data/index.ts';
import { createFeed } from '../../src/engine/feed.ts';
import { runTrial } from '../../src/engine/run.ts';
import { createExperiment, type Experiment } from '../../src/experiment/experiment.ts';
import { conventionOf, exportNetwork } from '../../src/nir/export.ts';
import {
  graphOfTree,
  interpret,
  ownParameters,
  readGraph,
  readHdf5,
  targets,
  treeOf,
  writtenOwn,
} from '../../src/nir/index.ts';
import { tasks } from '../../tasks/index.ts';
import { scratchFolder } from '../record/scratch.ts';
import { experimentOf, steps, trained } from './nets.ts';

const [forTorch, forSpyx] = targets;
const strict = { lossy: false, readouts: false, metadata: {} };

/** A network of its own configuration and its weights as files of ours have them. */
function ownOf({ config, run }: Experiment) {
  const files = weightFiles(run.network).map(
    ({ name, shape, values }) => [name, { shape, values: Float64Array.from(values) }] as const,
  );
  return { config, weights: new Map(files) };
}

/** Input and spikes of the last population in a trial. */
function spikesOf({ run, task, config }: Experiment) {
  createFeed(run, task, createRng(config.seed), config.loss.window, 'train').fill(steps);
  runTrial(run, steps, { learn: false, freeze: true });
  const { spec, trial, activity } = run.network;
  const last = spec.populations.length - 1;
  const rows = (data: typeof trial.x, width: number) =>
    Array.from({ length: steps }, (_, t) =>
      Float64Array.from(data.data.subarray(rowAt(data, 0, t), rowAt(data, 0, t) + width)),
    );
  return { x: rows(trial.x, task.nIn), z: rows(activity[last].z, spec.populations[last].size) };
}

describe('twenty small trained networks', () => {
  it.each(Array.from({ length: 20 }, (_, seed) => seed))(
    '%i come back to the bit from their own file, and its graph has their spikes',
    async (seed) => {
      const experiment = trained(seed);
      const own = ownOf(experiment);
      const { graph, neurons, lost } = exportNetwork(experiment.run.network, forTorch, {
        ...strict,
        metadata: writtenOwn(own),
      });
      expect(lost).toEqual([]);
      const path = join(scratchFolder(), 'net.nir');
      await writeHdf5(path, { version: '1.0.8', node: graph });
      const read = graphOfTree(await readHdf5(path), path);
      const back = ownParameters(read.metadata, path);
      expect(back?.config).toEqual(JSON.parse(JSON.stringify(own.config)));
      expect([...(back?.weights ?? [])].sort()).toEqual([...own.weights].sort());

      const convention = conventionOf(forTorch);
      const { x, z } = spikesOf(experiment);
      expect(z.flatMap((row) => Array.from(row)).reduce((sum, value) => sum + value, 0)).toBeGreaterThan(5);
      const got = interpret(readGraph(read, convention, path), convention, x).get(neurons[neurons.length - 1]);
      expect(got?.output).toEqual(z);
    },
  );
});

describe('what is written', () => {
  it('has nodes whose alphabetical order is that of execution, and a recurrence through an identity', () => {
    const { graph } = exportNetwork(trained(1).run.network, forTorch, strict);
    const names = Object.keys(graph.nodes as object);
    expect([...names].sort()).toEqual(names);
    expect(names).toEqual([
      'input',
      'n0000_to_a',
      'n0001_a',
      'n0002_a_rec',
      'n0003_a_same',
      'n0004_to_b',
      'n0005_b',
      'n0006_b_back',
      'output',
    ]);
  });

  it('is the readout too where it is asked for', () => {
    const experiment = trained(0);
    const { graph, notes } = exportNetwork(experiment.run.network, forTorch, { ...strict, readouts: true });
    const read = graphOfTree(treeOf({ node: graph }), 'net');
    const convention = conventionOf(forTorch);
    const { x } = spikesOf(experiment);
    const y = interpret(readGraph(read, convention, 'net'), convention, x).get('output')?.output ?? [];
    const { trial } = experiment.run.network;
    for (let t = 0; t < steps; t++) expect(y[t][0]).toBeCloseTo(trial.y.data[rowAt(trial.y, 0, t)], 5);
    expect(notes).toEqual([expect.stringMatching(/an LI makes snnTorch raise/)]);
  });

  it('resets by subtraction for Spyx, whose layers are a step apart', () => {
    const config = experimentOf(0, {}, { reset: 'subtract' });
    const experiment = createExperiment(config, { ...models, tasks });
    const { graph, neurons } = exportNetwork(experiment.run.network, forSpyx, strict);
    const convention = conventionOf(forSpyx);
    const { x, z } = spikesOf(experiment);
    const got = interpret(readGraph(graphOfTree(treeOf({ node: graph }), 'net'), convention, 'net'), convention, x).get(
      `${neurons[0]}/lif`,
    );
    expect(got?.output.slice(1)).toEqual(z.slice(0, -1));
  });
});

describe('what NIR cannot say is refused by name, or dropped and listed', () => {
  const network = (
    neuron: Record<string, unknown>,
    edit: (config: ReturnType<typeof experimentOf>) => void = () => {},
  ) => {
    const config = experimentOf(1, {}, neuron);
    edit(config);
    return createExperiment(config, { ...models, tasks }).run.network;
  };
  it.each([
    [{ reset: 'subtract' }, /population a: its reset "subtract" becomes "zero"/],
    [{ nRef: 3 }, /population b: its refractory period of 2 steps is not in NIR/],
    [{ fires: '>=' }, /it fires at its threshold/],
    [{ rest: 0.1 }, /its resting potential/],
    [{ rest: 0.1, initial: 0 }, /its resting potential/],
    [{ kind: 'alif', adaptBeta: 0.1 }, /its threshold adaptation is not in NIR/],
  ])('%j', (neuron, message) => {
    expect(() => exportNetwork(network(neuron), forTorch, strict)).toThrow(message);
    expect(() => exportNetwork(network(neuron), forTorch, strict)).toThrow(/--lossy/);
    const { lost } = exportNetwork(network(neuron), forTorch, { ...strict, lossy: true });
    expect(lost.join('; ')).toMatch(message);
  });

  it('a delay', () => {
    const late = network({}, ({ network: { projections } }) => {
      (projections['a-a'] as { delayMs?: number }).delayMs = 3;
    });
    expect(() => exportNetwork(late, forTorch, strict)).toThrow(/projection a-a: its delay of 3 steps becomes 1/);
  });

  it('what has no node at all, --lossy or not', () => {
    const reset = network({ resetTo: -0.1 });
    expect(() => exportNetwork(reset, forTorch, { ...strict, lossy: true })).toThrow(
      /population a has neurons "lif" as they are set/,
    );
    expect(() => exportNetwork(network({ reset: 'subtract' }), forSpyx, { ...strict, lossy: true })).toThrow(
      /feeds back to an earlier population/,
    );
  });
});

it('real files of frameworks read as their JSON twins say', async () => {
  const twin = JSON.parse(readFileSync(join(import.meta.dirname, '../golden/nir-run-norse-lifbox.json'), 'utf8')) as {
    hdf5: never;
  };
  const path = join(import.meta.dirname, '../../examples/norse-lifbox.nir');
  const { treeOfJson } = await import('../../src/nir/index.ts');
  expect(graphOfTree(await readHdf5(path), 'x')).toEqual(graphOfTree(treeOfJson(twin.hdf5, 'x'), 'x'));
});
