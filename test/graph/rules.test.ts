import { describe, expect, it } from 'vitest';
import { gradientOf } from '../../src/engine/run.ts';
import { createAudit } from '../../src/experiment/audit.ts';
import { firstTrial, graphExperiment } from '../support/graphs.ts';
import { liveCatalogue } from '../support/live.ts';

/** Populations that learn by rules of their own. */
const lif = { kind: 'lif', membrane: { decay: 0.8 }, vTh: 0.5, nRef: 2 };
const eprop = { name: 'e-prop-1', feedback: 'random' };
const rflo = { name: 'rflo' };

interface Setting {
  readonly rule: Record<string, unknown>;
  readonly front?: Record<string, unknown> | null;
  readonly back?: Record<string, unknown> | null;
  readonly backend?: string;
  readonly more?: Record<string, unknown>;
}

function configOf({ rule, front = null, back = null, backend = 'reference', more = {} }: Setting) {
  return {
    backend,
    rule,
    task: { kind: 'live', steps: 40, inputs: 12, outputs: 3 },
    network: {
      populations: {
        front: { size: 11, neuron: lif, rule: front },
        back: { size: 9, neuron: { ...lif, kind: 'alif', adaptation: { decay: 0.95 }, adaptBeta: 0.1 }, rule: back },
      },
      projections: {
        a: { from: 'input', to: 'front', init: { kind: 'normal', gain: 2 } },
        b: { from: 'front', to: 'back', delayMs: 0, init: { kind: 'normal', gain: 2 } },
        c: { from: 'back', to: 'front' },
        d: { from: 'back', to: 'back' },
      },
      readouts: { out: { from: ['front', 'back'], readout: { kind: 'leaky', filter: { decay: 0.7 } } } },
    },
    optimizer: { kind: 'sgd', rates: { a: 0.02, b: 0.02, c: 0.02, d: 0.02, out: 0.05 } },
    training: { total: 8, streams: 2 },
    ...more,
  };
}

const experimentOf = (setting: Setting) => graphExperiment(configOf(setting));
const gradient = (setting: Setting) => gradientOf(firstTrial(experimentOf(setting)));
const onto = { front: ['a', 'c'], back: ['b', 'd'] } as const;

describe.each(['online', 'deferred'])('%s', (execution) => {
  const more = { training: { total: 8, streams: 2, execution } };

  it('gradients of each population are those of its rule', () => {
    const mixed = gradient({ rule: eprop, back: rflo, more });
    const [byEprop, byRflo] = [gradient({ rule: eprop, more }), gradient({ rule: rflo, more })];
    for (const name of onto.front) expect(mixed[name]).toEqual(byEprop[name]);
    for (const name of onto.back) expect(mixed[name]).toEqual(byRflo[name]);
    expect(byEprop.d).not.toEqual(byRflo.d);
    expect(mixed.out).toEqual(byEprop.out);
  });

  it.each(['trial', 'batch', 'running'])('wasm has the gradients of the reference, rate term of the %s', (mean) => {
    const rated = { ...more, rateTerm: { strength: 0.5, targetHz: 20, mean } };
    const others = [eprop, { name: 'readout-only' }, { ...eprop, feedback: 'symmetric' }];
    for (const [front, back] of others.flatMap((one) => others.map((two) => [one, two]))) {
      const setting = { rule: eprop, front, back, more: rated };
      const want = gradient(setting);
      for (const [name, got] of Object.entries(gradient({ ...setting, backend: 'wasm' }))) {
        expect(got, name).toBeClose(want[name], { relative: 1e-5, absolute: 1e-6 });
      }
    }
  });
});

it('the rule of the experiment may be said of a population again', () => {
  const once = experimentOf({ rule: eprop });
  const again = experimentOf({ rule: { name: 'readout-only' }, front: eprop, back: eprop });
  for (const experiment of [once, again]) experiment.train();
  expect(again.run.network.state.data).toEqual(once.run.network.state.data);
  expect(once.run.network.state.data.length).toBeGreaterThan(300);
});

it('a parameter may differ: the same feedback, in two scales', () => {
  const plain = gradient({ rule: { ...eprop, feedbackScale: 1 } });
  const mixed = gradient({ rule: { ...eprop, feedbackScale: 1 }, back: { ...eprop, feedbackScale: 4 } });
  for (const name of onto.front) expect(mixed[name]).toEqual(plain[name]);
  for (const name of onto.back)
    expect(mixed[name]).toBeClose(
      plain[name].map((g) => 4 * g),
      { relative: 1e-12 },
    );
});

it.each(['reference', 'wasm'])(
  '%s: the rest learns where nothing that ends on the first population is plastic',
  (backend) => {
    const config = configOf({ rule: eprop, backend });
    const { projections } = config.network;
    const frozen = { ...projections, a: { ...projections.a, plastic: false }, c: { ...projections.c, plastic: false } };
    const got = gradientOf(
      firstTrial(graphExperiment({ ...config, network: { ...config.network, projections: frozen } })),
    );
    const all = gradient({ rule: eprop, backend });
    for (const name of onto.front) expect(got[name].every((g) => g === 0)).toBe(true);
    for (const name of onto.back) expect(got[name]).toEqual(all[name]);
  },
);

it('weights onto a population that no rule teaches stay, bit for bit, on reference and wasm', () => {
  for (const backend of ['reference', 'wasm']) {
    const experiment = experimentOf({ rule: eprop, front: { name: 'readout-only' }, backend });
    const { weights } = experiment.run.network;
    const before = Object.fromEntries(Object.entries(weights).map(([name, w]) => [name, Array.from(w)]));
    experiment.train();
    for (const name of onto.front) expect(Array.from(weights[name]), name).toEqual(before[name]);
    for (const name of [...onto.back, 'out'])
      expect(Array.from(weights[name]), `${backend} ${name}`).not.toEqual(before[name]);
  }
});

it.each([
  ['reference', 1e-12],
  ['wasm', 1e-5],
])(
  '%s: readout weights decay where the feedback to their population aligns with them, and nowhere else',
  (backend, relative) => {
    const decayed = (front: Record<string, unknown>) => {
      const rates = { a: 0, b: 0, c: 0, d: 0, out: 1e-30 };
      const experiment = experimentOf({ rule: eprop, front, backend, more: { optimizer: { kind: 'sgd', rates } } });
      const before = Array.from(experiment.run.network.weights.out);
      experiment.train();
      return Array.from(experiment.run.network.weights.out, (w, s) => w / before[s]);
    };
    const shares = decayed({ name: 'e-prop-1', feedback: 'adaptive', feedbackDecay: 0.1 });
    const rows = 3 * 11;
    expect(shares.slice(0, rows)).toBeClose(Array(rows).fill(0.9 ** 4), { relative });
    expect(shares.slice(rows)).toEqual(Array(3 * 9).fill(1));
  },
);

it('a signal that learns by itself teaches one population beside e-prop in the other', () => {
  const dendrite = { name: 'sg-r-d' };
  const more = { training: { total: 8, streams: 2, execution: 'online' } };
  const mixed = gradient({ rule: eprop, back: dendrite });
  expect(mixed.a).toEqual(gradient({ rule: eprop, more }).a);
  expect(mixed.d).toEqual(gradient({ rule: { name: 'readout-only' }, back: dendrite }).d);
  expect(mixed.d.some((g) => g !== 0)).toBe(true);
});

it('an audit follows rules of populations as the master, and holds one rule of the whole against them', () => {
  const audit = createAudit(
    {
      seed: 5,
      name: 'mixed',
      loss: { kind: 'square' },
      evaluation: { total: 1, streams: 1 },
      ...configOf({ rule: eprop, back: rflo }),
    },
    liveCatalogue,
    {
      rules: [
        { label: 'e-prop 1', rule: eprop },
        { label: 'rflo', rule: rflo },
      ],
      windows: 2,
      chunks: 1,
    },
  );
  const points = [...audit.run()].flatMap(({ point }) => (point ? [point] : []));
  expect(audit.rules.map(({ role }) => role)).toEqual(['master', 'audited', 'audited', 'reference', 'identity']);
  expect(audit.rules[0].label).toBe('e-prop-1');
  const [master, byEprop, byRflo] = points[0].alignments;
  for (const name of onto.front) expect(master[name]).toEqual(byEprop[name]);
  for (const name of onto.back) expect(master[name]).toEqual(byRflo[name]);
  audit.close();
});

describe('refused by name', () => {
  const refusal = (setting: Setting) => () => experimentOf(setting);
  it('a rule of the whole network for one population', () => {
    expect(refusal({ rule: eprop, back: { name: 'bptt' } })).toThrow(
      'network.populations.back.rule: got "bptt", expected a rule of traces and signals',
    );
  });
  it('a rule of a population beside one of the whole network', () => {
    expect(refusal({ rule: { name: 'bptt' }, back: eprop })).toThrow(
      'network.populations.back.rule: got "e-prop-1", expected null beside "bptt"',
    );
  });
  it('a parameter of a rule of a population', () => {
    expect(refusal({ rule: eprop, back: { name: 'e-prop-1', feedbackScale: -1 } })).toThrow(
      /network\.populations\.back\.rule\.feedbackScale: got -1/,
    );
  });
});
