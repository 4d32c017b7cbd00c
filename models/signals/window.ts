import { z } from 'zod';
import { linearOf, spikes } from '../../src/core/dynamics.ts';
import { UnsupportedError } from '../../src/core/errors.ts';
import { bindFeedback } from '../../src/core/feedback.ts';
import type { Field, Layout, Real } from '../../src/core/layout.ts';
import { addPulledBack } from '../../src/core/linearMaps.ts';
import { scratchOf } from '../../src/core/loops.ts';
import type {
  BoundSignal,
  LinearDynamics,
  Quantity,
  SignalBinding,
  SignalContext,
  SignalInstance,
  SignalModel,
} from '../../src/core/plugins.ts';
import { rowAt } from '../../src/core/rows.ts';
import { count } from '../../src/core/schema.ts';
import { isAttached, resetParam } from '../direct/reset.ts';
import { type BackwardNeurons, bindBackward } from '../traces/backward.ts';
import { bindPredictor, initPredictor, type Predictor, predictorLayout, predictorParams } from './syntheticGradient.ts';

/** Parameters that the rule has by the same names. */
export const windowParams = {
  predicts: z
    .enum(['state', 'spikes', 'nothing'])
    .default('state')
    .describe('what Psi predicts at the end of a window: dE/dv, dE/da and dE/du, or dE/dz alone; nothing: 0'),
  ...predictorParams,
};

const params = z.strictObject({
  kind: z.literal('window'),
  steps: count.describe('steps of a window'),
  ...windowParams,
  reset: resetParam,
  credit: z
    .enum(['activity', 'membrane'])
    .default('activity')
    .describe('L for the eligibility trace of a synapse, or gv for the spike that arrives'),
});
type Params = z.infer<typeof params>;

/**
 * Backpropagation through time within a window, and a prediction Psi of what comes from behind its end.
 *
 *     window of steps t0 .. t1-1;  f = [h, z, y, 1] at t1-1;  h: filters of the neurons' state (v, a)
 *     (gh, gu) = Psi f                            0 where the trial ends with the window
 *     t = t1-1 .. t0:    gu    = error(t) + kappa gu
 *                        L(t)  = zeta_out W_out gu + W_rec D - vTh gv           D = input . gh of step t+1; last term: reset attached
 *                        gh    = transition^T gh + read psi(t) (L(t) + own . gh)
 *     Psi -= rate / (n |f'|^2) sum (Psi f' - (gh, gu)) f'^T         f': f of the window before; sum over the n streams
 *
 * For LIF and ALIF neurons gh is (gv, ga) = (dE/dv, dE/da). `spikes` is the variant in which only dE/dz is predicted: it is
 * added to L(t1-1), and gh and gu begin with 0; its target is what L(t0-1) would be without an error of its own. `rate` follows the
 * schedule of the recurrent weights; without `normalised` it is not divided by |f'|^2. Psi starts at 0.
 *
 * `hidden` puts a layer of tanh units between, which goes down the same squared error; Psi then reads, and is normalised by,
 *
 *     q = [tanh(V^T f), 1];     V -= rate / (n |f'|^2 (|Psi|^2 + |target|^2)) sum f' ((1 - q'^2) Psi (Psi q' - target))^T
 *
 * |Psi|: without the row of the 1. With |target| in it the step of V is the same whatever unit the loss has. V starts small and at random.
 *
 * With a perfect prediction, L times an eligibility that runs on across windows is the exact gradient, and so is
 * sum p_i(t) gv_j(t) without any (`credit: membrane`). With `nothing` the latter is truncated backpropagation.
 *
 * Structure: Bellec et al. 2019 (arXiv 1901.09049), e-prop 3; Jaderberg et al. 2017 (arXiv 1608.05343). The decomposition into
 * what is predicted is this project's; `spikes` is the paper's as it is recalled. There the prediction is a network of its own and
 * the neurons are LSTMs. Simplified: a layer at most, and symmetric feedback. Credit goes through synapses of the population onto
 * itself with a delay of 1, the only ones that may leave it.
 */
export const window: SignalModel<Params> = {
  kind: 'window',
  source: 'Bellec et al. 2019, arXiv 1901.09049, e-prop 3; Jaderberg et al. 2017, arXiv 1608.05343',
  params,
  derive(p, context) {
    const plan = planWindow(p, context);
    return {
      layout: plan.layout,
      footprint: { reads: readsOf(p), phases: ['soma'] },
      losses: p.predicts === 'nothing' ? [] : ownLosses,
      linear: false,
      stepsPerPhase: 1,
      window: { steps: p.steps, past: pastOf(p, context) },
      refersTo: 'credit',
      readoutDecay: 0,
      followsReadout: null,
      kernel: null,
      init: (state, rng) => plan.predictor && initPredictor(plan.predictor, state, rng),
      bind: (binding) => bindWindow(plan, binding),
    } satisfies SignalInstance;
  },
};

/** What the way back, and the traces behind it, read of every step of a window. */
function pastOf({ steps }: Params, { sizes }: SignalContext): Layout {
  const rows = (home: 'pre' | 'post', width: number, doc: string, binary = false): Field => {
    return { shape: [steps, width], home, unit: '1', doc, binary };
  };
  return {
    x: rows('pre', sizes.in, 'input of the window'),
    z: rows('pre', sizes.self, 'spikes of the window', true),
    psi: rows('post', sizes.self, 'pseudo-derivatives of the window'),
    error: rows('post', sizes.out, 'errors of the window'),
  };
}

const ownLosses = [
  { name: 'lossPsi', label: 'Psi: the credit behind a window', unit: 'squared error' },
  { name: 'lossZero', label: 'a prediction of 0', unit: 'squared error' },
];

function readsOf({ predicts }: Params): Quantity[] {
  const reads: Quantity[] = ['psi', 'error', 'weights', 'readout'];
  return predicts === 'nothing' ? reads : [...reads, 'neuron', 'z', 'y'];
}

/** What a signal of windows is made of. */
interface Plan {
  readonly p: Params;
  readonly context: SignalContext;
  readonly dynamics: LinearDynamics;
  /** Whether credit goes through the neurons' own reset. */
  readonly attached: boolean;
  readonly layout: Layout;
  /** Fields of the neurons' state that are features. */
  readonly filters: readonly string[];
  /** Null where nothing is predicted. */
  readonly predictor: Predictor | null;
}

/** @throws UnsupportedError for neurons whose credit is not known at a border, and for synapses that carry it elsewhere */
function planWindow(p: Params, context: SignalContext): Plan {
  const { neuron, network, population, memory, sizes } = context;
  const { self: n, out } = sizes;
  const attached = isAttached(p.reset, [neuron]);
  if (!spikes(neuron))
    throw new UnsupportedError('rule: windows need spiking neurons: the psi of a rate comes too late');
  for (const { name, pre, post, delay } of network.projections) {
    if (pre !== population || (post === population && delay === 1)) continue;
    const { name: own } = network.populations[population];
    throw new UnsupportedError(
      `rule: credit within windows goes through synapses of ${own} onto itself with a delay of 1 alone; ` +
        `projection ${name} goes to ${network.populations[post].name} with a delay of ${delay}`,
    );
  }
  const dynamics = linearOf(neuron, n);
  const filters = Object.keys(memory).filter((name) => memory[name].decay !== undefined);
  const features = (filters.length + 1) * n + out + 1;
  const targets = { state: dynamics.states * n + out, spikes: n, nothing: 0 }[p.predicts];
  const { rate, normalised, hidden } = p;
  const { powersOfTwo } = context;
  const predictor = targets > 0 ? { rate, normalised, hidden, features, targets, powersOfTwo } : null;
  const layout = predictor ? predictorLayout(predictor) : {};
  return { p, context, dynamics, attached, layout, filters, predictor };
}

function bindWindow(plan: Plan, binding: SignalBinding): BoundSignal {
  const { context, predictor } = plan;
  const { sizes, state, loops } = binding;
  const { stream: nStream, step: steps } = sizes;
  const goBack = bindBack(plan, binding);
  if (!predictor) {
    return {
      step(t, _rateScale, first) {
        for (let b = 0; b < nStream; b++) goBack(b, first, t);
      },
    };
  }
  const now = scratchOf(loops)(nStream * predictor.features);
  const look = bindFeatures(plan, predictor.features, binding, now);
  const { predict, learn } = bindPredictor(predictor, { state, loops, stream: nStream });
  return {
    step(t, rateScale, first) {
      // Nothing comes from behind the last window.
      if (t + 1 === steps && !context.goesOn) now.fill(0);
      else look(t);
      predict(now);
      for (let b = 0; b < nStream; b++) goBack(b, first, t);
      learn(rateScale);
      state.border.set(now);
    },
  };
}

/** f of every stream. now: [stream][features] */
function bindFeatures({ filters }: Plan, features: number, binding: SignalBinding, now: Real): (t: number) => void {
  const { sizes, neuron, z, y } = binding;
  const { stream: nStream, self: n, out: nOut } = sizes;
  return (t) => {
    for (let b = 0; b < nStream; b++) {
      let at = b * features;
      for (const name of filters) {
        copy(now, at, neuron[name], b * n, n);
        at += n;
      }
      copy(now, at, z.data, rowAt(z, b, t), n);
      copy(now, at + n, y.data, rowAt(y, b, t), nOut);
      now[at + n + nOut] = 1;
    }
  };
}

/** The way back through the steps `first` to `last` of a stream: writes their rows of L, and the target of the border before. */
function bindBack(
  { p, context, dynamics, attached, predictor }: Plan,
  binding: SignalBinding,
): (b: number, first: number, last: number) => void {
  const { sizes, state, psi, signal, error, readouts, recurrent } = binding;
  const { self: n, out: nOut } = sizes;
  const { decay: kappa, gain } = context.readout;
  const { states: m, input } = dynamics;
  const targets = predictor?.targets ?? 0;
  const back = bindBackward(dynamics, psi.data, n, attached);
  const { credit, drive, owed } = back;
  const gu = new Float64Array(nOut);
  const bringBack = bindFeedback(readouts, n);
  const total = () => {
    bringBack(credit, 0, gu, 0);
    for (let j = 0; j < n; j++) credit[j] *= gain;
    for (const { weights, projection } of recurrent) {
      addPulledBack(credit, weights, drive, projection.rowStart, projection.post, n, 1);
    }
  };
  return (b, first, last) => {
    back.start();
    gu.fill(0);
    if (p.predicts === 'state') takeUp(owed, drive, gu, state.predicted, input, b * targets, n, m, nOut);
    for (let t = last; t >= first; t--) {
      filterError(gu, error.data, rowAt(error, b, t), kappa, nOut);
      total();
      if (p.predicts === 'spikes' && t === last) add(credit, state.predicted, b * targets, n);
      const row = rowAt(signal, b, t);
      writeActivity(signal.data, back, row, n);
      back.step(rowAt(psi, b, t));
      if (p.credit === 'membrane') writeMembrane(signal.data, owed, row, n, m);
    }
    if (p.predicts === 'state') putDown(state.target, owed, gu, b * targets, n, m, nOut);
    if (p.predicts !== 'spikes') return;
    for (let k = 0; k < nOut; k++) gu[k] *= kappa;
    total();
    writeActivity(state.target, back, b * targets, n);
  };
}

/** gu[t] = error[t] + kappa gu[t+1].   gu: [out]; error: row at `row` */
function filterError(gu: Real, error: Real, row: number, kappa: number, nOut: number): void {
  for (let k = 0; k < nOut; k++) gu[k] = error[row + k] + kappa * gu[k];
}

/** (gh, gu) = predicted;  D = input . gh.   gh (owed), input: [self][m]; D (drive): [self]; predicted: [m][self], [out] from `at` */
function takeUp(
  owed: Real,
  drive: Real,
  gu: Real,
  predicted: Real,
  input: Real,
  at: number,
  n: number,
  m: number,
  nOut: number,
): void {
  for (let j = 0; j < n; j++) {
    let sum = 0;
    for (let r = 0; r < m; r++) {
      owed[j * m + r] = predicted[at + r * n + j];
      sum += input[j * m + r] * owed[j * m + r];
    }
    drive[j] = sum;
  }
  for (let k = 0; k < nOut; k++) gu[k] = predicted[at + m * n + k];
}

/** target = (gh, gu).   Shapes as in `takeUp`. */
function putDown(target: Real, owed: Real, gu: Real, at: number, n: number, m: number, nOut: number): void {
  for (let j = 0; j < n; j++) for (let r = 0; r < m; r++) target[at + r * n + j] = owed[j * m + r];
  for (let k = 0; k < nOut; k++) target[at + m * n + k] = gu[k];
}

/** L = credit, less what the reset owes.   L: n numbers from `row` */
function writeActivity(signal: Real, back: BackwardNeurons, row: number, n: number): void {
  for (let j = 0; j < n; j++) signal[row + j] = back.credit[j] - back.resetDebt(j);
}

/** gv = dE/dv.   gv: row at `row`; gh (owed): [self][m] */
function writeMembrane(signal: Real, owed: Real, row: number, n: number, m: number): void {
  for (let j = 0; j < n; j++) signal[row + j] = owed[j * m];
}

/** out += x.   out: [n]; x: [n] at `from` */
function add(out: Real, x: Real, from: number, n: number): void {
  for (let j = 0; j < n; j++) out[j] += x[from + j];
}

/** out = x.   out: [n] at `to`; x: [n] at `from` */
function copy(out: Real, to: number, x: Real, from: number, n: number): void {
  for (let j = 0; j < n; j++) out[to + j] = x[from + j];
}
