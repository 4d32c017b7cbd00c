import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FileError } from '../../src/core/errors.ts';
import { writeCheckpoint } from '../../src/record/checkpointFile.ts';
import { readBytes } from '../../src/record/files.ts';
import { payloadOf, scratchFolder } from './scratch.ts';

const payloads = fc.uint8Array({ maxLength: 300 });

it('every payload comes back', () => {
  const path = join(scratchFolder(), 'checkpoint');
  fc.assert(
    fc.property(payloads, (payload) => {
      writeCheckpoint(path, [payload]);
      expect(payloadOf(path)).toEqual(payload);
    }),
  );
});

it('every flip of a byte is refused, at every place', () => {
  const path = join(scratchFolder(), 'checkpoint');
  writeCheckpoint(path, [Uint8Array.from({ length: 100 }, (_, i) => i)]);
  const bytes = readBytes(path);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 255 }), (flip) => {
      for (const [at, byte] of bytes.entries()) {
        writeFileSync(path, bytes.with(at, byte ^ flip));
        expect(() => payloadOf(path), `byte ${at}`).toThrow(FileError);
      }
    }),
    { numRuns: 20 },
  );
});

it('every truncation is refused', () => {
  const path = join(scratchFolder(), 'checkpoint');
  fc.assert(
    fc.property(payloads, (payload) => {
      writeCheckpoint(path, [payload]);
      const bytes = readBytes(path);
      for (let length = 0; length < bytes.length; length++) {
        writeFileSync(path, bytes.subarray(0, length));
        expect(() => payloadOf(path), `${length} bytes`).toThrow(FileError);
      }
    }),
    { numRuns: 10 },
  );
});
