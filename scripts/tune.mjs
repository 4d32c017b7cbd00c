// What `tune` finds from rates that are far off, against the rates of presets.
//
//     npm run build && node scripts/tune.mjs [--presets four-six-back,pattern-generation,store-recall] [--off 30] [--budget 20] [--seeds 3] [--out folder]
//
// A row for each preset and way of being off: all rates times `off`, all divided by it, those of the network times it and those of
// readouts divided by it. `tune` runs from there with seed 101; what it finds, the preset, and the rates it began with are trained to
// the end with other seeds, 1 to `seeds`. The last column is the loss found over that of the preset.
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { preset } from '../dist/src/config/presets.js';

const { values } = parseArgs({
  options: {
    presets: { type: 'string', default: 'four-six-back,pattern-generation,store-recall' },
    off: { type: 'string', default: '30' },
    budget: { type: 'string', default: '20' },
    seeds: { type: 'string', default: '3' },
    out: { type: 'string' },
  },
});
const off = Number(values.off);
const out = values.out ?? mkdtempSync(join(tmpdir(), 'tune-'));
const cli = new URL('../dist/src/cli/main.js', import.meta.url).pathname;

const ways = {
  'times it': [off, off],
  'divided by it': [1 / off, 1 / off],
  'network times it, readouts divided': [off, 1 / off],
};

function spiketrace(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args, '--json'], { encoding: 'utf8' });
  return {
    status,
    lines: stdout
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
    stderr,
  };
}

/** Rates of readouts are of blocks that start at one. */
function offSettings(config, [network, readouts]) {
  const isReadout = (name) => (config.network.readouts ? Object.hasOwn(config.network.readouts, name) : name === 'out');
  return Object.entries(config.optimizer.rates).flatMap(([name, rate]) => [
    '--set',
    `optimizer.rates.${name}=${rate * (isReadout(name) ? readouts : network)}`,
  ]);
}

/** Mean test loss over the seeds; null where a training diverged. */
function lossOf(source, folder, settings = []) {
  const { status, lines, stderr } = spiketrace(
    ...['train', source, '--out', folder, '--seed', '1', '--seeds', values.seeds, '--no-figures', ...settings],
  );
  if (status !== 0 && !/diverged|not finite/.test(stderr)) throw new Error(stderr);
  if (status !== 0) return null;
  const losses = lines.map(({ evaluation: { expectedLoss, lossPerStep } }) => expectedLoss ?? lossPerStep);
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

const told = (loss) => (loss === null ? 'diverged' : loss.toPrecision(4));
console.log('| preset | off by | loss there | found by `tune` | loss found | loss of the preset | ratio |');
console.log('|---|---|---|---|---|---|---|');
for (const name of values.presets.split(',')) {
  const config = preset(name);
  const wanted = lossOf(name, join(out, name, 'preset'));
  for (const [way, factors] of Object.entries(ways)) {
    const folder = join(out, name, way.replaceAll(/[ ,]+/g, '-'));
    const settings = offSettings(config, factors);
    const start = lossOf(name, join(folder, 'start'), settings);
    const tuned = spiketrace(
      'tune',
      name,
      '--budget',
      values.budget,
      '--out',
      join(folder, 'tune'),
      '--set',
      'seed=101',
      ...settings,
    );
    if (tuned.status !== 0) throw new Error(tuned.stderr);
    const { settings: ranked, file } = tuned.lines[0];
    const found = lossOf(file, join(folder, 'found'));
    const by = ranked[0].multipliers.map((one) => one.toPrecision(3)).join(', ');
    console.log(
      `| ${name} | ${way} | ${told(start)} | ${by} | ${told(found)} | ${told(wanted)} | ${found === null ? '-' : (found / wanted).toFixed(3)} |`,
    );
  }
}
