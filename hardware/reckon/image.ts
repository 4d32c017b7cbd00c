import { z } from 'zod';
import { ConfigError, FileError } from '../../src/core/errors.ts';
import { pairs, parseReckon, type ReckonConfig, type ReckonSizes, sizesOf } from './config.ts';
import { createReckon, type Reckon, type ReckonOptions } from './reckon.ts';
import { type RegisterName, registerNames } from './registers.ts';
import { currentSeeds } from './seeds.ts';
import { lanes, side } from './state.ts';

/**
 * What is written into a chip before it runs: its registers and the words of its memories. In JSON:
 *
 *   format, version   "reckon-image", 1
 *   registers         SPI_* name to value, signed where the register is
 *   alphaConf         SPI_ALPHA_CONF, 32 hex digits, bit p for the pair 2p, 2p+1
 *   neuron            128 words: [127:116] low bits of alpha, [115:100] threshold, then tOut, tRec, tInp, u of neuron
 *                     2p+1 from bit 99 down, and those of neuron 2p from bit 49 down
 *   input             16 words for each input i: word 16 i + g has the weights to neurons 16 g to 16 g + 15, lowest byte first
 *   recurrent         16 words for each neuron, the same
 *   output            one word for each neuron: its weights to the 16 outputs, lowest byte first
 *   crc32             of all that, as `checksum` computes it, 8 hex digits
 *
 * A word is 128 bits, 32 hex digits, highest first. Words beyond these are not written; bytes of neurons and outputs that
 * the network does not have are not read.
 */
export interface ReckonImage {
  readonly format: 'reckon-image';
  readonly version: 1;
  readonly registers: Readonly<Record<RegisterName, number>>;
  readonly alphaConf: string;
  readonly neuron: readonly string[];
  readonly input: readonly string[];
  readonly recurrent: readonly string[];
  readonly output: readonly string[];
  readonly crc32: string;
}

type ImageBody = Omit<ReckonImage, 'crc32'>;

const word = z.string().regex(/^[0-9a-f]{32}$/);
const words = z.array(word);
const schema = z.strictObject({
  format: z.literal('reckon-image'),
  version: z.literal(1),
  registers: z.record(z.string(), z.unknown()),
  alphaConf: word,
  neuron: words,
  input: words,
  recurrent: words,
  output: words,
  crc32: z.string().regex(/^[0-9a-f]{8}$/),
});

/**
 * The chip as it stands between two samples: weights, and with the chip's own generators seeds that go on where they are.
 * A network loaded from it makes the same spikes and the same updates.
 */
export function exportImage(chip: Reckon): ReckonImage {
  const { config, state, sizes } = chip;
  const seeds = chip.randomness.kind === 'exact' ? currentSeeds(chip) : {};
  const registers = Object.fromEntries(registerNames.map((name) => [name, { ...config, ...seeds }[name]]));
  return sealImage({
    format: 'reckon-image',
    version: 1,
    registers: registers as ReckonImage['registers'],
    alphaConf: hex(sizes.alpha.reduce((bits, alpha, p) => bits | (BigInt(alpha >> 15) << BigInt(p)), 0n)),
    neuron: Array.from({ length: pairs }, (_, p) => hex(neuronWord(chip, p))),
    input: weightWords(state.wInp, sizes.nIn * side),
    recurrent: weightWords(state.wRec, sizes.nRec * side),
    output: weightWords(state.wOut, sizes.nRec * lanes),
  });
}

/** Adds the checksum. */
export function sealImage(body: ImageBody): ReckonImage {
  return { ...body, crc32: checksum(body) };
}

/** Text of an image file. */
export function writeImage(image: ReckonImage): string {
  return `${JSON.stringify(image, null, 1)}\n`;
}

/**
 * Reads an image file.
 * @param path for messages
 * @throws FileError naming file, field and value
 */
export function readImage(text: string, path: string): ReckonImage {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new FileError(path, 'is not JSON');
  }
  const result = schema.safeParse(content);
  if (!result.success) throw new FileError(path, explain(result.error.issues[0], content));
  const image = result.data as unknown as ReckonImage;
  checkContent(image, path);
  return image;
}

/**
 * A chip with a network loaded from an image.
 * @throws FileError for an image whose parts do not fit together
 */
export function loadReckon(image: ReckonImage, options: ReckonOptions = {}, path = 'image'): Reckon {
  const { nIn, nRec, nOut, scan } = checkContent(image, path);
  const chip = createReckon(
    configOf(image),
    {
      inp: readBytes(image.input, nIn, side, nRec),
      rec: readBytes(image.recurrent, nRec, side, nRec),
      out: readBytes(image.output, nRec, lanes, nOut),
    },
    options,
  );
  const last = fieldsOf(image.neuron[scan / 2 - 1]);
  chip.state.left.set(last);
  return chip;
}

/** The configuration that an image holds: registers, and decay and threshold of each pair. */
export function configOf(image: ReckonImage): ReckonConfig {
  const conf = BigInt(`0x${image.alphaConf}`);
  const high = (p: number) => ((conf >> BigInt(p)) & 1n ? 0x8000 : 0x7000);
  const values = image.neuron.map((text) => BigInt(`0x${text}`));
  return {
    ...image.registers,
    ALPHA: values.map((value, p) => high(p) + Number(value >> 116n)),
    THR: values.map((value) => Number(BigInt.asIntN(16, value >> 100n))),
  };
}

function checkContent(image: ReckonImage, path: string): ReckonSizes {
  let sizes: ReckonSizes;
  if (image.neuron.length !== pairs) throw lengthError(path, 'neuron', image.neuron, pairs);
  const stray = Object.keys(image.registers).find((name) => !(registerNames as string[]).includes(name));
  if (stray !== undefined) throw new FileError(path, `registers.${stray}: no such register`);
  const absent = registerNames.find((name) => image.registers[name] === undefined);
  if (absent !== undefined) throw new FileError(path, `registers.${absent} is missing`);
  try {
    sizes = sizesOf(parseReckon(configOf(image)));
  } catch (error) {
    if (error instanceof ConfigError) throw new FileError(path, `registers.${error.message}`);
    throw error;
  }
  const lengths = { input: lanes * sizes.nIn, recurrent: lanes * sizes.nRec, output: sizes.nRec };
  for (const name of ['input', 'recurrent', 'output'] as const) {
    if (image[name].length !== lengths[name]) throw lengthError(path, name, image[name], lengths[name]);
  }
  const { crc32, ...body } = image;
  const sum = checksum(body);
  if (sum !== crc32) throw new FileError(path, `crc32: got ${crc32}, but the content has ${sum}`);
  return sizes;
}

function lengthError(path: string, name: string, list: readonly string[], expected: number): FileError {
  return new FileError(path, `${name}: got ${list.length} words, expected ${expected}`);
}

function explain(issue: z.core.$ZodIssue, content: unknown): string {
  if (issue.code === 'unrecognized_keys') return `no key "${issue.keys[0]}" here`;
  let value = content;
  for (const key of issue.path) value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
  const place = issue.path.map(String).join('.') || 'content';
  const expected = issue.code === 'invalid_value' ? JSON.stringify(issue.values[0]) : expectedAt(place);
  return `${place}: got ${JSON.stringify(value) ?? 'nothing'}, expected ${expected}`;
}

function expectedAt(place: string): string {
  if (place === 'content' || place === 'registers') return 'an object';
  if (place === 'crc32') return '8 hex digits, lower case';
  return place === 'alphaConf' || place.includes('.') ? '32 hex digits, lower case' : 'a list of words';
}

function hex(value: bigint): string {
  return value.toString(16).padStart(32, '0');
}

/** Parameters of a pair; its state is clean between samples, but for what the last pair of the scan was left with. */
function neuronWord({ sizes, state }: Reckon, p: number): bigint {
  const low = BigInt(sizes.alpha[p] & 0xfff);
  const parameters = (low << 116n) | (BigInt.asUintN(16, BigInt(sizes.threshold[p])) << 100n);
  if (p !== sizes.scan / 2 - 1) return parameters;
  const half = (n: number) => {
    const [u, tInp, tRec, tOut] = [...state.left.subarray(4 * n, 4 * n + 4)].map(BigInt);
    return (tOut << 40n) | (tRec << 28n) | (tInp << 16n) | BigInt.asUintN(16, u);
  };
  return parameters | (half(1) << 50n) | half(0);
}

/** State of a pair's word: u, tInp, tRec, tOut of its even and odd neuron. */
function fieldsOf(text: string): number[] {
  const value = BigInt(`0x${text}`);
  return [0n, 50n].flatMap((at) => {
    const field = (from: bigint, bits: number) => Number(BigInt.asUintN(bits, value >> (at + from)));
    return [Number(BigInt.asIntN(16, value >> at)), field(16n, 12), field(28n, 12), field(40n, 10)];
  });
}

function weightWords(memory: Int8Array, count: number): string[] {
  return Array.from({ length: count / lanes }, (_, w) =>
    [...memory.subarray(w * lanes, (w + 1) * lanes)]
      .reverse()
      .map((weight) => (weight & 0xff).toString(16).padStart(2, '0'))
      .join(''),
  );
}

/** Weights [rows][columns] from words of rows that are `width` bytes long. */
function readBytes(list: readonly string[], rows: number, width: number, columns: number): Int8Array {
  const weights = new Int8Array(rows * columns);
  for (let s = 0; s < weights.length; s++) {
    const byte = Math.floor(s / columns) * width + (s % columns);
    const from = 2 * (lanes - 1 - (byte % lanes));
    weights[s] = Number.parseInt(list[Math.floor(byte / lanes)].slice(from, from + 2), 16);
  }
  return weights;
}

/** CRC-32 (polynomial 0xEDB88320) of the image's JSON without the checksum, keys in their order here, registers by address. */
export function checksum({
  format,
  version,
  registers,
  alphaConf,
  neuron,
  input,
  recurrent,
  output,
}: ImageBody): string {
  const values = registerNames.map((name) => registers[name]);
  const text = JSON.stringify([format, version, values, alphaConf, neuron, input, recurrent, output]);
  let crc = -1;
  for (let c = 0; c < text.length; c++) {
    crc ^= text.charCodeAt(c);
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (~crc >>> 0).toString(16).padStart(8, '0');
}
