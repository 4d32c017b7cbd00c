import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
// @ts-expect-error: a script without types
import { mutants } from '../scripts/mutants.mjs';

it('every mutant has its place in the sources, once', () => {
  const all = mutants as readonly { readonly file: string; readonly from: string }[];
  const lost = all.filter(({ file, from }) => readFileSync(file, 'utf8').split(from).length !== 2);
  expect(lost).toEqual([]);
  expect(all.length).toBeGreaterThan(300);
});
