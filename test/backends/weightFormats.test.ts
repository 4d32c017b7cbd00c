import { describe, expect, it } from 'vitest';
import { catalogue } from '../../src/cli/catalogue.ts';
import { preset } from '../../src/config/presets.ts';
import { applySettings } from '../../src/config/settings.ts';
import { UnsupportedError } from '../../src/core/errors.ts';
import { createExperiment, type Experiment } from '../../src/experiment/experiment.ts';

type Rounding = 'floor' | 'nearest' | 'toward-zero' | 'stochastic';

const formatsOf = (rounding: Rounding, more: object = {}) =>
  `fixed=${JSON.stringify({ formats: { '*.weights': { bits: 8, range: 2, rounding } }, ...more })}`;

/** A network of two populations, twenty trials an update, on symbols of few steps. */
function made(backend: 'wasm' | 'fixed', settings: readonly string[], threads = 1): Experiment {
  const all = ['task.symbolSteps=5', 'training.streams=20', 'training.total=120', 'evaluation.total=40'];
  const raw = applySettings(preset('store-recall'), [...all, `backend=${backend}`, ...settings]);
  return createExperiment(raw, catalogue, { threads });
}

function trained(experiment: Experiment): Experiment {
  experiment.train();
  return experiment;
}

const weightsOf = ({ run }: Experiment): Record<string, number[]> =>
  Object.fromEntries(Object.entries(run.network.weights).map(([name, block]) => [name, Array.from(block)]));

/** A step of eight bits, one of them the sign, for magnitudes up to 2. */
const step = 2 ** -6;

describe('weights in fixed point on wasm', () => {
  it.each(['floor', 'nearest', 'toward-zero', 'stochastic'] as const)(
    'are those of the backend "fixed": %s',
    (rounding) => {
      const [fast, exact] = [
        trained(made('wasm', [formatsOf(rounding)])),
        trained(made('fixed', [formatsOf(rounding)])),
      ];
      const [a, b] = [weightsOf(fast), weightsOf(exact)];
      expect(Object.keys(a)).toEqual(Object.keys(b));
      let [count, other] = [0, 0];
      for (const name of Object.keys(a)) {
        expect(
          a[name].every((w) => Number.isInteger(w / step) && Math.abs(w) <= 2),
          name,
        ).toBe(true);
        count += a[name].length;
        other += a[name].filter((w, s) => w !== b[name][s]).length;
      }
      expect(count).toBeGreaterThan(3000);
      // One rounds the sum in float32, the other the change in float64: a number next to a border may fall on either side.
      expect(other / count).toBeLessThan(0.01);
      expect(Math.abs(fast.evaluate().lossPerStep - exact.evaluate().lossPerStep)).toBeLessThan(1e-3);
      const told = (experiment: Experiment) =>
        (experiment.run.stages.statistics?.() ?? []).map(({ field, lost }) => ({ field, some: lost > 0 }));
      expect(told(fast)).toEqual(told(exact));
      expect(told(fast).some(({ some }) => some)).toBe(true);
    },
  );

  it('changes them: they are not those of floating point', () => {
    const [inWords, floating] = [trained(made('wasm', [formatsOf('stochastic')])), trained(made('wasm', []))];
    expect(weightsOf(inWords)).not.toEqual(weightsOf(floating));
    expect(floating.run.stages.statistics).toBeUndefined();
  });

  it.each([
    ['hash', {}],
    ['lfsr', { generator: 'lfsr' }],
  ])('a resumed run goes on with the same random numbers: %s', (_, more) => {
    const settings = [formatsOf('stochastic', more)];
    const whole = trained(made('wasm', settings));
    const first = made('wasm', settings);
    first.train({ until: 60 });
    const second = made('wasm', settings);
    second.restore(first.checkpoint());
    second.train();
    expect(weightsOf(second)).toEqual(weightsOf(whole));
  });

  it('are the same for any number of threads', () => {
    const settings = [formatsOf('stochastic'), 'task.symbolSteps=40', 'training.total=40'];
    const [one, two] = [trained(made('wasm', settings)), trained(made('wasm', settings, 2))];
    expect(weightsOf(two)).toEqual(weightsOf(one));
    two.close();
  });

  it('goes backwards where floating point does, and states the bytes of what it keeps', () => {
    const [inWords, floating] = [made('wasm', [formatsOf('nearest')]), made('wasm', [])];
    expect(inWords.run.network.spec.execution).toBe('deferred');
    const weights = Object.values(weightsOf(inWords)).reduce((sum, block) => sum + block.length, 0);
    expect(inWords.memory.bytes - floating.memory.bytes).toBeGreaterThanOrEqual(8 * weights);
  });

  it.each([
    [
      'a format of something else',
      ['fixed={"formats":{"*.weights":{"bits":8,"range":2},"*.v":{"bits":8,"range":2}}}'],
      /wasm" has no kernel for number formats of anything but weights \(population.lif.v, population.alif.v\); use --backend fixed/,
    ],
    [
      'a word whose changes float32 does not hold',
      ['fixed={"formats":{"readout.out.weights":{"bits":17,"range":2}}}'],
      /words of more than 16 bits \(readout.out.weights\); use --backend fixed/,
    ],
    [
      'updates within a trial',
      [formatsOf('nearest'), 'rateTerm.strength=0', 'training.update={"unit":"step","every":1}'],
      /number formats of weights that change within a trial/,
    ],
    [
      'weights that are kept up beside updates',
      [formatsOf('nearest'), 'network.projections.alif-alif.scaling={"kind":"presynaptic-scaling"}'],
      /number formats beside the scaling "presynaptic-scaling" of alif-alif/,
    ],
    [
      'several passes',
      [formatsOf('nearest'), 'rateTerm.strength=0', 'rule={"name":"weight-perturbation"}'],
      /number formats beside a rule of several passes/,
    ],
  ])('refuses %s', (_, settings, message) => {
    expect(() => made('wasm', settings)).toThrow(UnsupportedError);
    expect(() => made('wasm', settings)).toThrow(message);
  });
});
