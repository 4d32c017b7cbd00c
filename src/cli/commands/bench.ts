import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { applySettings } from '../../config/parse.ts';
import { preset } from '../../config/presets.ts';
import { ConfigError } from '../../core/errors.ts';
import { createExperiment } from '../../experiment/experiment.ts';
import { catalogue } from '../catalogue.ts';
import { amountOf } from '../execute.ts';
import { type Global, print, table } from '../output.ts';

const packageRoot = fileURLToPath(new URL('../../../../', import.meta.url));

/** One timed case: what it runs, and how much of it one repetition is. */
interface Case {
  readonly name: string;
  readonly experiment: unknown;
  readonly repetitions: number;
}

interface BenchResult {
  readonly case: string;
  readonly backend: string;
  readonly threads: number;
  readonly median_ms: number;
  readonly spread_ms: number;
  readonly synapse_steps_per_s: number;
  readonly symbols_per_s: number | null;
  readonly checksum: number;
  readonly native_ratio: number | null;
}

const cases: readonly Case[] = [
  {
    name: 'pattern',
    experiment: applySettings(preset('pattern-generation'), ['training.total=1000']),
    repetitions: 20,
  },
  { name: 'four-six-back', experiment: preset('four-six-back'), repetitions: 12 },
];

/** `spiketrace bench`: seeded, warmed, median and spread of one trial (chunk), a checksum of the weights against dead code. */
export function bench(flags: Global & { readonly only?: string }): void {
  const chosen = flags.only === undefined ? cases : cases.filter(({ name }) => name === flags.only);
  if (chosen.length === 0)
    throw new ConfigError('--only', flags.only, `one of ${cases.map(({ name }) => name).join(', ')}`);
  const results = chosen.map(time);
  if (flags.json) {
    const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length };
    print(JSON.stringify({ machine, versions: { node: process.version }, commit: commitOf(packageRoot), results }));
    return;
  }
  const rows = results.map((result) => [
    result.case,
    result.backend,
    result.median_ms.toFixed(2),
    result.spread_ms.toFixed(2),
    result.synapse_steps_per_s.toExponential(2),
    result.symbols_per_s?.toFixed(0) ?? '-',
  ]);
  print(table(['case', 'backend', 'median (ms)', 'spread (ms)', 'synapse-steps/s', 'symbols/s'], rows));
}

/** The commit of the sources; null where they lie in no repository of their own, as an installed package does. */
function commitOf(folder: string): string | null {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', folder, 'rev-parse', ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    return realpathSync(git('--show-toplevel').trim()) === realpathSync(folder) ? git('HEAD').trim() : null;
  } catch {
    return null;
  }
}

function time({ name, experiment: raw, repetitions }: Case): BenchResult {
  const experiment = createExperiment(raw, catalogue);
  const { run, config } = experiment;
  const { sizes } = run.network.spec;
  const training = experiment.trainTrials();
  for (let warm = 0; warm < 3; warm++) training.next();
  const before = amountOf(experiment);
  const samples: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const start = performance.now();
    training.next();
    samples.push(performance.now() - start);
  }
  const symbols = (amountOf(experiment) - before) / repetitions;
  samples.sort((a, b) => a - b);
  const median = samples[samples.length >> 1];
  const synapseSteps = (sizes.synIn + sizes.synRec) * sizes.step * sizes.stream;
  return {
    case: name,
    backend: config.backend,
    threads: 1,
    median_ms: median,
    spread_ms: samples[Math.floor(samples.length * 0.75)] - samples[Math.floor(samples.length * 0.25)],
    synapse_steps_per_s: (1000 * synapseSteps) / median,
    symbols_per_s: experiment.task.mode.kind === 'stream' ? (1000 * symbols) / median : null,
    checksum: Float64Array.from(run.network.weights.wRec).reduce((sum, weight) => sum + weight, 0),
    native_ratio: null,
  };
}
