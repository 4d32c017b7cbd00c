import { z } from 'zod';

const provenance = {
  source: z.string().min(1),
  kind: z.enum(['measured', 'code', 'doc', 'abstract', 'recalled', 'inferred']),
};

/** A number with its unit, where it comes from and how far it can be trusted. Energies are measured, the rest is counted. */
const sourced = (unit: string) =>
  z.strictObject({
    value: (unit === 'pJ' ? z.number().min(0) : z.number().int().min(0)).nullable().describe('null: not known'),
    unit: z.literal(unit),
    ...provenance,
  });

/** The most that a chip has of something; what is not known is not held against a network, and said. */
const limit = (unit: string) =>
  z.strictObject({
    value: z
      .union([z.number().int().min(0), z.literal('no limit')])
      .nullable()
      .describe('null: not known'),
    unit: z.literal(unit),
    ...provenance,
  });

/** How a chip lets a number decay, the smallest and the largest decay that it takes, and the bits of the factor. */
const decay = z.strictObject({
  form: z.enum(['multiply', 'shift', 'subtract', 'analog', 'any']),
  bits: z.number().int().min(0).nullable().describe('null: not known'),
  range: z.tuple([z.number().min(0), z.number().max(1)]),
  ...provenance,
});

/** Synapses of one source are packed in blocks: a header, then weight, state and index of each, in whole words. */
const synapseWord = z.strictObject({
  wordBits: z.number().int().positive(),
  headerBits: z.number().int().min(0),
  blockSynapses: z.number().int().positive(),
  indexBits: z.number().int().min(0).describe('of the target, where the projection is not dense'),
  ...provenance,
});

/**
 * What a chip offers to a learning rule. Every number carries unit and source; what nobody has read in a document or in code
 * is marked `recalled`. A profile of your own is a JSON file of this form.
 */
const profile = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+$/),
  name: z.string().min(1),
  substrate: z.enum(['digital', 'mixed-signal', 'processor', 'ideal']),
  weightBits: sourced('bit'),
  /** Width of a word of synaptic memory, where weights are packed into words. */
  wordBits: sourced('bit').optional(),
  /** Learning state that a synapse can keep beside its weight. */
  synapseStateBits: limit('bit'),
  /** Width of the traces of presynaptic and postsynaptic neurons. */
  traceBits: sourced('bit'),
  membraneBits: sourced('bit'),
  /** Width of the readout's traces, where it is not that of the others. */
  readoutTraceBits: sourced('bit').optional(),
  inputs: limit('line'),
  /** Of units of their own; where there is no number outputs are neurons like all others. */
  outputs: limit('neuron'),
  neuronsPerCore: limit('neuron'),
  cores: limit('core'),
  /** Neurons of different populations may lie on one core; where it is not known they are kept apart. */
  mixedCores: z.strictObject({ value: z.boolean().nullable().describe('null: not known'), ...provenance }),
  /** Synaptic memory of one core: weights and their learning state. */
  coreMemory: limit('byte'),
  /** null: packed without overhead. */
  synapseWord: synapseWord.nullable(),
  /** Synapses that arrive at a neuron, and that leave one. */
  fanIn: limit('synapse'),
  fanOut: limit('synapse'),
  /** Sources that reach the neurons of one core. */
  axonsPerCore: limit('axon'),
  /** Axons that a source takes whose synapses learn. */
  learningAxons: z.number().int().positive(),
  /** The longest delay of a synapse; one step is what every spike takes. */
  delaySteps: limit('step'),
  refractorySteps: limit('step'),
  energyPerSynapticEvent: sourced('pJ'),
  /** Widths of the factors of a weight's change, of their product, and of what a change has below the weight's step. */
  arithmetic: z.strictObject({
    accumulatorBits: sourced('bit'),
    signalBits: sourced('bit'),
    slopeBits: sourced('bit'),
    rateBits: sourced('bit'),
    fractionBits: sourced('bit'),
    rounding: z.enum(['floor', 'nearest', 'toward-zero', 'stochastic']),
  }),
  decays: z.strictObject({ membrane: decay, trace: decay, readout: decay }),
  stochasticRounding: z.boolean(),
  roundings: z.array(z.enum(['floor', 'nearest', 'toward-zero', 'stochastic'])).min(1),
  signedWeights: z.boolean(),
  resets: z.array(z.enum(['subtract', 'zero'])),
  adaptiveThreshold: z.boolean(),
  gradedActivity: z.boolean(),
  compartments: z.number().int().min(1),
  learning: z.strictObject({
    engine: z.enum(['none', 'fixed-rule', 'sum-of-products', 'program']),
    /** A rule in hardware: its trace has no state per synapse. */
    fixedRule: z.enum(['factored-eprop']).nullable(),
    thirdFactor: z.enum(['none', 'global', 'per-neuron']),
    /** A matrix can be read along its rows and along its columns. */
    transpose: z.boolean(),
    /** A step can have more than one phase. */
    phases: z.boolean(),
    everyStep: z.boolean(),
  }),
});

/** @throws by `parseWith` a ConfigError that names the number, its value and its range */
export const profileSchema = profile.refine(
  ({ weightBits, wordBits }) => (weightBits.value ?? 0) <= (wordBits?.value ?? Number.POSITIVE_INFINITY),
  { path: ['weightBits', 'value'], message: 'at most wordBits (bit)' },
);

/** A number of a profile that limits a network. */
export type Limit = ChipProfile['fanIn'];

/** Whether something is beyond a limit that is known. */
export function beyond(value: number, { value: most }: { readonly value: Limit['value'] }): boolean {
  return typeof most === 'number' && value > most;
}

export type ChipDecay = z.infer<typeof decay>;
export type ChipProfile = z.infer<typeof profileSchema>;
