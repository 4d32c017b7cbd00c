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
  RuleKinds,
} from '../core/network.ts';
import type {
  Catalogue,
  DirectInstance,
  DirectModel,
  Entry,
  PartContext,
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
  /** Names of the projections whose weights may change. */
  readonly plastic: ReadonlySet<string>;
}

type Learned = Pick<NetworkSpec, 'populations' | 'projections' | 'channels' | 'direct' | 'kinds'>;

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

/** The rule on every population and projection that it is to teach. */
export function deriveRule(config: ExperimentConfig, catalogue: Catalogue, graph: RuleShape, rng: Rng): Learned {
  const model = find(catalogue.rules, 'name', config.rule.name, 'rule.name');
  const parts = model.parts(config.rule as never);
  const { populations, projections } = graph;
  const kinds: RuleKinds = { rule: String(config.rule.name), trace: null, signal: null, direct: null };
  if (!parts) return { populations, projections, channels: [], direct: null, kinds };
  const context: PartContext = { dtMs: config.network.dtMs, rng, powersOfTwo: config.optimizer.powersOfTwo };
  if (!('direct' in parts)) {
    const factored = deriveFactored(parts, config, catalogue, graph, context);
    return { ...factored, direct: null, kinds: { ...kinds, trace: parts.trace.kind, signal: parts.signal.kind } };
  }
  const direct = deriveDirect(parts.direct, config, catalogue, graph, context);
  if (config.rateTerm.strength === 0) {
    return { populations, projections, channels: [], direct, kinds: { ...kinds, direct: parts.direct.kind } };
  }
  const factored = deriveFactored(rateTermAlone, config, catalogue, graph, context);
  const { trace, signal } = rateTermAlone;
  return {
    ...factored,
    direct,
    kinds: { ...kinds, trace: trace.kind, signal: signal.kind, direct: parts.direct.kind },
  };
}

/** The firing-rate term acts through the eligibility of the neuron itself, whatever rule makes the rest of the gradient. */
const rateTermAlone = {
  trace: { kind: 'eligibility' },
  signal: { kind: 'broadcast', feedback: 'random', scale: 0 },
} as const;

function deriveDirect(
  choice: PluginChoice,
  config: ExperimentConfig,
  catalogue: Catalogue,
  { sizes, populations, projections, readouts }: RuleShape,
  context: PartContext,
): DirectInstance {
  const model: Entry<DirectModel> = find(catalogue.direct, 'kind', choice.kind, 'rule.direct.kind');
  const whole = {
    ...context,
    network: { sizes, populations, projections, readouts },
    borderSpikes: config.network.borderSpikes,
  };
  const dynamics = populations.map(({ kind, neuron }) => ({ kind, dynamics: neuron.eligibility }));
  return model.derive(
    checked(model, choice, 'rule.direct'),
    withAllDynamics(whole, dynamics, String(config.rule.name)),
  );
}

function deriveFactored(
  parts: Exclude<RuleParts, { readonly direct: unknown }>,
  config: ExperimentConfig,
  catalogue: Catalogue,
  graph: RuleShape,
  context: PartContext,
): Pick<Learned, 'populations' | 'projections' | 'channels'> {
  const channels = channelsOf(graph.readouts);
  const populations = graph.populations.map((population, p) => {
    const signals = channels.map((channel, c) =>
      deriveSignal(parts, config, catalogue, graph, context, { p, c, channel }),
    );
    return { ...population, signals };
  });
  if (channels.length > 1 && populations.some(({ signals }) => signals.some(({ refersTo }) => refersTo === 'credit'))) {
    const filters = channels.map(({ decay }) => decay).join(', ');
    throw new ConfigError(
      'rule.name',
      config.rule.name,
      `a rule that hears errors, or readouts with one filter and not ${filters}`,
    );
  }
  const projections = graph.projections.map((projection) => {
    if (!graph.plastic.has(projection.whole.name)) return projection;
    const { neuron, kind, signals } = populations[projection.post];
    const traces = channels.map((channel, c) =>
      deriveTrace(parts, config, catalogue, context, { neuron, kind, signal: signals[c], channel, first: c === 0 }),
    );
    return { ...projection, traces };
  });
  return { populations, projections, channels };
}

/** A signal of population p that hears a channel. */
function deriveSignal(
  parts: Exclude<RuleParts, { readonly direct: unknown }>,
  config: ExperimentConfig,
  catalogue: Catalogue,
  { sizes, populations }: RuleShape,
  context: PartContext,
  { p, c, channel }: { readonly p: number; readonly c: number; readonly channel: Channel },
): SignalInstance {
  const model: Entry<SignalModel> = find(catalogue.signals, 'kind', parts.signal.kind, 'rule.signal.kind');
  const { name, size, kind, neuron } = populations[p];
  const { decay, gain } = channel;
  const own = {
    ...context,
    // Draws of the first are those of a network that has one.
    rng: p === 0 && c === 0 ? context.rng : context.rng.split(name).split(c),
    sizes: { stream: sizes.stream, step: sizes.step, self: size, in: sizes.in, out: channel.size },
    readout: { decay, gain },
  };
  const names = { neuron: kind, rule: String(config.rule.name) };
  return model.derive(checked(model, parts.signal, 'rule.signal'), withDynamics(own, neuron.eligibility, names));
}

interface TracePlace {
  readonly neuron: PopulationSpec['neuron'];
  readonly kind: string;
  readonly signal: SignalInstance;
  readonly channel: Channel;
  /** The firing-rate term goes through the trace of the first channel. */
  readonly first: boolean;
}

function deriveTrace(
  parts: Exclude<RuleParts, { readonly direct: unknown }>,
  config: ExperimentConfig,
  catalogue: Catalogue,
  context: PartContext,
  { neuron, kind, signal, channel, first }: TracePlace,
): TraceInstance {
  const model: Entry<TraceModel> = find(catalogue.traces, 'kind', parts.trace.kind, 'rule.trace.kind');
  const { strength, mean } = config.rateTerm;
  const { decay, gain } = channel;
  const own = {
    ...context,
    readout: { decay, gain },
    filter: signal.refersTo === 'error' ? { decay, gain } : { decay: 0, gain: 1 },
    rateTermAfterTrial: first && strength > 0 && mean !== 'running',
    borderSpikes: config.network.borderSpikes,
  };
  const names = { neuron: kind, rule: String(config.rule.name) };
  const trace = model.derive(checked(model, parts.trace, 'rule.trace'), withDynamics(own, neuron.eligibility, names));
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
