import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dataFileOf } from '../../src/cli/verify/dataSample.ts';
import { loadForVerify, verifyFile } from '../../src/cli/verify/index.ts';
import { scratchFolder } from '../record/scratch.ts';

const folder = join(import.meta.dirname, 'recordings');
const samples = readdirSync(folder).filter((name) => name.endsWith('.json'));

type Json = { [key: string]: Json } | Json[] | number | string | null;

/** What a file cannot say of itself. */
const unsaid = /^time_unit$/;

async function verdictOf(path: string) {
  await loadForVerify(path);
  return verifyFile(path);
}

/** A description with one change, beside a copy of its data. */
function changed(name: string, change: (content: { [key: string]: Json }) => void): string {
  const scratch = scratchFolder();
  const path = join(scratch, name);
  const content = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const data = parse(dataFileOf(content, join(folder, name))).base;
  cpSync(join(folder, data), join(scratch, data), { force: false });
  cpSync(join(folder, 'labels.csv'), join(scratch, 'labels.csv'), { force: false });
  change(content);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

describe.each(samples)('verify %s', (name) => {
  const content = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { [key: string]: Json };

  it('reads what the file says, all of it', async () => {
    const { pass, quantities } = await verdictOf(join(folder, name));
    expect(quantities.filter(({ checked, worst }) => checked && worst !== 0)).toEqual([]);
    expect(quantities.flatMap(({ name: own, checked }) => (checked || unsaid.test(own) ? [] : [own]))).toEqual([]);
    expect(pass).toBe(true);
  });

  const fields = Object.keys(content).filter((field) => field !== 'meta' && content[field] !== null);
  it.each(fields.filter((field) => !unsaid.test(field)))('finds another number in %s', async (field) => {
    const path = changed(name, (all) => {
      if (field === 'units_total') all[field] = 1;
      else all[field] = spoiled(all[field]);
    });
    expect((await verdictOf(path)).pass).toBe(false);
  });
});

/** The same with its last number another. */
function spoiled(value: Json): Json {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'string') return `${value}!`;
  if (Array.isArray(value)) {
    const last = value.findLastIndex((part) => !Array.isArray(part) || part.length > 0);
    return value.map((part, n) => (n === last ? spoiled(part) : part));
  }
  const keys = Object.keys(value ?? {});
  const key = keys[keys.length - 1];
  return { ...value, [key]: spoiled((value as { [key: string]: Json })[key]) };
}

it('names a field that it does not know', async () => {
  const path = changed('raster-bool.json', (all) => {
    all.weather = 3;
  });
  const { quantities } = await verdictOf(path);
  expect(quantities.find(({ checked }) => !checked)).toMatchObject({
    name: 'weather',
    where: 'a field of no known meaning',
  });
});

it('says so where what should be refused is read', async () => {
  const path = changed('raster-bool.json', (all) => {
    (all.meta as { [key: string]: Json }).refuse = 'for a test';
  });
  const { pass, quantities } = await verdictOf(path);
  expect(pass).toBe(false);
  expect(quantities[0].where).toContain('was read');
});
