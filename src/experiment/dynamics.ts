import { instantOf, spikes } from '../core/dynamics.ts';
import { UnsupportedError } from '../core/errors.ts';
import { cut, type Layout, type Real, startField } from '../core/layout.ts';
import type { ClosedDynamics, LinearDynamics, NeuronDynamics, NeuronInstance } from '../core/plugins.ts';
import { type Rows, rowAt } from '../core/rows.ts';

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
  if (spikes(declared)) {
    if (!(neuron.membrane in neuron.layout)) {
      throw new UnsupportedError(
        `network.neuron "${kind}": its membrane "${neuron.membrane}" is no field of its layout`,
      );
    }
    if (declared.form === 'linear') checkLinear(kind, neuron, declared, n);
    else checkMembrane(kind, neuron, declared, n);
  } else if (!spiking) {
    if (declared.form === 'linear') checkLinear(kind, neuron, declared, n);
    else checkRate(kind, neuron, declared, n);
  }
}

/** Membrane and threshold after a small pulse and after one that makes every cell fire. */
function checkMembrane(kind: string, neuron: NeuronInstance, declared: ClosedDynamics, n: number): void {
  const cells = cellsOf(n);
  const quiet = watch(neuron, n, 0);
  const enough = strongPulse(quiet, neuron, cells.length, () => declared.gain);
  const strong = watch(neuron, n, enough);
  const name = { kind, membrane: neuron.membrane };
  compareMembrane(name, declared, cells, quiet, watch(neuron, n, pulse), pulse);
  compareMembrane(name, declared, cells, quiet, strong, enough);
  if (neuron.threshold) compareThreshold(kind, declared, cells, quiet, strong);
}

/** d v(t) = decay d v(t-1) + gain d I(t), less resetGain after a spike. */
function compareMembrane(
  { kind, membrane }: { readonly kind: string; readonly membrane: string },
  { decay, gain, resetGain }: ClosedDynamics,
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
  { adaptation }: ClosedDynamics,
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

/** d r(t) = decay d r(t-1) + gain psi(t) d I(t), also where the rate itself is moved: its row is all that the neuron keeps. */
function checkRate(kind: string, neuron: NeuronInstance, declared: ClosedDynamics, n: number): void {
  const cells = cellsOf(n);
  const width = cells.length;
  const quiet = watch(neuron, n, 0);
  const driven = watch(neuron, n, ratePulse);
  const moved = watch(neuron, n, 0, ratePulse);
  for (let t = 1; t < duration; t++) {
    for (let j = 0; j < width; j++) {
      const want = declared.decay ** (t - 1) * declared.gain * quiet.psi[width + j];
      const got = (driven.z[t * width + j] - quiet.z[t * width + j]) / ratePulse;
      if (!(Math.abs(got - want) <= tolerance.rate * Math.max(1, Math.abs(declared.gain)))) {
        refuse(kind, `${t} steps after a pulse its rate has moved, per unit of input, by`, got, want, cells[j]);
      }
      const left = (moved.z[t * width + j] - quiet.z[t * width + j]) / ratePulse;
      if (t > 1 && !(Math.abs(left - declared.decay ** (t - 1)) <= tolerance.rate)) {
        const what = `${t} steps after its rate was moved there is left of it, per unit,`;
        refuse(kind, what, left, declared.decay ** (t - 1), cells[j]);
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
function strongPulse(quiet: Watched, neuron: NeuronInstance, width: number, gainOf: (cell: number) => number): number {
  let most = 1;
  for (let c = 0; c < width && neuron.threshold; c++) {
    const gain = gainOf(c);
    if (gain > 0) most = Math.max(most, (1.5 * (quiet.threshold[width + c] - quiet.v[width + c])) / gain);
  }
  return most;
}

/**
 * The distance of the membrane from the threshold, or the rate, after a small pulse and (of spiking neurons) after one that makes cells
 * fire, against the matrices.
 */
function checkLinear(kind: string, neuron: NeuronInstance, declared: LinearDynamics, n: number): void {
  const cells = cellsOf(n);
  const quiet = watch(neuron, n, 0);
  if (declared.gate === 'input') {
    compareLinear(kind, declared, cells, quiet, watch(neuron, n, ratePulse), ratePulse, tolerance.rate);
    return;
  }
  const instant = instantOf(declared, n);
  const enough = strongPulse(quiet, neuron, cells.length, (c) => instant.input[cells[c]]);
  for (const input of [pulse, enough]) {
    compareLinear(kind, declared, cells, quiet, watch(neuron, n, input), input, tolerance.membrane);
  }
}

function compareLinear(
  kind: string,
  { states: m, gate, transition, input, own, reset, read }: LinearDynamics,
  cells: Int32Array,
  quiet: Watched,
  run: Watched,
  given: number,
  allowed: number,
): void {
  const width = cells.length;
  const seen = (of: Watched, s: number) => (gate === 'spike' ? of.v[s] - of.threshold[s] : of.z[s]);
  for (let c = 0; c < width; c++) {
    const first = cells[c] * m;
    const subtracts = reset.subarray(first, first + m).some((value) => value !== 0);
    let h = new Float64Array(m);
    let largest = Math.abs(given);
    for (let t = 1; t < duration; t++) {
      const s = t * width + c;
      const fired = run.z[s - width] - quiet.z[s - width];
      // What a reset that subtracts nothing does to the states is not part of the derivatives.
      if (gate === 'spike' && fired !== 0 && !subtracts) break;
      const arriving = (t === 1 ? given : 0) * (gate === 'spike' ? 1 : quiet.psi[s]);
      const next = Float64Array.from({ length: m }, (_, r) => {
        let value = input[first + r] * arriving + (own[first + r] - reset[first + r]) * fired;
        for (let k = 0; k < m; k++) value += transition[(first + r) * m + k] * h[k];
        return value;
      });
      h = next;
      const want = h.reduce((sum, value, r) => sum + read[first + r] * value, 0);
      const got = seen(run, s) - seen(quiet, s);
      largest = Math.max(largest, Math.abs(got), Math.abs(want));
      if (Math.abs(got - want) <= allowed * largest) continue;
      const what = gate === 'spike' ? 'the distance from its threshold' : 'its rate';
      refuse(kind, `${t} steps after a pulse of ${given} ${what} has moved by`, got, want, cells[c]);
    }
  }
}

interface Watched {
  /** Membrane, activity, pseudo-derivative and threshold of the cells that are looked at. [step][cell] */
  readonly v: Float64Array;
  readonly z: Float64Array;
  readonly psi: Float64Array;
  readonly threshold: Float64Array;
}

/** All cells from their initial state, with `input` at step 1 and none at the others, and their activity moved by `nudge` after it. */
function watch(neuron: NeuronInstance, n: number, input: number, nudge = 0): Watched {
  const sizes = { stream: 1, step: duration, self: n };
  const state = cut([{ name: 'neuron', layout: neuron.layout as Layout, sizes }]).views('neuron');
  for (const [name, { initial }] of Object.entries(neuron.layout)) startField(state[name], initial);
  const rowsOf = (history: number): Rows => {
    const data = new Float64Array((history + duration) * n);
    return { data, width: n, from: 0, size: n, history, steps: duration };
  };
  const z = rowsOf(1);
  const psi = rowsOf(0);
  const current: Real = new Float64Array(n);
  const step = neuron.bind({ sizes, state, z, psi, current });
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
      seen.z[at] = z.data[rowAt(z, 0, t) + cells[c]];
      seen.psi[at] = psi.data[rowAt(psi, 0, t) + cells[c]];
      seen.threshold[at] = level[cells[c]];
    }
    const row = rowAt(z, 0, t);
    if (t === 1 && nudge !== 0) for (let j = 0; j < n; j++) z.data[row + j] += nudge;
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
  dynamics: NeuronDynamics | null,
  names: { readonly neuron: string; readonly rule: string },
): T & { readonly neuron: NeuronDynamics } {
  return Object.defineProperty({ ...context }, 'neuron', {
    enumerable: true,
    get: () => dynamics ?? refuseRule(names),
  }) as T & { readonly neuron: NeuronDynamics };
}

/** A context whose `neurons` are refused when a part reads them and one has none. */
export function withAllDynamics<T extends object>(
  context: T,
  all: readonly { readonly kind: string; readonly dynamics: NeuronDynamics | null }[],
  rule: string,
): T & { readonly neurons: readonly NeuronDynamics[] } {
  return Object.defineProperty({ ...context }, 'neurons', {
    enumerable: true,
    get: () => all.map(({ kind, dynamics }) => dynamics ?? refuseRule({ neuron: kind, rule })),
  }) as T & { readonly neurons: readonly NeuronDynamics[] };
}

function refuseRule({ neuron, rule }: { readonly neuron: string; readonly rule: string }): never {
  throw new UnsupportedError(
    `the rule "${rule}" rests on the dynamics of the neuron, and "${neuron}" declares none ` +
      '(eligibility: null); a rule whose trace and signal do not, or readout-only, can train it',
  );
}
