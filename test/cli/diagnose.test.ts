import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Diagnosis } from '../../src/index.ts';
import { emptyFolder, jsonLines, set, snapshot, streaming, succeed } from './cli.ts';

type Row = Diagnosis & { readonly folder: string; readonly unit: string; readonly figure: string | null };

const silent = [...streaming, ...set({ 'network.neuron.vTh': 20, 'rateTerm.strength': 0 })];

describe('diagnose', () => {
  let folder = '';
  beforeAll(async () => {
    folder = emptyFolder();
    await succeed(['train', ...silent, '--no-figures', '--out', 'runs/silent'], folder);
    await succeed(['train', ...streaming, '--until', '800', '--no-figures', '--out', 'runs/begun'], folder);
  });

  it('names the cause with its number, its threshold and what to do, and draws a figure', async () => {
    const { stdout } = await succeed(['diagnose', 'runs/silent'], folder);
    expect(stdout).toMatch(/^runs\/silent: four-six-back, e-prop-1, seed 1, 3200 of 3200 symbols: does not learn\n/);
    expect(stdout).toMatch(
      /\n1\. silent: spikes per step is 0 for rec, below 0\.001 \(blocks, from the start\)\n +larger first weights/,
    );
    expect(stdout).toMatch(/\nnot measured: gradient of the firing-rate term .* \(the firing-rate term is off\)\n/);
    const figure = stdout.match(/figure: (.*)/)?.[1] ?? '';
    expect(statSync(join(folder, figure)).size).toBeGreaterThan(2000);
  });

  it('has all numbers as JSON, of every run below a folder, and leaves the runs as they are', async () => {
    const before = snapshot(join(folder, 'runs'));
    const { stdout } = await succeed(['diagnose', 'runs', '--json', '--no-figures'], folder);
    const [begun, ill] = jsonLines<Row>(stdout);
    expect([begun.folder, ill.folder]).toEqual(['runs/begun', 'runs/silent']);
    expect([begun.amount, ill.amount]).toEqual([800, 3200]);
    expect(begun.figure).toBeNull();
    expect(ill.findings[0]).toMatchObject({ cause: 'silent', severity: 'blocks', value: 0, fromStart: true });
    for (const quantity of ['information', 'spikes', 'psi', 'step', 'reach', 'drift'])
      expect(ill.measures.map((measure) => measure.quantity)).toContain(quantity);
    expect(snapshot(join(folder, 'runs'))).toEqual(before);
  });

  it('needs no table of metrics', async () => {
    rmSync(join(folder, 'runs/begun/metrics.csv'));
    const { stdout } = await succeed(['diagnose', 'runs/begun', '--json', '--no-figures'], folder);
    expect(jsonLines<Row>(stdout)[0].progress.verdict).not.toBe('not trained yet');
  });
});

it('the summary and the log of a run say what stands in the way', async () => {
  const { stderr, folder } = await succeed(['train', ...silent, '--no-figures', '--out', 'run']);
  expect(stderr).toMatch(
    /run: silent: spikes per step is 0 for rec, below 0\.001 at 320 symbols; larger first weights/,
  );
  const { findings, warnings } = JSON.parse(readFileSync(join(folder, 'run/summary.json'), 'utf8'));
  expect(findings[0]).toMatchObject({ cause: 'silent', value: 0 });
  expect(warnings[0]).toMatch(/^silent/);
});
