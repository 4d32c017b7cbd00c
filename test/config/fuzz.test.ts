import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toJSONSchema } from 'zod';
import { models } from '../../models/index.ts';
// @ts-expect-error: a script without types
import { contextOf, faultOf, pathExists, tryMutant } from '../../scripts/campaigns/fuzz/experiments.mjs';
import { ConfigError, UnsupportedError } from '../../src/core/errors.ts';
import * as api from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';

const examples = [JSON.parse(readFileSync('examples/adaptive-neurons.json', 'utf8'))];
const context = contextOf({ api, models, tasks, toJSONSchema, examples });

describe('a mutated experiment is accepted, or refused by the path of what is wrong', () => {
  it('2000 mutants', () => {
    const counts: Record<string, number> = {};
    const faults: string[] = [];
    for (let seed = 1; seed <= 2000; seed++) {
      const { outcome, fault } = tryMutant(seed, context) as { outcome: string; fault?: string };
      counts[outcome] = (counts[outcome] ?? 0) + 1;
      if (fault) faults.push(`seed ${seed}: ${fault}`);
    }
    expect(faults).toEqual([]);
    expect(counts.refused).toBeGreaterThan(1000);
    expect(counts.trained).toBeGreaterThan(100);
  });

  it.each([
    [new TypeError('x is undefined'), /^TypeError/],
    [new RangeError('Invalid array length'), /^RangeError/],
    [new ConfigError('connectivity.n', 1, 'less'), /^path unknown/],
    [new ConfigError('network.recurrent.connectivity.m', 1, 'less'), /^path unknown/],
    [new UnsupportedError('does not fit'), /^names no part/],
  ])('and %s would be noticed', (error, fault) => {
    expect(faultOf(error, context)).toMatch(fault);
  });

  it.each([
    'network.recurrent.connectivity.n',
    'network.projections.ee.delayMs.low',
    'network.populations[""].neuron.vTh',
    'optimizer.rates.ee.rate',
    'task.lags.1',
    'rule.trace.leak.tauMs',
    'fixed.formats.trace.*.bits',
  ])('%s is a path of the schema', (path) => {
    expect(pathExists(path, context.schema, context.parts)).toBe(true);
  });

  it.each(['network.populations[""].vTh', 'network.projections.ee.from.x', 'network[""]'])('%s is none', (path) => {
    expect(pathExists(path, context.schema, context.parts)).toBe(false);
  });
});

describe('a value that is no JSON is named all the same', () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  let deep: unknown = 1;
  for (let n = 0; n < 50_000; n++) deep = [deep];

  it.each([
    ['a bigint', 10n, '10 (bigint)'],
    ['a circle', [circle], 'an object that is no JSON'],
    ['lists in lists', deep, 'an object that is no JSON'],
    ['a function', () => 1, 'a function'],
  ])('%s', (_, value, shown) => {
    const input = { ...api.preset('four-six-back'), training: value };
    const parse = () => api.parseExperiment(input, context.catalogue);
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow(`training: got ${shown}, expected a value of type object`);
  });

  it('and so is a key that no path could hold', () => {
    const input = (key: string) => ({ ...api.preset('four-six-back'), loss: { kind: 'softmax', [key]: 1 } });
    const parse = (key: string) => () => api.parseExperiment(input(key), context.catalogue);
    expect(parse('')).toThrow('loss[""]: got 1, expected no key "" here');
    expect(parse('a b\n')).toThrow('loss["a b\\n"]: got 1, expected no key "a b\\n" here');
  });
});
