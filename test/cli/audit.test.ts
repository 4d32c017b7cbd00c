import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emptyFolder, set, spiketrace, streaming, succeed, trials } from './cli.ts';

interface Report {
  readonly windows: number;
  readonly seed: number;
  readonly reset: string;
  readonly rules: readonly {
    readonly label: string;
    readonly role: string;
    readonly backend: string;
    readonly state: Readonly<Record<string, number>>;
    readonly past: number;
    readonly perSynapse: number;
    readonly microseconds: number | null;
  }[];
  readonly points: readonly {
    readonly amount: number;
    readonly alignments: readonly { readonly rec: { readonly cosine: number | null } }[];
  }[];
}

const labelsOf = ({ rules }: Report) => rules.map(({ label, role }) => [label, role]);
const references = [
  ['bptt (reference)', 'reference'],
  ['eligibility x total derivative', 'identity'],
];

describe('audit', () => {
  it('prints its tables and writes them, with figures', async () => {
    const { stdout, folder } = await succeed(['audit', ...streaming, '--windows', '5', '--chunks', '2']);
    const out = join(folder, 'runs/four-six-back-audit');
    expect(readdirSync(out).sort()).toEqual([
      'audit-cosine.png',
      'audit-norm.png',
      'audit-sign.png',
      'audit.csv',
      'audit.json',
    ]);
    for (const [, path] of stdout.matchAll(/^(?:figure|table): +(.+)$/gm)) {
      expect(existsSync(join(folder, path))).toBe(true);
    }
    expect(stdout).toMatch(
      /^four-six-back, trained by e-prop-1 for 3200 symbols to a loss of 0\.\d{4} per step; 5 audit/,
    );
    expect(stdout).toMatch(/\nrule +rec first +last 1\/4 +in first +last 1\/4 +out first +last 1\/4\n/);
    for (const label of ['e-prop-1', 'e-prop-1 W_out', 'sg-r-d', 'rflo']) {
      expect(stdout.match(new RegExp(`^${label}  .*\\d$`, 'gm'))).toHaveLength(3);
    }
    expect(stdout.match(/^eligibility x total derivative( +1\.000){4} +- +-$/gm)).toHaveLength(3);

    const report: Report = JSON.parse(readFileSync(join(out, 'audit.json'), 'utf8'));
    expect(labelsOf(report)).toEqual([
      ['e-prop-1', 'master'],
      ['e-prop-1 W_out', 'audited'],
      ['sg-r-d', 'audited'],
      ['rflo', 'audited'],
      ...references,
    ]);
    expect(report.points.map(({ amount }) => amount)).toEqual([0, 800, 1600, 2400, 3200]);
    for (const { label, backend, microseconds } of report.rules) {
      expect([label, backend]).toEqual([label, 'wasm']);
      expect(microseconds === null).toBe(label === references[1][0]);
    }
    // 20 neurons, a two-cell input with bias, two outputs: A of 6 x 20 delayed spikes, 2 labels and a constant, J, B.
    const [, symmetric, sg] = report.rules;
    expect(symmetric.state).toEqual({ pre: 23, post: 0, synapse: 0, pair: 0, global: 0 });
    expect(sg.state).toMatchObject({ pre: 23, synapse: 123 * 20, pair: 400 });
    const all = Object.values(sg.state).reduce((sum, n) => sum + n, 0);
    expect(sg.perSynapse).toBe(all / (20 * 23));

    const [head, ...lines] = readFileSync(join(out, 'audit.csv'), 'utf8').trimEnd().split('\n');
    expect(head).toBe('amount,rule,block,cosine,sign,norm');
    expect(lines).toHaveLength(5 * 6 * 3);
    const [amount, rule, block, cosine] = lines[0].split(',');
    expect([amount, rule, block, Number(cosine)]).toEqual([
      '0',
      'e-prop-1',
      'rec',
      report.points[0].alignments[0].rec.cosine,
    ]);
  });

  it('takes settings, seed, backend and rules; what is not defined stays empty', async () => {
    const flags = ['--seed', '3', '--backend', 'reference', '--windows', '2', '--chunks', '1', '--reset', 'attached'];
    const rules = ['--rules', 'readout-only,bptt:window=4:as=four steps'];
    const rule = set({ rule: { name: 'sg-r-d', delays: 2 }, 'training.total': 640 });
    const { stdout, folder } = await succeed([
      'audit',
      ...streaming,
      ...rule,
      ...flags,
      ...rules,
      '--out',
      'a',
      '--json',
    ]);
    const report: Report = JSON.parse(stdout);
    expect(report).toEqual(JSON.parse(readFileSync(join(folder, 'a/audit.json'), 'utf8')));
    expect(report).toMatchObject({ seed: 3, windows: 2, reset: 'attached' });
    expect(labelsOf(report)).toEqual([
      ['sg-r-d', 'master'],
      ['readout-only', 'audited'],
      ['four steps', 'audited'],
      ...references,
    ]);
    expect(new Set(report.rules.map(({ backend }) => backend))).toEqual(new Set(['reference']));
    expect(report.points[0].alignments[1].rec.cosine).toBeNull();
    expect(readFileSync(join(folder, 'a/audit.csv'), 'utf8')).toMatch(/^0,readout-only,rec,,,0$/m);
  });

  it('audits trials, whose chunks are the trials', async () => {
    const { stdout } = await succeed(['audit', ...trials, '--windows', '9', '--rules', 'rflo', '--json']);
    const { points }: Report = JSON.parse(stdout);
    expect(points.map(({ amount }) => amount)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });
});

const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['one point', ['--windows', '1'], /--windows <n>.*'1' is invalid.*whole number >= 2/],
  [
    'more points than chunks',
    ['--windows', '22'],
    /--windows: got 22, expected a whole number >= 2 and <= 21: the training has/,
  ],
  ['no chunks', ['--chunks', '0'], /--chunks <n>.*'0' is invalid.*whole number >= 1/],
  ['an unknown reset', ['--reset', 'half'], /--reset: got "half", expected one of "attached", "detached"/],
  ['an unknown rule', ['--rules', 'e-prop-9'], /--rules: rule\.name: got "e-prop-9", expected one of "sg-r-d"/],
  ['a rule without a name', ['--rules', 'rflo,'], /--rules: rule\.name: got ""/],
  ['an unknown setting of a rule', ['--rules', 'rflo:x=1'], /--rules: rule\.x: got 1, expected no key "x" here/],
  ['a setting of something else', ['--rules', 'rflo:optimizer.rates.rec=1'], /--rules: got "optimizer\.rates\.rec=1"/],
  ['a rule twice', ['--rules', 'rflo,rflo'], /--rules: got "rflo", expected each rule once/],
  [
    'a backend without kernels',
    ['--backend', 'wasm', '--rules', 'rtrl'],
    /backend "wasm" has no kernel for the rule "rtrl" as it is set/,
  ],
  ['a backend that has no BPTT', ['--backend', 'tfjs'], /--backend: got "tfjs", expected one of "auto"/],
  ['another one', ['--backend', 'fixed'], /--backend: got "fixed", expected one of "auto"/],
  ['an unknown preset setting', set({ 'training.totl': 1 }), /training\.totl: got 1, expected no key/],
  [
    'a reset that subtracts nothing',
    ['--reset', 'attached', ...set({ 'network.neuron.reset': 'zero' })],
    /reset "attached" needs neurons whose reset subtracts/,
  ],
];

describe('audit refuses in one line and writes nothing:', () => {
  it.concurrent.each(refused)('%s', async (_, args, message) => {
    const folder = emptyFolder();
    const { code, stdout, stderr } = await spiketrace(['audit', ...streaming, ...args], folder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
    expect(readdirSync(folder)).toEqual([]);
  });
});
