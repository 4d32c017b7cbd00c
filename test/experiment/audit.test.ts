import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { preset } from '../../src/config/presets.ts';
import { ConfigError } from '../../src/core/errors.ts';
import type { TaskInstance } from '../../src/core/plugins.ts';
import { type AuditBlock, align } from '../../src/experiment/alignment.ts';
import { type AuditOptions, type AuditPoint, createAudit } from '../../src/experiment/audit.ts';
import { identityLabel } from '../../src/experiment/auditPoint.ts';
import { createExperiment } from '../../src/experiment/experiment.ts';
import { tasks } from '../../tasks/index.ts';
import { blocks, type LiveOptions, liveCatalogue, liveConfig, liveNeurons } from '../support/live.ts';
import { tolerances } from '../support/tolerances.ts';

/** Trials that start anew, with updates between them. */
const anew: LiveOptions = {};
/** Streams that carry over, with updates at every step. */
const carried: LiveOptions = {
  task: { mode: 'stream' },
  training: { total: 600, chunkSteps: 50, update: { unit: 'step' } },
};
/** Streams that carry over, with updates between chunks: a follower then sees what the master sees. */
const between: LiveOptions = { task: { mode: 'stream' }, training: { total: 600, chunkSteps: 50 } };

type Rules = Readonly<Record<string, unknown>>;

function run(config: unknown, rules: Rules, options: Partial<AuditOptions> = {}, catalogue = liveCatalogue) {
  const given = Object.entries(rules).map(([label, rule]) => ({ label, rule }));
  const audit = createAudit(config, catalogue, { rules: given, windows: 3, chunks: 2, ...options });
  const points: AuditPoint[] = [];
  for (const { point } of audit.run()) if (point) points.push(point);
  return { audit, points, labels: audit.rules.map(({ label }) => label) };
}

/** A measure of a rule's recurrent and input weights over all points: [point][block]. */
function course({ points, labels }: ReturnType<typeof run>, label: string, measure: 'cosine' | 'sign' | 'norm') {
  const n = labels.indexOf(label);
  expect(n, label).toBeGreaterThanOrEqual(0);
  return points.map(({ alignments }) =>
    ['rec', 'in'].map((block) => {
      const value = alignments[n][block][measure];
      if (value === null) throw new Error(`${label}: no ${measure} of ${block}`);
      return value;
    }),
  );
}

const auditBlocks: readonly AuditBlock[] = [
  { name: 'rec', kind: 'projection', parts: ['rec'] },
  { name: 'in', kind: 'projection', parts: ['in'] },
  { name: 'out', kind: 'readout', parts: ['out', 'out.bias'] },
];

const ones = (points: readonly unknown[]) => points.map(() => [1, 1]);

describe('what is 1 in exact arithmetic', () => {
  const cases = liveNeurons.flatMap((neuron) => [
    { label: `${neuron.label}, trials`, options: { ...anew, neuron } },
    { label: `${neuron.label}, streams`, options: { ...carried, neuron } },
  ]);
  it.each(cases)('eligibility times total derivative, and bptt: $label', ({ options }) => {
    const result = run(liveConfig(options), {
      bptt: { name: 'bptt' },
      local: { name: 'e-prop-1', feedback: 'symmetric' },
    });
    for (const measure of ['cosine', 'norm'] as const) {
      for (const label of [identityLabel, 'bptt']) {
        expect(course(result, label, measure)).toBeClose(ones(result.points), tolerances.identity);
      }
      expect(course(result, 'local', measure)).not.toBeClose(ones(result.points), { relative: 1e-3 });
    }
    expect(course(result, 'bptt', 'sign')).toBeBitEqual(ones(result.points));
    for (const { norms } of result.points) expect(Math.min(norms.rec, norms.in, norms.out)).toBeGreaterThan(0);
  });

  it('the reset attached', () => {
    const result = run(
      liveConfig(carried),
      { attached: { name: 'bptt', reset: 'attached' }, detached: { name: 'bptt' } },
      { reset: 'attached' },
    );
    for (const label of [identityLabel, 'attached']) {
      expect(course(result, label, 'cosine')).toBeClose(ones(result.points), tolerances.identity);
    }
    expect(course(result, 'detached', 'cosine')).not.toBeClose(ones(result.points), { relative: 1e-3 });
  });

  it('a rule against itself, in every block', () => {
    const gradient = {
      in: Float64Array.of(1, -2, 0),
      rec: Float64Array.of(0.5, 3),
      out: Float64Array.of(-1),
      'out.bias': Float64Array.of(0),
    };
    const aligned = align(gradient, gradient, auditBlocks);
    expect(Object.keys(aligned)).toEqual(['rec', 'in', 'out']);
    for (const { cosine, sign, norm } of Object.values(aligned)) {
      expect([cosine, sign, norm]).toBeClose([1, 1, 1], { relative: 1e-15 });
    }
  });

  it('the exact online rule, held against bptt on the backend that has a kernel for it', () => {
    const result = run({ ...liveConfig(anew), backend: 'auto' }, { rtrl: { name: 'rtrl' } });
    const backends = result.audit.rules.map(({ label, backend }) => [label, backend]);
    expect(backends.slice(0, 2)).toEqual([
      ['e-prop-1', 'wasm'],
      ['rtrl', 'reference'],
    ]);
    expect(course(result, 'rtrl', 'cosine')).toBeClose(ones(result.points), tolerances.identity);
  });

  it('the readout, where all rules agree', () => {
    const { points } = run(liveConfig(carried), { rflo: { name: 'rflo' } });
    for (const { alignments } of points) {
      for (const { out } of alignments.slice(0, 3)) expect(out.cosine).toBeClose(1, tolerances.reordered);
      expect(alignments[3].out.cosine).toBeNull();
    }
  });
});

describe('alignment', () => {
  const zero = new Float64Array(1);
  const of = (rec: number[]) => ({ in: zero, rec: Float64Array.from(rec), out: zero, 'out.bias': zero });
  const aligned = (gradient: number[], reference: number[]) => align(of(gradient), of(reference), auditBlocks).rec;

  it('by hand', () => {
    const { cosine, norm, sign } = aligned([3, 0, -4, 0], [1, 2, 2, 0]);
    expect(cosine).toBeClose(-1 / 3, { relative: 1e-15 });
    expect(norm).toBeClose(5 / 3, { relative: 1e-15 });
    expect(sign).toBe(0.5);
  });

  it('is not defined for nothing, and for what is not finite', () => {
    const none = { cosine: null, sign: null, norm: null };
    expect(aligned([0], [1])).toEqual({ ...none, norm: 0 });
    expect(aligned([1], [0])).toEqual(none);
    expect(aligned([Number.NaN], [1])).toEqual(none);
    expect(aligned([1e200], [1])).toEqual(none);
  });
});

describe('followers', () => {
  it.each([
    { label: 'trials', options: anew },
    { label: 'streams', options: carried },
  ])('do not change the master: $label', ({ options }) => {
    const config = liveConfig({ ...options, rateTerm: { strength: 0.1, mean: 'running' } });
    const alone = createExperiment(config, liveCatalogue);
    const before = blocks(alone.run.network.weights);
    alone.train();
    const { audit } = run(config, {
      sg: { name: 'sg-r-d', delays: 2 },
      adaptive: { name: 'e-prop-1', feedback: 'adaptive' },
    });
    const after = blocks(audit.master.run.network.weights);
    expect(after).toBeBitEqual(blocks(alone.run.network.weights));
    expect(after).not.toBeClose(before, { relative: 1e-4 });
  });

  const twins = [
    {
      label: 'A and J',
      rule: { name: 'sg-r-d', delays: 2, feedbackScale: 2 },
      parts: { trace: { kind: 'eligibility' }, signal: { kind: 'dendrite', delays: 2, scale: 2 } },
    },
    {
      label: 'adaptive feedback',
      rule: { name: 'e-prop-1', feedback: 'adaptive', feedbackDecay: 0.02 },
      parts: { trace: { kind: 'eligibility' }, signal: { kind: 'broadcast', feedback: 'adaptive', decay: 0.02 } },
    },
  ];
  it.each(twins)('learn what the master learns, where they see the same: $label', ({ rule, parts }) => {
    const config = liveConfig({ ...between, rule });
    const result = run(config, { passive: { name: 'factored', ...parts }, fixed: { name: 'e-prop-1' } });
    expect(result.labels[0]).toBe(rule.name);
    const own = course(result, rule.name, 'cosine');
    expect(course(result, 'passive', 'cosine')).toBeClose(own, { relative: 1e-9 });
    expect(course(result, 'passive', 'norm')).toBeClose(course(result, rule.name, 'norm'), { relative: 1e-9 });
    expect(course(result, 'fixed', 'cosine')).not.toBeClose(own, { relative: 1e-2 });
  });

  it('have the feedback of the master, each in its own scale', () => {
    const config = liveConfig({ ...between, readout: { label: '', params: { kind: 'leaky', filter: { decay: 0 } } } });
    const result = run(config, {
      wide: { name: 'e-prop-1', feedbackScale: 3 },
      silent: { name: 'sg-r-d', rateA: 0 },
      direct: { name: 'bptt', feedback: 'random' },
      exact: { name: 'bptt', feedback: 'random', feedbackScale: 2 },
      present: { name: 'bptt', feedback: 'random', window: 1, segment: 1 },
      unfiltered: {
        name: 'factored',
        trace: { kind: 'eligibility', presynapticFilter: false },
        signal: { kind: 'broadcast' },
      },
    });
    const cosines = course(result, 'e-prop-1', 'cosine');
    // A stays 0: nothing but the broadcast is left.
    for (const label of ['wide', 'silent']) {
      expect(course(result, label, 'cosine')).toBeClose(cosines, tolerances.identity);
    }
    const tripled = course(result, 'e-prop-1', 'norm').map((row) => row.map((value) => 3 * value));
    expect(course(result, 'wide', 'norm')).toBeClose(tripled, tolerances.identity);
    // The feedback of the direct rules is drawn from another generator, and yet the same.
    const doubled = course(result, 'direct', 'norm').map((row) => row.map((value) => 2 * value));
    expect(course(result, 'exact', 'norm')).toBeClose(doubled, tolerances.identity);
    expect(course(result, 'present', 'cosine')).toBeClose(course(result, 'unfiltered', 'cosine'), tolerances.identity);
    const { run: master } = result.audit.master;
    expect(master.network.state.field('population.rec.signal.B').some((value) => value !== 0)).toBe(true);
  });

  it('are not moved by the points before', () => {
    const rules = { sg: { name: 'sg-r-d', delays: 2 }, adaptive: { name: 'e-prop-1', feedback: 'adaptive' } };
    const few = run(liveConfig(carried), rules, { windows: 2 });
    const many = run(liveConfig(carried), rules, { windows: 4, now: () => 0 });
    expect(many.points.map(({ amount }) => amount)).toEqual([0, 200, 400, 600]);
    expect([many.points[0], many.points[3]]).toEqual(few.points);
    expect(many.points[3].alignments[0]).not.toEqual(many.points[0].alignments[0]);
  });
});

describe('a point', () => {
  const local = { local: { name: 'e-prop-1', feedback: 'symmetric' } };
  const unconnected = { recurrent: { init: { kind: 'constant', value: 0 } } };

  it('of a network without recurrent weights: e-prop is bptt, but for the past of a stream', () => {
    const cosines = (options: LiveOptions) =>
      course(run(liveConfig({ ...options, network: unconnected }), local, { chunks: 1 }), 'local', 'cosine')[0];
    expect(cosines(anew)).toBeClose([1, 1], tolerances.identity);
    for (const value of cosines(carried)) {
      expect(value).toBeGreaterThan(0.9);
      expect(value).toBeLessThan(1 - 1e-6);
    }
  });

  it('starts every chunk with the matrices of the follower', () => {
    const { task, ...config } = preset('pattern-generation') as { task: object; network: object };
    const network = { ...config.network, neurons: 15 };
    const small = {
      ...config,
      backend: 'reference',
      task: { ...task, steps: 80, inputs: 10 },
      network,
      training: { total: 4 },
    };
    // The same trial again and again.
    const withChunks = (chunks: number) =>
      run(small, { sg: { name: 'sg-r-d', delays: 1 } }, { windows: 2, chunks }, { ...models, tasks });
    const [one, three] = [withChunks(1), withChunks(3)];
    expect(course(three, 'sg', 'cosine')).toBeClose(course(one, 'sg', 'cosine'), tolerances.identity);
    expect(course(three, 'sg', 'cosine')).not.toBeClose(course(three, 'e-prop-1', 'cosine'), { relative: 1e-3 });
  });

  it('takes the expected target, where there is one', () => {
    const withTask = (change: (task: TaskInstance) => TaskInstance) => {
      const [live] = liveCatalogue.tasks;
      const derive: typeof live.derive = (params, context) => change(live.derive(params, context));
      return run(liveConfig(anew), local, {}, { ...liveCatalogue, tasks: [{ ...live, derive }] }).points;
    };
    const plain = withTask((task) => task);
    const unstated = withTask((task) => ({ ...task, statesExpected: false }));
    const sampled = withTask((task) => ({
      ...task,
      fill(out, rng, start) {
        task.fill(out, rng, start, 'train');
        out.expected.set(out.target);
      },
    }));
    expect(unstated).toEqual(sampled);
    expect(plain[0].loss).toBeLessThan(0.9 * sampled[0].loss);
  });

  it('leaves the firing-rate term out', () => {
    const first = (strength: number) =>
      run(liveConfig({ ...carried, rateTerm: { strength, mean: 'running' } }), local).points[0];
    expect(first(2)).toEqual(first(0));
  });
});

it('gives the same numbers again, and others for another seed', () => {
  const pointsOf = (seed: number) => run(liveConfig({ ...carried, seed }), { sg: { name: 'sg-r-d' } }).points;
  const once = pointsOf(5);
  expect(pointsOf(5)).toEqual(once);
  expect(pointsOf(6)[0].loss).not.toBe(once[0].loss);
});

it('random feedback starts near a right angle, the readout weights do not', () => {
  const { training, network, ...config } = preset('four-six-back') as { training: object; network: object };
  const small = {
    ...config,
    backend: 'reference',
    network: { ...network, neurons: 60 },
    training: { ...training, total: 3200, streams: 8, chunkSteps: 50 },
    evaluation: { total: 160, streams: 1 },
  };
  const rules = { random: { name: 'e-prop-1' }, symmetric: { name: 'e-prop-1', feedback: 'symmetric' } };
  const result = run(small, rules, { windows: 2, chunks: 4 }, { ...models, tasks });
  for (const value of course(result, 'random', 'cosine')[0]) expect(Math.abs(value)).toBeLessThan(0.25);
  for (const value of course(result, 'symmetric', 'cosine')[0]) expect(value).toBeGreaterThan(0.75);
  for (const value of course(result, 'symmetric', 'sign')[0]) expect(value).toBeGreaterThan(0.7);
});

it('says what rules cost', () => {
  let time = 0;
  // Without learning a trial takes one tick of this clock, as with it: what is left is 0.
  const { audit } = run(
    liveConfig(carried),
    { sg: { name: 'sg-r-d' }, cut: { name: 'bptt', window: 10 } },
    { now: () => time++ },
  );
  expect(audit.times()).toEqual([0, 0, 0, 0, null]);
  const { sizes, populations } = audit.master.run.network.spec;
  const perStep = sizes.in + 2 * populations[0].size + sizes.out;
  expect(audit.rules.map(({ label, role, past }) => [label, role, past])).toEqual([
    ['e-prop-1', 'master', 0],
    ['sg', 'audited', 0],
    ['cut', 'audited', 10 * perStep],
    ['bptt (reference)', 'reference', 50 * perStep],
    [identityLabel, 'identity', 0],
  ]);
  expect(audit.rules[1].layouts.flatMap(({ layout }) => Object.keys(layout))).toEqual(
    expect.arrayContaining(['A', 'J', 'B']),
  );
});

describe('refuses', () => {
  const refused: readonly (readonly [string, Partial<AuditOptions>, RegExp])[] = [
    ['one point', { windows: 1 }, /audit\.windows: got 1, expected a whole number >= 2 and <= 7/],
    ['more points than chunks', { windows: 8 }, /audit\.windows: got 8, .* the training has 6 chunks/],
    ['no chunks', { chunks: 0 }, /audit\.chunks: got 0, expected a whole number >= 1/],
    [
      'a name that stands twice',
      { rules: [1, 1].map(() => ({ label: 'a', rule: { name: 'rflo' } })) },
      /audit\.rules: got "a"/,
    ],
    [
      'the name of a reference',
      { rules: [{ label: identityLabel, rule: { name: 'rflo' } }] },
      /audit\.rules: got "elig/,
    ],
    ['an unknown rule', { rules: [{ label: 'a', rule: { name: 'x' } }] }, /rule\.name: got "x"/],
  ];
  it.each(refused)('%s', (_, options, message) => {
    const create = () => createAudit(liveConfig(anew), liveCatalogue, { rules: [], windows: 3, ...options });
    expect(create).toThrow(ConfigError);
    expect(create).toThrow(message);
  });
});

describe('draws of a noisy rule', () => {
  const rules = {
    uoro: { name: 'uoro' },
    local: { name: 'e-prop-1', feedback: 'symmetric' },
    weights: { name: 'weight-perturbation', sigma: 0.001, copies: 20 },
  };
  const neuron = liveNeurons.find(({ label }) => label === 'rate, leaky');
  const spreadsOf = (draws: number) => {
    const { points, labels } = run(liveConfig({ neuron, training: { streams: 1 } }), rules, { windows: 2, draws });
    return points.map(({ spreads }) =>
      Object.fromEntries((spreads ?? []).map((blockwise, n) => [labels[n], blockwise.rec])),
    );
  };

  it('an unbiased estimate has variance and no bias, a local rule bias and no variance', () => {
    for (const point of spreadsOf(40)) {
      const { uoro, local, weights } = point;
      for (const noisy of [uoro, weights]) {
        expect(noisy.variance).toBeGreaterThan(0.01);
        // What is left is the noise of a mean of 40 draws.
        expect(noisy.bias).toBeLessThan(2 * Math.sqrt((noisy.variance ?? 0) / 40));
      }
      expect(local.variance).toBeLessThan(1e-28);
      expect(local.bias).toBeGreaterThan(0.02);
    }
  });

  it('one draw says nothing of either, and several leave the first as it is', () => {
    expect(run(liveConfig(), rules).points.every(({ spreads }) => spreads === null)).toBe(true);
    const [one, several] = [1, 3].map((draws) => run(liveConfig(), rules, { draws }));
    expect(several.points.map(({ alignments }) => alignments)).toEqual(one.points.map(({ alignments }) => alignments));
    expect(several.audit.master.checkpoint()).toEqual(one.audit.master.checkpoint());
  });

  it('says which numbers of draws there can be', () => {
    expect(() => run(liveConfig(), rules, { draws: 0 })).toThrow(/audit\.draws/);
  });
});
