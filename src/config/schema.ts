import { z } from 'zod';
import type { Catalogue } from '../core/plugins.ts';
import { count, listed, magnitude, positive, signed } from '../core/schema.ts';

/** Counts of a whole training, over all streams. */
const total = z.number().int().positive();
const mostSteps = 2 ** 31 - 1;

/** Bumped when a configuration of an older version would mean something else. */
export const configVersion = 1;

const schedule = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('constant') }),
    z.strictObject({
      kind: z.literal('linear-to-zero'),
      holdUntil: z.number().min(0).lt(1).default(0).describe('share of the training at full rate'),
    }),
  ])
  .default({ kind: 'constant' });

const rate = z
  .union([magnitude, z.strictObject({ rate: magnitude, schedule })])
  .describe('learning rate, with a schedule of its own or the common one');

const connectivity = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('dense') }),
    z.strictObject({ kind: z.literal('in-degree'), n: count.describe('synapses per neuron') }),
    z.strictObject({ kind: z.literal('probability'), p: z.number().gt(0).max(1).describe('of every pair') }),
  ])
  .default({ kind: 'dense' });

const weightInit = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('normal'), gain: magnitude.default(1) }).describe('sd gain / sqrt(fan-in)'),
  z.strictObject({ kind: z.literal('normal-sd'), sd: magnitude }).describe('sd as given'),
  z.strictObject({ kind: z.literal('glorot-uniform'), gain: magnitude.default(1) }),
  z
    .strictObject({ kind: z.literal('orthogonal'), gain: magnitude.default(1) })
    .describe('of a dense recurrent projection with autapses'),
  z.strictObject({ kind: z.literal('constant'), value: signed }),
]);
const normalInit = { kind: 'normal', gain: 1 } as const;

const dale = z
  .strictObject({
    excitatory: z.number().min(0).max(1).describe('share of presynaptic neurons whose synapses excite'),
    balanced: z
      .boolean()
      .default(true)
      .describe('scale the first weights of both signs so that their mean is 0 and their variance stays'),
  })
  .nullable()
  .default(null)
  .describe("Dale's law: all synapses of a neuron keep its sign; null for weights of either sign");

const network = z.strictObject({
  dtMs: positive.default(1).describe('length of a step, ms'),
  neurons: listed.default(100).describe('recurrent neurons'),
  input: z
    .strictObject({
      connectivity,
      init: weightInit.default(normalInit),
      bias: signed.nullable().default(null).describe('initial value of a plastic bias; null for none'),
      dale,
    })
    .prefault({}),
  recurrent: z
    .strictObject({
      connectivity,
      init: weightInit.default(normalInit),
      dale,
      autapses: z.boolean().default(false).describe('whether neurons may connect to themselves'),
      delayMs: positive.nullable().default(null).describe('conduction delay, a multiple of dtMs; null for one step'),
    })
    .prefault({}),
  output: z.strictObject({ init: weightInit.default(normalInit) }).prefault({}),
  borderSpikes: z
    .enum(['keep', 'drop'])
    .default('keep')
    .describe('whether input and recurrent spikes that arrive at step 0 of a trial act'),
});

const lossCommon = {
  scale: z
    .union([z.enum(['sum', 'mean']), positive])
    .default('sum')
    .describe('factor on loss and error: 1, 1 / scored steps of the trial, or a number'),
  window: z
    .strictObject({ start: z.number().int().min(0).max(mostSteps), length: count })
    .nullable()
    .default(null)
    .describe('scored steps of each trial; null for all that the task scores'),
};

const rateTerm = z
  .strictObject({
    strength: magnitude.default(0).describe('c in c (f - f*); 0 switches the term off'),
    targetHz: magnitude.default(10).describe('f*, Hz'),
    mean: z
      .enum(['trial', 'batch', 'running'])
      .default('trial')
      .describe('f: of the trial and stream, of the trial over all streams, or a running mean'),
    runningRate: z.number().gt(0).max(1).default(0.01).describe('rate of the running mean, per step'),
    everySteps: count
      .default(1)
      .describe('of a running mean: the term acts in the last of so many steps, once a symbol'),
  })
  .prefault({});

const optimizerBase = {
  powersOfTwo: z
    .boolean()
    .default(false)
    .describe('round every learning rate, whenever it is applied, to the nearest power of two'),
  rates: z.strictObject({ in: rate, rec: rate, out: rate }),
  schedule,
  clamp: z
    .tuple([signed, signed])
    .refine(([low, high]) => low <= high, 'smallest <= largest weight')
    .nullable()
    .default(null)
    .describe('smallest and largest weight'),
};
const optimizer = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('sgd'), ...optimizerBase }),
  z.strictObject({ kind: z.literal('momentum'), momentum: z.number().min(0).lt(1).default(0.9), ...optimizerBase }),
  z.strictObject({
    kind: z.literal('adam'),
    beta1: z.number().min(0).lt(1).default(0.9),
    beta2: z.number().min(0).lt(1).default(0.999),
    epsilon: positive.default(1e-8).describe('outside the bias correction, as in TensorFlow'),
    ...optimizerBase,
  }),
  z.strictObject({
    kind: z.literal('one-step'),
    delta: z
      .union([positive, z.strictObject({ in: positive, rec: positive, out: positive })])
      .describe('what a weight moves by, up or down, with probability |rate g| / delta: of all, or block by block'),
    ...optimizerBase,
  }),
]);

const training = z.strictObject({
  total: total.describe('symbols over all streams, or trials'),
  streams: count.default(1).describe('streams or trials that run side by side and share weights'),
  chunkSteps: count.default(1000).describe('steps of an endless stream that count as one trial'),
  update: z
    .strictObject({
      every: count
        .default(1)
        .describe('steps or trials of each stream; what is left over at the end of the training makes a last update'),
      unit: z.enum(['step', 'trial']).default('trial').describe('a chunk of an endless stream counts as a trial'),
      reduction: z.enum(['mean', 'sum']).default('mean').describe('over streams and over the trials of one update'),
    })
    .prefault({}),
  execution: z.enum(['auto', 'online', 'deferred', 'postponed']).default('auto'),
  state: z.enum(['auto', 'reset', 'carry']).default('auto').describe('neurons and readout at the start of a trial'),
  traces: z.enum(['auto', 'restart', 'carry']).default('auto').describe('traces at the start of a trial'),
  checkpointEvery: count.nullable().default(null).describe('symbols or trials; null: a twentieth of the total'),
});

const numberFormat = z
  .strictObject({
    bits: z.number().int().min(1).max(32).describe('of the stored integer, its sign included'),
    fraction: z.number().int().min(-32).max(48).optional().describe('binary digits after the point'),
    range: positive
      .min(2 ** -16)
      .optional()
      .describe('largest magnitude that has to fit; in place of fraction'),
    signed: z.boolean().default(true),
    rounding: z.enum(['floor', 'nearest', 'toward-zero', 'stochastic']).default('nearest'),
    overflow: z.enum(['saturate', 'wrap']).default('saturate'),
  })
  .refine((format) => (format.fraction === undefined) !== (format.range === undefined), {
    path: ['fraction'],
    message: 'either fraction or range',
  });

const storedDecays = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('multiply'),
    bits: z.number().int().min(1).max(24).describe('of the factor; a shift by as many bits follows'),
  }),
  z.strictObject({ kind: z.literal('shift') }),
]);

const fixed = z
  .strictObject({
    formats: z
      .record(z.string(), numberFormat)
      .default({})
      .describe(
        'by field of the state (weights.wRec, signal.A, trace.*) or row (trial.psi); the most exact name counts',
      ),
    seed: z
      .number()
      .int()
      .min(1)
      .max(2 ** 31 - 1)
      .default(1)
      .describe('of stochastic rounding'),
    generator: z
      .enum(['hash', 'lfsr'])
      .default('hash')
      .describe('of stochastic rounding: independent for every rounding, or a 16-bit shift register that all share'),
    decays: storedDecays
      .nullable()
      .default(null)
      .describe('of membranes, traces and readouts: factor and shift, x - (x >> k), or null: as they are'),
  })
  .nullable()
  .default(null);

const evaluation = z
  .strictObject({
    total: count
      .nullable()
      .default(null)
      .describe('symbols over all streams, or trials; null: 80,000 symbols or 16 trials'),
    streams: count.default(16),
  })
  .prefault({});

/** What an experiment is called and where it runs. */
const head = {
  $schema: z.string().optional().describe('where an editor finds this schema; has no effect'),
  version: z.literal(configVersion).default(configVersion),
  name: z.string().min(1).default('experiment'),
  seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(1),
  backend: z.enum(['auto', 'wasm', 'reference', 'tfjs', 'fixed']).default('auto'),
};

/** The rest that needs no catalogue. */
const common = { rateTerm, optimizer, training, evaluation, fixed };

/** Schema of an experiment file, with the models and tasks of a catalogue as its choices. */
export function experimentSchema(catalogue: Catalogue) {
  return z.strictObject({
    ...head,
    loss: lossChoice(catalogue.losses),
    ...common,
    task: choice('kind', catalogue.tasks),
    network: network.extend({
      neuron: choice('kind', catalogue.neurons),
      readout: choice('kind', catalogue.readouts).prefault({ kind: 'leaky' }),
    }),
    rule: choice('name', catalogue.rules),
  });
}

export type ExperimentConfig = z.output<ReturnType<typeof experimentSchema>>;

/** What a chosen plug-in looks like once its own schema has checked it. */
type Chosen = { readonly [parameter: string]: unknown };

/** A union over a registry, told apart by its literal `kind` or `name`. */
function choice(key: 'kind' | 'name', entries: readonly { readonly params: z.ZodType }[]): z.ZodType<Chosen> {
  const options = entries.map((entry) => entry.params) as unknown as [z.ZodObject, ...z.ZodObject[]];
  return z.discriminatedUnion(key, options) as unknown as z.ZodType<Chosen>;
}

/** A loss with its own parameters beside those that every loss has. */
function lossChoice(losses: Catalogue['losses']) {
  const options = losses.map(({ params }) => (params as z.ZodObject).safeExtend(lossCommon));
  return z.discriminatedUnion('kind', options as unknown as [z.ZodObject, ...z.ZodObject[]]) as unknown as z.ZodType<
    Chosen & { readonly kind: string } & z.output<z.ZodObject<typeof lossCommon>>
  >;
}

/** JSON Schema of an experiment file, for editors. */
export function experimentJsonSchema(catalogue: Catalogue): unknown {
  return z.toJSONSchema(experimentSchema(catalogue), { io: 'input', unrepresentable: 'any' });
}
