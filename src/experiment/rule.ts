import { parseWith } from '../config/parse.ts';
import type { ExperimentConfig } from '../config/schema.ts';
import { ConfigError } from '../core/errors.ts';
import type {
  Channel,
  NetworkSizes,
  NetworkSpec,
  PopulationSpec,
  ProjectionSpec,
  ReadoutSpec,
} from '../core/network.ts';
import type {
  Catalogue,
  DirectInstance,
  DirectModel,
  Entry,
  PartContext,
  PassesInstance,
  PassesModel,
  PluginChoice,
  RuleParts,
  SignalInstance,
  SignalModel,
  TraceInstance,
  TraceModel,
} from '../core/plugins.ts';
import type { Rng } from '../core/rng.ts';
import { withAllDynamics, withDynamics } from './dynamics.ts';
import { find } from './find.ts';

/** The lists of a network without what learns them. */
export interface RuleShape {
  readonly sizes: NetworkSizes;
  readonly populations: readonly PopulationSpec[];
  readonly projections: readonly ProjectionSpec[];
  readonly readouts: readonly ReadoutSpec[];
  /** Whether states carry over into the next trial. */
  readonly goesOn: boolean;
  /** Names of the projections whose weights may change. */
  readonly plastic: ReadonlySet<string>;
}

type Learned = Pick<NetworkSpec, 'populations' | 'projections' | 'channels' | 'direct' | 'passes'>;

/** Readouts with the same filter, in the order of the first of each. */
export function channelsOf(readouts: readonly ReadoutSpec[]): Channel[] {
  const groups: { decay: number; gain: number; readouts: number[] }[] = [];
  readouts.forEach(({ decay, gain }, r) => {
    const known = groups.find((group) => group.decay === decay && group.gain === gain);
    if (known) known.readouts.push(r);
    else groups.push({ decay, gain, readouts: [r] });
  });
  return groups.map((group) => {
    const own = group.readouts.map((r) => readouts[r]);
    return { ...group, column: own[0].column, size: own.reduce((sum, { size }) => sum + size, 0) };
  });
}

type LocalParts = Extract<RuleParts, { readonly trace: unknown }>;

/** A rule of traces and signals, which teaches a population by itself. */
interface LocalRule {
  readonly name: string;
  /** Where the configuration names it. */
  readonly path: string;
  readonly parts: LocalParts;
}

/** The rules on the populations and projections that they are to teach. */
export function deriveRule(config: ExperimentConfig, catalogue: Catalogue, graph: RuleShape, rng: Rng): Learned {
  const context: PartContext = { dtMs: config.network.dtMs, rng, powersOfTwo: config.optimizer.powersOfTwo };
  const model = find(catalogue.rules, 'name', config.rule.name, 'rule.name');
  const parts = model.parts(config.rule as never);
  const direct = parts && 'direct' in parts ? deriveDirect(parts.direct, config, catalogue, graph, context) : null;
  const passes = parts && 'passes' in parts ? derivePasses(parts.passes, config, catalogue, graph, context) : null;
  const rules = graph.populations.map(({ name }) => localRule(name, parts, config, catalogue));
  const channels = rules.every((rule) => rule === null) ? [] : channelsOf(graph.readouts);
  const populations = graph.populations.map((population, p): PopulationSpec => {
    const rule = rules[p];
    if (!rule) return population;
    const { trace, signal } = rule.parts;
    const signals = channels.map((channel, c) =>
      deriveSignal(rule, catalogue, graph, context, { p, population, first: p === 0 && c === 0, c, channel }),
    );
    checkChannels(rule, signals, channels);
    return { ...population, rule: { rule: rule.name, trace: trace.kind, signal: signal.kind }, signals };
  });
  const projections = graph.projections.map((projection): ProjectionSpec => {
    const rule = rules[projection.post];
    if (!rule || !graph.plastic.has(projection.whole.name)) return projection;
    const population = populations[projection.post];
    const traces = channels.map((channel, c) =>
      deriveTrace(rule, config, catalogue, context, {
        population,
        signal: population.signals[c],
        channel,
        first: c === 0,
      }),
    );
    return { ...projection, traces };
  });
  return { populations, projections, channels, direct, passes };
}

/** What teaches a population besides a rule of the whole network; null: nothing. */
function localRule(
  population: string,
  whole: RuleParts | null,
  config: ExperimentConfig,
  catalogue: Catalogue,
): LocalRule | null {
  const { rule } = config.network.populations[population];
  const shared = String(config.rule.name);
  const path = `network.populations.${population}.rule`;
  const local = whole === null || 'trace' in whole;
  if (rule === null) {
    if (local) return whole && { name: shared, path: 'rule', parts: whole };
    return config.rateTerm.strength === 0 ? null : { name: shared, path: 'rule', parts: rateTermAlone };
  }
  if (!local) throw new ConfigError(path, rule.name, `null beside "${shared}", which teaches the whole network`);
  const parts = find(catalogue.rules, 'name', rule.name, `${path}.name`).parts(rule as never);
  if (parts === null) return null;
  if (!('trace' in parts)) {
    throw new ConfigError(
      path,
      rule.name,
      'a rule of traces and signals; this one teaches the whole network or nothing',
    );
  }
  return { name: String(rule.name), path, parts };
}

/** The firing-rate term acts through the eligibility of the neuron itself, whatever rule makes the rest of the gradient. */
const rateTermAlone = {
  trace: { kind: 'eligibility' },
  signal: { kind: 'broadcast', feedback: 'random', scale: 0 },
} as const;

function checkChannels({ name, path }: LocalRule, signals: readonly SignalInstance[], channels: readonly Channel[]) {
  if (channels.length < 2 || signals.every(({ refersTo }) => refersTo !== 'credit')) return;
  const filters = channels.map(({ decay }) => decay).join(', ');
  throw new ConfigError(
    `${path}.name`,
    name,
    `a rule that hears errors, or readouts with one filter and not ${filters}`,
  );
}

function deriveDirect(
  choice: PluginChoice,
  config: ExperimentConfig,
  catalogue: Catalogue,
  { sizes, populations, projections, readouts, goesOn, plastic }: RuleShape,
  context: PartContext,
): DirectInstance {
  const model: Entry<DirectModel> = find(catalogue.direct, 'kind', choice.kind, 'rule.direct.kind');
  const whole = {
    ...context,
    network: { sizes, populations, projections, readouts },
    kinds: populations.map(({ kind, neuron }) => ({ kind, triangle: neuron.triangle ?? null })),
    plastic: projections.map(({ whole }) => plastic.has(whole.name)),
    borderSpikes: config.network.borderSpikes,
    goesOn,
  };
  const dynamics = populations.map(({ kind, neuron }) => ({ kind, dynamics: neuron.eligibility }));
  return model.derive(
    checked(model, choice, 'rule.direct'),
    withAllDynamics(whole, dynamics, String(config.rule.name)),
  );
}

function derivePasses(
  choice: PluginChoice,
  config: ExperimentConfig,
  catalogue: Catalogue,
  { sizes, populations, projections, readouts }: RuleShape,
  context: PartContext,
): PassesInstance {
  const model: Entry<PassesModel> = find(catalogue.passes, 'kind', choice.kind, 'rule.passes.kind');
  return model.derive(checked(model, choice, 'rule.passes'), {
    ...context,
    network: { sizes, populations, projections, readouts },
    borderSpikes: config.network.borderSpikes,
    path: 'rule',
  });
}

interface SignalPlace {
  readonly p: number;
  readonly population: PopulationSpec;
  /** Draws of the first are those of a network that has one. */
  readonly first: boolean;
  readonly c: number;
  readonly channel: Channel;
}

/** A signal of a population that hears a channel. */
function deriveSignal(
  { name: rule, path, parts }: LocalRule,
  catalogue: Catalogue,
  { sizes, populations, projections, readouts, goesOn }: RuleShape,
  context: PartContext,
  { p, population, first, c, channel }: SignalPlace,
): SignalInstance {
  const model: Entry<SignalModel> = find(catalogue.signals, 'kind', parts.signal.kind, `${path}.signal.kind`);
  const { name, size, kind, neuron } = population;
  const { decay, gain } = channel;
  const own = {
    ...context,
    rng: first ? context.rng : context.rng.split(name).split(c),
    sizes: { stream: sizes.stream, step: sizes.step, self: size, in: sizes.in, out: channel.size },
    readout: { decay, gain },
    network: { sizes, populations, projections, readouts },
    population: p,
    memory: neuron.layout,
    goesOn,
  };
  const names = { neuron: kind, rule };
  return model.derive(checked(model, parts.signal, `${path}.signal`), withDynamics(own, neuron.eligibility, names));
}

interface TracePlace {
  readonly population: PopulationSpec;
  readonly signal: SignalInstance;
  readonly channel: Channel;
  /** The firing-rate term goes through the trace of the first channel. */
  readonly first: boolean;
}

function deriveTrace(
  { name: rule, path, parts }: LocalRule,
  { rateTerm, network }: ExperimentConfig,
  catalogue: Catalogue,
  context: PartContext,
  { population, signal, channel, first }: TracePlace,
): TraceInstance {
  const model: Entry<TraceModel> = find(catalogue.traces, 'kind', parts.trace.kind, `${path}.trace.kind`);
  const { strength, mean } = rateTerm;
  const { decay, gain } = channel;
  const own = {
    ...context,
    readout: { decay, gain },
    filter: signal.refersTo === 'error' ? { decay, gain } : { decay: 0, gain: 1 },
    rateTermAfterTrial: first && strength > 0 && mean !== 'running',
    borderSpikes: network.borderSpikes,
  };
  const { kind, neuron } = population;
  const place = withDynamics(own, neuron.eligibility, { neuron: kind, rule });
  const trace = model.derive(checked(model, parts.trace, `${path}.trace`), place);
  if (strength > 0 && !trace.footprint.reads.includes('rateTerm')) {
    throw new ConfigError(
      'rateTerm.strength',
      strength,
      `0 with the trace "${parts.trace.kind}", which does not read the firing-rate term (footprint.reads)`,
    );
  }
  return trace;
}

function checked(model: { readonly params: Entry<TraceModel>['params'] }, choice: PluginChoice, path: string): never {
  return parseWith(model.params, choice, path) as never;
}
