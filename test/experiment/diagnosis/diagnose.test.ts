import { describe, expect, it } from 'vitest';
import { models } from '../../../models/index.ts';
import { preset } from '../../../src/config/presets.ts';
import { applySettings } from '../../../src/config/settings.ts';
import type { Measure } from '../../../src/core/findings.ts';
import { type Diagnosis, diagnose } from '../../../src/experiment/diagnosis/diagnose.ts';
import { measureAlignment, measureRateTerm } from '../../../src/experiment/diagnosis/gradients.ts';
import { measureInformation } from '../../../src/experiment/diagnosis/information.ts';
import { constantLoss, progressOf } from '../../../src/experiment/diagnosis/progress.ts';
import { drawSamples } from '../../../src/experiment/diagnosis/samples.ts';
import { createExperiment, type Experiment } from '../../../src/experiment/experiment.ts';
import { tasks } from '../../../tasks/index.ts';

/** Few of the networks of scripts/diagnosis.mjs, trained for less long. */
const catalogue = { ...models, tasks };
const short = ['training.total=16000', 'evaluation.total=8000'];

function trained(source: string, settings: readonly string[]): Experiment {
  const experiment = createExperiment(applySettings(preset(source), settings, catalogue), catalogue);
  experiment.train();
  return experiment;
}

function look(source: string, settings: readonly string[]): Diagnosis {
  return diagnose(trained(source, settings), catalogue);
}

const values = ({ measures }: Diagnosis, quantity: Measure['quantity'], when: Measure['when'] = 'now') =>
  measures.filter((measure) => measure.quantity === quantity && measure.when === when).map(({ value }) => value);
const firstCause = ({ findings }: Diagnosis) => findings[0]?.cause;

describe('a network that is broken', () => {
  it.each([
    ['silent', ['network.neuron.vTh=20', 'rateTerm.strength=0']],
    ['psi-narrow', ['network.neuron.psiWidth=0.0001']],
    ['updates-small', ['optimizer.rates={"in":1e-9,"rec":1e-9,"out":1e-9}']],
    ['updates-large', ['optimizer.rates={"in":1000,"rec":1000,"out":1000}']],
    ['no-information', ['task.effects=[0,0]']],
    ['signal-vanishes', ['rule.feedbackScale=1e-6']],
    ['noisy-drive', ['task.encoding={"kind":"poisson","cells":20,"rateHz":100}']],
  ])('is %s', (cause, settings) => {
    const diagnosis = look('four-six-back', [...short, ...settings]);
    expect(firstCause(diagnosis)).toBe(cause);
    expect(diagnosis.progress.verdict).not.toBe('learns');
    expect(diagnosis.findings[0].severity).not.toBe('note');
  });

  const unit = ['training.total=1280', 'evaluation.total=256', 'rateTerm.strength=0'];
  const rates = ['in-lif', 'in-alif', 'lif-lif', 'lif-alif', 'alif-lif', 'alif-alif', 'out'];
  it.each([
    // Every third step is all that a neuron with three refractory ones has.
    ['saturated', [...unit, 'network.populations.lif.current=50', 'network.populations.alif.current=50']],
    // Not of its firing-rate term, which has had no chance.
    ['updates-small', ['training.total=1280', ...rates.map((name) => `optimizer.rates.${name}=1e-12`)]],
    // Of which only the first updates are large against the weights.
    ['readout-dominates', ['training.total=1280', 'optimizer.rates.out=30']],
  ])('is %s: store-recall', (cause, settings) => {
    const diagnosis = look('store-recall', settings);
    expect(firstCause(diagnosis)).toBe(cause);
    expect(diagnosis.progress.verdict).not.toBe('learns');
  });

  it('has updates that are too large where its training has ended in numbers without end', () => {
    const settings = ['training.total=200', 'optimizer.rates={"in":0,"rec":1e6,"out":1e6}'];
    const config = applySettings(preset('periodic-output'), [...settings, 'backend=reference'], catalogue);
    const experiment = createExperiment(config, catalogue);
    expect(() => experiment.train()).toThrow(/not finite|NaN|Infinity/i);
    const diagnosis = diagnose(experiment, catalogue);
    expect(firstCause(diagnosis)).toBe('updates-large');
    expect(diagnosis.progress.verdict).not.toBe('learns');
  });

  it('loses its updates in few bits, unless rounding is stochastic', () => {
    const words = (rounding: string) =>
      look('four-six-back', [
        'training.total=4000',
        'evaluation.total=4000',
        `fixed={"formats":{"*.weights":{"bits":4,"range":4,"rounding":"${rounding}"}}}`,
      ]);
    expect(firstCause(words('nearest'))).toBe('updates-lost');
    const stochastic = words('stochastic');
    expect(stochastic.findings.map(({ cause }) => cause)).not.toContain('updates-lost');
    expect(stochastic.measures.find(({ quantity }) => quantity === 'lost')?.why).toMatch(/^stochastic/);
  });
});

describe('a network that learns', () => {
  it.each([
    ['pattern-generation', ['training.total=300']],
    ['periodic-output', ['training.total=3000']],
    ['subtasks', ['training.total=1500']],
  ])('is not accused: %s', (source, settings) => {
    const { progress, findings } = look(source, settings);
    expect(progress.verdict).toBe('learns');
    for (const { severity } of findings) expect(severity).toBe('note');
  });
});

describe('a diagnosis', () => {
  it('changes nothing of the experiment', () => {
    const experiment = trained('four-six-back', [
      'training.total=8000',
      'training.chunkSteps=50',
      'evaluation.total=1600',
    ]);
    const before = experiment.checkpoint();
    diagnose(experiment, catalogue);
    expect(Buffer.from(experiment.checkpoint()).equals(Buffer.from(before))).toBe(true);
  });

  it('of a network that has not been trained says so, and judges its settings', () => {
    const config = applySettings(preset('four-six-back'), [...short, 'rule.feedbackScale=1e-6'], catalogue);
    const diagnosis = diagnose(createExperiment(config, catalogue), catalogue);
    expect(diagnosis.progress.verdict).toBe('not trained yet');
    expect(firstCause(diagnosis)).toBe('signal-vanishes');
    expect(diagnosis.measures.find(({ quantity }) => quantity === 'drift')).toMatchObject({
      value: null,
      why: 'no training yet',
    });
  });

  it('knows from the task what only several inputs together say of the targets', () => {
    const { run, ...experiment } = createExperiment(
      applySettings(preset('match-to-sample'), ['training.total=64'], catalogue),
      catalogue,
    );
    const told = (bounds: Experiment['task']['bounds']) => {
      const one = { ...experiment, run, task: { ...experiment.task, bounds } };
      const samples = drawSamples(one);
      return measureInformation(one, samples, constantLoss(one, samples)).value;
    };
    expect(told(experiment.task.bounds)).toBeGreaterThan(0.9);
    expect(told([])).toBeLessThan(0.01);
  });

  it('takes no bound for the best that is not said to be', () => {
    const fresh = createExperiment(applySettings(preset('digits'), ['evaluation.total=100'], catalogue), catalogue);
    expect(fresh.task.bounds.map(({ value }) => value)).toEqual([Math.log(10)]);
    expect(progressOf(fresh, fresh, drawSamples(fresh), []).best).toBe(0);
  });

  it('says what cannot be measured, and why', () => {
    const whys = look('subtasks', ['training.total=8', 'evaluation.total=8']).measures.flatMap(({ why }) => why ?? []);
    for (const why of ['no projection learns', 'readouts are all that learns', 'the firing-rate term is off'])
      expect(whys).toContain(why);
  });

  it('holds the loss against that of the best constant output and the best bound, and sees whether it falls', () => {
    const experiment = trained('four-six-back', [...short, 'rule.feedbackScale=1e-6']);
    const fresh = createExperiment(experiment.config, catalogue);
    const samples = drawSamples(experiment);
    const history = (slope: number) => Array.from({ length: 60 }, (_, n) => 1 - slope * n + 0.01 * Math.sin(n));
    const progress = (slope: number) => progressOf(experiment, fresh, samples, history(slope));
    const { constant, best, now, gain } = progress(0);
    // The entropy of a label of which nothing is known, and the bound with both symbols.
    expect(constant).toBeCloseTo(0.6616, 1);
    expect(best).toBeCloseTo(0.4545, 4);
    expect(gain).toBeCloseTo(((constant ?? 0) - now) / ((constant ?? 0) - (best ?? 0)), 12);
    expect(progress(0.002).verdict).toBe('falls');
    expect(progress(0).verdict).toBe('does not learn');
    expect(progress(-0.002).verdict).toBe('does not learn');
  });

  it('knows the gradient of BPTT as that of BPTT, and a rate term that is twice as strong as twice as large', () => {
    const made = (settings: readonly string[]) =>
      createExperiment(
        applySettings(preset('pattern-generation'), ['task.steps=100', ...settings], catalogue),
        catalogue,
      );
    const value = (measures: readonly Measure[], quantity: Measure['quantity']) =>
      measures.find((measure) => measure.quantity === quantity)?.value;
    const truth = measureAlignment(made(['rule={"name":"bptt"}']), catalogue);
    expect(value(truth, 'opposition')).toBeCloseTo(-1, 3);
    expect(value(truth, 'signalNorm')).toBeGreaterThanOrEqual(0.999);
    const [once, twice] = [150, 300].map((strength) =>
      value(measureRateTerm(made([`rateTerm.strength=${strength}`]), catalogue, 'now'), 'rateShare'),
    );
    expect(once).toBeGreaterThan(0);
    expect(twice).toBeCloseTo(2 * (once ?? 0), 3);
  });

  it('takes noise of single cells for noise only where it cannot be foretold', () => {
    const noise = (encoding: object) =>
      values(
        look('four-six-back', [
          'training.total=1600',
          'training.chunkSteps=50',
          `task.encoding=${JSON.stringify(encoding)}`,
          'evaluation.total=800',
        ]),
        'driveNoise',
      )[0] ?? 0;
    expect(noise({ kind: 'poisson', cells: 20, rateHz: 50 })).toBeGreaterThan(2);
    expect(noise({ kind: 'poisson', cells: 20, rateHz: 200 })).toBeLessThan(1e-9);
    expect(noise({ kind: 'poisson', cells: 20, rateHz: 190 })).toBeLessThan(0.3);
  });
});
