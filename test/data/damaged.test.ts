import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
// @ts-expect-error: a script without types
import { attempt, samples } from '../../scripts/campaigns/fuzz/recordings.mjs';
import { FileError, UnsupportedError } from '../../src/core/errors.ts';
import { loadHdf5, openRecording } from '../../src/data/index.ts';
import { scratchFolder } from '../record/scratch.ts';

beforeAll(async () => {
  await loadHdf5();
});

// The whole of it: scripts/campaigns/fuzz.mjs.
it.each(Object.entries(samples))('damaged %s is refused by name, or read', (_, name) => {
  const source = join(import.meta.dirname, '../golden/recordings', String(name));
  const found = attempt({ openRecording, FileError, UnsupportedError }, source, scratchFolder(), 40, 1000);
  expect(found.unnamed).toEqual([]);
  expect(found.refused).toBeGreaterThan(5);
});
