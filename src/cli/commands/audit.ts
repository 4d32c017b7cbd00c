import { join } from 'node:path';
import { type Inventory, inventory } from '../../../hardware/inventory.ts';
import { parseExperiment } from '../../config/parse.ts';
import { applySettings } from '../../config/settings.ts';
import { ConfigError } from '../../core/errors.ts';
import { synapseCount } from '../../core/network.ts';
import type { Alignment } from '../../experiment/alignment.ts';
import {
  type Audit,
  type AuditedRule,
  type AuditOptions,
  type AuditPoint,
  createAudit,
} from '../../experiment/audit.ts';
import { assertWritableFolder, ensureWritableFolder, writeAtomic } from '../../record/index.ts';
import { csvCell } from '../../study/table.ts';
import type { AuditReport, Cost, RuleRow } from '../auditReport.ts';
import { catalogue } from '../catalogue.ts';
import { drawAudit } from '../figures/audit.ts';
import { failure, fixed, type Global, print, table } from '../output.ts';
import { openProgress } from '../progress.ts';
import { availableMemory } from '../runFolder.ts';
import { readVariant, ruleOf, splitOutside } from './compare.ts';
import { readExperiment } from './run.ts';

export const defaultRules = 'e-prop-1,e-prop-1:feedback=symmetric:as=e-prop-1 W_out,sg-r-d,rflo';

export interface AuditFlags extends Global {
  readonly rules: string;
  readonly windows: number;
  readonly chunks: number;
  readonly draws: number;
  readonly reset: string;
  readonly out?: string;
  readonly set?: readonly string[];
  readonly seed?: number;
  readonly backend?: string;
}

/** `spiketrace audit`: one training, and how far the updates of several rules point along the true gradient. */
export async function audit(source: string, flags: AuditFlags): Promise<void> {
  const settings = [...(flags.set ?? [])];
  if (flags.backend) settings.push(`backend=${JSON.stringify(flags.backend)}`);
  if (flags.seed !== undefined) settings.push(`seed=${flags.seed}`);
  const raw = (await readExperiment(source, settings)) as { name?: unknown };
  const out = flags.out ?? join('runs', `${String(raw.name ?? 'experiment')}-audit`);
  const made = open(raw, flags);
  assertWritableFolder(out);
  try {
    const points = await collect(made, flags);
    const report = reportOf(made, points, flags);
    ensureWritableFolder(out);
    const figures = (['cosine', 'sign', 'norm'] as const).map((measure) => {
      const path = join(out, `audit-${measure}.png`);
      writeAtomic(path, drawAudit(report, measure));
      return path;
    });
    const [json, csv] = [join(out, 'audit.json'), join(out, 'audit.csv')];
    writeText(json, `${JSON.stringify(report, null, 2)}\n`);
    writeText(csv, csvOf(report));
    if (flags.json) return print(JSON.stringify(report));
    print(tables(report));
    print(`\ntable:  ${json}\ntable:  ${csv}`);
    for (const path of figures) print(`figure: ${path}`);
  } finally {
    made.close();
  }
}

/** @throws ConfigError with the names of the flags */
function open(raw: unknown, { rules, windows, chunks, draws, reset }: AuditFlags): Audit {
  if (reset !== 'attached' && reset !== 'detached') {
    throw new ConfigError('--reset', reset, 'one of "attached", "detached"');
  }
  // The experiment itself first: what is wrong with it is no fault of a rule.
  const { backend } = parseExperiment(raw, catalogue);
  if (backend !== 'auto' && backend !== 'wasm' && backend !== 'reference') {
    throw new ConfigError('--backend', backend, 'one of "auto", "wasm", "reference": the others have no BPTT');
  }
  const variants = splitOutside(rules, ',').map((text) => ruleFrom(raw, text.trim()));
  const options: AuditOptions = {
    rules: variants,
    windows,
    chunks,
    draws,
    reset,
    maxBytes: availableMemory(),
    now: () => performance.now(),
  };
  try {
    return createAudit(raw, catalogue, options);
  } catch (error) {
    if (error instanceof ConfigError) error.message = error.message.replace(/^audit\./, '--');
    throw error;
  }
}

/** One variant as a checked rule. */
function ruleFrom(raw: unknown, text: string): { readonly label: string; readonly rule: unknown } {
  const { label, name, settings } = readVariant(text);
  const foreign = settings.find((setting) => !setting.startsWith('rule.'));
  if (foreign)
    throw new ConfigError('--rules', foreign, "settings of the rule itself: all rules share the master's run");
  try {
    const changed = applySettings(raw, [`rule=${JSON.stringify(ruleOf(raw, name))}`, ...settings]);
    return { label, rule: parseExperiment(changed, catalogue).rule };
  } catch (error) {
    throw error instanceof ConfigError ? failure(error, '--rules') : error;
  }
}

/** Runs to the end; the event loop gets a turn every tenth of a second. */
async function collect(made: Audit, flags: AuditFlags): Promise<AuditPoint[]> {
  const { total } = made.master.config.training;
  const unit = unitOf(made);
  const line = openProgress(total, flags.json ?? false);
  const points: AuditPoint[] = [];
  const began = performance.now();
  let rested = began;
  try {
    for (const { amount, point } of made.run()) {
      if (point) points.push(point);
      if (performance.now() - rested < 100) continue;
      rested = performance.now();
      const perSecond = (1000 * amount) / (rested - began);
      line.update(0, {
        amount,
        total,
        unit,
        loss: points.at(-1)?.loss ?? null,
        rateHz: null,
        perSecond,
        secondsLeft: null,
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    line.stop();
  }
  return points;
}

function unitOf({ master }: Audit): 'symbols' | 'trials' {
  return master.task.mode.kind === 'stream' ? 'symbols' : 'trials';
}

function reportOf(made: Audit, points: readonly AuditPoint[], flags: AuditFlags): AuditReport {
  const { config } = made.master;
  const times = made.times();
  return {
    task: config.name,
    unit: unitOf(made),
    total: config.training.total,
    seed: config.seed,
    windows: flags.windows,
    chunks: flags.chunks,
    draws: flags.draws,
    reset: flags.reset,
    blocks: made.blocks.map(({ name }) => name),
    rules: made.rules.map((rule, n) => {
      const { label, role, backend } = rule;
      return { label, role, rule: rule.rule, backend, ...costOf(rule, times[n], made) };
    }),
    points,
  };
}

function costOf({ layouts, past }: AuditedRule, time: number | null, { master }: Audit): Cost {
  const state: Record<keyof Inventory, number> = { pre: 0, post: 0, synapse: 0, pair: 0, global: 0 };
  for (const { layout, sizes } of layouts) {
    const counts = inventory(layout, sizes);
    for (const home of homes) state[home] += counts[home];
  }
  const all = homes.reduce((sum, home) => sum + state[home], past);
  const microseconds = time === null ? null : 1000 * time;
  return { state, past, perSynapse: all / synapseCount(master.run.network.spec), microseconds };
}

const homes = ['pre', 'post', 'synapse', 'pair', 'global'] as const;
const titles = {
  cosine: 'cosine to the true gradient',
  sign: 'share of synapses with the sign of the true gradient',
  norm: 'norm over that of the true gradient',
} as const;

/** One table per measure (first point, mean over the last quarter of the points), then the costs. */
function tables(report: AuditReport): string {
  const { rules, points, total, unit, blocks } = report;
  const last = points.slice(-Math.ceil(points.length / 4));
  const head = ['rule', ...blocks.flatMap((block) => [`${block} first`, 'last 1/4'])];
  const measured = (Object.keys(titles) as (keyof Alignment)[]).map((measure) => {
    const cell = (over: readonly AuditPoint[], n: number, block: string) =>
      shown(mean(over.map(({ alignments }) => alignments[n][block][measure])));
    const body = rules.map(({ label }, n) => [
      label,
      ...blocks.flatMap((block) => [cell(points.slice(0, 1), n, block), cell(last, n, block)]),
    ]);
    return `${titles[measure]}\n\n${table(head, body)}`;
  });
  const master = rules.find(({ role }) => role === 'master')?.label;
  const { loss } = points[points.length - 1];
  const opening = `${report.task}, trained by ${master} for ${total} ${unit} to a loss of ${fixed(loss, 4)} per step; ${points.length} audit points`;
  return [opening, ...measured, ...spreadTables(report), costTable(rules)].join('\n\n');
}

const spreadTitles = {
  bias: 'bias: distance of the mean of all draws from the true gradient, in units of its norm',
  variance: 'variance of a draw, in units of its squared norm',
} as const;

/** Means over all points; nothing for a single draw. */
function spreadTables({ rules, points, blocks, draws }: AuditReport): string[] {
  if (draws === 1) return [];
  const known = points.flatMap(({ spreads }) => (spreads ? [spreads] : []));
  return (['bias', 'variance'] as const).map((measure) => {
    const body = rules
      .slice(0, -1)
      .map(({ label }, n) => [label, ...blocks.map((block) => shown(mean(known.map((of) => of[n][block][measure]))))]);
    return `${spreadTitles[measure]}; ${draws} draws\n\n${table(['rule', ...blocks], body)}`;
  });
}

function costTable(rules: readonly RuleRow[]): string {
  const head = ['rule', 'us per step', ...homes, 'past steps', 'per synapse', 'backend'];
  const body = rules.map((rule) => [
    rule.label,
    rule.microseconds?.toFixed(1) ?? '-',
    ...homes.map((home) => String(rule.state[home])),
    String(rule.past),
    rule.perSynapse.toFixed(2),
    rule.backend,
  ]);
  return `cost: learning part of a step of all streams, and numbers that one stream keeps, by where they live\n\n${table(head, body)}`;
}

/** Mean of what is defined; null for nothing. */
function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
}

function shown(value: number | null): string {
  return value === null ? '-' : fixed(value, 3);
}

function csvOf({ rules, points, blocks, draws }: AuditReport): string {
  const several = draws > 1;
  const lines = points.flatMap(({ amount, alignments, spreads }) =>
    alignments.flatMap((aligned, n) =>
      blocks.map((block) => {
        const { cosine, sign, norm } = aligned[block];
        const { bias = null, variance = null } = spreads?.[n]?.[block] ?? {};
        const numbers = several ? [cosine, sign, norm, bias, variance] : [cosine, sign, norm];
        return [amount, csvCell(rules[n].label), block, ...numbers.map((value) => value ?? '')].join(',');
      }),
    ),
  );
  return `amount,rule,block,cosine,sign,norm${several ? ',bias,variance' : ''}\n${lines.join('\n')}\n`;
}

function writeText(path: string, text: string): void {
  writeAtomic(path, new TextEncoder().encode(text));
}
