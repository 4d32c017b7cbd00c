import { z } from 'zod';
import { type BringBack, bindFeedback, drawFeedback, ownFeedback, viewsOf } from '../../src/core/feedback.ts';
import type { Layout, Views } from '../../src/core/layout.ts';
import type { DirectBinding, NetworkShape, Quantity } from '../../src/core/plugins.ts';
import type { Rng } from '../../src/core/rng.ts';
import { magnitude } from '../../src/core/schema.ts';

/** How the readouts' errors come to the neurons in the direct rules. */

export const feedbackParams = {
  feedback: z
    .enum(['symmetric', 'random'])
    .default('symmetric')
    .describe('the readout weights themselves, or a fixed random matrix in their place'),
  scale: magnitude.default(1).describe('random feedback: standard deviation of B in units of 1 / sqrt(neurons)'),
};

interface Choice {
  readonly feedback: 'symmetric' | 'random';
  readonly scale: number;
}

/** Neurons before each population, and of all at the end. */
export function startsOf({ populations }: Pick<NetworkShape, 'populations'>): number[] {
  const starts = [0];
  for (const { size } of populations) starts.push(starts[starts.length - 1] + size);
  return starts;
}

/** Neurons of all populations. */
export function neuronsOf({ populations }: Pick<NetworkShape, 'populations'>): number {
  return populations.reduce((sum, { size }) => sum + size, 0);
}

export function feedbackLayout({ feedback }: Choice, network: NetworkShape): Layout {
  if (feedback === 'symmetric') return {};
  const doc = 'feedback weights from the errors to the neurons';
  return { B: { shape: [neuronsOf(network), network.sizes.out], home: 'post', unit: '1', doc } };
}

/** The readouts' weights, where a rule reads them. */
export function feedbackReads({ feedback }: Choice): Quantity[] {
  return feedback === 'random' ? [] : ['readout'];
}

/** B ~ N(0, scale^2 / neurons of the population). */
export function drawAllFeedback({ feedback, scale }: Choice, state: Views, network: NetworkShape, rng: Rng): void {
  if (feedback === 'symmetric') return;
  const starts = startsOf(network);
  network.populations.forEach(({ size }, p) => {
    const rows = state.B.subarray(starts[p] * network.sizes.out, starts[p + 1] * network.sizes.out);
    drawFeedback(rows, scale, size, rng);
  });
}

/** For every population the way of a row of errors, all outputs, to its neurons. */
export function bindAllFeedback(
  { feedback }: Choice,
  { network, state, readouts }: Pick<DirectBinding, 'network' | 'state' | 'readouts'>,
): BringBack[] {
  const starts = startsOf(network);
  const { out } = network.sizes;
  const sizes = network.populations.map(({ size }) => size);
  const weights = readouts.map((readout) => readout.weights);
  return network.populations.map(({ size }, p) => {
    const own = () => ownFeedback(state.B.subarray(starts[p] * out, starts[p + 1] * out), out);
    return bindFeedback(feedback === 'random' ? own() : viewsOf(network.readouts, weights, p, sizes), size);
  });
}
