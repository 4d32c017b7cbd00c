import { describe, expect, it } from 'vitest';
import { graphExperiment } from '../support/graphs.ts';

/** An endless stream through a graph with delays: where it is cut into chunks must not show. */
const lif = { kind: 'lif', membrane: { decay: 0.8 }, vTh: 0.4, nRef: 2 };

function trained(backend: string, chunkSteps: number, delayMs: number | null, inputDelays: object | number) {
  const experiment = graphExperiment({
    backend,
    task: { kind: 'live', mode: 'stream', inputs: 6, outputs: 2 },
    network: {
      populations: {
        front: { size: 7, neuron: lif },
        back: { size: 5, neuron: { ...lif, kind: 'alif', adaptation: { decay: 0.95 }, adaptBeta: 0.1 } },
      },
      projections: {
        in: { from: 'input', to: 'front', delayMs: inputDelays, init: { kind: 'normal', gain: 3 } },
        up: { from: 'front', to: 'back', delayMs, init: { kind: 'normal', gain: 3 } },
        down: { from: 'back', to: 'front', delayMs: 4 },
      },
      readouts: { out: { from: ['front', 'back'], readout: { kind: 'leaky', filter: { decay: 0.7 } } } },
    },
    rule: { name: 'e-prop-1', feedback: 'random' },
    optimizer: { kind: 'sgd', rates: { in: 0.01, up: 0.01, down: 0.01, out: 0.02 } },
    training: { total: 240, streams: 2, chunkSteps, update: { unit: 'step', every: 1 } },
  });
  const { network, clock } = experiment.run;
  const before = Array.from(network.weights.up);
  experiment.train();
  expect(clock.step).toBe(120);
  expect(Array.from(network.weights.up)).not.toEqual(before);
  return Object.fromEntries(Object.entries(network.weights).map(([name, values]) => [name, Array.from(values)]));
}

describe.each(['reference', 'wasm'])('%s', (backend) => {
  it.each([
    ['input delay of one step', null, 1],
    ['input delays of 0 to 3 steps, a layer within the step', 0, { kind: 'uniform', low: 0, high: 3 }],
    ['input delays of 2 steps, longer ones between neurons', 3, 2],
  ])('%s: the same bits in chunks of any length', (_label, delayMs, inputDelays) => {
    const whole = trained(backend, 120, delayMs, inputDelays);
    for (const chunkSteps of [60, 12, 5]) expect(trained(backend, chunkSteps, delayMs, inputDelays)).toEqual(whole);
  });
});
