import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifyFile } from '../../src/cli/verify/index.ts';
import type { ReckonRtlFile } from '../../src/cli/verify/reckonRtl.ts';
import { FileError } from '../../src/core/errors.ts';
import { scratchFolder } from '../record/scratch.ts';

const path = join(import.meta.dirname, 'reckon-small.json');
const text = readFileSync(path, 'utf8');

type Node = { [key: string]: Node } | Node[] | number | string;

type Leaves = Map<string, (readonly [holder: Node, key: string])[]>;

/** Numbers below a node, by their path without indices. */
function leaves(node: Node, at: string, into: Leaves): Leaves {
  for (const [key, value] of Object.entries(node as { [key: string]: Node })) {
    const name = Array.isArray(node) ? at : `${at}.${key}`;
    if (typeof value === 'number') {
      const found = into.get(name);
      if (found) found.push([node, key]);
      else into.set(name, [[node, key]]);
    } else if (typeof value === 'object') leaves(value, name, into);
  }
  return into;
}

/** What the simulation gave, but for what its driver counted and what repeats the input. */
const remarks = /\.(cycles|sample|label)$/;
const results = (content: ReckonRtlFile, index: number) =>
  [...leaves(content.cases[index].rtl as unknown as Node, '', new Map())].filter(([name]) => !remarks.test(name));

describe('verify reckon-small.json', () => {
  const verdict = verifyFile(path);
  const counts = verdict.quantities.filter((q) => q.checked).map(({ name }) => Number(/\((\d+)\)$/.exec(name)?.[1]));

  it('passes with no tolerance', () => {
    expect(verdict.quantities.filter((q) => q.checked && q.worst !== 0)).toEqual([]);
    expect(verdict.quantities.filter((q) => q.checked && q.tolerance !== 0)).toEqual([]);
    expect(verdict.pass).toBe(true);
  });

  it('compares every number of the dumps', () => {
    const content = JSON.parse(text) as ReckonRtlFile;
    const all = content.cases.flatMap((_, c) => results(content, c)).reduce((sum, [, found]) => sum + found.length, 0);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(all);
    expect(all).toBe(108_199);
    expect(verdict.quantities.filter((q) => !q.checked).map(({ name }) => name)).toEqual([
      'inference.cycles',
      'training.cycles',
      'options.cycles',
    ]);
  });

  it('comes to 86,596 where a changed weight and the first words of the generators count once, and inputs do not', () => {
    const content = JSON.parse(text) as ReckonRtlFile;
    let sum = 0;
    for (const index of content.cases.keys()) {
      for (const [name, { length }] of results(content, index)) {
        if (/\.(k|ev)$/.test(name)) continue;
        if (name.endsWith('.inference') && content.cases[index].config.SPI_REGRESSION) continue;
        if (name.startsWith('.initial')) continue;
        sum += /\.dw.$/.test(name) ? length / 3 : length;
      }
      sum++;
    }
    expect(sum).toBe(86_596);
  });

  it('has changes of all three sets, noise, regression and learning in its cases', () => {
    for (const name of ['training.eprop.dwi', 'training.eprop.dwr', 'options.eprop.dwo']) {
      expect(verdict.quantities.some((q) => q.name.startsWith(name) && !q.name.endsWith('(0)'))).toBe(true);
    }
  });

  it('is refused on a backend of floats', () => {
    expect(() => verifyFile(path, 'wasm')).toThrow(FileError);
    expect(() => verifyFile(path, 'wasm')).toThrow(/integers only/);
  });
});

describe('verify a spoiled reckon-small.json', () => {
  const names = results(JSON.parse(text) as ReckonRtlFile, 1).map(([name]) => name);

  it.each(names)('fails where one number of rtl%s is one higher', (name) => {
    const content = JSON.parse(text) as ReckonRtlFile;
    const found = results(content, 1).find(([other]) => other === name)?.[1] ?? [];
    expect(passesWith(content, found[Math.floor(found.length / 2)], 1)).toBe(false);
  });

  it.each([
    'SPI_THR_H_2',
    'SPI_SEED_INP',
    'SPI_SEED_STRND_TREC',
    'SPI_KAPPA',
    'SPI_FP_LOC_WREC',
    'SPI_LR_P_WREC',
    'SPI_REGUL_F0',
    'SPI_LEARN_SIG_SCALE',
  ])('fails with %s one higher', (register) => {
    const content = JSON.parse(text) as ReckonRtlFile;
    expect(passesWith(content, [content.cases[1].config as unknown as Node, register], 1)).toBe(false);
  });

  it.each(['w_inp', 'w_rec', 'w_out'] as const)('fails with one other weight in %s', (name) => {
    const content = JSON.parse(text) as ReckonRtlFile;
    expect(passesWith(content, [content.cases[0].initial_weights[name] as unknown as Node, '21'], -1)).toBe(false);
  });

  it('fails where a list is shorter', () => {
    const content = JSON.parse(text) as ReckonRtlFile;
    (content.cases[0].rtl.samples[0].ticks[9].z as number[]).pop();
    expect(verifyFile(write(content)).pass).toBe(false);
  });

  it('refuses a tick without its learning phase', () => {
    const content = JSON.parse(text) as ReckonRtlFile;
    delete (content.cases[1].rtl.samples[0].ticks[40] as { eprop?: unknown }).eprop;
    expect(() => verifyFile(write(content))).toThrow(/tick 40: phases step,learn,propagate, expected step,propagate/);
  });
});

const shared = process.env.SPIKETRACE_SHARED ?? join(import.meta.dirname, '..', '..', '..', 'shared');
const dataFile = join(shared, 'data', 'reckon-cue-accumulation.json');

describe('verify reckon-cue-accumulation.json', () => {
  const absent = !existsSync(dataFile);
  const missing = absent ? ' (skipped: the data file is not in ../shared/data; set SPIKETRACE_SHARED)' : '';

  it.skipIf(absent)(
    `agrees with the RTL in epoch 1 and with the counts of ten${missing}`,
    () => {
      const verdict = verifyFile(dataFile);
      expect(verdict.quantities.map(({ name, worst }) => `${name}: ${worst}`)).toEqual([
        'inference (100): 0',
        'votes (200): 0',
        'weights_after_training.w_inp (4000): 0',
        'weights_after_training.w_rec (10000): 0',
        'weights_after_training.w_out (200): 0',
        'train_right (10): 0',
        'test_right (10): 0',
      ]);
    },
    600_000,
  );
});

function passesWith(content: ReckonRtlFile, [holder, key]: readonly [Node, string], by: number): boolean {
  const values = holder as { [key: string]: number };
  values[key] += by;
  return verifyFile(write(content)).pass;
}

function write(content: ReckonRtlFile): string {
  const file = join(scratchFolder(), 'reckon.json');
  writeFileSync(file, JSON.stringify(content));
  return file;
}
