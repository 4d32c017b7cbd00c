import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeNpy } from '../../src/record/index.ts';
import { type Ended, emptyFolder, set, snapshot, spiketrace, streaming, succeed, trials } from './cli.ts';

/** One line on standard error that names the problem, nothing on standard output. */
function expectRefusal({ code, stdout, stderr }: Ended, message: RegExp | string): void {
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(
    /^(spiketrace|error): [^\n]+\n(\(Did you mean (one of )?[\w, ]+\?\)\n)?(\(add --help for the options and examples\)\n)?$/,
  );
  expect(stderr.length).toBeLessThan(700);
}

/** What cannot be used, and what the one error says. Every call runs in an empty folder, which stays empty. */
const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['unknown key', set({ 'training.totl': 3 }), /training\.totl: got 3, expected no key "totl" here/],
  ['unknown key of a rule', set({ 'rule.fedback': 'random' }), /rule\.fedback: got "random", expected no key/],
  ['wrong type', set({ 'training.total': 'many' }), /training\.total: got "many", expected a value of type number/],
  ['not a whole number', set({ seed: 1.5 }), /seed: got 1\.5, expected a whole number/],
  [
    'negative time constant',
    set({ 'network.neuron.membrane': { tauMs: -20 } }),
    /network\.neuron\.membrane\.tauMs: got -20, expected a number > 0 \(ms\)/,
  ],
  [
    'decay above 1',
    set({ 'network.neuron.membrane': { decay: 1.5 } }),
    /membrane\.decay: got 1\.5, expected a number <= 1/,
  ],
  [
    'a readout that forgets nothing',
    set({ 'network.readout.filter': { decay: 1 } }),
    /filter\.decay: got 1, expected a number < 1/,
  ],
  ['lag 0', set({ 'task.lags': [0, 6] }), /task\.lags\.0: got 0, expected a number > 0/],
  ['probability above 1', set({ 'task.base': 0.9 }), /task\.effects: .*within \[0, 1\]/],
  ['unknown rule', set({ 'rule.name': 'e-prop-9' }), /rule\.name: got "e-prop-9", expected one of "sg-r-d"/],
  ['unknown neuron', set({ 'network.neuron.kind': 'x' }), /network\.neuron\.kind: got "x", expected one of "lif"/],
  ['unknown task', set({ 'task.kind': 'x' }), /task\.kind: got "x", expected one of "n-back"/],
  [
    'a rule that does not fit a reset to zero',
    set({ 'rule.resetInTrace': true, 'network.neuron.reset': 'zero' }),
    /resetInTrace needs a neuron whose reset subtracts/,
  ],
  [
    'a rule that does not fit a rate neuron',
    set({ 'rule.resetInTrace': true, 'network.neuron': { kind: 'rate' } }),
    /resetInTrace needs a neuron whose reset subtracts/,
  ],
  [
    'a rate term that does not fit the updates',
    set({ 'rateTerm.mean': 'trial' }),
    /rateTerm\.mean: got "trial", expected "running"/,
  ],
  ['deferred with updates per step', set({ 'training.execution': 'deferred' }), /training\.execution: got "deferred"/],
  ['more synapses than there can be', set({ 'network.neurons': 3_000_000 }), /connectivity: got .*not 9000000000000/],
  [
    'more steps than any memory',
    ['--backend', 'reference', ...set({ 'training.chunkSteps': 2e9, 'training.total': 2e11 })],
    /the network needs \d+ MiB \(\d+ bytes per synapse\), \d+ MiB are available/,
  ],
  [
    'more synapses than neurons',
    set({ 'network.recurrent.connectivity': { kind: 'in-degree', n: 21 } }),
    /connectivity\.n: got 21, expected at most 20/,
  ],
  ['a setting without "="', ['--set', 'training.total'], /--set: got "training\.total", expected path=value/],
  ['a setting of a prototype', ['--set', '__proto__.total=3'], /--set: got "__proto__\.total=3"/],
  ['unknown option', ['--totl', '3'], /unknown option '--totl'/],
  ['no seeds', ['--seeds', '0'], /--seeds <n>.*'0' is invalid.*whole number >= 1/],
  ['a negative seed', ['--seed', '-1'], /--seed <n>.*'-1' is invalid/],
  ['no threads', ['--threads', '0'], /--threads <n>.*'0' is invalid/],
  ['unknown backend', ['--backend', 'gpu'], /backend: got "gpu", expected one of "auto"/],
  [
    'a backend without a kernel',
    ['--backend', 'wasm', ...set({ rule: { name: 'rtrl' } })],
    /backend "wasm" has no kernel for .*use --backend reference/,
  ],
  ['until 0', ['--until', '0'], /--until <amount>.*'0' is invalid/],
  [
    'unknown recorded field',
    ['--record', 'z,vv'],
    /recording\.fields: got "vv", expected one of task\.x, .*population\.rec\.v/,
  ],
  ['an empty recorded field', ['--record', ''], /recording\.fields: got ""/],
  ['a neuron that is not there', ['--record', 'z', '--record-neurons', '18-20'], /got 20, .*\[0, 20\)/],
  ['neurons backwards', ['--record', 'z', '--record-neurons', '5-3'], /--record-neurons: got "5-3"/],
  ['trials backwards', ['--record', 'z', '--record-trials', '3:1'], /--record-trials: got "3:1"/],
  ['a stream that is not there', ['--record', 'z', '--record-stream', '8'], /got 8, .*\[0, 8\)/],
  ['neurons of no recording', ['--record-neurons', '1'], /--record: got undefined, expected the fields/],
  ['a recording too large', ['--record', 'z', '--record-max-mb', '0.001'], /--record-max-mb: got 0\.001, .*at least 1/],
  [
    'no folder of weights',
    ['--weights', 'nowhere'],
    /nowhere: holds none of in\.npy, rec\.npy, out\.npy, out\.bias\.npy/,
  ],
];

describe('train refuses in one line and writes nothing:', () => {
  it.concurrent.each(refused)('%s', async (_, args, message) => {
    const folder = emptyFolder();
    expectRefusal(await spiketrace(['train', ...streaming, '--out', 'run', ...args], folder), message);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.concurrent('several runs of which none can start, with one error', async () => {
    const folder = emptyFolder();
    expectRefusal(
      await spiketrace(['train', ...streaming, '--seeds', '3', '--record', 'vv', '--out', 'run'], folder),
      'vv',
    );
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('an experiment file', () => {
  const content: readonly (readonly [string, string | null, RegExp])[] = [
    ['that is no preset and no file', null, /PRESET: got "experiment\.json", expected a file, or one of four-six-back/],
    ['that is not JSON', '{"task":', /experiment\.json: cannot be read as JSON/],
    ['that holds null', 'null', /experiment: got null, expected an object/],
    ['that holds a list', '[1]', /experiment: got \[1\], expected an object/],
    ['without a loss', '{}', /loss: got undefined, expected a value of type object/],
    ['of another version', '{"version": 2}', /version: got 2, expected one of 1/],
  ];

  it.concurrent.each(content)('%s is refused', async (_, text, message) => {
    const folder = emptyFolder();
    if (text !== null) writeFileSync(join(folder, 'experiment.json'), text);
    expectRefusal(await spiketrace(['train', 'experiment.json', '--out', 'run'], folder), message);
    expect(existsSync(join(folder, 'run'))).toBe(false);
  });

  it.concurrent('that is a folder is refused', async () => {
    expectRefusal(await spiketrace(['train', '.', '--out', 'run']), /\.: is a folder, expected a file/);
  });
});

describe('a run that is there', () => {
  let folder = '';
  beforeAll(async () => {
    folder = emptyFolder();
    await succeed(['train', ...trials, '--no-figures', '--until', '4', '--out', 'run'], folder);
  });

  const copy = () => {
    const to = emptyFolder();
    cpSync(join(folder, 'run'), join(to, 'run'), { recursive: true });
    return to;
  };

  it('is not written over', async () => {
    const before = snapshot(folder);
    expectRefusal(await spiketrace(['train', ...trials, '--out', 'run'], folder), /--out: got "run", .*without a run/);
    expect(snapshot(folder)).toEqual(before);
  });

  const damage: readonly (readonly [string, (bytes: Buffer) => Uint8Array, RegExp])[] = [
    ['truncated', (bytes) => bytes.subarray(0, bytes.length - 100), /checkpoint\.bin: truncated checkpoint: got \d+/],
    ['truncated within its header', (bytes) => bytes.subarray(0, 30), /checkpoint\.bin: truncated checkpoint/],
    ['empty', () => new Uint8Array(0), /checkpoint\.bin: (truncated checkpoint|is not a checkpoint)/],
    [
      'with a flipped byte',
      (bytes) => bytes.fill(bytes[bytes.length >> 1] ^ 4, bytes.length >> 1, (bytes.length >> 1) + 1),
      /checkpoint\.bin: damaged checkpoint: its bytes do not match their checksum/,
    ],
    ['that is another kind of file', () => Buffer.from('GIF89a'.repeat(50)), /checkpoint\.bin: is not a checkpoint of/],
  ];

  it.each(damage)('with a checkpoint %s is refused by every command', async (_, change, message) => {
    const at = copy();
    const path = join(at, 'run/checkpoint.bin');
    writeFileSync(path, change(readFileSync(path)));
    const before = snapshot(at);
    for (const command of ['resume', 'eval', 'plot']) expectRefusal(await spiketrace([command, 'run'], at), message);
    expect(snapshot(at)).toEqual(before);
  });

  it('is named where it is not', async () => {
    for (const command of ['resume', 'eval', 'plot']) {
      expectRefusal(await spiketrace([command, 'nowhere'], folder), /nowhere: no such folder/);
      expectRefusal(await spiketrace([command, '.']), /\.: holds no run/);
    }
  });

  const weights: readonly (readonly [string, Uint8Array, RegExp])[] = [
    [
      'NaN',
      encodeNpy(
        Float64Array.from({ length: 144 }, (_, s) => (s === 5 ? Number.NaN : 0.1)),
        [12, 12],
      ),
      /rec\.npy\[5\]: got NaN, expected a finite weight/,
    ],
    ['another shape', encodeNpy(new Float64Array(144), [144]), /rec\.npy: has shape \[144\], expected \[12,12\]/],
    ['no array', Buffer.from('no array at all'), /rec\.npy/],
  ];

  it.each(weights)('whose weights hold %s starts nothing', async (_, bytes, message) => {
    const at = copy();
    writeFileSync(join(at, 'run/weights/rec.npy'), bytes);
    expectRefusal(await spiketrace(['train', ...trials, '--weights', 'run/weights', '--out', 'new'], at), message);
    expect(existsSync(join(at, 'new'))).toBe(false);
  });
});

describe('a folder that cannot be written', () => {
  it('because a part of its path is a file', async () => {
    const folder = emptyFolder();
    writeFileSync(join(folder, 'file'), 'mine');
    for (const out of ['file', 'file/run']) {
      expectRefusal(await spiketrace(['train', ...trials, '--out', out], folder), /file.*expected a folder/);
    }
    expect(snapshot(folder)).toEqual([`file ${Buffer.from('mine').toString('base64')}`]);
  });

  it('because it is not ours', async () => {
    const folder = emptyFolder();
    // Permissions do not stop root; nobody can make folders in /proc.
    const locked = process.getuid?.() === 0 ? '/proc/spiketrace' : join(folder, 'locked');
    if (locked.startsWith('/proc') && process.platform !== 'linux') return;
    if (!locked.startsWith('/proc')) mkdirSync(locked);
    if (!locked.startsWith('/proc')) chmodSync(locked, 0o500);
    const ended = await spiketrace(['train', ...trials, '--out', join(locked, 'run')], folder);
    expectRefusal(ended, /run: (no permission to write it|cannot be written)/);
    expect(existsSync(join(locked, 'run'))).toBe(false);
  });
});

describe('a run that diverges', () => {
  it('ends with 1, names field, index and step, and leaves its last checkpoint', async () => {
    const folder = emptyFolder();
    const rates = set({
      'optimizer.kind': 'sgd',
      'optimizer.rates': { in: 0, rec: 0, out: 1e6 },
      'loss.scale': 1e6,
    });
    const { code, stdout, stderr } = await spiketrace(['train', ...trials, ...rates, '--out', 'run'], folder);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^spiketrace: run: (readout\.out\.(y|(bias\.)?weights)|projection\.\w+\.weights|population\.rec\.\w+)\[\d+\] became \S+ at step \d+; /,
    );
    const { stdout: scores } = await succeed(['eval', 'run', '--json'], folder);
    expect(JSON.parse(scores).amount).toBe(1);
    const again = await spiketrace(['resume', 'run'], folder);
    expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 1, stderr });
  });

  it('does not take the other seeds with it', async () => {
    const folder = emptyFolder();
    await succeed(['train', ...trials, '--no-figures', '--out', 'good'], folder);
    const nan = Float64Array.from({ length: 144 }, (_, s) => (s % 13 === 0 ? 0 : 1e308));
    writeFileSync(join(folder, 'good/weights/rec.npy'), encodeNpy(nan, [12, 12]));
    const args = ['train', ...trials, '--no-figures', '--weights', 'good/weights', '--seeds', '2', '--out', 'runs'];
    const { code, stderr } = await spiketrace(args, folder);
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
    for (const seed of [1, 2]) expect(stderr).toContain(join('runs/e-prop-1', `seed-${seed}`));
  });
});

describe('the other commands refuse', () => {
  it.concurrent.each([
    ['an unknown command', ['trane'], /unknown command 'trane'/],
    ['a folder that is none, to diagnose', ['diagnose', 'nowhere'], /nowhere: no such folder/],
    ['a folder without a run, to diagnose', ['diagnose', '.'], /holds no run: no checkpoint\.bin in it or below it/],
    ['train without an experiment', ['train'], /missing required argument/],
    ['compare without rules', ['compare', 'four-six-back'], /required option '--rules/],
    ['an unknown rule to compare', ['compare', 'four-six-back', '--rules', 'e-prop-1,x'], /rule\.name: got "x"/],
    ['a variant without value', ['compare', 'four-six-back', '--rules', 'sg-r-d:delays'], /--rules: got "delays"/],
    ['a rule twice', ['compare', 'four-six-back', '--rules', 'uoro,uoro'], /--rules: got "uoro,uoro", expected each/],
    ['an unknown chip', ['deploy', 'four-six-back', '--chip', 'tpu'], /--chip: got "tpu", expected one of reckon/],
    ['a chip that is no file', ['deploy', 'four-six-back', '--chip', 'my.json'], /my\.json: does not exist/],
    ['widths without a margin', ['widths', 'four-six-back'], /required option '--margin/],
    [
      'a negative margin',
      ['widths', 'four-six-back', '--margin', '-1'],
      /margin: got "-1", expected a number >= 0 \(in un/,
    ],
    [
      'an unknown group of fields',
      ['widths', 'four-six-back', '--margin', '5%', '--groups', 'weights,spikes', '--out', 'w'],
      /groups: got "spikes", expected one or more of weights, traces, signals, membranes, each once/,
    ],
    [
      'an unknown rounding',
      ['widths', 'four-six-back', '--margin', '1', '--rounding', 'up'],
      /rounding: got "up", expected stochastic or nearest/,
    ],
    ['words too wide', ['widths', 'four-six-back', '--margin', '1', '--start', '17'], /--start <bits>.*>= 2 and <= 16/],
    [
      'widths of a rule without fixed point',
      ['widths', 'four-six-back', '--margin', '1', '--set', 'rule={"name":"bptt"}', '--out', 'w'],
      /backend "fixed" has no kernel for a rule that is no product/,
    ],
    ['no symbols', ['eval', 'run', '--symbols', '0'], /'0' is invalid/],
    ['an unknown registry', ['list', 'x'], /list: got "x", expected one of rules/],
    ['an unknown case', ['bench', '--only', 'x'], /--only: got "x", expected one of pattern/],
    ['an unknown backend', ['verify', 'x.json', '--backend', 'x'], /backend: got "x"/],
    [
      'a schema into no folder',
      ['schema', '--out', 'a/b.json'],
      /b\.json: cannot be written, its folder does not exist/,
    ],
  ] as const)('%s', async (_, args, message) => {
    const ended = await spiketrace(args);
    expectRefusal(ended, message);
    expect(readdirSync(ended.folder)).toEqual([]);
  });
});
