import { ConfigError } from '../core/errors.ts';
import { type Convention, needed } from './convention.ts';
import { broadcastField, numbersOf } from './layers.ts';
import type { Place } from './topology.ts';

/** How a spike acts on v, of one kind of node. */
export type ResetWhen = NonNullable<Convention['resetWhen']>;

/**
 * Constants of a node with a membrane under a convention, one for each of its neurons:
 *
 *     i(t) = s i(t-1) + synGain x(t) + synLeak,      v(t) = a v(t-1) + leak + gain i(t)        (x(t) where there is no synapse)
 */
export interface NirCells {
  readonly a: Float64Array;
  readonly gain: Float64Array;
  readonly leak: Float64Array;
  /** v_leak itself. */
  readonly rest: Float64Array;
  readonly v0: Float64Array;
  readonly synapse: { readonly s: Float64Array; readonly gain: Float64Array; readonly leak: Float64Array } | null;
  readonly fires: {
    readonly threshold: Float64Array;
    /** What the membrane is set to where it is not subtracted from. */
    readonly reset: Float64Array;
    readonly subtracts: boolean;
    readonly when: ResetWhen;
  } | null;
}

/** @throws FileError for fields of another shape or a time constant <= 0, ConfigError for what the convention lacks */
export function cellsOf({ name, node, shape, size }: Place, convention: Convention, file: string): NirCells {
  const path = `${file} ${name}`;
  const { type } = node;
  const field = (key: string, otherwise: number): Float64Array =>
    node.fields.has(key) ? broadcastField(node, key, shape, path) : new Float64Array(size).fill(otherwise);
  const cuba = type.startsWith('Cuba');
  const integrates = type === 'IF' || type === 'I';
  const r = field('r', 1);
  const rest = integrates ? new Float64Array(size) : field('v_leak', 0);
  const step = integrates ? new Float64Array(size) : stepsPer(field(cuba ? 'tau_mem' : 'tau', 1), convention, path);
  const a = integrates ? new Float64Array(size).fill(1) : decaysOf(step, convention);
  const gain = integrates
    ? gainOfIntegrator(r, convention, name)
    : gainsOf(
        type === 'LI' ? (convention.gainLI ?? needed(convention, 'gain', name)) : needed(convention, 'gain', name),
        { a, step, r },
      );
  return {
    a,
    gain,
    rest,
    leak: rest.map((value, j) => (1 - a[j]) * value),
    v0: convention.v0 === 'v_leak' ? rest : new Float64Array(size),
    synapse: cuba ? synapseOf(field('tau_syn', 1), field('w_in', 1), rest, convention, name, path) : null,
    fires: node.fields.has('v_threshold') ? firesOf(field, cuba, convention, name, path) : null,
  };
}

/** dt / tau. @throws ConfigError for a time constant <= 0 */
function stepsPer(tau: Float64Array, { dt }: Convention, path: string): Float64Array {
  const odd = tau.findIndex((value) => !(value > 0));
  if (odd >= 0) throw new ConfigError(`${path} tau[${odd}]`, tau[odd], 'a time constant > 0');
  return tau.map((value) => dt / value);
}

/** A time constant of one step leaves nothing, also where it is a float32 beside a step that is not. */
const rounding = 2 ** -22;

function decaysOf(step: Float64Array, { decay }: Convention): Float64Array {
  if (decay === 'exact') return step.map((q) => Math.exp(-q));
  return step.map((q) => (Math.abs(1 - q) < rounding ? 0 : 1 - q));
}

function gainOfIntegrator(r: Float64Array, convention: Convention, name: string): Float64Array {
  const gain = needed(convention, 'gainIF', name);
  if (gain === '1') return r.map(() => 1);
  return gain === 'r' ? r : r.map((value) => value * convention.dt);
}

interface Constants {
  readonly a: Float64Array;
  readonly step: Float64Array;
  readonly r: Float64Array;
}

function gainsOf(gain: NonNullable<Convention['gain']>, { a, step, r }: Constants): Float64Array {
  switch (gain) {
    case '1':
      return a.map(() => 1);
    case 'a':
      return a;
    case 'dt/tau':
      return step;
    case 'r*dt/tau':
      return step.map((q, j) => r[j] * q);
    case '1-a':
      return a.map((value) => 1 - value);
    case 'r*(1-a)':
      return a.map((value, j) => r[j] * (1 - value));
    case 'r*dt/(tau*a)':
      return step.map((q, j) => (r[j] * q) / Math.exp(-q));
    default:
      return gain satisfies never;
  }
}

function synapseOf(
  tau: Float64Array,
  wIn: Float64Array,
  rest: Float64Array,
  convention: Convention,
  name: string,
  path: string,
) {
  const step = stepsPer(tau, convention, path);
  const s = decaysOf(step, convention);
  const leak = step.map((q, j) => (convention.leakIntoSynapse ? q * rest[j] : 0));
  const of = needed(convention, 'synGain', name);
  switch (of) {
    case '1':
      return { s, gain: s.map(() => 1), leak };
    case 'w_in':
      return { s, gain: wIn, leak };
    case 'w_in*dt/tau_syn':
      return { s, gain: step.map((q, j) => wIn[j] * q), leak };
    case 'decay':
      return { s, gain: s, leak };
    default:
      return of satisfies never;
  }
}

function firesOf(
  field: (key: string, otherwise: number) => Float64Array,
  cuba: boolean,
  convention: Convention,
  name: string,
  path: string,
): NirCells['fires'] {
  const reset = needed(convention, 'reset', name);
  const when = (cuba ? convention.resetWhenCuba : undefined) ?? needed(convention, 'resetWhen', name);
  const threshold = field('v_threshold', 1);
  const subtracts = reset === 'subtract';
  const onlySubtracts = when === 'next-step-decayed' || when === 'same-step-snntorch';
  if ((onlySubtracts && !subtracts) || (when === 'next-step-lost' && subtracts)) {
    throw new ConfigError('convention.reset', reset, `one that goes with resetWhen "${when}" (node "${name}")`);
  }
  if (convention.emit === 'before-update' && when.startsWith('same-step')) {
    throw new ConfigError('convention.resetWhen', when, 'one in the next step beside emit "before-update"');
  }
  if (when === 'same-step-snntorch' && (convention.spikes === 'multi' || convention.minV)) {
    throw new ConfigError('convention.resetWhen', when, 'another one beside several spikes a step or minV');
  }
  const odd = threshold.findIndex((value) => !(value > 0));
  if (convention.spikes === 'multi' && odd >= 0) {
    throw new ConfigError(
      `${path} v_threshold[${odd}]`,
      threshold[odd],
      'a threshold > 0 where a step may have several spikes',
    );
  }
  return { threshold, reset: reset === 'v_reset' ? field('v_reset', 0) : threshold.map(() => 0), subtracts, when };
}

/** Delay of every channel in steps, to the nearest; and how far from a whole number the worst is. */
export function delaySteps(
  { node, shape, name }: Place,
  { dt }: Convention,
  file: string,
): { readonly steps: Int32Array; readonly off: number } {
  const path = `${file} ${name}`;
  numbersOf(node, 'delay', path);
  const exact = broadcastField(node, 'delay', shape, path).map((delay) => delay / dt);
  const odd = exact.findIndex((steps) => !(steps >= 0) || steps > 1e6);
  if (odd >= 0)
    throw new ConfigError(`${path}/delay[${odd}]`, exact[odd] * dt, `a delay of 0 to ${1e6} steps of ${dt}`);
  const off = exact.reduce((most, steps) => Math.max(most, Math.abs(steps - halfToEven(steps))), 0);
  return { steps: Int32Array.from(exact, halfToEven), off };
}

/** The nearest whole number; of two the even one. */
function halfToEven(value: number): number {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}
