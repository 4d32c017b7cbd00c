import { namedShort } from '../config/graph.ts';
import { parseExperiment } from '../config/parse.ts';
import { type ExperimentConfig, isGraph } from '../config/schema.ts';
import { bindingOfSignal } from '../core/bindings.ts';
import { type StoredDecays, withStoredDecays } from '../core/decays.ts';
import { ConfigError } from '../core/errors.ts';
import type { Listener, Scores } from '../core/events.ts';
import type { ByteSource } from '../core/files.ts';
import type { Real, Role } from '../core/layout.ts';
import { type Backend, type NetworkSpec, type OpenOptions, withoutRule } from '../core/network.ts';
import type { Catalogue, Split, TaskInstance } from '../core/plugins.ts';
import type { Projection } from '../core/projection.ts';
import { createRng, type Rng } from '../core/rng.ts';
import { encodeCheckpoint, restoreCheckpoint } from '../engine/checkpoint.ts';
import { createFeed, type Feed, nextSteps } from '../engine/feed.ts';
import { formattableFields } from '../engine/network.ts';
import { drawWeights, type InitOptions, initWeights, type WeightInit } from '../engine/projections.ts';
import { createRun, type Run, runTrial } from '../engine/run.ts';
import { addTrial, checkFinite, emptyTally, scoresOf } from '../engine/scores.ts';
import { type TrainOptions, trainTrials } from '../engine/train.ts';
import { startUpkeep } from '../engine/upkeep.ts';
import {
  buildSpec,
  chooseBackend,
  deriveParts,
  drawProjections,
  type Parts,
  whyReference,
  withFormats,
} from './build.ts';
import { checkDynamics } from './dynamics.ts';
import { withPinnedFiles } from './files.ts';
import {
  allocated,
  assertAllFits,
  assertFits,
  leastMemory,
  type Memory,
  memoryOf,
  type NetworkMemory,
  stateBytes,
  wholeMemory,
} from './memory.ts';

/** A checked experiment, ready to run. */
export interface Experiment {
  /** The configuration with every default filled in. */
  readonly config: ExperimentConfig;
  readonly task: TaskInstance;
  readonly memory: Memory;
  readonly run: Run;
  /** Brings the task's data into the arrays of the run. */
  readonly feed: Feed;
  /** Trains to the configured total, or to the first chunk border at or after `until`. */
  train(options?: TrainOptions): void;
  /** The same, one trial at a time, for a caller who wants to do something between trials. */
  trainTrials(options?: TrainOptions): Generator<void>;
  /** Scores the present weights on fresh data of a fresh network, learning off. `total` in symbols or trials. */
  evaluate(options?: EvaluateOptions): Scores & { readonly amount: number };
  /** A run of the same network, weights and traces included, that can be watched without changing this one, on fresh data or on those of the training. */
  observer(streams?: number, split?: Split): { readonly run: Run; readonly feed: Feed };
  /** Resolves when the threads of the run are at work. Threads start only while the event loop turns. */
  ready(): Promise<void>;
  /** Ends the threads of the run, where it has any. */
  close(): void;
  /** The state of the run as bytes, with its configuration. */
  checkpoint(): Uint8Array;
  /** Goes on where a checkpoint was taken. @throws FileError if it is of another network */
  restore(checkpoint: Uint8Array | ByteSource, path?: string): void;
}

export interface EvaluateOptions {
  readonly total?: number;
  readonly streams?: number;
  /** Another label gives other fresh data. */
  readonly label?: string;
}

/** The configuration with decays as the chip would store them. */
function asStored(config: ExperimentConfig): ExperimentConfig {
  const { fixed, network, rule } = config;
  if (!fixed?.decays) return config;
  const stored = <T>(part: T, path: string) => withStoredDecays(part, fixed.decays as StoredDecays, network.dtMs, path);
  return { ...config, network: stored(network, 'network'), rule: stored(rule, 'rule') };
}

/**
 * Checks a configuration, builds its network and draws its weights.
 * @param input an experiment, as in an experiment file or from `preset(name)`
 * @param catalogue the models and tasks to choose from: `{ ...models, tasks }`
 * @param options threads for the trials of a batch; call `close()` when done with more than one
 * @throws ConfigError, UnsupportedError
 */
export function createExperiment(input: unknown, catalogue: Catalogue, options: OpenOptions = {}): Experiment {
  const config = withPinnedFiles(parseExperiment(input, catalogue), catalogue);
  const build = () => buildExperiment(config, catalogue, options);
  return isGraph(input) ? build() : namedShort(build);
}

/** A network as it is trained, with all that a run of it is made from. */
interface Plan {
  readonly config: ExperimentConfig;
  readonly rng: Rng;
  readonly task: TaskInstance;
  readonly backend: Backend;
  readonly spec: NetworkSpec;
  /** Steps of one stream in the whole training. */
  readonly totalSteps: number;
  readonly evaluation: Evaluated;
  /** What the network takes that learns. */
  readonly own: NetworkMemory;
  readonly memory: Memory;
  /** Why `auto` takes the backend that it takes; null: nothing to say. */
  readonly note: string | null;
  /** The same network for another number of streams, and of rows: by default those of a whole trial or chunk. */
  specFor(streams: number, rows?: number): NetworkSpec;
}

/** Everything is checked, and its memory known, before any of it exists. */
function planOf(config: ExperimentConfig, catalogue: Catalogue, { maxBytes }: OpenOptions): Plan {
  const rng = createRng(config.seed);
  const built = asStored(config);
  const parts = deriveParts(built, catalogue, rng);
  const { task } = parts;
  const { training } = config;
  const total = totalSteps(task, training.total, training.streams);
  const steps = task.mode.kind === 'stream' ? training.chunkSteps : task.mode.steps;
  const rows = rowsAtOnce(task, steps, total);
  assertFits(leastMemory(built, parts, training.streams, rows), maxBytes, 'training.streams');
  for (const [name, { size, neuron }] of Object.entries(config.network.populations)) {
    const made = parts.neurons.get(name);
    if (made) checkDynamics(String(neuron.kind), made.spiking, made.neuron, size);
  }
  const projections = drawProjections(built, task, rng);
  const specFor = (streams: number, own = steps) =>
    buildSpec(built, catalogue, parts, projections, rng, { streams, steps, rows: own });
  const spec = withFormats(specFor(training.streams, rows), config, null);
  const backend = chooseBackend(config.backend, spec);
  const note = whyReference(config.backend, spec);
  checkUpdates(config, total, steps);
  const own = memoryOf(spec, backend);
  assertFits(own, maxBytes, 'training.streams');
  const amount = config.evaluation.total ?? (task.mode.kind === 'stream' ? 80_000 : 16);
  const evaluation = { ...config.evaluation, total: amount };
  const tested = withoutRule({ ...spec, sizes: { ...spec.sizes, ...evaluationSizes(config, task, evaluation) } });
  const memory = wholeMemory(own, stateBytes(tested, backend), task);
  assertAllFits(memory, maxBytes);
  return { config, rng, task, backend, spec, totalSteps: total, evaluation, own, memory, note, specFor };
}

function buildExperiment(given: ExperimentConfig, catalogue: Catalogue, options: OpenOptions): Experiment {
  const plan = planOf(given, catalogue, options);
  const { rng, task, backend, spec, evaluation, memory, note } = plan;
  const { training } = given;
  const run = allocated(plan.own, () => createRun(spec, backend, plan.totalSteps, options));
  initialise(run, given, task, rng.split('weights'));
  const feed = createFeed(run, task, rng.split('data'), given.loss.window, 'train');
  const checkpointEvery = training.checkpointEvery ?? Math.ceil(training.total / 20);
  const config = { ...given, backend: backend.name, training: { ...training, checkpointEvery }, evaluation };
  const about = { rule: String(given.rule.name), seed: given.seed, backend: backend.name };
  const evaluateNow = (asked: EvaluateOptions = {}) => evaluateFresh(plan, run, asked);
  const trials = (asked: TrainOptions = {}) =>
    trainTrials(run, feed, { total: training.total, checkpointEvery }, about, note, config, evaluateNow, asked);
  return {
    config,
    task,
    memory,
    run,
    feed,
    trainTrials: trials,
    train(asked) {
      for (const _ of trials(asked));
    },
    evaluate: evaluateNow,
    observer: (streams = training.streams, split = 'test') => observerOf(plan, run, streams, split),
    ready: () => run.stages.ready(),
    close: () => run.stages.close(),
    checkpoint: () => encodeCheckpoint(run, config),
    restore: (checkpoint, path) => restoreCheckpoint(run, checkpoint, path),
  };
}

/** What an evaluation is of: symbols or trials, in so many streams. */
interface Evaluated {
  readonly total: number;
  readonly streams: number;
}

function evaluationSizes({ training }: ExperimentConfig, task: TaskInstance, { total, streams }: Evaluated) {
  return { stream: streams, step: rowsAtOnce(task, training.chunkSteps, totalSteps(task, total, streams)) };
}

/** Steps whose rows are there at once: of a trial, or of a chunk of a stream, and no more than there are. */
const rowsAtOnce = ({ mode }: TaskInstance, chunkSteps: number, total: number): number =>
  mode.kind === 'trial' ? mode.steps : Math.min(chunkSteps, total);

/** Nothing is learned in an evaluation, so it keeps no traces and no gradients of its parts. */
function evaluationSpec({ config, spec, task, backend, specFor }: Plan, amount: Evaluated): NetworkSpec {
  const execution = config.fixed ? 'online' : spec.execution;
  const { stream, step } = evaluationSizes(config, task, amount);
  const tested = {
    ...withoutRule(specFor(stream, step)),
    update: { ...spec.update, unit: 'step', every: 1 },
    execution,
  } as const;
  return withFormats(tested, config, formattableFields(spec, backend));
}

/** Scores the weights of a run on fresh data of a fresh network. */
function evaluateFresh(plan: Plan, run: Run, { label = '', ...asked }: EvaluateOptions) {
  const { config, rng, task, backend, evaluation, totalSteps: steps } = plan;
  const total = asked.total ?? evaluation.total;
  const streams = asked.streams ?? evaluation.streams;
  const fresh = createRun(evaluationSpec(plan, { total, streams }), backend, steps);
  try {
    copyLearned(fresh, run, ['weights']);
    const test = createFeed(fresh, task, rng.split('evaluation').split(label), config.loss.window, 'test');
    return evaluate(fresh, test, task, total);
  } finally {
    fresh.stages.close();
  }
}

function observerOf(plan: Plan, run: Run, streams: number, split: Split) {
  const { config, rng, task, backend, specFor, totalSteps: steps } = plan;
  const watched = createRun(withFormats(specFor(streams), config, null), backend, steps);
  copyLearned(watched, run, ['weights', 'signal', 'direct', 'passes', 'upkeep']);
  const drawn = rng.split(split === 'test' ? 'observation' : 'data');
  return { run: watched, feed: createFeed(watched, task, drawn, config.loss.window, split) };
}

/** A training in which no update falls due would only look like one. */
function checkUpdates({ training }: ExperimentConfig, totalSteps: number, steps: number): void {
  const { every, unit } = training.update;
  const most = unit === 'trial' ? Math.ceil(totalSteps / steps) : totalSteps;
  if (every <= most) return;
  throw new ConfigError(
    'training.update.every',
    every,
    `at most ${most}, the ${unit}s that each of ${training.streams} streams has in training.total = ${training.total}`,
  );
}

/** Steps of one stream in a training of `total` symbols or trials. */
function totalSteps(task: TaskInstance, total: number, streams: number): number {
  const perStream = Math.ceil(total / streams);
  return perStream * (task.mode.kind === 'stream' ? task.mode.stepsPerSymbol : task.mode.steps);
}

/** Draws weights, block after block from generators of their own, then the matrices of signals and of a direct rule. */
function initialise(run: Run, { network: config }: ExperimentConfig, task: TaskInstance, rng: Rng): void {
  const { network } = run;
  const { spec, state, weights } = network;
  for (const { name, whole, pre, from } of spec.projections) {
    if (whole.start) {
      weights[name].set(whole.start);
      continue;
    }
    const { init, bias } = config.projections[whole.name];
    const nPre = whole.synapses.nPre - (bias === null ? 0 : 1);
    const options = {
      path: `network.projections.${whole.name}.init`,
      groups: pre === null ? groupsWithin(task, from, nPre) : [nPre],
    };
    const source = rng.split(whole.name);
    if (whole.drawn) drawInto(weights[name], whole.drawn, init, bias, source, options);
    else if (!whole.places) initWeights(weights[name], whole.synapses, init, bias, source, options);
    else {
      // Parts of one projection are drawn as one.
      const all = new Float64Array(whole.synapses.nSyn);
      initWeights(all, whole.synapses, init, bias, source, options);
      whole.places.forEach((place, s) => {
        weights[name][s] = all[place];
      });
    }
  }
  startUpkeep(network);
  for (const { name, reads, size } of spec.readouts) {
    const nPre = reads.reduce((sum, p) => sum + spec.populations[p].size, 0);
    drawWeights(
      weights[name],
      nPre,
      size,
      config.readouts[name].init,
      rng.split(name),
      `network.readouts.${name}.init`,
    );
  }
  const drawn = rng.split('signal');
  spec.populations.forEach(({ name, signals }, p) => {
    signals.forEach((signal, c) => {
      const { state: views, ...binding } = bindingOfSignal(network, p, c);
      signal.init(views, p === 0 && c === 0 ? drawn : drawn.split(name).split(c), binding);
    });
  });
  spec.direct?.init(state.views('direct'), rng.split('direct'));
  for (const { name, kind } of spec.blocks) {
    if (kind === 'signal') spec.direct?.outer?.initSignal(weights[name], rng.split(name));
  }
  spec.passes?.init(state.views('passes'), rng.split('passes'));
}

/** Sizes of the groups of the input among the columns [from, from + nPre): one of them, or all. */
function groupsWithin({ inputPopulations }: TaskInstance, from: number, nPre: number): number[] {
  const sizes: number[] = [];
  let first = 0;
  for (const { size } of inputPopulations) {
    if (first >= from && first + size <= from + nPre) sizes.push(size);
    first += size;
  }
  return sizes;
}

/** Weights of the synapses that there are, into a matrix of every pair. */
function drawInto(
  matrix: Real,
  drawn: Projection,
  init: WeightInit,
  bias: number | null,
  rng: Rng,
  options: InitOptions,
): void {
  const values = new Float64Array(drawn.nSyn);
  initWeights(values, drawn, init, bias, rng, options);
  for (let i = 0; i < drawn.nPre; i++) {
    for (let s = drawn.rowStart[i]; s < drawn.rowStart[i + 1]; s++) matrix[i * drawn.nPost + drawn.post[s]] = values[s];
  }
}

function evaluate(run: Run, feed: Feed, task: TaskInstance, total: number): Scores & { readonly amount: number } {
  const tally = emptyTally();
  const wanted = totalSteps(task, total, run.network.spec.sizes.stream);
  while (run.clock.step < wanted) {
    const steps = nextSteps(run, task, wanted);
    feed.fill(steps);
    runTrial(run, steps, { learn: false, answer: feed.answer });
    checkFinite(run, steps);
    addTrial(tally, run, steps);
  }
  return { ...scoresOf(tally, run.network, task.statesExpected), amount: feed.amount() };
}

/** Copies what state of these roles has learned; what belongs to single streams stays at its beginning. */
function copyLearned(to: Run, from: Run, roles: readonly Role[]): void {
  for (const { name, role, dims } of from.network.state.table) {
    if (!roles.includes(role) || dims[0] === 'stream') continue;
    to.network.state.field(name).set(from.network.state.field(name));
  }
}

export type { Listener, Memory, NetworkSpec, Parts };
