import { describe, expect, it } from 'vitest';
import { catalogue } from '../../src/cli/catalogue.ts';
import { lengthShown, rasters, stacked } from '../../src/cli/figures/observed.ts';
import { observe } from '../../src/cli/observe.ts';
import { preset } from '../../src/config/presets.ts';
import { createExperiment } from '../../src/experiment/experiment.ts';

function observed(name: string) {
  const experiment = createExperiment(preset(name), catalogue);
  return { experiment, observation: observe(experiment, Math.min(40, lengthShown(experiment))) };
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
});
