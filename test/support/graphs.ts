import { expect } from 'vitest';
import type { OpenOptions } from '../../src/core/network.ts';
import type { Catalogue, Entry, NeuronModel } from '../../src/core/plugins.ts';
import { createRng } from '../../src/core/rng.ts';
import { rowAt } from '../../src/core/rows.ts';
import { createFeed } from '../../src/engine/feed.ts';
import { type Run, runTrial } from '../../src/engine/run.ts';
import { addTrial, emptyTally } from '../../src/engine/scores.ts';
import { createExperiment, type Experiment } from '../../src/experiment/experiment.ts';
import { liveCatalogue } from './live.ts';

/** Height and half width of the pseudo-derivative of smooth neurons. */
export const slope = { psiHeight: 0.9, psiWidth: 0.7 } as const;

/**
 * Spiking neurons made smooth: the step function of the spike is replaced by the integral of the pseudo-derivative, so that this is
 * the derivative, and differences measure what BPTT computes. Membrane, adaptation and reset stay the model's own.
 */
export function smoothed(model: Entry<NeuronModel>): Entry<NeuronModel> {
  if (!model.spiking) return model;
  return {
    ...model,
    derive(p, context) {
      const neuron = model.derive(p, context);
      return {
        ...neuron,
        kernel: null,
        triangle: neuron.triangle
          ? { slope: neuron.triangle.slope, peak: (slope.psiHeight * slope.psiWidth) / 2 }
          : null,
        bind(binding) {
          const step = neuron.bind(binding);
          const { z, psi, state } = binding;
          const level = new Float64Array(z.size);
          return (b, t) => {
            step(b, t);
            neuron.threshold?.(state, b, level);
            const [to, row] = [rowAt(z, b, t), rowAt(psi, b, t)];
            for (let j = 0; j < z.size; j++) {
              const x = state[neuron.membrane][b * z.size + j] - level[j];
              z.data[to + j] = integral(x);
              psi.data[row + j] = slope.psiHeight * Math.max(0, 1 - Math.abs(x) / slope.psiWidth);
            }
          };
        },
      };
    },
  };
}

/** Integral of the triangle from -infinity to x. */
function integral(x: number): number {
  const { psiHeight: h, psiWidth: w } = slope;
  if (x <= -w) return 0;
  if (x >= w) return h * w;
  return x <= 0 ? (h * (x + w) ** 2) / (2 * w) : (h * w) / 2 + h * (x - (x * x) / (2 * w));
}

export const smoothCatalogue: Catalogue = { ...liveCatalogue, neurons: liveCatalogue.neurons.map(smoothed) };

/** An experiment on a graph, on the reference backend. */
export function graphExperiment(
  config: Record<string, unknown>,
  catalogue: Catalogue = liveCatalogue,
  options: OpenOptions = {},
): Experiment {
  return createExperiment(
    {
      name: 'graph',
      seed: 5,
      backend: 'reference',
      loss: { kind: 'square' },
      evaluation: { total: 1, streams: 1 },
      ...config,
    },
    catalogue,
    options,
  );
}

/** The first trial, learning on and weights as they are. */
export function firstTrial(experiment: Experiment, learn = true): Run {
  const { run, task, config } = experiment;
  const { step } = run.network.spec.sizes;
  run.clock.trial = 0;
  createFeed(run, task, createRng(config.seed), null, 'train').fill(step);
  runTrial(run, step, { learn, freeze: true });
  return run;
}

/** All rates 0: nothing learns by itself. */
export function zeroRates(...names: string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, 0]));
}

/** Spikes of all populations over all steps; of values the sum of their sizes. */
export function activityOf({ network }: Run): number {
  return network.activity.reduce(
    (sum, { z }) => sum + Array.from(z.data, Math.abs).reduce((part, value) => part + value),
    0,
  );
}

/** Loss of the first trial, without any gradient code. */
export function lossOf(experiment: Experiment): number {
  const run = firstTrial(experiment, false);
  const tally = emptyTally();
  addTrial(tally, run, run.network.spec.sizes.step);
  return tally.loss;
}

/** Central differences of the loss. @param chosen which weights of a block, of so many */
export function slopesOf(experiment: Experiment, chosen: (length: number) => readonly number[]) {
  const { weights, spec } = experiment.run.network;
  const step = 1e-5;
  return spec.blocks.flatMap(({ name, synapses }) =>
    chosen(weights[name].length)
      .filter((s) => weights[name].length > 0 && !synapses?.masked.includes(s))
      .map((s) => {
        const w = weights[name][s];
        const at = (value: number) => {
          weights[name][s] = value;
          return lossOf(experiment);
        };
        const difference = (at(w + step) - at(w - step)) / (2 * step);
        weights[name][s] = w;
        return { name, s, difference };
      }),
  );
}

type Gradient = Readonly<Record<string, ArrayLike<number>>>;

export function largestOf(gradient: Gradient): number {
  return Math.max(...Object.values(gradient).flatMap((block) => Array.from(block, Math.abs)));
}

/** Two gradients within `limit`, relative to the largest entry where that is above `least`. */
export function expectSame(a: Gradient, b: Gradient, limit: number, least = 1): void {
  const scale = Math.max(least, largestOf(a));
  for (const [name, block] of Object.entries(a)) {
    Array.from(block).forEach((value, s) => {
      expect(Math.abs(value - b[name][s]) / scale, `${name}[${s}]`).toBeLessThan(limit);
    });
  }
}
