import { join } from 'node:path';
import { groupedFields } from '../../../hardware/index.ts';
import { createWidthSearch, type WidthSearch, type WidthSearchProgress } from '../../experiment/widths.ts';
import { assertWritableFolder, ensureWritableFolder, writeAtomic } from '../../record/index.ts';
import { catalogue } from '../catalogue.ts';
import { number } from '../deploy/report.ts';
import { fixed, type Global, print, table, tell } from '../output.ts';
import { openExperiment } from './deploy.ts';

export interface WidthsFlags extends Global {
  readonly margin: string;
  readonly seeds: number;
  readonly start: number;
  readonly rounding: string;
  readonly groups?: string;
  readonly set?: readonly string[];
  readonly out?: string;
}

/** `spiketrace widths`: the smallest widths of weights, traces, signals and membranes at which the network still learns. */
export async function widths(source: string, flags: WidthsFlags): Promise<void> {
  const { config } = await openExperiment(source, flags.set ?? []);
  const { margin, start, rounding, out } = flags;
  const search = createWidthSearch(config, groupedFields, catalogue, {
    seeds: Array.from({ length: flags.seeds }, (_, s) => config.seed + s),
    margin,
    start,
    rounding,
    groups: flags.groups?.split(',').map((name) => name.trim()),
    progress: report,
  });
  if (out) assertWritableFolder(out);
  const found = search();
  if (out) write(out, found);
  if (flags.json) {
    print(JSON.stringify(found));
    return;
  }
  print(`${config.name}, rule ${String(config.rule.name)}\n\n${text(found)}`);
  if (out) print(`\nexperiment: ${join(out, 'experiment.json')}`);
}

function report({ widths: at, seed, loss }: WidthSearchProgress): void {
  const what = at ? Object.entries(at).map(([group, bits]) => `${group} ${bits}`) : ['floating point'];
  tell(`${what.join(', ')}; seed ${seed}: ${fixed(loss, 4)}`);
}

function write(folder: string, found: WidthSearch): void {
  ensureWritableFolder(folder);
  const save = (file: string, content: unknown) =>
    writeAtomic(join(folder, file), new TextEncoder().encode(`${JSON.stringify(content, null, 2)}\n`));
  save('widths.json', found);
  save('experiment.json', found.experiment);
}

function text(found: WidthSearch): string {
  const { measure, seeds, float, margin, limit, start, joint, trainings, floating } = found;
  return [
    [
      `${measure} in floating point ${fixed(float.mean, 4)}, mean of ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'} (sd ${fixed(float.sd, 4)})`,
      `at most ${fixed(limit, 4)} wanted, a margin of ${number(margin)}; ${start.bits} bits give ${fixed(start.loss, 4)}`,
    ].join('\n'),
    groupTable(found),
    `all together ${fixed(joint.mean, 4)}, ${joint.holds ? 'within' : 'not within'} the margin; ${trainings} trainings`,
    fieldTable(found),
    `without a width: ${floating.join(', ') || 'nothing'}`,
  ].join('\n\n');
}

function groupTable({ groups }: WidthSearch): string {
  return table(
    ['group', 'numbers', 'bits', 'rounding', 'loss', 'one bit narrower'],
    groups.map(({ group, numbers, bits, rounding, loss, narrower }) => [
      group,
      `${numbers}`,
      `${bits}`,
      rounding,
      fixed(loss, 4),
      narrower ? fixed(narrower.loss, 4) : '-',
    ]),
  );
}

function fieldTable({ fields }: WidthSearch): string {
  const share = (part: number, of: number) => (of === 0 ? '-' : `${((100 * part) / of).toFixed(1)} %`);
  return table(
    ['field', 'group', 'bits', 'would have held', 'range', 'stores', 'saturated', 'below a step'],
    fields.map(({ field, group, bits, narrowestBits, signed, range, stores, saturated, lost }) => [
      field,
      group,
      `${bits}`,
      `${narrowestBits}`,
      `${signed ? '+-' : ''}${number(range)}`,
      `${stores}`,
      share(saturated, stores),
      share(lost, stores),
    ]),
  );
}
