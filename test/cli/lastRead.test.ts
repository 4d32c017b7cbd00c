import { expect, it } from 'vitest';
import { lastRead } from '../../src/cli/verify/lastRead.ts';

interface File {
  readonly layers: readonly { readonly w: readonly number[][] }[];
}

const sum = (file: unknown) => (file as File).layers.flatMap(({ w }) => w.flatMap((row) => row.map((x) => 2 * x)));

it.each([
  [{ layers: [{ w: [[1]] }, { w: [[1], 3] }] }, 'layers.1.w.1 is 3: something else is expected there'],
  [{ layers: [{}] }, 'layers.0.w is missing: something else is expected there'],
  [{ layers: null }, 'layers is null: something else is expected there'],
  [null, 'the file is null: something else is expected there'],
])('%j: %s', (file, message) => {
  expect(() => sum(file)).toThrow(TypeError);
  expect(lastRead(file, sum)).toBe(message);
});
