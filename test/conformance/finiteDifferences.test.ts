import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { rowAt } from '../../src/core/rows.ts';
import { gradientOf } from '../../src/engine/run.ts';
import { addTrial, emptyTally } from '../../src/engine/scores.ts';
import type { Experiment } from '../../src/experiment/experiment.ts';
import {
  assertAlive,
  doTrial,
  fires,
  type LiveNeuron,
  type LiveOptions,
  liveExperiment,
  liveNeurons,
  liveReadouts,
} from '../support/live.ts';
import { tolerances } from '../support/tolerances.ts';

/**
 * Where e-prop drops nothing its gradient is the derivative of the loss, which central differences measure without any
 * gradient code: the smooth network without recurrent weights, and the readout of every network. (At W_rec = 0 the
 * derivative with respect to W_rec is exact, too: what is dropped is a product with another recurrent weight.)
 */
const step = 1e-5;
const names = ['in', 'rec', 'out', 'out.bias'] as const;
type Name = (typeof names)[number];

const targets: Readonly<Record<string, string>> = {
  square: 'real',
  softmax: 'one-hot',
  bernoulli: 'bits',
  policy: 'one-hot',
  value: 'real',
};

function build(options: LiveOptions): Experiment {
  const symmetric = { name: 'e-prop-1', feedback: 'symmetric' };
  const experiment = liveExperiment({
    rule: symmetric,
    ...options,
    training: { update: { reduction: 'sum' }, ...options.training },
  });
  if (!experiment.run.network.spec.populations[0].spiking) experiment.run.network.weights.rec.fill(0);
  const { 'out.bias': bias } = experiment.run.network.weights;
  for (let k = 0; k < bias.length; k++) bias[k] = 0.1 * (k + 1);
  return experiment;
}

/** Loss of the trial, without any gradient code. */
function lossOf(experiment: Experiment): number {
  const { run } = experiment;
  run.clock.trial = 0;
  doTrial(experiment, { learn: false });
  const tally = emptyTally();
  addTrial(tally, run, run.network.spec.sizes.step);
  return tally.loss;
}

function differences(experiment: Experiment, name: Name, value: (experiment: Experiment) => number): number[] {
  const { weights, spec } = experiment.run.network;
  const masked = name === 'rec' ? spec.projections[1].synapses.masked : new Int32Array(0);
  return Array.from(weights[name], (w, s) => {
    if (masked.includes(s)) return 0;
    const at = (shifted: number) => {
      weights[name][s] = shifted;
      return value(experiment);
    };
    const slope = (at(w + step) - at(w - step)) / (2 * step);
    weights[name][s] = w;
    return slope;
  });
}

const smooth = liveNeurons.filter((neuron) => !fires(neuron));
const settings = models.losses.flatMap((loss) =>
  [
    { scale: 'sum', window: null },
    { scale: 'mean', window: { start: 20, length: 15 } },
    { scale: 0.3, window: { start: 0, length: 49 } },
  ].map((rest) => ({ loss: { kind: loss.kind, ...rest }, label: `${loss.kind} ${JSON.stringify(rest)}` })),
);

describe.each(smooth)('$label: the gradient of the smooth network is the slope of its loss', (neuron) => {
  it.each(settings.flatMap((setting) => liveReadouts.map((readout) => ({ ...setting, readout, name: readout.label }))))(
    '$label, $name',
    ({ loss, readout }) => {
      compareWithSlope({ neuron, readout, loss, task: { target: targets[loss.kind], steps: 40 } }, names);
    },
  );

  it.each(['trial', 'batch'] as const)('and that of the rate term is the slope of c/2 (f - f*)^2 (%s)', (mean) => {
    const rateTerm = { strength: 2, targetHz: 300, mean };
    const options: LiveOptions = {
      neuron,
      rateTerm,
      rule: { name: 'e-prop-1', feedbackScale: 0 },
      task: { steps: 40 },
    };
    const experiment = build(options);
    const gradient = gradientOf(doTrial(experiment));
    const slope = differences(experiment, 'in', (of) => energyOfRates(of, mean));
    expect(gradient.in).toBeClose(slope, tolerances.finiteDifference);
  });
});

/** 1/2 c sum_j (f_j - f*)^2: of every stream, as a mean over them, or of the mean over all streams. */
function energyOfRates(experiment: Experiment, mean: 'trial' | 'batch'): number {
  const { run } = experiment;
  run.clock.trial = 0;
  doTrial(experiment, { learn: false });
  const { stream, step: steps } = run.network.spec.sizes;
  const { z } = run.network.activity[0];
  const rates = Array.from({ length: stream }, (_, b) =>
    Array.from({ length: z.size }, (_unused, j) => {
      let sum = 0;
      for (let t = 0; t < steps; t++) sum += z.data[rowAt(z, b, t) + j];
      return sum / steps;
    }),
  );
  const energy = (f: number) => 0.5 * 2 * (f - 0.3) ** 2;
  const perNeuron = rates[0].map((_, j) => rates.map((row) => row[j]));
  const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const energies = perNeuron.map((values) =>
    mean === 'trial' ? average(values.map(energy)) : energy(average(values)),
  );
  return energies.reduce((sum, value) => sum + value, 0);
}

describe.each(liveNeurons)('$label: the gradient of the readout is the slope of the loss', (neuron: LiveNeuron) => {
  it.each(
    liveReadouts.flatMap((readout) =>
      models.losses.map(({ kind }) => ({ readout, kind, label: `${kind}, ${readout.label}` })),
    ),
  )('$label', ({ readout, kind }) => {
    const loss = { kind, scale: 'mean', window: { start: 5, length: 40 } };
    compareWithSlope({ neuron, readout, loss, task: { target: targets[kind] } }, ['out', 'out.bias']);
  });
});

function compareWithSlope(options: LiveOptions, blocks: readonly Name[]): void {
  for (const execution of ['online', 'deferred']) {
    const experiment = build({ ...options, training: { execution, update: { reduction: 'sum' } } });
    const run = doTrial(experiment);
    assertAlive(run);
    const gradient = gradientOf(run);
    for (const name of blocks) {
      if (name === 'out.bias' && !run.network.spec.readouts[0].readout.bias)
        expect(gradient['out.bias']).toBeBitEqual([0, 0, 0]);
      else expect(gradient[name]).toBeClose(differences(experiment, name, lossOf), tolerances.finiteDifference);
    }
  }
}
