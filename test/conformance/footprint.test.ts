import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { cut, type Layout, type Sizes, type Views } from '../../src/core/layout.ts';
import type { NetworkSpec } from '../../src/core/network.ts';
import type { Quantity, TrialArrays, Weights } from '../../src/core/plugins.ts';
import { createRng } from '../../src/core/rng.ts';
import { gradientOf } from '../../src/engine/run.ts';
import { type AccessLog, clearLog, createLog, watch, watchAll } from '../support/accessLog.ts';
import { blocks, doTrial, type LiveOptions, liveExperiment, liveNeurons, liveReadouts } from '../support/live.ts';
import { tolerances } from '../support/tolerances.ts';

/** What every registered trace, signal and direct rule is bound with here; a plug-in without a row is a failure. */
const traceRows: Readonly<Record<string, readonly object[]>> = {
  eligibility: [
    {},
    { readoutFilter: false },
    { resetInTrace: true },
    { presynapticFilter: false },
    { form: 'post-then-filter' },
  ],
};
const signalRows: Readonly<Record<string, readonly object[]>> = {
  broadcast: [{ feedback: 'symmetric' }, { feedback: 'random' }, { feedback: 'adaptive' }, { errorSpikeSize: 0.5 }],
  dendrite: [
    { delays: 2, errorSpikeSize: 0.5 },
    { delays: 2 },
    { feedback: 'symmetric', label: false },
    { predicts: 'present', delays: 1, copyEvery: 5, normalised: false },
    { predicts: 'present', jacobian: 'gated' },
    { predicts: 'present', jacobian: 'exact' },
    { predicts: 'present', jacobian: 'gated', credit: 'membrane' },
    { jacobian: 'gated', credit: 'membrane', reset: true },
  ],
};
const directRows: Readonly<Record<string, readonly object[]>> = {
  bptt: [{ feedback: 'symmetric' }, { feedback: 'random' }, { window: 5, segment: 2 }],
  rtrl: [{ feedback: 'symmetric' }, { feedback: 'random' }],
  uoro: [{ feedback: 'symmetric' }, { feedback: 'random' }],
};
const rateTerms = [{}, { strength: 2, targetHz: 300, mean: 'trial' }, { strength: 2, targetHz: 300, mean: 'running' }];

it('has a row for every registered trace, signal and direct rule', () => {
  expect(Object.keys(directRows).sort()).toEqual(models.direct.map(({ kind }) => kind).sort());
  expect(Object.keys(traceRows).sort()).toEqual(models.traces.map(({ kind }) => kind).sort());
  expect(Object.keys(signalRows).sort()).toEqual(models.signals.map(({ kind }) => kind).sort());
});

/** A network after one trial, with all its arrays replaced by watched copies. */
interface Watched {
  readonly spec: NetworkSpec;
  readonly log: AccessLog;
  readonly trial: TrialArrays;
  readonly weights: Weights;
  readonly gradient: Weights;
  state(group: string, layout: Layout): Views;
}

function watchedNetwork(options: LiveOptions): Watched {
  const { network } = doTrial(liveExperiment({ ...options, training: { execution: 'online' } }));
  const log = createLog();
  const rng = createRng(3);
  const copy = <T extends object>(arrays: T) =>
    Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, Float64Array.from(array)])) as T;
  const gradient = copy(network.gradient);
  for (const block of blocks(gradient)) block.fill(0);
  return {
    spec: network.spec,
    log,
    trial: watchAll(copy(network.trial), '', log),
    weights: watchAll(copy(network.weights), '', log),
    gradient: watchAll(gradient, 'gradient.', log),
    state(group, layout) {
      const views = cut({ [group]: layout }, network.spec.sizes).views(group);
      for (const view of Object.values(views)) for (let s = 0; s < view.length; s++) view[s] = 0.1 * rng.uniform();
      return watchAll(views, `${group}.`, log);
    },
  };
}

/** The quantities behind the elements of the trial's arrays and the weights that were read; `t` null: a whole trial. */
function quantitiesRead(log: AccessLog, sizes: Sizes, t: number | null, own: string): Set<Quantity> {
  const found = new Set<Quantity>();
  for (const [name, elements] of log.reads) {
    if (name.startsWith(`${own}.`) || name.startsWith('gradient.')) continue;
    for (const index of elements) found.add(quantityOf(name, index, sizes, t));
  }
  return found;
}

function quantityOf(name: string, index: number, sizes: Sizes, t: number | null): Quantity {
  const { step: steps, history, rec, in: nIn, out } = sizes;
  const widths: Readonly<Record<string, number>> = {
    x: nIn,
    psi: rec,
    y: out,
    error: out,
    target: out,
    rateTerm: rec,
    signal: rec,
    current: rec,
  };
  if (name === 'z') {
    const row = (Math.floor(index / rec) % (history + steps)) - history;
    if (t === null) return row === steps - 1 ? 'z' : 'zPrev';
    if (row === t) return 'z';
    if (row === t - 1) return 'zPrev';
    throw new Error(`z is read at step ${row} while step ${t} runs`);
  }
  if (name === 'wIn' || name === 'wRec' || name === 'wOut') return name;
  if (!(name in widths)) throw new Error(`"${name}" is read, which no footprint can declare`);
  const row = Math.floor(index / widths[name]) % steps;
  if (t !== null && row !== t) throw new Error(`${name} is read at step ${row} while step ${t} runs`);
  return name as Quantity;
}

/** Names of all arrays that were written, with the rows of whole-time arrays checked to be row t. */
function arraysWritten(log: AccessLog): string[] {
  return [...log.writes.keys()].sort();
}

function touchedFields(log: AccessLog, group: string, layout: Layout, sizes: Sizes): void {
  const views = cut({ [group]: layout }, sizes).views(group);
  for (const [name, view] of Object.entries(views)) {
    const full = `${group}.${name}`;
    const touched = new Set([...(log.reads.get(full) ?? []), ...(log.writes.get(full) ?? [])]);
    expect(touched.size, `elements of ${full} that are touched`).toBe(view.length);
  }
  expect(log.outside).toEqual([]);
}

const neuronsWithReset = liveNeurons.filter(({ params }) => params.kind !== 'rate' && params.reset !== 'zero');
/** What a trace with these parameters declares of itself. */
function declaredBy(kind: string, parameters: object) {
  const neuron = 'resetInTrace' in parameters ? neuronsWithReset[0] : liveNeurons[0];
  const rule = { name: 'factored', trace: { kind, ...parameters }, signal: { kind: 'broadcast' } };
  const trace = liveExperiment({ neuron, rule }).run.network.spec.rule?.trace;
  return { rated: trace?.footprint.reads.includes('rateTerm'), deferred: (trace?.bindDeferred ?? null) !== null };
}

const traceCases = models.traces.flatMap(({ kind }) =>
  (traceRows[kind] ?? []).flatMap((parameters) => {
    const { rated, deferred } = declaredBy(kind, parameters);
    const executions = deferred ? ['online', 'deferred'] : ['online'];
    // A trace that does not read the rate term is refused beside it.
    return rateTerms.slice(0, rated ? rateTerms.length : 1).flatMap((rateTerm) =>
      ['keep', 'drop'].flatMap((borderSpikes) =>
        ('resetInTrace' in parameters ? neuronsWithReset : liveNeurons).map((neuron) => ({
          label: `${kind} ${JSON.stringify({ ...parameters, ...rateTerm, borderSpikes })} of ${neuron.label}`,
          executions,
          options: {
            neuron,
            rateTerm,
            network: { borderSpikes },
            rule: { name: 'factored', trace: { kind, ...parameters }, signal: { kind: 'broadcast' } },
          },
        })),
      ),
    );
  }),
);

describe.each(traceCases)('trace $label', ({ options, executions }) => {
  it('reads what its footprint declares, in the row of its step, and adds to the gradient only', () => {
    const { spec, log, trial, gradient, state } = watchedNetwork(options);
    const { sizes, projections, rule } = spec;
    if (!rule) throw new Error('the network has no rule');
    const views = state('trace', rule.trace.layout);
    const declared = new Set<Quantity>(rule.trace.footprint.reads);
    const binding = { sizes, state: views, trial, projections, gradient };
    const bound = rule.trace.bind(binding);
    const read = new Set<Quantity>();
    const all = createLog();
    const gather = (t: number | null) => {
      for (const quantity of quantitiesRead(log, sizes, t, 'trace')) read.add(quantity);
      for (const array of arraysWritten(log)) expect(array).toMatch(/^(trace\.|gradient\.(wIn|wRec)$)/);
      merge(all, log);
      clearLog(log);
    };
    clearLog(log);
    for (let t = 0; t < sizes.step; t++) {
      bound.step(t);
      gather(t);
    }
    bound.finish(sizes.step);
    gather(null);
    expect([...read].sort()).toEqual([...declared].sort());
    touchedFields(all, 'trace', rule.trace.layout, sizes);
  });

  it('reads the same and no state of its own in the deferred execution', () => {
    const { spec, log, trial, gradient, state } = watchedNetwork(options);
    const { sizes, projections, rule } = spec;
    const views = state('trace', rule?.trace.layout ?? {});
    const deferred = rule?.trace.bindDeferred?.({ sizes, state: views, trial, projections, gradient });
    if (!deferred) return;
    clearLog(log);
    deferred(sizes.step);
    expect([...quantitiesRead(log, sizes, null, 'none')].sort()).toEqual(
      [...(rule?.trace.footprint.reads ?? [])].sort(),
    );
    expect(arraysWritten(log)).toEqual(['gradient.wIn', 'gradient.wRec']);
    expect(log.outside).toEqual([]);
  });

  it.each(executions)('only adds: a gradient that is there already stays in the sum, %s', (execution) => {
    const build = () => liveExperiment({ ...options, training: { execution } });
    const [clean, loaded] = [build(), build()];
    const { gradient } = loaded.run.network;
    gradient.wIn.fill(3);
    gradient.wRec.fill(-2);
    const want = gradientOf(doTrial(clean));
    const got = gradientOf(doTrial(loaded));
    const { masked } = loaded.run.network.spec.projections.rec;
    expect(got.wIn).toBeClose(
      Array.from(want.wIn, (g) => g + 3),
      tolerances.reordered,
    );
    expect(got.wRec).toBeClose(
      Array.from(want.wRec, (g, s) => (masked.includes(s) ? 0 : g - 2)),
      tolerances.reordered,
    );
  });
});

const signalCases = models.signals.flatMap(({ kind }) =>
  (signalRows[kind] ?? []).map((parameters) => ({
    label: `${kind} ${JSON.stringify(parameters)}`,
    options: { rule: { name: 'factored', trace: { kind: 'eligibility' }, signal: { kind, ...parameters } } },
  })),
);

describe.each(signalCases)('signal $label', ({ options }) => {
  it('reads what its footprint declares, writes row t of the signal and its own state, never a weight', () => {
    const { spec, log, trial, weights, state } = watchedNetwork(options);
    const { sizes, rule } = spec;
    if (!rule) throw new Error('the network has no rule');
    const views = state('signal', rule.signal.layout);
    rule.signal.init(views, sizes, createRng(1), { weights, projections: spec.projections });
    expect([...log.reads.keys()].filter((name) => !name.startsWith('signal.'))).toEqual([]);
    const bound = rule.signal.bind({ sizes, state: views, trial, weights, projections: spec.projections });
    const step = watch(new Float64Array(sizes.rec * sizes.out).fill(0.01), 'step', log);
    const read = new Set<Quantity>();
    const touched = new Set<string>();
    clearLog(log);
    for (let t = 0; t < sizes.step; t++) {
      bound.step(t, 1);
      for (const quantity of quantitiesRead(log, sizes, t, 'signal')) read.add(quantity);
      const rows = [...(log.writes.get('signal') ?? [])].map((index) => Math.floor(index / sizes.rec) % sizes.step);
      expect(rows).toHaveLength(sizes.stream * sizes.rec);
      expect(new Set(rows)).toEqual(new Set([t]));
      for (const array of arraysWritten(log)) expect(array).toMatch(/^signal(\.|$)/);
      for (const array of [...log.reads.keys(), ...log.writes.keys()]) touched.add(array);
      expect(log.outside).toEqual([]);
      clearLog(log);
    }
    for (const name of Object.keys(rule.signal.layout)) expect(touched).toContain(`signal.${name}`);
    expect([...read].sort()).toEqual([...rule.signal.footprint.reads].sort());
    bound.readoutStep?.(step);
    for (const array of arraysWritten(log)) expect(array).toMatch(/^signal\./);
    for (const array of log.reads.keys()) expect(array).toMatch(/^(signal\.|step$)/);
  });
});

const directCases = models.direct.flatMap(({ kind }) =>
  (directRows[kind] ?? []).flatMap((parameters) =>
    liveNeurons
      .filter(({ label }) => ['lif', 'alif', 'rate, leaky'].includes(label))
      .flatMap((neuron) =>
        ['keep', 'drop'].map((borderSpikes) => ({
          label: `${kind} ${JSON.stringify({ ...parameters, borderSpikes })} of ${neuron.label}`,
          options: { neuron, network: { borderSpikes }, rule: { name: kind, ...parameters } },
        })),
      ),
  ),
);

describe.each(directCases)('direct rule $label', ({ options }) => {
  it('reads what its footprint declares, no later step, writes its state, the signal and the gradient', () => {
    const { spec, log, trial, weights, gradient, state } = watchedNetwork(options);
    const { sizes, projections, direct } = spec;
    if (!direct) throw new Error('the network has no direct rule');
    const views = state('direct', direct.layout);
    direct.init(views, sizes, createRng(1));
    expect([...log.reads.keys()].filter((name) => name !== 'direct.B')).toEqual([]);
    expect(arraysWritten(log).filter((name) => name !== 'direct.B')).toEqual([]);
    const bound = direct.bind({ sizes, state: views, trial, weights, projections, gradient });
    const read = new Set<Quantity>();
    const all = createLog();
    clearLog(log);
    for (const [t0, t1] of pieces(direct.grain, sizes.step)) {
      bound(t0, t1);
      assertNoLater(log, sizes, t1);
      // Only the last step of a trial is told from `zPrev` by its row, and no direct rule may need it.
      for (const quantity of quantitiesRead(log, sizes, direct.grain === 'step' ? t0 : null, 'direct')) {
        read.add(quantity);
      }
      for (const array of arraysWritten(log)) expect(array).toMatch(/^(direct\.|gradient\.(wIn|wRec)$|signal$)/);
      merge(all, log);
      clearLog(log);
    }
    expect([...read].sort()).toEqual([...direct.footprint.reads].sort());
    touchedFields(all, 'direct', direct.layout, sizes);
  });

  it('only adds: a gradient that is there already stays in the sum', () => {
    const [clean, loaded] = [liveExperiment(options), liveExperiment(options)];
    loaded.run.network.gradient.wIn.fill(3);
    loaded.run.network.gradient.wRec.fill(-2);
    const want = gradientOf(doTrial(clean));
    const got = gradientOf(doTrial(loaded));
    const { masked } = loaded.run.network.spec.projections.rec;
    const wRec = Array.from(want.wRec, (g, s) => (masked.includes(s) ? 0 : g - 2));
    expect(got.wIn).toBeClose(
      Array.from(want.wIn, (g) => g + 3),
      tolerances.reordered,
    );
    expect(got.wRec).toBeClose(wRec, tolerances.reordered);
  });

  it('starts again with the trial where traces do: the second trial is the first', () => {
    const experiment = liveExperiment(options);
    const first = gradientOf(doTrial(experiment));
    const { run } = experiment;
    const fields = Object.entries(run.network.spec.direct?.layout ?? {});
    for (const [name, field] of fields) if (field.restarts) run.network.state.field(`direct.${name}`).fill(3);
    if (fields.some(([name]) => name === 'drawn')) run.network.state.field('direct.drawn').fill(0);
    run.clock.trial = 0;
    for (const block of Object.values(run.network.gradient)) (block as Float64Array).fill(0);
    expect(blocks(gradientOf(doTrial(experiment)))).toBeBitEqual(blocks(first));
  });
});

/** Calls that cover a trial: a direct rule may be handed steps one by one, or several at once, up to an update. */
function pieces(grain: 'step' | 'update', steps: number): (readonly [number, number])[] {
  if (grain === 'step') return Array.from({ length: steps }, (_, t) => [t, t + 1] as const);
  return [
    [0, 17],
    [17, steps],
  ];
}

/** Rows of whole-time arrays that were read lie before the step that is not yet done. */
function assertNoLater(log: AccessLog, { step: steps, history, rec, in: nIn, out }: Sizes, end: number): void {
  const widths: Readonly<Record<string, number>> = { x: nIn, psi: rec, error: out, signal: rec };
  for (const [name, elements] of log.reads) {
    const last = (rowOf: (index: number) => number) => Math.max(...[...elements].map(rowOf));
    if (name === 'z') {
      expect(last((index) => (Math.floor(index / rec) % (history + steps)) - history)).toBeLessThan(end - 1);
    }
    if (name in widths) expect(last((index) => Math.floor(index / widths[name]) % steps)).toBeLessThan(end);
  }
}

function merge(into: AccessLog, log: AccessLog): void {
  for (const key of ['reads', 'writes'] as const) {
    for (const [name, elements] of log[key]) {
      into[key].set(name, new Set([...(into[key].get(name) ?? []), ...elements]));
    }
  }
  into.outside.push(...log.outside);
}

describe.each(liveNeurons)('neuron $label', (neuron) => {
  it('touches every element of its declared state, reads its current and z(t-1), writes rows t of z and psi', () => {
    const { spec, log, trial, state } = watchedNetwork({ neuron });
    const { sizes } = spec;
    const { step: steps, history, rec: n, stream: streams } = sizes;
    const views = state('neuron', spec.neuron.layout);
    const current = watch(new Float64Array(n).fill(0.3), 'current', log);
    const step = spec.neuron.bind({ sizes, state: views, trial, current });
    clearLog(log);
    for (let t = 0; t < 3; t++) {
      for (let b = 0; b < streams; b++) {
        step(b, t);
        const rowZ = (b * (history + steps) + history + t) * n;
        expect(log.writes.get('z')).toEqual(rangeOf(rowZ, n));
        expect(log.writes.get('psi')).toEqual(rangeOf((b * steps + t) * n, n));
        expect(log.reads.get('z')).toEqual(rangeOf(rowZ - n, n));
        expect(log.reads.get('current')).toEqual(rangeOf(0, n));
        for (const name of Object.keys(spec.neuron.layout)) {
          expect(log.writes.get(`neuron.${name}`), name).toEqual(rangeOf(b * n, n));
        }
        for (const array of arraysWritten(log)) expect(array).toMatch(/^(neuron\.|z$|psi$)/);
        for (const array of log.reads.keys()) expect(array).toMatch(/^(neuron\.|z$|current$)/);
        clearLog(log);
      }
    }
    expect(log.outside).toEqual([]);
  });
});

function rangeOf(from: number, length: number): Set<number> {
  return new Set(Array.from({ length }, (_, s) => from + s));
}

describe.each(liveReadouts)('readout $label', (readout) => {
  it('touches every element of its declared state and nothing outside its row', () => {
    const { spec, log, trial, weights, gradient, state } = watchedNetwork({ readout });
    const { sizes } = spec;
    const views = state('readout', spec.readout.layout);
    const read = spec.readout.bind({ sizes, state: views, trial, weights });
    const learn = spec.readout.bindGradient({ sizes, state: views, trial, weights, gradient });
    clearLog(log);
    for (let b = 0; b < sizes.stream; b++) read(b, 7);
    expect([...log.reads.keys()].sort()).toEqual(['bOut', 'readout.u', 'wOut', 'y', 'z']);
    expect(arraysWritten(log)).toEqual(['readout.u', 'y']);
    for (let b = 0; b < sizes.stream; b++) learn.step(b, 7);
    touchedFields(log, 'readout', spec.readout.layout, sizes);
  });
});

/** Fields that are declared as state and yet carry nothing from step to step, with the reason. */
const exceptions: Readonly<Record<string, string>> = {
  'neuron.u':
    'the somatic voltage of a rate neuron is kept for figures and for rules that read it; the rate itself is z',
};

const carryCases: readonly {
  readonly label: string;
  readonly options: LiveOptions;
  readonly groups: readonly string[];
}[] = [
  ...liveNeurons.map((neuron) => ({
    label: neuron.label,
    options: { neuron },
    groups: ['neuron', 'readout', 'trace', 'signal'],
  })),
  ...neuronsWithReset.map((neuron) => ({
    label: `${neuron.label}, reset in trace`,
    options: { neuron, rule: { name: 'e-prop-1', resetInTrace: true } },
    groups: ['trace'],
  })),
  ...liveNeurons.map((neuron) => ({
    label: `${neuron.label}, rate term`,
    options: { neuron, rateTerm: { strength: 2, targetHz: 300, mean: 'trial' } },
    groups: ['trace'],
  })),
  ...['rtrl', 'uoro'].flatMap((name) =>
    liveNeurons.map((neuron) => ({
      label: `${neuron.label}, ${name}`,
      options: { neuron, rule: { name, feedback: 'random' } },
      groups: ['direct'],
    })),
  ),
];

describe.each(carryCases)('declared state of $label', ({ options, groups }) => {
  const outcome = (spoiled: string | null) => {
    const experiment = liveExperiment({ ...options, training: { execution: 'online' } });
    const { network } = experiment.run;
    doTrial(experiment, {
      onStep(t) {
        if (t !== 9 || spoiled === null) return;
        const field = network.state.field(spoiled);
        for (let s = 0; s < field.length; s++) field[s] += 1.7;
      },
    });
    return [
      ...network.trial.psi,
      ...network.trial.y,
      ...network.trial.signal,
      ...blocks(gradientOf(experiment.run)).flatMap((g) => [...g]),
    ];
  };
  const { network } = liveExperiment({ ...options, training: { execution: 'online' } }).run;
  const fields = network.state.table.map(({ name }) => name).filter((name) => groups.includes(name.split('.')[0]));
  const isTransient = (name: string) => {
    const [group, field] = name.split('.');
    const layouts: Readonly<Record<string, Layout | undefined>> = {
      neuron: network.spec.neuron.layout,
      readout: network.spec.readout.layout,
      trace: network.spec.rule?.trace.layout,
      signal: network.spec.rule?.signal.layout,
      direct: network.spec.direct?.layout,
    };
    return layouts[group]?.[field].transient ?? false;
  };

  it.each(fields)('%s is carried from step to step, or is declared transient', (name) => {
    const changed = outcome(name).some((value, s) => !Object.is(value, outcomeUntouched[s]));
    expect(changed).toBe(!isTransient(name) && !(name in exceptions));
  });

  const outcomeUntouched = outcome(null);
});
