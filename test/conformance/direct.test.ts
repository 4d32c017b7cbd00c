import { describe, expect, it } from 'vitest';
import { bindingOfTrace, projectionSizes } from '../../src/core/bindings.ts';
import { bindingOfDirect } from '../../src/core/direct.ts';
import { ConfigError, UnsupportedError } from '../../src/core/errors.ts';
import { cut } from '../../src/core/layout.ts';
import type { Weights } from '../../src/core/network.ts';
import { gradientOf, type Run } from '../../src/engine/run.ts';
import { addTrial, emptyTally } from '../../src/engine/scores.ts';
import type { Experiment } from '../../src/experiment/experiment.ts';
import {
  assertAlive,
  blocks,
  doTrial,
  expectRefused,
  fires,
  gatesOutput,
  isRefused,
  type LiveOptions,
  liveExperiment,
  liveGradient,
  liveNeurons,
  liveReadouts,
  liveSize,
  subtracts,
} from '../support/live.ts';
import { tolerances } from '../support/tolerances.ts';

/** Identities between rules whose code has nothing in common but the neuron's constants. */

const connectivities = [
  { label: 'dense', network: {} },
  {
    label: 'sparse',
    network: { recurrent: { connectivity: { kind: 'in-degree', n: 4 } } },
  },
];
const resets = ['attached', 'detached'] as const;

const cases = liveNeurons.flatMap((neuron) =>
  liveReadouts.flatMap((readout) =>
    resets
      .filter((reset) => !isRefused({ name: 'bptt', reset }, neuron))
      .map((reset) => ({ label: `${neuron.label}, ${readout.label}, reset ${reset}`, neuron, readout, reset })),
  ),
);

/** Largest difference of the network's gradients, relative to the largest entry. */
function largestDifference(one: Weights, other: Weights): number {
  const [a, b] = [one, other].map((weights) => [...weights.in, ...weights.rec]);
  const largest = Math.max(...a.map(Math.abs), ...b.map(Math.abs));
  return Math.max(...a.map((value, s) => Math.abs(value - b[s]))) / largest;
}

describe.each(cases)('$label', ({ neuron, readout, reset }) => {
  describe.each(connectivities)('$label', ({ network }) => {
    it.each(['symmetric', 'random'])('forwards is backwards: rtrl = bptt, %s feedback', (feedback) => {
      const gradientBy = (name: string) =>
        liveGradient({ neuron, readout, network, rule: { name, feedback, reset }, task: { steps: 40 } });
      const exact = gradientBy('bptt');
      expect(blocks(gradientBy('rtrl'))).toBeClose(blocks(exact), tolerances.identity);
      const local = { name: 'e-prop-1', feedback };
      const dropped = liveGradient({ neuron, readout, network, rule: local, task: { steps: 40 } });
      expect(largestDifference(dropped, exact)).toBeGreaterThan(1e-3);
    });
  });

  it('total derivative times eligibility = bptt', () => {
    const { network } = doTrial(liveExperiment({ neuron, readout, rule: { name: 'bptt', reset } }));
    const other = liveExperiment({
      neuron,
      readout,
      rule: {
        name: 'factored',
        trace: { kind: 'eligibility', readoutFilter: false },
        signal: { kind: 'broadcast' },
      },
    });
    const run = doTrial(other);
    expect(run.network.activity[0].z.data).toBeBitEqual(network.activity[0].z.data);
    run.network.activity[0].signals[0].data.set(network.activity[0].signals[0].data);
    expect(traceGradient(run)).toBeClose([network.gradient.in, gradientOf({ network } as Run).rec], {
      ...tolerances.identity,
    });
  });
});

/** What the trace of a run makes of the signal that stands in its arrays, as [in, rec] with autapses left out. */
function traceGradient({ network }: Run): Float64Array[] {
  const { spec } = network;
  return spec.projections.map((projection, q) => {
    const { synapses, traces } = projection;
    const [trace] = traces;
    if (!trace) throw new Error('the projection has no trace');
    const gradient = new Float64Array(synapses.nSyn);
    const sizes = projectionSizes(spec, projection);
    const state = cut([{ name: 'trace', layout: trace.layout, sizes }]).views('trace');
    const bound = trace.bind({ ...bindingOfTrace(network, q, 0), state, gradient });
    for (let t = 0; t < sizes.step; t++) bound.step(t);
    for (const s of synapses.masked) gradient[s] = 0;
    return gradient;
  });
}

describe('attached and detached resets', () => {
  it.each(liveNeurons.filter(subtracts))('differ: $label', (neuron) => {
    const [attached, detached] = resets.map((reset) => liveGradient({ neuron, rule: { name: 'bptt', reset } }));
    expect(largestDifference(attached, detached)).toBeGreaterThan(1e-2);
  });

  it.each(liveNeurons.filter((neuron) => !subtracts(neuron)))('attached is refused: $label', (neuron) => {
    for (const name of ['bptt', 'rtrl', 'uoro']) {
      const rule = { name, reset: 'attached' };
      expectRefused(() => liveExperiment({ neuron, rule }), isRefused(rule, neuron) ?? /never/);
    }
  });
});

describe('bptt of neurons without spikes is the slope of the loss', () => {
  const rates = liveNeurons.filter((neuron) => !fires(neuron));
  const rows = rates.flatMap((neuron) =>
    liveReadouts.map((readout) => ({ label: `${neuron.label}, ${readout.label}`, neuron, readout })),
  );
  it.each(rows)('$label', ({ neuron, readout }) => {
    const loss = { kind: 'softmax', scale: 'mean' };
    const experiment = liveExperiment({
      neuron,
      readout,
      loss,
      rule: { name: 'bptt' },
      task: { target: 'one-hot' },
      training: { update: { reduction: 'sum' } },
    });
    const run = doTrial(experiment);
    assertAlive(run);
    const gradient = gradientOf(run);
    expect(gradient.in).toBeClose(slopes(experiment, 'in'), tolerances.finiteDifference);
    expect(gradient.rec).toBeClose(slopes(experiment, 'rec'), tolerances.finiteDifference);
  });
});

/** Central differences of the loss of the first trials of a network that starts at 0. */
function slopes(experiment: Experiment, name: 'in' | 'rec', trials = 1): number[] {
  const { run } = experiment;
  const { weights, spec, state } = run.network;
  const masked = name === 'rec' ? spec.projections[1].synapses.masked : new Int32Array(0);
  const lossAt = (s: number, w: number) => {
    weights[name][s] = w;
    run.clock.trial = 0;
    for (const name of ['population.rec.tail', 'readout.out.u']) state.field(name).fill(0);
    const tally = emptyTally();
    for (let trial = 0; trial < trials; trial++) {
      doTrial(experiment, { learn: false });
      addTrial(tally, run, spec.sizes.step);
    }
    return tally.loss;
  };
  const step = 1e-5;
  return Array.from(weights[name], (w, s) => {
    if (masked.includes(s)) return 0;
    const slope = (lossAt(s, w + step) - lossAt(s, w - step)) / (2 * step);
    weights[name][s] = w;
    return slope;
  });
}

const zeroLike = (of: Weights): Weights =>
  Object.fromEntries(Object.entries(of).map(([name, block]) => [name, block.map(() => 0)]));
const windowed = liveNeurons.filter(({ label }) =>
  ['lif', 'alif', 'rate, leaky', 'alif, each by its own constants', 'cuba-lif', 'integrator'].includes(label),
);

describe.each(windowed)('windows and segments of bptt, $label', (neuron) => {
  const gradientWith = (rule: object, rest: LiveOptions = {}) =>
    liveGradient({ neuron, ...rest, rule: { name: 'bptt', ...rule } });
  const full = gradientWith({});

  it('a window of the whole trial, or more, is none', () => {
    expect(blocks(gradientWith({ window: 50 }))).toBeBitEqual(blocks(full));
    expect(blocks(gradientWith({ window: 1000 }))).toBeBitEqual(blocks(full));
    expect(largestDifference(gradientWith({ window: 10 }), full)).toBeGreaterThan(1e-3);
  });

  it.each([1, 7, 50])('errors that go back %i steps at a time sum up to all at once', (segment) => {
    expect(blocks(gradientWith({ segment }))).toBeClose(blocks(full), tolerances.identity);
  });

  it('a window without segment goes back epoch by epoch', () => {
    expect(blocks(gradientWith({ window: 10 }))).toBeBitEqual(blocks(gradientWith({ window: 10, segment: 10 })));
    expect(largestDifference(gradientWith({ window: 10, segment: 1 }), gradientWith({ window: 10 }))).toBeGreaterThan(
      1e-3,
    );
  });

  it.each([1, 4, 9])('an error reaches %i steps back: what rtrl makes of an influence that begins there', (window) => {
    const loss = { kind: 'square', window: { start: 30, length: 1 } };
    const experiment = liveExperiment({ neuron, loss, rule: { name: 'rtrl' } });
    const { state, spec } = experiment.run.network;
    doTrial(experiment, {
      onStep(t) {
        if (t !== 30 - window || !spec.direct) return;
        for (const name of Object.keys(spec.direct.layout)) state.field(`direct.${name}`).fill(0);
      },
    });
    const cutOff = gradientWith({ window, segment: 1 }, { loss });
    expect(blocks(cutOff)).toBeClose(blocks(gradientOf(experiment.run)), tolerances.identity);
    expect(largestDifference(cutOff, gradientWith({}, { loss }))).toBeGreaterThan(1e-4);
  });

  it('errors of a segment that is cut short go back, or never', () => {
    const tail = { kind: 'square', window: { start: 44, length: 6 } };
    const rule = { window: 8, segment: 8 };
    expect(largestDifference(gradientWith(rule, { loss: tail }), zeroLike(full))).toBeGreaterThan(1e-3);
    // Steps 48 and 49 are left over; those of [40, 48) are whole.
    const dropped = gradientWith({ ...rule, incomplete: 'drop' }, { loss: tail });
    const whole = gradientWith(rule, { loss: { kind: 'square', window: { start: 44, length: 4 } } });
    expect([dropped.in, dropped.rec]).toBeBitEqual([whole.in, whole.rec]);
    const last = { kind: 'square', window: { start: 48, length: 2 } };
    const none = gradientWith({ ...rule, incomplete: 'drop' }, { loss: last });
    expect([none.in, none.rec]).toBeBitEqual([full.in, full.rec].map((block) => block.map(() => 0)));
  });

  it('refuses to drop where nothing can be cut short', () => {
    expect(() => liveExperiment({ neuron, rule: { name: 'bptt', incomplete: 'drop' } })).toThrow(/rule\.incomplete/);
  });

  it('refuses segments that are longer than the window', () => {
    expect(() => liveExperiment({ neuron, rule: { name: 'bptt', window: 3, segment: 4 } })).toThrow(ConfigError);
  });
});

describe('the steps handed over', () => {
  it.each(windowed)('the total derivative of a trial in pieces is the one of the whole, $label', (neuron) => {
    const experiment = liveExperiment({ neuron, rule: { name: 'bptt' } });
    const { network } = doTrial(experiment);
    const {
      signals: [signal],
    } = network.activity[0];
    const want = Float64Array.from(signal.data);
    const gradient = network.gradient.in.map(() => 0);
    const gradients = [gradient, network.weights.rec.slice()];
    const binding = bindingOfDirect(network);
    const direct = network.spec.direct?.bind({
      ...binding,
      projections: binding.projections.map((projection, q) => ({ ...projection, gradient: gradients[q] })),
    });
    signal.data.fill(Number.NaN);
    for (const [t0, t1] of [
      [0, 13],
      [13, 14],
      [14, 50],
    ])
      direct?.(t0, t1);
    expect(signal.data).toBeClose(want, tolerances.identity);
    expect(gradient).toBeClose(network.gradient.in, tolerances.identity);
  });

  it.each(windowed)('rtrl goes on across the borders of chunks, bptt of one long chunk agrees, $label', (neuron) => {
    const build = (name: string, chunkSteps: number) =>
      liveExperiment({ neuron, rule: { name }, task: { mode: 'stream' }, training: { chunkSteps, total: 400 } });
    const pieces = build('rtrl', 10);
    for (let chunk = 0; chunk < 4; chunk++) doTrial(pieces);
    const whole = gradientOf(doTrial(build('bptt', 40)));
    expect(blocks(gradientOf(pieces.run))).toBeClose(blocks(whole), tolerances.identity);
    const cutOff = build('bptt', 10);
    for (let chunk = 0; chunk < 4; chunk++) doTrial(cutOff);
    expect(largestDifference(gradientOf(cutOff.run), whole)).toBeGreaterThan(1e-3);
  });

  it.each(liveNeurons)('spikes dropped at the border are dropped in every rule, $label', (neuron) => {
    const gradientBy = (name: string, borderSpikes: string) => {
      const experiment = liveExperiment({
        neuron,
        rule: { name },
        network: { borderSpikes },
        training: { state: 'carry' },
      });
      doTrial(experiment);
      return gradientOf(doTrial(experiment));
    };
    const dropped = gradientBy('bptt', 'drop');
    expect(blocks(gradientBy('rtrl', 'drop'))).toBeClose(blocks(dropped), tolerances.identity);
    expect(largestDifference(gradientBy('bptt', 'keep'), dropped)).toBeGreaterThan(1e-6);
  });
});

describe('rtrl over two trials whose state and traces carry over is the slope of their loss', () => {
  it.each(['keep', 'drop'])('of a rate network, border spikes: %s', (borderSpikes) => {
    const experiment = liveExperiment({
      neuron: liveNeurons.find(({ label }) => label === 'rate, leaky'),
      rule: { name: 'rtrl' },
      network: { borderSpikes },
      task: { steps: 12 },
      training: { streams: 1, state: 'carry', traces: 'carry', update: { reduction: 'sum' } },
    });
    doTrial(experiment);
    const { rec } = gradientOf(doTrial(experiment));
    expect(rec).toBeClose(slopes(experiment, 'rec', 2), tolerances.finiteDifference);
  });
});

describe('the rate term beside a direct rule', () => {
  const rateTerm = { strength: 2, targetHz: 300, mean: 'trial' };
  const rows = ['bptt', 'rtrl'].flatMap((name) =>
    ['online', 'deferred'].flatMap((execution) => windowed.map((neuron) => ({ name, execution, neuron }))),
  );
  it.each(rows)('is added to the gradient of $name, $execution, $neuron.label', ({ name, execution, neuron }) => {
    const options = { neuron, training: { execution } };
    const alone = liveGradient({ ...options, rule: { name } });
    const term = liveGradient({ ...options, rateTerm, rule: { name: 'rate-term-only' } });
    const both = liveGradient({ ...options, rateTerm, rule: { name } });
    expect(term.rec.some((g) => Math.abs(g) > 1e-3)).toBe(true);
    expect(both.in).toBeClose(sum(alone.in, term.in), tolerances.identity);
    expect(both.rec).toBeClose(sum(alone.rec, term.rec), tolerances.identity);
  });

  it('without strength rate-term-only is readout-only', () => {
    const gradientBy = (name: string) => blocks(liveGradient({ rule: { name } }));
    expect(gradientBy('rate-term-only')).toBeClose(gradientBy('readout-only'), { relative: 0 });
  });
});

function sum(a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  return Array.from(a, (value, s) => value + b[s]);
}

describe('rflo', () => {
  const kappas = [0, 0.7].flatMap((kappa) => ['online', 'deferred'].map((execution) => ({ kappa, execution })));

  it.each(kappas)('of a lif network without membrane memory is e-prop 1 times 1 - $kappa, $execution', (row) => {
    const { kappa, execution } = row;
    const neuron = { label: '', params: { kind: 'lif', membrane: { decay: 0 }, vTh: 0.4 } };
    const readout = { label: '', params: { kind: 'leaky', filter: { decay: kappa }, scale: '1' } };
    const gradientBy = (name: string) =>
      liveGradient({ neuron, readout, rule: { name, feedback: 'random' }, training: { execution } });
    const local = gradientBy('e-prop-1');
    expect(gradientBy('rflo').rec).toBeClose(
      Array.from(local.rec, (g) => (1 - kappa) * g),
      tolerances.identity,
    );
    expect(gradientBy('rflo').out).toBeBitEqual(local.out);
  });

  it('has a leak of its own, other than the readout', () => {
    const gradientWith = (rest: object) => liveGradient({ rule: { name: 'rflo', ...rest } });
    expect(blocks(gradientWith({ leak: { decay: 0.7 } }))).toBeBitEqual(blocks(gradientWith({})));
    expect(largestDifference(gradientWith({ leak: { decay: 0.4 } }), gradientWith({}))).toBeGreaterThan(1e-2);
  });

  it('of a rate network is rtrl where no weight reaches another neuron', () => {
    const [leaky] = liveNeurons.filter(({ label }) => label === 'rate, leaky');
    const gradientBy = (name: string) => {
      const experiment = liveExperiment({ neuron: leaky, rule: { name, feedback: 'symmetric' } });
      experiment.run.network.weights.rec.fill(0);
      return gradientOf(doTrial(experiment));
    };
    expect(blocks(gradientBy('rflo'))).toBeClose(blocks(gradientBy('rtrl')), tolerances.identity);
  });

  it.each(liveNeurons.filter((neuron) => !gatesOutput(neuron)))('refuses a leak where $label has its own', (neuron) => {
    const rule = { name: 'rflo', leak: { decay: 0.4 } };
    expectRefused(() => liveExperiment({ neuron, rule }), isRefused(rule, neuron) ?? /never/);
  });
});

describe.each(windowed)('uoro, $label', (neuron) => {
  it('is rtrl on average over its signs', { timeout: 20_000 }, () => {
    const options = (name: string): LiveOptions => ({
      neuron,
      rule: { name },
      task: { steps: 12 },
      training: { streams: 1 },
    });
    const exact = gradientOf(doTrial(liveExperiment(options('rtrl'))));
    const want = [...exact.in, ...exact.rec];
    const { mean, error } = estimate(liveExperiment(options('uoro')), 2500);
    const far = want.filter((value, s) => Math.abs(mean[s] - value) > 4 * error[s]);
    expect(far.length).toBe(0);
    const size = norm(want);
    expect(norm(want.map((value, s) => mean[s] - value))).toBeLessThan(4 * norm(error));
    // What is compared is known well enough to be told from 0 and from half of it.
    expect(norm(error)).toBeLessThan(0.12 * size);
  });
});

/** Mean and standard error of the gradient over repetitions of one trial, which differ in the signs drawn. */
function estimate(experiment: Experiment, repetitions: number): { mean: number[]; error: number[] } {
  const { run } = experiment;
  const { gradient } = run.network;
  const length = gradient.in.length + gradient.rec.length;
  const first = new Float64Array(length);
  const second = new Float64Array(length);
  for (let repetition = 0; repetition < repetitions; repetition++) {
    run.clock.trial = 0;
    gradient.in.fill(0);
    gradient.rec.fill(0);
    doTrial(experiment);
    const now = gradientOf(run);
    for (let s = 0; s < length; s++) {
      const value = s < now.in.length ? now.in[s] : now.rec[s - now.in.length];
      first[s] += value;
      second[s] += value * value;
    }
  }
  const mean = Array.from(first, (value) => value / repetitions);
  const error = mean.map((value, s) => Math.sqrt((second[s] / repetitions - value * value) / repetitions));
  return { mean, error };
}

function norm(x: readonly number[]): number {
  return Math.sqrt(x.reduce((total, value) => total + value * value, 0));
}

describe.each(['bptt', 'rtrl', 'uoro', 'kernl'])('%s', (name) => {
  const taught = windowed.filter((neuron) => !isRefused({ name }, neuron));
  const rate = liveNeurons.find(({ label }) => label === 'rate');

  it('draws random feedback with a deviation in units of 1 / sqrt(nRec), and none for symmetric', () => {
    const stateOf = (rule: object) =>
      liveExperiment({
        neuron: rate,
        rule: { name, ...rule },
        task: { inputs: 1, outputs: 40 },
        network: { neurons: 25, recurrent: { connectivity: { kind: 'in-degree', n: 1 } } },
      }).run.network.state;
    const B = stateOf({ feedback: 'random', feedbackScale: 3 }).field('direct.B');
    expect(B.length).toBe(1000);
    expect(norm([...B]) / Math.sqrt(B.length)).toBeCloseTo(3 / 5, 1);
    expect(() => stateOf({}).field('direct.B')).toThrow(ConfigError);
  });

  it.each(taught)('three streams at once are three trials one by one, $label', (neuron) => {
    // What is drawn differs between streams.
    if (name === 'uoro' || name === 'kernl') return;
    const build = (streams: number) => liveExperiment({ neuron, rule: { name }, training: { streams } });
    const single = build(1);
    for (let trial = 0; trial < 3; trial++) doTrial(single);
    expect(blocks(gradientOf(doTrial(build(3))))).toBeClose(blocks(gradientOf(single.run)), tolerances.identity);
  });

  it.each(taught)('resumes in the midst of a stream, bit for bit, $label', (neuron) => {
    const build = () =>
      liveExperiment({
        neuron,
        rule: { name, feedback: 'random' },
        task: { mode: 'stream' },
        training: { update: { every: 7, unit: 'step' }, chunkSteps: 20, total: 240 },
      });
    const whole = build();
    whole.train();
    const first = build();
    first.train({ until: 120 });
    const second = build();
    second.restore(first.checkpoint());
    expect(second.run.clock.sinceUpdate).toBeGreaterThan(0);
    second.train();
    expect(second.run.network.state.data).toBeBitEqual(whole.run.network.state.data);
    expect(whole.run.network.weights.rec).not.toBeBitEqual(build().run.network.weights.rec);
  });
});

it('uoro draws other signs in every stream, step and trial', () => {
  const gradients = [0, 1].map((trial) => {
    const experiment = liveExperiment({ rule: { name: 'uoro' }, training: { streams: 2 } });
    for (let before = 0; before < trial; before++) doTrial(experiment);
    experiment.run.clock.trial = 0;
    experiment.run.network.gradient.rec.fill(0);
    return gradientOf(doTrial(experiment)).rec;
  });
  expect(gradients[0]).not.toBeBitEqual(gradients[1]);
  const { network } = doTrial(liveExperiment({ rule: { name: 'uoro' } }));
  expect(Array.from(network.state.field('direct.drawn'))).toEqual([50]);
  const v = network.state.field('direct.v');
  expect(v.subarray(0, liveSize)).not.toBeBitEqual(v.subarray(liveSize));
});

it('rtrl refuses a network whose influence would not fit, and says how large it is', () => {
  const network = { neurons: 400 };
  expect(() => liveExperiment({ rule: { name: 'rtrl' }, network })).toThrow(UnsupportedError);
  expect(() => liveExperiment({ rule: { name: 'rtrl' }, network })).toThrow(/has 388800000 numbers/);
});
