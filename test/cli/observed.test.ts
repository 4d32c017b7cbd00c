import { describe, expect, it } from 'vitest';
import { catalogue } from '../../src/cli/catalogue.ts';
import { rasters, stacked, windowShown } from '../../src/cli/figures/observed.ts';
import { observe } from '../../src/cli/observe.ts';
import { preset } from '../../src/config/presets.ts';
import { createExperiment } from '../../src/experiment/experiment.ts';

function observed(name: string) {
  const experiment = createExperiment(preset(name), catalogue);
  return {
    experiment,
    observation: observe(experiment, { from: 0, steps: Math.min(40, windowShown(experiment).steps) }),
  };
}

describe('what the figures of a run show', () => {
  it('is the size of graded inputs, and of spikes that they are there', () => {
    const { experiment, observation } = observed('cart-pole');
    const [input, neurons] = rasters(observation, experiment);
    const sizes = new Set(input.spikes.value as readonly number[]);
    expect(sizes.size).toBeGreaterThan(10);
    for (let n = 0; n < input.spikes.t.length; n++) {
      const row = observation.rows['task.x'][input.spikes.t[n]];
      expect(input.spikes.value?.[n]).toBe(row[input.spikes.index[n]]);
    }
    expect(neurons.spikes.t.length).toBeGreaterThan(0);
    expect(new Set(neurons.spikes.value as readonly number[])).toEqual(new Set([1]));
  });

  it('is the target of an actor, and none of a critic', () => {
    const { experiment, observation } = observed('delayed-choice');
    const { panels } = stacked(observation, experiment, 'title');
    const linesOf = (label: string) => {
      const panel = panels.find((candidate) => candidate.label === label);
      return panel?.kind === 'lines' ? panel.series.map((line) => line.label) : null;
    };
    expect(linesOf('actor: readout')).toEqual(['y 0', 'target 0', 'y 1', 'target 1']);
    expect(linesOf('critic: readout')).toEqual(['y']);
  });

  it('is a window of a stream that goes on from chunk to chunk', () => {
    const experiment = createExperiment(preset('four-six-back'), catalogue);
    const chunk = experiment.run.network.spec.sizes.step;
    const whole = observe(experiment, { from: 0, steps: 2 * chunk });
    const view = { window: [5 * (chunk - 10), 5 * (chunk + 20)] as const, neurons: [3, 99], panels: ['neurons', 'v'] };
    const part = observe(experiment, windowShown(experiment, view));
    expect(part).toMatchObject({ from: chunk - 10, steps: 30 });
    expect(part.rows['population.rec.v']).toEqual(whole.rows['population.rec.v'].slice(chunk - 10, chunk + 20));
    const { panels, startStep } = stacked(part, experiment, 'title', view);
    expect(startStep).toBe(chunk - 10);
    expect(panels.map(({ label }) => label)).toEqual(['recurrent neurons', 'membrane potential v']);
    const [, v] = panels;
    if (v.kind !== 'lines') throw new Error(v.kind);
    expect(v.series.map(({ label }) => label)).toEqual(['neuron 3', 'neuron 99', 'threshold', '']);
    expect(v.series[1].values).toEqual(Float64Array.from(part.rows['population.rec.v'], (row) => row[99]));
  });

  it('is refused where it is not there', () => {
    const experiment = createExperiment(preset('pattern-generation'), catalogue);
    const observation = observe(experiment, windowShown(experiment, { window: [0, 20] }));
    expect(() => windowShown(experiment, { window: [500, 5000] })).toThrow(
      /^--window: got "500:5000", expected within/,
    );
    expect(() => windowShown(experiment, { window: [5, 5.4] })).toThrow(/^--window: got "5:5.4", expected 2 to/);
    expect(() => stacked(observation, experiment, '', { neurons: [10_000] })).toThrow(/^--neurons: got 10000/);
    expect(() => stacked(observation, experiment, '', { panels: ['w'] })).toThrow(/^--panels: got "w"/);
  });
});
