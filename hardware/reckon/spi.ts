import { FileError } from '../../src/core/errors.ts';
import { pairs } from './config.ts';
import { type ReckonImage, readImage, sealImage, writeImage } from './image.ts';
import { alphaConfAddress, type RegisterName, rangeOf, registerNames, registers } from './registers.ts';

/** Codes of the address word, bits 30:28. */
const codes = { register: 0, neuron: 1, input: 3, recurrent: 4, output: 5 } as const;
type Memory = Exclude<keyof typeof codes, 'register'>;
const memories: readonly Memory[] = ['neuron', 'input', 'recurrent', 'output'];

/** Most data words behind one address word (12 bits for their number). */
const burst = 4092;

/**
 * The image as 32-bit words for the chip's SPI bus, transaction by transaction: an address word
 * {write 0, code [30:28], number of data words [27:16], start address [15:0]}, then data words, each sent highest bit
 * first. A 128-bit memory word takes four of them, the lowest 32 bits first. Access is opened first (SPI_EN_CONF 1), and
 * SPI_EN_CONF comes last with its value in the image.
 */
export function spiStream(image: ReckonImage): Uint32Array {
  const stream: number[] = [0x00010000, 1];
  const names = registerNames.filter((name) => name !== 'SPI_EN_CONF');
  for (const name of names) stream.push(addressWord('register', 1, registers[name].address), bitsOf(image, name));
  stream.push(addressWord('register', 4, alphaConfAddress), ...chunks(image.alphaConf));
  for (const memory of memories) writeMemory(stream, memory, image[memory]);
  stream.push(addressWord('register', 1, registers.SPI_EN_CONF.address), bitsOf(image, 'SPI_EN_CONF'));
  return Uint32Array.from(stream);
}

function writeMemory(stream: number[], memory: Memory, words: readonly string[]): void {
  const data = words.flatMap(chunks);
  for (let from = 0; from < data.length; from += burst) {
    const part = data.slice(from, from + burst);
    stream.push(addressWord(memory, part.length, from), ...part);
  }
}

function addressWord(target: keyof typeof codes, count: number, start: number): number {
  return (codes[target] << 28) | (count << 16) | start;
}

function bitsOf(image: ReckonImage, name: RegisterName): number {
  return (image.registers[name] & (2 ** registers[name].bits - 1)) >>> 0;
}

function chunks(word: string): number[] {
  return [24, 16, 8, 0].map((from) => Number.parseInt(word.slice(from, from + 8), 16));
}

interface Written {
  readonly registers: Map<number, number>;
  readonly memories: Readonly<Record<Memory, Map<number, number>>>;
}

/**
 * The image that a stream of SPI writes leaves in the chip.
 * @throws FileError for a stream that ends within a transaction, reads, or writes where the chip has nothing
 */
export function imageOfStream(stream: Uint32Array, path = 'SPI stream'): ReckonImage {
  const written = replay(stream, path);
  const values = registerNames.map((name) => [name, registerValue(name, written.registers, path)]);
  const alpha = [0, 1, 2, 3].map((n) => written.registers.get(alphaConfAddress + n) ?? 0);
  const image = sealImage({
    format: 'reckon-image',
    version: 1,
    registers: Object.fromEntries(values) as ReckonImage['registers'],
    alphaConf: joined(alpha),
    neuron: wordsOf(written.memories.neuron, pairs),
    input: wordsOf(written.memories.input, 16 * countOf(written, 'SPI_NUM_INP_NEUR', path)),
    recurrent: wordsOf(written.memories.recurrent, 16 * countOf(written, 'SPI_NUM_REC_NEUR', path)),
    output: wordsOf(written.memories.output, countOf(written, 'SPI_NUM_REC_NEUR', path)),
  });
  return readImage(writeImage(image), path);
}

function countOf({ registers: values }: Written, name: RegisterName, path: string): number {
  return registerValue(name, values, path) + 1;
}

function replay(stream: Uint32Array, path: string): Written {
  const written: Written = {
    registers: new Map(),
    memories: { neuron: new Map(), input: new Map(), recurrent: new Map(), output: new Map() },
  };
  for (let at = 0; at < stream.length; ) {
    const head = stream[at];
    const place = `word ${at}`;
    const count = (head >>> 16) & 0xfff;
    const code = (head >>> 28) & 7;
    if (head >>> 31) throw new FileError(path, `${place}: a read`);
    if (count === 0 || at + count >= stream.length) {
      throw new FileError(path, `${place}: ${count} data words announced, ${stream.length - at - 1} follow`);
    }
    const memory = memories.find((name) => codes[name] === code);
    if (code !== codes.register && !memory) throw new FileError(path, `${place}: code ${code} is not read here`);
    const target = memory ? written.memories[memory] : written.registers;
    for (let s = 0; s < count; s++) target.set((head & 0xffff) + s, stream[at + 1 + s]);
    at += count + 1;
  }
  return written;
}

function registerValue(name: RegisterName, values: ReadonlyMap<number, number>, path: string): number {
  const register = registers[name];
  const raw = values.get(register.address) ?? register.reset;
  if (raw === null) throw new FileError(path, `${name} (address ${register.address}) is never written`);
  const [lowest, highest] = rangeOf(register);
  // Bits beyond the register's are cut off, as in the chip.
  const cut = register.bits === 32 ? raw : raw & (2 ** register.bits - 1);
  return cut > highest ? cut + 2 * lowest : cut;
}

function wordsOf(chunksAt: ReadonlyMap<number, number>, count: number): string[] {
  return Array.from({ length: count }, (_, w) => joined([0, 1, 2, 3].map((n) => chunksAt.get(4 * w + n) ?? 0)));
}

function joined(parts: readonly number[]): string {
  return [...parts]
    .reverse()
    .map((part) => part.toString(16).padStart(8, '0'))
    .join('');
}
