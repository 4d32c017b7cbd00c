import { describe, expect, it } from 'vitest';
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

describe('the start of a trial', () => {
  /** Output and gradient of a second trial, with state spoiled before it or not. */
  const second = (training: object, spoiled: readonly string[]) => {
    const experiment = liveExperiment({ training: { execution: 'online', ...training } });
    const { network } = doTrial(experiment);
    for (const { name } of network.state.table) {
      if (spoiled.some((group) => name === group || name.startsWith(`${group}.`))) network.state.field(name).fill(2);
    }
    doTrial(experiment);
    return [...network.trial.y, ...blocks(gradientOf(experiment.run)).flatMap((block) => Array.from(block))];
  };

  it.each(['neuron', 'readout.u', 'run.zTail'])('forgets %s exactly where state is reset', (field) => {
    for (const state of ['reset', 'carry']) {
      const clean = second({ state }, []);
      const forgotten = second({ state }, [field]).every((value, s) => Object.is(value, clean[s]));
      expect(forgotten, state).toBe(state === 'reset');
    }
  });

  it.each(['trace', 'readout.zBar'])('forgets %s exactly where traces restart', (field) => {
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
    for (const name of ['trace.epsIn', 'trace.epsRec']) {
      const eps = state.field(name);
      const before = Array.from(eps, (value) => dynamicsOf(spec).decay * value);
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
    const { rec: n, step: steps } = network.spec.sizes;
    const tail = network.state.field('run.zTail');
    for (let b = 0; b < 2; b++) {
      const last = network.trial.z.subarray((b * (1 + steps) + steps) * n, (b + 1) * (1 + steps) * n);
      expect(tail.subarray(b * n, (b + 1) * n)).toBeBitEqual(last);
    }
    doTrial(experiment, { steps: 7 });
    const row = network.trial.z.subarray(7 * n, 8 * n);
    expect(tail.subarray(0, n)).toBeBitEqual(row);
  });
});
