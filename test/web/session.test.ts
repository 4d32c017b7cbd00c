import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { applySettings, ConfigError, createExperiment, preset, rowAt } from '../../src/index.ts';
import { tasks } from '../../tasks/index.ts';
import { experimentOf } from '../../web/engine/choice.ts';
import type { Choice } from '../../web/engine/protocol.ts';
import { createSession, type Session } from '../../web/engine/session.ts';
import type { Frame, SynapseName } from '../../web/views/types.ts';

const catalogue = { ...models, tasks };
const watch = { cells: true, weights: null, synapse: null };
const open = (input: unknown) =>
  createSession(
    input,
    catalogue,
    () => 0,
    () => {},
  );

/** How often each number occurs, without zeros. */
function histogram(index: Iterable<number>): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const j of index) counts[j] = (counts[j] ?? 0) + 1;
  return counts;
}

/** At how many steps each neuron of stream 0 was active, over all populations, without zeros. */
function activeSteps({ experiment }: Session, steps: number): Record<number, number> {
  const all = experiment.run.network.activity.flatMap(({ z }) =>
    Array.from({ length: z.size }, (_, j) =>
      Array.from({ length: steps }, (_, t) => z.data[rowAt(z, 0, t) + j]).filter((value) => value !== 0),
    ),
  );
  return histogram(all.flatMap((values, j) => values.map(() => j)));
}

describe('a run that is looked at', () => {
  it.each(['four-six-back', 'pattern-generation', 'periodic-output', 'cue-reward', 'contrastive'])(
    '%s trains to the same bits, and shows the trial that comes',
    (name) => {
      const plain = createExperiment(preset(name), catalogue);
      const session = open(preset(name));
      const trials = plain.trainTrials();
      for (let n = 0; n < 3; n++) {
        // One trial is not looked at, and the next one three times.
        const looks = Array.from({ length: [1, 0, 3][n] }, () => session.replay(watch, 0));
        trials.next();
        session.trial();
        const done = session.frame({ ...watch, weights: session.info.projections[0].name }, 0);
        expect(done.neurons.t.length).toBeGreaterThan(50);
        expect(histogram(done.neurons.index)).toEqual(activeSteps(session, done.steps));
        for (const coming of looks) {
          const { trial, steps, input, neurons, outputs } = coming as Frame;
          expect(done).toMatchObject({ trial, steps, input, neurons, outputs });
        }
        expect(done.curve.score).toHaveLength(n + 1);
      }
      expect(session.experiment.checkpoint()).toEqual(plain.checkpoint());
    },
  );

  it('hears at every step what the plain loops say, where a fast backend keeps one row of it', () => {
    const [fast, plain] = ['wasm', 'reference'].map((backend) => {
      const frame = open(applySettings(preset('pattern-generation'), [`backend=${backend}`])).replay(watch, 0);
      return frame?.signals?.[0].values.slice(0, 200) ?? new Float32Array(0);
    });
    expect(plain.filter((value) => value !== 0).length).toBeGreaterThan(100);
    expect(fast).toBeClose(plain, { relative: 1e-3 });
  });

  it('ends with its evaluation, and has no trial left to show', () => {
    const session = open(applySettings(preset('pattern-generation'), ['training.total=3']));
    while (session.trial());
    expect(session.ended).toBe(true);
    expect(session.amount).toBe(3);
    expect(session.evaluation).toBeGreaterThan(0);
    expect(session.replay(watch, 0)).toBeNull();
    expect(session.frame(watch, 2).curve.score).toHaveLength(1);
  });
});

describe('a synapse, term by term', () => {
  const synapseOf = (session: Session, asked: SynapseName | null = null) => {
    const synapse = session.replay({ ...watch, synapse: asked }, 0)?.synapse;
    if (!synapse?.terms) throw new Error('no terms');
    return { ...synapse, terms: synapse.terms };
  };

  it('is that of stream 0 among sixteen: eps(t) = alpha eps(t-1) + z_pre(t)', () => {
    const session = open(preset('four-six-back'));
    session.trial();
    const { input, traces } = synapseOf(session);
    const [eps] = traces;
    expect(input.reduce((sum, z) => sum + z, 0)).toBeGreaterThan(5);
    const filtered = input.map((z, t) => (t === 0 ? eps.values[0] : 0.5 * eps.values[t - 1] + z));
    expect(eps.values).toBeClose(filtered, { relative: 1e-6, absolute: 1e-6 });
  });

  it('adds psi eps L to dE/dw at every step, and what the optimiser makes of it is the next weight', () => {
    const alone = ['training.streams=1', 'rateTerm.strength=0'];
    const session = open(applySettings(preset('four-six-back'), alone));
    session.trial();
    const { index } = session.frame(watch, 0).neurons;
    const { post } = synapseOf(session);
    const pre = index.find((j) => j !== post) ?? 0;
    const { psi, signals, traces, terms, weight, after } = synapseOf(session, { projection: 'rec', pre, post });
    const products = psi.map((slope, t) => slope * traces[0].values[t] * signals[0].values[t]);
    expect(products.filter((product) => product !== 0).length).toBeGreaterThan(20);
    expect(terms).toBeClose(products, { relative: 1e-5, absolute: 1e-7 });
    const steps = weight.map((w, t) => (t + 1 < weight.length ? weight[t + 1] : after) - w);
    expect(steps).toBeClose(
      terms.map((term) => -0.2 * term),
      { relative: 1e-4, absolute: 1e-6 },
    );
  });

  it('is sent what its neuron fires in the trial that is shown', () => {
    const session = open(applySettings(preset('store-recall'), ['backend=reference', 'training.streams=2']));
    session.trial();
    session.replay(watch, 0);
    session.trial();
    session.trial();
    const { steps, neurons } = session.frame(watch, 0);
    const pre = neurons.index.find((j) => j < 30) ?? 0;
    const frame = session.replay({ ...watch, synapse: { projection: 'lif-lif', pre, post: pre === 0 ? 1 : 0 } }, 0);
    const fired = Array.from(frame?.neurons.t ?? []).filter((t, n) => frame?.neurons.index[n] === pre && t < steps - 1);
    const sent = Array.from(frame?.synapse?.input ?? []).flatMap((z, t) => (z === 0 ? [] : [t - 1]));
    expect(fired.length).toBeGreaterThan(2);
    expect(sent).toEqual(fired);
  });

  it('adds up to the gradient of the trial', () => {
    const input = applySettings(preset('pattern-generation'), ['backend=reference']);
    const session = open(input);
    const { synapse } = session.replay(watch, 0) as Frame;
    // Those of the synapse itself come first.
    expect(synapse?.traces.map(({ label }) => label)).toEqual(['e', 'eBar', 'sum', 'eps']);
    const plain = createExperiment(applySettings(input, ['training.update.every=2']), catalogue);
    plain.trainTrials().next();
    const { network } = plain.run;
    const [{ nPost }] = session.info.projections.filter(({ name }) => name === synapse?.projection);
    const gradient = network.gradient[synapse?.projection ?? ''][(synapse?.pre ?? 0) * nPost + (synapse?.post ?? 0)];
    const sum = synapse?.terms?.reduce((all, term) => all + term, 0) ?? Number.NaN;
    expect(Math.abs(gradient)).toBeGreaterThan(1e-6);
    expect(sum / gradient).toBeCloseTo(1, 5);
  });
});

describe('what was chosen', () => {
  const choice: Choice = {
    base: { preset: 'four-six-back' },
    settings: [],
    rule: null,
    neuron: null,
    seed: null,
    chip: null,
  };

  it('is an experiment that the command line would make of the same settings', () => {
    const chosen = experimentOf(
      { ...choice, seed: 7, rule: 'rflo', neuron: 'alif', settings: ['training.total=64000'] },
      catalogue,
    );
    const { config } = createExperiment(chosen, catalogue);
    expect(config).toMatchObject({ seed: 7, rule: { name: 'rflo' }, training: { total: 64_000 } });
    expect(config.network.populations.rec.neuron.kind).toBe('alif');
  });

  it('reaches every population of a graph', () => {
    const chosen = experimentOf({ ...choice, base: { preset: 'store-recall' }, neuron: 'lif' }, catalogue);
    const { config } = createExperiment(chosen, catalogue);
    expect(Object.values(config.network.populations).map(({ neuron }) => neuron.kind)).toEqual(['lif', 'lif']);
  });

  it('is in the number formats of a chip', () => {
    const { config } = createExperiment(experimentOf({ ...choice, chip: 'spinnaker2' }, catalogue), catalogue);
    expect(config.backend).toBe('fixed');
    expect(Object.keys(config.fixed?.formats ?? {})).toContain('projection.rec.weights');
  });

  it.each([
    [{ ...choice, settings: ['network.neurons=-3'] }, 'network.neurons: got -3'],
    [{ ...choice, chip: 'abacus' }, 'chip: got "abacus", expected one of'],
    [{ ...choice, base: { preset: 'nothing' } }, 'preset: got "nothing"'],
  ])('says with path, value and range what cannot be: %#', (bad, message) => {
    const make = () => createExperiment(experimentOf(bad, catalogue), catalogue);
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(message);
  });
});
