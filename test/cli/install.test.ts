import { describe, expect, it } from 'vitest';
import { start, streaming } from './cli.ts';
import { installed, packed, ran } from './installed.ts';

describe('an installed package', () => {
  it.each([
    ['with everything', []],
    ['without what is optional', ['--omit=optional']],
  ] as const)('%s has a program that starts', async (_, flags) => {
    const folder = await installed(await packed(), flags);
    expect(await ran('npx', ['--no-install', 'spiketrace', '--help'], folder)).toContain('Usage: spiketrace');
    expect(await ran('npx', ['--no-install', 'spiketrace', 'list', 'rules'], folder)).toContain('e-prop-1');
  });

  it('without what is optional trains, and says why it draws nothing', async () => {
    const folder = await installed(await packed(), ['--omit=optional']);
    const train = ['train', ...streaming, '--out', 'run'];
    const { code, stderr } = await start('npx', ['--no-install', 'spiketrace', ...train], folder).ended;
    expect(code).toBe(0);
    expect(stderr.trim()).toMatch(/^no figures: the package @napi-rs\/canvas was left out/);
    await expect(ran('npx', ['--no-install', 'spiketrace', 'plot', 'run'], folder)).rejects.toThrow(
      /spiketrace: figures need the package @napi-rs\/canvas/,
    );
    expect(
      await ran(
        process.execPath,
        ['-e', "import('spiketrace').then((m) => console.log(typeof m.createExperiment))"],
        folder,
      ),
    ).toBe('function\n');
  });
});
