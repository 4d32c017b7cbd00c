import { z } from 'zod';
import { closedOf, instantOf, resets, spikes } from '../../src/core/dynamics.ts';
import { UnsupportedError } from '../../src/core/errors.ts';
import type { Field, Layout } from '../../src/core/layout.ts';
import { type Meet, scratchOf } from '../../src/core/loops.ts';
import type {
  BoundTrace,
  ClosedDynamics,
  LinearDynamics,
  OutputFilter,
  TraceBinding,
  TraceContext,
  TraceInstance,
  TraceModel,
} from '../../src/core/plugins.ts';
import { noRows, rowAt } from '../../src/core/rows.ts';
import { count, decaySchema } from '../../src/core/schema.ts';
import { resolveDecay } from '../../src/core/units.ts';
import { bindDeferred } from './deferred.ts';
import * as kernels from './kernels.ts';

const { addRateTerm, addUp, decayPresynaptic, eligibilityAlif, eligibilityWithReset } = kernels;

const params = z.strictObject({
  kind: z.literal('eligibility'),
  readoutFilter: z.boolean().default(true).describe('filter the trace with the readout decay, as the exact rule asks'),
  filterScale: z
    .enum(['readout', '1', '1-kappa'])
    .default('readout')
    .describe("factor on the filtered trace: the readout's own, or one of its published forms"),
  resetInTrace: z.boolean().default(false).describe("keep the neuron's own reset in the trace"),
  presynapticFilter: z.boolean().default(true).describe('filter presynaptic activity with the membrane decay'),
  gate: z.enum(['psi', 'none']).default('psi').describe('`none`: the signal refers to the membrane, not to the spike'),
  form: z
    .enum(['own', 'post-then-filter'])
    .default('own')
    .describe("the neuron's own eligibility, or its leak after the postsynaptic factor (RFLO)"),
  late: z.boolean().default(false).describe('the signal of a step meets the trace of the step before'),
  restartEvery: count.nullable().default(null).describe('steps after which eBar is 0 again'),
  leak: decaySchema.nullable().default(null).describe("decay of a post-then-filter trace; null: the readout's"),
});
type Params = z.infer<typeof params>;

/**
 * Eligibility trace of the neuron's own dynamics: what a synapse remembers of its influence on its neuron.
 *
 *     eps_i(t)     = alpha eps_i(t-1) + zeta p_i(t)                 p_i: the input x_i(t-d), or z_i(t-d); d: the delay
 *     e_ij(t)      = psi_j(t) (eps_i(t) - adaptBeta_j epsA_ij(t))
 *     epsA_ij(t+1) = rho epsA_ij(t) + e_ij(t)                       0 without adaptation
 *     eBar_ij(t)   = kappa eBar_ij(t-1) + zeta_out e_ij(t)          only for a signal that refers to the error
 *
 * Bellec et al. 2020 (Nat Commun 11:3625), eqs 13, 14, 22-25. Leaky rate neurons: e_ij(t) = decay e_ij(t-1) +
 * psi_j(t) (1 - decay) p_i(t). With `resetInTrace`, eps_ij also loses vTh e_ij(t-1): the path through the neuron's own
 * reset, which the published rule drops. eBar carries the readout's zeta_out unless
 * `filterScale` says otherwise: codes that leave the factor out need a learning rate 1/(1-kappa) times smaller.
 *
 * Neurons whose derivatives are matrices (`LinearDynamics`), with the states eps_ij of every synapse:
 *
 *     eps_ij(t) = transition_j eps_ij(t-1) + input_j g p_i(t) + own_j e_ij(t-1),      e_ij(t) = f read_j . eps_ij(t)
 *
 * Three departures from the neuron's own dynamics. Without `presynapticFilter` the presynaptic factor is the present spike
 * (eps_i = zeta p_i). With `gate: none` psi is left out, for a signal dE/dv instead of dE/dz. `post-then-filter` is the trace
 * of RFLO for spiking neurons: e_ij(t) = leak e_ij(t-1) + (1 - leak) zeta psi_j(t) p_i(t), without readout filter.
 * With `late`, signal and rate term of step t meet psi(t-1) and eps(t-1): a signal that takes a step to arrive. With
 * `restartEvery`, eBar starts anew with every symbol of so many steps.
 */
export const eligibility: TraceModel<Params> = {
  kind: 'eligibility',
  source: 'Bellec et al. 2020, Nat Commun 11:3625',
  params,
  derive(p, context) {
    const plan = planTrace(p, context);
    return {
      layout: plan.layout,
      filter: plan.context.filter,
      kernel:
        p.gate === 'none' || p.late
          ? null
          : {
              name: 'eligibility',
              resetGain: plan.resetGain,
              rateTermAfterTrial: context.rateTermAfterTrial,
              outer: plan.outer,
              decay: plan.decay,
              restartEvery: p.restartEvery,
              adaptive: plan.adaptive,
              dynamics: plan.context.neuron,
              attached: plan.attached,
            },
      footprint: { reads: ['pre', 'psi', 'signal', 'rateTerm'], phases: ['soma'] },
      bind: (binding) => (plan.outer ? bindOuter(binding, plan.context, p) : bindSynaptic(binding, plan)),
      bindDeferred:
        p.gate === 'none' || p.late || p.restartEvery !== null
          ? null
          : (binding) => bindDeferred(binding, plan.context, p.resetInTrace),
    } satisfies TraceInstance;
  },
};

interface Plan {
  readonly context: TraceContext;
  readonly layout: Layout;
  /** The trace is an outer product of a presynaptic and a postsynaptic value: no synaptic state at all. */
  readonly outer: boolean;
  /** Of a closed form: what a spike takes off the trace, its decay, and whether the adaptation is part of it. */
  readonly resetGain: number;
  readonly decay: number;
  readonly adaptive: boolean;
  readonly restartEvery: number | null;
  /** The neuron's own reset is part of the trace. */
  readonly attached: boolean;
}

function planTrace(p: Params, own: TraceContext): Plan {
  if (p.leak && (p.form === 'own' || !spikes(own.neuron))) {
    throw new UnsupportedError('rule: a leak of its own needs the trace "post-then-filter" of a spiking neuron');
  }
  const given = chooseForm(p, own);
  const { neuron } = given;
  if (p.resetInTrace && !resets(neuron)) {
    throw new UnsupportedError('rule: resetInTrace needs a neuron whose reset subtracts the threshold');
  }
  const context = { ...given, filter: outputFilter(p, given.filter) };
  const filtered = context.filter.decay > 0;
  const closed = neuron.form === 'linear' ? null : neuron;
  const { form = 'linear', decay = 0, resetGain = 0, adaptation = null } = closed ?? {};
  const outer = form === 'filter-then-post' && !adaptation && !p.resetInTrace && !filtered && !given.rateTermAfterTrial;
  if (p.late && !outer) throw new UnsupportedError('rule: a late signal needs a trace without state per synapse');
  if (p.gate === 'none' && !outer) {
    throw new UnsupportedError('rule: a trace without gate needs a running rate term and no readout filter of its own');
  }
  const layout: Record<string, Field> = {};
  if (p.late) {
    const before = (doc: string): Field => ({ shape: ['stream', 'post'], home: 'post', unit: '1', doc });
    layout.psiLate = before('psi of the step before');
    layout.rateLate = before('rate term of the step before');
  }
  const synaptic = (doc: string, facts: Partial<Field> = {}): Field => ({
    shape: ['stream', 'syn'],
    home: 'synapse',
    unit: '1',
    doc,
    ...facts,
  });
  if (neuron.form === 'linear') {
    const { states } = neuron;
    const doc = 'what the states of the neuron remember of the synapse';
    layout.eps = { shape: ['stream', 'syn', states], home: 'synapse', unit: '1', doc, wide: true };
  } else if (p.resetInTrace) layout.eps = synaptic('filtered presynaptic activity, less the reset', { decay });
  else if (form === 'filter-then-post') {
    layout.eps = { shape: ['stream', 'pre'], home: 'pre', unit: '1', doc: 'filtered presynaptic activity', decay };
  }
  if (closed && (adaptation || p.resetInTrace)) {
    const rho = adaptation?.decay ?? 0;
    layout.epsA = kept(adaptation !== null, synaptic('eligibility of the adaptation', { decay: rho, wide: true }));
  }
  const feedsBack = neuron.form === 'linear' && neuron.own.some((value) => value !== 0);
  const passedOn = (form === 'post-then-filter' && decay > 0) || p.resetInTrace || feedsBack;
  if (!outer) layout.e = kept(passedOn, synaptic('eligibility', form === 'post-then-filter' ? { decay } : {}));
  if (filtered) {
    const facts = { decay: context.filter.decay, filtered: p.restartEvery === null };
    layout.eBar = synaptic('eligibility filtered with the readout decay', facts);
  }
  if (given.rateTermAfterTrial) layout.sum = synaptic('eligibility summed over the trial, for the rate term');
  return {
    context,
    layout,
    outer,
    resetGain: p.resetInTrace ? resetGain : 0,
    decay,
    adaptive: adaptation !== null,
    restartEvery: p.restartEvery,
    attached: p.resetInTrace,
  };
}

/** The dynamics that the trace follows: the neuron's own, or what the parameters leave of them. */
function chooseForm(p: Params, context: TraceContext): TraceContext {
  const { neuron, filter, readout, dtMs } = context;
  if (p.form === 'post-then-filter' && spikes(neuron)) {
    const leak = p.leak ? resolveDecay(p.leak, dtMs, 'rule.leak') : readout.decay;
    const form = 'filter-then-post';
    const spike =
      neuron.form === 'linear'
        ? instantOf(neuron, neuron.read.length / neuron.states)
        : ({ ...neuron, form, decay: 0, adaptation: null, resetGain: 0 } as const);
    return { ...context, neuron: spike, filter: { decay: leak, gain: 1 - leak } };
  }
  if (p.gate === 'psi' && p.presynapticFilter) return context;
  const closed = closedOf(neuron, `rule: a trace ${p.gate === 'psi' ? 'without presynaptic filter' : 'without gate'}`);
  // The credit of a membrane holds what its spikes do to their own threshold.
  const adaptation = p.gate === 'none' ? null : closed.adaptation;
  if (p.presynapticFilter) return { ...context, neuron: { ...closed, adaptation } };
  // Without memory both forms are psi times the present activity.
  return { ...context, neuron: { ...closed, form: 'filter-then-post', decay: 0, adaptation }, filter };
}

function outputFilter(p: Params, filter: OutputFilter): OutputFilter {
  if (p.form === 'post-then-filter') return filter;
  if (!p.readoutFilter) return { decay: 0, gain: 1 };
  if (p.filterScale === 'readout') return filter;
  return { decay: filter.decay, gain: p.filterScale === '1' ? 1 : 1 - filter.decay };
}

/** A field that the next step needs is state; one that is only passed on within its step is scratch. */
function kept(needed: boolean, field: Field): Field {
  return needed ? field : { ...field, transient: true };
}

/** LIF without output filter: gradient_ij += d_j eps_i with d = psi (gain L + R). */
function bindOuter(binding: TraceBinding, context: TraceContext, { gate, late }: Params): BoundTrace {
  const { sizes, pre, delay, psi, signal, rateTerm, projection, gradient, state } = binding;
  const { pre: nPre, post: n, stream: nStream } = sizes;
  const { decay, gain } = closedOf(context.neuron, 'rule: a trace without state per synapse');
  const outGain = context.filter.gain;
  const { filter, addTimes, gatedSignal, ungatedSignal } = { ...kernels, ...meetings, ...binding.loops };
  const d = scratchOf(binding.loops)(nStream * n);
  const meet = gate === 'psi' ? gatedSignal : ungatedSignal;
  const advance = (b: number, t: number) => {
    if (t === 0 && context.borderSpikes === 'drop') decayPresynaptic(state.eps, b * nPre, decay, nPre);
    else filter(state.eps, pre.data, b * nPre, rowAt(pre, b, t - delay), decay, gain, nPre);
  };
  const add = () => addTimes(gradient, state.eps, d, projection, nStream);
  const stepLate = (t: number) => {
    for (let b = 0; b < nStream; b++) {
      const at = b * n;
      meet(d, state.psiLate, signal.data, state.rateLate, at, at, rowAt(signal, b, t), at, outGain, n);
      const psiRow = rowAt(psi, b, t);
      const rateRow = rowAt(rateTerm, b, t);
      for (let j = 0; j < n; j++) {
        state.psiLate[at + j] = psi.data[psiRow + j];
        state.rateLate[at + j] = rateTerm.data[rateRow + j];
      }
    }
    add();
    for (let b = 0; b < nStream; b++) advance(b, t);
  };
  const step = (t: number) => {
    for (let b = 0; b < nStream; b++) {
      advance(b, t);
      const rateRow = rowAt(rateTerm, b, t);
      meet(d, psi.data, signal.data, rateTerm.data, b * n, rowAt(psi, b, t), rowAt(signal, b, t), rateRow, outGain, n);
    }
    add();
  };
  return { step: late ? stepLate : step, finish() {} };
}

/** d_j = psi_j (gain L_j + R_j).   d: [self] at `to`; psi, L, R: at their rows */
const gatedSignal: Meet = (d, psi, signal, rateTerm, to, at, row, rateRow, gain, n) => {
  for (let j = 0; j < n; j++) d[to + j] = psi[at + j] * (gain * signal[row + j] + rateTerm[rateRow + j]);
};

/** d_j = gain L_j + psi_j R_j: L is dE/dv, the rate term still acts on z.   Shapes as above. */
const ungatedSignal: Meet = (d, psi, signal, rateTerm, to, at, row, rateRow, gain, n) => {
  for (let j = 0; j < n; j++) d[to + j] = gain * signal[row + j] + psi[at + j] * rateTerm[rateRow + j];
};

const meetings = { gatedSignal, ungatedSignal };

/** Every trace with state per synapse. */
function bindSynaptic(binding: TraceBinding, { context, resetGain, restartEvery, attached }: Plan): BoundTrace {
  const { sizes, signal, projection, gradient, state } = binding;
  const { post: n, syn: nSyn, stream: nStream } = sizes;
  const { filter, rateTermAfterTrial } = context;
  const { addFiltered, addUnfiltered } = { ...kernels, ...binding.loops };
  const { eBar, e, sum } = state;
  const { neuron } = context;
  const advance =
    neuron.form === 'linear'
      ? bindLinear(binding, context, neuron, attached)
      : bindAdvance(binding, context, neuron, resetGain);
  const rateTerm = rateTermAfterTrial ? noRows(scratchOf(binding.loops)(n)) : binding.rateTerm;
  const { decay: kappa, gain } = filter;
  const step = (b: number, t: number) => {
    const row = rowAt(signal, b, t);
    const rateRow = rowAt(rateTerm, b, t);
    const syn = b * nSyn;
    advance(b, t);
    if (restartEvery && t % restartEvery === 0) eBar?.fill(0, syn, syn + nSyn);
    if (kappa > 0) {
      addFiltered(gradient, eBar, e, signal.data, rateTerm.data, projection, syn, row, rateRow, kappa, gain);
    } else {
      addUnfiltered(gradient, e, signal.data, rateTerm.data, projection, syn, row, rateRow, gain);
    }
    if (rateTermAfterTrial) addUp(sum, e, syn, nSyn);
  };
  return {
    step(t) {
      for (let b = 0; b < nStream; b++) step(b, t);
    },
    finish() {
      if (!rateTermAfterTrial) return;
      const { rateTerm: of } = binding;
      for (let b = 0; b < nStream; b++) {
        addRateTerm(gradient, sum, of.data, projection.post, b * nSyn, rowAt(of, b, 0), nSyn);
      }
    },
  };
}

/** The recursion of e by the matrices of each neuron. */
function bindLinear(
  { sizes, state, pre, delay, psi, projection }: TraceBinding,
  { borderSpikes }: TraceContext,
  neuron: LinearDynamics,
  attached: boolean,
): (b: number, t: number) => void {
  const { syn: nSyn } = sizes;
  const { eps, e } = state;
  const next = new Float64Array(neuron.states);
  return (b, t) => {
    const arrives = t > 0 || borderSpikes === 'keep' ? 1 : 0;
    const from = rowAt(pre, b, t - delay);
    kernels.eligibilityLinear(
      e,
      eps,
      next,
      pre.data,
      psi.data,
      neuron,
      projection,
      b * nSyn,
      from,
      rowAt(psi, b, t),
      arrives,
      attached ? 1 : 0,
    );
  };
}

/** The recursion of e of a closed form, picked once. */
function bindAdvance(
  { sizes, state, pre, delay, psi, projection, loops }: TraceBinding,
  context: TraceContext,
  neuron: ClosedDynamics,
  resetGain: number,
): (b: number, t: number) => void {
  const { pre: nPre, post: n, syn: nSyn } = sizes;
  const { rowStart, post } = projection;
  const { filter, eligibilityLif, eligibilityPostThenFilter } = { ...kernels, ...loops };
  const { form, decay, gain, adaptation } = neuron;
  const { e, eps, epsA } = state;
  const strength = adaptation?.strength ?? new Float64Array(n);
  const rho = adaptation?.decay ?? 0;
  const pulse = scratchOf(loops)(nPre);
  const dropped = (t: number) => t === 0 && context.borderSpikes === 'drop';
  const arrive = (b: number, t: number) => {
    pulse.fill(0);
    if (!dropped(t)) filter(pulse, pre.data, 0, rowAt(pre, b, t - delay), 0, gain, nPre);
  };
  const remember = (b: number, t: number) => {
    if (dropped(t)) decayPresynaptic(eps, b * nPre, decay, nPre);
    else filter(eps, pre.data, b * nPre, rowAt(pre, b, t - delay), decay, gain, nPre);
  };
  if (form === 'post-then-filter') {
    return (b, t) => {
      arrive(b, t);
      eligibilityPostThenFilter(e, pulse, psi.data, projection, b * nSyn, rowAt(psi, b, t), decay);
    };
  }
  if (resetGain > 0) {
    return (b, t) => {
      arrive(b, t);
      const row = rowAt(psi, b, t);
      const at = b * nSyn;
      eligibilityWithReset(
        e,
        eps,
        epsA,
        pulse,
        psi.data,
        strength,
        rowStart,
        post,
        at,
        row,
        decay,
        resetGain,
        rho,
        nPre,
      );
    };
  }
  if (adaptation) {
    return (b, t) => {
      remember(b, t);
      const row = rowAt(psi, b, t);
      eligibilityAlif(e, epsA, eps, psi.data, strength, rowStart, post, b * nSyn, b * nPre, row, rho, nPre);
    };
  }
  return (b, t) => {
    remember(b, t);
    eligibilityLif(e, eps, psi.data, projection, b * nSyn, b * nPre, rowAt(psi, b, t));
  };
}
