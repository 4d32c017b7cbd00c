import { z } from 'zod';
import { UnsupportedError } from '../../src/core/errors.ts';
import { type Layout, layoutLength, type Real } from '../../src/core/layout.ts';
import type { DirectBinding, DirectContext, DirectInstance, DirectModel } from '../../src/core/plugins.ts';
import type { Projection } from '../../src/core/projection.ts';
import { bringBack, drawFeedback, feedbackLayout, feedbackMatrix, feedbackParams, feedbackReads } from './feedback.ts';
import { resetGainOf, resetParam } from './reset.ts';
import { bindTangent, inner, type Tangent, tangentLayout } from './tangent.ts';

const params = z.strictObject({ kind: z.literal('rtrl'), ...feedbackParams, reset: resetParam });
type Params = z.infer<typeof params>;

/** Numbers of influence that are still sensible: 1 GiB. */
const mostNumbers = 2 ** 27;

/**
 * Real-time recurrent learning: the influence of every weight on the state of every neuron, kept forwards in time.
 *
 *     P_s(t) = T_t(P_s(t-1), p_i(t) on neuron j)         s: synapse i -> j; T_t: the linearised step of tangent.ts
 *     dE/dW_s += sum_k L_k(t) PBar_s,k(t),      L_k(t) = sum_l B_kl error_l(t)
 *
 * PBar is the influence on the activity as the readout filters it. The exact gradient of each error with the pseudo-
 * derivative in place of the derivative, at every step and also across the borders of chunks; after an update it goes
 * on from the influence of the former weights. State per group: [stream][syn][rec] for each of v, a, z, zBar; a step
 * costs n^3 (n + nIn) products. An oracle for small networks.
 *
 * Williams and Zipser 1989 (Neural Computation 1:270); notation of Marschall, Cho, Savin 2020 (JMLR 21:135).
 */
export const rtrl: DirectModel<Params> = {
  kind: 'rtrl',
  source: 'Williams and Zipser 1989, Neural Computation 1:270',
  params,
  derive(p, context) {
    const resetGain = resetGainOf(p.reset, context.neuron);
    const influence = {
      ...tangentLayout(context, ['stream', 'synIn'], 'In'),
      ...tangentLayout(context, ['stream', 'synRec'], 'Rec'),
    };
    assertSmall(influence, context);
    return {
      layout: { ...feedbackLayout(p), ...influence },
      past: {},
      work: { told: { shape: ['rec'], home: 'post', unit: '1', doc: 'error as it comes to the neurons' } },
      jacobianProducts: context.sizes.synIn + context.sizes.synRec,
      footprint: { reads: ['x', 'zPrev', 'psi', 'error', 'wRec', ...feedbackReads(p)], phases: ['soma'] },
      grain: 'step',
      kernel: null,
      init: (state, sizes, rng) => drawFeedback(p, state, sizes, rng),
      bind: (binding) => bindRtrl(binding, p, context, resetGain),
    } satisfies DirectInstance;
  },
};

function assertSmall(influence: Layout, { sizes }: DirectContext): void {
  const numbers = layoutLength(influence, { ...sizes, history: 1 });
  if (numbers <= mostNumbers) return;
  throw new UnsupportedError(
    `rule rtrl: the influence of the weights on the neurons has ${numbers} numbers, at most ${mostNumbers} are taken: ` +
      'fewer neurons, synapses or streams, or the rule bptt or uoro',
  );
}

/** The influence of one projection's weights. */
interface Group {
  readonly projection: Projection;
  readonly tangent: Tangent;
  readonly p: Real;
  readonly gradient: Real;
  /** Offset of the presynaptic activity that acts at step t of stream b. */
  readonly rowOf: (b: number, t: number) => number;
}

function bindRtrl(
  binding: DirectBinding,
  p: Params,
  context: DirectContext,
  resetGain: number,
): (t0: number, t1: number) => void {
  const { sizes, state, trial, weights, projections, gradient } = binding;
  const { stream: nStream, step: stride, rec: n, in: nIn, out: nOut, history } = sizes;
  const B = feedbackMatrix(p, state, weights);
  const told = new Float64Array(n);
  const groups: Group[] = [
    {
      projection: projections.in,
      tangent: bindTangent(binding, context, resetGain, state, 'In'),
      p: trial.x,
      gradient: gradient.wIn,
      rowOf: (b, t) => (b * stride + t) * nIn,
    },
    {
      projection: projections.rec,
      tangent: bindTangent(binding, context, resetGain, state, 'Rec'),
      p: trial.z,
      gradient: gradient.wRec,
      rowOf: (b, t) => (b * (history + stride) + t) * n,
    },
  ];
  const steps = groups.map((group) => bindGroup(group, told, n, context.borderSpikes));
  return (t0, t1) => {
    for (let t = t0; t < t1; t++) {
      for (let b = 0; b < nStream; b++) {
        bringBack(told, B, trial.error, (b * stride + t) * nOut, n, nOut);
        for (let g = 0; g < steps.length; g++) steps[g](b, t);
      }
    }
  };
}

/** Influence and gradient of every synapse of one projection; `told` is the error as it comes to the neurons. [rec] */
function bindGroup(
  { projection, tangent, p, gradient, rowOf }: Group,
  told: Real,
  n: number,
  borderSpikes: 'keep' | 'drop',
): (b: number, t: number) => void {
  const { nPre, nSyn, rowStart, post } = projection;
  const { read, readGain } = tangent;
  const drive = new Float64Array(n);
  return (b, t) => {
    const from = rowOf(b, t);
    const dropped = t === 0 && borderSpikes === 'drop';
    for (let i = 0; i < nPre; i++) {
      const activity = dropped ? 0 : p[from + i];
      for (let s = rowStart[i]; s < rowStart[i + 1]; s++) {
        const at = (b * nSyn + s) * n;
        drive.fill(0);
        drive[post[s]] = activity;
        tangent.step(b, t, at, drive);
        gradient[s] += readGain * inner(told, read, at, n);
      }
    }
  };
}
