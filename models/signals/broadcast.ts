import { z } from 'zod';
import { endPhase, errorSpikes, errorSpikesLayout, tellErrors } from '../../src/core/errorSpikes.ts';
import type { Layout, Real } from '../../src/core/layout.ts';
import { type Loops, scratchOf } from '../../src/core/loops.ts';
import type { BoundSignal, Footprint, PluginChoice, SignalInstance, SignalModel } from '../../src/core/plugins.ts';
import type { Rng } from '../../src/core/rng.ts';
import { magnitude, positive } from '../../src/core/schema.ts';

/** Parameter of every signal that errors reach. */
export const errorSpikeSize = positive
  .nullable()
  .default(null)
  .describe('errors reach the neurons as signed spikes that stand for so much each; null: as numbers');

/** Parameters of a rule whose errors are broadcast; `broadcastOf` makes its signal of them. */
export const broadcastParams = {
  feedback: z.enum(['symmetric', 'random', 'adaptive']).default('random'),
  feedbackScale: magnitude.default(1).describe('standard deviation of B in units of 1 / sqrt(nRec)'),
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
  scale: magnitude.default(1).describe('standard deviation of B in units of 1 / sqrt(nRec)'),
  errorSpikeSize,
  decay: z.number().min(0).lt(1).default(1e-3).describe('adaptive feedback: share that B and W_out lose per update'),
});
type Params = z.infer<typeof params>;

const ownMatrix = {
  B: { shape: ['rec', 'out'], home: 'post', unit: '1', doc: 'feedback weights from the errors to the neurons' },
} as const satisfies Layout;

/**
 * Broadcast of the readout's error.
 *
 *     L_j(t) = sum_k B_jk error_k(t)
 *
 * `symmetric`: B = W_out, the exact instantaneous derivative, which needs weight transport. `random`: B ~ N(0, scale^2 /
 * nRec), fixed. `adaptive`: starts random, takes the same step as W_out, and both lose the share `decay` after every
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
  derive(p, { rng }) {
    const spikes = errorSpikes(p.errorSpikeSize, rng);
    return {
      layout: { ...(p.feedback === 'symmetric' ? {} : ownMatrix), ...errorSpikesLayout(p.errorSpikeSize) },
      footprint: footprints[p.feedback],
      keepsLosses: false,
      stepsPerPhase: 1,
      refersTo: 'error',
      readoutDecay: p.feedback === 'adaptive' ? p.decay : 0,
      followsReadout: p.feedback === 'adaptive' ? 'B' : null,
      kernel: {
        name: 'broadcast',
        matrix: p.feedback === 'symmetric' ? 'wOut' : 'B',
        keep: p.feedback === 'adaptive' ? 1 - p.decay : null,
        errorSpikes: spikes,
      },
      init(state, { rec }, rng) {
        if (p.feedback !== 'symmetric') drawFeedback(state.B, p.scale, rec, rng);
      },
      bind: ({ sizes, state, trial, weights, loops }) => {
        const B = p.feedback === 'symmetric' ? weights.wOut : state.B;
        const { stream: nStream, step: steps, rec: n, out: nOut } = sizes;
        const told = scratchOf(loops)(nOut);
        const projectNow = loops?.project ?? project;
        const bound: BoundSignal = {
          step(t) {
            for (let b = 0; b < nStream; b++) {
              const row = b * steps + t;
              if (spikes) {
                tellErrors(told, trial.error, 0, row * nOut, b, nOut, spikes, state);
                projectNow(trial.signal, B, told, row * n, 0, n, nOut);
              } else projectNow(trial.signal, B, trial.error, row * n, row * nOut, n, nOut);
            }
            if (spikes) endPhase(state);
          },
        };
        if (p.feedback !== 'adaptive') return bound;
        return { ...bound, readoutStep: (step) => follow(B, step, 1 - p.decay) };
      },
    } satisfies SignalInstance;
  },
};

const footprints: Readonly<Record<Params['feedback'], Footprint>> = {
  symmetric: { reads: ['error', 'wOut'], phases: ['soma'] },
  random: { reads: ['error'], phases: ['soma'] },
  adaptive: { reads: ['error'], phases: ['soma'] },
};

/** B ~ N(0, scale^2 / nRec). */
export function drawFeedback(B: Real, scale: number, nRec: number, rng: Rng): void {
  const deviation = scale / Math.sqrt(nRec);
  for (let s = 0; s < B.length; s++) B[s] = deviation * rng.normal();
}

/** L_j = sum_k B_jk error_k.   signal: row at `to`; B: [rec][out]; error: row at `from` */
export const project: Loops['project'] = (signal, B, error, to, from, n, nOut) => {
  for (let j = 0; j < n; j++) {
    const row = j * nOut;
    let sum = 0;
    for (let k = 0; k < nOut; k++) sum += B[row + k] * error[from + k];
    signal[to + j] = sum;
  }
};

/** B <- keep (B - step).   B, step: [rec][out] */
function follow(B: Real, step: Real, keep: number): void {
  for (let s = 0; s < B.length; s++) B[s] = keep * (B[s] - step[s]);
}
