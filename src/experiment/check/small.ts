import { ConfigError, UnsupportedError } from '../../core/errors.ts';
import type { Catalogue, Entry, TaskModel } from '../../core/plugins.ts';
import { createRng } from '../../core/rng.ts';
import { createFeed } from '../../engine/feed.ts';
import { type Run, runTrial } from '../../engine/run.ts';
import { createExperiment, type Experiment } from '../experiment.ts';
import { checkTask } from './driver.ts';

/** The small network that parts are put into. */

export type List = Exclude<keyof Catalogue, 'tasks'>;
export type Json = Readonly<Record<string, unknown>>;
export type Build = (changes?: Json) => Experiment;

const lif = { kind: 'lif', membrane: { decay: 0.8 }, vTh: 0.6, nRef: 3, psiWidth: 1.2 };
const leaky = { kind: 'leaky', filter: { decay: 0.7 } };
export const trials = 6;
export const steps = 30;

/** Networks that are tried one after the other; the first that can be built is checked. */
const surroundings: readonly Json[] = [
  {},
  { loss: { kind: 'softmax' }, task: { target: 'one-hot' } },
  { network: { neuron: { kind: 'rate' } } },
  { training: { update: { every: 1, unit: 'step' } }, rateTerm: { mean: 'running' } },
];

/** The rule of parts that are no rule. */
export const ours = { name: 'e-prop-1', feedback: 'symmetric' };

/** The part last, so that what it is put into never stands for it. */
function around(list: List, choice: Json, surrounding: Json): Json {
  const network = {
    neurons: 7,
    neuron: lif,
    readout: leaky,
    input: { init: { kind: 'normal', gain: 1.2 }, bias: 0.15 },
  };
  const plain = {
    seed: 5,
    backend: 'reference',
    task: { kind: checkTask.kind, steps },
    network,
    rule: ours,
    loss: { kind: 'square' },
    optimizer: { kind: 'sgd', rates: { in: 0.01, rec: 0.01, out: 0.01 } },
    training: { total: 2 * trials, streams: 2 },
    evaluation: { total: 2, streams: 1 },
  };
  const config = merge(plain, surrounding);
  const factored = { name: 'factored', trace: { kind: 'eligibility' }, signal: { kind: 'broadcast' } };
  switch (list) {
    case 'neurons':
      return merge(config, { network: { neuron: choice } });
    case 'readouts':
      return merge(config, { network: { readout: choice } });
    case 'losses':
      return merge(config, { loss: choice });
    case 'traces':
      return { ...config, rule: { ...factored, trace: choice } };
    case 'signals':
      return { ...config, rule: { ...factored, signal: choice } };
    case 'modulators':
      return { ...config, modulator: choice };
    case 'rewirings':
      return merge(config, {
        network: { recurrent: { connectivity: { kind: 'probability', p: 0.5 }, rewiring: choice } },
      });
    case 'scalings':
      return merge(config, { network: { recurrent: { scaling: choice } } });
    case 'optimizers':
      return merge(config, { optimizer: { ...(config.optimizer as Json), ...choice } });
    case 'rules':
      return { ...config, rule: choice };
    case 'direct':
    case 'passes':
      return config;
    default:
      return list satisfies never;
  }
}

/** Objects without a kind or name of their own are merged; all else is replaced. */
function merge(into: Json, changes: Json): Json {
  const isPlain = (value: unknown): value is Json =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  return Object.fromEntries(
    [...new Set([...Object.keys(into), ...Object.keys(changes)])].map((key) => {
      const [old, given] = [into[key], changes[key]];
      if (!Object.hasOwn(changes, key)) return [key, old];
      const whole = !isPlain(old) || !isPlain(given) || Object.hasOwn(given, 'kind') || Object.hasOwn(given, 'name');
      return [key, whole ? given : merge(old, given)];
    }),
  );
}

export function trained(experiment: Experiment): Experiment {
  experiment.train();
  return experiment;
}

/** The next trial of a run; weights stay. */
export function doTrial(experiment: Experiment, learn: boolean): Run {
  const { run, task, config } = experiment;
  const rng = createRng(config.seed).split('data');
  createFeed(run, task, rng, config.loss.window, 'train').fill(run.network.spec.sizes.step);
  runTrial(run, run.network.spec.sizes.step, { learn, freeze: true });
  return run;
}

/**
 * Makes small networks with a part in them, of the first kind of network that can be built.
 * @param choice the part with its parameters, `{ kind }` or `{ name }` with what has no default
 * @returns what makes them, with changes to the configuration; or why there is none
 */
export function smallNetworks(list: List, choice: Json, catalogue: Catalogue): Build | string {
  const parts: Catalogue = { ...catalogue, tasks: [checkTask as unknown as Entry<TaskModel>] };
  const reasons: string[] = [];
  for (const surrounding of surroundings) {
    const config = around(list, choice, surrounding);
    try {
      createExperiment(config, parts).close();
      return (changes = {}) => createExperiment(merge(config, changes), parts);
    } catch (error) {
      if (!(error instanceof ConfigError || error instanceof UnsupportedError)) throw error;
      reasons.push(error.message);
    }
  }
  return reasons[0];
}
