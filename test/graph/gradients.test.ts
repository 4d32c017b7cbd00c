import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createRng } from '../../src/core/rng.ts';
import { gradientOf, type Run } from '../../src/engine/run.ts';
import type { Experiment } from '../../src/experiment/experiment.ts';
import {
  expectSame,
  firstTrial,
  graphExperiment,
  largestOf,
  slope,
  slopesOf,
  smoothCatalogue,
  zeroRates,
} from '../support/graphs.ts';

/** Random graphs: layers within a step, loops, delays 0 to 7, two readouts with filters of their own, neurons of five kinds. */

interface Shape {
  readonly kinds: readonly number[];
  readonly extra: readonly (readonly [pre: number, post: number, delay: number])[];
  readonly seed: number;
}

const shapes: fc.Arbitrary<Shape> = fc.record({
  kinds: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 3 }),
  extra: fc.array(fc.tuple(fc.nat(2), fc.nat(2), fc.nat(7)), { minLength: 1, maxLength: 4 }),
  seed: fc.nat(10_000),
});

function neuronOf(kind: number): Record<string, unknown> {
  const spread = { kind: 'uniform', low: 0.4, high: 0.9 };
  const spiking = { membrane: { decay: spread }, vTh: 0.5, ...slope };
  switch (kind) {
    case 0:
      return { kind: 'lif', ...spiking, membrane: { decay: 0.7 } };
    case 1:
      return {
        kind: 'alif',
        ...spiking,
        adaptation: { decay: 0.9 },
        adaptBeta: { kind: 'uniform', low: 0, high: 0.5 },
      };
    case 2:
      return { kind: 'cuba-lif', ...spiking, synapse: { decay: spread }, inputScale: '1-alpha', rest: 0.1 };
    case 3:
      return { kind: 'rate', leak: { decay: 0.5 } };
    default:
      return { kind: 'integrator', leak: { decay: spread } };
  }
}

function configOf({ kinds, extra, seed }: Shape, rule: Record<string, unknown>, execution: string) {
  const names = kinds.map((_, p) => `p${p}`);
  const sizes = kinds.map((_, p) => 2 + ((seed + p) % 3));
  const projections: Record<string, unknown> = {
    in: { from: 'input', to: 'p0', bias: 0.2, init: { kind: 'normal-sd', sd: 0.8 } },
    late: { from: 'input', to: names[names.length - 1], delayMs: { kind: 'uniform', low: 0, high: 3 } },
  };
  for (let p = 1; p < names.length; p++) projections[`l${p}`] = { from: `p${p - 1}`, to: `p${p}`, delayMs: 0 };
  extra.forEach(([pre, post, delay], e) => {
    const [from, to] = [pre % names.length, post % names.length];
    const least = from < to ? 0 : 1;
    projections[`x${e}`] = {
      from: names[from],
      to: names[to],
      delayMs: e === 0 ? { kind: 'uniform', low: least, high: 7 } : Math.max(least, delay),
      init: { kind: 'normal', gain: 0.8 },
    };
  });
  const readout = (decay: number, scale: string) => ({ kind: 'leaky', filter: { decay }, scale, bias: true });
  const owners = [...Object.keys(projections), 'p0.bias', 'a', 'b'];
  return {
    seed,
    task: { kind: 'live', steps: 14, inputs: 3, outputs: 3 },
    network: {
      populations: Object.fromEntries(
        names.map((name, p) => [
          name,
          {
            size: sizes[p],
            neuron: neuronOf(kinds[p]),
            ...(p === 0 ? { bias: { kind: 'normal', mean: 0.1, sd: 0.1 } } : {}),
          },
        ]),
      ),
      projections,
      readouts: {
        a: { from: names, readout: readout(0.6, '1-kappa'), outputs: [0, 1] },
        b: { from: names[0], readout: readout(0.3, '1'), outputs: [2], loss: { kind: 'bernoulli' }, weight: 0.7 },
      },
    },
    rule,
    optimizer: { kind: 'sgd', rates: zeroRates(...owners) },
    training: { total: 2, streams: 2, update: { reduction: 'sum' }, execution },
  };
}

const built = (shape: Shape, rule: Record<string, unknown>, execution = 'online') =>
  graphExperiment(configOf(shape, rule, execution), smoothCatalogue);

/** At a few weights of every block. */
function slopes(experiment: Experiment, seed: number) {
  const rng = createRng(seed);
  return slopesOf(experiment, (length) => Array.from({ length: 3 }, () => rng.integer(length)));
}

it('BPTT is the slope of the loss, and RTRL is BPTT, on 100 random graphs', () => {
  let moved = 0;
  fc.assert(
    fc.property(shapes, (shape) => {
      const attached = shape.kinds.every((kind) => kind < 3);
      const reset = attached ? 'attached' : 'detached';
      const experiment = built(shape, { name: 'bptt', reset });
      const gradient = gradientOf(firstTrial(experiment));
      // Rates have no reset, so that detaching it drops nothing where there is no spiking neuron either.
      const exact = attached || shape.kinds.every((kind) => kind >= 3);
      if (exact) {
        const scale = Math.max(1, largestOf(gradient));
        for (const { name, s, difference } of slopes(experiment, shape.seed)) {
          expect(Math.abs(gradient[name][s] - difference) / scale, `${name}[${s}]`).toBeLessThan(1e-7);
        }
        moved += 1;
      }
      expectSame(gradient, gradientOf(firstTrial(built(shape, { name: 'rtrl', reset }))), 1e-11);
    }),
    { numRuns: 100, seed: 20261129 },
  );
  expect(moved).toBeGreaterThan(30);
}, 120_000);

it('online and deferred e-prop are the same on 100 random graphs', () => {
  fc.assert(
    fc.property(shapes, fc.constantFrom('symmetric', 'random'), fc.boolean(), (shape, feedback, resetInTrace) => {
      const spiking = shape.kinds.every((kind) => kind < 3);
      const rule = { name: 'e-prop-1', feedback, resetInTrace: resetInTrace && spiking };
      const gradient = (execution: string): Record<string, Float64Array> => {
        const run: Run = firstTrial(built(shape, rule, execution));
        return gradientOf(run);
      };
      expectSame(gradient('online'), gradient('deferred'), 1e-12);
    }),
    { numRuns: 100, seed: 20261130 },
  );
}, 120_000);
