import { z } from 'zod';
import { endPhase, errorSpikes, errorSpikesLayout, tellErrors } from '../../src/core/errorSpikes.ts';
import { bindFeedback, drawFeedback, ownFeedback } from '../../src/core/feedback.ts';
import type { Layout, Real } from '../../src/core/layout.ts';
import { scratchOf } from '../../src/core/loops.ts';
import type { BoundSignal, Footprint, PluginChoice, SignalInstance, SignalModel } from '../../src/core/plugins.ts';
import { rowAt } from '../../src/core/rows.ts';
import { magnitude, positive } from '../../src/core/schema.ts';

/** Parameter of every signal that errors reach. */
export const errorSpikeSize = positive
  .nullable()
  .default(null)
  .describe('errors reach the neurons as signed spikes that stand for so much each; null: as numbers');

/** Parameters of a rule whose errors are broadcast; `broadcastOf` makes its signal of them. */
export const broadcastParams = {
  feedback: z.enum(['symmetric', 'random', 'adaptive']).default('random'),
  feedbackScale: magnitude.default(1).describe('standard deviation of B in units of 1 / sqrt(neurons)'),
  feedbackDecay: z.number().min(0).lt(1).default(1e-3).describe('adaptive feedback: share lost per update'),
  errorSpikeSize,
};

export function broadcastOf(p: {
  readonly feedback: string;
  readonly feedbackScale: number;
  readonly feedbackDecay: number;
  readonly errorSpikeSize: number | null;
}): PluginChoice {
  const { feedback, feedbackScale, feedbackDecay, errorSpikeSize } = p;
  return { kind: 'broadcast', feedback, scale: feedbackScale, decay: feedbackDecay, errorSpikeSize };
}

const params = z.strictObject({
  kind: z.literal('broadcast'),
  feedback: z.enum(['symmetric', 'random', 'adaptive']).default('random'),
  scale: magnitude.default(1).describe('standard deviation of B in units of 1 / sqrt(neurons)'),
  errorSpikeSize,
  decay: z.number().min(0).lt(1).default(1e-3).describe('adaptive feedback: share that B and W_out lose per update'),
});
type Params = z.infer<typeof params>;

const ownMatrix = {
  B: { shape: ['self', 'out'], home: 'post', unit: '1', doc: 'feedback weights from the errors to the neurons' },
} as const satisfies Layout;

/**
 * Broadcast of the readout's error.
 *
 *     L_j(t) = sum_k B_jk error_k(t)
 *
 * `symmetric`: B = W_out of every readout that reads the population, the exact instantaneous derivative, which needs weight
 * transport. `random`: B ~ N(0, scale^2 / neurons), fixed, from every readout. `adaptive`: starts random, takes the same step as W_out, and both lose the share `decay` after every
 * update (Kolen and Pollack), so that B aligns with W_out.
 *
 * With `errorSpikeSize` h, error_k(t) is h sign(error_k(t)) with probability min(1, |error_k(t)| / h) and 0 otherwise: two
 * populations of spikes, one for each sign, the same in the mean while no error is larger than h. The readout's own step has the
 * error itself. As in the SpiNNaker branch of the code of Bellec et al. 2020.
 *
 * Bellec et al. 2020 (Nat Commun 11:3625), eq 4 and the paragraph on feedback weights.
 */
export const broadcast: SignalModel<Params> = {
  kind: 'broadcast',
  source: 'Bellec et al. 2020, Nat Commun 11:3625, eq 4',
  params,
  derive(p, { rng, sizes }) {
    const spikes = errorSpikes(p.errorSpikeSize, rng);
    return {
      layout: { ...(p.feedback === 'symmetric' ? {} : ownMatrix), ...errorSpikesLayout(p.errorSpikeSize) },
      footprint: footprints[p.feedback],
      losses: [],
      linear: spikes === null,
      stepsPerPhase: 1,
      window: null,
      refersTo: 'error',
      readoutDecay: p.feedback === 'adaptive' ? p.decay : 0,
      followsReadout: p.feedback === 'adaptive' ? 'B' : null,
      kernel: {
        name: 'broadcast',
        matrix: p.feedback === 'symmetric' ? 'readout' : 'B',
        keep: p.feedback === 'adaptive' ? 1 - p.decay : null,
        errorSpikes: spikes,
      },
      init(state, own) {
        if (p.feedback !== 'symmetric') drawFeedback(state.B, p.scale, sizes.self, own);
      },
      bind: ({ sizes: { stream: nStream, self: n, out: nOut }, state, signal, error, readouts, loops }) => {
        const feedback = p.feedback === 'symmetric' ? readouts : ownFeedback(state.B, nOut);
        const told = scratchOf(loops)(nOut);
        const bringBack = bindFeedback(feedback, n, loops);
        const bound: BoundSignal = {
          step(t) {
            for (let b = 0; b < nStream; b++) {
              const to = rowAt(signal, b, t);
              const from = rowAt(error, b, t);
              if (spikes) {
                tellErrors(told, error.data, 0, from, b, nOut, spikes, state);
                bringBack(signal.data, to, told, 0);
              } else bringBack(signal.data, to, error.data, from);
            }
            if (spikes) endPhase(state);
          },
        };
        if (p.feedback !== 'adaptive') return bound;
        return {
          ...bound,
          readoutStep: (r, step) => follow(state.B, step, 1 - p.decay, nOut, readouts[r].column, n, readouts[r].size),
        };
      },
    } satisfies SignalInstance;
  },
};

const footprints: Readonly<Record<Params['feedback'], Footprint>> = {
  symmetric: { reads: ['error', 'readout'], phases: ['soma'] },
  random: { reads: ['error'], phases: ['soma'] },
  adaptive: { reads: ['error'], phases: ['soma'] },
};

/** B <- keep (B - step) in the columns of one readout.   B: [self][nOut]; step: [self][size] */
function follow(B: Real, step: Real, keep: number, nOut: number, column: number, n: number, size: number): void {
  for (let j = 0; j < n; j++) {
    const to = j * nOut + column;
    for (let k = 0; k < size; k++) B[to + k] = keep * (B[to + k] - step[j * size + k]);
  }
}
