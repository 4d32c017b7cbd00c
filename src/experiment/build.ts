import { fixed } from '../backends/fixed/index.ts';
import { reference } from '../backends/reference/index.ts';
import { tfjs } from '../backends/tfjs/index.ts';
import { wasm } from '../backends/wasm/index.ts';
import type { ExperimentConfig } from '../config/schema.ts';
import { ConfigError, UnsupportedError } from '../core/errors.ts';
import type { FieldFormat, NumberFormat } from '../core/format.ts';
import { formerName } from '../core/formerNames.ts';
import type {
  Backend,
  BlockRate,
  NetworkSpec,
  PopulationSpec,
  ProjectionSpec,
  ReadoutSpec,
  Schedule,
  WeightBlock,
  WholeProjection,
} from '../core/network.ts';
import { windowOf } from '../core/network.ts';
import type { Catalogue, Loss, NeuronInstance, ReadoutInstance, TaskInstance } from '../core/plugins.ts';
import type { Rng } from '../core/rng.ts';
import { rateToSpikesPerStep } from '../core/units.ts';
import { perNeuron, resolveValues, type Values } from '../core/values.ts';
import { fits } from '../engine/names.ts';
import { formattableFields } from '../engine/network.ts';
import { buildProjection, type DelaySlice, type ProjectionShape, sliceByDelay } from '../engine/projections.ts';
import { checkPasses, checkTwoPasses } from './again.ts';
import { find } from './find.ts';
import { signalBlock } from './outer.ts';
import { channelsOf, deriveRule, type RuleShape } from './rule.ts';
import { withUpkeep } from './upkeep.ts';

/** The plug-ins that a configuration names, derived for its dt and its sizes. */
export interface Parts {
  readonly task: TaskInstance;
  /** By the names of populations. */
  readonly neurons: ReadonlyMap<string, { readonly neuron: NeuronInstance; readonly spiking: boolean }>;
  /** By the names of readouts. */
  readonly readouts: ReadonlyMap<
    string,
    { readonly readout: ReadoutInstance; readonly loss: Loss; readonly lossKind: string }
  >;
}

export function deriveParts(config: ExperimentConfig, catalogue: Catalogue, rng: Rng): Parts {
  const { dtMs, populations, readouts } = config.network;
  const taskModel = find(catalogue.tasks, 'kind', config.task.kind, 'task.kind');
  return {
    task: taskModel.derive(config.task as never, { dtMs, rng: rng.split('task') }),
    neurons: new Map(
      Object.entries(populations).map(([name, { size, neuron }]) => {
        const path = `network.populations.${name}.neuron`;
        const model = find(catalogue.neurons, 'kind', neuron.kind, `${path}.kind`);
        return [
          name,
          {
            neuron: model.derive(neuron as never, { dtMs, size, path, rng: rng.split('neurons').split(name) }),
            spiking: model.spiking,
          },
        ];
      }),
    ),
    readouts: new Map(
      Object.entries(readouts).map(([name, { readout, loss }]) => {
        const path = `network.readouts.${name}.readout`;
        const model = find(catalogue.readouts, 'kind', readout.kind, `${path}.kind`);
        const chosen = loss ?? config.loss;
        const lossModel = find(
          catalogue.losses,
          'kind',
          chosen.kind,
          loss ? `network.readouts.${name}.loss.kind` : 'loss.kind',
        );
        const parts = {
          readout: model.derive(readout as never, { dtMs, path }),
          loss: lossModel.derive(chosen as never),
          lossKind: String(chosen.kind),
        };
        return [name, parts];
      }),
    ),
  };
}

/** For how many streams and steps a network is made. */
export interface NetworkShape {
  readonly streams: number;
  /** Of a trial or chunk. */
  readonly steps: number;
  /** Of these, those whose rows are there at once: fewer where a chunk is never full. */
  readonly rows: number;
}

/** The network that a configuration describes, on synapses that were drawn, for a number of streams and a longest trial. */
export function buildSpec(
  config: ExperimentConfig,
  catalogue: Catalogue,
  parts: Parts,
  projections: readonly DrawnProjection[],
  rng: Rng,
  shape: NetworkShape,
): NetworkSpec {
  const { network, training, optimizer } = config;
  const { task } = parts;
  const streaming = task.mode.kind === 'stream';
  const traces = training.traces === 'auto' ? (streaming ? 'carry' : 'restart') : training.traces;
  const { window } = config.loss;
  if (window && window.start >= shape.steps) {
    throw new ConfigError('loss.window.start', window.start, `a step of a trial or chunk, < ${shape.steps}`);
  }
  checkTogether(config, traces);
  const graph = buildGraph(config, parts, projections, shape, rng.split('currents'));
  const state = training.state === 'auto' ? (streaming ? 'carry' : 'reset') : training.state;
  const rule = deriveRule(config, catalogue, { ...graph, goesOn: state === 'carry' }, rng.split('rule'));
  const kept = withUpkeep(rule.projections, config, catalogue, rng.split('upkeep'));
  const perPhase = rule.populations.flatMap(({ signals }) => signals.map(({ stepsPerPhase }) => stepsPerPhase));
  checkPhases(shape.steps, Math.max(1, ...perPhase, config.rateTerm.everySteps), config);
  const whole = rule.direct !== null || rule.passes !== null;
  const learns = ({ post }: ProjectionSpec) => whole || rule.populations[post].rule !== null;
  if (rule.passes) checkPasses(config, task);
  checkWindows(config, rule.populations, { steps: shape.steps, streaming, state });
  if (rule.direct?.outer) checkTwoPasses(config, task, state);
  const blocks = blocksOf(config, graph.plastic, rule, graph.readouts, learns);
  const ownerOf = ({ name, kind, owner }: WeightBlock) => {
    if (kind === 'projection') return rule.projections[owner].whole.name;
    return kind === 'signal' ? name : graph.readouts[owner].name;
  };
  return {
    rule: String(config.rule.name),
    dtMs: network.dtMs,
    sizes: graph.sizes,
    populations: rule.populations,
    projections: kept,
    readouts: graph.readouts,
    channels: rule.channels,
    blocks,
    lossScale: config.loss.scale,
    decisionSteps: task.mode.kind === 'trial' ? (task.mode.decisionSteps ?? 1) : 1,
    signalSchedule: signalSchedule(blocks, rule.projections, optimizer.schedule),
    direct: rule.direct,
    passes: rule.passes,
    rewarded: task.environment !== undefined || config.modulator !== null,
    modulator: modulatorOf(config, catalogue, rule.populations, rule.direct, graph.readouts),
    execution: chooseExecution(config, traces, rule.populations, rule.projections),
    rateTerm: {
      strength: config.rateTerm.strength,
      target: rateToSpikesPerStep(config.rateTerm.targetHz, network.dtMs),
      mean: config.rateTerm.mean,
      runningRate: config.rateTerm.runningRate,
      everySteps: config.rateTerm.everySteps,
    },
    update: training.update,
    optimizer: find(catalogue.optimizers, 'kind', optimizer.kind, 'optimizer.kind').derive(optimizer as never, {
      key: rng.split('optimizer').integer(2 ** 32),
      owners: blocks.map(ownerOf),
    }),
    learns: true,
    clip: optimizer.clip,
    clamp: optimizer.clamp,
    formats: null,
    rounding: { generator: 'hash', seed: 1 },
    state,
    traces,
    borderSpikes: network.borderSpikes,
  };
}

/** @throws ConfigError where what it would scale is not linear in the errors, or comes to be in another order */
function modulatorOf(
  config: ExperimentConfig,
  catalogue: Catalogue,
  populations: readonly PopulationSpec[],
  direct: NetworkSpec['direct'],
  readouts: readonly ReadoutSpec[],
): NetworkSpec['modulator'] {
  const { modulator, training, rateTerm, network } = config;
  if (modulator === null) return null;
  const odd = populations.find(({ signals }) => signals.some(({ linear }) => !linear));
  if (odd) {
    throw new ConfigError(
      'modulator.kind',
      modulator.kind,
      `null beside the rule "${odd.rule?.rule}", whose signal it cannot scale`,
    );
  }
  if (training.update.unit === 'step' && (direct || rateTerm.strength > 0)) {
    const what = direct ? `the rule "${String(config.rule.name)}"` : 'a firing-rate term';
    throw new ConfigError('training.update.unit', 'step', `"trial" with a modulator and ${what}`);
  }
  const model = find(catalogue.modulators, 'kind', modulator.kind, 'modulator.kind');
  return model.derive(modulator as never, { dtMs: network.dtMs, readouts, path: 'modulator' });
}

/** The schedule of the first recurrent weights, which signals with matrices of their own follow; that of all where there are none. */
function signalSchedule(
  blocks: readonly WeightBlock[],
  projections: readonly ProjectionSpec[],
  common: Schedule,
): Schedule {
  const recurrent = blocks.find(({ kind, owner }) => {
    return kind === 'projection' && projections[owner].pre === projections[owner].post;
  });
  return recurrent?.rate.schedule ?? common;
}

/** A projection as the configuration has it, parted by delays. */
export interface DrawnProjection extends Omit<DelaySlice, 'places'> {
  readonly name: string;
  readonly whole: WholeProjection;
  readonly pre: number | null;
  readonly post: number;
  readonly from: number;
  readonly bias: boolean;
}

/** Name of the task's input where a projection says where it comes from. */
const inputName = 'input';

/** All synapses there are, which networks of any number of streams and steps share. */
export function drawProjections(config: ExperimentConfig, task: TaskInstance, rng: Rng): DrawnProjection[] {
  return [...synapsesOf(config, task, rng.split('synapses')), ...biasesOf(config, task, rng)];
}

function synapsesOf(config: ExperimentConfig, task: TaskInstance, rng: Rng): DrawnProjection[] {
  const { network } = config;
  return Object.entries(network.projections).flatMap(([name, given]) => {
    const path = `network.projections.${name}`;
    const { pre, post, from, shape } = projectionShape(config, name, task);
    const synapses = buildProjection(shape, rng.split(name), path);
    const drawn = given.rewiring === null ? null : synapses;
    const whole = drawn ? buildProjection(storedShape(shape, path), rng.split(name), path) : synapses;
    const delays = delaysOf(config, name, pre, post, whole, rng.split(name).split('delays'));
    const slices = sliceByDelay(whole, delays);
    if (drawn && slices.length > 1) {
      throw new ConfigError(`${path}.delayMs`, given.delayMs, 'one delay for all synapses beside rewiring');
    }
    return slices.map(({ delay, synapses, places }) => ({
      delay,
      synapses,
      whole: { name, synapses: whole, drawn, places, start: null },
      name: slices.length === 1 ? name : `${name}@${delay}`,
      pre,
      post,
      from,
      bias: given.bias !== null,
    }));
  });
}

/** The storage of a projection that is rewired: every pair. @throws ConfigError where every pair is a synapse at first */
export function storedShape(shape: ProjectionShape, path: string): ProjectionShape {
  const { kind } = shape.connectivity;
  if (kind === 'dense') throw new ConfigError(`${path}.connectivity.kind`, kind, 'a sparse one beside rewiring');
  return { ...shape, connectivity: { kind: 'dense' } };
}

/** The plastic bias of a population is a projection from the constant of the input. */
function biasesOf({ network }: ExperimentConfig, task: TaskInstance, rng: Rng): DrawnProjection[] {
  return Object.entries(network.populations).flatMap(([population, { size, bias }], post) => {
    if (bias === null) return [];
    const name = `${population}.bias`;
    const path = `network.populations.${population}.bias`;
    const values = resolveValues(bias, size, rng.split('biases').split(population), path, () => true, 'a number');
    const shape = {
      nPre: 0,
      nPost: size,
      bias: true,
      recurrent: false,
      autapses: true,
      connectivity: { kind: 'dense' },
    } as const;
    const synapses = buildProjection(shape, rng);
    const whole = { name, synapses, drawn: null, places: null, start: perNeuron(values, size) };
    return [{ name, whole, synapses, pre: null, post, from: task.nIn, bias: true, delay: 0 }];
  });
}

/** Both ends of a projection and what it is drawn from. @throws ConfigError for an end that the network does not have */
export function projectionShape(
  { network }: ExperimentConfig,
  name: string,
  task: TaskInstance,
): { readonly pre: number | null; readonly post: number; readonly from: number; readonly shape: ProjectionShape } {
  const path = `network.projections.${name}`;
  const { from: source, to, connectivity, dale, autapses, bias } = network.projections[name];
  const populations = Object.keys(network.populations);
  const post = populations.indexOf(to);
  if (post < 0) throw new ConfigError(`${path}.to`, to, `one of ${populations.join(', ')}`);
  const sizeOf = (p: number) => network.populations[populations[p]].size;
  const common = { nPost: sizeOf(post), autapses, connectivity, dale };
  if (source === inputName || source.startsWith(`${inputName}.`)) {
    const { from, size } = inputColumns(source, task, `${path}.from`);
    if (bias !== null && from + size !== task.nIn) {
      throw new ConfigError(`${path}.bias`, bias, 'null, or a projection from the whole input or its last group');
    }
    const shape = { ...common, nPre: size, bias: bias !== null, recurrent: false };
    return { pre: null, post, from, shape };
  }
  const pre = populations.indexOf(source);
  if (pre < 0) throw new ConfigError(`${path}.from`, source, `"${inputName}" or one of ${populations.join(', ')}`);
  if (bias !== null) throw new ConfigError(`${path}.bias`, bias, `null, or a projection from "${inputName}"`);
  return { pre, post, from: 0, shape: { ...common, nPre: sizeOf(pre), bias: false, recurrent: pre === post } };
}

function inputColumns(source: string, { nIn, inputPopulations }: TaskInstance, path: string) {
  if (source === inputName) return { from: 0, size: nIn };
  const label = source.slice(inputName.length + 1);
  let from = 0;
  for (const group of inputPopulations) {
    if (group.label === label) return { from, size: group.size };
    from += group.size;
  }
  const known = inputPopulations.map((group) => `"${inputName}.${group.label}"`);
  throw new ConfigError(path, source, `one of ${[`"${inputName}"`, ...known].join(', ')}`);
}

/** Steps from a spike to its arrival: of every synapse, or one number for all of them. */
function delaysOf(
  { network }: ExperimentConfig,
  name: string,
  pre: number | null,
  post: number,
  { nPre, nPost, nSyn, rowStart, post: targets }: DelaySlice['synapses'],
  rng: Rng,
): number | Int32Array {
  const { dtMs, borderSpikes } = network;
  const path = `network.projections.${name}.delayMs`;
  const { delayMs } = network.projections[name];
  // Layers within a step: a later population sees the spikes of an earlier one at once.
  const least = pre === null || pre < post ? 0 : 1;
  const stepsOf = (ms: number, at = path): number => {
    const steps = Math.round(ms / dtMs);
    if (steps < least || Math.abs(steps * dtMs - ms) > 1e-9 * Math.max(ms, dtMs)) {
      const why = least > 0 && steps < 1 ? ', at least one: 0 is for projections to a later population' : '';
      throw new ConfigError(at, ms, `a multiple of dtMs = ${dtMs} (ms)${why}`);
    }
    return steps;
  };
  const drawn = (): number | Int32Array => {
    if (delayMs === null) return pre === null ? 0 : 1;
    if (typeof delayMs === 'number') return stepsOf(delayMs);
    const delays = new Int32Array(nSyn);
    if (delayMs.kind === 'uniform') {
      const [low, high] = [stepsOf(delayMs.low, `${path}.low`), stepsOf(delayMs.high, `${path}.high`)];
      if (high < low) throw new ConfigError(`${path}.high`, delayMs.high, `at least low = ${delayMs.low} (ms)`);
      for (let s = 0; s < nSyn; s++) delays[s] = low + rng.integer(high - low + 1);
      return delays;
    }
    const { values } = delayMs;
    if (values.length !== nPre * nPost) {
      throw new ConfigError(`${path}.values`, `${values.length} values`, `${nPre * nPost}, one for every pair`);
    }
    for (let i = 0; i < nPre; i++) {
      for (let s = rowStart[i]; s < rowStart[i + 1]; s++)
        delays[s] = stepsOf(values[i * nPost + targets[s]], `${path}.values`);
    }
    return delays;
  };
  const delays = drawn();
  const longest =
    nSyn === 0 ? 0 : typeof delays === 'number' ? delays : delays.reduce((most, steps) => Math.max(most, steps), 0);
  if (network.projections[name].bias !== null && longest > 0) {
    throw new ConfigError(
      path,
      longest * dtMs,
      '0 beside a plastic bias, which is always on (populations have biases of their own)',
    );
  }
  if (borderSpikes === 'drop' && longest > (pre === null ? 0 : 1)) {
    throw new ConfigError('network.borderSpikes', borderSpikes, `"keep" where a delay is more than a step (${path})`);
  }
  return delays;
}

/** The lists of a network without what learns them. */
function buildGraph(
  { network }: ExperimentConfig,
  { task, neurons, readouts }: Parts,
  built: readonly DrawnProjection[],
  shape: NetworkShape,
  rng: Rng,
): Omit<RuleShape, 'goesOn'> {
  const names = Object.keys(network.populations);
  if (names.length === 0) throw new ConfigError('network.populations', {}, 'a population');
  if (names.includes(inputName))
    throw new ConfigError('network.populations', inputName, 'another name: it is the input');
  const clash = Object.keys(network.readouts).find((name) => name in network.projections);
  if (clash !== undefined) throw new ConfigError('network.readouts', clash, 'a name that no projection has');
  const longest = (of: number | null) =>
    built.filter(({ pre }) => pre === of).reduce((most, { delay }) => Math.max(most, delay), 0);
  const constantCurrent = (values: Values, size: number, name: string) => {
    const path = `network.populations.${name}.current`;
    return perNeuron(
      resolveValues(values, size, rng.split(name), path, () => true, 'a number'),
      size,
    );
  };
  const populations = names.map((name, p): PopulationSpec => {
    const { size, neuron, current } = network.populations[name];
    const { neuron: instance, spiking } = neurons.get(name) as { neuron: NeuronInstance; spiking: boolean };
    return {
      name,
      size,
      kind: String(neuron.kind),
      spiking,
      neuron: instance,
      history: Math.max(1, longest(p)),
      current: current === 0 ? null : constantCurrent(current, size, name),
      rule: null,
      signals: [],
    };
  });
  const list = orderedReadouts(network, task, readouts, names);
  return {
    sizes: {
      stream: shape.streams,
      step: shape.rows,
      in: task.nIn + (built.some(({ bias }) => bias) ? 1 : 0),
      inHistory: longest(null),
      out: list.reduce((sum, { size }) => sum + size, 0),
    },
    populations,
    projections: built.map(
      (projection): ProjectionSpec => ({ ...projection, traces: [], rewiring: null, scaling: null }),
    ),
    readouts: list,
    plastic: new Set([
      ...Object.entries(network.projections).flatMap(([name, { plastic }]) => (plastic ? [name] : [])),
      ...Object.entries(network.populations).flatMap(([name, { bias }]) => (bias === null ? [] : [`${name}.bias`])),
    ]),
  };
}

/** Readouts with the same filter stand together, so that the columns of a channel do. */
function orderedReadouts(
  network: ExperimentConfig['network'],
  task: TaskInstance,
  parts: Parts['readouts'],
  populations: readonly string[],
): ReadoutSpec[] {
  const unplaced = Object.entries(network.readouts).map(([name, given]): ReadoutSpec => {
    const path = `network.readouts.${name}`;
    const { readout, loss, lossKind } = parts.get(name) as NonNullable<ReturnType<typeof parts.get>>;
    const from = typeof given.from === 'string' ? [given.from] : given.from;
    const reads = from.map((population) => {
      const p = populations.indexOf(population);
      if (p < 0) throw new ConfigError(`${path}.from`, population, `one of ${populations.join(', ')}`);
      return p;
    });
    if (new Set(reads).size !== reads.length) throw new ConfigError(`${path}.from`, from, 'every population once');
    const outputs = Int32Array.from(given.outputs ?? Array.from({ length: task.nOut }, (_, k) => k));
    const odd = outputs.find((k) => k >= task.nOut);
    if (odd !== undefined) throw new ConfigError(`${path}.outputs`, odd, `outputs of the task, < ${task.nOut}`);
    const { decay, gain } = readout;
    const kind = String(given.readout.kind);
    const { weight, window } = given;
    return {
      name,
      kind,
      lossKind,
      readout,
      loss,
      weight,
      window,
      reads,
      outputs,
      decay,
      gain,
      bias: readout.bias,
      size: outputs.length,
      column: 0,
    };
  });
  if (unplaced.length === 0) throw new ConfigError('network.readouts', {}, 'a readout');
  const order = channelsOf(unplaced).flatMap(({ readouts }) => readouts);
  let column = 0;
  return order.map((r) => {
    const placed = { ...unplaced[r], column };
    column += placed.size;
    return placed;
  });
}

/** What learns: projections, then readouts and their biases, then weights to learning signals. */
function blocksOf(
  { network, optimizer }: ExperimentConfig,
  plastic: ReadonlySet<string>,
  { populations, projections, direct }: Pick<NetworkSpec, 'populations' | 'projections' | 'direct'>,
  readouts: readonly ReadoutSpec[],
  learns: (projection: ProjectionSpec) => boolean,
): WeightBlock[] {
  const { rates } = optimizer;
  const signals = direct?.outer ? [signalBlock(populations, direct.outer.module)] : [];
  const owners = [
    ...new Set(projections.map(({ whole }) => whole.name)),
    ...Object.keys(network.readouts),
    ...signals.map(({ name }) => name),
  ];
  const odd = Object.keys(rates).find((name) => !owners.includes(name));
  if (odd !== undefined) throw new ConfigError('optimizer.rates', odd, `names of ${owners.join(', ')}`);
  const rateOf = (name: string, needed: boolean): BlockRate => {
    const given = rates[name];
    if (given === undefined && needed) {
      throw new ConfigError(`optimizer.rates.${name}`, given, 'a learning rate: it is plastic');
    }
    return blockRate(given ?? 0, optimizer);
  };
  return [
    ...projections.map((projection, owner): WeightBlock => {
      const { name, whole, synapses } = projection;
      const learned = plastic.has(whole.name);
      const rate = rateOf(whole.name, learned);
      const changes = learned && learns(projection) && rate.rate !== 0;
      return { name, kind: 'projection', owner, synapses, rate, plastic: changes };
    }),
    ...readouts.flatMap(({ name, readout }, owner): WeightBlock[] => {
      const rate = rateOf(name, true);
      const learned = rate.rate !== 0;
      const bias = learned && readout.bias;
      return [
        { name, kind: 'readout', owner, synapses: null, rate, plastic: learned },
        { name: `${name}.bias`, kind: 'bias', owner, synapses: null, rate, plastic: bias },
      ];
    }),
    ...signals.map(({ name, owner, synapses }): WeightBlock => {
      const rate = rateOf(name, true);
      return { name, kind: 'signal', owner, synapses, rate, plastic: rate.rate !== 0 };
    }),
  ];
}

/** A chunk holds whole phases, so that each begins where a phase does. */
function checkPhases(steps: number, perPhase: number, { training }: ExperimentConfig): void {
  if (steps % perPhase !== 0) {
    throw new ConfigError('training.chunkSteps', training.chunkSteps, `a multiple of the ${perPhase} steps of a phase`);
  }
}

/** All signals with a window have the same one, and no chunk of a stream ends within it. */
function checkWindows(
  { rule, network, training }: ExperimentConfig,
  populations: readonly PopulationSpec[],
  { steps, streaming, state }: { readonly steps: number; readonly streaming: boolean; readonly state: string },
): void {
  const window = windowOf({ populations });
  if (window === null) return;
  const all = populations.flatMap(({ signals }) => signals.flatMap((signal) => signal.window ?? []));
  const odd = all.find(({ steps: other }) => other !== window);
  if (odd) throw new ConfigError('rule.window', odd.steps, `${window}, as in the other populations`);
  if (streaming) {
    if (steps % window !== 0) {
      const wanted = `a multiple of the ${window} steps of a window (${rule.name})`;
      throw new ConfigError('training.chunkSteps', training.chunkSteps, wanted);
    }
    if (state === 'reset') {
      throw new ConfigError('training.state', state, `"carry" in an endless stream with a window (${rule.name})`);
    }
  }
  if (state === 'carry' && network.borderSpikes === 'drop') {
    throw new ConfigError(
      'network.borderSpikes',
      'drop',
      '"keep" where credit comes from the trial behind (rule.window)',
    );
  }
}

/**
 * The number formats of a configuration, name by name. In a pattern `*` stands for anything; of several that fit a field the longest
 * counts. Former names of fields are known, too.
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
  const meant = (pattern: string, name: string) => fits(pattern, name) || fits(pattern, formerName(name) ?? '');
  const odd = patterns.find((pattern) => !(known ?? names).some((name) => meant(pattern, name)));
  if (odd !== undefined) throw new ConfigError('fixed.formats', odd, `fields of ${names.join(', ')}`);
  const formats = names.flatMap((field): FieldFormat[] => {
    const pattern = patterns.find((candidate) => meant(candidate, field));
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
  const other = spec.formats ? fixed : reference;
  const hint = backend === other || backend === fixed ? '' : `; use --backend ${other.name}`;
  throw new UnsupportedError(`backend "${backend.name}" has no kernel for ${missing.join(', ')}${hint}`);
}

function chooseExecution(
  config: ExperimentConfig,
  traces: string,
  populations: readonly PopulationSpec[],
  projections: readonly ProjectionSpec[],
): NetworkSpec['execution'] {
  const allTraces = projections.flatMap((projection) => projection.traces);
  const signals = populations.flatMap((population) => population.signals);
  const { execution, update } = config.training;
  const perTrial = update.unit === 'trial' && traces === 'restart';
  const possible = {
    online: true,
    deferred: perTrial && allTraces.every(({ bindDeferred }) => bindDeferred !== null),
    postponed: perTrial && projections.every(({ synapses }) => synapses.dense),
  };
  // In fixed point a trace is what is stored from step to step; on wasm only weights are in fixed point.
  if (execution === 'auto' && config.fixed && config.backend !== 'wasm') return 'online';
  // A signal that learns by itself does so step after step, so that there is nothing to be had from going backwards.
  if (execution === 'auto') {
    return possible.deferred && signals.every(({ refersTo }) => refersTo !== 'credit') ? 'deferred' : 'online';
  }
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
