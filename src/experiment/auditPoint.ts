import { parseExperiment } from '../config/parse.ts';
import { bindingOfTrace, projectionSizes } from '../core/bindings.ts';
import { ConfigError } from '../core/errors.ts';
import { cut } from '../core/layout.ts';
import type { BackendName, OpenOptions, Weights } from '../core/network.ts';
import type { Catalogue } from '../core/plugins.ts';
import { createRng } from '../core/rng.ts';
import { createFeed } from '../engine/feed.ts';
import { type Run, runTrial } from '../engine/run.ts';
import { addTrial, emptyTally, scoresOf } from '../engine/scores.ts';
import {
  type Alignments,
  type AuditBlock,
  align,
  auditBlocksOf,
  normsOf,
  type Spreads,
  spread,
  undefinedAlignment,
} from './alignment.ts';
import { buildSpec, deriveParts, drawProjections } from './build.ts';
import { createExperiment, type Experiment } from './experiment.ts';
import {
  actOut,
  adopt,
  copyData,
  type Follower,
  follow,
  gradientOfChunk,
  type PartLayout,
  remember,
  shareFeedback,
} from './follower.ts';

export interface AuditOptions extends Pick<OpenOptions, 'maxBytes'> {
  /** Rules as an experiment has them, each with a name for tables. The master's own is added where it is not among them. */
  readonly rules: readonly { readonly label: string; readonly rule: unknown }[];
  /** Audit points from the first to the last weights, evenly spaced. 20 */
  readonly windows?: number;
  /** Fresh chunks (trials) that one point sums over. 4 */
  readonly chunks?: number;
  /** Draws of the noise of rules at every point, for their bias and variance. 1: neither */
  readonly draws?: number;
  /** Whether the true gradient goes through the neuron's own reset. `detached` */
  readonly reset?: 'attached' | 'detached';
  /** A clock in ms; with it the learning is timed. */
  readonly now?: () => number;
}

export interface AuditPoint {
  /** Symbols or trials trained. */
  readonly amount: number;
  /** Loss per step in the window, against the expected target where the task states one. */
  readonly loss: number;
  /** Norm of the true gradient, summed over streams, steps and chunks. */
  readonly norms: Readonly<Record<string, number>>;
  /** One per rule, in their order. */
  readonly alignments: readonly Alignments[];
  /** Of several draws, likewise; null where there is one. */
  readonly spreads: readonly Spreads[] | null;
}

export const referenceLabel = 'bptt (reference)';
export const identityLabel = 'eligibility x total derivative';

/** A follower with what is gathered of it. */
export interface Audited extends Follower {
  readonly experiment: Experiment;
  readonly label: string;
  readonly role: 'master' | 'audited' | 'reference';
  /** Learning part of each measured chunk, ms per step. */
  readonly times: number[];
}

/** Everybody but the master. */
export interface Cast {
  /** The true gradient. */
  readonly first: Audited;
  /** The same on every backend that is used. */
  readonly references: ReadonlyMap<BackendName, Audited>;
  readonly followers: readonly Audited[];
  /** Followers and references. */
  readonly all: readonly Audited[];
  readonly identity: ReturnType<typeof bindIdentity>;
  readonly blocks: readonly AuditBlock[];
}

export function assemble(
  { config, run: masterRun }: Pick<Experiment, 'config' | 'run'>,
  wanted: string,
  catalogue: Catalogue,
  options: Pick<AuditOptions, 'rules' | 'reset' | 'maxBytes'>,
): Cast {
  const { maxBytes, reset = 'detached' } = options;
  const build = (learning: Experiment['config'], backend: string) =>
    createExperiment(
      {
        ...learning,
        backend,
        rateTerm: { ...config.rateTerm, strength: 0 },
        training: { ...config.training, execution: 'online' },
      },
      catalogue,
      { maxBytes },
    );
  const references = new Map<BackendName, Audited>();
  const referenceOn = (backend: string): Audited => {
    const made = auditedOf(build(withRule(config, { name: 'bptt', reset }), backend), referenceLabel, 'reference');
    references.set(backendOf(made), made);
    return made;
  };
  const first = referenceOn(wanted);
  // Where BPTT has no kernel nobody uses one, so that all see the same spikes.
  const backend = backendOf(first) === 'wasm' ? wanted : backendOf(first);
  const followers = rulesOf(config, options.rules, catalogue).map(({ label, rule, isMaster }) => {
    const follower = auditedOf(
      build(isMaster ? config : withRule(config, rule), backend),
      label,
      isMaster ? 'master' : 'audited',
    );
    if (!references.has(backendOf(follower))) referenceOn(backendOf(follower));
    return follower;
  });
  shareFeedback(followers, masterRun, config);
  return {
    first,
    references,
    followers,
    all: [...followers, ...references.values()],
    identity: bindIdentity(first, catalogue),
    blocks: auditBlocksOf(first.run.network.spec),
  };
}

/** The master's next chunk, with the weights that it starts with. BPTT keeps nothing from chunk to chunk. */
export function followChunk({ first, followers }: Cast, steps: number): void {
  first.experiment.feed.fill(steps);
  actOut(first, first.experiment.feed, steps);
  for (const follower of followers) {
    if (follower.twin) continue;
    copyData(follower.run, first.run);
    follow(follower, steps);
  }
}

interface PointOptions {
  readonly chunks: number;
  readonly draws: number;
  readonly now: AuditOptions['now'];
}

/** The point before a chunk, from copies of the state. Its data depend on the place alone, not on the other points. */
export function measure(cast: Cast, place: number, { chunks, draws, now }: PointOptions): Omit<AuditPoint, 'amount'> {
  const { first, references, followers, all, blocks } = cast;
  const memories = all.map(({ run }) => remember(run));
  const measured = measureOnce(cast, place, chunks, memories, now);
  const { sums, derived } = measured;
  // The same data again, with other noise.
  const others = Array.from({ length: draws - 1 }, () => {
    for (const memory of memories) memory.restoreButDraws();
    return measureOnce(cast, place, chunks, memories, undefined).sums;
  });
  for (const memory of memories) memory.restore();
  const sumOf = (of: typeof sums, follower: Audited) => of.get(follower) ?? derived;
  const truthOf = (follower: Audited) => sumOf(sums, references.get(backendOf(follower)) ?? first);
  const truth = sumOf(sums, first);
  const rows = [...followers, first];
  const alignments = rows.map((follower) => align(sumOf(sums, follower), truthOf(follower), blocks));
  const spreads = rows.map((follower) =>
    spread(
      [sums, ...others].map((of) => sumOf(of, follower)),
      truthOf(follower),
      blocks,
    ),
  );
  const { loss, identity } = measured;
  return {
    loss,
    norms: normsOf(truth, blocks),
    alignments: [...alignments, withoutReadouts(identity, blocks)],
    spreads: draws > 1 ? spreads : null,
  };
}

/** One draw of a point; `identity` null: it is not asked for. */
function measureOnce(
  { first, all, identity, blocks }: Omit<Cast, 'identity'> & { readonly identity: Cast['identity'] | null },
  place: number,
  chunks: number,
  memories: readonly ReturnType<typeof remember>[],
  now: AuditOptions['now'],
) {
  const { config, task } = first.experiment;
  const { sizes, state, traces } = first.run.network.spec;
  const feed = createFeed(
    first.run,
    task,
    createRng(config.seed).split('audit').split(place),
    config.loss.window,
    'train',
  );
  const sums = new Map(all.map((follower) => [follower, zeros(first.run.network)]));
  const derived = zeros(first.run.network);
  const tally = emptyTally();
  const fill = () => {
    feed.fill(sizes.step);
    actOut(first, feed, sizes.step);
    const { trial } = first.run.network;
    if (task.statesExpected) trial.target.data.set(trial.expected.data);
    for (const { run } of all) if (run !== first.run) copyData(run, first.run);
  };
  if (state === 'carry' || traces === 'carry') {
    fill();
    for (const follower of all) follow(follower, sizes.step);
  }
  for (let c = 0; c < chunks; c++) {
    fill();
    for (const memory of memories) memory.restoreMatrices();
    for (const [follower, sum] of sums) add(sum, timed(follower, sizes.step, now));
    if (identity) add(derived, identity.gradient(sizes.step));
    addTrial(tally, first.run, sizes.step);
  }
  const truth = sums.get(first) ?? derived;
  return {
    sums,
    derived,
    loss: scoresOf(tally, first.run.network, task.statesExpected).lossPerStep,
    identity: align(derived, truth, blocks),
  };
}

function auditedOf(experiment: Experiment, label: string, role: Audited['role']): Audited {
  const { run, config } = experiment;
  return { experiment, run, config, label, role, twin: role === 'master', times: [] };
}

export function backendOf({ experiment }: Pick<Audited, 'experiment'>): BackendName {
  return experiment.config.backend as BackendName;
}

/** The experiment with one rule for the whole network. */
function withRule(config: Experiment['config'], rule: unknown): Experiment['config'] {
  const populations = Object.entries(config.network.populations).map(([name, own]) => [name, { ...own, rule: null }]);
  const network = { ...config.network, populations: Object.fromEntries(populations) };
  return { ...config, network, rule: rule as Experiment['config']['rule'] };
}

/** All rules of an experiment, to be compared. */
function learningOf({ rule, network }: Experiment['config']): string {
  return JSON.stringify([rule, Object.values(network.populations).map((population) => population.rule)]);
}

/** The rules to follow, the master's own among them or else first. @throws ConfigError for a label that stands twice */
function rulesOf(config: Experiment['config'], rules: AuditOptions['rules'], catalogue: Catalogue) {
  const own = learningOf(config);
  const parsed = rules.map(({ label, rule }) => {
    const all = parseExperiment(withRule(config, rule), catalogue);
    return { label, rule: all.rule, isMaster: learningOf(all) === own };
  });
  const labels = [referenceLabel, identityLabel, ...parsed.map(({ label }) => label)];
  const twice = labels.find((label, n) => labels.indexOf(label) !== n);
  if (twice !== undefined)
    throw new ConfigError('audit.rules', twice, 'each rule once, and none named as the references');
  if (parsed.some(({ isMaster }) => isMaster)) return parsed;
  const name = String(config.rule.name);
  const label = labels.includes(name) ? `${name} (master)` : name;
  return [{ label, rule: config.rule, isMaster: true }, ...parsed];
}

/** The gradient of the next chunk; with a clock the chunk is done without learning first, and the difference is noted. */
function timed(follower: Audited, steps: number, now: AuditOptions['now']): Weights {
  if (!now) return gradientOfChunk(follower, steps);
  const { restore } = remember(follower.run);
  const start = now();
  runTrial(follower.run, steps, { learn: false });
  const without = now() - start;
  restore();
  const again = now();
  const gradient = gradientOfChunk(follower, steps);
  follower.times.push((now() - again - without) / steps);
  return gradient;
}

/** The ordinary eligibility trace, begun anew with each chunk, times the dE/dz that stands in the arrays of BPTT. */
function bindIdentity({ run, experiment: { config } }: Audited, catalogue: Catalogue) {
  const rng = createRng(config.seed);
  const parts = deriveParts(config, catalogue, rng);
  const { sizes } = run.network.spec;
  const trace = { kind: 'eligibility', readoutFilter: false };
  const rule = { name: 'factored', trace, signal: { kind: 'broadcast' } };
  const shape = { streams: sizes.stream, steps: sizes.step, rows: sizes.step };
  const own = parseExperiment(withRule(config, rule), catalogue);
  const spec = buildSpec(own, catalogue, parts, drawProjections(own, parts.task, rng), rng, shape);
  if (spec.channels.length === 0)
    throw new ConfigError('rules', rule.name, 'a catalogue whose rule "factored" has a trace');
  // A total derivative has passed the filters of all readouts already, so that one channel is enough.
  const placed = spec.projections.flatMap((projection, q) =>
    projection.traces.slice(0, 1).map((instance) => ({ projection, q, instance })),
  );
  const layouts = placed.map(
    ({ projection, instance }): PartLayout => ({ layout: instance.layout, sizes: projectionSizes(spec, projection) }),
  );
  return {
    layouts,
    gradient(steps: number): Weights {
      const gradient = zeros(run.network);
      for (const { projection, q, instance } of placed) {
        const own = bindingOfTrace({ ...run.network, gradient }, q, 0);
        const state = cut([{ name: 'trace', layout: instance.layout, sizes: own.sizes }]).views('trace');
        const bound = instance.bind({ ...own, state });
        for (let t = 0; t < steps; t++) bound.step(t);
        for (const s of projection.synapses.masked) gradient[projection.name][s] = 0;
      }
      return gradient;
    },
  };
}

/** What is no gradient of the identity is not compared. */
function withoutReadouts(alignments: Alignments, blocks: readonly AuditBlock[]): Alignments {
  const readouts = blocks.filter(({ kind }) => kind === 'readout').map(({ name }) => [name, undefinedAlignment]);
  return { ...alignments, ...Object.fromEntries(readouts) };
}

function zeros({ gradient }: { readonly gradient: Weights }): Record<string, Float64Array> {
  return Object.fromEntries(Object.entries(gradient).map(([name, { length }]) => [name, new Float64Array(length)]));
}

function add(sum: Weights, gradient: Weights): void {
  for (const [name, block] of Object.entries(sum)) for (let s = 0; s < block.length; s++) block[s] += gradient[name][s];
}

/** Gradients of one chunk of fresh data, without the firing-rate term. */
export interface ChunkGradients {
  readonly own: Weights;
  /** By backpropagation through time. */
  readonly truth: Weights;
  /** By the same, an error reaching so many steps back. */
  readonly windowed: Weights;
}

/**
 * The gradient of a run's own rule, chunk by chunk, beside the true one, at the state that it is in. The run is not changed.
 * @param config of the run, as it is to be followed: with as many streams as the caller wants, in floating point
 * @throws ConfigError, UnsupportedError where the rule or its neurons have no such gradient
 */
export function gradientsNow(
  run: Run,
  config: Experiment['config'],
  catalogue: Catalogue,
  { chunks, window }: { readonly chunks: number; readonly window: number },
): ChunkGradients[] {
  const label = 'windowed';
  const cast = assemble({ config, run }, 'auto', catalogue, {
    rules: [{ label, rule: { name: 'bptt', window, segment: 1 } }],
  });
  try {
    const own = cast.followers.find(({ twin }) => twin) ?? cast.first;
    const windowed = cast.followers.find((one) => one.label === label) ?? cast.first;
    const truth = cast.references.get(backendOf(own)) ?? cast.first;
    for (const one of cast.all) adopt(one, run);
    const memories = cast.all.map((one) => remember(one.run));
    return Array.from({ length: chunks }, (_, place) => {
      const { sums, derived } = measureOnce({ ...cast, identity: null }, place, 1, memories, undefined);
      for (const memory of memories) memory.restore();
      const of = (one: Audited) => sums.get(one) ?? derived;
      return { own: of(own), truth: of(truth), windowed: of(windowed) };
    });
  } finally {
    for (const { experiment } of cast.all) experiment.close();
  }
}
