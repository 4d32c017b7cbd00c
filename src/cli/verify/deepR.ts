import { deepRWith } from '../../../models/index.ts';
import { updateWeights } from '../../engine/run.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { givenExperiment, projectionMatrix, setProjection } from './given.ts';
import { compare, compareAbsolute, flatten, type Quantity, type Subject } from './report.ts';

const exact = 1e-12;

type Matrix = readonly (readonly number[])[];

interface GivenStep {
  readonly gradient: Matrix;
  readonly noise: Matrix;
  readonly order: readonly number[];
  readonly disconnected: readonly number[];
  readonly reconnected: readonly number[];
  readonly active: number;
  /** Given after some steps only. */
  readonly theta?: Matrix;
}

/** A golden file of kind `deep-r`: updates of one projection whose gradients, noise and order of candidates are given. */
export interface DeepRFile {
  readonly params: {
    readonly n_pre: number;
    readonly n_post: number;
    readonly eta: number;
    readonly l1: number;
    readonly temperature: number;
    readonly theta_new: number;
    readonly target: number;
    readonly recurrent: boolean;
  };
  readonly sign: Matrix;
  readonly theta_start: Matrix;
  readonly steps: readonly GivenStep[];
  readonly w_after: Matrix;
}

/** What an update did, as its chance saw it. */
interface Seen {
  disconnected: number[];
  reconnected: number[];
}

/** Compares every quantity of the file with what the engine computes. */
export function verifyDeepR(file: DeepRFile, subject: Subject): Quantity[] {
  const { params, steps, w_after } = file;
  const seen: Seen = { disconnected: [], reconnected: [] };
  const { run } = build(file, subject, seen);
  const { spec, state, weights, gradient } = run.network;
  const { connected, sign } = state.views('projection.synapses.rewiring');
  setProjection(run.network, 'synapses', times(file.theta_start, file.sign));
  sign.set(flatten(file.sign));
  const active = () => connected.filter((one: number) => one !== 0).length;
  const quantities = [compare('params.target', [active()], params.target, 0)];
  steps.forEach((step, n) => {
    const before = Float64Array.from(connected);
    Object.assign(seen, { disconnected: [], reconnected: [] });
    gradient.synapses.set(flatten(step.gradient));
    updateWeights(run, 1, 0);
    const gone = seen.disconnected.filter((s) => before[s] === 1);
    quantities.push(
      compare(`disconnected (step ${n})`, gone, step.disconnected, 0),
      compare(`reconnected (step ${n})`, seen.reconnected, step.reconnected, 0),
      compare(`active (step ${n})`, [active()], step.active, 0),
    );
    if (step.theta) {
      const theta = weights.synapses.map((w, s) => sign[s] * w);
      quantities.push(compareAbsolute(`theta (step ${n})`, theta, step.theta, subject.tolerance(exact)));
    }
  });
  const after = projectionMatrix(spec, weights, 'synapses');
  return [...quantities, compareAbsolute('w_after', after, w_after, subject.tolerance(exact))];
}

/** A network of one projection that is rewired by the file's chance; what the updates did is left in `seen`. */
function build(file: DeepRFile, { backend }: Subject, seen: Seen): Experiment {
  const { params: p, theta_start: theta, steps } = file;
  const rewiring = deepRWith(() => ({
    noise: (count, noise) => noise.set(flatten(steps[count - 1].noise)),
    order(count, absent, n, wanted) {
      const free = new Set(absent.subarray(0, n));
      const listed = steps[count - 1].order.filter((s) => free.has(s));
      absent.set(listed);
      seen.disconnected = [...free].sort((a, b) => a - b);
      seen.reconnected = listed.slice(0, wanted);
    },
    sign: () => 1,
  }));
  const neuron = { kind: 'lif', membrane: { decay: 0 }, vTh: 1, gamma: 1 };
  const post = { post: { size: p.n_post, neuron } };
  const pairs = theta.flatMap((row, i) => row.flatMap((value, j) => (value > 0 ? [[i, j]] : [])));
  return givenExperiment(
    {
      backend,
      network: {
        populations: p.recurrent ? post : { pre: { size: p.n_pre, neuron }, ...post },
        projections: {
          synapses: {
            from: p.recurrent ? 'post' : 'pre',
            to: 'post',
            connectivity: { kind: 'pairs', pairs },
            rewiring: { kind: 'deep-r', l1: p.l1, temperature: p.temperature, newTheta: p.theta_new },
          },
        },
        readouts: { out: { from: 'post' } },
      },
      rule: { name: 'e-prop-1' },
      loss: { kind: 'square' },
      optimizer: { kind: 'sgd', rates: { synapses: p.eta, out: 0 } },
      training: { total: steps.length },
    },
    [{ x: [[0]], target: [[0]] }],
    { rewirings: [rewiring] },
  );
}

function times(a: Matrix, b: Matrix): number[][] {
  return a.map((row, i) => row.map((value, j) => value * b[i][j]));
}
