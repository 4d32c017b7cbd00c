import { UnsupportedError } from '../core/errors.ts';
import { cut, type Layout, type Real, type Sizes } from '../core/layout.ts';
import type { EligibilityDynamics, NeuronInstance, RuleContext, TrialArrays } from '../core/plugins.ts';

/** Steps that a neuron is watched for. */
const duration = 12;
/** Input of one step: small, so that nothing fires for it. */
const pulse = 1e-2;
/** A response may be off by this share of the pulse's own; rates bend, so theirs may be off by more. */
const tolerance = { membrane: 1e-7, rate: 1e-5 };
const ratePulse = 1e-6;
/** Cells that are looked at, evenly spread where there are more. */
const mostCells = 4096;

/**
 * Compares the dynamics that a neuron declares with what it does: the response of its cells to a pulse of input, and of those
 * that fire, the step after a spike. Every trace and every direct rule takes the declaration for the neuron, so one that
 * does not hold would train with a wrong gradient.
 * @throws UnsupportedError naming the neuron, the step and both numbers
 */
export function checkDynamics(kind: string, spiking: boolean, neuron: NeuronInstance, n: number): void {
  const declared = neuron.eligibility;
  if (!declared) return;
  if (declared.form === 'filter-then-post') {
    if (!(neuron.membrane in neuron.layout)) {
      throw new UnsupportedError(
        `network.neuron "${kind}": its membrane "${neuron.membrane}" is no field of its layout`,
      );
    }
    checkMembrane(kind, neuron, declared, n);
  } else if (!spiking) checkRate(kind, neuron, declared, n);
}

/** Membrane and threshold after a small pulse and after one that makes every cell fire. */
function checkMembrane(kind: string, neuron: NeuronInstance, declared: EligibilityDynamics, n: number): void {
  const cells = cellsOf(n);
  const quiet = watch(neuron, n, 0);
  const enough = strongPulse(quiet, neuron, cells.length);
  const strong = watch(neuron, n, enough);
  const name = { kind, membrane: neuron.membrane };
  compareMembrane(name, declared, cells, quiet, watch(neuron, n, pulse), pulse);
  compareMembrane(name, declared, cells, quiet, strong, enough);
  if (neuron.threshold) compareThreshold(kind, declared, cells, quiet, strong);
}

/** d v(t) = decay d v(t-1) + gain d I(t), less resetGain after a spike. */
function compareMembrane(
  { kind, membrane }: { readonly kind: string; readonly membrane: string },
  { decay, gain, resetGain }: EligibilityDynamics,
  cells: Int32Array,
  quiet: Watched,
  run: Watched,
  input: number,
): void {
  const width = cells.length;
  const allowed = tolerance.membrane * Math.max(Math.abs(gain * input), resetGain);
  const moved = (of: 'v' | 'z', at: number) => run[of][at] - quiet[of][at];
  for (let s = width; s < duration * width; s++) {
    const t = Math.floor(s / width);
    const fired = moved('z', s - width);
    if (fired !== 0 && resetGain === 0) continue;
    const want = decay * moved('v', s - width) + (t === 1 ? gain * input : 0) - resetGain * fired;
    const got = moved('v', s);
    if (Math.abs(got - want) <= allowed) continue;
    const what = fired === 0 ? `a pulse of ${input}` : `a pulse of ${input} and a spike`;
    refuse(kind, `${t} steps after ${what} its membrane "${membrane}" has moved by`, got, want, cells[s % width]);
  }
}

/** The threshold rises by strength with a spike, and rho^k of it is left k steps later. */
function compareThreshold(
  kind: string,
  { adaptation }: EligibilityDynamics,
  cells: Int32Array,
  quiet: Watched,
  strong: Watched,
): void {
  const width = cells.length;
  const rho = adaptation?.decay ?? 0;
  const rise = new Float64Array(width);
  for (let s = width; s < duration * width; s++) {
    const c = s % width;
    const fired = strong.z[s - width] - quiet.z[s - width];
    rise[c] = rho * rise[c] + (adaptation?.strength[cells[c]] ?? 0) * fired;
    const got = strong.threshold[s] - quiet.threshold[s];
    if (Math.abs(got - rise[c]) <= tolerance.membrane * Math.max(1, Math.abs(quiet.threshold[s]))) continue;
    const t = Math.floor(s / width);
    refuse(kind, `${t} steps after a pulse its threshold has risen by`, got, rise[c], cells[c]);
  }
}

/** d r(t) = decay d r(t-1) + gain psi(t) d I(t). */
function checkRate(kind: string, neuron: NeuronInstance, declared: EligibilityDynamics, n: number): void {
  const cells = cellsOf(n);
  const width = cells.length;
  const quiet = watch(neuron, n, 0);
  const driven = watch(neuron, n, ratePulse);
  for (let t = 1; t < duration; t++) {
    for (let j = 0; j < width; j++) {
      const want = declared.decay ** (t - 1) * declared.gain * quiet.psi[width + j];
      const got = (driven.z[t * width + j] - quiet.z[t * width + j]) / ratePulse;
      if (!(Math.abs(got - want) <= tolerance.rate * Math.max(1, Math.abs(declared.gain)))) {
        refuse(kind, `${t} steps after a pulse its rate has moved, per unit of input, by`, got, want, cells[j]);
      }
    }
  }
}

function refuse(kind: string, what: string, got: number, want: number, j: number): never {
  throw new UnsupportedError(
    `network.neuron "${kind}" is not what it declares as its eligibility: ${what} ${got.toPrecision(6)}, by the ` +
      `declaration ${want.toPrecision(6)} (neuron ${j}); a neuron of another form declares null`,
  );
}

/** Enough to bring every cell that has a threshold above it at once. */
function strongPulse(quiet: Watched, neuron: NeuronInstance, width: number): number {
  const gain = neuron.eligibility?.gain ?? 1;
  let most = 1;
  if (neuron.threshold && gain > 0) {
    for (let j = 0; j < width; j++) {
      most = Math.max(most, (1.5 * (quiet.threshold[width + j] - quiet.v[width + j])) / gain);
    }
  }
  return most;
}

interface Watched {
  /** Membrane, activity, pseudo-derivative and threshold of the cells that are looked at. [step][cell] */
  readonly v: Float64Array;
  readonly z: Float64Array;
  readonly psi: Float64Array;
  readonly threshold: Float64Array;
}

/** All cells from their initial state, with `input` at step 1 and none at the others. */
function watch(neuron: NeuronInstance, n: number, input: number): Watched {
  const sizes: Sizes = { stream: 1, step: duration, history: 1, in: 1, rec: n, out: 1, synIn: n, synRec: n };
  const state = cut({ neuron: neuron.layout as Layout }, sizes).views('neuron');
  for (const [name, { initial = 0 }] of Object.entries(neuron.layout)) state[name].fill(initial);
  const z: Real = new Float64Array((duration + 1) * n);
  const psi: Real = new Float64Array(duration * n);
  const current: Real = new Float64Array(n);
  const trial = { z, psi } as Partial<TrialArrays> as TrialArrays;
  const step = neuron.bind({ sizes, state, trial, current });
  const cells = cellsOf(n);
  const rows = () => new Float64Array(duration * cells.length);
  const seen = { v: rows(), z: rows(), psi: rows(), threshold: rows() };
  const level = new Float64Array(n);
  const membrane = state[neuron.membrane] ?? level;
  for (let t = 0; t < duration; t++) {
    current.fill(t === 1 ? input : 0);
    step(0, t);
    neuron.threshold?.(state, 0, level);
    for (let c = 0; c < cells.length; c++) {
      const at = t * cells.length + c;
      seen.v[at] = membrane[cells[c]];
      seen.z[at] = z[(t + 1) * n + cells[c]];
      seen.psi[at] = psi[t * n + cells[c]];
      seen.threshold[at] = level[cells[c]];
    }
  }
  return seen;
}

function cellsOf(n: number): Int32Array {
  const count = Math.min(n, mostCells);
  return Int32Array.from({ length: count }, (_, c) => Math.floor((c * n) / count));
}

/** A context whose `neuron` is refused when a part reads it and there is none. */
export function withDynamics<T extends object>(
  context: T,
  dynamics: EligibilityDynamics | null,
  names: { readonly neuron: string; readonly rule: string },
): T & Pick<RuleContext, 'neuron'> {
  return Object.defineProperty({ ...context }, 'neuron', {
    enumerable: true,
    get() {
      if (dynamics) return dynamics;
      throw new UnsupportedError(
        `the rule "${names.rule}" rests on the dynamics of the neuron, and "${names.neuron}" declares none ` +
          '(eligibility: null); a rule whose trace and signal do not, or readout-only, can train it',
      );
    },
  }) as T & Pick<RuleContext, 'neuron'>;
}
