import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import type { Weights } from '../../src/core/network.ts';
import { gradientOf } from '../../src/engine/run.ts';
import {
  blocks,
  doTrial,
  expectRefused,
  isRefused,
  type LiveOptions,
  liveExperiment,
  liveGradient,
  liveNeurons,
  liveReadouts,
} from '../support/live.ts';
import { tolerances } from '../support/tolerances.ts';

const traceSettings = [
  { label: 'filtered', trace: {} },
  { label: 'filtered, scale 1', trace: { filterScale: '1' } },
  { label: 'filtered, scale 1-kappa', trace: { filterScale: '1-kappa' } },
  { label: 'unfiltered', trace: { readoutFilter: false } },
  { label: 'reset in trace', trace: { resetInTrace: true } },
  { label: 'reset in trace, unfiltered', trace: { resetInTrace: true, readoutFilter: false } },
];
const rateTerms = [
  { label: 'no rate term', rateTerm: {} },
  { label: 'rate of the trial', rateTerm: { strength: 2, targetHz: 300, mean: 'trial' } },
  { label: 'rate of the batch', rateTerm: { strength: 2, targetHz: 300, mean: 'batch' } },
  { label: 'running rate', rateTerm: { strength: 0.3, targetHz: 300, mean: 'running', runningRate: 0.1 } },
];
const cases = liveReadouts.flatMap((readout) =>
  traceSettings.flatMap((trace) =>
    rateTerms.map((rateTerm) => ({
      label: `${readout.label}, ${trace.label}, ${rateTerm.label}`,
      readout,
      trace: trace.trace,
      rateTerm: rateTerm.rateTerm,
    })),
  ),
);

/** Every registered rule that has a plastic recurrent network, as a configuration; a rule without a row is a failure. */
const rules: Readonly<Record<string, ((trace: object, feedback: string) => { readonly name: string }) | null>> = {
  'e-prop-1': (trace, feedback) => ({ name: 'e-prop-1', feedback, ...trace }),
  factored: (trace, feedback) => ({
    name: 'factored',
    trace: { kind: 'eligibility', ...trace },
    signal: { kind: 'broadcast', feedback },
  }),
  rflo: (_trace, feedback) => ({ name: 'rflo', feedback }),
  bptt: (_trace, feedback) => ({ name: 'bptt', feedback }),
  rtrl: (_trace, feedback) => ({ name: 'rtrl', feedback }),
  uoro: (_trace, feedback) => ({ name: 'uoro', feedback }),
  kernl: (_trace, feedback) => ({ name: 'kernl', feedback }),
  'rate-term-only': () => ({ name: 'rate-term-only' }),
  'readout-only': null,
  'e-prop-2': null,
  'e-prop-3': () => ({ name: 'e-prop-3', window: 12, reset: 'detached' }),
  'weight-perturbation': () => ({ name: 'weight-perturbation', sigma: 0.3 }),
  'node-perturbation': () => ({ name: 'node-perturbation', sigma: 0.3 }),
  contrastive: () => ({ name: 'contrastive', phases: 'trial', teacher: 'target', feedback: 'random' }),
  // A family of one signal, which has its own equations and no deferred form of its own: dendrite.test.ts.
  ...Object.fromEntries(['sg-r-d', 'sg-r-d-lean', 'sg-r', 'sg-v', 'sg-z', 'sg-d', 'dni'].map((name) => [name, null])),
};

/** Rules that need a second population, with suites of their own: test/models/eprop2.test.ts. */
const ofSeveral = new Set(['e-prop-2']);

it('has a row for every registered rule', () => {
  expect(Object.keys(rules).sort()).toEqual(models.rules.map(({ name }) => name).sort());
});

describe.each(liveNeurons)('$label: the online gradient is the deferred one', (neuron) => {
  it.each(cases)('$label', ({ readout, trace, rateTerm }) => {
    const options = (execution: string, feedback = 'random'): LiveOptions => ({
      neuron,
      readout,
      rateTerm,
      rule: rules['e-prop-1']?.(trace, feedback) ?? { name: '' },
      training: { execution },
    });
    const refused = isRefused(trace, neuron);
    if (refused) {
      for (const execution of ['online', 'deferred']) expectRefused(() => liveExperiment(options(execution)), refused);
      return;
    }
    const online = liveGradient(options('online'));
    expect(largestDifference(online, liveGradient(options('online', 'symmetric')))).toBeGreaterThan(1e-3);
    expect(blocks(online)).toBeClose(blocks(liveGradient(options('deferred'))), tolerances.reordered);
  });

  it.each(
    liveReadouts.flatMap((readout) =>
      ['keep', 'drop'].map((borderSpikes) => ({ readout, borderSpikes, name: readout.label })),
    ),
  )('with border spikes: $borderSpikes, $name', ({ readout, borderSpikes }) => {
    const gradient = (execution: string, arriving = borderSpikes) => {
      const network = { borderSpikes: arriving };
      const experiment = liveExperiment({ neuron, readout, network, training: { execution, state: 'carry' } });
      doTrial(experiment);
      return gradientOf(doTrial(experiment));
    };
    const other = borderSpikes === 'keep' ? 'drop' : 'keep';
    expect(blocks(gradient('online'))).toBeClose(blocks(gradient('deferred')), tolerances.reordered);
    expect(largestDifference(gradient('online'), gradient('online', other))).toBeGreaterThan(1e-6);
  });

  it('with a conduction delay of three steps', () => {
    const gradient = (execution: string, delayMs: number | null = 3) => {
      const experiment = liveExperiment({
        neuron,
        network: { recurrent: { init: { kind: 'normal', gain: 0.8 }, delayMs } },
        training: { execution, state: 'carry' },
      });
      doTrial(experiment);
      return gradientOf(doTrial(experiment));
    };
    expect(blocks(gradient('online'))).toBeClose(blocks(gradient('deferred')), tolerances.reordered);
    expect(largestDifference(gradient('online'), gradient('online', 1))).toBeGreaterThan(1e-6);
    expect(blocks(gradient('online', 1))).toBeBitEqual(blocks(gradient('online', null)));
  });

  it.each(['online', 'deferred'])('a trial shorter than its arrays, %s', (execution) => {
    const rateTerm = { strength: 2, targetHz: 300, mean: 'batch' };
    const whole = liveExperiment({
      neuron,
      rateTerm,
      task: { mode: 'stream' },
      training: { ...stream(30), execution },
    });
    const part = liveExperiment({ neuron, rateTerm, task: { mode: 'stream' }, training: { ...stream(50), execution } });
    doTrial(whole);
    doTrial(part, { steps: 30 });
    expect(blocks(gradientOf(part.run))).toBeBitEqual(blocks(gradientOf(whole.run)));
  });
});

function stream(chunkSteps: number): Record<string, unknown> {
  return { chunkSteps, traces: 'restart', total: 600 };
}

describe.each(liveNeurons)('$label: named and factored', (neuron) => {
  it('the factored rule with the same parts is e-prop 1, bit for bit', () => {
    const gradientBy = (name: string) =>
      blocks(liveGradient({ neuron, rule: rules[name]?.({}, 'random') ?? { name: '' } }));
    expect(gradientBy('factored')).toBeBitEqual(gradientBy('e-prop-1'));
  });
});

describe.each(liveNeurons)('$label: feedback', (neuron) => {
  const build = (feedback: string) => liveExperiment({ neuron, rule: { name: 'e-prop-1', feedback } });

  it.each(['random', 'adaptive'])('%s with B = W_out is symmetric, bit for bit', (feedback) => {
    const symmetric = doTrial(build('symmetric'));
    const other = build(feedback);
    other.run.network.state.field('population.rec.signal.B').set(other.run.network.weights.out);
    expect(blocks(gradientOf(doTrial(other)))).toBeBitEqual(blocks(gradientOf(symmetric)));
  });

  it('the gradient of the network is linear in B, that of the readout does not know it', () => {
    const gradientWith = (factor: number) => {
      const experiment = build('random');
      const B = experiment.run.network.state.field('population.rec.signal.B');
      for (let s = 0; s < B.length; s++) B[s] *= factor;
      return gradientOf(doTrial(experiment));
    };
    const [one, four] = [gradientWith(1), gradientWith(4)];
    expect(four.in).toBeBitEqual(Array.from(one.in, (g) => 4 * g));
    expect(four.rec).toBeBitEqual(Array.from(one.rec, (g) => 4 * g));
    expect(four.out).toBeBitEqual(Array.from(one.out));
  });

  it('readout-only leaves the gradient of the network 0 and that of the readout the same', () => {
    const control = gradientOf(doTrial(liveExperiment({ neuron, rule: { name: 'readout-only' } })));
    const full = gradientOf(doTrial(build('random')));
    expect(
      Array.from(control.in)
        .concat(Array.from(control.rec))
        .every((g) => g === 0),
    ).toBe(true);
    expect(Array.from(control.out)).toBeBitEqual(Array.from(full.out));
    expect(Array.from(control['out.bias'])).toBeBitEqual(Array.from(full['out.bias']));
  });
});

describe.each(liveNeurons)('$label: every rule', (neuron) => {
  const build = (rule: { readonly name: string }, options: LiveOptions = {}) =>
    liveExperiment({ neuron, ...options, rule });
  const single = Object.entries(rules).filter(([name]) => !ofSeveral.has(name));
  const all = single.map(([name, make]) => {
    const rule = make?.({}, 'random') ?? { name };
    return { name, rule, refused: isRefused(rule, neuron) };
  });
  const rows = all.filter(({ refused }) => refused === null);
  const others = all.flatMap(({ refused, ...rest }) => (refused ? [{ ...rest, refused }] : []));

  it.runIf(others.length > 0).each(others)('$name is refused: $refused', ({ rule, refused }) => {
    expectRefused(() => build(rule), refused);
  });

  it.each(rows)('$name has the gradient of the readout that all have', ({ rule }) => {
    const gradient = gradientOf(doTrial(build(rule)));
    const control = gradientOf(doTrial(build({ name: 'readout-only' })));
    expect(gradient.out).toBeClose(control.out, tolerances.reordered);
    expect(gradient['out.bias']).toBeClose(control['out.bias'], tolerances.reordered);
  });

  it.each(rows)('$name changes no activity while it learns nothing', ({ rule }) => {
    const [learning, still] = [build(rule), build(rule)];
    doTrial(learning);
    doTrial(still, { learn: false });
    for (const name of ['z', 'psi'] as const) {
      expect(learning.run.network.activity[0][name].data, name).toBeBitEqual(still.run.network.activity[0][name].data);
    }
    for (const name of ['y', 'error'] as const) {
      expect(learning.run.network.trial[name].data, name).toBeBitEqual(still.run.network.trial[name].data);
    }
  });

  it.each(rows.filter(({ name }) => !name.endsWith('-only')))('$name moves every block of weights', ({ rule }) => {
    const gradient = gradientOf(doTrial(build(rule)));
    for (const block of blocks(gradient)) expect(block.some((g) => Math.abs(g) > 1e-6)).toBe(true);
    expect(
      blocks(gradient)
        .flatMap((block) => [...block])
        .every(Number.isFinite),
    ).toBe(true);
  });
});

describe.each(liveNeurons)('$label: streams', (neuron) => {
  it.each([
    ['online', {}],
    ['deferred', {}],
    ['online', { strength: 2, targetHz: 300, mean: 'trial' }],
    ['deferred', { strength: 2, targetHz: 300, mean: 'trial' }],
    ['online', { strength: 0.3, targetHz: 300, mean: 'running', runningRate: 0.1 }],
  ])('three at once are three trials one by one, %s with %j', (execution, rateTerm) => {
    const build = (streams: number) => liveExperiment({ neuron, rateTerm, training: { execution, streams } });
    const together = gradientOf(doTrial(build(3)));
    const single = build(1);
    for (let trial = 0; trial < 3; trial++) {
      single.run.network.state.field('population.rec.mean').fill(0);
      doTrial(single);
    }
    expect(blocks(together)).toBeClose(blocks(gradientOf(single.run)), tolerances.reordered);
  });

  it('each stream leaves the state that its trial leaves alone', () => {
    const together = doTrial(liveExperiment({ neuron, training: { streams: 3 } })).network;
    const single = liveExperiment({ neuron, training: { streams: 1 } });
    for (let b = 0; b < 3; b++) {
      const alone = doTrial(single).network;
      const own = alone.state.table.filter(({ role }) => role === 'neuron' || role === 'readout');
      expect(new Set(own.map(({ role }) => role)).size).toBe(2);
      for (const { name } of own) {
        const view = alone.state.field(name);
        const all = together.state.field(name);
        expect(all.subarray(b * view.length, (b + 1) * view.length), name).toBeBitEqual(view);
      }
    }
  });
});

describe('alif neurons that do not adapt', () => {
  it.each(traceSettings.flatMap((trace) => ['online', 'deferred'].map((execution) => ({ ...trace, execution }))))(
    'have the gradient of lif neurons: $label, $execution',
    ({ trace, execution }) => {
      const gradientOfKind = (kind: string, rest: object) => {
        const params = { kind, membrane: { decay: 0.8 }, vTh: 0.6, psiWidth: 1.2, ...rest };
        const rule = { name: 'e-prop-1', ...trace };
        return blocks(liveGradient({ neuron: { label: kind, params }, rule, training: { execution } }));
      };
      expect(gradientOfKind('alif', { adaptBeta: 0 })).toBeClose(gradientOfKind('lif', {}), tolerances.reordered);
    },
  );
});

describe('the scale of the rate term', () => {
  const gradientWith = (reduction: string, mean: string, streams: number) =>
    gradientOf(
      doTrial(
        liveExperiment({
          rule: { name: 'e-prop-1', feedbackScale: 0 },
          rateTerm: { strength: 2, targetHz: 300, mean },
          training: { streams, update: { reduction } },
        }),
      ),
    );

  it.each(['trial', 'batch'])('is that of a mean over streams where gradients are summed, too (%s)', (mean) => {
    const summed = gradientWith('sum', mean, 3);
    const averaged = gradientWith('mean', mean, 3);
    expect(Array.from(summed.in, (g) => 3 * g)).toBeClose(averaged.in, tolerances.reordered);
  });

  it('differs between the rates of trials and of the batch, and not where there is one stream', () => {
    expect(largestDifference(gradientWith('mean', 'trial', 3), gradientWith('mean', 'batch', 3))).toBeGreaterThan(1e-3);
    expect(blocks(gradientWith('mean', 'trial', 1))).toBeClose(
      blocks(gradientWith('mean', 'batch', 1)),
      tolerances.reordered,
    );
  });
});

/** Largest difference of the network's gradients (the readout's do not depend on the feedback), relative to the largest entry. */
function largestDifference(one: Weights, other: Weights): number {
  const pairs = [...one.in, ...one.rec].map((value, s) => [value, [...other.in, ...other.rec][s]]);
  const largest = Math.max(...pairs.flat().map(Math.abs));
  return Math.max(...pairs.map(([a, b]) => Math.abs(a - b))) / largest;
}
