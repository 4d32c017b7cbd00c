import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifyFile } from '../../src/cli/verify/index.ts';
import { graphOfTree, interpret, parseConvention, readGraph, treeOfJson } from '../../src/nir/index.ts';
import { scratchFolder } from '../record/scratch.ts';

// What frameworks made of NIR files that they wrote. Their v is float32, so its tolerance, 1e-6, is that of the files.

type Json = { [key: string]: Json } | Json[] | number | string | boolean | null;
interface File {
  readonly run: {
    readonly convention: Record<string, Json>;
    readonly input: { shape: number[]; spikes: number[][] };
    readonly expected: Record<string, { binary?: boolean; spikes?: (number | [number, number])[][]; v?: number[][] }>;
  };
  readonly hdf5: Json;
}

const folder = import.meta.dirname;
const names = readdirSync(folder).filter((name) => name.startsWith('nir-run-'));
/** Files whose neurons the engine does not have. */
const interpreted = [
  'nir-run-rockpool-cuba.json',
  'nir-run-sinabs-conv.json',
  'nir-run-snntorch-leaky-reset-now.json',
  'nir-run-snntorch-synaptic-zero.json',
];
const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as File;

describe.each(names)('verify %s', (name) => {
  const { pass, quantities } = verifyFile(join(folder, name));

  it('passes: spikes are equal, v within 1e-6 of max(1, max |v|)', () => {
    expect(quantities.filter((q) => q.checked && !((q.worst ?? 1) <= (q.tolerance ?? 0)))).toEqual([]);
    expect(pass).toBe(true);
    const { expected } = read(name).run;
    const wanted = Object.entries(expected).flatMap(([node, { spikes, v }]) => [
      ...(spikes ? [`${node} spikes`] : []),
      ...(v ? [`${node} v`] : []),
    ]);
    expect(quantities.filter(({ checked }) => checked).map((q) => q.name)).toEqual(wanted);
    for (const q of quantities.filter(({ checked }) => checked)) {
      if (q.name.endsWith(' spikes')) expect(q.tolerance).toBe(0);
    }
  });

  it('runs on the engine, unless it is listed, and says which', () => {
    const how = quantities.filter((q) => ['engine', 'interpreter'].includes(q.name)).map((q) => q.name);
    expect(how).toEqual([interpreted.includes(name) ? 'engine' : 'interpreter']);
  });

  it('gives the same by the interpreter', () => {
    const { run, hdf5 } = read(name);
    const convention = parseConvention(run.convention, 'convention');
    const topology = readGraph(graphOfTree(treeOfJson(hdf5, name), name), convention, name);
    const width = run.input.shape.slice(1).reduce((product, length) => product * length, 1);
    const x = run.input.spikes.map((row) => Float64Array.from({ length: width }, (_, i) => Number(row.includes(i))));
    const got = interpret(topology, convention, x);
    for (const [node, { spikes, v }] of Object.entries(run.expected)) {
      const counts = got.get(node)?.output.map((row) => row.reduce((sum, value) => sum + value, 0));
      const wanted = spikes?.map((row) => row.reduce<number>((sum, s) => sum + (typeof s === 'number' ? 1 : s[1]), 0));
      if (wanted) expect(counts).toEqual(wanted);
      const largest = Math.max(1, ...(v ?? []).flat().map(Math.abs));
      v?.forEach((row, t) => {
        row.forEach((value, j) => {
          expect(Math.abs((got.get(node)?.v?.[t][j] ?? Number.NaN) - value)).toBeLessThan(1.1e-6 * largest);
        });
      });
    }
  });

  it('fails where a spike or a membrane of the file is another', () => {
    for (const node of Object.keys(read(name).run.expected)) {
      const spiked = read(name);
      const { spikes } = spiked.run.expected[node];
      if (spikes) {
        const step = spikes.findIndex((row) => row.length > 0);
        spikes[step] = spikes[step].slice(1);
        expect(verifyFile(write(spiked)).pass, `${node} spikes`).toBe(false);
      }
      const moved = read(name);
      const { v } = moved.run.expected[node];
      if (v) {
        v[v.length - 1][0] += 1e-4 * Math.max(1, ...v.flat().map(Math.abs));
        expect(verifyFile(write(moved)).pass, `${node} v`).toBe(false);
      }
    }
  });
});

describe('verify refuses', () => {
  const change = (edit: (file: File) => void) => {
    const file = read('nir-run-snntorch-rleaky.json');
    edit(file);
    return () => verifyFile(write(file));
  };

  it('a field of the convention that is not known, by name', () => {
    expect(change(({ run }) => (run.convention.gian = '1'))).toThrow(
      /convention\.gian: got "1", expected no such field/,
    );
    expect(change(({ run }) => (run.convention.gain = 'r/tau'))).toThrow(/run\.convention\.gain/);
    expect(change(({ run }) => delete run.convention.gain)).toThrow(/convention\.gain: .*the node "1.lif" needs it/);
  });

  it('a node or a quantity that is not known', () => {
    expect(change(({ run }) => (run.expected.lif = run.expected['1.lif']))).toThrow(/run\.expected\.lif: is no node/);
    expect(change(({ run }) => ((run.expected['1.lif'] as { u?: number }).u = 1))).toThrow(/unknown field "u"/);
    expect(change((file) => ((file as { more?: number }).more = 1))).toThrow(/unknown field "more"/);
  });

  it('nothing of a file that asks to be refused and is', () => {
    const file = read('nir-run-snntorch-rleaky.json') as unknown as { run: { convention: null }; refuse: string };
    file.run.convention = null;
    file.refuse = 'no convention reproduces it';
    const { pass, quantities } = verifyFile(write(file));
    expect(pass).toBe(true);
    expect(quantities[0]).toMatchObject({ name: 'refused', worst: 0 });
    const runs = read('nir-run-snntorch-rleaky.json') as unknown as { refuse: string };
    runs.refuse = 'a reason';
    expect(verifyFile(write(runs)).pass).toBe(false);
  });
});

function write(file: unknown): string {
  const path = join(scratchFolder(), 'nir-run.json');
  writeFileSync(path, JSON.stringify(file));
  return path;
}
