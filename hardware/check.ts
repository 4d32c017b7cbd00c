/** One question that a chip has to answer. */
export interface Check {
  /** What is asked. */
  readonly name: CheckName;
  /** degraded: with an approximation. */
  readonly status: 'pass' | 'degraded' | 'fail';
  /** The number that decided, with its limit, or why there is none. */
  readonly because: string;
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

export const pass = (name: CheckName, because: string): Check => ({ name, status: 'pass', because });
export const fail = (name: CheckName, because: string): Check => ({ name, status: 'fail', because });
export const degraded = (name: CheckName, because: string): Check => ({ name, status: 'degraded', because });

/** 1 synapse, 2 synapses. */
export const counted = (value: number, what: string) => `${value} ${what}${value === 1 ? '' : 's'}`;
