import { join } from 'node:path';
import { DivergenceError, UnsupportedError } from '../../core/errors.ts';
import { type Merit, meritOf } from '../../core/merit.ts';
import { createExperiment } from '../../experiment/experiment.ts';
import {
  rateFactors,
  readFactor,
  searchRates,
  type TuneCandidate,
  type TunedCandidate,
  type TuneFactor,
  type TuneRung,
  withCandidate,
} from '../../experiment/tune.ts';
import { assertWritableFolder, ensureWritableFolder, writeAtomic } from '../../record/index.ts';
import { catalogue } from '../catalogue.ts';
import type { Job } from '../execute.ts';
import { failure, fixed, type Global, print, table, tell } from '../output.ts';
import type { Outcome } from '../pool.ts';
import { attemptAll, readExperiment } from './run.ts';

export interface TuneFlags extends Global {
  readonly budget: number;
  readonly seeds: number;
  readonly search?: readonly string[];
  readonly set?: readonly string[];
  readonly out?: string;
  readonly backend?: string;
  readonly threads: number;
}

/** `spiketrace tune`: rates from which an experiment learns, found by short runs. */
export async function tune(source: string, flags: TuneFlags): Promise<void> {
  const settings = [...(flags.set ?? [])];
  if (flags.backend) settings.push(`backend=${JSON.stringify(flags.backend)}`);
  const { config, task, run, close } = createExperiment(await readExperiment(source, settings), catalogue);
  const merit = meritOf(task, run.network.spec);
  close();
  const factors = flags.search?.map(readFactor) ?? rateFactors(config);
  const given = { index: 0, multipliers: factors.map(() => 1) };
  withCandidate(config, factors, given);
  const out = flags.out ?? join('runs', `${config.name}-tune`);
  const search = searchRates({ factors, budget: flags.budget, seed: config.seed });
  let step = search.next();
  assertWritableFolder(out);
  while (!step.done) {
    const costs = await costsOf(step.value, { config, factors, out, merit, flags });
    if (!costs) return tell('stopped before its end; the same command goes on');
    step = search.next(costs);
  }
  report(step.value, { config, factors, out, merit, flags });
}

interface Search {
  readonly config: { readonly name: string; readonly seed: number; readonly training: Record<string, unknown> };
  readonly factors: readonly TuneFactor[];
  readonly out: string;
  readonly merit: Merit;
  readonly flags: TuneFlags;
}

/** Mean cost of each candidate over the seeds; null where the search was interrupted. */
async function costsOf(rung: TuneRung, search: Search): Promise<number[] | null> {
  const { flags, merit } = search;
  tell(
    `${rung.candidates.length} settings for ${rung.share} of the training, ${flags.seeds} ${flags.seeds === 1 ? 'seed' : 'seeds'} each`,
  );
  const jobs = rung.candidates.flatMap((candidate) => jobsOf(rung, candidate, search));
  const outcomes = await attemptAll(jobs, flags);
  const costs = outcomes.map((outcome, at) => costOf(outcome, jobs[at], merit));
  if (costs.includes(null)) return null;
  const sign = merit.higherIsBetter ? -1 : 1;
  return rung.candidates.map((_, c) => {
    const own = (costs as number[]).slice(c * flags.seeds, (c + 1) * flags.seeds);
    return own.reduce((sum, cost) => sum + sign * cost, 0) / own.length;
  });
}

function jobsOf({ rung, share }: TuneRung, candidate: TuneCandidate, search: Search): Job[] {
  const { config, factors, out, flags } = search;
  return Array.from({ length: flags.seeds }, (_, s) => {
    const experiment = withCandidate(config, factors, candidate) as typeof config & { seed: number };
    experiment.seed = config.seed + s;
    experiment.training.total = shortened(config.training, share);
    const folder = join(out, `rung-${rung + 1}`, `setting-${candidate.index}`, `seed-${experiment.seed}`);
    return { folder, experiment, goOn: true };
  });
}

/** Whole trials of every stream. */
function shortened({ total, streams }: Record<string, unknown>, share: number): number {
  const each = Math.max(1, Math.round((share * Number(total)) / Number(streams)));
  return each * Number(streams);
}

/** A network that diverges has a cost of Infinity; null for a run that was stopped. @throws any other error of the run */
function costOf(outcome: Outcome, { folder }: Job, merit: Merit): number | null {
  if ('error' in outcome) {
    if (outcome.error instanceof DivergenceError) return merit.higherIsBetter ? -Infinity : Infinity;
    throw failure(outcome.error, folder);
  }
  const { evaluation } = outcome.result;
  return evaluation && merit.of(evaluation);
}

function report(found: readonly TunedCandidate[], search: Search): void {
  const { config, factors, out, merit, flags } = search;
  const [best] = found;
  if (!Number.isFinite(best.cost)) {
    const advice = 'search lower rates with --search path=low:high';
    throw new UnsupportedError(`${out}: every setting of the last rung diverged; ${advice}`);
  }
  const file = join(out, 'experiment.json');
  const sign = merit.higherIsBetter ? -1 : 1;
  const settings = found.map(({ cost, ...one }) => ({ ...one, score: Number.isFinite(cost) ? sign * cost : null }));
  const told = { experiment: config.name, measure: merit.label, seeds: flags.seeds, factors, settings };
  ensureWritableFolder(out);
  save(file, withCandidate(config, factors, best));
  save(join(out, 'tuned.json'), told);
  if (flags.json) {
    print(JSON.stringify({ ...told, file }));
    return;
  }
  print(`${merit.label} on fresh data after a part of the training\n`);
  print(settingTable(settings, search));
  print(`\nbest: setting ${best.index}; train it with: spiketrace train ${file}`);
}

interface Setting extends TuneCandidate {
  readonly share: number;
  /** Null for a training that diverged. */
  readonly score: number | null;
}

function settingTable(settings: readonly Setting[], { factors, merit }: Search): string {
  const rows = settings.map(({ index, share, multipliers, score }) => [
    `${index}`,
    `${share}`,
    ...multipliers.map((by) => `x ${by.toPrecision(3)}`),
    score === null ? 'diverged' : fixed(score, 4),
  ]);
  return table(['setting', 'part', ...factors.map(({ label }) => label), merit.short], rows);
}

function save(path: string, content: unknown): void {
  writeAtomic(path, new TextEncoder().encode(`${JSON.stringify(content, null, 2)}\n`));
}
