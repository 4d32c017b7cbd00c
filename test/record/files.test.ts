import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../src/core/errors.ts';
import { ensureWritableFolder, readBytes, writeAtomic } from '../../src/record/files.ts';
import { scratchFolder } from './scratch.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);

describe('writeAtomic', () => {
  it('writes, replaces, and leaves nothing aside', () => {
    const folder = scratchFolder();
    const path = join(folder, 'a');
    writeAtomic(path, bytes(1, 2, 3));
    expect(readBytes(path)).toEqual(bytes(1, 2, 3));
    writeAtomic(path, [bytes(4), bytes(), bytes(5, 6)]);
    expect(readBytes(path)).toEqual(bytes(4, 5, 6));
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('overwrites what a killed process left aside, however long it is', () => {
    const folder = scratchFolder();
    const path = join(folder, 'a');
    writeFileSync(`${path}.tmp`, new Uint8Array(1000));
    writeAtomic(path, bytes(7));
    expect(readBytes(path)).toEqual(bytes(7));
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('keeps the old bytes when the source of the new ones fails', () => {
    const folder = scratchFolder();
    const path = join(folder, 'a');
    writeAtomic(path, bytes(1));
    function* failing() {
      yield bytes(2);
      throw new RangeError('no more');
    }
    expect(() => writeAtomic(path, failing())).toThrow(RangeError);
    expect(readBytes(path)).toEqual(bytes(1));
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('names the path and the problem', () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'file'), 'x');
    mkdirSync(join(folder, 'sub'));
    const write = (path: string) => () => writeAtomic(join(folder, path), bytes(1));
    expect(write('none/a')).toThrow(
      new FileError(join(folder, 'none/a'), 'cannot be written, its folder does not exist'),
    );
    expect(write('sub')).toThrow(new FileError(join(folder, 'sub'), 'is a folder, expected a file'));
    expect(write('file/a')).toThrow('a part of this path is a file');
    expect(write('n'.repeat(300))).toThrow('name is too long');
    expect(readdirSync(folder).sort()).toEqual(['file', 'sub']);
  });
});

describe('readBytes', () => {
  it('names the path and the problem', () => {
    const folder = scratchFolder();
    expect(() => readBytes(join(folder, 'a'))).toThrow(new FileError(join(folder, 'a'), 'does not exist'));
    expect(() => readBytes(folder)).toThrow(new FileError(folder, 'is a folder, expected a file'));
  });
});

describe('ensureWritableFolder', () => {
  it('makes the folder with its parents and leaves it empty', () => {
    const path = join(scratchFolder(), 'a/b/c');
    ensureWritableFolder(path);
    ensureWritableFolder(path);
    expect(readdirSync(path)).toEqual([]);
  });

  it('touches nothing that is there', () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'kept'), 'x');
    ensureWritableFolder(folder);
    expect(readFileSync(join(folder, 'kept'), 'utf8')).toBe('x');
    expect(readdirSync(folder)).toEqual(['kept']);
  });

  it('leaves nothing behind where it fails half way', () => {
    const folder = scratchFolder();
    const path = join(folder, 'a/b', 'n'.repeat(300));
    expect(() => ensureWritableFolder(path)).toThrow(FileError);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('names a file that is in the way', () => {
    const folder = scratchFolder();
    const file = join(folder, 'file');
    writeFileSync(file, 'x');
    expect(() => ensureWritableFolder(file)).toThrow(new FileError(file, 'is a file, expected a folder'));
    expect(() => ensureWritableFolder(join(file, 'a'))).toThrow('a part of this path is a file');
  });

  it.skipIf(process.getuid?.() === 0 || process.platform === 'win32')('refuses a folder without permission', () => {
    const folder = join(scratchFolder(), 'locked');
    mkdirSync(folder, { mode: 0o555 });
    expect(() => ensureWritableFolder(join(folder, 'a'))).toThrow('no permission to write it');
  });

  it.skipIf(!existsSync('/proc/self'))('refuses a folder where no file can be made', () => {
    expect(() => ensureWritableFolder('/proc/self')).toThrow(/^\/proc\/self: /);
  });
});
