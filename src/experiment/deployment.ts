import { fixed as fixedBackend } from '../backends/fixed/index.ts';
import type { ExperimentConfig } from '../config/schema.ts';
import { applySettings } from '../config/settings.ts';
import { ConfigError, UnsupportedError } from '../core/errors.ts';
import type { FieldStatistics, FieldWidth } from '../core/format.ts';
import type { NetworkSpec } from '../core/network.ts';
import type { Catalogue, TraceInstance } from '../core/plugins.ts';
import { spread } from '../core/statistics.ts';
import { formattableFields } from '../engine/network.ts';
import { runTrial } from '../engine/run.ts';
import { createExperiment, type Experiment } from './experiment.ts';
import { rowsOf, valuesOf } from './fields.ts';
import { firstParting, type Parting } from './parting.ts';

/** What a chip makes of an experiment; see `structureOf` and `widthsOf` of the hardware module. */
export interface ChipVersion {
  readonly late: boolean;
  readonly factored: boolean;
  readonly reset: 'subtract' | 'zero' | null;
  /** Widths of the fields of a network that has this structure. */
  readonly widths: (spec: NetworkSpec) => readonly FieldWidth[];
}

/** An approximation that a chip forces: its settings, or null where the rule does not offer it. */
export interface Approximation {
  readonly what: string;
  readonly setting: string | null;
}

/** An experiment as floating point has it, with the structure of a chip, and with its number formats too. */
export interface Versions {
  readonly float: ExperimentConfig;
  readonly structured: ExperimentConfig;
  readonly approximations: readonly Approximation[];
}

/** The three versions of an experiment, the last but for its formats, which need observed ranges: see `withWidths`. */
export function versionsOf(config: ExperimentConfig, chip: ChipVersion, catalogue: Catalogue): Versions {
  const float = { ...config, backend: 'auto', fixed: null } as ExperimentConfig;
  let structured = float;
  const approximations: Approximation[] = [];
  const attempt = (what: string, ...settings: string[]) => {
    const changed = settings.length > 0 ? tried(structured, settings, catalogue) : null;
    if (changed) structured = changed;
    approximations.push({ what, setting: changed ? settings.join(' ') : null });
  };
  const { rule, rateTerm } = config;
  const own = 'trace' in rule ? 'rule.trace' : 'rule';
  if (chip.factored) {
    if (rateTerm.strength > 0 && rateTerm.mean !== 'running')
      attempt('a running mean of the rate', 'rateTerm.mean=running');
    if (hasFilter(structured, catalogue)) attempt('no output filter on the trace', `${own}.readoutFilter=false`);
    if (hasSynapticState(structured, catalogue)) attempt('a trace without state per synapse');
  }
  if (chip.late && rule.late !== true) {
    attempt(
      'the signal one step late',
      ...(own === 'rule' ? ['rule.late=true'] : ['rule.trace.late=true', 'rule.signal.late=true']),
    );
  }
  if (chip.reset) {
    const places = Object.keys(config.network.populations).map((name) => `network.populations.${name}.neuron.reset`);
    attempt(`reset "${chip.reset}"`, ...places.map((place) => `${place}=${chip.reset}`));
  }
  return { float, structured, approximations };
}

/** null where the rule does not allow it. */
function tried(config: ExperimentConfig, settings: readonly string[], catalogue: Catalogue): ExperimentConfig | null {
  try {
    const changed = createExperiment(applySettings(config, settings), catalogue);
    return { ...changed.config, backend: config.backend };
  } catch (error) {
    if (error instanceof ConfigError || error instanceof UnsupportedError) return null;
    throw error;
  }
}

function tracesOf(config: ExperimentConfig, catalogue: Catalogue): TraceInstance[] {
  return createExperiment(config, catalogue).run.network.spec.projections.flatMap(({ traces }) => traces);
}

function hasFilter(config: ExperimentConfig, catalogue: Catalogue): boolean {
  return tracesOf(config, catalogue).some(({ filter }) => filter.decay > 0);
}

function hasSynapticState(config: ExperimentConfig, catalogue: Catalogue): boolean {
  const fields = tracesOf(config, catalogue).flatMap(({ layout }) => Object.values(layout));
  return fields.some(({ home, transient }) => home === 'synapse' && !transient);
}

/** Smallest and largest value of a field. */
export type Ranges = ReadonlyMap<string, readonly [number, number]>;

/** Trials that are watched for the ranges of the fields. */
const watchedTrials = 2;

/**
 * What the fields of a network hold, before training and after it: the state after every step of two trials with learning off,
 * traces and signals included.
 */
export function observedRanges(trained: Experiment, catalogue: Catalogue): Ranges {
  const { config } = trained;
  const training = { ...config.training, execution: 'online' };
  const probe = createExperiment({ ...config, backend: 'reference', training }, catalogue);
  const ranges = new Map<string, [number, number]>();
  const { run, feed } = probe;
  const { sizes } = run.network.spec;
  const fields = formattableFields(run.network.spec, fixedBackend);
  const watch = (t: number) => {
    for (const name of fields) widen(ranges, name, valuesOf(probe, name), rowsOf(probe, name, t));
  };
  for (const from of [null, trained]) {
    if (from) adoptMatrices(probe, from);
    for (let trial = 0; trial < watchedTrials; trial++) {
      feed.fill(sizes.step);
      runTrial(run, sizes.step, { learn: true, freeze: true, answer: feed.answer, onStep: watch });
    }
  }
  return ranges;
}

/** Weights and matrices of a signal of one run for another of the same network. */
function adoptMatrices(to: Experiment, from: Experiment): void {
  const { state } = to.run.network;
  for (const { name, role, dims } of state.table) {
    if ((role === 'weights' || role === 'signal') && dims[0] !== 'stream')
      state.field(name).set(from.run.network.state.field(name));
  }
}

function widen(
  ranges: Map<string, [number, number]>,
  name: string,
  values: ArrayLike<number>,
  parts: readonly (readonly [number, number])[],
): void {
  const range = ranges.get(name) ?? [0, 0];
  let [low, high] = range;
  for (const [from, to] of parts) {
    for (let s = from; s < to; s++) {
      if (values[s] < low) low = values[s];
      if (values[s] > high) high = values[s];
    }
  }
  ranges.set(name, [low, high]);
}

/** State of traces, signals, readouts and running means: without a sign where it is never negative. */
const unsigned = /\.(trace|signal)(@[^.]+)?\.|^readout\.[^.]+\.(?!weights$|y$|error$)[^.]+$|\.mean$/;

/**
 * The experiment in fixed point: each field as wide as the chip has it, the point where the observed magnitudes, rounded up to a
 * power of two, just fit. Traces that are never negative have no sign.
 */
export function withWidths(config: ExperimentConfig, widths: readonly FieldWidth[], ranges: Ranges): ExperimentConfig {
  const formats = Object.fromEntries(
    widths.flatMap(({ field, bits, rounding }) => {
      const range = ranges.get(field);
      if (!range) return [];
      const largest = Math.max(-range[0], range[1]);
      const signed = range[0] < 0 || !unsigned.test(field);
      // One is the range of what was never anything but 0.
      return [
        [
          field,
          { bits, range: largest > 0 ? 2 ** Math.ceil(Math.log2(largest)) : 1, signed, rounding, overflow: 'saturate' },
        ],
      ];
    }),
  );
  return {
    ...config,
    backend: 'fixed',
    training: { ...config.training, execution: 'online' },
    fixed: { formats, seed: (config.seed % (2 ** 31 - 2)) + 1 },
  } as ExperimentConfig;
}

export const versionNames = ['float', 'structure', 'fixed'] as const;
export type VersionName = (typeof versionNames)[number];

/** Losses on fresh data of one version, one per seed. */
export interface VersionLosses {
  readonly version: VersionName;
  readonly losses: readonly number[];
  readonly mean: number;
  /** Standard deviation over seeds; 0 for one. */
  readonly sd: number;
}

export interface Accuracy {
  readonly measure: 'expected loss' | 'loss per step';
  readonly seeds: readonly number[];
  readonly versions: readonly VersionLosses[];
  readonly approximations: readonly Approximation[];
  /** What became of the numbers of the last seed's fixed-point run. */
  readonly statistics: readonly FieldStatistics[];
  /** Where the second and the third version of the first seed part. */
  readonly parting: Parting;
}

export interface AccuracyOptions {
  readonly seeds: readonly number[];
  /** Told after each training. */
  readonly progress?: ((version: VersionName, seed: number, loss: number) => void) | undefined;
}

/**
 * Trains three versions of an experiment on the same data: floating point, the same with the structural approximations that the
 * chip forces, and these in the chip's number formats, whose ranges are those that the second version has shown.
 * @throws UnsupportedError for a rule that has no fixed-point form
 */
export function measureAccuracy(
  config: ExperimentConfig,
  chip: ChipVersion,
  catalogue: Catalogue,
  { seeds, progress }: AccuracyOptions,
): Accuracy {
  const { float, structured, approximations } = versionsOf(config, chip, catalogue);
  // A rule that has no fixed-point form is refused before anything is trained.
  createExperiment(withWidths(structured, [], new Map()), catalogue).close();
  const changed = approximations.some(({ setting }) => setting !== null);
  const losses: Record<VersionName, number[]> = { float: [], structure: [], fixed: [] };
  let statistics: readonly FieldStatistics[] = [];
  let expected = false;
  let parting: Parting = { steps: 0, value: null, spike: null };
  for (const seed of seeds) {
    const done = (version: VersionName, experiment: Experiment, reuse?: number) => {
      const loss = reuse ?? trainedLoss(experiment);
      losses[version].push(loss);
      progress?.(version, seed, loss);
      return loss;
    };
    const first = createExperiment({ ...float, seed }, catalogue);
    expected = first.task.statesExpected;
    const plain = done('float', first);
    const second = changed ? createExperiment({ ...structured, seed }, catalogue) : first;
    done('structure', second, changed ? undefined : plain);
    const widths = chip.widths(second.run.network.spec);
    const inFormats = withWidths({ ...structured, seed }, widths, observedRanges(second, catalogue));
    if (seed === seeds[0]) parting = firstParting(inFormats, catalogue);
    const third = createExperiment(inFormats, catalogue);
    done('fixed', third);
    statistics = third.run.stages.statistics?.() ?? [];
    for (const experiment of new Set([first, second, third])) experiment.close();
  }
  return {
    measure: expected ? 'expected loss' : 'loss per step',
    seeds,
    versions: versionNames.map((version) => ({ version, losses: losses[version], ...spread(losses[version]) })),
    approximations,
    statistics,
    parting,
  };
}

/** Loss on fresh data after the whole training. */
export function trainedLoss(experiment: Experiment): number {
  experiment.train();
  const { expectedLoss, lossPerStep } = experiment.evaluate();
  return expectedLoss ?? lossPerStep;
}
