import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { parseExperiment } from '../../src/config/parse.ts';
import { preset, presetNames } from '../../src/config/presets.ts';
import { experimentJsonSchema } from '../../src/config/schema.ts';
import { applySettings } from '../../src/config/settings.ts';
import { ConfigError } from '../../src/core/errors.ts';
import { createExperiment } from '../../src/experiment/experiment.ts';
import { tasks } from '../../tasks/index.ts';

const catalogue = { ...models, tasks };
const base = preset('four-six-back');
const parse = (...settings: string[]) => parseExperiment(applySettings(base, settings), catalogue);

describe('a wrong setting is one ConfigError that names path, value and range', () => {
  it.each([
    ['an unknown key', 'network.colour="red"', 'network.colour: got "red", expected no key "colour" here'],
    [
      'an unknown key of a model',
      'network.neuron.colour=1',
      'network.neuron.colour: got 1, expected no key "colour" here',
    ],
    ['a wrong type', 'network.neurons="many"', 'network.neurons: got "many", expected a value of type number'],
    ['a fraction', 'network.neurons=1.5', 'network.neurons: got 1.5, expected a whole number'],
    [
      'a negative time constant',
      'network.neuron.membrane={"tauMs":-5}',
      'network.neuron.membrane.tauMs: got -5, expected a number > 0 (ms)',
    ],
    [
      'a decay above 1',
      'network.neuron.membrane={"decay":1.5}',
      'network.neuron.membrane.decay: got 1.5, expected a number <= 1',
    ],
    ['one level', 'network.neuron.psiLevels=1', 'network.neuron.psiLevels: got 1, expected a number >= 2'],
    [
      'a share above 1',
      'network.recurrent.dale.excitatory=1.2',
      'network.recurrent.dale.excitatory: got 1.2, expected a number <= 1',
    ],
    ['errors of size 0', 'rule.errorSpikeSize=0', 'rule.errorSpikeSize: got 0, expected a number > 0'],
    ['steps of no size', 'optimizer.kind=one-step', 'optimizer.delta: got undefined, expected'],
    ['a lag of 0', 'task.lags=[0,6]', 'task.lags.0: got 0, expected a number > 0'],
    ['a probability above 1', 'task.inputProbability=1.5', 'task.inputProbability: got 1.5, expected a number <= 1'],
    ['an unknown rule', 'rule={"name":"magic"}', 'rule.name: got "magic", expected one of "'],
    [
      'an unknown neuron',
      'network.neuron={"kind":"soma"}',
      'network.neuron.kind: got "soma", expected one of "lif", "alif", "cuba-lif", "integrator", "rate"',
    ],
    [
      'an unknown word',
      'training.update.unit="week"',
      'training.update.unit: got "week", expected one of "step", "trial"',
    ],
    ['a negative rate', 'optimizer.rates.in=-1', 'optimizer.rates.in: got -1, expected a number >= 0'],
    ['a missing part', 'optimizer.rates={"in":1,"rec":1}', 'optimizer.rates.out: got undefined, expected'],
    ['a rate in Hz', 'rateTerm.targetHz=-3', 'rateTerm.targetHz: got -3, expected a number >= 0 (Hz)'],
    ['a length in steps', 'training.chunkSteps=0', 'training.chunkSteps: got 0, expected a number > 0 (steps)'],
    ['a version to come', 'version=2', 'version: got 2, expected one of 1'],
    ['an infinite number', 'network.dtMs=1e999', 'network.dtMs: got '],
  ])('%s', (_what, setting, message) => {
    expect(() => parse(setting)).toThrow(ConfigError);
    expect(() => parse(setting)).toThrow(message);
  });

  it.each([null, 7, 'text', [1]])('%j is no experiment', (input) => {
    expect(() => parseExperiment(input, catalogue)).toThrow(ConfigError);
    expect(() => parseExperiment(input, catalogue)).toThrow(/^experiment: got /);
  });

  it('a preset that is none is told the names', () => {
    expect(() => preset('five')).toThrow(`preset: got "five", expected one of ${presetNames.join(', ')}`);
  });
});

describe('settings that are fine alone and wrong together', () => {
  it.each([
    ['rateTerm={"strength":1,"mean":"trial"}', 'rateTerm.mean: got "trial", expected "running"'],
    ['training.execution="deferred"', 'training.execution: got "deferred", expected "online"'],
  ])('%s', (setting, message) => {
    const build = () => createExperiment(applySettings(base, [setting]), catalogue);
    expect(build).toThrow(ConfigError);
    expect(build).toThrow(message);
  });

  it('a rate of the trial needs traces that restart with it', () => {
    const settings = ['training.update={"unit":"trial"}', 'rateTerm={"strength":1,"mean":"batch"}'];
    expect(() => createExperiment(applySettings(base, settings), catalogue)).toThrow('rateTerm.mean: got "batch"');
    const restarting = applySettings(base, [...settings, 'training.traces="restart"', 'network.neurons=5']);
    expect(() => createExperiment(restarting, catalogue)).not.toThrow();
  });

  it('an unknown part of a factored rule is named', () => {
    const rule = (trace: string, signal: string) =>
      applySettings(base, [`rule={"name":"factored","trace":{"kind":"${trace}"},"signal":{"kind":"${signal}"}}`]);
    expect(() => createExperiment(rule('eligibility', 'shout'), catalogue)).toThrow('rule.signal.kind: got "shout"');
    expect(() => createExperiment(rule('chalk', 'broadcast'), catalogue)).toThrow('rule.trace.kind: got "chalk"');
  });
});

describe('execution and state', () => {
  const execution = (...settings: string[]) => {
    const { spec } = createExperiment(applySettings(base, ['network.neurons=5', ...settings]), catalogue).run.network;
    return [spec.execution, spec.state, spec.traces];
  };

  it('auto: a stream carries on and learns online, trials restart and learn deferred', () => {
    expect(execution()).toEqual(['online', 'carry', 'carry']);
    const trials = ['task={"kind":"pattern-generation","steps":20}', 'training.update.unit="trial"'];
    expect(execution(...trials)).toEqual(['deferred', 'reset', 'restart']);
    expect(execution(...trials, 'training.traces="carry"')).toEqual(['online', 'reset', 'carry']);
    expect(execution(...trials, 'training.execution="online"')).toEqual(['online', 'reset', 'restart']);
    expect(execution('training.update.unit="trial"', 'training.traces="restart"', 'training.state="reset"')).toEqual([
      'deferred',
      'reset',
      'restart',
    ]);
  });
});

describe('defaults', () => {
  it('are filled in, and a filled-in experiment is its own', () => {
    for (const name of presetNames) {
      const config = parseExperiment(preset(name), catalogue);
      expect(config.seed).toBe(1);
      expect(parseExperiment(JSON.parse(JSON.stringify(config)), catalogue)).toEqual(config);
    }
  });

  it('of the presets describe the published tasks', () => {
    const config = parse();
    expect(config.network.dtMs).toBe(5);
    expect(config.task).toMatchObject({ lags: [4, 6], base: 0.5, effects: [0.5, -0.25] });
  });
});

describe('applySettings', () => {
  it('sets numbers, texts, objects and paths that are not there yet, and leaves its input alone', () => {
    const input = { a: { b: 1 }, c: 'x' };
    const result = applySettings(input, ['a.b=2.5', 'a.d.e=true', 'c=hello world', 'f={"g":[1,2]}', 'h=null', 'i=a=b']);
    expect(result).toEqual({ a: { b: 2.5, d: { e: true } }, c: 'hello world', f: { g: [1, 2] }, h: null, i: 'a=b' });
    expect(input).toEqual({ a: { b: 1 }, c: 'x' });
  });

  it.each(['noequals', '=5'])('refuses "%s"', (setting) => {
    expect(() => applySettings({}, [setting])).toThrow(ConfigError);
    expect(() => applySettings({}, [setting])).toThrow(`--set: got ${JSON.stringify(setting)}, expected path=value`);
  });

  it('does not reach prototypes', () => {
    expect(() => applySettings({}, ['__proto__.x=1'])).toThrow(ConfigError);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

describe('the JSON Schema', () => {
  const schema = experimentJsonSchema(catalogue);
  const text = JSON.stringify(schema);

  it('is JSON, and names every registered kind and rule', () => {
    expect(JSON.parse(text)).toEqual(schema);
    const kinds = [...models.neurons, ...models.readouts, ...tasks].map(({ kind }) => kind);
    for (const name of [...kinds, ...models.rules.map((rule) => rule.name)])
      expect(text).toContain(`"const":"${name}"`);
  });

  it('asks for what has no default, and for nothing else', () => {
    const { anyOf: forms } = schema as { anyOf: readonly { required: string[]; additionalProperties: boolean }[] };
    expect(forms).toHaveLength(2);
    for (const { required, additionalProperties } of forms) {
      expect(required.sort()).toEqual(['loss', 'network', 'optimizer', 'rule', 'task', 'training']);
      expect(additionalProperties).toBe(false);
    }
  });
});

describe('settings of a choice', () => {
  const set = (...settings: string[]) => applySettings(preset('four-six-back'), settings, catalogue) as never as Raw;
  const populations = (input: unknown) => parseExperiment(input, catalogue).network.populations;
  type Raw = { network: { neuron: Record<string, unknown> }; rule: Record<string, unknown> };

  it('a member takes the place of the others', () => {
    expect(set('network.neuron.membrane={"decay":0.5}').network.neuron.membrane).toEqual({ decay: 0.5 });
    expect(set('network.neuron.membrane.tauMs=20').network.neuron.membrane).toEqual({ tauMs: 20 });
    expect(set('network.neuron.membrane.decay=0.5').network.neuron.membrane).toEqual({ decay: 0.5 });
    expect(populations(set('network.neuron.membrane.tauMs=20')).rec.neuron.membrane).toEqual({ tauMs: 20 });
  });

  it('two that are both set are left to be refused', () => {
    const both = set('network.neuron.membrane.tauMs=20', 'network.neuron.membrane.decay=0.5');
    expect(() => parseExperiment(both, catalogue)).toThrow(/network\.neuron\.membrane/);
  });

  it('parameters of the former kind go with it, those that both have stay', () => {
    const rule = set('rule.feedback=symmetric', 'rule.filterScale=1', 'rule.name=e-prop-1').rule;
    expect(rule).toMatchObject({ name: 'e-prop-1', feedback: 'symmetric', filterScale: 1 });
    const from = { ...preset('four-six-back'), rule: { name: 'e-prop-1', feedback: 'symmetric', filterScale: '1' } };
    const changed = applySettings(from, ['rule.name=rflo'], catalogue) as Raw;
    expect(changed.rule).toEqual({ name: 'rflo', feedback: 'symmetric' });
    const kept = applySettings(from, ['rule.name=rflo', 'rule.filterScale="1"'], catalogue);
    expect(() => parseExperiment(kept, catalogue)).toThrow(/rule\.filterScale/);
    expect(set('network.neuron.kind=rate').network.neuron).toEqual({ kind: 'rate' });
  });
});
