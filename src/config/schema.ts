import { z } from 'zod';
import type { Catalogue } from '../core/plugins.ts';
import { count, listed, magnitude, positive, signed } from '../core/schema.ts';
import { valuesOf } from '../core/values.ts';

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

const index = z
  .number()
  .int()
  .min(0)
  .max(2 ** 31 - 1);

const connectivity = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('dense') }),
    z.strictObject({ kind: z.literal('in-degree'), n: count.describe('synapses per neuron') }),
    z.strictObject({ kind: z.literal('probability'), p: z.number().gt(0).max(1).describe('of every pair') }),
    z.strictObject({ kind: z.literal('one-to-one') }).describe('neuron i to neuron i, of two populations of one size'),
    z
      .strictObject({
        kind: z.literal('distance'),
        shape: z
          .union([z.literal('ring'), z.tuple([listed, listed])])
          .describe('how neurons lie: on a ring, or on a grid of so many rows and columns, closed at its borders'),
        sigma: positive.describe('width, as a share of the ring or of a side of the grid'),
        p: z.number().gt(0).max(1).default(1).describe('probability at distance 0'),
      })
      .describe('with probability p exp(- distance^2 / (2 sigma^2))'),
    z
      .strictObject({ kind: z.literal('pairs'), pairs: z.array(z.tuple([index, index])).min(1) })
      .describe('the listed pairs [pre, post], counted from 0'),
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
  z
    .strictObject({ kind: z.literal('identity'), gain: signed.default(1) })
    .describe('gain from neuron i to neuron or output i, 0 elsewhere, of a dense matrix'),
  z
    .strictObject({
      kind: z.literal('coherent'),
      gain: magnitude.default(1).describe('sd of the sum of the weights from one group to a neuron'),
      scatter: magnitude.default(0.2).describe('sd of a weight around the mean of its group, as a share of it'),
    })
    .describe(
      'of a projection: one mean for each group of cells and neuron; groups of the input, or a whole population',
    ),
]);
const normalInit = { kind: 'normal', gain: 1 } as const;

const dale = z
  .union([
    z.enum(['excitatory', 'inhibitory']),
    z.strictObject({
      excitatory: z.number().min(0).max(1).describe('share of presynaptic neurons whose synapses excite'),
      balanced: z
        .boolean()
        .default(true)
        .describe('scale the first weights of both signs so that their mean is 0 and their variance stays'),
    }),
  ])
  .nullable()
  .default(null)
  .describe("Dale's law: all synapses of a neuron keep its sign; null for weights of either sign");

const networkCommon = {
  dtMs: positive.default(1).describe('length of a step, ms'),
  borderSpikes: z
    .enum(['keep', 'drop'])
    .default('keep')
    .describe('whether input and recurrent spikes that arrive at step 0 of a trial act'),
};

/** The input of the short form. */
const shortInput = z.strictObject({
  connectivity,
  init: weightInit.default(normalInit),
  bias: signed.nullable().default(null).describe('initial value of a plastic bias; null for none'),
  dale,
});

/** Its recurrent synapses. */
const shortRecurrent = z.strictObject({
  connectivity,
  init: weightInit.default(normalInit),
  dale,
  autapses: z.boolean().default(false).describe('whether neurons may connect to themselves'),
  delayMs: positive.nullable().default(null).describe('conduction delay, a multiple of dtMs; null for one step'),
});

/** One recurrent population between one input and one readout: the short form of the graph that `graphOf` makes of it. */
const shortNetwork = z.strictObject({
  ...networkCommon,
  neurons: listed.default(100).describe('recurrent neurons'),
  output: z.strictObject({ init: weightInit.default(normalInit) }).prefault({}),
});

/** Names are parts of the names of fields and files. */
const named = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/u, 'a letter, then at most 63 of A-Z a-z 0-9 _ -');

/** Projections, readouts, and the plastic bias of a population. */
const blockName = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9_-]{0,63}(\.bias|\.signal)?$/u,
    'a name of a projection or readout, or of a population with .bias or .signal behind it',
  );

const delay = z
  .union([
    z.number().min(0).max(1e6),
    z.strictObject({ kind: z.literal('uniform'), low: z.number().min(0).max(1e6), high: z.number().min(0).max(1e6) }),
    z.strictObject({ kind: z.literal('list'), values: z.array(z.number().min(0).max(1e6)).min(1) }),
  ])
  .nullable()
  .default(null)
  .describe(
    'conduction delay, ms, in whole steps: one, drawn for every synapse, or listed for every pair, presynaptic-major; 0 only from ' +
      'the input or an earlier population; null: 0 from the input, else one step',
  );

const projection = z.strictObject({
  from: z.string().describe('"input", "input.<group>" of the task, or a population'),
  to: z.string().describe('a population'),
  connectivity,
  init: weightInit.default(normalInit),
  bias: signed
    .nullable()
    .default(null)
    .describe(
      'of a projection from the input: initial value of a plastic bias, a last presynaptic unit that is always 1',
    ),
  dale,
  autapses: z.boolean().default(false).describe('whether neurons of a population may connect to themselves'),
  delayMs: delay,
  plastic: z.boolean().default(true).describe('false: its weights stay as they are drawn'),
});

const window = z
  .strictObject({ start: z.number().int().min(0).max(mostSteps), length: count })
  .nullable()
  .default(null)
  .describe('scored steps of each trial; null for all that the task scores');

const lossCommon = {
  scale: z
    .union([z.enum(['sum', 'mean']), positive])
    .default('sum')
    .describe('factor on loss and error: 1, 1 / scored steps of the trial, or a number'),
  window,
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

/** An optimiser with its own parameters beside those that every one has: rates of blocks by name; the short form knows its blocks. */
function optimizerChoice(optimizers: Catalogue['optimizers'], rates: z.ZodType) {
  const common = {
    powersOfTwo: z
      .boolean()
      .default(false)
      .describe('round every learning rate, whenever it is applied, to the nearest power of two'),
    rates,
    schedule,
    clamp: z
      .tuple([signed, signed])
      .refine(([low, high]) => low <= high, 'smallest <= largest weight')
      .nullable()
      .default(null)
      .describe('smallest and largest weight'),
    clip: positive
      .nullable()
      .default(null)
      .describe('largest norm of the gradient of all weights together, to which a longer one is scaled; null: any'),
  };
  const options = optimizers.map(({ params }) => (params as z.ZodObject).safeExtend(common));
  return z.discriminatedUnion('kind', options as unknown as [z.ZodObject, ...z.ZodObject[]]) as unknown as z.ZodType<
    Chosen & { readonly kind: string } & OptimizerCommon
  >;
}

type Rate = z.output<typeof rate>;

interface OptimizerCommon {
  readonly powersOfTwo: boolean;
  /** By the names of projections and readouts. */
  readonly rates: Readonly<Record<string, Rate>>;
  readonly schedule: z.output<typeof schedule>;
  readonly clamp: readonly [number, number] | null;
  readonly clip: number | null;
}

const shortRates = z.strictObject({ in: rate, rec: rate, out: rate });
const rates = z
  .record(blockName, rate)
  .describe('by the names of projections and readouts; a bias of a readout has the rate of its readout');

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
        'by field of the state (*.weights, population.exc.v, projection.exc-inh.trace.*) or row (population.exc.psi); the most exact name counts',
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
const common = { rateTerm, training, evaluation, fixed };

/** Schema of an experiment whose network is a graph, with the models and tasks of a catalogue as its choices. */
export function graphSchema(catalogue: Catalogue) {
  const population = z.strictObject({
    size: listed.describe('neurons'),
    neuron: choice('kind', catalogue.neurons),
    bias: valuesOf(signed).nullable().default(null).describe('first values of a plastic bias; null for none'),
    current: valuesOf(signed).default(0).describe('constant input that does not learn, in the unit of the weights'),
    rule: choice('name', catalogue.rules)
      .nullable()
      .default(null)
      .describe('what teaches the projections that end on it; null: the rule of the experiment'),
  });
  const readout = z.strictObject({
    from: z.union([z.string(), z.array(z.string()).min(1)]).describe('populations that it reads'),
    readout: choice('kind', catalogue.readouts).prefault({ kind: 'leaky' }),
    init: weightInit.default(normalInit),
    loss: choice('kind', catalogue.losses).nullable().default(null).describe('null: that of the experiment'),
    weight: magnitude.default(1).describe('factor on its loss and its error'),
    outputs: z
      .array(index)
      .min(1)
      .nullable()
      .default(null)
      .describe('outputs of the task that it learns; null for all'),
    window,
  });
  return z.strictObject({
    ...head,
    loss: lossChoice(catalogue.losses),
    ...common,
    modulator: modulatorOf(catalogue),
    optimizer: optimizerChoice(catalogue.optimizers, rates),
    task: choice('kind', catalogue.tasks),
    network: z.strictObject({
      ...networkCommon,
      populations: z.record(named, population).describe('in the order in which a step computes them'),
      projections: z.record(named, projection.extend(upkeepParts(catalogue))),
      readouts: z.record(named, readout),
    }),
    rule: choice('name', catalogue.rules),
  });
}

/** Schema of an experiment whose network is in the short form. */
export function shortSchema(catalogue: Catalogue) {
  return z.strictObject({
    ...head,
    loss: lossChoice(catalogue.losses),
    ...common,
    modulator: modulatorOf(catalogue),
    optimizer: optimizerChoice(catalogue.optimizers, shortRates),
    task: choice('kind', catalogue.tasks),
    network: shortNetwork.extend({
      neuron: choice('kind', catalogue.neurons),
      readout: choice('kind', catalogue.readouts).prefault({ kind: 'leaky' }),
      input: shortInput.extend(upkeepParts(catalogue)).prefault({}),
      recurrent: shortRecurrent.extend(upkeepParts(catalogue)).prefault({}),
    }),
    rule: choice('name', catalogue.rules),
  });
}

/** An experiment with every default filled in: its network is a graph. */
export type ExperimentConfig = z.output<ReturnType<typeof graphSchema>>;
export type ShortConfig = z.output<ReturnType<typeof shortSchema>>;

/** Whether an experiment as somebody wrote it has a graph; one without a network has the short form. */
export function isGraph(input: unknown): boolean {
  const network = typeof input === 'object' && input !== null ? (input as { network?: unknown }).network : undefined;
  return typeof network === 'object' && network !== null && 'populations' in network;
}

/** The schema of the form that an experiment is written in. */
export function schemaFor(input: unknown, catalogue: Catalogue): z.ZodType {
  return isGraph(input) ? graphSchema(catalogue) : shortSchema(catalogue);
}

/** What a chosen plug-in looks like once its own schema has checked it. */
type Chosen = { readonly [parameter: string]: unknown };

/** A union over a registry, told apart by its literal `kind` or `name`. */
function choice(key: 'kind' | 'name', entries: readonly { readonly params: z.ZodType }[]): z.ZodType<Chosen> {
  const options = entries.map((entry) => entry.params) as unknown as [z.ZodObject, ...z.ZodObject[]];
  return z.discriminatedUnion(key, options) as unknown as z.ZodType<Chosen>;
}

function modulatorOf({ modulators }: Catalogue) {
  return choice('kind', modulators)
    .nullable()
    .default(null)
    .describe('a third factor on all that the rule and the readouts learn; null: none');
}

/** What changes the weights of a projection beside its rule. */
function upkeepParts(catalogue: Catalogue) {
  return {
    rewiring: choice('kind', catalogue.rewirings)
      .nullable()
      .default(null)
      .describe('which pairs have a synapse changes as it learns, from those that are drawn; null: they stay'),
    scaling: choice('kind', catalogue.scalings)
      .nullable()
      .default(null)
      .describe('its excitatory weights follow the activity of whole trials; null: they do not'),
  };
}

/** A loss with its own parameters beside those that every loss has. */
function lossChoice(losses: Catalogue['losses']) {
  const options = losses.map(({ params }) => (params as z.ZodObject).safeExtend(lossCommon));
  return z.discriminatedUnion('kind', options as unknown as [z.ZodObject, ...z.ZodObject[]]) as unknown as z.ZodType<
    Chosen & { readonly kind: string } & z.output<z.ZodObject<typeof lossCommon>>
  >;
}

/** JSON Schema of an experiment file, for editors. Where it takes an array, a file may name one of NumPy's. */
export function experimentJsonSchema(catalogue: Catalogue): unknown {
  const schema = z.toJSONSchema(z.union([shortSchema(catalogue), graphSchema(catalogue)]), {
    io: 'input',
    unrepresentable: 'any',
    override({ jsonSchema }) {
      if (jsonSchema.type !== 'array' || jsonSchema.prefixItems) return;
      const { description, ...array } = jsonSchema;
      for (const key of Object.keys(array)) delete jsonSchema[key];
      jsonSchema.anyOf = [array, npySchema];
    },
  });
  for (const { properties } of schema.anyOf as z.core.JSONSchema.BaseSchema[]) {
    if (properties) properties.plugins = pluginsSchema;
  }
  return schema;
}

const pluginsSchema: z.core.JSONSchema.BaseSchema = {
  type: 'array',
  items: { type: 'string' },
  description:
    'plug-ins that the experiment needs, relative to this file; the command line has to name them with --plugin',
};

const npySchema: z.core.JSONSchema.BaseSchema = {
  type: 'object',
  properties: { npy: { type: 'string', description: 'a .npy file, relative to this one' } },
  required: ['npy'],
  additionalProperties: false,
};
