import { z } from 'zod';
import { ConfigError } from '../../src/core/errors.ts';
import { type RegisterName, rangeOf, registerNames, registers } from './registers.ts';

/** Values of all registers, and the two parameters of each pair of neurons (2p, 2p+1). */
export type ReckonConfig = Readonly<Record<RegisterName, number>> & {
  /** Membrane decays, u16 with 15 fractional bits, 0x7000 to 0x8FFF; 0x8000 is exactly 1. One per pair or one for all. */
  readonly ALPHA: readonly number[];
  /** Thresholds, s16. One per pair or one for all. */
  readonly THR: readonly number[];
};

/** What a caller may leave out: registers that the chip itself resets. */
export type ReckonSettings = { readonly [name in RegisterName]?: number } & Pick<ReckonConfig, 'ALPHA' | 'THR'>;

export const pairs = 128;

const scalar = (name: RegisterName) => {
  const { reset, about } = registers[name];
  const [lowest, highest] = rangeOf(registers[name]);
  const value = z.number().int().min(lowest).max(highest).describe(about);
  return reset === null ? value : value.default(reset);
};

const perPair = (lowest: number, highest: number) =>
  z.array(z.number().int().min(lowest).max(highest)).min(1).max(pairs);

/** All parameters of a ReckOn network. Registers without a reset value have to be given. */
export const reckonSchema = z.strictObject({
  ...Object.fromEntries(registerNames.map((name) => [name, scalar(name)])),
  ALPHA: perPair(0x7000, 0x8fff).describe('decays of the pairs, u16, 15 fractional bits; the first for pairs beyond'),
  THR: perPair(-32768, 32767).describe('thresholds of the pairs, s16; the first for pairs beyond'),
});

/** Checks a configuration and fills in reset values. @throws ConfigError with register, value and range */
export function parseReckon(input: unknown): ReckonConfig {
  const result = reckonSchema.safeParse(input);
  if (!result.success) throw explain(result.error.issues[0], input);
  const config = result.data as unknown as ReckonConfig;
  checkCounts(config);
  checkSeeds(config);
  return config;
}

function explain(issue: z.core.$ZodIssue, input: unknown): ConfigError {
  if (issue.code === 'unrecognized_keys') {
    return new ConfigError(issue.keys[0], (input as Record<string, unknown>)[issue.keys[0]], 'no such register');
  }
  const [key, index] = issue.path;
  if (key === undefined) return new ConfigError('configuration', input, 'an object of registers');
  const given = (input as Record<PropertyKey, unknown>)[key];
  if (index !== undefined) {
    return new ConfigError(
      `${String(key)}.${String(index)}`,
      (given as Record<PropertyKey, unknown>)[index],
      range(String(key)),
    );
  }
  return new ConfigError(String(key), given, range(String(key)));
}

function range(key: string): string {
  if (key === 'ALPHA') return `1 to ${pairs} whole numbers from 0x7000 to 0x8FFF (28672 to 36863)`;
  if (key === 'THR') return `1 to ${pairs} whole numbers from -32768 to 32767`;
  const register = registers[key as RegisterName];
  const [lowest, highest] = rangeOf(register);
  return `a whole number from ${lowest} to ${highest} (${register.bits} bit)`;
}

/** The chip scans pairs: with an odd count its last neuron is never stepped. */
function checkCounts(config: ReckonConfig): void {
  const { nRec, scan } = sizesOf(config);
  if (nRec % 2 === 1) {
    throw new ConfigError(
      'SPI_NUM_REC_NEUR',
      config.SPI_NUM_REC_NEUR,
      'an odd value: the number of neurons, one more, must be even',
    );
  }
  if (scan % 2 === 1) {
    throw new ConfigError(
      'SPI_NUM_INP_NEUR',
      config.SPI_NUM_INP_NEUR,
      'an even number of inputs where they outnumber the neurons (value odd)',
    );
  }
}

/** A shift register of zeros stays at zero. */
function checkSeeds(config: ReckonConfig): void {
  for (const name of registerNames.filter((other) => other.startsWith('SPI_SEED'))) {
    const value = config[name];
    const locked = registers[name].bits === 30 ? (value & 0x7fff) === 0 || value >>> 15 === 0 : value === 0;
    if (locked) throw new ConfigError(name, value, 'no zero in a generator (of the pair: low 15 bits, high 15 bits)');
  }
}

/** What a network has on the chip. */
export interface ReckonSizes {
  /** Inputs, 1 to 256. */
  readonly nIn: number;
  /** Recurrent neurons, 1 to 256. */
  readonly nRec: number;
  /** Outputs, 1 to 16. */
  readonly nOut: number;
  /** Presynaptic indices that are visited: max(nIn, nRec). */
  readonly rows: number;
  /** Neurons that are stepped: max(nIn, nRec, nOut). */
  readonly scan: number;
  /** Words of sixteen postsynaptic neurons. */
  readonly groups: number;
}

export function sizesOf(
  config: Pick<ReckonConfig, 'SPI_NUM_INP_NEUR' | 'SPI_NUM_REC_NEUR' | 'SPI_NUM_OUT_NEUR'>,
): ReckonSizes {
  const nIn = config.SPI_NUM_INP_NEUR + 1;
  const nRec = config.SPI_NUM_REC_NEUR + 1;
  const nOut = config.SPI_NUM_OUT_NEUR + 1;
  const rows = Math.max(nIn, nRec);
  return { nIn, nRec, nOut, rows, scan: Math.max(rows, nOut), groups: Math.ceil(nRec / 16) };
}

/** A parameter of a pair, where a short list stands for "the first for all others". */
export function ofPair(values: readonly number[], pair: number): number {
  return values[pair < values.length ? pair : 0];
}
