import { z } from 'zod';
import { assertJson, parseWith } from '../config/parse.ts';
import { ConfigError } from '../core/errors.ts';

/** Runs of one study at most: what a folder, a table and a job array can still hold. */
export const mostRuns = 100_000;

const seed = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const finite = z.number().min(-1e300).max(1e300);
const above = z.number().positive().max(1e300);
const share = z.number().min(0).max(1);

/** A setting by its path, as `--set` has it. */
const path = z
  .string()
  .refine((text) => text.split('.').every((key) => key !== '' && key !== '__proto__'), 'names of keys between dots');
export const settingsSchema = z.record(path, z.unknown());

/** What names a folder of its own: no slash, no backslash, no control character, not "." or "..". */
export const labelSchema = z
  .string()
  .min(1)
  .max(200)
  .refine(
    (text) => text.trim() !== '' && !/[/\\\p{C}]/u.test(text) && text !== '.' && text !== '..',
    'a name for a folder: no slash, no backslash, no control character, and not "." or ".."',
  );

const levels = z
  .array(
    z.union([
      z.strictObject({ label: labelSchema, value: z.unknown() }),
      z.strictObject({ label: labelSchema, set: settingsSchema.describe('settings that move together') }),
      z.unknown(),
    ]),
  )
  .min(1)
  .max(mostRuns);

const paths = z
  .array(path)
  .min(1)
  .optional()
  .describe('settings that all get the value; default the name of the factor');
const whole = z.boolean().default(false).describe('rounded to the nearest whole number');
const counted = z.number().int().min(1).max(mostRuns);

const factor = z.union([
  levels,
  z.strictObject({ levels, paths }),
  z.strictObject({ range: z.tuple([finite, finite, above]).describe('first, last at most, step'), paths }),
  z.strictObject({ linear: z.tuple([finite, finite, counted]).describe('first, last, how many'), paths, whole }),
  z.strictObject({
    log: z.tuple([above, above, counted]).describe('first, last, how many, equal ratios'),
    paths,
    whole,
  }),
  z.strictObject({ uniform: z.tuple([finite, finite]).describe('drawn between'), paths, whole }),
  z.strictObject({ logUniform: z.tuple([above, above]).describe('its logarithm drawn between'), paths, whole }),
]);

const draws = z.strictObject({
  kind: z.enum(['sobol', 'random']).default('sobol'),
  n: counted.describe('points in all factors that are drawn; a larger n keeps the first ones'),
  seed: seed.default(1),
});

const condition = z.union([
  z.strictObject({ min: finite.optional(), max: finite.optional() }),
  z.array(z.unknown()).min(1),
  z.unknown(),
]);
/** Cells whose levels all fit: a value or label, several of them, or a range of numbers. */
const filter = z.record(z.string(), condition);

const stop = z.strictObject({
  after: share.describe('of the training: looked at once, at the first trial border from there on'),
  over: share.default(0.05).describe('of the training before it, whose mean counts'),
  measure: z.string().min(1).default('merit').describe('a score by its name; "merit": what the task is scored by'),
  worseThan: z.union([
    finite.describe('in the unit of the measure'),
    z.strictObject({
      cell: z.record(z.string(), z.unknown()).describe('levels of the control; its other levels are those of the run'),
      by: z.number().min(0).max(1e300).default(0).describe('in the unit of the measure'),
    }),
  ]),
});

const resources = z.strictObject({
  memoryMb: above.optional().describe('of one run, MiB; default what its network needs'),
  threads: counted.default(1).describe('of one run'),
  sbatch: z.array(z.string()).default([]).describe('options of every job, such as --time=1:00:00'),
});

/** A study as somebody wrote it. */
export const studySchema = z.strictObject({
  $schema: z.string().optional().describe('where an editor finds this schema; has no effect'),
  name: z.string().min(1).optional(),
  base: z
    .union([z.string().min(1), z.looseObject({})])
    .describe('a preset, an experiment file relative to this one, or an experiment'),
  set: settingsSchema.default({}).describe('settings of all cells'),
  factors: z.record(z.string().min(1), factor).default({}).describe('every combination of their levels is a cell'),
  draws: draws.optional(),
  only: z.array(filter).default([]).describe('cells that fit none of these are left out; none: all stay'),
  exclude: z.array(filter).default([]).describe('cells that fit one of these are left out'),
  seeds: z
    .union([counted, z.array(seed).min(1)])
    .default(1)
    .describe('of every cell: 1 to n, or a list'),
  measures: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('columns of tables, the first one compared; default what the task is scored by, accuracy, rateHz'),
  stop: z.array(stop).default([]).describe('runs without hope, which end before their training'),
  resources: resources.prefault({}),
});

export type Study = z.output<typeof studySchema>;
export type Factor = z.output<typeof factor>;
export type Filter = z.output<typeof filter>;
export type StopRule = Study['stop'][number];

/** Checks a study file and fills in its defaults. @throws ConfigError with path, value and range */
export function parseStudy(input: unknown): Study {
  assertJson(input, 'study');
  const { $schema: _, ...study } = parseWith(studySchema, input, 'study');
  const { seeds } = study;
  if (Array.isArray(seeds) && new Set(seeds).size < seeds.length) {
    throw new ConfigError('study.seeds', seeds, 'every seed once');
  }
  if ('seed' in study.set || 'seed' in study.factors) {
    throw new ConfigError('study.set.seed', study.set.seed, 'no seed here: "seeds" has those of every cell');
  }
  return study;
}

/** JSON Schema of a study file, for editors. */
export const studyJsonSchema = (): unknown => z.toJSONSchema(studySchema, { io: 'input', unrepresentable: 'any' });

/** Seeds of every cell, in their order. */
export function seedsOf({ seeds }: Pick<Study, 'seeds'>): readonly number[] {
  return Array.isArray(seeds) ? seeds : Array.from({ length: seeds }, (_, s) => s + 1);
}
