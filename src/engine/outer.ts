import { bindingOfDirect } from '../core/direct.ts';
import type { Real } from '../core/layout.ts';
import { type Backend, isScored, type Network, outerScores, type Stages } from '../core/network.ts';
import { testSpec, without } from '../core/outer.ts';
import type { BoundOuter } from '../core/plugins.ts';
import { type Rows, rowAt } from '../core/rows.ts';
import { resetState } from './borders.ts';
import { lossOfStreams } from './losses.ts';
import { allocateNetwork } from './network.ts';

/** Sums that make a score: `sum / of` over all trials. */
export type Ratios = Record<string, { sum: number; of: number }>;

/**
 * The second pass over a trial. The inner trial has been done by the network itself, all streams side by side; then, one stream after the
 * other,
 *
 *     W' of the stream ──► test trial from zero ──► y, error ──► dE/dW' by the rule of the test trial ──► dE/d(all weights)
 *
 * on a network of one stream without the population that teaches. Rows y and error of the trial are those of the test trial afterwards,
 * rows z and psi those of the inner one.
 */
export interface Outer {
  /** The network of the test trial, one stream; its weights are those of the stream that was adapted last. */
  readonly test: { readonly network: Network; readonly stages: Stages };
  readonly rule: BoundOuter;
  /** Keeps y of the inner trial, and its loss. */
  keep(steps: number): void;
  /** Writes weights, input and targets of stream b into the network of the test trial. */
  enter(b: number, steps: number): void;
  /** The test trials of all streams. @param scale loss factor of every stream */
  pass(steps: number, scale: Float64Array, learn: boolean): void;
  /** Adds the trial just done to the scores of both passes. */
  addScores(ratios: Ratios, steps: number): void;
}

/** @param own stages of the network @returns null for a network whose trials are one pass */
export function bindOuter(network: Network, own: Stages, backend: Backend): Outer | null {
  const { spec, trial } = network;
  const part = spec.direct?.outer;
  if (!part) return null;
  const { network: test, stages } = allocateNetwork(testSpec(spec, part), backend);
  const before = new Float64Array(trial.y.data.length);
  const losses = new Float64Array(spec.sizes.stream);
  const unscaled = new Float64Array(spec.sizes.stream).fill(1);
  const rule = own.outer?.(test) ?? bindRule(network, test, part);
  const factor = new Float64Array(1);
  const outer: Outer = {
    test: { network: test, stages },
    rule,
    keep(steps) {
      before.set(trial.y.data);
      lossOfStreams(network, unscaled, steps, losses);
    },
    enter(b, steps) {
      enterStream(test, network, b);
      rule.adapt(b, steps);
    },
    pass(steps, scale, learn) {
      for (let b = 0; b < spec.sizes.stream; b++) {
        outer.enter(b, steps);
        factor[0] = scale[b];
        stages.forward(0, steps);
        stages.readout(0, steps);
        stages.error(0, steps, factor);
        returnStream(trial.y, test.trial.y, b);
        returnStream(trial.error, test.trial.error, b);
        if (!learn) continue;
        for (const name of Object.keys(test.gradient)) test.gradient[name].fill(0);
        stages.gradientOfTrial(steps);
        stages.direct(0, steps);
        for (const name of readoutBlocks(spec)) add(network.gradient[name], test.gradient[name]);
        rule.credit(b, steps);
      }
    },
    addScores(ratios, steps) {
      for (const name of outerScores(spec)) {
        ratios[name] ??= { sum: 0, of: 0 };
        if (name === 'lossBefore') addLosses(ratios[name], network, losses, steps);
        else addSquares(ratios[name], network, name === 'nmse' ? trial.y.data : before, steps);
      }
    },
  };
  return outer;
}

function bindRule(
  network: Network,
  test: Network,
  part: NonNullable<NonNullable<Network['spec']['direct']>['outer']>,
): BoundOuter {
  const { spec, weights, gradient } = network;
  const left = without(part.module, spec).projectionsOf;
  const signal = spec.blocks.find(({ kind }) => kind === 'signal')?.name ?? '';
  return part.bind({
    ...bindingOfDirect(network),
    signal: { weights: weights[signal], gradient: gradient[signal] },
    test: spec.projections.map(({ name }, q) =>
      left.includes(q) ? { weights: test.weights[name], gradient: test.gradient[name] } : null,
    ),
  });
}

/** Blocks of all readouts, which learn from the test trial. */
function readoutBlocks({ blocks }: Network['spec']): string[] {
  return blocks.filter(({ kind }) => kind === 'readout' || kind === 'bias').map(({ name }) => name);
}

/** The network of the test trial as it stands before the trial of stream b, but for the weights of its projections. */
function enterStream(test: Network, { spec, trial, weights }: Network, b: number): void {
  resetState(test);
  copyStream(test.trial.x, trial.x, b);
  copyStream(test.trial.target, trial.target, b);
  copyStream(test.trial.weight, trial.weight, b);
  for (const name of readoutBlocks(spec)) test.weights[name].set(weights[name]);
}

/** Summed losses of all streams per weight of their scored steps. */
function addLosses(
  ratio: { sum: number; of: number },
  { spec, trial }: Network,
  losses: Float64Array,
  steps: number,
): void {
  for (let b = 0; b < spec.sizes.stream; b++) {
    ratio.sum += losses[b];
    const row = rowAt(trial.weight, b, 0);
    for (let t = 0; t < steps; t++) ratio.of += trial.weight.data[row + t];
  }
}

/** Squared errors, and squares of the targets. y: rows as those of the trial */
function addSquares(ratio: { sum: number; of: number }, { spec, trial }: Network, y: Real, steps: number): void {
  const target = trial.target.data;
  for (let b = 0; b < spec.sizes.stream; b++) {
    for (let t = 0; t < steps; t++) {
      const weight = trial.weight.data[rowAt(trial.weight, b, t)];
      const row = rowAt(trial.y, b, t);
      for (const readout of spec.readouts) {
        if (weight === 0 || !isScored(readout, t)) continue;
        const from = row + readout.column;
        for (let k = from; k < from + readout.size; k++) {
          ratio.sum += weight * (y[k] - target[k]) ** 2;
          ratio.of += weight * target[k] ** 2;
        }
      }
    }
  }
}

/** The rows of stream b, those of the past too, as the rows of a network of one stream. */
function copyStream(to: Rows, from: Rows, b: number): void {
  const first = rowAt(from, b, -from.history);
  to.data.set(from.data.subarray(first, first + to.data.length));
}

function returnStream(to: Rows, from: Rows, b: number): void {
  to.data.set(from.data, rowAt(to, b, -to.history));
}

function add(sum: Real, x: Real): void {
  for (let s = 0; s < sum.length; s++) sum[s] += x[s];
}
