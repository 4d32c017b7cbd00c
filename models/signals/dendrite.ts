import { z } from 'zod';
import { signedEvent } from '../../src/core/chance.ts';
import { closedOf, spikes } from '../../src/core/dynamics.ts';
import { endPhase, errorSpikes, errorSpikesLayout, tellErrors } from '../../src/core/errorSpikes.ts';
import { UnsupportedError } from '../../src/core/errors.ts';
import { bindFeedback, drawFeedback, ownFeedback } from '../../src/core/feedback.ts';
import type { Field, Layout, Real } from '../../src/core/layout.ts';
import * as maps from '../../src/core/linearMaps.ts';
import { scratchOf } from '../../src/core/loops.ts';
import type {
  BoundSignal,
  DendriteKernel,
  Quantity,
  SignalBinding,
  SignalContext,
  SignalInstance,
  SignalModel,
  SignalSizes,
  SynapsesView,
} from '../../src/core/plugins.ts';
import { type Rows, rowAt } from '../../src/core/rows.ts';
import { count, countTo, magnitude, positive } from '../../src/core/schema.ts';
import { nearestPowerOfTwo } from '../../src/core/units.ts';
import { errorSpikeSize } from './broadcast.ts';

const { halfSquare, addPulledBack, rescale, square, subtractInto } = maps;

const params = z
  .strictObject({
    kind: z.literal('dendrite'),
    feedback: z.enum(['symmetric', 'random']).default('random').describe('from the errors to the distal compartments'),
    scale: magnitude.default(1).describe('standard deviation of the feedback in units of 1 / sqrt(neurons)'),
    credit: z.enum(['activity', 'membrane']).default('activity').describe('what V is the derivative to'),
    predicts: z
      .enum(['present', 'future'])
      .default('future')
      .describe('A f(t) stands for the credit of t itself, or for what it will owe from t+1 on'),
    jacobian: z
      .enum(['linear', 'gated', 'exact'])
      .default('linear')
      .describe('J learned on the activity; learned on the current and gated by psi; or made of W (weight transport)'),
    delays: countTo(10_000).default(6).describe('D: A reads the activity of t, t-1, .. t-D+1'),
    label: z.boolean().default(true).describe('whether A reads the target too'),
    squash: z
      .enum(['none', 'tanh', 'spikes'])
      .default('none')
      .describe('limit on what the distal compartments broadcast; spikes: signed events instead of numbers'),
    spikeSize: positive.default(0.1).describe('what one event of a spiking broadcast stands for'),
    errorSpikeSize,
    copyEvery: count.default(1).describe('updates between refreshes of the slow copy of A'),
    rateA: magnitude.default(0.5),
    rateJ: magnitude.default(0.5),
    normalised: z.boolean().default(true).describe('divide the rates of A and J by 1 + mean square of what they read'),
    normRate: z.number().gt(0).max(1).default(0.005).describe('rate of those means, per phase'),
    reset: z.boolean().default(false).describe("membrane credit: pass through the neuron's own reset"),
    startA: z.enum(['zero', 'normal']).default('zero').describe('normal: sd 1 / sqrt(features)'),
    startJ: z.enum(['zero', 'weights']).default('zero').describe('weights: a copy of W'),
    stepsPerPhase: count.default(1).describe('steps between distal phases'),
    late: z.boolean().default(false).describe('V reaches the synapses one step later'),
  })
  .refine((p) => p.jacobian === 'linear' || p.credit === 'membrane' || p.predicts === 'present', {
    path: ['jacobian'],
    message: '"linear" where A predicts the future of an activity: psi(t+1) is not known yet',
  })
  .refine((p) => !p.late || p.stepsPerPhase === 1, {
    path: ['late'],
    message: 'false where a phase has several steps: its signal comes at their end anyway',
  })
  .refine((p) => p.jacobian !== 'linear' || p.credit === 'activity', {
    path: ['jacobian'],
    message: '"gated" or "exact" for the credit of a membrane',
  });
export type DendriteParams = z.infer<typeof params>;

/**
 * Learning signal of a segregated distal dendrite: V_j(t) is the neuron's own estimate of the credit it has for all losses
 * from now on, made of top-down error and of a prediction A of the credit to come, which the other neurons send back through
 * J, a learned linear model of the network's next step. W never appears.
 *
 *     f(t) = [r(t); r(t-1); .. r(t-D+1); y*(t); 1]          r: activity as the readout sees it (z for a readout without filter)
 *     q(t) = B error(t),   F(t) = s(A' f(t))                s: identity, tanh, spikes;  A': A or its slow copy
 *     J += eta_J / n sum (r(t) - J r(t-1)) r(t-1)^T         `linear`
 *     J += eta_J / n sum (I(t) - J p(t)) p(t)^T             `gated`: current I, presynaptic activity p; credit passes psi
 *
 * `future` (SG-r/D):   V(t) = q(t) + J^T F(t),              A -= s(t) eta_A / n sum (A f(t-1) - V(t)) f(t-1)^T
 * `present` (SG-r):    V(t) = A f(t),                       A -= s(t) eta_A / n sum (A f(t-1) - q(t-1) - J^T F(t)) f(t-1)^T
 * `future`, membrane (SG-d):  V = q + J^T F - vTh F,        target of A f(t-1): psi(t) V(t) + alpha F(t)
 * `present`, membrane (SG-v): V = A f,                      target of A f(t-1): psi(t-1) (q(t-1) + J^T F(t)) + alpha F(t)
 *
 * Sums run over the n streams. With `normalised`, eta_A / (1 + m_F) and eta_J / (1 + m_R) with running means of |f|^2 and of
 * |r(t-1)|^2. s(t) is the schedule of the recurrent weights; J follows none. In a step J comes first, then V, then A; where A
 * predicts the present, V is read from the A just updated.
 *
 * With `errorSpikeSize` the error of q arrives as signed spikes, see `broadcast.ts`.
 *
 * A spiking broadcast is h sign(A f) with probability min(1, |A f| / h) and 0 otherwise, h = `spikeSize`: the same in the mean.
 *
 * Schedules. Within the step: as above. Two phases: between two steps of the soma the distal compartments drive the neurons,
 * which send F = tanh(A f) (`squash: tanh`) to one another through J; the soma's state waits, so that the equations are the
 * same and a step of the task takes two steps of the chip. One step late (`late`): the soma gets V(t-1) at step t and meets it
 * with its trace of t-1, which costs one stored psi and nothing else: dW(t) = - eta V(t-1) e(t-1).
 *
 * Within one population: r, J and A are of its own neurons, and what they owe through other populations is not among it. J from
 * the inputs reads the task's input.
 *
 * Marschall, Cho, Savin 2019 (arXiv 1905.12100) for rates; the spiking forms and the delays are this project's.
 */
export const dendrite: SignalModel<DendriteParams> = {
  kind: 'dendrite',
  source: 'Marschall, Cho, Savin 2019, arXiv 1905.12100; spiking forms of this project',
  params,
  derive(p, context) {
    if (p.credit === 'membrane' && !spikes(context.neuron)) {
      throw new UnsupportedError('rule: the credit of a membrane needs a spiking neuron');
    }
    return {
      layout: layoutOf(p, context),
      footprint: { reads: readsOf(p), phases: ['soma', 'dendrite'] },
      refersTo: p.stepsPerPhase > 1 ? 'error' : 'credit',
      readoutDecay: 0,
      followsReadout: null,
      losses: ownLosses,
      linear: false,
      stepsPerPhase: p.stepsPerPhase,
      window: null,
      kernel: kernelOf(p, context),
      init(state, rng, { recurrent, inputs }) {
        const n = context.sizes.self;
        if (state.B) drawFeedback(state.B, p.scale, n, rng);
        if (p.startA === 'normal') {
          const deviation = Math.sqrt(n / state.A.length);
          const source = rng.split('A');
          for (let s = 0; s < state.A.length; s++) state.A[s] = deviation * source.normal();
        }
        if (state.slowA) state.slowA.set(state.A);
        if (p.startJ === 'weights' && state.J) {
          for (const { projection, weights } of recurrent) spread(state.J, weights, projection, 0, n);
          if (state.Jin)
            for (const { projection, weights, from } of inputs) spread(state.Jin, weights, projection, from, n);
        }
        if (state.norms) state.norms.set([n / 2, (n * p.delays) / 2]);
      },
      bind: (binding) => bindDendrite(p, context, binding),
    } satisfies SignalInstance;
  },
};

/** Length of f. */
function featureCount(p: DendriteParams, { self, out }: Pick<SignalSizes, 'self' | 'out'>): number {
  return p.delays * self + (p.label ? out : 0) + 1;
}

const ownLosses = [
  { name: 'lossA', label: 'A: the credit', unit: 'squared error' },
  { name: 'lossJ', label: 'J: the next step', unit: 'squared error' },
];

function layoutOf(p: DendriteParams, { sizes, readout, neuron }: SignalContext): Layout {
  const nF = featureCount(p, sizes);
  const perNeuron = (doc: string): Field => ({
    shape: ['stream', 'self'],
    home: 'post',
    unit: '1',
    doc,
    restarts: true,
  });
  const layout: Record<string, Field> = {};
  if (p.feedback === 'random') {
    layout.B = { shape: ['self', 'out'], home: 'post', unit: '1', doc: 'feedback from the errors to the dendrites' };
  }
  layout.A = { shape: [nF, 'self'], home: 'synapse', unit: '1', doc: 'credit predictor, [feature][post]', outer: true };
  if (p.copyEvery > 1) layout.slowA = { shape: [nF, 'self'], home: 'synapse', unit: '1', doc: 'slow copy of A' };
  if (p.jacobian !== 'exact') {
    layout.J = {
      shape: ['self', 'self'],
      home: 'pair',
      unit: '1',
      doc: 'model of the next step, read both ways',
      outer: true,
    };
  }
  if (p.jacobian === 'gated') {
    layout.Jin = {
      shape: ['in', 'self'],
      home: 'synapse',
      unit: '1',
      doc: 'its part from the inputs, read forwards only',
      outer: true,
    };
  }
  if (p.normalised) layout.norms = { shape: [2], home: 'global', unit: '1', doc: 'running means of |r|^2 and |f|^2' };
  layout.losses = {
    shape: [3],
    home: 'global',
    unit: '1',
    doc: 'summed losses of A and of J, and phases',
    bookkeeping: true,
  };
  layout.features = {
    shape: ['stream', nF],
    home: 'post',
    unit: '1',
    doc: 'f of the last phase',
    restarts: true,
    binary: readout.decay === 0 && spikes(neuron),
  };
  layout.begun = {
    shape: ['stream'],
    home: 'global',
    unit: '1',
    doc: '1 after the first phase',
    restarts: true,
    bookkeeping: true,
  };
  if (p.squash === 'spikes')
    layout.drawn = { shape: [1], home: 'global', unit: 'phases', doc: 'broadcasts drawn', bookkeeping: true };
  Object.assign(layout, errorSpikesLayout(p.errorSpikeSize));
  if (p.copyEvery > 1)
    layout.age = { shape: [1], home: 'global', unit: 'phases', doc: 'since the slow copy was made', bookkeeping: true };
  if (p.predicts === 'present') layout.q = perNeuron('error at the dendrite in the last phase');
  if (p.predicts === 'present' && p.credit === 'membrane') layout.psi = perNeuron('psi of the last phase');
  if (readout.decay > 0) layout.r = perNeuron('activity filtered as the readout does');
  layout.distal = perNeuron('distal voltage V');
  layout.errorA = { ...perNeuron('A f(t-1) less what it should have been'), transient: true };
  if (p.jacobian !== 'exact')
    layout.errorJ = { ...perNeuron('what J should have said less what it said'), transient: true };
  return layout;
}

function readsOf(p: DendriteParams): Quantity[] {
  const reads: Quantity[] = ['z', 'error'];
  if (p.feedback === 'symmetric') reads.push('readout');
  if (p.label) reads.push('target');
  if (p.jacobian === 'exact') reads.push('weights');
  if (p.jacobian === 'gated') reads.push('input', 'current');
  const gates = p.jacobian !== 'linear' && p.predicts === 'present' && p.credit === 'activity';
  if (gates || p.credit === 'membrane') reads.push('psi');
  return reads;
}

/** The kernel of the fast backend covers the rule on spikes with linear J and A predicting the future. */
function kernelOf(
  p: DendriteParams,
  { readout, neuron, sizes, rng, powersOfTwo }: SignalContext,
): DendriteKernel | null {
  const covered =
    p.predicts === 'future' &&
    p.credit === 'activity' &&
    p.jacobian === 'linear' &&
    p.squash === 'none' &&
    p.copyEvery === 1 &&
    !p.late &&
    spikes(neuron);
  if (!covered) return null;
  return {
    name: 'dendrite',
    matrix: p.feedback === 'symmetric' ? 'readout' : 'B',
    keep: null,
    errorSpikes: errorSpikes(p.errorSpikeSize, rng),
    delays: p.delays,
    label: p.label,
    features: featureCount(p, sizes),
    readoutDecay: readout.decay,
    readoutGain: readout.gain,
    gain: shareOf(p, readout.gain),
    stepsPerPhase: p.stepsPerPhase,
    rateA: p.rateA,
    rateJ: p.rateJ,
    normRate: p.normalised ? p.normRate : null,
    powersOfTwo,
  };
}

/** dr/dz; over several steps it is in the trace, which passes through the readout's own filter. */
function shareOf(p: DendriteParams, readoutGain: number): number {
  return p.stepsPerPhase > 1 ? 1 : readoutGain;
}

/** Copies the synapses of a projection into a dense [pre][post] matrix, from row `first`; missing ones stay 0. */
function spread(
  to: Real,
  w: Real,
  { nPre, rowStart, post }: SynapsesView['projection'],
  first: number,
  n: number,
): void {
  for (let i = 0; i < nPre; i++)
    for (let s = rowStart[i]; s < rowStart[i + 1]; s++) to[(first + i) * n + post[s]] = w[s];
}

/** Work space of one bound signal. */
interface Scratch {
  /** f(t). [stream][features] */
  readonly now: Real;
  /** F(t). [stream][self] */
  readonly broadcast: Real;
  /** F(t) behind its gate. [stream][self] */
  readonly gated: Real;
  /** J^T F(t), then A f(t-1). [stream][self] */
  readonly pulled: Real;
  /** q(t). [self] */
  readonly q: Real;
}

function bindDendrite(p: DendriteParams, context: SignalContext, binding: SignalBinding): BoundSignal {
  const { sizes, state, signal } = binding;
  const { stream: nStream, self: n } = sizes;
  const nF = featureCount(p, sizes);
  const take = scratchOf(binding.loops);
  const scratch: Scratch = {
    now: take(nStream * nF),
    broadcast: take(nStream * n),
    gated: take(nStream * n),
    pulled: take(nStream * n),
    q: take(n),
  };
  const readActivity = bindFeatures(p, context, binding, scratch.now);
  const learnJ = bindJ(p, context, binding);
  const learnA = p.predicts === 'future' ? bindFuture : bindPresent;
  const credit = learnA(p, context, binding, scratch);
  const { gain } = context.readout;
  return {
    step(t, rateScale) {
      const phase = (t + 1) % p.stepsPerPhase === 0;
      readActivity(t, phase);
      if (phase) {
        if (state.norms) followNorms(state.norms, state.features, scratch.now, p, n, nF, nStream);
        learnJ(t);
      }
      for (let b = 0; b < nStream; b++) {
        const row = rowAt(signal, b, t);
        if (p.late) rescale(signal.data, row, state.distal, b * n, gain, n);
        else if (!phase) signal.data.fill(0, row, row + n);
      }
      if (!phase) return;
      credit(t, rateScale);
      const share = shareOf(p, gain);
      for (let b = 0; b < nStream; b++) {
        if (!p.late) rescale(signal.data, rowAt(signal, b, t), state.distal, b * n, share, n);
      }
      state.features.set(scratch.now);
      state.losses[2] += 1;
    },
  };
}

/** r(t) at every step, f(t) at every phase.   now: [stream][features] */
function bindFeatures(p: DendriteParams, { readout }: SignalContext, binding: SignalBinding, now: Real) {
  const { sizes, state, z, target } = binding;
  const { stream: nStream, self: n, out: nOut } = sizes;
  const nF = featureCount(p, sizes);
  const older = (p.delays - 1) * n;
  const rows = Array.from({ length: nStream }, (_, b) => ({
    last: state.features.subarray(b * nF, b * nF + older),
    delayed: now.subarray(b * nF + n, b * nF + n + older),
  }));
  const write = (b: number, t: number, activity: Real, from: number) => {
    const at = b * nF;
    for (let i = 0; i < n; i++) now[at + i] = activity[from + i];
    rows[b].delayed.set(rows[b].last);
    const label = rowAt(target, b, t);
    if (p.label) for (let k = 0; k < nOut; k++) now[at + n + older + k] = target.data[label + k];
    now[at + nF - 1] = 1;
    if (state.begun[b] === 1) return;
    // Before the first phase: no activity, and the target that comes first.
    state.begun[b] = 1;
    for (let i = p.delays * n; i < nF; i++) state.features[at + i] = now[at + i];
  };
  return (t: number, phase: boolean) => {
    for (let b = 0; b < nStream; b++) {
      const from = rowAt(z, b, t);
      if (state.r) {
        for (let j = 0; j < n; j++) {
          state.r[b * n + j] = readout.decay * state.r[b * n + j] + readout.gain * z.data[from + j];
        }
      }
      if (phase) write(b, t, state.r ?? z.data, state.r ? b * n : from);
    }
  };
}

/** m += rate (mean over streams of |x|^2 - m) for r(t-1) and f(t). */
function followNorms(
  norms: Real,
  before: Real,
  now: Real,
  p: DendriteParams,
  n: number,
  nF: number,
  nStream: number,
): void {
  let ofR = 0;
  let ofF = 0;
  for (let b = 0; b < nStream; b++) {
    ofR += square(before, b * nF, n);
    ofF += square(now, b * nF, nF);
  }
  norms[0] += p.normRate * (ofR / nStream - norms[0]);
  norms[1] += p.normRate * (ofF / nStream - norms[1]);
}

/** One step of J over all streams: every stream is predicted with the same J, then J moves. */
function bindJ(p: DendriteParams, { powersOfTwo }: SignalContext, binding: SignalBinding) {
  const { sizes, state, z, input, current, recurrent, inputs } = binding;
  const { stream: nStream, self: n, in: nIn } = sizes;
  const { predict, addOuter } = { ...maps, ...binding.loops };
  const nF = featureCount(p, sizes);
  const isLate = recurrent.some(({ delay }) => delay > 1) || inputs.some(({ delay }) => delay > 0);
  if (p.jacobian !== 'linear' && isLate) {
    throw new UnsupportedError(
      'rule: with a recurrent delay of several steps, or a delay of the input, J has to be "linear"',
    );
  }
  if (p.jacobian === 'exact') return () => {};
  const gated = p.jacobian === 'gated';
  const r = (b: number, t: number): [Real, number] => (state.r ? [state.r, b * n] : [z.data, rowAt(z, b, t)]);
  const miss = state.errorJ;
  const stride = ({ history, steps, width }: Rows) => (history + steps) * width;
  return (t: number) => {
    const rate = applied(p.rateJ / (p.normalised ? 1 + state.norms[0] : 1), powersOfTwo) / nStream;
    for (let b = 0; b < nStream; b++) {
      const at = b * n;
      miss.fill(0, at, at + n);
      if (gated) {
        predict(miss, at, state.J, z.data, rowAt(z, b, t - 1), n, n);
        predict(miss, at, state.Jin, input.data, rowAt(input, b, t), nIn, n);
        subtractInto(miss, at, current.data, rowAt(current, b, t), n);
      } else {
        predict(miss, at, state.J, state.features, b * nF, n, n);
        const [activity, from] = r(b, t);
        subtractInto(miss, at, activity, from, n);
      }
    }
    state.losses[1] += halfSquare(miss, nStream * n) / (nStream * n);
    if (gated) {
      addOuter(state.J, z.data, rowAt(z, 0, t - 1), stride(z), miss, rate, n, n, nStream);
      addOuter(state.Jin, input.data, rowAt(input, 0, t), stride(input), miss, rate, nIn, n, nStream);
    } else addOuter(state.J, state.features, 0, nF, miss, rate, n, n, nStream);
  };
}

/** J^T F of all streams, with the gates and the leak that belong to the chosen Jacobian.   F, out: [stream][self] */
function bindPullBack(p: DendriteParams, context: SignalContext, binding: SignalBinding, scratch: Scratch) {
  const { sizes, state, psi, recurrent } = binding;
  const { stream: nStream, self: n } = sizes;
  const { broadcast, gated, pulled } = scratch;
  const { pullBack } = { ...maps, ...binding.loops };
  const exact = p.jacobian === 'exact';
  const through = (g: Real) => {
    if (!exact) return pullBack(pulled, state.J, g, n, nStream);
    pulled.fill(0);
    for (const { projection, weights } of recurrent) {
      addPulledBack(pulled, weights, g, projection.rowStart, projection.post, n, nStream);
    }
  };
  if (p.jacobian === 'linear') return () => through(broadcast);
  const neuron = closedOf(context.neuron, `rule: a Jacobian "${p.jacobian}"`);
  if (p.credit === 'membrane') {
    return () => {
      for (let s = 0; s < nStream * n; s++) gated[s] = neuron.gain * broadcast[s];
      through(gated);
    };
  }
  const leak = spikes(neuron) ? 0 : neuron.decay;
  return (t: number) => {
    for (let b = 0; b < nStream; b++) {
      const row = rowAt(psi, b, t);
      for (let j = 0; j < n; j++) gated[b * n + j] = neuron.gain * psi.data[row + j] * broadcast[b * n + j];
    }
    through(gated);
    for (let s = 0; s < nStream * n; s++) pulled[s] += leak * broadcast[s];
  };
}

/** What no membrane has. */
const none = { decay: 0, resetGain: 0 };

type Credit = (t: number, rateScale: number) => void;

/** V = q + J^T F, and A f(t-1) learns V (or, of membranes, what V is worth through the membrane). */
function bindFuture(p: DendriteParams, context: SignalContext, binding: SignalBinding, scratch: Scratch): Credit {
  const { sizes, state, psi } = binding;
  const { stream: nStream, self: n } = sizes;
  const { broadcast, pulled, q } = scratch;
  const miss = state.errorA;
  const pull = bindPullBack(p, context, binding, scratch);
  const toQ = bindQ(p, context, binding);
  const toBroadcast = bindBroadcast(p, context, binding, scratch);
  const finish = bindA(p, context, binding, scratch, miss);
  const membrane = p.credit === 'membrane';
  const { decay, resetGain } = membrane ? closedOf(context.neuron, 'rule: the credit of a membrane') : none;
  const reset = p.reset ? resetGain : 0;
  return (t, rateScale) => {
    toBroadcast();
    pull(t);
    for (let b = 0; b < nStream; b++) {
      const at = b * n;
      const row = rowAt(psi, b, t);
      toQ(q, b, t);
      for (let j = 0; j < n; j++) {
        const voltage = pulled[at + j] + (q[j] - (membrane ? reset * broadcast[at + j] : 0));
        state.distal[at + j] = voltage;
        // What A f(t-1) should have been.
        miss[at + j] = membrane ? psi.data[row + j] * voltage + decay * broadcast[at + j] : voltage;
      }
    }
    finish(rateScale);
  };
}

/** A f(t-1) learns q(t-1) + J^T F(t); then V = A f(t). */
function bindPresent(p: DendriteParams, context: SignalContext, binding: SignalBinding, scratch: Scratch): Credit {
  const { sizes, state, psi } = binding;
  const { stream: nStream, self: n } = sizes;
  const { predict } = { ...maps, ...binding.loops };
  const nF = featureCount(p, sizes);
  const { now, broadcast, pulled, q } = scratch;
  const miss = state.errorA;
  const pull = bindPullBack(p, context, binding, scratch);
  const toQ = bindQ(p, context, binding);
  const toBroadcast = bindBroadcast(p, context, binding, scratch);
  const finish = bindA(p, context, binding, scratch, miss);
  const { decay } = p.credit === 'membrane' ? closedOf(context.neuron, 'rule: the credit of a membrane') : none;
  return (t, rateScale) => {
    toBroadcast();
    pull(t);
    for (let b = 0; b < nStream; b++) {
      const at = b * n;
      const row = rowAt(psi, b, t);
      toQ(q, b, t);
      for (let j = 0; j < n; j++) {
        const owed = state.q[at + j] + pulled[at + j];
        miss[at + j] = p.credit === 'membrane' ? state.psi[at + j] * owed + decay * broadcast[at + j] : owed;
        state.q[at + j] = q[j];
        if (state.psi) state.psi[at + j] = psi.data[row + j];
      }
    }
    finish(rateScale);
    state.distal.fill(0);
    for (let b = 0; b < nStream; b++) predict(state.distal, b * n, state.A, now, b * nF, nF, n);
  };
}

/** F = s(A f).   F: [stream][self] */
function bindBroadcast(
  p: DendriteParams,
  { rng }: SignalContext,
  { sizes, state, loops }: SignalBinding,
  { now, broadcast }: Scratch,
) {
  const { self: n, stream: nStream } = sizes;
  const { predict } = { ...maps, ...loops };
  const nF = featureCount(p, sizes);
  const events = rng.split('broadcast');
  return () => {
    broadcast.fill(0);
    for (let b = 0; b < nStream; b++) predict(broadcast, b * n, state.slowA ?? state.A, now, b * nF, nF, n);
    switch (p.squash) {
      case 'none':
        return;
      case 'tanh':
        for (let s = 0; s < nStream * n; s++) broadcast[s] = Math.tanh(broadcast[s]);
        return;
      case 'spikes':
        for (let b = 0; b < nStream; b++) {
          const source = events.split(state.drawn[0] * nStream + b);
          for (let s = b * n; s < (b + 1) * n; s++) {
            broadcast[s] = signedEvent(broadcast[s], p.spikeSize, source.uniform());
          }
        }
        state.drawn[0] += 1;
        return;
      default:
        p.squash satisfies never;
    }
  };
}

/** q = B error. */
function bindQ(p: DendriteParams, { rng }: SignalContext, { sizes, state, error, readouts, loops }: SignalBinding) {
  const { self: n, out: nOut, stream: nStream } = sizes;
  const bringBack = bindFeedback(p.feedback === 'symmetric' ? readouts : ownFeedback(state.B, nOut), n, loops);
  const spikes = errorSpikes(p.errorSpikeSize, rng);
  const told = scratchOf(loops)(nOut);
  if (spikes) {
    return (q: Real, b: number, t: number) => {
      tellErrors(told, error.data, 0, rowAt(error, b, t), b, nOut, spikes, state);
      bringBack(q, 0, told, 0);
      if (b === nStream - 1) endPhase(state);
    };
  }
  return (q: Real, b: number, t: number) => bringBack(q, 0, error.data, rowAt(error, b, t));
}

/** A rate as it acts. */
function applied(rate: number, powersOfTwo: boolean): number {
  return powersOfTwo ? nearestPowerOfTwo(rate) : rate;
}

/** One step of A over all streams. `miss` holds the targets of A f(t-1) and is overwritten.   [stream][self] */
function bindA(
  p: DendriteParams,
  { powersOfTwo }: SignalContext,
  { sizes, state, loops }: SignalBinding,
  { pulled: predicted }: Scratch,
  miss: Real,
) {
  const { stream: nStream, self: n } = sizes;
  const { predict, addOuter } = { ...maps, ...loops };
  const nF = featureCount(p, sizes);
  return (rateScale: number) => {
    const rate = applied((rateScale * p.rateA) / (p.normalised ? 1 + state.norms[1] : 1), powersOfTwo) / nStream;
    predicted.fill(0);
    for (let b = 0; b < nStream; b++) predict(predicted, b * n, state.A, state.features, b * nF, nF, n);
    for (let s = 0; s < nStream * n; s++) miss[s] = predicted[s] - miss[s];
    state.losses[0] += halfSquare(miss, nStream * n) / (nStream * n);
    addOuter(state.A, state.features, 0, nF, miss, -rate, nF, n, nStream);
    if (!state.slowA) return;
    state.age[0] += 1;
    if (state.age[0] < p.copyEvery) return;
    state.age[0] = 0;
    state.slowA.set(state.A);
  };
}
