import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Layout } from '../../src/core/layout.ts';
import type {
  Catalogue,
  Entry,
  LinearDynamics,
  NeuronBinding,
  NeuronInstance,
  NeuronModel,
} from '../../src/core/plugins.ts';
import { rowAt } from '../../src/core/rows.ts';
import { gradientOf } from '../../src/engine/run.ts';
import { createAudit } from '../../src/experiment/audit.ts';
import { identityLabel } from '../../src/experiment/auditPoint.ts';
import {
  activityOf,
  expectSame,
  firstTrial,
  graphExperiment,
  largestOf,
  slope,
  slopesOf,
  smoothCatalogue,
  smoothed,
  zeroRates,
} from '../support/graphs.ts';
import { liveCatalogue } from '../support/live.ts';

/** Neurons that a user brings, with derivatives of no closed form: whatever makes a gradient has to go by their matrices. */

const vTh = 0.5;

function entryOf(kind: string, derive: (size: number) => NeuronInstance, spiking = true): Entry<NeuronModel> {
  const params = z.strictObject({ kind: z.literal(kind) });
  const model = {
    kind,
    source: 'test',
    spiking,
    params,
    derive: (_: unknown, { size }: { size: number }) => derive(size),
  };
  return model as unknown as Entry<NeuronModel>;
}

function fieldsOf(...names: readonly string[]): Layout {
  return Object.fromEntries(
    names.map((name) => [name, { shape: ['stream', 'self'], home: 'post', unit: 'weight', doc: name } as const]),
  );
}

/** One row of m numbers, or m of them, for every neuron. */
function matricesOf(
  size: number,
  states: number,
  of: (j: number) => Readonly<Record<'transition' | 'input' | 'own' | 'reset' | 'read', readonly number[]>>,
): LinearDynamics {
  const all = Array.from({ length: size }, (_, j) => of(j));
  const flat = (name: keyof (typeof all)[number]) => Float64Array.from(all.flatMap((one) => one[name]));
  return {
    form: 'linear',
    states,
    gate: 'spike',
    transition: flat('transition'),
    input: flat('input'),
    own: flat('own'),
    reset: flat('reset'),
    read: flat('read'),
  };
}

/** Spike where the membrane is above its threshold; psi of no width of its own, since smooth neurons have theirs. */
function emit({ z, psi }: NeuronBinding, b: number, t: number, j: number, above: number): void {
  z.data[rowAt(z, b, t) + j] = above > 0 ? 1 : 0;
  psi.data[rowAt(psi, b, t) + j] = slope.psiHeight * Math.max(0, 1 - Math.abs(above) / slope.psiWidth);
}

/**
 * Resonate-and-fire: x and y turn about each other, each neuron at a frequency of its own.
 *
 *     x(t) = d (cos w x(t-1) - sin w y(t-1)) + I(t) - 0.2 z(t-1)
 *     y(t) = d (sin w x(t-1) + cos w y(t-1)) + 0.6 I(t) - vTh z(t-1),      z(t) = [y(t) > vTh]
 */
const resonator = entryOf('resonator', (size) => {
  const turn = (j: number) => {
    const [d, w] = [0.85 - 0.05 * j, 0.3 + 0.2 * j];
    return { near: d * Math.cos(w), far: d * Math.sin(w) };
  };
  return {
    layout: fieldsOf('x', 'y'),
    eligibility: matricesOf(size, 2, (j) => {
      const { near, far } = turn(j);
      return { transition: [near, -far, far, near], input: [1, 0.6], own: [0, 0], reset: [0.2, vTh], read: [0, 1] };
    }),
    threshold: (_state, _b, out) => out.fill(vTh),
    membrane: 'y',
    nRef: 0,
    kernel: null,
    bind(binding) {
      const { state, z, current } = binding;
      const { x, y } = state;
      return (b, t) => {
        for (let j = 0; j < size; j++) {
          const at = b * size + j;
          const { near, far } = turn(j);
          const spike = z.data[rowAt(z, b, t - 1) + j];
          const [before, other] = [x[at], y[at]];
          x[at] = near * before - far * other + current[j] - 0.2 * spike;
          y[at] = far * before + near * other + 0.6 * current[j] - vTh * spike;
          emit(binding, b, t, j, y[at] - vTh);
        }
      };
    },
  };
});

/**
 * A threshold that rises with each spike, and a slow current that each spike opens:
 *
 *     a(t) = 0.9 a(t-1) + z(t-1)
 *     c(t) = sigma c(t-1) + z(t-1)
 *     v(t) = 0.7 v(t-1) + 0.8 I(t) - 0.15 c(t) - vTh z(t-1),      z(t) = [v(t) > vTh + beta a(t)]
 */
const tired = entryOf('tired', (size) => {
  const constants = (j: number) => ({ sigma: 0.95 - 0.1 * j, beta: 0.1 + 0.05 * j });
  return {
    layout: fieldsOf('v', 'a', 'c'),
    eligibility: matricesOf(size, 3, (j) => {
      const { sigma, beta } = constants(j);
      return {
        transition: [0.7, 0, -0.15 * sigma, 0, 0.9, 0, 0, 0, sigma],
        input: [0.8, 0, 0],
        own: [-0.15, 1, 1],
        reset: [vTh, 0, 0],
        read: [1, -beta, 0],
      };
    }),
    threshold(state, b, out) {
      for (let j = 0; j < size; j++) out[j] = vTh + constants(j).beta * state.a[b * size + j];
    },
    membrane: 'v',
    nRef: 0,
    kernel: null,
    bind(binding) {
      const { state, z, current } = binding;
      const { v, a, c } = state;
      return (b, t) => {
        for (let j = 0; j < size; j++) {
          const at = b * size + j;
          const { sigma, beta } = constants(j);
          const spike = z.data[rowAt(z, b, t - 1) + j];
          a[at] = 0.9 * a[at] + spike;
          c[at] = sigma * c[at] + spike;
          v[at] = 0.7 * v[at] + 0.8 * current[j] - 0.15 * c[at] - vTh * spike;
          emit(binding, b, t, j, v[at] - vTh - beta * a[at]);
        }
      };
    },
  };
});

/**
 * Two synaptic stages before the membrane:
 *
 *     r(t) = 0.5 r(t-1) + I(t),    s(t) = sigma s(t-1) + r(t-1),    v(t) = 0.6 v(t-1) + 0.5 s(t) + 0.3 r(t) - vTh z(t-1)
 */
const staged = entryOf('staged', (size) => {
  const sigma = (j: number) => 0.3 + 0.1 * j;
  return {
    layout: fieldsOf('r', 's', 'v'),
    eligibility: matricesOf(size, 3, (j) => ({
      transition: [0.5, 0, 0, 1, sigma(j), 0, 0.5 + 0.3 * 0.5, 0.5 * sigma(j), 0.6],
      input: [1, 0, 0.3],
      own: [0, 0, 0],
      reset: [0, 0, vTh],
      read: [0, 0, 1],
    })),
    threshold: (_state, _b, out) => out.fill(vTh),
    membrane: 'v',
    nRef: 0,
    kernel: null,
    bind(binding) {
      const { state, z, current } = binding;
      const { r, s, v } = state;
      return (b, t) => {
        for (let j = 0; j < size; j++) {
          const at = b * size + j;
          s[at] = sigma(j) * s[at] + r[at];
          r[at] = 0.5 * r[at] + current[j];
          v[at] = 0.6 * v[at] + 0.5 * s[at] + 0.3 * r[at] - vTh * z.data[rowAt(z, b, t - 1) + j];
          emit(binding, b, t, j, v[at] - vTh);
        }
      };
    },
  };
});

/**
 * Rates that a second stage filters again, each neuron with a leak of its own:
 *
 *     x(t) = d x(t-1) + (1 - d) tanh(I(t)),    z(t) = 0.5 z(t-1) + 0.5 x(t),    psi(t) = 1 - tanh(I(t))^2
 */
const slow = entryOf(
  'slow',
  (size) => {
    const leak = (j: number) => 0.4 + 0.15 * j;
    return {
      layout: fieldsOf('x', 'r'),
      eligibility: {
        ...matricesOf(size, 2, (j) => {
          const d = leak(j);
          const none = [0, 0];
          return {
            transition: [d, 0, 0.5 * d, 0.5],
            input: [1 - d, 0.5 * (1 - d)],
            own: none,
            reset: none,
            read: [0, 1],
          };
        }),
        gate: 'input',
      },
      threshold: null,
      membrane: 'x',
      nRef: 0,
      kernel: null,
      bind({ state: { x, r }, z, psi, current }) {
        return (b, t) => {
          for (let j = 0; j < size; j++) {
            const at = b * size + j;
            const phi = Math.tanh(current[j]);
            x[at] = leak(j) * x[at] + (1 - leak(j)) * phi;
            r[at] = 0.5 * r[at] + 0.5 * x[at];
            z.data[rowAt(z, b, t) + j] = r[at];
            psi.data[rowAt(psi, b, t) + j] = 1 - phi * phi;
          }
        };
      },
    };
  },
  false,
);

const own = [resonator, tired, staged, slow];
const smooth: Catalogue = { ...smoothCatalogue, neurons: [...smoothCatalogue.neurons, ...own.map(smoothed)] };
const spiking: Catalogue = { ...liveCatalogue, neurons: [...liveCatalogue.neurons, ...own] };

const init = { kind: 'normal', gain: 0.9 };
const recurrent = {
  one: { from: 'a', to: 'a', delayMs: 1, init },
  up: { from: 'a', to: 'b', delayMs: 0, init },
  down: { from: 'b', to: 'a', delayMs: { kind: 'uniform', low: 1, high: 3 }, init },
};
const pairs = [
  { label: 'two states before three', kinds: ['resonator', 'tired'] },
  { label: 'three states before two', kinds: ['tired', 'resonator'] },
  { label: 'two stages before an adaptation', kinds: ['staged', 'tired'] },
  { label: 'two stages beside a lif neuron', kinds: ['lif', 'staged'] },
  { label: 'rates of two stages', kinds: ['slow', 'slow'], resets: false },
];

function configOf(kinds: readonly string[], projections: object, rule: object, execution: string, rates: object) {
  const neuronOf = (kind: string) => (kind === 'lif' ? { kind, membrane: { decay: 0.7 }, vTh, ...slope } : { kind });
  const readout = (decay: number) => ({ kind: 'leaky', filter: { decay }, bias: true });
  return {
    task: { kind: 'live', steps: 16, inputs: 3, outputs: 3 },
    network: {
      populations: {
        a: { size: 3, neuron: neuronOf(kinds[0]), bias: { kind: 'normal', mean: 0.1, sd: 0.1 } },
        b: { size: 2, neuron: neuronOf(kinds[1]) },
      },
      projections: {
        in: { from: 'input', to: 'a', bias: 0.2, init: { kind: 'normal-sd', sd: 0.8 } },
        late: { from: 'input', to: 'b', delayMs: 2, init: { kind: 'normal-sd', sd: 0.8 } },
        ...projections,
      },
      readouts: {
        near: { from: ['a', 'b'], readout: readout(0.6), outputs: [0, 1] },
        far: { from: 'b', readout: readout(0.3), outputs: [2], loss: { kind: 'bernoulli' }, weight: 0.7 },
      },
    },
    rule,
    optimizer: { kind: 'sgd', rates },
    training: { total: 8, streams: 2, update: { reduction: 'sum' }, execution },
  };
}

const owners = ['in', 'late', 'a.bias', 'near', 'far'];
const build = (kinds: readonly string[], projections: object, rule: object, execution = 'online') =>
  graphExperiment(
    configOf(kinds, projections, rule, execution, zeroRates(...owners, ...Object.keys(projections))),
    smooth,
  );

const everyWeight = (length: number) => Array.from({ length }, (_, s) => s);

type Gradient = Readonly<Record<string, Float64Array>>;

/** Without readouts, whose entries are larger. */
function ofSynapses(gradient: Gradient): Gradient {
  return Object.fromEntries(Object.entries(gradient).filter(([name]) => !/^(near|far)/.test(name)));
}

/** Every projection has something to learn; parts of one that differ in delay count as one. */
function assertLive(gradient: Gradient, scale: number): void {
  const largest = new Map<string, number>();
  for (const [part, block] of Object.entries(gradient)) {
    const [name] = part.split('@');
    largest.set(name, Math.max(largest.get(name) ?? 0, ...block.map(Math.abs)));
  }
  for (const [name, value] of largest) expect(value / scale, name).toBeGreaterThan(1e-2);
}

describe.each(pairs)('$label', ({ kinds, resets = true }) => {
  const resetsOf = resets ? (['attached', 'detached'] as const) : (['detached'] as const);

  it('in a loop BPTT is the slope of the loss, and RTRL is it, too', () => {
    const rule = { name: 'bptt', reset: resetsOf[0] };
    const experiment = build(kinds, recurrent, rule);
    const gradient = gradientOf(firstTrial(experiment));
    const scale = largestOf(ofSynapses(gradient));
    const exact = build(kinds, recurrent, { ...rule, name: 'rtrl' });
    const forwards = gradientOf(firstTrial(exact));
    for (const { name, s, difference } of slopesOf(experiment, everyWeight)) {
      expect(Math.abs(gradient[name][s] - difference) / scale, `bptt ${name}[${s}]`).toBeLessThan(1e-7);
      expect(Math.abs(forwards[name][s] - difference) / scale, `rtrl ${name}[${s}]`).toBeLessThan(1e-7);
    }
    assertLive(gradient, scale);
    expectSame(gradient, forwards, 1e-12, 0);
    if (!resets) return;
    const detached = gradientOf(firstTrial(build(kinds, recurrent, { name: 'bptt' })));
    expect(() => expectSame(gradient, detached, 1e-2, 0)).toThrow();
  });

  it('without a loop e-prop is the slope of the loss', () => {
    const rule = { name: 'e-prop-1', feedback: 'symmetric', resetInTrace: resets };
    const experiment = build(kinds, {}, rule);
    const gradient = gradientOf(firstTrial(experiment));
    const scale = largestOf(ofSynapses(gradient));
    for (const { name, s, difference } of slopesOf(experiment, everyWeight)) {
      expect(Math.abs(gradient[name][s] - difference) / scale, `${name}[${s}]`).toBeLessThan(1e-7);
    }
    assertLive(gradient, scale);
  });

  it.each(resets ? [false, true] : [false])('online e-prop is the deferred one, reset in trace: %s', (resetInTrace) => {
    const gradient = (execution: string, feedback: string) =>
      gradientOf(firstTrial(build(kinds, recurrent, { name: 'e-prop-1', feedback, resetInTrace }, execution)));
    for (const feedback of ['symmetric', 'random']) {
      expectSame(gradient('online', feedback), gradient('deferred', feedback), 1e-12, 0);
    }
  });

  it.each(resetsOf)('eligibility times total derivative is BPTT, reset %s', (reset) => {
    const names = [...owners, ...Object.keys(recurrent)];
    const rates = Object.fromEntries(names.map((name) => [name, 1e-3]));
    const config = configOf(kinds, recurrent, { name: 'e-prop-1', feedback: 'symmetric' }, 'online', rates);
    for (const catalogue of [smooth, spiking]) {
      const experiment = graphExperiment(config, catalogue);
      if (resets) expect(activityOf(firstTrial(experiment))).toBeGreaterThan(20);
      const audit = createAudit(experiment.config, catalogue, { rules: [], windows: 3, chunks: 2, reset });
      const labels = audit.rules.map(({ label }) => label);
      const points = [...audit.run()].flatMap(({ point }) => (point ? [point] : []));
      expect(points).toHaveLength(3);
      const projections = audit.blocks.filter(({ kind }) => kind === 'projection');
      expect(projections.map(({ name }) => name)).toEqual(expect.arrayContaining(['in', 'late', 'one', 'up', 'down']));
      for (const { alignments, norms } of points) {
        for (const { name } of projections) expect(norms[name], name).toBeGreaterThan(1e-3);
        for (const { name } of projections) {
          const { [labels.indexOf(identityLabel)]: row, [labels.indexOf('e-prop-1')]: local } = alignments;
          expect(Number(row[name].cosine), name).toBeCloseTo(1, 12);
          expect(Number(row[name].norm), name).toBeCloseTo(1, 12);
          if (name === 'in') expect(Number(local[name].cosine)).toBeLessThan(0.9999);
        }
      }
    }
  });
});
