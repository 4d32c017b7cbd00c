import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { first, fromHash, type Setup, toHash } from '../../web/page/address.ts';
import { packed, unpacked } from '../../web/page/packed.ts';

describe('the address of a page', () => {
  it('says what was chosen, files by name and SHA-256, and the text of a plug-in', () => {
    const setup: Setup = {
      ...first,
      experiment: { name: 'own', task: { kind: 'recording', file: 'a b:c.csv' } },
      seed: 3,
      settings: ['training.total=32', 'task.units=4'],
      files: [
        { name: 'a b:c.csv', sha256: 'a'.repeat(64) },
        { name: 'ü.npy', sha256: null },
      ],
      plugin: 'export default { rules: [] }; // ü & = #',
    };
    expect(fromHash(toHash(setup))).toEqual(setup);
    expect(fromHash('')).toEqual(first);
  });

  it('has room for a plug-in of some length, and says so of a longer one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 500 }), (text) => unpacked(packed(text) ?? '') === text),
    );
    const long = Array.from({ length: 5000 }, (_, n) => (n * 7919) % 104_729).join();
    expect(packed(long)).toBeNull();
    expect(toHash({ ...first, plugin: long })).toBe(toHash(first));
    expect(() => fromHash(`#plugin=${'A'.repeat(8001)}`)).toThrow('plugin: got 8001 characters, expected at most 8000');
    for (const letters of ['%', 'AAAA', '_____w'])
      expect(() => fromHash(`#plugin=${letters}`)).toThrow(/plugin: cannot be unpacked/);
  });
});
