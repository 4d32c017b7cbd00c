import type { Real } from '../../core/layout.ts';
import type { Network } from '../../core/network.ts';
import { createRng } from '../../core/rng.ts';
import { columnsOf } from '../../core/rows.ts';
import { createFeed } from '../../engine/feed.ts';
import { gradientOf, runTrial } from '../../engine/run.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import {
  type BaseParams,
  baseNeuron,
  baseReadout,
  type GivenTrial,
  givenExperiment,
  projectionMatrix,
  rowsOf,
  runOnce,
  setProjection,
} from './given.ts';
import { compare, flatten, type Nested, type Quantity, type Subject } from './report.ts';

const exact = 1e-10;

type Matrix = readonly (readonly number[])[];
type Series = readonly Matrix[];
type Feedback = 'symmetric' | 'random';

interface Weights {
  readonly w_in: Matrix;
  readonly w_rec: Matrix;
  readonly w_pi: Matrix;
  readonly w_v: Matrix;
  readonly b_pi: readonly number[];
  readonly b_v: readonly number[];
}

/** Reward-based e-prop: an actor and a critic whose TD error scales discounted traces; see the file's own `meta`. */
export interface EpropRewardFile extends Weights {
  readonly params: BaseParams & {
    readonly discount: number;
    readonly c_v: number;
    readonly eta: number;
  };
  readonly feedback_pi: Matrix;
  readonly feedback_v: Matrix;
  readonly x: Series;
  readonly action: Matrix;
  readonly reward: Matrix;
  readonly v: Series;
  readonly a: Series;
  readonly z: Series;
  readonly psi: Series;
  readonly logits: Series;
  readonly pi: Series;
  readonly value: Matrix;
  readonly delta: Matrix;
  readonly return: Matrix;
  readonly learning_signal_symmetric: Series;
  readonly learning_signal_random: Series;
  readonly synapses_input: Matrix;
  readonly synapses_recurrent: Matrix;
  readonly ebar_input: Series;
  readonly ebar_recurrent: Series;
  readonly F_input: Series;
  readonly F_recurrent: Series;
  readonly F_v: Series;
  readonly F_pi: Series;
  readonly updates: Readonly<Record<Feedback, Weights>>;
  readonly cumulative_symmetric_at_t: Readonly<Record<string, Pick<Weights, 'w_in' | 'w_rec'>>>;
  readonly advantage_form_symmetric: { readonly w_rec: Matrix };
  readonly online: {
    readonly weights_after: Weights;
    readonly value: Matrix;
    readonly z: Series;
    readonly delta: Matrix;
  };
}

/** Compares every quantity of the file with what the engine computes. */
export function verifyEpropReward(file: EpropRewardFile, subject: Subject): Quantity[] {
  return [...states(file, subject), ...updates(file, subject), ...inSteps(file), ...online(file)];
}

interface Setting {
  readonly feedback: Feedback;
  /** When weights change: after a trial of all streams, or after every step. */
  readonly unit: 'trial' | 'step';
  readonly execution: 'online' | 'deferred';
  readonly streams: number;
  readonly rate: number;
}

function build(file: EpropRewardFile, backend: Subject['backend'], setting: Setting): Experiment {
  const { params: p } = file;
  const { feedback, unit, execution, streams, rate } = setting;
  const readout = baseReadout(p, true);
  const choices = Array.from({ length: p.n_out }, (_, k) => k);
  const rates = Object.fromEntries(['in', 'rec', 'actor', 'critic'].map((name) => [name, rate]));
  const experiment = givenExperiment(
    {
      backend,
      network: {
        populations: { rec: { size: p.n_rec, neuron: baseNeuron(p) } },
        projections: { in: { from: 'input', to: 'rec' }, rec: { from: 'rec', to: 'rec' } },
        readouts: {
          actor: { from: 'rec', readout, outputs: choices, loss: { kind: 'policy' } },
          critic: { from: 'rec', readout, outputs: [p.n_out], loss: { kind: 'value' }, weight: p.c_v },
        },
      },
      rule: { name: 'e-prop-1', feedback },
      modulator: { kind: 'td-error', discount: p.discount },
      loss: { kind: 'square' },
      optimizer: { kind: 'sgd', rates },
      training: { total: p.batch, streams, update: { reduction: 'sum', unit }, execution },
    },
    trialsOf(file),
  );
  setWeights(file, experiment.run.network);
  return experiment;
}

/** Outputs of the task are the choices, then the value, which has no target. */
function trialsOf({ params, x, action, reward }: EpropRewardFile): GivenTrial[] {
  return x.map((rows, b) => ({
    x: rows,
    target: action[b].map((taken) => Array.from({ length: params.n_out + 1 }, (_, k) => (k === taken ? 1 : 0))),
    reward: reward[b],
  }));
}

function setWeights(file: EpropRewardFile, network: Network): void {
  const { weights, state } = network;
  setProjection(network, 'in', file.w_in);
  setProjection(network, 'rec', file.w_rec);
  weights.actor.set(flatten(file.w_pi));
  weights['actor.bias'].set(file.b_pi);
  weights.critic.set(flatten(file.w_v));
  weights['critic.bias'].set(file.b_v);
  const { B } = state.views('population.rec.signal');
  if (B) B.set(file.feedback_pi.flatMap((row, j) => [...row, ...file.feedback_v[j]]));
}

function states(file: EpropRewardFile, subject: Subject): Quantity[] {
  const { T: steps, batch, n_rec: n, n_out: nOut } = file.params;
  const tolerance = subject.tolerance(exact);
  const setting = { feedback: 'symmetric', unit: 'trial', execution: 'online', streams: batch, rate: 0 } as const;
  const experiment = build(file, subject.backend, setting);
  const { network } = experiment.run;
  const kept = { v: new Float64Array(batch * steps * n), a: new Float64Array(batch * steps * n) };
  runOnce(experiment, (_run, t) => {
    const state = network.state.views('population.rec');
    for (const field of ['v', 'a'] as const) {
      for (let b = 0; b < batch; b++) kept[field].set(state[field].subarray(b * n, (b + 1) * n), (b * steps + t) * n);
    }
  });
  const [{ z, psi }] = network.activity;
  const { y } = network.trial;
  const logits = rowsOf(columnsOf(y, 0, nOut), batch, steps);
  const value = rowsOf(columnsOf(y, nOut, 1), batch, steps);
  const delta = deltasOf(experiment, batch, steps);
  return [
    compare('z', rowsOf(z, batch, steps), file.z, 0),
    compare('v', kept.v, file.v, tolerance),
    compare('a', kept.a, file.a, tolerance),
    compare('psi', rowsOf(psi, batch, steps), file.psi, tolerance),
    compare('logits', logits, file.logits, tolerance),
    compare('pi', softmaxes(logits, nOut), file.pi, tolerance),
    compare('value', value, file.value, tolerance),
    compare('delta', delta, file.delta, tolerance),
    compare('return', returnsOf(delta, value, file.params.discount, steps), file.return, tolerance),
  ];
}

/** m of every stream and step of the trial that has just been done. */
function deltasOf({ run }: Experiment, streams: number, steps: number): number[] {
  const all = new Array<number>(streams * steps).fill(0);
  for (let t = 0; t < steps; t++) {
    run.modulator?.at(t, steps).forEach((m, b) => {
      all[b * steps + t] = m;
    });
  }
  return all;
}

/** The return is the value and all TD errors to come, discounted. */
function returnsOf(delta: readonly number[], value: readonly number[], discount: number, steps: number): number[] {
  const all = [...value];
  for (let first = 0; first < all.length; first += steps) {
    let later = 0;
    for (let s = first + steps - 1; s >= first; s--) {
      later = delta[s] + discount * later;
      all[s] += later;
    }
  }
  return all;
}

function softmaxes(logits: readonly number[], n: number): number[] {
  return logits.map((logit, at) => {
    const first = at - (at % n);
    const all = logits.slice(first, first + n).map((other) => Math.exp(other - logit));
    return 1 / all.reduce((sum, part) => sum + part, 0);
  });
}

/** Updates of a whole batch, with the errors scaled: as traces go forwards, and backwards without any. */
function updates(file: EpropRewardFile, subject: Subject): Quantity[] {
  const { batch, eta } = file.params;
  return (['symmetric', 'random'] as const).flatMap((feedback) =>
    (['online', 'deferred'] as const).flatMap((execution) => {
      const setting = { feedback, unit: 'trial', execution, streams: batch, rate: 0 } as const;
      const experiment = build(file, subject.backend, setting);
      runOnce(experiment);
      const named = (part: string) => `updates.${feedback}.${part} (${execution})`;
      const got = blocksOf(experiment, gradientOf(experiment.run), -eta);
      const forms = compareBlocks(named, got, file.updates[feedback], subject.tolerance(exact));
      if (feedback === 'random') return forms;
      const { w_rec: wanted } = file.advantage_form_symmetric;
      const form = compare(
        `advantage_form_symmetric.w_rec (${execution})`,
        got.w_rec,
        wanted,
        subject.tolerance(exact),
      );
      return [...forms, form];
    }),
  );
}

type Blocks = Readonly<Record<keyof Weights, number[]>>;

function blocksOf({ run }: Experiment, values: Readonly<Record<string, Real>>, factor: number): Blocks {
  const { spec } = run.network;
  const scaled = (block: ArrayLike<number>) => Array.from(block, (value) => factor * value);
  return {
    w_in: scaled(projectionMatrix(spec, values, 'in')),
    w_rec: scaled(projectionMatrix(spec, values, 'rec')),
    w_pi: scaled(values.actor),
    w_v: scaled(values.critic),
    b_pi: scaled(values['actor.bias']),
    b_v: scaled(values['critic.bias']),
  };
}

function compareBlocks(named: (part: string) => string, got: Blocks, want: Weights, tolerance: number): Quantity[] {
  return (Object.keys(got) as (keyof Weights)[]).map((part) =>
    compare(named(part), got[part], want[part] as Nested, tolerance),
  );
}

/** What is kept for the modulator step by step, with weights as they are. Only the reference backend has it. */
function inSteps(file: EpropRewardFile): Quantity[] {
  const tolerance = exact;
  const { batch, T: steps, eta } = file.params;
  const setting = { feedback: 'symmetric', unit: 'step', execution: 'online', streams: batch, rate: 0 } as const;
  const experiment = build(file, 'reference', setting);
  const { state } = experiment.run.network;
  const traced = (['input', 'recurrent'] as const).map((which) => {
    const name = which === 'input' ? 'in' : 'rec';
    const places = file[`synapses_${which}`].map(([i, j]) => i * file.params.n_rec + j);
    return { which, name, places, ebar: series(places, batch, steps), F: series(places, batch, steps) };
  });
  const sums: Record<string, Blocks> = {};
  runOnce(experiment, (run, t) => {
    if (t > 0) sums[t - 1] = blocksOf(experiment, gradientOf(run), -eta);
    for (const { name, places, ebar, F } of traced) {
      const eBar = state.field(`projection.${name}.trace.eBar`);
      const G = state.field(`modulator.${name}.G`);
      const length = eBar.length / batch;
      places.forEach((place, s) => {
        for (let b = 0; b < batch; b++) {
          ebar[s][b][t] = eBar[b * length + place];
          F[s][b][t] = G[b * length + place];
        }
      });
    }
  });
  sums[steps - 1] = blocksOf(experiment, gradientOf(experiment.run), -eta);
  const signal = experiment.run.network.activity[0].signals[0];
  const last = (name: string) => state.field(`modulator.${name}.G`);
  return [
    compare('learning_signal_symmetric', rowsOf(signal, batch, steps), file.learning_signal_symmetric, tolerance),
    randomSignals(file),
    ...traced.flatMap(({ which, ebar, F }) => [
      compare(`ebar_${which}`, flatten(ebar), file[`ebar_${which}`], tolerance),
      compare(`F_${which}`, flatten(F), file[`F_${which}`], tolerance),
    ]),
    compare('F_pi', last('actor'), file.F_pi, tolerance),
    compare('F_v', last('critic'), file.F_v, tolerance),
    ...Object.entries(file.cumulative_symmetric_at_t).flatMap(([t, want]) =>
      (['w_in', 'w_rec'] as const).map((part) =>
        compare(`cumulative_symmetric_at_t.${t}.${part}`, sums[t][part], want[part], tolerance),
      ),
    ),
    ...compareBlocks(
      (part) => `updates.symmetric.${part} (in steps)`,
      sums[steps - 1],
      file.updates.symmetric,
      tolerance,
    ),
  ];
}

/** [synapse][stream][step] */
function series(places: readonly number[], batch: number, steps: number): number[][][] {
  return places.map(() => Array.from({ length: batch }, () => new Array<number>(steps).fill(0)));
}

function randomSignals(file: EpropRewardFile): Quantity {
  const { batch, T: steps } = file.params;
  const setting = { feedback: 'random', unit: 'step', execution: 'online', streams: batch, rate: 0 } as const;
  const experiment = build(file, 'reference', setting);
  runOnce(experiment);
  const signal = experiment.run.network.activity[0].signals[0];
  return compare('learning_signal_random', rowsOf(signal, batch, steps), file.learning_signal_random, exact);
}

/** Trials one after the other, weights change after every step. */
function online(file: EpropRewardFile): Quantity[] {
  const { batch, T: steps, n_out: nOut, eta } = file.params;
  const setting = { feedback: 'random', unit: 'step', execution: 'online', streams: 1, rate: eta } as const;
  const experiment = build(file, 'reference', setting);
  const { run, task } = experiment;
  const feed = createFeed(run, task, createRng(1), null, 'train');
  const seen = { value: [] as number[], z: [] as number[], delta: [] as number[] };
  for (let trial = 0; trial < batch; trial++) {
    feed.fill(steps);
    runTrial(run, steps, { learn: true });
    const { y } = run.network.trial;
    const [{ z }] = run.network.activity;
    seen.value.push(...rowsOf(columnsOf(y, nOut, 1), 1, steps));
    seen.z.push(...rowsOf(z, 1, steps));
    seen.delta.push(...deltasOf(experiment, 1, steps));
  }
  return [
    compare('online.z', seen.z, file.online.z, 0),
    compare('online.value', seen.value, file.online.value, exact),
    compare('online.delta', seen.delta, file.online.delta, exact),
    ...compareBlocks(
      (part) => `online.weights_after.${part}`,
      blocksOf(experiment, run.network.weights, 1),
      file.online.weights_after,
      exact,
    ),
  ];
}
