import { ConfigError, UnsupportedError } from '../../core/errors.ts';
import type { Catalogue } from '../../core/plugins.ts';
import { createRng } from '../../core/rng.ts';
import { gradientOf } from '../../engine/run.ts';
import { addTrial, emptyTally } from '../../engine/scores.ts';
import type { Experiment } from '../experiment.ts';
import { fails, holds, type Outcome, skipped } from './report.ts';
import { type Build, doTrial, type Json, type List, smallNetworks, steps } from './small.ts';

/** Of central differences. */
const width = 1e-5;
/** What they may be off by, as a share of the largest slope of a block of weights. */
const exactness = 1e-6;

/**
 * The gradient of a rule against central differences of the loss, where the rule says that it is its derivative; of a neuron and a
 * readout that of backpropagation through them. Spikes have no slope: the network is one of rates.
 */
export function gradientIsSlope(list: List, choice: Json, catalogue: Catalogue, build: Build): Outcome {
  const smooth = smoothNetworks(list, choice, catalogue, build);
  if (typeof smooth === 'string') return skipped(smooth);
  const experiment = built(smooth);
  if (typeof experiment === 'string') return skipped(experiment);
  const { weights } = experiment.run.network;
  if (!smooth.recurrent) weights.rec.fill(0);
  const gradient = gradientOf(trialOf(experiment, true));
  let worst = 0;
  for (const [name, values] of Object.entries(gradient)) {
    const slope = slopesOf(experiment, name);
    const largest = slope.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (const [s, value] of values.entries()) {
      if (Number.isNaN(slope[s])) continue;
      const off = Math.abs(value - slope[s]) / (largest || 1);
      if (!(off <= exactness))
        return fails(`${name}[${s}] is ${value.toPrecision(4)}, the slope of the loss ${slope[s].toPrecision(4)}`);
      worst = Math.max(worst, off);
    }
  }
  return holds(`within ${worst.toExponential(0)}${smooth.recurrent ? '' : ', without recurrent weights'}`);
}

interface Smooth {
  readonly build: Build;
  readonly network: Json;
  /** Whether the recurrent weights are those that were drawn, or 0. */
  readonly recurrent: boolean;
}

const rates = { neuron: { kind: 'rate' } };
const backpropagation = { name: 'bptt' };

/** Networks in which a part claims to be exact; else why there are none. */
function smoothNetworks(list: List, choice: Json, catalogue: Catalogue, build: Build): Smooth | string {
  switch (list) {
    case 'rules': {
      const exact = catalogue.rules.find(({ name }) => name === choice.name)?.exact;
      if (!exact) return 'it does not claim to be';
      const own = smallNetworks('rules', { ...choice, ...exact.params }, catalogue);
      return typeof own === 'string' ? own : { build: own, network: rates, recurrent: exact.recurrent };
    }
    case 'neurons':
    case 'readouts': {
      const spiking = list === 'neurons' && build().run.network.spec.populations[0].spiking;
      if (spiking) return 'spikes have no slope';
      const own: Build = (changes = {}) => build({ ...changes, rule: backpropagation });
      return { build: own, network: list === 'neurons' ? {} : rates, recurrent: true };
    }
    default:
      return 'it claims no such thing';
  }
}

/** One stream of it, of which a gradient is the sum; else why there is none. */
function built({ build, network }: Smooth): Experiment | string {
  try {
    return build({ network, training: { total: 1, streams: 1, update: { reduction: 'sum' } } });
  } catch (error) {
    if (error instanceof ConfigError || error instanceof UnsupportedError) return error.message;
    throw error;
  }
}

/** The first trial again. */
function trialOf(experiment: Experiment, learn: boolean) {
  experiment.run.clock.trial = 0;
  return doTrial(experiment, learn);
}

function lossOf(experiment: Experiment): number {
  const tally = emptyTally();
  addTrial(tally, trialOf(experiment, false), steps);
  return tally.loss;
}

/** dE/dw of a block of weights; NaN where there is no synapse. */
function slopesOf(experiment: Experiment, name: string): Float64Array {
  const { weights, spec } = experiment.run.network;
  const masked = spec.projections.find((one) => one.name === name)?.synapses.masked ?? new Int32Array(0);
  return Float64Array.from(weights[name], (w, s) => {
    if (masked.includes(s)) return Number.NaN;
    const at = (by: number) => {
      weights[name][s] = w + by;
      return lossOf(experiment);
    };
    const slope = (at(width) - at(-width)) / (2 * width);
    weights[name][s] = w;
    return slope;
  });
}

/** dE/dy by central differences of the loss, against the error, at drawn outputs. */
export function errorIsSlope({ run }: Experiment): Outcome {
  const [{ loss, size }] = run.network.spec.readouts;
  if (loss.targetless || loss.acts) return skipped('its error is no slope of one step');
  const rng = createRng(9);
  let worst = 0;
  for (let n = 0; n < 20; n++) {
    const y = Float64Array.from({ length: size }, () => rng.normal());
    const label = rng.integer(size);
    const target = Float64Array.from({ length: size }, (_, k) =>
      loss.classification ? Number(k === label) : rng.normal(),
    );
    const error = new Float64Array(size);
    loss.error(error, y, target, 0, size);
    for (let k = 0; k < size; k++) {
      const at = (by: number) =>
        loss.value(
          y.map((value, c) => value + (c === k ? by : 0)),
          target,
          0,
          size,
        );
      worst = Math.max(worst, Math.abs((at(width) - at(-width)) / (2 * width) - error[k]) / (1 + Math.abs(error[k])));
    }
  }
  const said = `off by ${worst.toExponential(1)} of 1 + |error|`;
  return worst < 1e-6 ? holds(said) : fails(said);
}
