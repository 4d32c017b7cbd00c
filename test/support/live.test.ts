import { describe, expect, it } from 'vitest';
import { assertAlive, doTrial, liveExperiment, liveNeurons, liveReadouts } from './live.ts';

describe.each(liveNeurons)('the live network of $label', (neuron) => {
  it.each(liveReadouts)('fires in a live range with $label', (readout) => {
    assertAlive(doTrial(liveExperiment({ neuron, readout })));
  });

  it('is found dead where it is silent', () => {
    const experiment = liveExperiment({ neuron });
    experiment.run.network.weights.in.fill(0);
    doTrial(experiment);
    expect(() => assertAlive(experiment.run)).toThrow();
  });
});
