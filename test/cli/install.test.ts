import { describe, expect, it } from 'vitest';
import { installed, packed, ran } from './installed.ts';

describe('an installed package', () => {
  it.each([
    ['with everything', []],
    ['without what is optional', ['--omit=optional']],
  ])('%s has a program that starts', async (_, flags) => {
    const folder = await installed(await packed(), flags);
    expect(await ran('npx', ['--no-install', 'spiketrace', '--help'], folder)).toContain('Usage: spiketrace');
    expect(await ran('npx', ['--no-install', 'spiketrace', 'list', 'rules'], folder)).toContain('e-prop-1');
  });
});
