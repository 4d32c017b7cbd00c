import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import {
  bindingOfNeuron,
  bindingOfReadout,
  bindingOfSignal,
  bindingOfTrace,
  populationSizes,
  projectionSizes,
  readoutSizes,
  signalSizes,
} from '../../src/core/bindings.ts';
import { bindingOfDirect } from '../../src/core/direct.ts';
import { cut, type Field, type Layout, type Role, type Sizes } from '../../src/core/layout.ts';
import type { NetworkSpec } from '../../src/core/network.ts';
import type { Quantity } from '../../src/core/plugins.ts';
import { createRng } from '../../src/core/rng.ts';
import { gradientOf } from '../../src/engine/run.ts';
import { type AccessLog, clearLog, createLog, mergeLogs, watch } from '../../src/experiment/check/accessLog.ts';
import { quantitiesRead, stepOf, type Watched, watchNetwork } from '../../src/experiment/check/watched.ts';
import {
  blocks,
  doTrial,
  expectRefused,
  isRefused,
  type LiveOptions,
  liveExperiment,
  liveNeurons,
  liveReadouts,
  subtracts,
} from '../support/live.ts';
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
  // Longer windows, and what a prediction reads at their ends: test/models/window.test.ts.
  window: [{ steps: 1, predicts: 'nothing' }],
};
const directRows: Readonly<Record<string, readonly object[]>> = {
  bptt: [{ feedback: 'symmetric' }, { feedback: 'random' }, { window: 5, segment: 2 }],
  rtrl: [{ feedback: 'symmetric' }, { feedback: 'random' }],
  uoro: [{ feedback: 'symmetric' }, { feedback: 'random' }],
  kernl: [{ feedback: 'symmetric' }, { feedback: 'random' }, { order: 'code', resetEvery: null }],
  // It needs two populations, and reads between two passes over a trial: test/models/eprop2.test.ts.
  'learned-signal': [],
};
const rateTerms = [{}, { strength: 2, targetHz: 300, mean: 'trial' }, { strength: 2, targetHz: 300, mean: 'running' }];

it('has a row for every registered trace, signal and direct rule', () => {
  expect(Object.keys(directRows).sort()).toEqual(models.direct.map(({ kind }) => kind).sort());
  expect(Object.keys(traceRows).sort()).toEqual(models.traces.map(({ kind }) => kind).sort());
  expect(Object.keys(signalRows).sort()).toEqual(models.signals.map(({ kind }) => kind).sort());
});

/** A network after one trial, with all its arrays replaced by watched copies. */
function watchedNetwork(options: LiveOptions): Watched {
  return watchNetwork(doTrial(liveExperiment({ ...options, training: { execution: 'online' } })).network);
}

/** Names of all arrays that were written. */
function arraysWritten(log: AccessLog): string[] {
  return [...log.writes.keys()].sort();
}

function touchedFields(log: AccessLog, layout: Layout, sizes: Sizes): void {
  const views = cut([{ name: 'own', layout, sizes }]).views('own');
  for (const [name, view] of Object.entries(views)) {
    const full = `own.${name}`;
    const touched = new Set([...(log.reads.get(full) ?? []), ...(log.writes.get(full) ?? [])]);
    expect(touched.size, `elements of ${full} that are touched`).toBe(view.length);
  }
  expect(log.outside).toEqual([]);
}

const neuronsWithReset = liveNeurons.filter(subtracts);
const traceRule = (kind: string, parameters: object) => ({
  name: 'factored',
  trace: { kind, ...parameters },
  signal: { kind: 'broadcast' },
});
const signalRule = (kind: string, parameters: object) => ({
  name: 'factored',
  trace: { kind: 'eligibility' },
  signal: { kind, ...parameters },
});

describe('neurons that a part cannot be had with', () => {
  const partRules = [
    ...models.traces.flatMap(({ kind }) => (traceRows[kind] ?? []).map((row) => traceRule(kind, row))),
    ...models.signals.flatMap(({ kind }) => (signalRows[kind] ?? []).map((row) => signalRule(kind, row))),
  ];
  const refusals = partRules.flatMap((rule) =>
    liveNeurons.flatMap((neuron) => {
      const refused = isRefused(rule, neuron);
      return refused ? [{ label: `${JSON.stringify(rule)} of ${neuron.label}`, rule, neuron, refused }] : [];
    }),
  );
  it.each(refusals)('$label', ({ rule, neuron, refused }) => {
    expectRefused(() => liveExperiment({ neuron, rule }), refused);
  });
});

/** What a trace with these parameters declares of itself. */
function declaredBy(kind: string, parameters: object) {
  const rule = traceRule(kind, parameters);
  const neuron = liveNeurons.find((of) => !isRefused(rule, of));
  const [trace] = liveExperiment({ neuron, rule }).run.network.spec.projections[0].traces;
  return { rated: trace.footprint.reads.includes('rateTerm'), deferred: trace.bindDeferred !== null };
}

const traceCases = models.traces.flatMap(({ kind }) =>
  (traceRows[kind] ?? []).flatMap((parameters) => {
    const { rated, deferred } = declaredBy(kind, parameters);
    const executions = deferred ? ['online', 'deferred'] : ['online'];
    // A trace that does not read the rate term is refused beside it.
    return rateTerms.slice(0, rated ? rateTerms.length : 1).flatMap((rateTerm) =>
      ['keep', 'drop'].flatMap((borderSpikes) =>
        liveNeurons
          .filter((neuron) => !isRefused(traceRule(kind, parameters), neuron))
          .map((neuron) => ({
            label: `${kind} ${JSON.stringify({ ...parameters, ...rateTerm, borderSpikes })} of ${neuron.label}`,
            executions,
            options: {
              neuron,
              rateTerm,
              network: { borderSpikes },
              rule: traceRule(kind, parameters),
            },
          })),
      ),
    );
  }),
);

/** Both projections, and the array that arrives at the other. */
const sides = [
  { q: 0, name: 'in', other: 'z' },
  { q: 1, name: 'rec', other: 'x' },
];

/** A watched network with the trace of one of its projections. */
function watchedTrace(options: LiveOptions, q: number) {
  const watched = watchedNetwork(options);
  const { spec } = watched.network;
  const [trace] = spec.projections[q].traces;
  if (!trace) throw new Error('the projection has no trace');
  const sizes = projectionSizes(spec, spec.projections[q]);
  return { watched, trace, sizes, views: watched.state(trace.layout, sizes) };
}

describe.each(traceCases)('trace $label', ({ options, executions }) => {
  it.each(sides)(
    'reads what its footprint declares, in the row of its step, and adds to the gradient only: $name',
    (side) => {
      const { watched, trace, sizes, views } = watchedTrace(options, side.q);
      const { network, log } = watched;
      const bound = trace.bind({ ...bindingOfTrace(network, side.q, 0), state: views });
      const read = new Set<Quantity>();
      const all = createLog();
      const gather = (t: number | null) => {
        for (const quantity of quantitiesRead(watched, 'trace', t)) read.add(quantity);
        for (const array of arraysWritten(log)) expect(array).toMatch(/^(own|gradient)\./);
        mergeLogs(all, log);
        clearLog(log);
      };
      clearLog(log);
      for (let t = 0; t < sizes.step; t++) {
        bound.step(t);
        gather(t);
      }
      bound.finish(sizes.step);
      gather(null);
      expect([...read].sort()).toEqual([...trace.footprint.reads].sort());
      expect(arraysWritten(all).filter((name) => !name.startsWith('own.'))).toEqual([`gradient.${side.name}`]);
      expect([...all.reads.keys()]).not.toContain(side.other);
      touchedFields(all, trace.layout, sizes);
    },
  );

  it.each(sides)('reads the same and no state of its own in the deferred execution: $name', (side) => {
    const { watched, trace, sizes, views } = watchedTrace(options, side.q);
    const { network, log } = watched;
    const deferred = trace.bindDeferred?.({ ...bindingOfTrace(network, side.q, 0), state: views });
    if (!deferred) return;
    clearLog(log);
    deferred(sizes.step);
    expect([...log.reads.keys()].filter((name) => name.startsWith('own.'))).toEqual([]);
    expect([...quantitiesRead(watched, 'trace', null)].sort()).toEqual([...trace.footprint.reads].sort());
    expect([...log.reads.keys()]).not.toContain(side.other);
    expect(arraysWritten(log)).toEqual([`gradient.${side.name}`]);
    expect(log.outside).toEqual([]);
  });

  it.each(executions)('only adds: a gradient that is there already stays in the sum, %s', (execution) => {
    const build = () => liveExperiment({ ...options, training: { execution } });
    const [clean, loaded] = [build(), build()];
    const { gradient } = loaded.run.network;
    gradient.in.fill(3);
    gradient.rec.fill(-2);
    const want = gradientOf(doTrial(clean));
    const got = gradientOf(doTrial(loaded));
    const { masked } = loaded.run.network.spec.projections[1].synapses;
    expect(got.in).toBeClose(
      Array.from(want.in, (g) => g + 3),
      tolerances.reordered,
    );
    expect(got.rec).toBeClose(
      Array.from(want.rec, (g, s) => (masked.includes(s) ? 0 : g - 2)),
      tolerances.reordered,
    );
  });
});

const signalCases = models.signals.flatMap(({ kind }) =>
  (signalRows[kind] ?? []).map((parameters) => ({
    label: `${kind} ${JSON.stringify(parameters)}`,
    predictsNext: 'jacobian' in parameters && parameters.jacobian === 'gated',
    options: { rule: signalRule(kind, parameters) },
  })),
);

describe.each(signalCases)('signal $label', ({ options, predictsNext }) => {
  it('reads what its footprint declares, writes row t of the signal and its own state, never a weight', () => {
    const watched = watchedNetwork(options);
    const { network, log, rows } = watched;
    const { spec } = network;
    const [population] = spec.populations;
    const [signal] = population.signals;
    if (!signal) throw new Error('the population has no signal');
    const sizes = signalSizes(spec, population, 0);
    const binding = { ...bindingOfSignal(network, 0, 0), state: watched.state(signal.layout, sizes) };
    signal.init(binding.state, createRng(1), binding);
    expect([...log.reads.keys()].filter((name) => !name.startsWith('own.'))).toEqual([]);
    const bound = signal.bind(binding);
    const step = watch(new Float64Array(sizes.self * sizes.out).fill(0.01), 'step', log);
    const read = new Set<Quantity>();
    const touched = new Set<string>();
    let readsBefore = false;
    clearLog(log);
    for (let t = 0; t < sizes.step; t++) {
      bound.step(t, 1, t);
      for (const quantity of quantitiesRead(watched, 'signal', t)) read.add(quantity);
      readsBefore ||= [...(log.reads.get('z') ?? [])].some((index) => stepOf(rows.z, index) < t);
      const written = [...(log.writes.get('signal') ?? [])].map((index) => stepOf(rows.signal, index));
      expect(written).toHaveLength(sizes.stream * sizes.self);
      expect(new Set(written)).toEqual(new Set([t]));
      for (const array of arraysWritten(log)) expect(array).toMatch(/^(own\.|signal$)/);
      for (const array of [...log.reads.keys(), ...log.writes.keys()]) touched.add(array);
      expect(log.outside).toEqual([]);
      clearLog(log);
    }
    for (const name of Object.keys(signal.layout)) expect(touched).toContain(`own.${name}`);
    expect([...read].sort()).toEqual([...signal.footprint.reads].sort());
    // Activity of the step before is what a model of the summed input predicts it from.
    expect(readsBefore).toBe(predictsNext);
    bound.readoutStep?.(0, step);
    for (const array of arraysWritten(log)) expect(array).toMatch(/^own\./);
    for (const array of log.reads.keys()) expect(array).toMatch(/^(own\.|step$)/);
  });
});

const directCases = models.direct.flatMap(({ kind }) =>
  (directRows[kind] ?? []).flatMap((parameters) =>
    liveNeurons
      .filter(({ label }) =>
        ['lif', 'alif', 'rate, leaky', 'alif, each by its own constants', 'cuba-lif', 'integrator'].includes(label),
      )
      .filter((neuron) => !isRefused({ name: kind }, neuron))
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
    const watched = watchedNetwork(options);
    const { network, log } = watched;
    const { direct, sizes: own } = network.spec;
    if (!direct) throw new Error('the network has no direct rule');
    const sizes = { stream: own.stream, step: own.step };
    const state = watched.state(direct.layout, sizes);
    direct.init(state, createRng(1));
    const matrices = Object.entries(direct.layout).flatMap(([name, { shape }]) =>
      shape.includes('stream') ? [] : [`own.${name}`],
    );
    expect([...log.reads.keys()].filter((name) => !matrices.includes(name))).toEqual([]);
    expect(arraysWritten(log).filter((name) => !matrices.includes(name))).toEqual([]);
    const bound = direct.bind({ ...bindingOfDirect(network), state });
    const read = new Set<Quantity>();
    const all = createLog();
    clearLog(log);
    for (const [t0, t1] of pieces(direct.grain, sizes.step)) {
      bound(t0, t1);
      assertNoLater(watched, t1, direct.footprint.reads.includes('z'));
      // Only the last step of a trial is told from the one before by its row, and no direct rule may need it.
      for (const quantity of quantitiesRead(watched, 'direct', direct.grain === 'step' ? t0 : null)) {
        read.add(quantity);
      }
      for (const array of arraysWritten(log)) expect(array).toMatch(/^(own\.|gradient\.(in|rec)$|signal$)/);
      mergeLogs(all, log);
      clearLog(log);
    }
    expect([...read].sort()).toEqual([...direct.footprint.reads].sort());
    // What arrives at all projections, not at one of them.
    expect([...all.reads.keys()]).toEqual(expect.arrayContaining(['x', 'z']));
    touchedFields(all, direct.layout, sizes);
  });

  it('only adds: a gradient that is there already stays in the sum', () => {
    const [clean, loaded] = [liveExperiment(options), liveExperiment(options)];
    loaded.run.network.gradient.in.fill(3);
    loaded.run.network.gradient.rec.fill(-2);
    const want = gradientOf(doTrial(clean));
    const got = gradientOf(doTrial(loaded));
    const { masked } = loaded.run.network.spec.projections[1].synapses;
    const wRec = Array.from(want.rec, (g, s) => (masked.includes(s) ? 0 : g - 2));
    expect(got.in).toBeClose(
      Array.from(want.in, (g) => g + 3),
      tolerances.reordered,
    );
    expect(got.rec).toBeClose(wRec, tolerances.reordered);
  });

  it('starts again with the trial where traces do: the second trial is the first', () => {
    const experiment = liveExperiment(options);
    const { run } = experiment;
    const fields = Object.entries(run.network.spec.direct?.layout ?? {}).map(([name, { restarts }]) => {
      const values = run.network.state.field(`direct.${name}`);
      return { values, before: Float64Array.from(values), restarts };
    });
    const first = gradientOf(doTrial(experiment));
    // What a rule has learned or counted is put back by hand.
    for (const { values, before, restarts } of fields) restarts ? values.fill(3) : values.set(before);
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

/** Rows of whole-time arrays that were read lie before the step that is not yet done; `present`: those of its activity, too. */
function assertNoLater({ log, rows }: Watched, end: number, present: boolean): void {
  for (const [name, elements] of log.reads) {
    if (!(name in rows)) continue;
    const last = Math.max(...[...elements].map((index) => stepOf(rows[name], index)));
    expect(last, name).toBeLessThan(name === 'z' && !present ? end - 1 : end);
  }
}

describe.each(liveNeurons)('neuron $label', (neuron) => {
  // An integrator has all of its past in its state.
  const readsItself = neuron.params.kind !== 'integrator' && neuron.params.leaks !== 'potential';

  it('touches every element of its declared state, reads its current and z(t-1), writes rows t of z and psi', () => {
    const { network, log, state } = watchedNetwork({ neuron });
    const [population] = network.spec.populations;
    const { history, neuron: instance } = population;
    const sizes = populationSizes(network.spec, population);
    const { step: steps, self: n, stream: streams } = sizes;
    const views = state(instance.layout, sizes);
    const current = watch(new Float64Array(n).fill(0.3), 'current', log);
    const step = instance.bind({ ...bindingOfNeuron(network, 0, current), state: views });
    clearLog(log);
    for (let t = 0; t < 3; t++) {
      for (let b = 0; b < streams; b++) {
        step(b, t);
        const rowZ = (b * (history + steps) + history + t) * n;
        expect(log.writes.get('z')).toEqual(rangeOf(rowZ, n));
        expect(log.writes.get('psi')).toEqual(rangeOf((b * steps + t) * n, n));
        expect(log.reads.get('z')).toEqual(readsItself ? rangeOf(rowZ - n, n) : undefined);
        expect(log.reads.get('current')).toEqual(rangeOf(0, n));
        for (const name of Object.keys(instance.layout)) {
          expect(log.writes.get(`own.${name}`), name).toEqual(rangeOf(b * n, n));
        }
        for (const array of arraysWritten(log)) expect(array).toMatch(/^(own\.|z$|psi$)/);
        for (const array of log.reads.keys()) expect(array).toMatch(/^(own\.|z$|current$)/);
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
    const { network, log, state } = watchedNetwork({ readout });
    const [{ readout: instance }] = network.spec.readouts;
    const sizes = readoutSizes(network.spec, network.spec.readouts[0]);
    const binding = { ...bindingOfReadout(network, 0), state: state(instance.layout, sizes) };
    const read = instance.bind(binding);
    const learn = instance.bindGradient(binding);
    clearLog(log);
    for (let b = 0; b < sizes.stream; b++) read(b, 7);
    expect([...log.reads.keys()].sort()).toEqual(['own.u', 'weights.out', 'weights.out.bias', 'y', 'z']);
    expect(arraysWritten(log)).toEqual(['own.u', 'y']);
    for (let b = 0; b < sizes.stream; b++) learn.step(b, 7);
    touchedFields(log, instance.layout, sizes);
  });
});

/** Fields that are declared as state and yet carry nothing from step to step, with the reason. */
const exceptions: Readonly<Record<string, string>> = {
  'population.rec.u':
    'the somatic voltage of a rate neuron is kept for figures and for rules that read it; the rate itself is z',
};

const carryCases: readonly {
  readonly label: string;
  readonly options: LiveOptions;
  readonly groups: readonly Role[];
}[] = [
  ...liveNeurons.map((neuron) => ({
    label: neuron.label,
    options: { neuron },
    groups: ['neuron', 'readout', 'trace', 'signal'] as const,
  })),
  ...neuronsWithReset.map((neuron) => ({
    label: `${neuron.label}, reset in trace`,
    options: { neuron, rule: { name: 'e-prop-1', resetInTrace: true } },
    groups: ['trace'] as const,
  })),
  ...liveNeurons.map((neuron) => ({
    label: `${neuron.label}, rate term`,
    options: { neuron, rateTerm: { strength: 2, targetHz: 300, mean: 'trial' } },
    groups: ['trace'] as const,
  })),
  ...['rtrl', 'uoro'].flatMap((name) =>
    liveNeurons.map((neuron) => ({
      label: `${neuron.label}, ${name}`,
      options: { neuron, rule: { name, feedback: 'random' } },
      groups: ['direct'] as const,
    })),
  ),
];

/** What parts declare of their state, by the names of its fields. */
function declaredFields({ populations, projections, readouts, direct }: NetworkSpec): Record<string, Field> {
  const layouts: readonly (readonly [group: string, layout: Layout])[] = [
    ...populations.flatMap(({ name, neuron, signals }) => [
      [`population.${name}`, neuron.layout] as const,
      ...signals.map(({ layout }) => [`population.${name}.signal`, layout] as const),
    ]),
    ...projections.flatMap(({ name, traces }) =>
      traces.map(({ layout }) => [`projection.${name}.trace`, layout] as const),
    ),
    ...readouts.map(({ name, readout }) => [`readout.${name}`, readout.layout] as const),
    ['direct', direct?.layout ?? {}],
  ];
  return Object.fromEntries(
    layouts.flatMap(([group, layout]) =>
      Object.entries(layout).map(([name, field]) => [`${group}.${name}`, field] as const),
    ),
  );
}

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
      ...network.activity[0].psi.data,
      ...network.trial.y.data,
      ...network.activity[0].signals[0].data,
      ...blocks(gradientOf(experiment.run)).flatMap((g) => [...g]),
    ];
  };
  const { network } = liveExperiment({ ...options, training: { execution: 'online' } }).run;
  const fields = network.state.table.filter(({ role }) => groups.includes(role)).map(({ name }) => name);
  const declared = declaredFields(network.spec);
  const isTransient = (name: string) => declared[name].transient ?? false;

  it.each(fields)('%s is carried from step to step, or is declared transient', (name) => {
    const changed = outcome(name).some((value, s) => !Object.is(value, outcomeUntouched[s]));
    const odd = name in exceptions && options.neuron?.params.leaks !== 'potential';
    expect(changed).toBe(!isTransient(name) && !odd);
  });

  const outcomeUntouched = outcome(null);
});
