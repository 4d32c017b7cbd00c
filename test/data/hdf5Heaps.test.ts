import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../src/core/errors.ts';
import { fileSource } from '../../src/data/disk.ts';
import { checkHeaps } from '../../src/data/hdf5Heaps.ts';
import { readHdf5 } from '../../src/nir/index.ts';
import { root } from '../cli/cli.ts';
import { scratchFolder } from '../record/scratch.ts';

const example = join(root, 'examples/norse-lifbox.nir');
const good = readFileSync(example);
/** Where its collection begins, and the fourteenth object of it. */
const heap = good.indexOf('GCOL');

/** Where an object of the collection stands, by its place. */
function objectAt(place: number): number {
  let at = heap + 16;
  for (let n = 1; n < place; n++) at += 16 + 8 * Math.ceil(Number(good.readBigUInt64LE(at + 8)) / 8);
  return at;
}

function changed(edit: (bytes: Buffer) => void): string {
  const path = join(scratchFolder(), 'changed.nir');
  const bytes = Buffer.from(good);
  edit(bytes);
  writeFileSync(path, bytes);
  return path;
}

describe('lists of variable length', () => {
  it.each([example, ...['shd-standin.h5', 'units.nwb'].map((name) => join(root, 'test/golden/recordings', name))])(
    'of a sound file are sound: %s',
    (path) => checkHeaps(fileSource(path)),
  );

  it.each<[string, (bytes: Buffer) => void, string]>([
    ['an object that has no size', (bytes) => bytes.fill(0, objectAt(12), objectAt(12) + 16), 'an object of 0 bytes'],
    [
      'an object that ends beyond its collection',
      (bytes) => bytes.writeUInt8(16, objectAt(5) + 9),
      'an object of 4102 bytes',
    ],
    [
      'an object whose size goes around',
      (bytes) => bytes.writeBigUInt64LE(2n ** 48n - 4096n, objectAt(15) + 8),
      'an object of 281474976706560 bytes',
    ],
  ])('%s is named, and not gone around in for ever', async (_, edit, named) => {
    const path = changed(edit);
    const refusal = await readHdf5(path).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(FileError);
    expect(String(refusal)).toContain(`${path}: its lists of variable length are damaged: ${named}`);
  });

  it('are found wherever pieces end, and nothing in what is no whole collection', () => {
    const path = join(scratchFolder(), 'long.bin');
    copyFileSync(example, path);
    const broken = Buffer.from(good.subarray(heap, heap + 4096));
    broken.fill(0, 16, 32);
    for (const before of [4 * 2 ** 20 - 3, 4 * 2 ** 20 - 16, 4 * 2 ** 20 + 5]) {
      writeFileSync(path, Buffer.concat([Buffer.alloc(before), broken]));
      expect(() => checkHeaps(fileSource(path))).toThrow(`at byte ${before + 16}`);
      writeFileSync(path, Buffer.concat([Buffer.alloc(before), broken.subarray(0, 4095)]));
      checkHeaps(fileSource(path));
    }
  });
});
