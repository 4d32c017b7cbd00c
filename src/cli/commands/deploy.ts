import { join } from 'node:path';
import {
  type ChipProfile,
  type Deployment,
  demandOf,
  deploy as deployOn,
  profileSchema,
  profiles,
} from '../../../hardware/index.ts';
import { applySettings, parseWith } from '../../config/parse.ts';
import { ConfigError } from '../../core/errors.ts';
import { createExperiment, type Experiment } from '../../experiment/experiment.ts';
import { ensureWritableFolder, writeAtomic } from '../../record/index.ts';
import { catalogue } from '../catalogue.ts';
import { type Global, print, table } from '../output.ts';
import { isRunFolder, loadRun } from '../runFolder.ts';
import { readJson } from '../verify/index.ts';
import { readExperiment } from './run.ts';

export interface DeployFlags extends Global {
  readonly chip: string;
  readonly set?: readonly string[];
  readonly out?: string;
  readonly details?: boolean;
}

/** `spiketrace deploy`: whether a network with its rule would fit a chip, and the first number that says no. */
export function deploy(source: string, flags: DeployFlags): void {
  const experiment = open(source, flags.set ?? []);
  const demand = demandOf(experiment.run.network.spec);
  const chips = flags.chip.split(',').map((name) => profileOf(name.trim()));
  const deployments = chips.map((chip) => deployOn(demand, chip));
  const { name, rule } = experiment.config;
  const report = { experiment: name, rule: String(rule.name), deployments };
  if (flags.out) {
    ensureWritableFolder(flags.out);
    const write = (file: string, text: string) =>
      writeAtomic(join(flags.out ?? '', file), new TextEncoder().encode(text));
    write('deployment.json', `${JSON.stringify(report, null, 2)}\n`);
    write('deployment.html', page(report.experiment, report.rule, deployments));
  }
  if (flags.json) {
    print(JSON.stringify(report));
    return;
  }
  print(`${name}, rule ${String(rule.name)}\n\n${verdicts(deployments)}`);
  if (deployments.length === 1 || flags.details)
    for (const deployment of deployments) print(`\n${details(deployment)}`);
  if (flags.out) print(`\nreport: ${join(flags.out, 'deployment.html')}`);
}

/** A run folder, a preset or an experiment file. */
function open(source: string, settings: readonly string[]): Experiment {
  if (isRunFolder(source) && settings.length === 0) return loadRun(source);
  const raw = isRunFolder(source) ? loadRun(source).config : readExperiment(source, []);
  return createExperiment(applySettings(raw, settings), catalogue);
}

/** A profile by its name, or of a JSON file. @throws ConfigError naming the number that is odd, FileError */
export function profileOf(name: string): ChipProfile {
  const known = profiles.find(({ id }) => id === name);
  if (known) return known;
  if (!name.endsWith('.json')) {
    throw new ConfigError(
      '--chip',
      name,
      `one of ${profiles.map(({ id }) => id).join(', ')}, or a profile as a .json file`,
    );
  }
  return parseWith(profileSchema, readJson(name), name);
}

function verdicts(deployments: readonly Deployment[]): string {
  const rows = deployments.map(({ chip, verdict, reasons, overhead }) => [
    chip,
    verdict,
    `${(100 * overhead).toFixed(1)} %`,
    reasons.join('; ') || '-',
  ]);
  return table(['chip', 'verdict', 'extra memory', 'because'], rows);
}

function details({ chip, checks, inventory, inferenceBytes, learningBytes }: Deployment): string {
  const checked = table(
    [chip, 'status', 'number'],
    checks.map(({ name, status, because }) => [name, status, because]),
  );
  if (inventory.length === 0) return checked;
  const kept = table(
    ['state of learning', 'home', 'numbers', 'bits each', 'bytes'],
    inventory.map(({ name, home, count, bits, bytes }) => [name, home, `${count}`, `${bits}`, `${Math.ceil(bytes)}`]),
  );
  return `${checked}\n\n${kept}\n\ninference ${Math.ceil(inferenceBytes)} bytes, learning ${Math.ceil(learningBytes)} more`;
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

function page(name: string, rule: string, deployments: readonly Deployment[]): string {
  const row = (cells: readonly string[], tag = 'td') =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]) =>
    `<table>${row(head, 'th')}${rows.map((cells) => row(cells)).join('')}</table>`;
  const sections = deployments.map(
    ({ chip, verdict, checks, inventory, inferenceBytes, learningBytes, overhead }) =>
      `<h2>${escaped(chip)}: ${verdict}</h2>` +
      tableOf(
        ['check', 'status', 'number'],
        checks.map((check) => [check.name, check.status, check.because]),
      ) +
      tableOf(
        ['state of learning', 'home', 'numbers', 'bits each', 'bytes', 'what'],
        inventory.map((v) => [v.name, v.home, `${v.count}`, `${v.bits}`, `${Math.ceil(v.bytes)}`, v.doc]),
      ) +
      `<p>Inference ${Math.ceil(inferenceBytes)} bytes, learning ${Math.ceil(learningBytes)} more (${(100 * overhead).toFixed(1)} %).</p>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escaped(name)} on chips</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}table{border-collapse:collapse;margin:1em 0}
th,td{border:1px solid #ccc;padding:.25em .6em;text-align:left;vertical-align:top}th{background:#f3f3f3}</style>
<h1>${escaped(name)}, rule ${escaped(rule)}</h1>${sections.join('\n')}</html>
`;
}
