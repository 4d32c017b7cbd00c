import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { givenExperiment } from '../../src/cli/verify/given.ts';
import { linearOf } from '../../src/core/dynamics.ts';
import { ConfigError, UnsupportedError } from '../../src/core/errors.ts';
import type { NeuronInstance } from '../../src/core/plugins.ts';
import { createRng } from '../../src/core/rng.ts';
import { type Rows, rowAt } from '../../src/core/rows.ts';
import { checkDynamics } from '../../src/experiment/dynamics.ts';
import type { Experiment } from '../../src/experiment/experiment.ts';
import { closedDynamicsOf, doTrial, dynamicsOf } from '../support/live.ts';
import { tolerances } from '../support/tolerances.ts';

/** Networks of one to three neurons, with every expected number worked out by hand from the models' equations. */

interface Setup {
  readonly neuron: { readonly kind: string; readonly [parameter: string]: unknown };
  /** Input of every trial, [trial][t]. */
  readonly x: readonly (readonly number[])[];
  /** Weights of the one input, [rec]. */
  readonly wIn?: readonly number[];
  /** [pre][post] */
  readonly wRec?: readonly (readonly number[])[];
  readonly network?: Readonly<Record<string, unknown>>;
  readonly training?: Readonly<Record<string, unknown>>;
  readonly readout?: Readonly<Record<string, unknown>>;
}

function build({ neuron, x, wIn = [1], wRec, network, training, readout }: Setup): Experiment {
  const experiment = givenExperiment(
    {
      network: {
        neurons: wIn.length,
        neuron,
        readout: { kind: 'leaky', filter: { decay: 0 }, bias: false, ...readout },
        recurrent: { autapses: true },
        ...network,
      },
      rule: { name: 'e-prop-1' },
      loss: { kind: 'square' },
      optimizer: { kind: 'sgd', rates: { in: 0, rec: 0, out: 0 } },
      training: { total: x.length, execution: 'online', ...training },
    },
    x.map((steps) => ({ x: steps.map((value) => [value]), target: steps.map(() => [0]) })),
  );
  const { weights } = experiment.run.network;
  weights.in.set(wIn);
  weights.rec.fill(0);
  if (wRec) weights.rec.set(wRec.flat());
  weights.out.fill(1);
  return experiment;
}

/** Runs all trials and collects the values of every step, [field][step][neuron]. */
function run(setup: Setup, fields: readonly string[] = []): Record<string, number[][]> {
  const experiment = build(setup);
  const { network } = experiment.run;
  const { step: steps } = network.spec.sizes;
  const [{ size: n, neuron }] = network.spec.populations;
  const seen: Record<string, number[][]> = { z: [], psi: [] };
  for (const field of fields) seen[field] = [];
  const row = new Float64Array(n);
  for (const _ of setup.x) {
    doTrial(experiment, {
      onStep() {
        for (const field of fields) {
          if (field === 'threshold') neuron.threshold?.(network.state.views('population.rec'), 0, row);
          seen[field].push(Array.from(field === 'threshold' ? row : network.state.field(`population.rec.${field}`)));
        }
      },
    });
    for (let t = 0; t < steps; t++) {
      seen.z.push(Array.from(network.activity[0].z.data.subarray((1 + t) * n, (2 + t) * n)));
      seen.psi.push(Array.from(network.activity[0].psi.data.subarray(t * n, (t + 1) * n)));
    }
  }
  return seen;
}

const lif = { kind: 'lif', membrane: { decay: 0.5 }, vTh: 1, gamma: 0.5 };
const alif = { ...lif, kind: 'alif', adaptation: { decay: 0.5 }, adaptBeta: 0.5 };
const column = (...values: number[]) => values.map((value) => [value]);

describe('lif', () => {
  it('integrates, fires above its threshold and loses the threshold one step later', () => {
    const { v, z, psi } = run({ neuron: lif, x: [[0.75, 0.75, 0.75, 0]] }, ['v']);
    expect(v).toEqual(column(0.75, 1.125, 0.3125, 0.15625));
    expect(z).toEqual(column(0, 1, 0, 0));
    expect(psi).toEqual(column(0.375, 0.4375, 0.15625, 0.078125));
  });

  it('measures the pseudo-derivative in units of its threshold', () => {
    const { v, z, psi } = run({ neuron: { ...lif, vTh: 2 }, x: [[1.5, 1.5, 1.5, 0]] }, ['v']);
    expect(v).toEqual(column(1.5, 2.25, 0.625, 0.3125));
    expect(z).toEqual(column(0, 1, 0, 0));
    expect(psi).toEqual(column(0.1875, 0.21875, 0.078125, 0.0390625));
  });

  it('takes a height and a width of the pseudo-derivative, which is 0 beyond it on both sides', () => {
    const { psi } = run({ neuron: { ...lif, psiHeight: 3, psiWidth: 0.25 }, x: [[0.875, 0, 3, 0]] }, []);
    expect(psi).toEqual(column(1.5, 0, 0, 0));
  });

  it('rounds the pseudo-derivative to levels of its height, halves up', () => {
    const x = [[1, 0.5 + 0.375, 0, 0]];
    const smooth = run({ neuron: { ...lif, psiHeight: 1, psiWidth: 1 }, x }, ['v']);
    const slopes = smooth.v.map(([v]) => Math.max(0, 1 - Math.abs(v - 1)));
    const seen = new Set<number>();
    for (const levels of [2, 3, 5]) {
      const { psi } = run({ neuron: { ...lif, psiHeight: 0.75, psiWidth: 1, psiLevels: levels }, x }, []);
      const wanted = slopes.map((slope) => (0.75 * Math.floor(slope * (levels - 1) + 0.5)) / (levels - 1));
      expect(psi).toEqual(column(...wanted));
      for (const value of wanted) seen.add(value);
    }
    expect(seen.size).toBeGreaterThan(3);
  });

  it('three levels are a staircase of five steps, as ReckOn has it', () => {
    const x = [[1.05, 0.2, 0.1, 1.16, 0.47, 0.3, 0.1, 1.3, 2, 0, 0.7, 1.1, 0.4]];
    const levels = run({ neuron: { ...lif, psiHeight: 0.5, psiWidth: 0.6, psiLevels: 3 }, x }, []);
    const psiSteps = { edges: [-0.45, -0.15, 0.15, 0.45], heights: [0, 0.25, 0.5, 0.25, 0] };
    const steps = run({ neuron: { ...lif, psiSteps }, x }, []);
    expect(steps.psi).toEqual(levels.psi);
    expect(steps.z).toEqual(levels.z);
    expect(new Set(steps.psi.flat())).toEqual(new Set([0, 0.25, 0.5]));
  });

  it('takes any staircase, 0 while refractory, and refuses one that does not ascend', () => {
    const neuron = { ...lif, nRef: 3, psiSteps: { edges: [-0.5, 0], heights: [-1, 2, 3] } };
    const { psi, z } = run({ neuron, x: [[0.25, 0.5, 1.5, 0, 0, 0]] }, []);
    expect(z).toEqual(column(0, 0, 1, 0, 0, 0));
    expect(psi).toEqual(column(-1, 2, 3, 0, 0, -1));
    const falling = { ...lif, psiSteps: { edges: [0, -1], heights: [0, 1, 0] } };
    expect(() => run({ neuron: falling, x: [[0]] }, [])).toThrow(ConfigError);
    expect(() => run({ neuron: { ...neuron, psiLevels: 3 }, x: [[0]] }, [])).toThrow('psiLevels: got 3, expected null');
  });

  it('resets to zero where it is asked to', () => {
    const { v, z } = run({ neuron: { ...lif, reset: 'zero' }, x: [[0.75, 0.75, 0.75, 0.75]] }, ['v']);
    expect(v).toEqual(column(0.75, 1.125, 0.75, 1.125));
    expect(z).toEqual(column(0, 1, 0, 1));
  });

  it('scales its input by 1 - alpha, but not its reset', () => {
    const { v, z } = run({ neuron: { ...lif, inputScale: '1-alpha' }, x: [[2.5, 2.5, 0]] }, ['v']);
    expect(v).toEqual(column(1.25, 0.875, 0.4375));
    expect(z).toEqual(column(1, 0, 0));
  });

  it('scales its input by 1 - alpha where it resets to zero, too', () => {
    const { v } = run({ neuron: { ...lif, inputScale: '1-alpha', reset: 'zero' }, x: [[2.5, 2.5, 1]] }, ['v']);
    expect(v).toEqual(column(1.25, 1.25, 0.5));
  });

  it.each([
    ['>', [0, 0, 1]],
    ['>=', [1, 0, 1]],
  ])('at an exact tie, fires %s', (fires, spikes) => {
    const { z } = run({ neuron: { ...lif, fires }, x: [[1, 0, 1.5]] }, []);
    expect(z).toEqual(column(...spikes));
  });

  it.each([
    [0, [1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [4, 5, 5.5, 5.75, 5.875]],
    [1, [1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [4, 5, 5.5, 5.75, 5.875]],
    [2, [1, 0, 1, 0, 1], [1, 0, 1, 0, 1], [4, 5, 6.5, 6.25, 7.125]],
    [3, [1, 0, 0, 1, 0], [2, 1, 0, 2, 1], [4, 5, 6.5, 7.25, 6.625]],
  ])(
    'nRef %i: a spike blocks the next nRef - 1 steps, the membrane integrates on',
    (nRef, spikes, blocked, membrane) => {
      const { v, z, psi, refractory } = run(
        { neuron: { ...lif, nRef, psiHeight: 1, psiWidth: 16 }, x: [[4, 4, 4, 4, 4]] },
        ['v', 'refractory'],
      );
      expect(z).toEqual(column(...spikes));
      expect(v).toEqual(column(...membrane));
      expect(refractory).toEqual(column(...blocked));
      const open = membrane.map((value, t) => (t > 0 && blocked[t - 1] > 0 ? 0 : 1 - (value - 1) / 16));
      expect(psi).toEqual(column(...open));
    },
  );

  it('has a threshold that stays where it is', () => {
    expect(run({ neuron: lif, x: [[4, 0]] }, ['threshold']).threshold).toEqual(column(1, 1));
  });
});

describe('alif', () => {
  it('raises its threshold after a spike and loses the baseline only', () => {
    const seen = run({ neuron: alif, x: [[1.5, 1.5, 1, 0]] }, ['v', 'a', 'threshold']);
    expect(seen.v).toEqual(column(1.5, 1.25, 1.625, -0.1875));
    expect(seen.a).toEqual(column(0, 1, 0.5, 1.25));
    expect(seen.threshold).toEqual(column(1, 1.5, 1.25, 1.625));
    expect(seen.z).toEqual(column(1, 0, 1, 0));
    expect(seen.psi).toEqual(column(0.25, 0.375, 0.3125, 0));
  });

  it('resets to zero where it is asked to', () => {
    const { v, z } = run({ neuron: { ...alif, reset: 'zero' }, x: [[1.5, 1.25, 1, 0]] }, ['v']);
    expect(v).toEqual(column(1.5, 1.25, 1.625, 0));
    expect(z).toEqual(column(1, 0, 1, 0));
  });

  it('without adaptation strength is a lif neuron, bit for bit', () => {
    const x = [Array.from({ length: 40 }, (_, t) => 0.9 * Math.abs(Math.sin(t)))];
    const plain = run({ neuron: lif, x }, ['v']);
    const adaptive = run({ neuron: { ...alif, adaptBeta: 0 }, x }, ['v']);
    expect(adaptive).toEqual(plain);
    expect(plain.z.flat()).toContain(1);
  });

  it('shares out its adaptation from the last neuron on, or one by one', () => {
    const strength = (neuron: object) =>
      closedDynamicsOf(build({ neuron: { ...alif, ...neuron }, x: [[1]], wIn: [1, 1, 1, 1] }).run.network.spec)
        .adaptation?.strength;
    expect(strength({ adaptBeta: 0.3, adaptiveShare: 0.5 })).toBeBitEqual([0, 0, 0.3, 0.3]);
    expect(strength({ adaptBeta: 0.3 })).toBeBitEqual([0.3, 0.3, 0.3, 0.3]);
    expect(strength({ adaptBeta: [0, 1, 2, 3] })).toBeBitEqual([0, 1, 2, 3]);
    expect(strength({ adaptBeta: [1, 2, 3, 4], adaptiveShare: 0.5 })).toBeBitEqual([0, 0, 3, 4]);
    const drawn = strength({ adaptBeta: { kind: 'uniform', low: 1, high: 2 }, adaptiveShare: 0.25 });
    expect(Array.from(drawn ?? []).map((value) => value > 0)).toEqual([false, false, false, true]);
    expect(() => strength({ adaptBeta: [1, 2] })).toThrow(ConfigError);
    expect(() => strength({ adaptBeta: [1, 2] })).toThrow('network.neuron.adaptBeta: got "2 values", expected 4');
  });
});

describe('rate', () => {
  it('is a leaky tanh of its input', () => {
    const { u, z, psi } = run({ neuron: { kind: 'rate', leak: { decay: 0.5 } }, x: [[1, -2, 0]] }, ['u']);
    const r = [Math.tanh(1) / 2, Math.tanh(1) / 4 + Math.tanh(-2) / 2, Math.tanh(1) / 8 + Math.tanh(-2) / 4];
    expect(u).toEqual(column(1, -2, 0));
    expect(z).toBeClose(column(...r), tolerances.formula);
    expect(psi).toBeClose(column(1 - Math.tanh(1) ** 2, 1 - Math.tanh(2) ** 2, 1), tolerances.formula);
  });

  it('has no threshold', () => {
    expect(build({ neuron: { kind: 'rate' }, x: [[1]] }).run.network.spec.populations[0].neuron.threshold).toBeNull();
  });

  it('starts at its initial potential where that has the memory', () => {
    const neuron = { kind: 'rate', leaks: 'potential', leak: { decay: 0.5 }, initial: 0.8 };
    const first = 0.4 + 0.5 * 0.25 * Math.tanh(0.8);
    const { z } = run({ neuron, x: [[0, 0]], wRec: [[0.25]] });
    expect(z).toBeClose([[Math.tanh(first)], [Math.tanh(first / 2 + 0.125 * Math.tanh(first))]], tolerances.formula);
  });

  it('starts every trial at its initial rate, which acts at the first step, or goes on from the trial before', () => {
    const neuron = { kind: 'rate', leak: { decay: 0.5 }, initial: [0.5, -1] };
    const x = [
      [0, 0],
      [0, 0],
    ];
    const wRec = [
      [0, 0.25],
      [0, 0],
    ];
    const wIn = [1, 1];
    const second = -0.5 + 0.5 * Math.tanh(0.125);
    const third = second / 2 + 0.5 * Math.tanh(0.0625);
    const once = [
      [0.25, second],
      [0.125, third],
    ];
    expect(run({ neuron, x, wIn, wRec }).z).toBeClose([...once, ...once], tolerances.formula);
    const { z } = run({ neuron, x, wIn, wRec, training: { state: 'carry' } });
    expect(z.slice(0, 2)).toBeClose(once, tolerances.formula);
    expect(z[2]).toBeClose([0.0625, third / 2 + 0.5 * Math.tanh(0.03125)], tolerances.formula);
    expect(() => build({ neuron, x, wIn: [1] })).toThrow(/network\.neuron\.initial: got "2 values", expected 1/);
  });
});

describe('neurons that differ', () => {
  const lists = {
    membrane: { decay: [0.5, 0.75, 0.9, 0] },
    vTh: [1, 0.8, 1.3, 0.6],
    gamma: [0.5, 0.3, 0.4, 0.2],
    psiWidth: [1, 1.5, 0.7, 0.6],
  };
  const of = (j: number) => ({
    membrane: { decay: lists.membrane.decay[j] },
    vTh: lists.vTh[j],
    gamma: lists.gamma[j],
    psiWidth: lists.psiWidth[j],
  });
  const x = [Array.from({ length: 60 }, (_, t) => 0.9 * Math.abs(Math.sin(1.3 * t)))];

  it.each([
    {},
    { nRef: 3 },
    { reset: 'zero' },
    { inputScale: '1-alpha', fires: '>=' },
    { reset: 'zero', inputScale: '1-alpha' },
    { initial: 0.4 },
  ])('are each the lif neuron of its own constants: %j', (rest) => {
    const wIn = [1, 1.1, 0.9, 1.4].map((w) => ('inputScale' in rest ? 3 * w : w));
    const fields = ['v', 'refractory', 'threshold'];
    const together = run({ neuron: { kind: 'lif', ...lists, ...rest }, x, wIn }, fields);
    wIn.forEach((w, j) => {
      const alone = run({ neuron: { kind: 'lif', ...of(j), ...rest }, x, wIn: [w] }, fields);
      for (const [name, rows] of Object.entries(alone)) {
        expect(
          together[name].map((row) => row[j]),
          `${name} of neuron ${j}`,
        ).toBeBitEqual(rows.flat());
      }
      expect(new Set(alone.z.flat())).toEqual(new Set([0, 1]));
    });
  });

  it('are each the alif neuron of its own constants', () => {
    const adaptation = { decay: [0.9, 0.5, 0.8, 0.95] };
    const adaptBeta = [0.1, 0.5, 0, 0.3];
    const wIn = [1.5, 1.5, 1.5, 1.5];
    const fields = ['v', 'a', 'threshold'];
    const together = run({ neuron: { kind: 'alif', ...lists, adaptation, adaptBeta }, x, wIn }, fields);
    wIn.forEach((w, j) => {
      const own = { adaptation: { decay: adaptation.decay[j] }, adaptBeta: adaptBeta[j] };
      const alone = run({ neuron: { kind: 'alif', ...of(j), ...own }, x, wIn: [w] }, fields);
      for (const [name, rows] of Object.entries(alone)) {
        expect(
          together[name].map((row) => row[j]),
          `${name} of neuron ${j}`,
        ).toBeBitEqual(rows.flat());
      }
    });
  });

  it('refuse levels of a pseudo-derivative that differs in height', () => {
    expect(() => run({ neuron: { kind: 'lif', ...lists, psiLevels: 3 }, x, wIn: [1, 1, 1, 1] })).toThrow(
      'network.neuron.psiLevels: got 3, expected null where the pseudo-derivative differs from neuron to neuron',
    );
  });
});

describe('rest and initial', () => {
  const still = [[0, 0, 0, 0]];

  it('is where the membrane starts and stays without input', () => {
    const { v } = run({ neuron: { ...lif, rest: 0.25 }, x: still }, ['v']);
    expect(v).toEqual(column(0.25, 0.25, 0.25, 0.25));
  });

  it('is what the membrane leaks to from another start', () => {
    const { v } = run({ neuron: { ...lif, rest: 0.25, initial: -0.75 }, x: still }, ['v']);
    expect(v).toEqual(column(-0.25, 0, 0.125, 0.1875));
    expect(run({ neuron: { ...lif, initial: -0.5 }, x: still }, ['v']).v).toEqual(
      column(-0.25, -0.125, -0.0625, -0.03125),
    );
  });

  it('is of each neuron, and where the state starts again', () => {
    const neuron = { ...lif, rest: [0, 0.25, -0.5], initial: [0.5, 0.5, -0.5] };
    const { v } = run(
      {
        neuron,
        x: [
          [0, 0],
          [0, 0],
        ],
        wIn: [1, 1, 1],
        training: { state: 'reset' },
      },
      ['v'],
    );
    const trial = [
      [0.25, 0.375, -0.5],
      [0.125, 0.3125, -0.5],
    ];
    expect(v).toEqual([...trial, ...trial]);
  });

  it('is not where a spike takes the membrane: that is 0 or the threshold below', () => {
    const rested = { ...lif, rest: 0.5 };
    expect(run({ neuron: rested, x: [[1, 0, 0]] }, ['v']).v).toEqual(column(1.5, 0, 0.25));
    expect(run({ neuron: { ...rested, reset: 'zero' }, x: [[1, 0, 0]] }, ['v']).v).toEqual(column(1.5, 0.25, 0.375));
  });

  it('changes nothing about the derivatives', () => {
    const matrices = (rest: number) => dynamicsOf(build({ neuron: { ...lif, rest }, x: still }).run.network.spec);
    expect(matrices(0.25)).toEqual(matrices(-3));
    expect(matrices(0.25)).toEqual(linearOf(matrices(0), 1));
  });
});

describe('cuba-lif', () => {
  it.each([
    { nRef: 0, reset: 'subtract', rest: 0, inputScale: '1' },
    { nRef: 3, reset: 'subtract', rest: 0.2, inputScale: '1' },
    { nRef: 0, reset: 'zero', rest: -0.1, inputScale: '1' },
    { nRef: 2, reset: 'subtract', rest: 0, inputScale: '1-alpha' },
  ])('filters its input before the membrane: %j', ({ nRef, reset, rest, inputScale }) => {
    const [alpha, sigma, vTh, gamma] = [0.75, 0.4, 0.9, 0.3];
    const zeta = inputScale === '1' ? 1 : 1 - alpha;
    const drive = Array.from({ length: 50 }, (_, t) => (0.6 / zeta) * Math.abs(Math.sin(1.7 * t)));
    const neuron = { kind: 'cuba-lif', membrane: { decay: alpha }, synapse: { decay: sigma }, vTh };
    const seen = run({ neuron: { ...neuron, nRef, reset, rest, inputScale }, x: [drive] }, ['v', 'i']);
    let [i, v, spike, blocked] = [0, rest, 0, 0];
    const want = drive.map((input) => {
      i = sigma * i + input;
      const kept = reset === 'zero' ? alpha * v * (1 - spike) : alpha * v - vTh * spike;
      v = kept + (1 - alpha) * rest + zeta * i;
      const psi = blocked > 0 ? 0 : (gamma / vTh) * Math.max(0, 1 - Math.abs(v - vTh) / vTh);
      spike = v > vTh && blocked === 0 ? 1 : 0;
      blocked = Math.max(blocked + nRef * spike - 1, 0);
      return { i, v, psi, z: spike };
    });
    for (const name of ['i', 'v', 'psi', 'z'] as const) {
      expect(seen[name].flat(), name).toBeClose(
        want.map((row) => row[name]),
        tolerances.formula,
      );
    }
    expect(want.filter(({ z }) => z === 1).length).toBeGreaterThan(5);
  });

  it('without memory of its synapse is a lif neuron', () => {
    const x = [Array.from({ length: 40 }, (_, t) => 0.9 * Math.abs(Math.sin(t)))];
    const { i, ...cuba } = run({ neuron: { ...lif, kind: 'cuba-lif', synapse: { decay: 0 } }, x }, ['v', 'i']);
    expect(cuba).toEqual(run({ neuron: lif, x }, ['v']));
    expect(i).toEqual(column(...x[0]));
  });
});

describe('integrator', () => {
  it.each([
    ['1', 1],
    ['1-decay', 0.25],
  ])('adds up what it is given, scaled by %s', (inputScale, gain) => {
    const neuron = { kind: 'integrator', leak: { decay: 0.75 }, inputScale };
    const { v, z, psi } = run({ neuron, x: [[1, 0, -2]] }, ['v']);
    expect(v).toEqual(column(gain, 0.75 * gain, 0.5625 * gain - 2 * gain));
    expect(z).toEqual(v);
    expect(psi).toEqual(column(1, 1, 1));
  });

  it('leaks as each neuron does', () => {
    const { z } = run({ neuron: { kind: 'integrator', leak: { decay: [0.5, 0.75] } }, x: [[4, 0]], wIn: [1, 1] });
    expect(z).toEqual([
      [2, 1],
      [1, 0.75],
    ]);
  });
});

describe('a declaration in matrices that does not hold', () => {
  const size = 4;
  const wrong = 2;
  const context = { dtMs: 1, size, path: 'network.neuron', rng: createRng(1) };
  const neuronOf = (kind: string, params: object): NeuronInstance => {
    const model = models.neurons.find((entry) => entry.kind === kind);
    if (!model) throw new Error(`no neuron "${kind}"`);
    return model.derive(model.params.parse({ kind, ...params }) as never, context);
  };
  const alone = neuronOf('alif', {
    vTh: 1,
    membrane: { decay: [0.5, 0.6, 0.7, 0.8] },
    adaptation: { decay: 0.9 },
    adaptBeta: [0.1, 0.2, 0.3, 0.4],
  });
  const cuba = { vTh: 1, membrane: { decay: 0.7 }, synapse: { decay: 0.4 } };
  const twoStages = neuronOf('cuba-lif', cuba);
  const scaled = neuronOf('cuba-lif', { ...cuba, inputScale: '1-alpha' });
  const integrating = neuronOf('integrator', { leak: { decay: [0.5, 0.6, 0.7, 0.8] }, inputScale: '1' });

  type Part = 'transition' | 'input' | 'own' | 'reset' | 'read';
  const check = (neuron: NeuronInstance, part: Part, row: number, value: number) => {
    const { eligibility } = neuron;
    if (eligibility?.form !== 'linear') throw new Error('no matrices');
    const numbers = Float64Array.from(eligibility[part]);
    numbers[(wrong * numbers.length) / size + row] = value;
    checkDynamics(
      'mine',
      neuron.threshold !== null,
      { ...neuron, eligibility: { ...eligibility, [part]: numbers } },
      size,
    );
  };

  const distance = 'the distance from its threshold has moved by';
  const rows: readonly (readonly [string, NeuronInstance, Part, number, number, string])[] = [
    [
      'transition',
      alone,
      'transition',
      0,
      0.75,
      `2 steps after a pulse of 0.01 ${distance} 0.00700000, by the declaration 0.00750000`,
    ],
    [
      'transition of the adaptation',
      alone,
      'transition',
      3,
      0.8,
      `3 steps after a pulse of 1.5 ${distance} -0.235000, by the declaration -0.205000`,
    ],
    [
      'input',
      alone,
      'input',
      0,
      2,
      `1 steps after a pulse of 0.01 ${distance} 0.0100000, by the declaration 0.0200000`,
    ],
    ['own', alone, 'own', 1, 0.5, `2 steps after a pulse of 1.5 ${distance} -0.250000, by the declaration -0.100000`],
    [
      'reset',
      alone,
      'reset',
      0,
      1.25,
      `2 steps after a pulse of 1.5 ${distance} -0.250000, by the declaration -0.500000`,
    ],
    [
      'read of the membrane',
      alone,
      'read',
      0,
      2,
      `1 steps after a pulse of 0.01 ${distance} 0.0100000, by the declaration 0.0200000`,
    ],
    [
      'read of the adaptation',
      alone,
      'read',
      1,
      -0.1,
      `2 steps after a pulse of 1.5 ${distance} -0.250000, by the declaration -0.0500000`,
    ],
    [
      'way from stage to stage',
      twoStages,
      'transition',
      1,
      0,
      `2 steps after a pulse of 0.01 ${distance} 0.0110000, by the declaration 0.00700000`,
    ],
    [
      'leak',
      integrating,
      'transition',
      0,
      0.75,
      '2 steps after a pulse of 0.000001 its rate has moved by 7.00000e-7, by the declaration 7.50000e-7',
    ],
    [
      'gain',
      integrating,
      'input',
      0,
      2,
      '1 steps after a pulse of 0.000001 its rate has moved by 0.00000100000, by the declaration 0.00000200000',
    ],
  ];
  it.each(rows)(
    'by its %s is refused, with neuron, step and both numbers',
    (_what, neuron, part, row, value, message) => {
      const said = `network.neuron "mine" is not what it declares as its eligibility: ${message} (neuron ${wrong})`;
      expect(() => check(neuron, part, row, value)).toThrow(UnsupportedError);
      expect(() => check(neuron, part, row, value)).toThrow(said);
    },
  );

  it.each([alone, twoStages, integrating, scaled].map((neuron) => ({ neuron })))(
    'as they are they hold',
    ({ neuron }) => {
      checkDynamics('mine', neuron.threshold !== null, neuron, size);
    },
  );

  it('a rate that is kept elsewhere than in its row is no "post-then-filter"', () => {
    const even = neuronOf('integrator', { leak: { decay: 0.7 }, inputScale: '1' });
    const form = { form: 'post-then-filter', decay: 0.7, gain: 1, adaptation: null, resetGain: 0 } as const;
    expect(() => checkDynamics('mine', false, { ...even, eligibility: form }, size)).toThrow(
      /2 steps after its rate was moved there is left of it, per unit, 0\.00000\d*, by the declaration 0\.700000/,
    );
  });
});

describe('streams', () => {
  const decays = { decay: [0.9, 0.5] };
  const x = [0, 2].map((phase) => Array.from({ length: 40 }, (_, t) => 1.6 * Math.abs(Math.sin(1.3 * t + phase))));
  const wIn = [1, 1.4];

  it.each<Setup['neuron']>([
    { ...lif, nRef: 3 },
    { ...lif, nRef: 3, membrane: decays },
    { ...lif, nRef: 3, membrane: decays, reset: 'zero' },
    alif,
    { ...alif, adaptation: decays },
    { ...lif, kind: 'cuba-lif', synapse: { decay: 0.4 }, rest: [0, 0.2] },
    { kind: 'integrator', leak: decays },
    { kind: 'rate' },
  ])('do not meet, each is as it is alone: %j', (neuron) => {
    const seenIn = (setup: Setup, b: number) => {
      const { network } = doTrial(build(setup));
      const [{ z, psi }] = network.activity;
      const [{ neuron: instance, size }] = network.spec.populations;
      const row = (rows: Rows, t: number) =>
        Array.from(rows.data.subarray(rowAt(rows, b, t), rowAt(rows, b, t) + size));
      const threshold = new Float64Array(size);
      instance.threshold?.(network.state.views('population.rec'), b, threshold);
      return [...x[0].flatMap((_, t) => [row(z, t), row(psi, t)]), Array.from(threshold)];
    };
    const both = x.map((_, b) => seenIn({ neuron, x, wIn, training: { streams: 2 } }, b));
    expect(both).toEqual(x.map((one) => seenIn({ neuron, x: [one], wIn }, 0)));
    expect(both[0]).not.toEqual(both[1]);
  });
});

describe('timing', () => {
  const chain = [
    [0, 2, 0],
    [0, 0, 2],
    [0, 0, 0],
  ];

  it('inputs act in the step they arrive, recurrent spikes one step later', () => {
    const { z } = run({ neuron: lif, x: [[2, 0, 0, 0]], wIn: [1, 0, 0], wRec: chain });
    expect(z).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
      [0, 0, 0],
    ]);
  });

  it('a graded input counts as much as it says', () => {
    const { v } = run({ neuron: lif, x: [[0.25, 0.5]], wIn: [2, -1] }, ['v']);
    expect(v).toEqual([
      [0.5, -0.25],
      [1.25, -0.625],
    ]);
  });

  it.each([
    [
      'keep',
      'carry',
      [
        [0, 1, 0],
        [1, 0, 1],
      ],
      2 + 0.5 * 3 - 1,
    ],
    [
      'drop',
      'carry',
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
      0.5 * 3 - 1,
    ],
    [
      'keep',
      'reset',
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
      2,
    ],
    [
      'drop',
      'reset',
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
      0,
    ],
  ])('border spikes: %s, state: %s', (borderSpikes, state, second, membrane) => {
    const setup = {
      neuron: { ...lif, nRef: 2 },
      x: [
        [0, 3],
        [2, 0],
      ],
      wIn: [1, 0, 0],
      wRec: chain,
      network: { borderSpikes },
      training: { state },
    };
    const { z, v } = run(setup, ['v']);
    expect(z.slice(0, 2)).toEqual([
      [0, 0, 0],
      [1, 0, 0],
    ]);
    expect(z.slice(2)).toEqual(second);
    expect(v[2][0]).toBe(membrane);
  });

  it('the readout is filtered, reads z(t) in its own step, and starts again with the state', () => {
    const outputs = (state: string, readout: object) => {
      const x = [
        [2, 0],
        [0, 0],
      ];
      const experiment = build({
        neuron: lif,
        x,
        readout: { filter: { decay: 0.5 }, ...readout },
        training: { state },
      });
      experiment.run.network.weights.out.fill(8);
      return x.flatMap(() => Array.from(doTrial(experiment).network.trial.y.data));
    };
    expect(outputs('carry', {})).toEqual([4, 2, 1, 0.5]);
    expect(outputs('reset', {})).toEqual([4, 2, 0, 0]);
    expect(outputs('carry', { scale: '1' })).toEqual([8, 4, 2, 1]);
  });

  it('the readout bias is added after the filter', () => {
    const experiment = build({ neuron: lif, x: [[2, 0]], readout: { filter: { decay: 0.5 }, bias: true } });
    experiment.run.network.weights['out.bias'].fill(3);
    experiment.run.network.weights.out.fill(8);
    expect(Array.from(doTrial(experiment).network.trial.y.data)).toEqual([7, 5]);
  });
});
