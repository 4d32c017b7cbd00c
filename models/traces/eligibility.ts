import { z } from 'zod';
import { UnsupportedError } from '../../src/core/errors.ts';
import type { Field, Layout, Real } from '../../src/core/layout.ts';
import { type Meet, scratchOf } from '../../src/core/loops.ts';
import type {
  BoundTrace,
  OutputFilter,
  TraceBinding,
  TraceContext,
  TraceInstance,
  TraceModel,
} from '../../src/core/plugins.ts';
import type { Projection } from '../../src/core/projection.ts';
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
 *     eps_i(t)     = alpha eps_i(t-1) + zeta p_i(t)                 p_i: x_i(t), or z_i(t-1) of a recurrent synapse
 *     e_ij(t)      = psi_j(t) (eps_i(t) - adaptBeta_j epsA_ij(t))
 *     epsA_ij(t+1) = rho epsA_ij(t) + e_ij(t)                       0 without adaptation
 *     eBar_ij(t)   = kappa eBar_ij(t-1) + zeta_out e_ij(t)          only for a signal that refers to the error
 *
 * Bellec et al. 2020 (Nat Commun 11:3625), eqs 13, 14, 22-25. Leaky rate neurons: e_ij(t) = decay e_ij(t-1) +
 * psi_j(t) (1 - decay) p_i(t). With `resetInTrace`, eps_ij also loses vTh e_ij(t-1): the path through the neuron's own
 * reset, which the published rule drops. eBar carries the readout's zeta_out unless
 * `filterScale` says otherwise: codes that leave the factor out need a learning rate 1/(1-kappa) times smaller.
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
              decay: plan.context.neuron.decay,
              restartEvery: p.restartEvery,
              adaptive: plan.context.neuron.adaptation !== null,
            },
      footprint: { reads: ['x', 'zPrev', 'psi', 'signal', 'rateTerm'], phases: ['soma'] },
      bind: (binding) => (plan.outer ? bindOuter(binding, plan.context, p) : bindSynaptic(binding, plan)),
      bindDeferred:
        p.gate === 'none' || p.late || p.restartEvery !== null
          ? null
          : (binding) => bindDeferred(binding, plan.context, plan.resetGain),
    } satisfies TraceInstance;
  },
};

interface Plan {
  readonly context: TraceContext;
  readonly layout: Layout;
  /** The trace is an outer product of a presynaptic and a postsynaptic value: no synaptic state at all. */
  readonly outer: boolean;
  readonly resetGain: number;
  readonly restartEvery: number | null;
}

function planTrace(p: Params, own: TraceContext): Plan {
  if (p.leak && (p.form === 'own' || own.neuron.form === p.form)) {
    throw new UnsupportedError('rule: a leak of its own needs the trace "post-then-filter" of a spiking neuron');
  }
  const given = chooseForm(p, own);
  const { form, decay, resetGain, adaptation } = given.neuron;
  if (p.resetInTrace && resetGain === 0) {
    throw new UnsupportedError('rule: resetInTrace needs a neuron whose reset subtracts the threshold');
  }
  const context = { ...given, filter: outputFilter(p, given.filter) };
  const filtered = context.filter.decay > 0;
  const outer = form === 'filter-then-post' && !adaptation && !p.resetInTrace && !filtered && !given.rateTermAfterTrial;
  if (p.late && !outer) throw new UnsupportedError('rule: a late signal needs a trace without state per synapse');
  if (p.gate === 'none' && !outer) {
    throw new UnsupportedError('rule: a trace without gate needs a running rate term and no readout filter of its own');
  }
  const layout: Record<string, Field> = {};
  if (p.late) {
    const before = (doc: string): Field => ({ shape: ['stream', 'rec'], home: 'post', unit: '1', doc });
    layout.psiLate = before('psi of the step before');
    layout.rateLate = before('rate term of the step before');
  }
  for (const name of ['In', 'Rec'] as const) {
    const pre = name === 'In' ? 'in' : 'rec';
    const syn = name === 'In' ? 'synIn' : 'synRec';
    const synaptic = (doc: string, facts: Partial<Field> = {}): Field => ({
      shape: ['stream', syn],
      home: 'synapse',
      unit: '1',
      doc,
      ...facts,
    });
    if (p.resetInTrace) layout[`eps${name}`] = synaptic('filtered presynaptic activity, less the reset', { decay });
    else if (form === 'filter-then-post') {
      const doc = 'filtered presynaptic activity';
      layout[`eps${name}`] = { shape: ['stream', pre], home: 'pre', unit: '1', doc, decay };
    }
    if (adaptation || p.resetInTrace) {
      const rho = adaptation?.decay ?? 0;
      layout[`epsA${name}`] = kept(
        adaptation !== null,
        synaptic('eligibility of the adaptation', { decay: rho, wide: true }),
      );
    }
    const passedOn = (form === 'post-then-filter' && decay > 0) || p.resetInTrace;
    const leaky = form === 'post-then-filter' ? { decay } : {};
    if (!outer) layout[`e${name}`] = kept(passedOn, synaptic('eligibility', leaky));
    if (filtered) {
      const facts = { decay: context.filter.decay, filtered: p.restartEvery === null };
      layout[`eBar${name}`] = synaptic('eligibility filtered with the readout decay', facts);
    }
    if (given.rateTermAfterTrial)
      layout[`sum${name}`] = synaptic('eligibility summed over the trial, for the rate term');
  }
  return { context, layout, outer, resetGain: p.resetInTrace ? resetGain : 0, restartEvery: p.restartEvery };
}

/** The dynamics that the trace follows: the neuron's own, or what the parameters leave of them. */
function chooseForm(p: Params, context: TraceContext): TraceContext {
  const { neuron, filter, readout, dtMs } = context;
  if (p.form === 'post-then-filter' && neuron.form !== p.form) {
    const leak = p.leak ? resolveDecay(p.leak, dtMs, 'rule.leak') : readout.decay;
    const spike = { ...neuron, form: 'filter-then-post', decay: 0, adaptation: null, resetGain: 0 } as const;
    return { ...context, neuron: spike, filter: { decay: leak, gain: 1 - leak } };
  }
  // The credit of a membrane holds what its spikes do to their own threshold.
  const adaptation = p.gate === 'none' ? null : neuron.adaptation;
  if (p.presynapticFilter) return { ...context, neuron: { ...neuron, adaptation } };
  // Without memory both forms are psi times the present activity.
  return { ...context, neuron: { ...neuron, form: 'filter-then-post', decay: 0, adaptation }, filter };
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

/** One projection as the kernels see it. */
interface Group {
  readonly projection: Projection;
  readonly p: Real;
  readonly gradient: Real;
  readonly state: {
    readonly eps: Real;
    readonly epsA: Real;
    readonly e: Real;
    readonly eBar: Real;
    readonly sum: Real;
  };
  /** Offset of the presynaptic activity that acts at step t of stream b. */
  readonly rowOf: (b: number, t: number) => number;
}

function groupsOf({ sizes, state, trial, projections, gradient }: TraceBinding): Group[] {
  const { in: nIn, rec: n, step: steps, history } = sizes;
  const stateOf = (name: string) => ({
    eps: state[`eps${name}`],
    epsA: state[`epsA${name}`],
    e: state[`e${name}`],
    eBar: state[`eBar${name}`],
    sum: state[`sum${name}`],
  });
  return [
    {
      projection: projections.in,
      p: trial.x,
      gradient: gradient.wIn,
      state: stateOf('In'),
      rowOf: (b, t) => (b * steps + t) * nIn,
    },
    {
      projection: projections.rec,
      p: trial.z,
      gradient: gradient.wRec,
      state: stateOf('Rec'),
      rowOf: (b, t) => (b * (history + steps) + t) * n,
    },
  ];
}

/** LIF without output filter: gradient_ij += d_j eps_i with d = psi (gain L + R). */
function bindOuter(binding: TraceBinding, context: TraceContext, { gate, late }: Params): BoundTrace {
  const { sizes, trial, state } = binding;
  const { rec: n, step: steps, stream: nStream } = sizes;
  const { decay, gain } = context.neuron;
  const outGain = context.filter.gain;
  const { filter, addTimes, gatedSignal, ungatedSignal } = { ...kernels, ...meetings, ...binding.loops };
  const groups = groupsOf(binding);
  const d = scratchOf(binding.loops)(nStream * n);
  const meet = gate === 'psi' ? gatedSignal : ungatedSignal;
  const advance = (b: number, t: number) => {
    for (const { projection, p, state: own, rowOf } of groups) {
      const { nPre } = projection;
      if (t === 0 && context.borderSpikes === 'drop') decayPresynaptic(own.eps, b * nPre, decay, nPre);
      else filter(own.eps, p, b * nPre, rowOf(b, t), decay, gain, nPre);
    }
  };
  const add = () => {
    for (const { projection, gradient, state: own } of groups) addTimes(gradient, own.eps, d, projection, nStream);
  };
  const stepLate = (t: number) => {
    for (let b = 0; b < nStream; b++) {
      const row = (b * steps + t) * n;
      const at = b * n;
      meet(d, state.psiLate, trial.signal, state.rateLate, at, at, row, outGain, n);
      for (let j = 0; j < n; j++) {
        state.psiLate[at + j] = trial.psi[row + j];
        state.rateLate[at + j] = trial.rateTerm[row + j];
      }
    }
    add();
    for (let b = 0; b < nStream; b++) advance(b, t);
  };
  const step = (t: number) => {
    for (let b = 0; b < nStream; b++) {
      const row = (b * steps + t) * n;
      advance(b, t);
      meet(d, trial.psi, trial.signal, trial.rateTerm, b * n, row, row, outGain, n);
    }
    add();
  };
  return { step: late ? stepLate : step, finish() {} };
}

/** d_j = psi_j (gain L_j + R_j).   d: [rec] at `to`; L: row at `row`; psi, R: at `at` */
const gatedSignal: Meet = (d, psi, signal, rateTerm, to, at, row, gain, n) => {
  for (let j = 0; j < n; j++) d[to + j] = psi[at + j] * (gain * signal[row + j] + rateTerm[at + j]);
};

/** d_j = gain L_j + psi_j R_j: L is dE/dv, the rate term still acts on z.   d: [rec] at `to`; L: row at `row`; psi, R: at `at` */
const ungatedSignal: Meet = (d, psi, signal, rateTerm, to, at, row, gain, n) => {
  for (let j = 0; j < n; j++) d[to + j] = gain * signal[row + j] + psi[at + j] * rateTerm[at + j];
};

const meetings = { gatedSignal, ungatedSignal };

/** Every trace with state per synapse. */
function bindSynaptic(binding: TraceBinding, { context, resetGain, restartEvery }: Plan): BoundTrace {
  const { sizes, trial } = binding;
  const { rec: n, step: steps, stream: nStream } = sizes;
  const { filter, rateTermAfterTrial } = context;
  const { addFiltered, addUnfiltered } = { ...kernels, ...binding.loops };
  const groups = groupsOf(binding);
  const advance = groups.map((group) => bindAdvance(group, binding, context, resetGain));
  const noRateTerm = scratchOf(binding.loops)(n);
  const rateTerm = rateTermAfterTrial ? noRateTerm : trial.rateTerm;
  const step = (b: number, t: number) => {
    const row = (b * steps + t) * n;
    const rateRow = rateTermAfterTrial ? 0 : row;
    for (let g = 0; g < groups.length; g++) {
      const { projection, gradient, state } = groups[g];
      const { nSyn } = projection;
      const syn = b * nSyn;
      advance[g](b, t);
      if (restartEvery && t % restartEvery === 0) state.eBar?.fill(0, syn, syn + nSyn);
      if (filter.decay > 0) {
        addFiltered(
          gradient,
          state.eBar,
          state.e,
          trial.signal,
          rateTerm,
          projection,
          syn,
          row,
          rateRow,
          filter.decay,
          filter.gain,
        );
      } else {
        addUnfiltered(gradient, state.e, trial.signal, rateTerm, projection, syn, row, rateRow, filter.gain);
      }
      if (rateTermAfterTrial) addUp(state.sum, state.e, syn, nSyn);
    }
  };
  return {
    step(t) {
      for (let b = 0; b < nStream; b++) step(b, t);
    },
    finish() {
      if (!rateTermAfterTrial) return;
      for (let b = 0; b < nStream; b++) {
        for (const { projection, gradient, state } of groups) {
          addRateTerm(
            gradient,
            state.sum,
            trial.rateTerm,
            projection.post,
            b * projection.nSyn,
            b * steps * n,
            projection.nSyn,
          );
        }
      }
    },
  };
}

/** The recursion of e for one projection, picked once. */
function bindAdvance(
  { projection, p, state, rowOf }: Group,
  { sizes, trial, loops }: TraceBinding,
  context: TraceContext,
  resetGain: number,
): (b: number, t: number) => void {
  const { rec: n, step: steps } = sizes;
  const { nPre, nSyn, rowStart, post } = projection;
  const { filter, eligibilityLif, eligibilityPostThenFilter } = { ...kernels, ...loops };
  const { form, decay, gain, adaptation } = context.neuron;
  const { e, eps, epsA } = state;
  const strength = adaptation?.strength ?? new Float64Array(n);
  const rho = adaptation?.decay ?? 0;
  const pulse = scratchOf(loops)(nPre);
  const dropped = (t: number) => t === 0 && context.borderSpikes === 'drop';
  const arrive = (b: number, t: number) => {
    pulse.fill(0);
    if (!dropped(t)) filter(pulse, p, 0, rowOf(b, t), 0, gain, nPre);
  };
  const remember = (b: number, t: number) => {
    if (dropped(t)) decayPresynaptic(eps, b * nPre, decay, nPre);
    else filter(eps, p, b * nPre, rowOf(b, t), decay, gain, nPre);
  };
  if (form === 'post-then-filter') {
    return (b, t) => {
      arrive(b, t);
      eligibilityPostThenFilter(e, pulse, trial.psi, projection, b * nSyn, (b * steps + t) * n, decay);
    };
  }
  if (resetGain > 0) {
    return (b, t) => {
      arrive(b, t);
      const row = (b * steps + t) * n;
      eligibilityWithReset(
        e,
        eps,
        epsA,
        pulse,
        trial.psi,
        strength,
        rowStart,
        post,
        b * nSyn,
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
      eligibilityAlif(
        e,
        epsA,
        eps,
        trial.psi,
        strength,
        rowStart,
        post,
        b * nSyn,
        b * nPre,
        (b * steps + t) * n,
        rho,
        nPre,
      );
    };
  }
  return (b, t) => {
    remember(b, t);
    eligibilityLif(e, eps, trial.psi, projection, b * nSyn, b * nPre, (b * steps + t) * n);
  };
}
