import { describe, expect, it } from 'vitest';
import {
  createReckon,
  exportImage,
  imageOfStream,
  loadReckon,
  type ReckonImage,
  readImage,
  spiStream,
  writeImage,
} from '../../hardware/index.ts';
import { sealImage } from '../../hardware/reckon/image.ts';
import { FileError } from '../../src/core/errors.ts';
import { chipOf, chipOfCase, golden, runCase } from './network.ts';

describe.each(golden.cases.map(({ name }, index) => ({ name, index })))('image of $name', ({ index }) => {
  it('comes back from its file with the same spikes and weights', () => {
    const chip = chipOfCase(index);
    const again = loadReckon(readImage(writeImage(exportImage(chip)), 'a.json'));
    const spikes = runCase(chip, index);
    expect(spikes.join('')).toContain('1');
    expect(runCase(again, index)).toEqual(spikes);
    expect(again.weights()).toEqual(chip.weights());
    expect(again.generatorWords()).toEqual(chip.generatorWords());
  });

  it('taken after samples goes on where the chip was', () => {
    const chip = chipOfCase(index);
    runCase(chip, index);
    const again = loadReckon(exportImage(chip));
    expect(again.generatorWords()).toEqual(chip.generatorWords());
    expect(again.state.left).toEqual(chip.state.left);
    expect(runCase(again, index)).toEqual(runCase(chip, index));
    expect(exportImage(again)).toEqual(exportImage(chip));
  });

  it('comes back from a stream of SPI writes', () => {
    const image = exportImage(chipOfCase(index));
    expect(imageOfStream(spiStream(image))).toEqual(image);
  });
});

it('lays words out as the memories of the chip have them', () => {
  const config = { ...chipOf({}).config, ALPHA: [0x7fef, 0x8001], THR: [614, -2] };
  const weights = { inp: new Int8Array(16), rec: new Int8Array(16), out: new Int8Array(8) };
  weights.inp.set([-1, 2], 4);
  weights.out.set([3, -128], 2);
  const image = exportImage(createReckon(config, weights));
  expect(image.neuron[0]).toBe('fef02660000000000000000000000000');
  expect(image.neuron[1]).toBe('001fffe0000000000000000000000000');
  expect(image.alphaConf).toBe('00000000000000000000000000000002');
  expect(image.input[16]).toBe('000000000000000000000000000002ff');
  expect(image.output[1]).toBe('00000000000000000000000000008003');
  const stream = [...spiStream(image)].map((word) => word.toString(16));
  expect(stream.slice(0, 2)).toEqual(['10000', '1']);
  // 69, one word: SPI_KAPPA; then four words of SPI_ALPHA_CONF; 512 words of neuron memory from address 0.
  expect(stream.join()).toContain('10045,80');
  expect(stream.join()).toContain('40041,2,0,0,0');
  expect(stream.join()).toContain('12000000,0,0,0,fef02660,0,0,0,1fffe0');
  expect(stream.at(-1)).toBe('1');
});

describe('a damaged image is refused', () => {
  const whole = () => structuredClone(exportImage(chipOfCase(1))) as unknown as Broken;
  type Broken = { -readonly [K in keyof ReckonImage]: ReckonImage[K] } & {
    registers: Record<string, unknown>;
    neuron: string[];
    input: string[];
    [key: string]: unknown;
  };
  const sealed = (image: Broken) => sealImage(image) as unknown as Broken;

  it.each<[string, (image: Broken) => unknown, RegExp]>([
    ['text that is not JSON', () => '{', /^net\.json: is not JSON$/],
    ['null', () => null, /^net\.json: content: got null, expected an object$/],
    ['another format', (i) => ({ ...i, format: 'x' }), /^net\.json: format: got "x", expected "reckon-image"$/],
    ['another version', (i) => ({ ...i, version: 2 }), /^net\.json: version: got 2, expected 1$/],
    ['an unknown key', (i) => ({ ...i, extra: 1 }), /^net\.json: no key "extra" here$/],
    ['no memory', ({ input: _, ...i }) => i, /^net\.json: input: got nothing, expected a list of words$/],
    [
      'a memory too short',
      (i) => ({ ...i, input: i.input.slice(1) }),
      /^net\.json: input: got 127 words, expected 128$/,
    ],
    [
      'a memory too long',
      (i) => ({ ...i, neuron: [...i.neuron, i.neuron[0]] }),
      /neuron: got 129 words, expected 128$/,
    ],
    [
      'a long word',
      (i) => ({ ...i, input: [`0${i.input[0]}`, ...i.input.slice(1)] }),
      /input\.0: got "0.*expected 32 hex digits/,
    ],
    [
      'a word of other letters',
      (i) => ({ ...i, neuron: ['g'.repeat(32), ...i.neuron.slice(1)] }),
      /neuron\.0: got "g+", expected 32 hex/,
    ],
    [
      'a register beyond its bits',
      (i) => ({ ...i, registers: { ...i.registers, SPI_KAPPA: 256 } }),
      /^net\.json: registers\.SPI_KAPPA: got 256, expected a whole number from 0 to 255 \(8 bit\)$/,
    ],
    [
      'an unknown register',
      (i) => ({ ...i, registers: { ...i.registers, SPI_X: 1 } }),
      /registers\.SPI_X: no such register$/,
    ],
    [
      'a missing register',
      (i) => ({ ...i, registers: { ...i.registers, SPI_H_3: undefined } }),
      /registers\.SPI_H_3 is missing$/,
    ],
    [
      'a changed weight',
      (i) => ({ ...i, input: [i.input[0].replace(/^../, '7f'), ...i.input.slice(1)] }),
      /crc32: got [0-9a-f]{8}, but the content has [0-9a-f]{8}$/,
    ],
    ['a changed checksum', (i) => ({ ...i, crc32: '00000000' }), /crc32: got 00000000, but/],
    [
      'a locked generator',
      (i) => sealed({ ...i, registers: { ...i.registers, SPI_SEED_OUT: 0 } } as Broken),
      /registers\.SPI_SEED_OUT: got 0, expected no zero/,
    ],
  ])('%s', (_, damage, message) => {
    const damaged = damage(whole());
    const text = typeof damaged === 'string' ? damaged : JSON.stringify(damaged);
    expect(() => readImage(text, 'net.json')).toThrow(FileError);
    expect(() => readImage(text, 'net.json')).toThrow(message);
  });

  it('and one that was changed in memory', () => {
    expect(() => loadReckon({ ...exportImage(chipOfCase(0)), output: [] })).toThrow(
      /image: output: got 0 words, expected 16/,
    );
  });
});

describe('a stream of SPI writes is refused', () => {
  const stream = () => [...spiStream(exportImage(chipOfCase(0)))];

  it.each<[string, (words: number[]) => number[], RegExp]>([
    ['cut off', (w) => w.slice(0, -1), /s\.bin: word \d+: 1 data words announced, 0 follow/],
    ['that reads', (w) => [0x80010000, ...w], /word 0: a read/],
    ['with a code that is not there', (w) => [0x70010000, 0, ...w], /word 0: code 7/],
    ['without its registers', () => [0x00010000, 1], /SPI_THR_H_0 \(address 70\) is never written/],
  ])('%s', (_, damage, message) => {
    expect(() => imageOfStream(Uint32Array.from(damage(stream())), 's.bin')).toThrow(message);
  });
});
