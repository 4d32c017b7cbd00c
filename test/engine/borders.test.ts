import { describe, expect, it } from 'vitest';
import type { Real } from '../../src/core/layout.ts';
import type { NeuronDynamics } from '../../src/core/plugins.ts';
import { gradientOf } from '../../src/engine/run.ts';
import {
  blocks,
  doTrial,
  dynamicsOf,
  type LiveOptions,
  liveExperiment,
  liveNeurons,
  liveReadouts,
} from '../support/live.ts';

/** A stream is endless: where it is cut into chunks must not show, where state and traces go on. */

const continuous = (chunkSteps: number, training: object = {}): LiveOptions => ({
  task: { mode: 'stream' },
  rateTerm: { strength: 0.1, targetHz: 300, mean: 'running', runningRate: 0.05 },
  training: { chunkSteps, total: 240, execution: 'online', state: 'carry', traces: 'carry', ...training },
});

describe.each(liveNeurons)('$label: an endless stream', (neuron) => {
  it.each([
    ['every step', 1],
    ['every 7 steps', 7],
  ])('trains to the same bits in chunks of any length, updates %s', (_when, every) => {
    const optimizer = { kind: 'adam', schedule: { kind: 'linear-to-zero', holdUntil: 0.3 } };
    const trained = (chunkSteps: number) => {
      const options = continuous(chunkSteps, { update: { every, unit: 'step' } });
      const experiment = liveExperiment({ ...options, optimizer, neuron });
      experiment.train();
      expect(experiment.run.clock.step).toBe(120);
      expect(experiment.run.clock.updates).toBe(Math.ceil(120 / every));
      return experiment.run.network.state.data;
    };
    expect(trained(10)).toBeBitEqual(trained(120));
    expect(trained(50)).toBeBitEqual(trained(120));
  });

  it('has the gradient of its chunks joined, and another where traces or state start again', () => {
    const gradientIn = (chunkSteps: number, training: object = {}) => {
      const experiment = liveExperiment({ ...continuous(chunkSteps, training), neuron });
      for (let t = 0; t < 120; t += chunkSteps) doTrial(experiment);
      return blocks(gradientOf(experiment.run)).slice(0, 3);
    };
    const whole = gradientIn(120);
    expect(gradientIn(30)).toBeBitEqual(whole);
    expect(gradientIn(30, { traces: 'restart' })).not.toBeClose(whole, { relative: 1e-9 });
    expect(gradientIn(30, { state: 'reset' })).not.toBeClose(whole, { relative: 1e-9 });
  });
});

/** What a trace has become after a step without presynaptic activity. */
function withoutInput(dynamics: NeuronDynamics, eps: Real, e: Real | null, post: Int32Array): number[] {
  if (dynamics.form !== 'linear') return Array.from(eps, (value) => dynamics.decay * value);
  const { states: m, transition, own } = dynamics;
  return Array.from(eps, (_, at) => {
    const [synapse, r] = [Math.floor(at / m) % post.length, at % m];
    const row = post[synapse] * m + r;
    let value = 0;
    if (e) value += own[row] * e[Math.floor(at / m)];
    for (let k = 0; k < m; k++) value += transition[row * m + k] * eps[at - r + k];
    return value;
  });
}

describe('the start of a trial', () => {
  /** Output and gradient of a second trial, with state spoiled before it or not. */
  const second = (training: object, spoiled: readonly string[]) => {
    const experiment = liveExperiment({ training: { execution: 'online', ...training } });
    const { network } = doTrial(experiment);
    for (const { name, role } of network.state.table) {
      if (spoiled.some((chosen) => name === chosen || role === chosen)) network.state.field(name).fill(2);
    }
    doTrial(experiment);
    return [...network.trial.y.data, ...blocks(gradientOf(experiment.run)).flatMap((block) => Array.from(block))];
  };

  it.each(['neuron', 'readout.out.u', 'population.rec.tail'])('forgets %s exactly where state is reset', (field) => {
    for (const state of ['reset', 'carry']) {
      const clean = second({ state }, []);
      const forgotten = second({ state }, [field]).every((value, s) => Object.is(value, clean[s]));
      expect(forgotten, state).toBe(state === 'reset');
    }
  });

  it.each(['trace', 'readout.out.zBar'])('forgets %s exactly where traces restart', (field) => {
    for (const traces of ['restart', 'carry']) {
      const clean = second({ traces }, []);
      const forgotten = second({ traces }, [field]).every((value, s) => Object.is(value, clean[s]));
      expect(forgotten, traces).toBe(traces === 'restart');
    }
  });

  it.each(
    liveNeurons
      .filter(({ params }) => params.kind !== 'rate')
      .flatMap((neuron) =>
        liveReadouts.map((readout) => ({ neuron, readout, label: `${neuron.label}, ${readout.label}` })),
      ),
  )('lets traces that carry over decay where the spikes of the border are dropped: $label', ({ neuron, readout }) => {
    const experiment = liveExperiment({
      neuron,
      readout,
      network: { borderSpikes: 'drop' },
      training: { execution: 'online', state: 'carry', traces: 'carry' },
    });
    const { spec, state } = doTrial(experiment).network;
    for (const name of ['projection.in.trace.eps', 'projection.rec.trace.eps']) {
      const eps = state.field(name);
      const { synapses } = spec.projections[name.includes('.in.') ? 0 : 1];
      const kept = state.table.some(({ name: field }) => field === name.replace(/eps$/, 'e'));
      const e = kept ? state.field(name.replace(/eps$/, 'e')) : null;
      const before = withoutInput(dynamicsOf(spec), eps, e, synapses.post);
      let after = before.map(() => Number.NaN);
      doTrial(experiment, {
        onStep(t) {
          if (t === 0) after = Array.from(eps);
        },
      });
      expect(after).toBeBitEqual(before);
      expect(before.some((value) => value !== 0)).toBe(true);
    }
  });

  it('keeps the last activity for the recurrent spikes that are under way', () => {
    const experiment = liveExperiment({ task: { mode: 'stream' }, training: { chunkSteps: 20, total: 400 } });
    const { network } = doTrial(experiment);
    const { step: steps } = network.spec.sizes;
    const [{ size: n }] = network.spec.populations;
    const tail = network.state.field('population.rec.tail');
    for (let b = 0; b < 2; b++) {
      const last = network.activity[0].z.data.subarray((b * (1 + steps) + steps) * n, (b + 1) * (1 + steps) * n);
      expect(tail.subarray(b * n, (b + 1) * n)).toBeBitEqual(last);
    }
    doTrial(experiment, { steps: 7 });
    const row = network.activity[0].z.data.subarray(7 * n, 8 * n);
    expect(tail.subarray(0, n)).toBeBitEqual(row);
  });
});
