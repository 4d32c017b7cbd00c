import { fixed } from '../backends/fixed/index.ts';
import { reference } from '../backends/reference/index.ts';
import { tfjs } from '../backends/tfjs/index.ts';
import { wasm } from '../backends/wasm/index.ts';
import { parseWith } from '../config/parse.ts';
import type { ExperimentConfig } from '../config/schema.ts';
import { ConfigError, UnsupportedError } from '../core/errors.ts';
import type { FieldFormat, NumberFormat } from '../core/format.ts';
import type { Sizes } from '../core/layout.ts';
import type { Backend, BlockRate, NetworkSpec, PartKinds, Schedule } from '../core/network.ts';
import type {
  Catalogue,
  DirectModel,
  EligibilityDynamics,
  Entry,
  NeuronInstance,
  PluginChoice,
  ReadoutInstance,
  RuleContext,
  RuleParts,
  SignalInstance,
  SignalModel,
  TaskInstance,
  TraceInstance,
  TraceModel,
} from '../core/plugins.ts';
import type { Rng } from '../core/rng.ts';
import { rateToSpikesPerStep } from '../core/units.ts';
import { formattableFields } from '../engine/network.ts';
import { buildProjection } from '../engine/projections.ts';
import { createOptimizer } from '../optim/index.ts';
import { withDynamics } from './dynamics.ts';

/** The plug-ins that a configuration names, derived for its dt and its sizes. */
export interface Parts {
  readonly task: TaskInstance;
  readonly neuron: NeuronInstance;
  readonly spiking: boolean;
  readonly readout: ReadoutInstance;
}

export function deriveParts(config: ExperimentConfig, catalogue: Catalogue, rng: Rng): Parts {
  const { dtMs, neurons: nRec, neuron, readout } = config.network;
  const taskModel = find(catalogue.tasks, 'kind', config.task.kind, 'task.kind');
  const neuronModel = find(catalogue.neurons, 'kind', neuron.kind, 'network.neuron.kind');
  const readoutModel = find(catalogue.readouts, 'kind', readout.kind, 'network.readout.kind');
  return {
    task: taskModel.derive(config.task as never, { dtMs, rng: rng.split('task') }),
    neuron: neuronModel.derive(neuron as never, { dtMs, nRec }),
    spiking: neuronModel.spiking,
    readout: readoutModel.derive(readout as never, { dtMs }),
  };
}

/** The network that a configuration describes, for a number of streams and a longest trial. */
export function buildSpec(
  config: ExperimentConfig,
  catalogue: Catalogue,
  parts: Parts,
  rng: Rng,
  shape: { readonly streams: number; readonly steps: number },
): NetworkSpec {
  const { network, training, optimizer } = config;
  const { task, neuron, readout } = parts;
  const bias = network.input.bias !== null;
  const input = buildProjection(
    { ...network.input, nPre: task.nIn, nPost: network.neurons, bias, autapses: true },
    rng.split('synapses').split('in'),
    'network.input',
  );
  const recurrent = buildProjection(
    { ...network.recurrent, nPre: network.neurons, nPost: network.neurons, bias: false },
    rng.split('synapses').split('rec'),
    'network.recurrent',
  );
  const lengths: Omit<Sizes, 'history'> = {
    stream: shape.streams,
    step: shape.steps,
    in: task.nIn + (bias ? 1 : 0),
    rec: network.neurons,
    out: task.nOut,
    synIn: input.nSyn,
    synRec: recurrent.nSyn,
  };
  const streaming = task.mode.kind === 'stream';
  const traces = training.traces === 'auto' ? (streaming ? 'carry' : 'restart') : training.traces;
  const rateTerm = {
    strength: config.rateTerm.strength,
    target: rateToSpikesPerStep(config.rateTerm.targetHz, network.dtMs),
    mean: config.rateTerm.mean,
    runningRate: config.rateTerm.runningRate,
    everySteps: config.rateTerm.everySteps,
  };
  const { window } = config.loss;
  if (window && window.start >= shape.steps) {
    throw new ConfigError('loss.window.start', window.start, `a step of a trial or chunk, < ${shape.steps}`);
  }
  checkTogether(config, traces);
  const context = {
    dtMs: network.dtMs,
    sizes: lengths,
    readout,
    rng: rng.split('rule'),
    powersOfTwo: optimizer.powersOfTwo,
  };
  const { rule, direct, kinds } = deriveRule(config, catalogue, context, neuron.eligibility);
  const sizes: Sizes = { ...lengths, history: delaySteps(config) };
  checkPhases(shape.steps, Math.max(rule?.signal.stepsPerPhase ?? 1, config.rateTerm.everySteps), config);
  return {
    kinds: {
      neuron: String(network.neuron.kind),
      readout: String(network.readout.kind),
      loss: config.loss.kind,
      rule: String(config.rule.name),
      ...kinds,
    },
    dtMs: network.dtMs,
    sizes,
    bias,
    neuron,
    spiking: parts.spiking,
    readout,
    projections: { in: input, rec: recurrent },
    loss: find(catalogue.losses, 'kind', config.loss.kind, 'loss.kind').derive(config.loss as never),
    lossScale: config.loss.scale,
    rule,
    direct,
    execution: chooseExecution(config, traces, rule, input.dense && recurrent.dense),
    rateTerm,
    update: training.update,
    optimizer: createOptimizer(optimizer, rng.split('optimizer').integer(2 ** 32)),
    rates: {
      wIn: blockRate(optimizer.rates.in, optimizer),
      wRec: blockRate(optimizer.rates.rec, optimizer),
      wOut: blockRate(optimizer.rates.out, optimizer),
      bOut: blockRate(optimizer.rates.out, optimizer),
    },
    clamp: optimizer.clamp,
    formats: null,
    rounding: { generator: 'hash', seed: 1 },
    state: training.state === 'auto' ? (streaming ? 'carry' : 'reset') : training.state,
    traces,
    borderSpikes: network.borderSpikes,
  };
}

/** A chunk holds whole phases, so that each begins where a phase does. */
function checkPhases(steps: number, perPhase: number, { training }: ExperimentConfig): void {
  if (steps % perPhase !== 0) {
    throw new ConfigError('training.chunkSteps', training.chunkSteps, `a multiple of the ${perPhase} steps of a phase`);
  }
}

/**
 * The number formats of a configuration, name by name. A pattern ends in `*`; of several that fit a field the longest counts.
 * @throws ConfigError for a name or pattern that fits no field of the network, unless it fits one of the whole network
 */
export function withFormats(
  spec: NetworkSpec,
  { fixed: given }: ExperimentConfig,
  known: readonly string[] | null,
): NetworkSpec {
  if (!given) return spec;
  const names = formattableFields(spec, fixed);
  const patterns = Object.keys(given.formats).sort((a, b) => b.length - a.length);
  const fits = (pattern: string, name: string) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
  const odd = patterns.find((pattern) => !(known ?? names).some((name) => fits(pattern, name)));
  if (odd !== undefined) throw new ConfigError('fixed.formats', odd, `fields of ${names.join(', ')}`);
  const formats = names.flatMap((field): FieldFormat[] => {
    const pattern = patterns.find((candidate) => fits(candidate, field));
    return pattern === undefined ? [] : [{ field, format: formatOf(given.formats[pattern]) }];
  });
  return { ...spec, formats, rounding: { generator: given.generator, seed: given.seed } };
}

function formatOf(given: NonNullable<ExperimentConfig['fixed']>['formats'][string]): NumberFormat {
  const { bits, signed, rounding, overflow, range } = given;
  const magnitude = signed ? bits - 1 : bits;
  const fraction = range === undefined ? (given.fraction ?? 0) : magnitude - Math.ceil(Math.log2(range));
  return { bits, fraction, signed, rounding, overflow };
}

/** Steps from a spike to its arrival at other neurons. */
function delaySteps({ network }: ExperimentConfig): number {
  const { dtMs, recurrent, borderSpikes } = network;
  if (recurrent.delayMs === null) return 1;
  const steps = Math.round(recurrent.delayMs / dtMs);
  if (steps < 1 || Math.abs(steps * dtMs - recurrent.delayMs) > 1e-9 * recurrent.delayMs) {
    throw new ConfigError('network.recurrent.delayMs', recurrent.delayMs, `a multiple of dtMs = ${dtMs} (ms)`);
  }
  if (steps > 1 && borderSpikes === 'drop') {
    throw new ConfigError('network.borderSpikes', borderSpikes, '"keep" where the recurrent delay is more than a step');
  }
  return steps;
}

/** Why `auto` cannot take the fast backend, in a line; null where it does, or where the backend was named. */
export function whyReference(name: ExperimentConfig['backend'], spec: NetworkSpec): string | null {
  if (name !== 'auto' || spec.formats) return null;
  const missing = wasm.missing(spec);
  return missing.length === 0 ? null : `on the reference backend, since wasm has no kernel for ${missing.join(', ')}`;
}

/**
 * The backend of a run: `auto` takes wasm where it has a kernel for every part, else reference.
 * @throws UnsupportedError for a backend that was asked for by name and lacks a kernel
 */
export function chooseBackend(name: ExperimentConfig['backend'], spec: NetworkSpec): Backend {
  switch (name) {
    case 'auto':
      if (spec.formats) return required(fixed, spec);
      return wasm.missing(spec).length === 0 ? wasm : required(reference, spec);
    case 'reference':
      return required(reference, spec);
    case 'fixed':
      return required(fixed, spec);
    case 'wasm':
      return required(wasm, spec);
    case 'tfjs':
      return required(tfjs, spec);
    default:
      return name satisfies never;
  }
}

function required(backend: Backend, spec: NetworkSpec): Backend {
  const missing = backend.missing(spec);
  if (missing.length === 0) return backend;
  const hint = backend === reference || backend === fixed ? '' : '; use --backend reference';
  throw new UnsupportedError(`backend "${backend.name}" has no kernel for ${missing.join(', ')}${hint}`);
}

function deriveRule(
  config: ExperimentConfig,
  catalogue: Catalogue,
  context: Context,
  dynamics: EligibilityDynamics | null,
): Pick<NetworkSpec, 'rule' | 'direct'> & { readonly kinds: Pick<PartKinds, 'trace' | 'signal' | 'direct'> } {
  const model = find(catalogue.rules, 'name', config.rule.name, 'rule.name');
  const parts = model.parts(config.rule as never);
  const none = { trace: null, signal: null, direct: null };
  if (!parts) return { rule: null, direct: null, kinds: none };
  if (!('direct' in parts)) {
    const rule = deriveFactored(parts, config, catalogue, context, dynamics);
    return { rule, direct: null, kinds: { ...none, trace: parts.trace.kind, signal: parts.signal.kind } };
  }
  const directModel: Entry<DirectModel> = find(catalogue.direct, 'kind', parts.direct.kind, 'rule.direct.kind');
  const direct = directModel.derive(
    checked(directModel, parts.direct, 'rule.direct'),
    withDynamics({ ...context, borderSpikes: config.network.borderSpikes }, dynamics, namesOf(config)),
  );
  if (config.rateTerm.strength === 0) return { rule: null, direct, kinds: { ...none, direct: parts.direct.kind } };
  const rule = deriveFactored(rateTermAlone, config, catalogue, context, dynamics);
  const { trace, signal } = rateTermAlone;
  return { rule, direct, kinds: { trace: trace.kind, signal: signal.kind, direct: parts.direct.kind } };
}

/** What parts of a rule are derived from, but for the dynamics of the neuron, which not every neuron has. */
type Context = Omit<RuleContext, 'neuron'>;

function namesOf({ network, rule }: ExperimentConfig) {
  return { neuron: String(network.neuron.kind), rule: String(rule.name) };
}

/** The firing-rate term acts through the eligibility of the neuron itself, whatever rule makes the rest of the gradient. */
const rateTermAlone = {
  trace: { kind: 'eligibility' },
  signal: { kind: 'broadcast', feedback: 'random', scale: 0 },
} as const;

function deriveFactored(
  parts: Exclude<RuleParts, { readonly direct: unknown }>,
  config: ExperimentConfig,
  catalogue: Catalogue,
  context: Context,
  dynamics: EligibilityDynamics | null,
): { readonly trace: TraceInstance; readonly signal: SignalInstance } {
  const signalModel: Entry<SignalModel> = find(catalogue.signals, 'kind', parts.signal.kind, 'rule.signal.kind');
  const traceModel: Entry<TraceModel> = find(catalogue.traces, 'kind', parts.trace.kind, 'rule.trace.kind');
  const names = namesOf(config);
  const signal = signalModel.derive(
    checked(signalModel, parts.signal, 'rule.signal'),
    withDynamics(context, dynamics, names),
  );
  const { decay, gain } = context.readout;
  const settings = {
    ...context,
    filter: signal.refersTo === 'error' ? { decay, gain } : { decay: 0, gain: 1 },
    rateTermAfterTrial: config.rateTerm.strength > 0 && config.rateTerm.mean !== 'running',
    borderSpikes: config.network.borderSpikes,
  };
  const trace = traceModel.derive(
    checked(traceModel, parts.trace, 'rule.trace'),
    withDynamics(settings, dynamics, names),
  );
  if (config.rateTerm.strength > 0 && !trace.footprint.reads.includes('rateTerm')) {
    throw new ConfigError(
      'rateTerm.strength',
      config.rateTerm.strength,
      `0 with the trace "${parts.trace.kind}", which does not read the firing-rate term (footprint.reads)`,
    );
  }
  return { trace, signal };
}

function checked(model: { readonly params: Entry<TraceModel>['params'] }, choice: PluginChoice, path: string): never {
  return parseWith(model.params, choice, path) as never;
}

function chooseExecution(
  config: ExperimentConfig,
  traces: string,
  rule: NetworkSpec['rule'],
  dense: boolean,
): NetworkSpec['execution'] {
  const { execution, update } = config.training;
  const perTrial = update.unit === 'trial' && traces === 'restart';
  const possible = {
    online: true,
    deferred: perTrial && (!rule || rule.trace.bindDeferred !== null),
    postponed: perTrial && dense,
  };
  // In fixed point a trace is what is stored from step to step.
  if (execution === 'auto' && config.fixed) return 'online';
  // A signal that learns by itself does so step after step, so that there is nothing to be had from going backwards.
  if (execution === 'auto') return possible.deferred && rule?.signal.refersTo !== 'credit' ? 'deferred' : 'online';
  if (!possible[execution]) {
    throw new ConfigError(
      'training.execution',
      execution,
      '"online": the others need updates per trial and traces that restart with it; "deferred" a trace that has it, ' +
        '"postponed" dense projections',
    );
  }
  return execution;
}

/** Settings that are fine alone and wrong together. */
function checkTogether(config: ExperimentConfig, traces: string): void {
  const { rateTerm, training } = config;
  if (rateTerm.strength > 0 && rateTerm.mean !== 'running') {
    if (training.update.unit === 'step') {
      throw new ConfigError('rateTerm.mean', rateTerm.mean, '"running" where weights change within the trial');
    }
    if (traces === 'carry') {
      throw new ConfigError('rateTerm.mean', rateTerm.mean, '"running" where traces carry over into the next trial');
    }
  }
}

function blockRate(
  setting: number | { readonly rate: number; readonly schedule: Schedule },
  { schedule, powersOfTwo }: { readonly schedule: Schedule; readonly powersOfTwo: boolean },
): BlockRate {
  return typeof setting === 'number' ? { rate: setting, schedule, powersOfTwo } : { ...setting, powersOfTwo };
}

function find<K extends string, T extends { readonly [key in K]: string }>(
  entries: readonly T[],
  key: K,
  name: unknown,
  path: string,
): T {
  const found = entries.find((entry) => entry[key] === name);
  if (!found) throw new ConfigError(path, name, `one of ${entries.map((entry) => `"${entry[key]}"`).join(', ')}`);
  return found;
}
