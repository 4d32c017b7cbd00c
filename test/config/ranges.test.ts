import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { models } from '../../models/index.ts';
import { preset } from '../../src/config/presets.ts';
import { experimentJsonSchema } from '../../src/config/schema.ts';
import { applySettings } from '../../src/config/settings.ts';
import { ConfigError, UnsupportedError } from '../../src/core/errors.ts';
import { createExperiment } from '../../src/experiment/experiment.ts';
import { tasks } from '../../tasks/index.ts';

const catalogue = { ...models, tasks };
const mib = 2 ** 20;

function build(name: string, settings: readonly string[], maxBytes = 64 * mib) {
  return createExperiment(applySettings(preset(name), settings), catalogue, { maxBytes });
}

type Node = Readonly<Record<string, unknown>>;

/** Every number of a JSON Schema, with the path to it. */
function numbers(node: unknown, path: string): [string, Node][] {
  if (typeof node !== 'object' || node === null) return [];
  const own = node as Node;
  const ranged = !('const' in own) && (own.type === 'number' || own.type === 'integer');
  const here: [string, Node][] = ranged ? [[path, own]] : [];
  return [...here, ...Object.entries(own).flatMap(([key, value]) => numbers(value, `${path}/${key}`))];
}

/** Whole trainings are counted without a list, and a seed is any whole number. */
const uncounted = /\/(seed|total|checkpointEvery)(\/anyOf\/0)?$/;

describe('every number of an experiment has a range in the JSON Schema', () => {
  const experiment = numbers(experimentJsonSchema(catalogue), 'experiment');
  const parts = [...models.traces, ...models.signals, ...models.direct].flatMap(({ kind, params }) =>
    numbers(z.toJSONSchema(params as z.ZodType, { io: 'input', unrepresentable: 'any' }), kind),
  );

  it.each([...experiment, ...parts])('%s', (path, { type, minimum, exclusiveMinimum, maximum, exclusiveMaximum }) => {
    const low = Number(minimum ?? exclusiveMinimum);
    const high = Number(maximum ?? exclusiveMaximum);
    expect(low).toBeGreaterThanOrEqual(type === 'integer' ? -(2 ** 31) : -1e6);
    if (!uncounted.test(path)) expect(high).toBeLessThanOrEqual(type === 'integer' ? 2 ** 31 : 1e6);
  });
});

describe('a number of no earthly size is refused with path, value and range', () => {
  it.each([
    ['optimizer.rates.in=1e30', 'optimizer.rates.in: got 1e+30, expected a number <= 1000000'],
    ['optimizer.rates.in={"rate":1e7}', 'optimizer.rates.in.rate: got 10000000, expected a number <= 1000000'],
    ['network.neuron.vTh=1e-300', 'network.neuron.vTh: got 1e-300, expected a number >= 1e-12'],
    ['network.input.init={"kind":"normal-sd","sd":1e39}', 'network.input.init.sd: got 1e+39, expected a number <='],
    ['network.recurrent.init.gain=1e39', 'network.recurrent.init.gain: got 1e+39, expected a number <= 1000000'],
    ['network.input.bias=-1e39', 'network.input.bias: got -1e+39, expected a number >= -1000000'],
    ['rateTerm.strength=1e20', 'rateTerm.strength: got 100000000000000000000, expected a number <= 1000000'],
    ['rule.feedbackScale=1e20', 'rule.feedbackScale: got 100000000000000000000, expected a number <= 1000000'],
    ['optimizer.clamp=[-1e30,1]', 'optimizer.clamp.0: got -1e+30, expected a number >= -1000000'],
    ['loss.scale=1e30', 'loss.scale: got 1e+30, expected a number <= 1000000'],
    ['task.lags=[4,6000000000]', 'task.lags.1: got 6000000000, expected a number <= 100000'],
    ['task.stepsPerSymbol=1e15', 'task.stepsPerSymbol: got 1000000000000000, expected a number <= 2147483647'],
    ['task.encoding={"kind":"regular","cells":1e9}', 'task.encoding.cells: got 1000000000, expected a number <='],
  ])('%s', (setting, message) => {
    expect(() => build('four-six-back', [setting])).toThrow(ConfigError);
    expect(() => build('four-six-back', [setting])).toThrow(message);
  });

  it.each([
    ['pattern-generation', 'task.inputs=4e9', 'task.inputs: got 4000000000, expected a number <= 10000000'],
    ['pattern-generation', 'task.steps=4e9', 'task.steps: got 4000000000, expected a number <= 10000000'],
    ['pattern-generation', 'task.outputs=4e9', 'task.outputs: got 4000000000, expected a number <= 10000000'],
    ['periodic-output', 'task.steps=4e9', 'task.steps: got 4000000000, expected a number <= 10000000'],
  ])('%s: %s', (name, setting, message) => {
    expect(() => build(name, [setting])).toThrow(message);
  });
});

describe('memory is added up before it is taken', () => {
  it.each([
    ['pattern-generation', 'task.inputs=10000000'],
    ['pattern-generation', 'task.steps=10000000'],
    ['pattern-generation', 'task.outputs=10000000'],
    ['periodic-output', 'task.steps=10000000'],
    ['cued-segments', 'task.segments=10000000'],
    ['cued-segments', 'task.steps=10000000'],
    ['cued-segments', 'task.outputs=10000000'],
    ['four-six-back', 'task.encoding={"kind":"poisson","cells":100000}'],
    ['four-six-back', 'network.neurons=40000'],
    ['four-six-back', 'network.recurrent.connectivity={"kind":"probability","p":1e-9}', 'network.neurons=100000'],
    ['four-six-back', 'training.streams=2000000000'],
    ['four-six-back', 'evaluation.streams=2000000000'],
    ['four-six-back', 'training.chunkSteps=2000000000'],
  ])('%s with %s needs more than there is, and says so at once', (name, ...settings) => {
    const started = performance.now();
    expect(() => build(name, settings)).toThrow(UnsupportedError);
    expect(() => build(name, settings)).toThrow(/needs \d+ MiB.*64 MiB are available/);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('and where no limit was given, memory that cannot be had is an UnsupportedError', () => {
    const settings = ['training.streams=2000000000', 'network.neurons=10', 'backend="reference"'];
    expect(() => build('four-six-back', settings, Number.POSITIVE_INFINITY)).toThrow(UnsupportedError);
    expect(() => build('four-six-back', settings, Number.POSITIVE_INFINITY)).toThrow(/cannot be allocated/);
  });
});

describe('an error of a projection names its path from the root', () => {
  const tooMany = '{"kind":"in-degree","n":101}';
  const dense = 'expected a dense recurrent projection with autapses';
  it.each([
    [`network.recurrent.connectivity=${tooMany}`, 'network.recurrent.connectivity.n: got 101, expected at most 100'],
    [`network.input.connectivity=${tooMany}`, 'network.input.connectivity.n: got 101, expected at most 2'],
    ['network.neurons=3000000', 'network.recurrent.connectivity: got {"kind":"dense"}, expected at most 2147483647'],
    [
      'network.recurrent.connectivity={"kind":"probability","p":1e-9}',
      'network.recurrent.connectivity: got {"kind":"probability","p":1e-9}, expected at most 34359738368 pairs',
      'network.neurons=300000',
    ],
    ['network.output.init={"kind":"orthogonal"}', 'network.output.init.kind: got "orthogonal", expected another kind'],
    ['network.input.init={"kind":"orthogonal"}', `network.input.init.kind: got "orthogonal", ${dense}`],
    [
      'network.recurrent.init={"kind":"orthogonal"}',
      `network.recurrent.init.kind: got "orthogonal", ${dense}`,
      'network.recurrent.autapses=false',
    ],
  ])('%s', (setting, message, ...more) => {
    const settings = [setting, ...more];
    const given = Number.POSITIVE_INFINITY;
    expect(() => build('four-six-back', settings, given)).toThrow(ConfigError);
    expect(() => build('four-six-back', settings, given)).toThrow(message);
  });
});
