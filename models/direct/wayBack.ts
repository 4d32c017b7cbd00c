import { inputGain } from '../../src/core/dynamics.ts';
import type { Real } from '../../src/core/layout.ts';
import type { DirectBinding, DirectContext } from '../../src/core/plugins.ts';
import { rowAt } from '../../src/core/rows.ts';
import { type BackwardNeurons, bindBackward } from '../traces/backward.ts';
import { addRows } from '../traces/kernels.ts';

/** Something that a population meets on its way back, at step t of a stream. */
type AtStep = (population: number, b: number, t: number) => void;

/** Populations on their way back through a trial: what their activity owes, and the gradient of the weights that end on them. */
export interface WayBack {
  /** What each population of the network owes, those that do not go back too. */
  readonly neurons: readonly BackwardNeurons[];
  /** Nothing is owed by what comes later. */
  start(): void;
  /**
   * From step t+1 to t of a stream. `bring` writes into the credit of a population what comes to it from outside; `told` sees its
   * credit when all that leaves it has been added.
   */
  step(b: number, t: number, bring: AtStep, told?: AtStep): void;
}

/** One population on the way back. */
interface Stage {
  readonly back: BackwardNeurons;
  /** D of the next steps. [depth][self] */
  readonly later: Real;
  readonly depth: number;
  readonly size: number;
}

/**
 * Populations in reverse order, so that D of a later one is known where a delay is 0:
 *
 *     dz_j(t) = brought_j + sum_l zeta_l W_jl D_l(t+d) - vTh D_j(t+1)              the last only with the reset attached
 *     D_j(t)  = psi_j(t) (dz_j(t) - adaptBeta_j lambda_j(t+1)) + alpha D_j(t+1)    lambda: what the adaptation owes
 *     dE/dW_ij += zeta p_i(t-d) D_j(t)
 *
 * @param goes the populations that go back; nothing passes through the others, and weights that end on them owe nothing
 */
export function bindWayBack(
  binding: DirectBinding,
  context: DirectContext,
  attached: boolean,
  goes: (population: number) => boolean = () => true,
): WayBack {
  const { network, populations } = binding;
  const stages = network.populations.map(({ size }, q): Stage => {
    const depth = longestDelay(network, q) + 1;
    const back = bindBackward(context.neurons[q], populations[q].psi.data, size, attached);
    return { back, later: new Float64Array(depth * size), depth, size };
  });
  const places = stages.map((_, q) => q).filter(goes);
  const addOutgoing = bindOutgoing(binding, context, stages, goes);
  const addStep = bindAddStep(binding, context, stages, goes);
  return {
    neurons: stages.map(({ back }) => back),
    start() {
      for (const { back, later } of stages) {
        back.start();
        later.fill(0);
      }
    },
    step(b, t, bring, told) {
      for (let s = places.length - 1; s >= 0; s--) {
        const q = places[s];
        const { back, later, depth, size } = stages[q];
        bring(q, b, t);
        addOutgoing(q, t);
        told?.(q, b, t);
        back.step(rowAt(populations[q].psi, b, t));
        later.set(back.drive, (t % depth) * size);
      }
      addStep(b, t);
    },
  };
}

/** Steps that the drive of a population has to wait for the spikes that made it, at least 1. */
export function longestDelay({ projections }: DirectContext['network'], population: number): number {
  const delays = projections.filter(({ pre, post }) => pre !== null && post === population).map(({ delay }) => delay);
  return Math.max(1, ...delays);
}

/** What the activity of a population at step t owes through the projections that leave it. */
function bindOutgoing(
  { network, projections }: DirectBinding,
  { neurons, borderSpikes }: DirectContext,
  stages: readonly Stage[],
  goes: (population: number) => boolean,
): (population: number, t: number) => void {
  const gains = neurons.map(inputGain);
  const outgoing = stages.map((_, population) =>
    network.projections
      .map((shape, q) => ({ ...shape, q }))
      .filter(({ pre, post }) => pre === population && goes(post)),
  );
  return (population, t) => {
    for (const { q, post, delay, synapses } of outgoing[population]) {
      if (delay === 0 && t === 0 && borderSpikes === 'drop') continue;
      const { later, depth, size } = stages[post];
      const slot = ((t + delay) % depth) * size;
      const { weights } = projections[q];
      const { credit } = stages[population].back;
      backThrough(credit, weights, later, slot, synapses.rowStart, synapses.post, gains[post], synapses.nPre);
    }
  };
}

/** What the presynaptic activity that arrives at step t adds to the gradient. */
function bindAddStep(
  { network, projections }: DirectBinding,
  { neurons, borderSpikes }: DirectContext,
  stages: readonly Stage[],
  goes: (population: number) => boolean,
): (b: number, t: number) => void {
  const gains = neurons.map(inputGain);
  const ending = network.projections.map((shape, q) => ({ ...shape, q })).filter(({ post }) => goes(post));
  return (b, t) => {
    if (t === 0 && borderSpikes === 'drop') return;
    for (const { q, post, delay, synapses } of ending) {
      const { pre, gradient } = projections[q];
      const { drive } = stages[post].back;
      const from = rowAt(pre, b, t - delay);
      addRows(gradient, pre.data, drive, synapses.rowStart, synapses.post, from, gains[post], synapses.nPre);
    }
  };
}

/** credit_i += gain sum_j W_ij D_j[t+d].   credit: [pre]; D: row at `at`, [post]; w: [syn] */
export function backThrough(
  credit: Real,
  w: Real,
  drive: Real,
  at: number,
  rowStart: Int32Array,
  post: Int32Array,
  gain: number,
  nPre: number,
): void {
  for (let i = 0; i < nPre; i++) {
    const end = rowStart[i + 1];
    let sum = 0;
    for (let s = rowStart[i]; s < end; s++) sum += w[s] * drive[at + post[s]];
    credit[i] += gain * sum;
  }
}
