import { describe, expect, it } from 'vitest';
import { givenExperiment } from '../../src/cli/verify/given.ts';
import { ConfigError } from '../../src/core/errors.ts';
import type { Experiment } from '../../src/experiment/experiment.ts';
import { doTrial, dynamicsOf } from '../support/live.ts';
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
  weights.wIn.set(wIn);
  weights.wRec.fill(0);
  if (wRec) weights.wRec.set(wRec.flat());
  weights.wOut.fill(1);
  return experiment;
}

/** Runs all trials and collects the values of every step, [field][step][neuron]. */
function run(setup: Setup, fields: readonly string[] = []): Record<string, number[][]> {
  const experiment = build(setup);
  const { network } = experiment.run;
  const { rec: n, step: steps } = network.spec.sizes;
  const seen: Record<string, number[][]> = { z: [], psi: [] };
  for (const field of fields) seen[field] = [];
  const row = new Float64Array(n);
  for (const _ of setup.x) {
    doTrial(experiment, {
      onStep() {
        for (const field of fields) {
          if (field === 'threshold') network.spec.neuron.threshold?.(network.state.views('neuron'), 0, row);
          seen[field].push(Array.from(field === 'threshold' ? row : network.state.field(`neuron.${field}`)));
        }
      },
    });
    for (let t = 0; t < steps; t++) {
      seen.z.push(Array.from(network.trial.z.subarray((1 + t) * n, (2 + t) * n)));
      seen.psi.push(Array.from(network.trial.psi.subarray(t * n, (t + 1) * n)));
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
      dynamicsOf(build({ neuron: { ...alif, ...neuron }, x: [[1]], wIn: [1, 1, 1, 1] }).run.network.spec).adaptation
        ?.strength;
    expect(strength({ adaptBeta: 0.3, adaptiveShare: 0.5 })).toBeBitEqual([0, 0, 0.3, 0.3]);
    expect(strength({ adaptBeta: 0.3 })).toBeBitEqual([0.3, 0.3, 0.3, 0.3]);
    expect(strength({ adaptBeta: [0, 1, 2, 3] })).toBeBitEqual([0, 1, 2, 3]);
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
    expect(build({ neuron: { kind: 'rate' }, x: [[1]] }).run.network.spec.neuron.threshold).toBeNull();
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
      experiment.run.network.weights.wOut.fill(8);
      return x.flatMap(() => Array.from(doTrial(experiment).network.trial.y));
    };
    expect(outputs('carry', {})).toEqual([4, 2, 1, 0.5]);
    expect(outputs('reset', {})).toEqual([4, 2, 0, 0]);
    expect(outputs('carry', { scale: '1' })).toEqual([8, 4, 2, 1]);
  });

  it('the readout bias is added after the filter', () => {
    const experiment = build({ neuron: lif, x: [[2, 0]], readout: { filter: { decay: 0.5 }, bias: true } });
    experiment.run.network.weights.bOut.fill(3);
    experiment.run.network.weights.wOut.fill(8);
    expect(Array.from(doTrial(experiment).network.trial.y)).toEqual([7, 5]);
  });
});
