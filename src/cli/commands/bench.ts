import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTensorFlow } from '../../backends/tfjs/load.ts';
import { ConfigError } from '../../core/errors.ts';
import type { Real } from '../../core/layout.ts';
import { type Network, synapseCount } from '../../core/network.ts';
import { runTrial } from '../../engine/run.ts';
import type { Experiment } from '../../experiment/experiment.ts';
import { writeAtomic } from '../../record/index.ts';
import { type Case, cases, type LoopCase } from '../bench/cases.ts';
import { timeNative } from '../bench/native.ts';
import { type Global, print, table, tell } from '../output.ts';

export interface BenchResult {
  readonly case: string;
  readonly backend: string;
  readonly threads: number;
  readonly median_ms: number;
  /** Distance of the quartiles. */
  readonly spread_ms: number;
  readonly synapse_steps_per_s: number;
  readonly symbols_per_s: number | null;
  /** Sum of the trained weights: the same for any number of threads. */
  readonly checksum: number;
  /** Time of the same loop in C over ours, in the same run; above 1 we are faster. */
  readonly native_ratio: number | null;
}

export interface BenchFlags extends Global {
  readonly only?: string;
  /** Also write the results to a file. */
  readonly out?: string;
}

/** `spiketrace bench`: seeded, warmed, median and spread of one iteration. */
export async function bench(flags: BenchFlags): Promise<void> {
  const chosen = flags.only === undefined ? cases : cases.filter(({ name }) => name === flags.only);
  if (chosen.length === 0)
    throw new ConfigError('--only', flags.only, `one of ${cases.map(({ name }) => name).join(', ')}`);
  const results: BenchResult[] = [];
  for (const item of chosen) {
    if (process.stderr.isTTY && !flags.json) tell(`${item.name} ...`);
    if (item.needsTensorFlow && !(await tensorFlowLoads(item.name))) continue;
    results.push(...(item.timed === 'loop' ? [timeLoop(item)] : await timeCase(item)));
  }
  const report = {
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length },
    versions: { node: process.version, spiketrace: version() },
    commit: commit(),
    results,
  };
  if (flags.out) {
    mkdirSync(dirname(flags.out), { recursive: true });
    writeAtomic(flags.out, new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`));
  }
  print(flags.json ? JSON.stringify(report) : resultTable(results));
}

async function tensorFlowLoads(name: string): Promise<boolean> {
  try {
    await loadTensorFlow();
    return true;
  } catch (error) {
    tell(`${name} skipped: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

async function timeCase(item: Case): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const threads of item.threads) {
    const experiment = item.build(threads);
    await experiment.ready();
    const result = item.timed === 'trial' ? timeTrials(item, experiment) : timeTraining(item, experiment);
    experiment.close();
    const native = item.native ? timeNative(item.native) : null;
    results.push({ ...result, threads, native_ratio: native === null ? null : native / result.median_ms });
  }
  return results;
}

/** One training iteration after the other on the same data: forward, gradient, update. */
function timeTrials(item: Case, experiment: Experiment): BenchResult {
  const { run, feed } = experiment;
  const { sizes } = run.network.spec;
  feed.fill(sizes.step);
  const once = () => runTrial(run, sizes.step, { learn: true });
  return summary(item, experiment, sample(once, item.repetitions), sizes.step * sizes.stream, null);
}

/** A stretch of training as a user waits for it: data, trial, checks. */
function timeTraining(item: Case, experiment: Experiment): BenchResult {
  const { sizes } = experiment.run.network.spec;
  const training = experiment.trainTrials();
  const before = experiment.feed.amount();
  const samples = sample(() => training.next(), item.repetitions);
  const symbols = (experiment.feed.amount() - before) / (item.repetitions + warmUp);
  return summary(item, experiment, samples, sizes.step * sizes.stream, symbols);
}

function timeLoop(item: LoopCase): BenchResult {
  const loop = item.build();
  const samples = sample(loop.once, item.repetitions);
  const times = spreadOf(samples);
  return {
    case: item.name,
    backend: item.backend,
    threads: 1,
    ...times,
    synapse_steps_per_s: (1000 * loop.synapseSteps) / times.median_ms,
    symbols_per_s: null,
    checksum: loop.checksum(),
    native_ratio: null,
  };
}

const warmUp = 3;

function sample(once: () => unknown, repetitions: number): number[] {
  for (let warm = 0; warm < warmUp; warm++) once();
  const samples = Array.from({ length: repetitions }, () => {
    const start = performance.now();
    once();
    return performance.now() - start;
  });
  return samples.sort((a, b) => a - b);
}

/** Weights that every change of a run before them has an influence on. */
function lastProjection({ spec, weights }: Network): Real {
  return weights[spec.projections[spec.projections.length - 1].name];
}

function summary(
  item: Case,
  experiment: Experiment,
  samples: number[],
  steps: number,
  symbols: number | null,
): BenchResult {
  const { network } = experiment.run;
  const times = spreadOf(samples);
  return {
    case: item.name,
    backend: experiment.config.backend,
    threads: 1,
    ...times,
    synapse_steps_per_s: (1000 * synapseCount(network.spec) * steps) / times.median_ms,
    symbols_per_s: symbols === null ? null : (1000 * symbols) / times.median_ms,
    checksum: sumOf(lastProjection(network)),
    native_ratio: null,
  };
}

/** Median and distance of the quartiles of sorted times. */
function spreadOf(samples: readonly number[]): Pick<BenchResult, 'median_ms' | 'spread_ms'> {
  const [low, high] = [0.25, 0.75].map((share) => samples[Math.floor(samples.length * share)]);
  return { median_ms: samples[samples.length >> 1], spread_ms: high - low };
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let s = 0; s < values.length; s++) sum += values[s];
  return sum;
}

function resultTable(results: readonly BenchResult[]): string {
  const head = [
    'case',
    'backend',
    'threads',
    'median (ms)',
    'spread (ms)',
    'synapse-steps/s',
    'symbols/s',
    'C / ours',
    'checksum',
  ];
  const rows = results.map((result) => [
    result.case,
    result.backend,
    String(result.threads),
    result.median_ms.toFixed(2),
    result.spread_ms.toFixed(2),
    result.synapse_steps_per_s.toExponential(2),
    result.symbols_per_s?.toFixed(0) ?? '-',
    result.native_ratio?.toFixed(2) ?? '-',
    result.checksum.toPrecision(9),
  ]);
  return table(head, rows);
}

const root = fileURLToPath(new URL('../../../../', import.meta.url));

function version(): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
}

/** The commit of a clone; null elsewhere. */
function commit(): string | null {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}
