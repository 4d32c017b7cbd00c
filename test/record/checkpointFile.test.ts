import { Buffer } from 'node:buffer';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../src/core/errors.ts';
import { readCheckpoint, writeCheckpoint } from '../../src/record/checkpointFile.ts';
import { readBytes } from '../../src/record/files.ts';
import { payloadOf, scratchFolder } from './scratch.ts';

/** printf abc | sha256sum */
const HASH_OF_ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

describe('the container', () => {
  it('is laid out as documented', () => {
    const path = join(scratchFolder(), 'checkpoint');
    writeCheckpoint(path, [Buffer.from('a'), Buffer.from('bc')]);
    const header = `${Buffer.from('SPKTRACE').toString('hex')}01000000${'0300000000000000'}${HASH_OF_ABC}`;
    expect(Buffer.from(readBytes(path)).toString('hex')).toBe(`${header}616263`);
  });

  it('gives the payload piece by piece, and of one file whoever replaces it meanwhile', () => {
    const path = join(scratchFolder(), 'checkpoint');
    const numbers = Float64Array.of(Math.PI, -0, Number.NaN, 5e-324);
    writeCheckpoint(path, [new Uint8Array(numbers.buffer)]);
    readCheckpoint(path, (payload) => {
      expect(payload.size).toBe(32);
      writeCheckpoint(path, [new Uint8Array(32)]);
      expect(new Float64Array(payload.read(8, 24).buffer)).toEqual(numbers.subarray(1));
      expect(() => payload.read(8, 25)).toThrow(`${path}: truncated: got 32 bytes, expected 33`);
    });
    expect(payloadOf(path)).toEqual(new Uint8Array(32));
  });

  it('survives what a killed process left aside', () => {
    const folder = scratchFolder();
    const path = join(folder, 'checkpoint');
    writeCheckpoint(path, [Uint8Array.of(1)]);
    writeFileSync(`${path}.tmp`, 'SPKTRACE and half a header');
    expect(payloadOf(path)).toEqual(Uint8Array.of(1));
    writeCheckpoint(path, [Uint8Array.of(2)]);
    expect(payloadOf(path)).toEqual(Uint8Array.of(2));
    expect(readdirSync(folder)).toEqual(['checkpoint']);
  });
});

describe('refusals', () => {
  const good = () => {
    const path = join(scratchFolder(), 'checkpoint');
    writeCheckpoint(path, [new Uint8Array(100).fill(9)]);
    return { path, bytes: readBytes(path) };
  };
  const changed = (at: number, value: number) => (bytes: Uint8Array) => bytes.with(at, value);
  const refusals: readonly [string, (bytes: Uint8Array) => Uint8Array, string][] = [
    ['another format', () => Buffer.from('PK\x03\x04'.repeat(50)), 'is not a checkpoint of spiketrace'],
    ['a short file of another format', () => Buffer.from('{}'), 'is not a checkpoint of spiketrace'],
    ['another version', changed(8, 7), 'got checkpoint version 7, expected 1'],
    ['an empty file', () => new Uint8Array(0), 'truncated checkpoint: got 0 bytes, expected at least 52'],
    ['half a header', (bytes) => bytes.subarray(0, 30), 'truncated checkpoint: got 30 bytes, expected at least 52'],
    ['a missing end', (bytes) => bytes.subarray(0, 151), 'truncated checkpoint: got 151 bytes, expected 152'],
    ['a byte too many', (bytes) => Buffer.concat([bytes, bytes.subarray(0, 1)]), 'damaged checkpoint: got 153 bytes'],
    ['a changed payload', changed(90, 8), 'damaged checkpoint: its bytes do not match their checksum'],
    ['a changed checksum', changed(20, 0), 'damaged checkpoint: its bytes do not match their checksum'],
  ];

  it.each(refusals)('%s', (_, change, problem) => {
    const { path, bytes } = good();
    writeFileSync(path, change(bytes));
    const read = () => payloadOf(path);
    expect(read).toThrow(FileError);
    expect(read).toThrow(`${path}: ${problem}`);
  });

  it('a missing file and a folder', () => {
    const folder = scratchFolder();
    expect(() => payloadOf(join(folder, 'none'))).toThrow(new FileError(join(folder, 'none'), 'does not exist'));
    expect(() => payloadOf(folder)).toThrow('is a folder, expected a file');
  });
});
