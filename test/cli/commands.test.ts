import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { imageOfStream, loadReckon, profiles, readImage } from '../../hardware/index.ts';
import { applySettings, preset, presetNames, type WidthSearch } from '../../src/index.ts';
import { emptyFolder, jsonLines, main, root, set, spiketrace, start, streaming, succeed } from './cli.ts';

const golden = (name: string) => join(root, 'test/golden', `${name}.json`);

describe('eval and plot', () => {
  let folder = '';
  beforeAll(async () => {
    folder = emptyFolder();
    await succeed(['train', ...streaming, '--seeds', '2', '--no-figures', '--out', 'runs'], folder);
  });

  interface Scores {
    readonly folder: string;
    readonly seed: number;
    readonly amount: number;
    readonly expectedLoss: number;
  }

  it('score on fresh data as the summary does, on more of it, and on other data', async () => {
    const run = (...args: string[]) => succeed(['eval', 'runs', '--json', ...args], folder);
    const [asTrained, more, other] = (await Promise.all([run(), run('--symbols', '640'), run('--label', 'b')])).map(
      ({ stdout }) => jsonLines<Scores>(stdout),
    );
    expect(asTrained.map((row) => row.seed)).toEqual([1, 2]);
    for (const row of asTrained) {
      const { evaluation } = JSON.parse(readFileSync(join(folder, row.folder, 'summary.json'), 'utf8'));
      expect(row.amount).toBe(320);
      expect(row.expectedLoss).toBe(evaluation.expectedLoss);
    }
    expect(more.map((row) => row.amount)).toEqual([640, 640]);
    for (const rows of [more, other]) expect(rows[0].expectedLoss).not.toBe(asTrained[0].expectedLoss);
  });

  it('print a table for people', async () => {
    const { stdout } = await succeed(['eval', 'runs'], folder);
    expect(stdout).toMatch(/rule +seed +expected loss +loss per step +accuracy +rate \(Hz\) +amount +folder\n/);
    expect(stdout.trimEnd().split('\n')).toHaveLength(4);
  });

  it('does not score what is too short to be scored', async () => {
    const { code, stdout, stderr } = await spiketrace(['eval', 'runs', '--symbols', '16'], folder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/evaluation\.total: got 16, expected/);
  });

  it('draw every run and their common learning curves', async () => {
    const { stdout } = await succeed(['plot', 'runs', '--json'], folder);
    const figures = jsonLines<{ figure: string }>(stdout).map(({ figure }) => figure);
    expect(figures).toHaveLength(2 * 5 + 1);
    expect(figures.at(-1)).toBe(join('runs', 'learning-curves.png'));
    for (const figure of figures) expect(statSync(join(folder, figure)).size).toBeGreaterThan(2000);
  });

  it('draw pages for a browser, of which weights are none', async () => {
    const { stdout } = await succeed(['plot', 'runs', '--format', 'html', '--json'], folder);
    const names = jsonLines<{ figure: string }>(stdout).map(({ figure }) => basename(figure));
    expect([...new Set(names)].toSorted()).toEqual([
      'learning-curve.html',
      'learning-curves.html',
      'raster.html',
      'stacked-after.html',
      'stacked-before.html',
      'weights.png',
    ]);
    expect(readFileSync(join(folder, 'runs/learning-curves.html'), 'utf8')).not.toMatch(/(src|href)=/);
  });
});

describe('compare', () => {
  interface Report {
    readonly bounds: readonly { readonly value: number }[];
    readonly rows: readonly { readonly rule: string; readonly seeds: number; readonly mean: number }[];
    readonly figures: readonly string[];
  }

  it('trains what is missing, goes on with what is there, and refuses runs of other settings', async () => {
    const folder = emptyFolder();
    const args = ['compare', ...streaming, '--rules', 'e-prop-1,readout-only', '--out', 'c'];
    const first = await succeed([...args, '--seeds', '1'], folder);
    expect(first.stdout).toMatch(/e-prop-1 +1 +0\.\d{4}/);
    expect(first.stdout).toMatch(/readout-only +1 +0\.\d{4}/);
    for (const bound of ['0.661563', '0.519167', '0.454454']) expect(first.stdout).toContain(bound);
    for (const [, path] of first.stdout.matchAll(/^(?:figure|table): +(.+)$/gm)) {
      expect(existsSync(join(folder, path))).toBe(true);
    }
    const checkpoint = join(folder, 'c/e-prop-1/seed-1/checkpoint.bin');
    const { mtimeMs } = statSync(checkpoint);

    const second = await succeed([...args, '--seeds', '2', '--json'], folder);
    expect(statSync(checkpoint).mtimeMs).toBe(mtimeMs);
    const report: Report = JSON.parse(second.stdout);
    expect(report).toEqual(JSON.parse(readFileSync(join(folder, 'c/comparison.json'), 'utf8')));
    expect(report.rows.map(({ rule, seeds }) => [rule, seeds])).toEqual([
      ['e-prop-1', 2],
      ['readout-only', 2],
    ]);
    expect(report.figures).toHaveLength(11);

    const other = await spiketrace([...args, '--seeds', '1', '--set', 'training.total=6400'], folder);
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/--out: got ".*seed-1", expected a run with training\.total 6400, not 3200; name/);
  });

  it('goes on with a run that was interrupted', async () => {
    const folder = emptyFolder();
    const whole = ['compare', ...streaming, '--rules', 'readout-only', '--seeds', '1', '--json'];
    const wanted: Report = JSON.parse((await succeed([...whole, '--out', 'a'], folder)).stdout);
    const half = [...set({ rule: { name: 'readout-only' } }), '--seeds', '1', '--until', '1600', '--no-figures'];
    await succeed(['train', ...streaming, ...half, '--out', 'b'], folder);
    const got: Report = JSON.parse((await succeed([...whole, '--out', 'b'], folder)).stdout);
    expect(got.rows[0].mean).toBe(wanted.rows[0].mean);
  });
});

describe('compare with variants', () => {
  it('trains each with its own settings, names them by label, and draws what their signal learns', async () => {
    const folder = emptyFolder();
    const rules = 'sg-r-d:delays=2:as=two delays,sg-r-d:delays=2:network.neuron.gamma=1,bptt:window=5';
    const args = ['compare', ...streaming, '--rules', rules, '--seeds', '1', '--out', 'c', '--json'];
    const report = JSON.parse((await succeed(args, folder)).stdout);
    const names = ['two delays', 'sg-r-d:delays=2:network.neuron.gamma=1', 'bptt:window=5'];
    expect(report.rows.map(({ rule }: { rule: string }) => rule)).toEqual(names);
    expect(new Set(report.rows.map(({ mean }: { mean: number }) => mean)).size).toBe(3);
    const config = (name: string) =>
      JSON.parse(readFileSync(join(folder, 'c', name.replaceAll(':', '-'), 'seed-1/config.json'), 'utf8'));
    expect(config('two delays').rule).toMatchObject({ name: 'sg-r-d', delays: 2 });
    expect(config(names[1]).network.populations.rec.neuron.gamma).toBe(1);
    expect(config('two delays').network.populations.rec.neuron.gamma).toBe(0.5);
    expect(report.figures).toContain('c/losses-two delays.png');
    expect(report.figures.some((path: string) => path.includes('losses-bptt'))).toBe(false);
    for (const path of report.figures) expect(existsSync(join(folder, path))).toBe(true);
  });
});

describe('deploy', () => {
  it('gives a verdict for every chip with the number behind it, and writes the report', async () => {
    const folder = emptyFolder();
    const args = [
      'deploy',
      ...streaming,
      '--set',
      'rule={"name":"sg-r-d"}',
      '--chip',
      'reckon,spinnaker2',
      '--out',
      'd',
    ];
    const { stdout } = await succeed([...args, '--details'], folder);
    expect(stdout).toMatch(/reckon +does not fit +1 of 1 core +\d+\.\d % +form of the rule/);
    expect(stdout).toMatch(/spinnaker2 +fits with/);
    expect(stdout).toMatch(/population\.rec\.signal\.J +pair +400 +8 +400/);
    const report = JSON.parse(readFileSync(join(folder, 'd/deployment.json'), 'utf8'));
    expect(report.deployments.map(({ chip }: { chip: string }) => chip)).toEqual(['reckon', 'spinnaker2']);
    expect(readFileSync(join(folder, 'd/deployment.html'), 'utf8')).toContain(
      '<summary>reckon: does not fit</summary>',
    );
    const [{ placement }] = report.deployments;
    expect(placement).toMatchObject({ offered: 1, coreBytes: 139_264, complete: true, obstacles: [], unknown: [] });
    expect(placement.cores[0].parts[0]).toEqual({ of: 'population', name: 'rec', from: 0, to: 20 });
    expect(JSON.parse((await succeed([...args, '--json'], folder)).stdout)).toEqual(report);
  });

  it('judges a finished run, on a chip of ones own', async () => {
    const folder = emptyFolder();
    const slow = set({ 'network.neuron.membrane': { decay: 0.9 } });
    await succeed(['train', ...streaming, ...slow, '--no-figures', '--out', 'run'], folder);
    writeFileSync(join(folder, 'mine.json'), JSON.stringify({ ...profiles[0], id: 'mine', resets: ['zero'] }));
    const { stdout } = await succeed(['deploy', 'run', '--chip', 'mine.json'], folder);
    expect(stdout).toMatch(/mine +fits with .*neuron model: reset "zero" in place of "subtract"/);
    writeFileSync(
      join(folder, 'bad.json'),
      JSON.stringify({ ...profiles[0], neurons: { value: 1 }, compartments: 0, learningAxons: 'x' }),
    );
    const ended = await spiketrace(['deploy', 'run', '--chip', 'bad.json'], folder);
    expect(ended.code).toBe(2);
    // All that is wrong, each with its path.
    for (const path of ['neurons', 'compartments', 'learningAxons'])
      expect(ended.stderr).toContain(`bad.json.${path}: got `);
  });
});

describe('deploy, measured', () => {
  const small = [...streaming, ...set({ 'network.neuron.membrane': { decay: 0.9 }, 'training.total': 640 })];

  it('trains the three versions, and writes losses, parting and figure', async () => {
    const folder = emptyFolder();
    const args = ['deploy', ...small, '--chip', 'reckon', '--accuracy', '--seeds', '2', '--rate', '30', '--out', 'd'];
    const { stdout, stderr } = await succeed(args, folder);
    expect(stderr.match(/reckon: (float|structure|fixed), seed [12]: \d/g)).toHaveLength(6);
    expect(stdout).toMatch(/fixed +\d\.\d+ +\d\.\d+/);
    expect(stdout).toMatch(/first parting at step 0: /);
    expect(stdout).toMatch(/at 30 Hz \(as given\)/);
    const [{ accuracy, operations }] = JSON.parse(readFileSync(join(folder, 'd/deployment.json'), 'utf8')).deployments;
    expect(accuracy.versions.map(({ losses }: { losses: number[] }) => losses.length)).toEqual([2, 2, 2]);
    expect(accuracy.parting.value.step).toBe(0);
    expect(operations.activity.rateHz).toBe(30);
    expect(readFileSync(join(folder, 'd/deployment.html'), 'utf8')).toContain('<img alt="losses of the three versions');
  });

  it('writes a run as memory images of ReckOn, and refuses what does not fit', async () => {
    const folder = emptyFolder();
    await succeed(['train', ...small, '--no-figures', '--out', 'run'], folder);
    const { stdout } = await succeed(['deploy', 'run', '--chip', 'reckon', '--images', 'images'], folder);
    expect(stdout).toMatch(/spikes of \d+ steps: \d+ of the network, \d+ of the chip, \d+\.\d % of either in both/);
    const path = join(folder, 'images/network.json');
    const text = readFileSync(path, 'utf8');
    const chip = loadReckon(readImage(text, path));
    expect(chip.sizes).toMatchObject({ nRec: 20, nOut: 2 });
    const words = readFileSync(join(folder, 'images/spi.hex'), 'utf8').trim().split('\n');
    expect(imageOfStream(Uint32Array.from(words, (word) => Number.parseInt(word, 16)))).toEqual(readImage(text, path));
    const report = JSON.parse(readFileSync(join(folder, 'images/export.json'), 'utf8'));
    expect(report.threshold).toBe(chip.config.THR[0]);
    const refused = await spiketrace(['deploy', ...streaming, '--chip', 'reckon', '--images', 'none'], folder);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/network\.neuron\.membrane\.decay: got 0\.5, expected 0\.875 to/);
    expect(existsSync(join(folder, 'none'))).toBe(false);
    const other = await spiketrace(['deploy', 'run', '--chip', 'loihi2', '--images', 'none'], folder);
    expect(other.stderr).toMatch(/--images: got "none", expected a folder for images of reckon/);
  });
});

describe('widths', () => {
  const small = [...streaming, ...set({ 'training.total': 640 })];
  const args = ['widths', ...small, '--seeds', '2'];

  it('searches, and writes the result and an experiment whose training is the one reported', async () => {
    const folder = emptyFolder();
    const { stdout, stderr } = await succeed([...args, '--margin', '5%', '--out', 'w'], folder);
    const result = JSON.parse(readFileSync(join(folder, 'w/widths.json'), 'utf8'));
    expect(stderr.trimEnd().split('\n')).toHaveLength(result.trainings);
    expect(stderr).toMatch(/^floating point; seed 1: \d\.\d{4}\n/);
    expect(stderr).toMatch(/^weights 16, signals 16, traces 16, membranes 16; seed 2: \d\.\d{4}$/m);
    expect(stdout).toMatch(
      /^four-six-back, rule e-prop-1\n\nexpected loss in floating point \d\.\d{4}, mean of 2 seeds \(sd/,
    );
    for (const { group, bits, rounding } of result.groups) {
      expect(stdout).toMatch(new RegExp(`^${group} +\\d+ +${bits} +${rounding} +\\d`, 'm'));
    }
    expect(stdout).toMatch(/^projection\.rec\.weights +weights +\d+ +\d+ +\+-\d/m);
    expect(stdout).toMatch(/^without a width: population\.rec\.refractory, readout\.out\.u, readout\.out\.zBar$/m);
    const train = ['train', 'w/experiment.json', '--seeds', '2', '--no-figures', '--out', 'runs', '--json'];
    const runs = jsonLines<{ evaluation: { expectedLoss: number } }>((await succeed(train, folder)).stdout);
    expect(runs.map(({ evaluation }) => evaluation.expectedLoss)).toEqual(result.joint.losses);
  });

  it('takes a run folder, and prints one line of JSON', async () => {
    const folder = emptyFolder();
    await succeed(['train', ...small, '--no-figures', '--out', 'run'], folder);
    const options = [
      '--margin',
      '1',
      '--groups',
      'weights,traces',
      '--rounding',
      'nearest',
      '--start',
      '3',
      '--seeds',
      '1',
    ];
    const { stdout } = await succeed(['widths', 'run', ...options, '--json'], folder);
    const [result] = jsonLines<WidthSearch>(stdout);
    expect(result.groups.map(({ group, rounding, bits }) => [group, rounding, bits])).toEqual([
      ['weights', 'nearest', 2],
      ['traces', 'nearest', 2],
    ]);
    expect(result.floating).toContain('population.rec.v');
    expect(readdirSync(folder)).toEqual(['run']);
  });

  it('refuses a margin that the widest words miss', async () => {
    const { code, stdout, stderr } = await spiketrace([...args, '--margin', '0', '--start', '2']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^spiketrace: margin: got "0", expected at least \d.*which misses the margin by \d/m);
  });
});

describe('list', () => {
  it('names what the schema accepts', async () => {
    const { stdout } = await succeed(['list', '--json']);
    const entries = jsonLines<{ registry: string; name: string; about: string }>(stdout);
    const names = (registry: string) => entries.filter((entry) => entry.registry === registry).map(({ name }) => name);
    expect(names('rules')).toEqual(expect.arrayContaining(['e-prop-1', 'readout-only']));
    expect(names('neurons')).toEqual(expect.arrayContaining(['lif', 'alif', 'rate']));
    expect(names('presets')).toEqual(presetNames);
    for (const { about } of entries) expect(about).not.toBe('');
    expect((await succeed(['list', 'rules'])).stdout).toMatch(/^rules +about\n/);
  });
});

describe('schema', () => {
  it('of a chip has what a profile of ours says, and `list chips --json` prints these', async () => {
    const schema = JSON.parse((await succeed(['schema', 'chip', '--json'])).stdout);
    expect(schema.required).toEqual(expect.arrayContaining(['id', 'name', 'substrate']));
    const entries = jsonLines<{ name: string; profile: object }>((await succeed(['list', 'chips', '--json'])).stdout);
    expect(entries.map(({ profile }) => profile)).toEqual(profiles);
    for (const { profile } of entries)
      for (const key of Object.keys(profile)) expect(Object.keys(schema.properties)).toContain(key);
    expect((await spiketrace(['schema', 'law'])).stderr).toMatch(/schema: got "law", expected one of experiment, chip/);
  });

  it('accepts every preset and refuses what train refuses', async () => {
    const { stdout, folder } = await succeed(['schema']);
    await succeed(['schema', '--out', 'schema.json'], folder);
    expect(readFileSync(join(folder, 'schema.json'), 'utf8')).toBe(stdout);
    const schema = z.fromJSONSchema(JSON.parse(stdout));
    expect(schema.safeParse({ $schema: './schema.json', ...preset('four-six-back') })).toMatchObject({ success: true });
    for (const name of presetNames) {
      expect(schema.safeParse(preset(name))).toMatchObject({ success: true });
      for (const bad of ['training.totl=3', 'training.total="x"', 'rule.name="x"', 'network.neuron.kind="x"']) {
        expect(schema.safeParse(applySettings(preset(name), [bad]))).toMatchObject({ success: false });
      }
    }
  });
});

describe('verify', () => {
  interface Verdict {
    readonly file: string;
    readonly pass: boolean;
    readonly quantities: readonly Record<string, unknown>[];
  }

  it('ends with 0 where all pass, one JSON object a line', async () => {
    const paths = [golden('eprop-alif-small'), golden('eprop-lif-softmax-small')];
    const { stdout } = await succeed(['verify', ...paths, '--json']);
    const verdicts = jsonLines<Verdict>(stdout);
    expect(verdicts.map(({ file, pass }) => [file, pass])).toEqual(paths.map((path) => [path, true]));
    for (const { quantities } of verdicts) {
      for (const quantity of quantities) {
        expect(Object.keys(quantity).sort()).toEqual(['checked', 'name', 'tolerance', 'where', 'worst']);
        expect(quantity.checked ? Number(quantity.worst) <= Number(quantity.tolerance) : quantity.worst === null).toBe(
          true,
        );
      }
    }
  });

  it('ends with 1 where a number is wrong and names it', async () => {
    const folder = emptyFolder();
    const content = JSON.parse(readFileSync(golden('eprop-alif-small'), 'utf8'));
    const gradient: number[][] = content.gradients.eprop_random.w_rec;
    gradient[1][2] *= 1 + 1e-6;
    writeFileSync(join(folder, 'wrong.json'), JSON.stringify(content));
    const { code, stdout } = await spiketrace(['verify', 'wrong.json'], folder);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^wrong\.json: FAIL/);
    expect(stdout).toMatch(/gradients\.eprop_random\.w_rec \(online\) +FAIL/);
    expect(stdout.match(/ FAIL /g)).toHaveLength(2);
  });

  it('ends with 2 for a kind that it does not know, after the files that it does', async () => {
    const folder = emptyFolder();
    writeFileSync(join(folder, 'foreign.json'), '{"meta": {"kind": "poem"}}');
    const { code, stdout, stderr } = await spiketrace(
      ['verify', 'foreign.json', golden('eprop-alif-small'), '--json'],
      folder,
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/foreign\.json: unknown kind "poem"; known are .*eprop-network/);
    expect(jsonLines<Verdict>(stdout).map(({ pass }) => pass)).toEqual([true]);
  });
});

describe('bench', () => {
  it('reports machine, versions, commit and one result per case', async () => {
    const { stdout } = await succeed(['bench', '--only', 'pattern', '--json']);
    const report = JSON.parse(stdout);
    expect(Object.keys(report).sort()).toEqual(['commit', 'machine', 'results', 'versions']);
    expect(report.versions.node).toBe(process.version);
    const inRepository = existsSync(join(root, '.git'));
    const head = () => execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
    expect(report.commit).toBe(inRepository ? head() : null);
    expect(report.results.length).toBeGreaterThan(0);
    for (const result of report.results) {
      expect(Object.keys(result).sort()).toEqual([
        'backend',
        'case',
        'checksum',
        'median_ms',
        'native_ratio',
        'spread_ms',
        'symbols_per_s',
        'synapse_steps_per_s',
        'threads',
      ]);
      expect(result.case).toBe('pattern');
      expect(result.median_ms).toBeGreaterThan(0);
      expect(Number.isFinite(result.checksum)).toBe(true);
    }
  });
});

it('a reader that leaves early is no failure', async () => {
  const program = `"${process.execPath}" "${main}" list | head -n 1; exit \${PIPESTATUS[0]}`;
  const { code, stdout, stderr } = await start('bash', ['-c', program], emptyFolder()).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^rules +about\n$/);
});

describe('help', () => {
  it.concurrent.each([
    'train',
    'resume',
    'compare',
    'study',
    'eval',
    'plot',
    'verify',
    'import',
    'export',
    'list',
    'schema',
    'bench',
  ])('of %s ends with examples', async (command) => {
    const { stdout } = await succeed([command, '--help']);
    expect(stdout).toMatch(/\nExamples:\n( {2}\$ spiketrace .+\n)+$/);
    for (const line of stdout.split('\n').filter((text) => text.startsWith('  $'))) {
      expect(line).toMatch(new RegExp(`spiketrace ${command}\\b`));
    }
  });

  it('names the version', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect((await succeed(['--version'])).stdout).toBe(`${version}\n`);
  });
});

describe('tune', () => {
  const args = ['tune', ...streaming, ...set({ 'training.total': 640, 'optimizer.rates.rec': 50 }), '--budget', '6'];

  it('finds an experiment to train from, keeps its runs, and goes on with them', async () => {
    const folder = emptyFolder();
    const { stdout } = await succeed([...args, '--seeds', '2', '--out', 't'], folder);
    expect(stdout).toMatch(/^expected cross-entropy \(nats\) on fresh data after a part of the training\n/);
    expect(stdout).toMatch(/^setting +part +rates of the network +rates of readouts +test loss$/m);
    expect(stdout).toMatch(/\nbest: setting \d+; train it with: spiketrace train t\/experiment\.json\n$/);
    const { settings, factors } = JSON.parse(readFileSync(join(folder, 't/tuned.json'), 'utf8'));
    expect(settings).toHaveLength(6);
    expect(factors[0].paths).toEqual(['optimizer.rates.in', 'optimizer.rates.rec']);
    const found = JSON.parse(readFileSync(join(folder, 't/experiment.json'), 'utf8'));
    expect(found.training.total).toBe(640);
    expect(found.optimizer.rates.rec).toBe(Number((50 * settings[0].multipliers[0]).toPrecision(3)));
    const longest = readdirSync(join(folder, 't/rung-3'));
    expect(longest).toHaveLength(2);
    const { training } = JSON.parse(readFileSync(join(folder, 't/rung-3', longest[0], 'seed-1/config.json'), 'utf8'));
    expect(training.total).toBe(320);
    const when = () => statSync(join(folder, 't/rung-3', longest[0], 'seed-2/summary.json')).mtimeMs;
    const before = when();
    const again = await succeed([...args, '--seeds', '2', '--out', 't'], folder);
    expect(again.stdout).toBe(stdout);
    expect(when()).toBe(before);
    await succeed(['train', 't/experiment.json', '--no-figures', '--out', 'run'], folder);
  });

  it('refuses a folder of other settings, and a number that is not there', async () => {
    const folder = emptyFolder();
    await succeed([...args, '--out', 't', '--json'], folder);
    const other = await spiketrace([...args, '--out', 't', ...set({ 'rateTerm.strength': 0.2 })], folder);
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/a run with rateTerm\.strength 0\.2, not /);
    const odd = await spiketrace([...args, '--out', 'u', '--search', 'rule.rateA'], folder);
    expect({ code: odd.code, stdout: odd.stdout }).toEqual({ code: 2, stdout: '' });
    expect(odd.stderr).toMatch(/rule\.rateA: got undefined, expected a number > 0 in the experiment/);
    expect(existsSync(join(folder, 'u'))).toBe(false);
  });

  it('goes on where a setting diverges', async () => {
    const folder = emptyFolder();
    const wild = [
      'tune',
      'pattern-generation',
      ...set({ 'training.total': 320, 'optimizer.rates.rec': 0.003, 'optimizer.rates.out': 0.003 }),
    ];
    const { stdout } = await succeed([...wild, '--budget', '10', '--out', 't', '--json'], folder);
    const [{ settings }] = jsonLines<{ settings: { score: number | null }[] }>(stdout);
    expect(settings.some(({ score }) => score === null)).toBe(true);
    expect(settings[0].score).toBeGreaterThan(0);
  });
});
