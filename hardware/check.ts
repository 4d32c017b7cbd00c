/** One question that a chip has to answer. */
export interface Check {
  /** What is asked. */
  readonly name: CheckName;
  /** degraded: with an approximation. */
  readonly status: 'pass' | 'degraded' | 'fail';
  /** The number that decided, with its limit, or why there is none. */
  readonly because: string;
  /** Of a check that fails: what would have to be otherwise, of the profile (`fanIn >= 120`) or of the network; else null. */
  readonly fitsIf: string | null;
}

/** All that is asked, in the order in which the first violated constraint is looked for. */
export const checkNames = [
  'form of the rule',
  'state per synapse',
  'locality',
  'third factor',
  'neuron model',
  'sizes',
  'phases',
  'weights',
  'arithmetic width',
  'decays',
  'randomness',
  'update',
  'optimiser',
  'feedback',
  'rewiring and scaling',
  'placement',
  'energy',
] as const;
export type CheckName = (typeof checkNames)[number];

export const pass = (name: CheckName, because: string): Check => ({ name, status: 'pass', because, fitsIf: null });
export const fail = (name: CheckName, because: string, fitsIf: string): Check => ({
  name,
  status: 'fail',
  because,
  fitsIf,
});
export const degraded = (name: CheckName, because: string): Check => ({
  name,
  status: 'degraded',
  because,
  fitsIf: null,
});

/** What would do for a rule that reaches beyond the synapse. */
export const localRule = 'the rule is a trace of the synapse times a signal of the neuron, as e-prop 1 is';
/** A number that would do, under its name in the profile. */
export const atLeast = (path: string, value: number) => `${path} >= ${Math.ceil(value)}`;

/** 1 synapse, 2 synapses. */
export const counted = (value: number, what: string) => `${value} ${what}${value === 1 ? '' : 's'}`;
