import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { models } from '../../models/index.ts';
import { givenExperiment } from '../../src/cli/verify/given.ts';
import { linearOf } from '../../src/core/dynamics.ts';
import type { Entry, LinearDynamics, NeuronContext, NeuronDynamics, NeuronModel } from '../../src/core/plugins.ts';
import { type Rows, rowAt } from '../../src/core/rows.ts';
import { gradientOf, type Run } from '../../src/engine/run.ts';
import {
  assertAlive,
  doTrial,
  dynamicsOf,
  expectRefused,
  gatesOutput,
  isRefused,
  type LiveNeuron,
  type LiveOptions,
  type LiveReadout,
  liveExperiment,
  liveNeurons,
  liveReadouts,
  liveSize as n,
} from '../support/live.ts';
import { tolerances } from '../support/tolerances.ts';

/** Gradients by plain loops over the matrices of each neuron, weight by weight: one oracle for neurons of every form. */

const at = (rows: Rows, b: number, t: number, j: number) => rows.data[rowAt(rows, b, t) + j];

/** The states of one neuron and its activity, a step further. */
function advance(
  { states: m, gate, transition, input, own, reset, read }: LinearDynamics,
  j: number,
  h: readonly number[],
  { dI, psi, spike, attached }: { dI: number; psi: number; spike: number; attached: boolean },
): { h: number[]; dz: number } {
  const next = Array.from({ length: m }, (_, r) => {
    let value = input[j * m + r] * (gate === 'spike' ? dI : psi * dI);
    for (let k = 0; k < m; k++) value += transition[(j * m + r) * m + k] * h[k];
    return value + own[j * m + r] * spike - (attached ? reset[j * m + r] * spike : 0);
  });
  const moved = next.reduce((sum, value, r) => sum + read[j * m + r] * value, 0);
  return { h: next, dz: gate === 'spike' ? psi * moved : moved };
}

/** Both blocks of weights with what arrives at them. */
function sidesOf({ network: { spec, trial, activity } }: Run) {
  const [inputs, recurrent] = spec.projections;
  const arriving = [
    (b: number, t: number, i: number) => at(trial.x, b, t, i),
    (b: number, t: number, i: number) => at(activity[0].z, b, t - 1, i),
  ];
  return [inputs, recurrent].map(({ synapses: { nPre, masked } }, q) => ({ nPre, masked, arriving: arriving[q] }));
}

/** What comes back of the errors of step t to neuron j by way of `matrix`. [self][out] */
const toldBy =
  ({ network: { trial, spec } }: Run, matrix: ArrayLike<number>) =>
  (b: number, t: number, j: number) => {
    const { out } = spec.sizes;
    let sum = 0;
    for (let k = 0; k < out; k++) sum += matrix[j * out + k] * at(trial.error, b, t, k);
    return sum;
  };

function dynamicsAs(run: Run): LinearDynamics {
  return linearOf(dynamicsOf(run.network.spec), n);
}

interface Filter {
  readonly decay: number;
  readonly gain: number;
}

/** sum over streams and steps of B_j error(t) eBar_ij(t), for every weight. */
function plainEprop(
  run: Run,
  attached: boolean,
  dynamics = dynamicsAs(run),
  filter: Filter = run.network.spec.readouts[0],
): number[][] {
  const { spec, activity, state } = run.network;
  const { decay: kappa, gain } = filter;
  const told = toldBy(run, state.field('population.rec.signal.B'));
  return sidesOf(run).map(({ nPre, masked, arriving }) =>
    Array.from({ length: nPre * n }, (_, s) => {
      const [i, j] = [Math.floor(s / n), s % n];
      let gradient = 0;
      for (let b = 0; b < spec.sizes.stream && !masked.includes(s); b++) {
        let [h, dz, eBar] = [new Array<number>(dynamics.states).fill(0), 0, 0];
        for (let t = 0; t < spec.sizes.step; t++) {
          const change = { dI: arriving(b, t, i), psi: at(activity[0].psi, b, t, j), spike: dz, attached };
          ({ h, dz } = advance(dynamics, j, h, change));
          eBar = kappa * eBar + gain * dz;
          gradient += told(b, t, j) * eBar;
        }
      }
      return gradient;
    }),
  );
}

/** The same through the whole network: what a weight does to every neuron. */
function plainExact(run: Run, attached: boolean): number[][] {
  const dynamics = dynamicsAs(run);
  const { spec, activity, weights } = run.network;
  const [{ decay: kappa, gain }] = spec.readouts;
  const told = toldBy(run, weights.out);
  const each = Array.from({ length: n }, (_, l) => l);
  return sidesOf(run).map(({ nPre, masked, arriving }) =>
    Array.from({ length: nPre * n }, (_, s) => {
      const [i, j] = [Math.floor(s / n), s % n];
      let gradient = 0;
      for (let b = 0; b < spec.sizes.stream && !masked.includes(s); b++) {
        const zBar = each.map(() => 0);
        let cells = each.map(() => ({ h: new Array<number>(dynamics.states).fill(0), dz: 0 }));
        for (let t = 0; t < spec.sizes.step; t++) {
          const before = cells;
          cells = each.map((l) => {
            let dI = l === j ? arriving(b, t, i) : 0;
            for (const k of each) dI += weights.rec[k * n + l] * before[k].dz;
            const change = { dI, psi: at(activity[0].psi, b, t, l), spike: before[l].dz, attached };
            return advance(dynamics, l, before[l].h, change);
          });
          for (const l of each) {
            zBar[l] = kappa * zBar[l] + gain * cells[l].dz;
            gradient += told(b, t, l) * zBar[l];
          }
        }
      }
      return gradient;
    }),
  );
}

type Rule = NonNullable<LiveOptions['rule']>;

function trialOf(neuron: LiveNeuron, readout: LiveReadout, rule: Rule, execution: string): Run {
  const training = { update: { reduction: 'sum' }, execution };
  const experiment = liveExperiment({ neuron, readout, rule, training });
  const run = doTrial(experiment);
  assertAlive(run);
  return run;
}

const rows = liveNeurons.flatMap((neuron) =>
  liveReadouts.map((readout) => ({ label: `${neuron.label}, ${readout.label}`, neuron, readout })),
);

/** What an input moves in its own step, and no memory of it. */
function presentOf({ gate, states: m, input, read }: LinearDynamics): LinearDynamics {
  const moved = Float64Array.from({ length: n }, (_, j) => {
    return Array.from({ length: m }, (_unused, r) => input[j * m + r] * read[j * m + r]).reduce((a, b) => a + b);
  });
  const none = new Float64Array(n);
  const one = Float64Array.from(none, () => 1);
  return { form: 'linear', states: 1, gate, transition: none, input: moved, own: none, reset: none, read: one };
}

describe.each(rows)('$label: by plain loops', ({ neuron, readout }) => {
  const build =
    (rule: Rule, execution = 'online') =>
    () =>
      trialOf(neuron, readout, rule, execution);

  const executions = ['online', 'deferred'];

  it.each(executions.flatMap((execution) => [false, true].map((resetInTrace) => ({ execution, resetInTrace }))))(
    'e-prop, $execution, reset in trace: $resetInTrace',
    ({ execution, resetInTrace }) => {
      const rule = { name: 'e-prop-1', feedback: 'random', resetInTrace };
      const refused = isRefused(rule, neuron);
      if (refused) {
        expectRefused(build(rule, execution), refused);
        return;
      }
      const run = build(rule, execution)();
      const gradient = gradientOf(run);
      expect([gradient.in, gradient.rec]).toBeClose(plainEprop(run, resetInTrace), tolerances.reordered);
    },
  );

  it.each(executions)('rflo, %s', (execution) => {
    const run = build({ name: 'rflo', feedback: 'random' }, execution)();
    const gradient = gradientOf(run);
    const { decay } = run.network.spec.readouts[0];
    const plain = gatesOutput(neuron)
      ? plainEprop(run, false, presentOf(dynamicsAs(run)), { decay, gain: 1 - decay })
      : plainEprop(run, false);
    expect([gradient.in, gradient.rec]).toBeClose(plain, tolerances.reordered);
  });

  it.each(['bptt', 'rtrl'].flatMap((name) => ['detached', 'attached'].map((reset) => ({ name, reset }))))(
    '$name, reset $reset',
    (rule) => {
      const refused = isRefused(rule, neuron);
      if (refused) {
        expectRefused(build(rule), refused);
        return;
      }
      const run = build(rule)();
      const gradient = gradientOf(run);
      expect([gradient.in, gradient.rec]).toBeClose(plainExact(run, rule.reset === 'attached'), tolerances.identity);
    },
  );
});

describe('a rate neuron by its matrices', () => {
  const rate = models.neurons.find(({ kind }) => kind === 'rate') as Entry<NeuronModel>;
  const kind = 'rate-by-matrices';
  const byMatrices = {
    ...rate,
    kind,
    params: z.strictObject({ kind: z.literal(kind) }),
    derive(_: unknown, context: NeuronContext) {
      const instance = rate.derive(rate.params.parse({ kind: 'rate' }) as never, context);
      return { ...instance, kernel: null, eligibility: linearOf(instance.eligibility as NeuronDynamics, context.size) };
    },
  } as unknown as Entry<NeuronModel>;
  const x = Array.from({ length: 12 }, (_, t) => [Math.sin(t), Math.cos(2 * t)]);
  const trial = { x, target: x.map(([value]) => [value]) };

  it.each([
    ['e-prop-1', 'online'],
    ['e-prop-1', 'deferred'],
    ['bptt', 'online'],
    ['rtrl', 'online'],
  ])('has the gradient of its closed form: %s, %s', (name, execution) => {
    const gradient = (neuron: string) => {
      const experiment = givenExperiment(
        {
          seed: 3,
          network: { neurons: 5, neuron: { kind: neuron }, readout: { kind: 'leaky', filter: { decay: 0.6 } } },
          rule: { name },
          loss: { kind: 'square' },
          optimizer: { kind: 'sgd', rates: { in: 0, rec: 0, out: 0 } },
          training: { total: 1, execution },
        },
        [trial],
        { neurons: [...models.neurons, byMatrices] },
      );
      return gradientOf(doTrial(experiment));
    };
    const [closed, matrices] = [gradient('rate'), gradient(kind)];
    expect(closed.rec.some((value) => value !== 0)).toBe(true);
    expect([matrices.in, matrices.rec]).toBeClose([closed.in, closed.rec], tolerances.reordered);
  });
});
