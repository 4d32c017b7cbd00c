import type { Real } from '../core/layout.ts';
import type { Backend, Network, NetworkSpec, OpenOptions, Stages } from '../core/network.ts';
import { creditsInSteps, scheduleAt, windowOf } from '../core/network.ts';
import { rowAt } from '../core/rows.ts';
import { type Borders, bindBorders } from './borders.ts';
import { lossOfStreams } from './losses.ts';
import { type BoundModulator, bindModulator } from './modulated.ts';
import { allocateNetwork } from './network.ts';
import { bindOuter, type Outer } from './outer.ts';
import { bindPasses, type RunPasses } from './passes.ts';
import { bindUpkeep, type Upkeep } from './upkeep.ts';

/** Where a run stands. All counts are from its beginning; a checkpoint holds them beside the state buffer. */
export interface Clock {
  /** Trials finished. */
  trial: number;
  /** Steps of one stream finished. */
  step: number;
  /** Updates of the weights. */
  updates: number;
  /** Trials whose gradient waits for an update. */
  pending: number;
  /** Steps since the last update within trials. */
  sinceUpdate: number;
}

/** A network that can be run: its memory, its compiled stages and its clock. */
export interface Run {
  readonly network: Network;
  readonly stages: Stages;
  readonly clock: Clock;
  readonly borders: Borders;
  /** The third factor of the network; null: none. */
  readonly modulator: BoundModulator | null;
  /** The second pass over a trial; null: a trial is one. */
  readonly outer: Outer | null;
  /** Its rule in passes; null: none. */
  readonly passes: RunPasses | null;
  readonly upkeep: Upkeep;
  /** Steps of the online gradient that a watched trial asks for at once, see `Backend`. */
  readonly gradientChunk: number;
  /** Steps of one stream in the whole training; s(t) refers to it. */
  readonly totalSteps: number;
  /** Loss factor of each stream in the present trial. [stream] */
  readonly lossScale: Float64Array;
  /** Scale of the signal's own rates at step t of the present trial: it follows the recurrent weights. */
  readonly signalScale: (t: number) => number;
}

export function createRun(spec: NetworkSpec, backend: Backend, totalSteps: number, options: OpenOptions = {}): Run {
  const { network, stages } = allocateNetwork(spec, backend, options);
  const clock: Clock = { trial: 0, step: 0, updates: 0, pending: 0, sinceUpdate: 0 };
  return {
    network,
    stages,
    clock,
    borders: bindBorders(network),
    modulator: bindModulator(network),
    outer: bindOuter(network, stages, backend),
    passes: bindPasses(network, stages),
    upkeep: bindUpkeep(network),
    gradientChunk: backend.gradientChunk,
    totalSteps,
    lossScale: new Float64Array(spec.sizes.stream),
    signalScale: (t) => scheduleAt(spec.signalSchedule, progressOf(clock, totalSteps, t)),
  };
}

/** Share of the training that lies before step t of the present trial. */
function progressOf(clock: Clock, totalSteps: number, t: number): number {
  return Math.min(1, (clock.step + t) / totalSteps);
}

export interface TrialOptions {
  readonly learn: boolean;
  /** With `learn`: compute signals and gradients, but leave the weights as they are. */
  readonly freeze?: boolean;
  /** Of a task that answers: called when the network has put out step t. */
  readonly answer?: ((t: number) => void) | undefined;
  /** Called after every step, when its signal is known and before its update; makes the trial run step by step. */
  readonly onStep?: ((t: number) => void) | undefined;
}

/**
 * One trial of all streams. The input, target and weight arrays hold what the task wrote.
 *
 *     forward -> readout -> error -> rate term -> signal -> gradient -> update
 *
 * Where weights change between trials each stage runs once for the whole trial; where they change within it, or where
 * somebody watches, the same stages run one step at a time. The bits are the same. Signals with a window are asked at its
 * end, before any later step is done, and the gradient follows. A rule in passes runs the trial again and again.
 */
export function runTrial(run: Run, steps: number, options: TrialOptions): void {
  const { network, stages, clock } = run;
  const { spec } = network;
  const passes = options.learn ? run.passes : null;
  passes?.start.take();
  begin(run, steps);
  if (run.outer) twoPasses(run, run.outer, steps, options);
  else if (passes) inPasses(run, passes, steps, options);
  else if (options.learn && run.modulator) modulated(run, run.modulator, steps, options);
  else if (options.learn && !options.onStep && !options.answer && stages.wholeTrial)
    stages.wholeTrial(steps, run.lossScale);
  else stageByStage(run, steps, options);
  if (!passes) run.borders.leave(steps);
  const changes = options.learn && !options.freeze;
  if (changes && spec.update.unit === 'trial') updateBetween(run);
  if (changes) run.upkeep.afterTrial(steps);
  clock.step += steps;
  clock.trial += 1;
}

function stageByStage(run: Run, steps: number, options: TrialOptions): void {
  const { network, stages } = run;
  const { spec } = network;
  const withinTrial = options.learn && !options.freeze && spec.update.unit === 'step';
  const window = windowOf(spec);
  const stride = withinTrial || options.onStep || options.answer ? 1 : (window ?? steps);
  // Where weights change within the trial a piece ends with each update, and a backend that keeps traces step by step has them.
  const ownPiece =
    run.gradientChunk === 1 && withinTrial ? 1 : stride === 1 && !withinTrial ? run.gradientChunk : steps;
  // Signals of a window are known at its end, and traces wait for them.
  const piece = window ?? ownPiece;
  const heard = window ?? stride;
  const direct = options.learn ? spec.direct : null;
  let first = 0;
  let firstHeard = 0;
  let firstDirect = 0;
  for (let t0 = 0; t0 < steps; t0 += stride) {
    const t1 = Math.min(steps, t0 + stride);
    stages.forward(t0, t1);
    stages.readout(t0, t1);
    options.answer?.(t0);
    stages.error(t0, t1, run.lossScale);
    const known = t1 - firstHeard === heard || t1 === steps;
    const due = withinTrial && known && updateIsDue(run);
    if (options.learn) {
      stages.rateRunning(t0, t1);
      if (known) {
        stages.signal(firstHeard, t1, run.signalScale);
        firstHeard = t1;
      }
      if (spec.execution === 'online' && (t1 - first === piece || t1 === steps || due)) {
        stages.gradient(first, t1, due && !options.onStep);
        first = t1;
      }
    }
    if (direct && (direct.grain === 'step' || due)) {
      stages.direct(firstDirect, t1);
      firstDirect = t1;
    }
    options.onStep?.(t0);
    if (withinTrial) updateWithin(run, t1, due);
  }
  if (options.learn) finishGradient(run, steps);
  // Last, since it may leave rows of its own in the signal that the trace of the rate term has met.
  if (direct && firstDirect < steps) stages.direct(firstDirect, steps);
}

/** The inner trial, of which only the firing-rate term is learned, then the test trial, of which everything else is. Watchers see the first. */
function twoPasses(run: Run, outer: Outer, steps: number, { learn, onStep }: TrialOptions): void {
  const { network, stages, lossScale, signalScale } = run;
  const stride = onStep ? 1 : steps;
  for (let t = 0; t < steps; t += stride) {
    forwardTo(run, t, t + stride);
    onStep?.(t);
  }
  outer.keep(steps);
  if (learn) {
    network.trial.error.data.fill(0);
    stages.rateRunning(0, steps);
    stages.signal(0, steps, signalScale);
    if (network.spec.execution === 'online') stages.gradient(0, steps);
    finishGradient(run, steps);
  }
  outer.pass(steps, lossScale, learn);
}

/** A learning trial of a rule in passes. Its first one is the network itself: its rows and its states are what the trial leaves. */
function inPasses(run: Run, passes: RunPasses, steps: number, { onStep }: TrialOptions): void {
  const { network, lossScale } = run;
  const { rule, bound, start, first, done, loss } = passes;
  rule.passes.forEach(({ from, stepwise }, p) => {
    if (p > 0) {
      (from === 'start' ? start : first).putBack();
      if (from === 'start') run.borders.enter();
      else run.borders.goOn();
    }
    bound.begin(p, steps);
    const stride = stepwise || (p === 0 && onStep) ? 1 : steps;
    for (let t = 0; t < steps; t += stride) {
      if (stepwise) bound.before?.(p, t, steps);
      forwardTo(run, t, t + stride);
      if (stepwise) bound.after?.(p, t);
      if (p === 0) onStep?.(t);
    }
    if (p === 0) {
      if (rule.readouts === 'error') gradientOfReadouts(run, steps);
      run.borders.leave(steps);
      first.take();
      done.take();
    }
    lossOfStreams(network, lossScale, steps, loss);
    bound.end(p, steps, loss);
  });
  first.putBack();
  done.putBack();
}

function forwardTo({ stages, lossScale }: Run, t0: number, t1: number): void {
  stages.forward(t0, t1);
  stages.readout(t0, t1);
  stages.error(t0, t1, lossScale);
}

/** Where nothing else has a gradient. */
function gradientOfReadouts(run: Run, steps: number): void {
  if (run.network.spec.execution === 'online') run.stages.gradient(0, steps);
  finishGradient(run, steps);
}

/** A learning trial with a third factor: what it scales is known only when the network has gone on. */
function modulated(run: Run, modulator: BoundModulator, steps: number, options: TrialOptions): void {
  if (creditsInSteps(run.network.spec)) modulatedInSteps(run, modulator, steps, options);
  else modulatedAtEnd(run, modulator, steps, options);
}

/** First everything that happens, then the errors of all steps with their factors, then what they teach. */
function modulatedAtEnd(run: Run, modulator: BoundModulator, steps: number, { answer, onStep }: TrialOptions): void {
  const { network, stages, lossScale, signalScale } = run;
  const { direct, execution } = network.spec;
  const stride = answer || onStep ? 1 : steps;
  for (let t = 0; t < steps; t += stride) {
    stages.forward(t, t + stride);
    stages.readout(t, t + stride);
    answer?.(t);
    if (!onStep) continue;
    // Who watches sees the signal as it is before its factor is known.
    stages.error(t, t + 1, lossScale);
    stages.signal(t, t + 1, signalScale);
    onStep(t);
  }
  stages.error(0, steps, lossScale);
  modulator.scaleErrors(steps, lossScale);
  stages.rateRunning(0, steps);
  stages.signal(0, steps, signalScale);
  if (execution === 'online') stages.gradient(0, steps);
  finishGradient(run, steps);
  if (direct?.grain === 'step') for (let t = 0; t < steps; t++) stages.direct(t, t + 1);
  else if (direct) stages.direct(0, steps);
}

/** A factor that comes a step late scales what stood before the traces of this step were added. */
function modulatedInSteps(run: Run, modulator: BoundModulator, steps: number, options: TrialOptions): void {
  const { stages, lossScale, signalScale } = run;
  const { answer, onStep, freeze } = options;
  const credit = (t: number) => {
    stages.credit?.(modulator.at(t, steps));
    if (!freeze) updateWithin(run, t + 1, updateIsDue(run));
  };
  for (let t = 0; t < steps; t++) {
    stages.forward(t, t + 1);
    stages.readout(t, t + 1);
    answer?.(t);
    if (modulator.late === 1 && t > 0) credit(t - 1);
    stages.error(t, t + 1, lossScale);
    stages.signal(t, t + 1, signalScale);
    stages.gradient(t, t + 1);
    if (modulator.late === 0) credit(t);
    onStep?.(t);
  }
  if (modulator.late === 1) credit(steps - 1);
  finishGradient(run, steps);
}

/** Whether the weights change after this step, or after the window that it is in. */
function updateIsDue({ clock, network }: Run): boolean {
  return clock.sinceUpdate + 1 >= network.spec.update.every;
}

function updateWithin(run: Run, t: number, due: boolean): void {
  const { clock } = run;
  clock.sinceUpdate += 1;
  if (!due) return;
  clock.sinceUpdate = 0;
  updateWeights(run, 1, t - 1);
}

/** One update from the gradient of so many trials, at step t of the present one. */
export function updateWeights({ clock, stages, upkeep, totalSteps }: Run, trials: number, t: number): void {
  const progress = progressOf(clock, totalSteps, t);
  clock.updates += 1;
  stages.update(progress, clock.updates, trials);
  upkeep.afterUpdate(progress, clock.updates);
}

function finishGradient({ network, stages }: Run, steps: number): void {
  stages.rateOfTrial(steps);
  if (network.spec.execution === 'online') stages.gradientEnd(steps);
  else stages.gradientOfTrial(steps);
}

function updateBetween(run: Run): void {
  const { clock, network } = run;
  clock.pending += 1;
  if (clock.pending < network.spec.update.every) return;
  updateWeights(run, clock.pending, 0);
  clock.pending = 0;
}

/** What is left over when a training ends between two updates: one more, of fewer trials or steps. */
export function updateRest(run: Run): void {
  const { clock } = run;
  if (clock.pending > 0) updateWeights(run, clock.pending, 0);
  if (clock.sinceUpdate > 0) updateWeights(run, 1, -1);
  Object.assign(clock, { pending: 0, sinceUpdate: 0 });
}

/** A copy of the gradient as it stands, 0 at synapses that exist in the storage only. */
export function gradientOf({ network: { gradient, spec } }: Pick<Run, 'network'>): Record<string, Float64Array> {
  return Object.fromEntries(
    spec.blocks.map(({ name, synapses }) => {
      const copied = Float64Array.from(gradient[name]);
      for (const s of synapses?.masked ?? []) copied[s] = 0;
      return [name, copied];
    }),
  );
}

/** What the last trial left, and the loss factors. */
function begin({ network, borders, lossScale }: Run, steps: number): void {
  const { spec, trial } = network;
  borders.enter();
  for (let b = 0; b < spec.sizes.stream; b++) {
    lossScale[b] = factor(spec.lossScale, trial.weight.data, rowAt(trial.weight, b, 0), steps);
  }
}

function factor(scale: NetworkSpec['lossScale'], weight: Real, row: number, steps: number): number {
  if (scale === 'sum') return 1;
  if (scale !== 'mean') return scale;
  let scored = 0;
  for (let t = 0; t < steps; t++) scored += weight[row + t];
  return scored > 0 ? 1 / scored : 0;
}
