import { z } from 'zod';
import { UnsupportedError } from '../../src/core/errors.ts';
import { type Layout, layoutLength } from '../../src/core/layout.ts';
import type { DirectBinding, DirectContext, DirectInstance, DirectModel } from '../../src/core/plugins.ts';
import { rowAt } from '../../src/core/rows.ts';
import { drawAllFeedback, feedbackLayout, feedbackParams, feedbackReads, neuronsOf, startsOf } from './feedback.ts';
import { isAttached, resetParam } from './reset.ts';
import { bindTangent, bindTold, type Told, tangentLayout, toldLayout } from './tangent.ts';

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
 * on from the influence of the former weights. State per projection: [stream][syn][neurons] for each of v, a, z
 * (as many rows as the longest delay) and zBar (one for every filter of the readouts); a step costs n^3 (n + nIn) products. An oracle for small networks.
 *
 * Williams and Zipser 1989 (Neural Computation 1:270); notation of Marschall, Cho, Savin 2020 (JMLR 21:135).
 */
export const rtrl: DirectModel<Params> = {
  kind: 'rtrl',
  source: 'Williams and Zipser 1989, Neural Computation 1:270',
  params,
  derive(p, context) {
    const attached = isAttached(p.reset, context.neurons);
    const { network } = context;
    const influence: Layout = Object.assign(
      {},
      ...network.projections.map(({ name, synapses }) =>
        tangentLayout(context, ['stream', synapses.nSyn], (variable) => `${name}.${variable}`),
      ),
    );
    assertSmall(influence, context);
    return {
      layout: { ...feedbackLayout(p, network), ...influence },
      past: {},
      work: toldLayout(context),
      jacobianProducts: network.projections.reduce((sum, { synapses }) => sum + synapses.nSyn, 0),
      footprint: { reads: ['pre', 'psi', 'error', 'weights', ...feedbackReads(p)], phases: ['soma'] },
      grain: 'step',
      kernel: null,
      init: (state, rng) => drawAllFeedback(p, state, network, rng),
      bind: (binding) => bindRtrl(binding, p, context, attached),
    } satisfies DirectInstance;
  },
};

function assertSmall(influence: Layout, { network }: DirectContext): void {
  const numbers = layoutLength(influence, network.sizes);
  if (numbers <= mostNumbers) return;
  throw new UnsupportedError(
    `rule rtrl: the influence of the weights on the neurons has ${numbers} numbers, at most ${mostNumbers} are taken: ` +
      'fewer neurons, synapses or streams, or the rule bptt or uoro',
  );
}

function bindRtrl(
  binding: DirectBinding,
  p: Params,
  context: DirectContext,
  attached: boolean,
): (t0: number, t1: number) => void {
  const told = bindTold(p, binding);
  const steps = binding.network.projections.map((_, q) => bindProjection(binding, context, attached, told, q));
  const { stream: nStream } = binding.network.sizes;
  return (t0, t1) => {
    for (let t = t0; t < t1; t++) {
      for (let b = 0; b < nStream; b++) {
        told.listen(b, t);
        for (let q = 0; q < steps.length; q++) steps[q](b, t);
      }
    }
  };
}

/** Influence and gradient of every synapse of one projection. */
function bindProjection(
  binding: DirectBinding,
  context: DirectContext,
  attached: boolean,
  told: Told,
  q: number,
): (b: number, t: number) => void {
  const { network, projections, state } = binding;
  const { name, synapses, delay, post: population } = network.projections[q];
  const { pre, gradient } = projections[q];
  const tangent = bindTangent(binding, context, attached, state, (variable) => `${name}.${variable}`);
  const { nPre, nSyn, rowStart, post } = synapses;
  const start = startsOf(network)[population];
  const drive = new Float64Array(neuronsOf(network));
  return (b, t) => {
    const from = rowAt(pre, b, t - delay);
    const dropped = t === 0 && context.borderSpikes === 'drop';
    for (let i = 0; i < nPre; i++) {
      const activity = dropped ? 0 : pre.data[from + i];
      for (let s = rowStart[i]; s < rowStart[i + 1]; s++) {
        const k = b * nSyn + s;
        drive.fill(0);
        drive[start + post[s]] = activity;
        tangent.step(b, t, k, drive);
        gradient[s] += tangent.meet(told, k);
      }
    }
  };
}
