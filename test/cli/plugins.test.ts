import { appendFileSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { preset } from '../../src/index.ts';
import { emptyFolder, jsonLines, root, set, spiketrace, streaming, succeed } from './cli.ts';

const source = readFileSync(join(root, 'examples/plugins/rule.ts'), 'utf8');
const ofSign = [...streaming, ...set({ rule: { name: 'sign-e-prop' } })];
const train = (folder: string, ...args: string[]) =>
  succeed(['train', ...ofSign, '--no-figures', '--json', ...args], folder);

/** An empty folder with plug-ins in it. */
function folderWith(files: Readonly<Record<string, string>> = { 'mine.ts': source }): string {
  const folder = emptyFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

describe('a plug-in that the command line names', () => {
  let folder = '';
  beforeAll(async () => {
    folder = folderWith();
    await train(folder, '--plugin', 'mine.ts', '--seeds', '2', '--threads', '2', '--out', 'two');
  });

  it('is in the lists and in the schema', async () => {
    const { stdout } = await succeed(['list', 'rules', '--plugin', 'mine.ts', '--json'], folder);
    const row = jsonLines<{ name: string; about: string }>(stdout).find(({ name }) => name === 'sign-e-prop');
    expect(row?.about).toBe('eligibility trace times the sign of the error (own)');
    const schema = await succeed(['schema', '--plugin', 'mine.ts', '--json'], folder);
    expect(schema.stdout).toContain('"sign-e-prop"');
  });

  it('trains in threads to the same bits as in one', async () => {
    await train(folder, '--plugin', 'mine.ts', '--seeds', '2', '--threads', '1', '--out', 'one');
    for (const seed of [1, 2]) {
      const weights = (out: string) =>
        readFileSync(join(folder, out, 'sign-e-prop', `seed-${seed}`, 'weights/rec.npy'));
      expect(weights('one').equals(weights('two'))).toBe(true);
    }
  });

  it('may bring a chip and an optimiser, which a run folder keeps too', async () => {
    const chip = `import { profiles } from 'spiketrace/hardware';
import { z } from 'zod';
const half = {
  kind: 'half', source: 'own', params: z.strictObject({ kind: z.literal('half') }),
  derive: () => ({ kind: 'half', kernel: null, linear: false, slots: [],
    step(g: Float64Array, _: unknown, rate: number) { for (let s = 0; s < g.length; s++) g[s] *= rate / 2; } }),
};
export default { optimizers: [half], chips: [{ ...profiles[7], id: 'own-chip', inputs: { ...profiles[7].inputs, value: 1 } }] };`;
    const own = folderWith({ 'chip.ts': chip, 'bad.ts': chip.replace("id: 'own-chip'", "id: 'A b', compartments: 0") });
    const few = set({ 'training.total': 160 });
    const trained = (kind: string, rate: number, out: string) =>
      succeed(
        [
          'train',
          ...streaming,
          ...few,
          ...set({ optimizer: { kind, rates: { in: rate, rec: rate, out: rate } } }),
          '--backend',
          'reference',
          '--no-figures',
          '--plugin',
          'chip.ts',
          '--out',
          out,
        ],
        own,
      );
    await trained('half', 0.2, 'half');
    await trained('sgd', 0.1, 'sgd');
    const weights = (out: string) => readFileSync(join(own, out, 'weights/rec.npy'));
    expect(weights('half').equals(weights('sgd'))).toBe(true);
    const { stdout } = await succeed(['deploy', 'half', '--chip', 'own-chip'], own);
    expect(stdout).toMatch(/own-chip +does not fit .*sizes: 3 inputs, 1 offered; fits if inputs >= 3/);
    const bad = await spiketrace(['list', 'chips', '--plugin', 'bad.ts'], own);
    expect(bad.stderr).toMatch(/bad\.ts: chips\.0\.id: got "A b"[\s\S]*bad\.ts: chips\.0\.compartments: got 0/);
  });

  it('need not be named again: the run has a copy and its hash', async () => {
    await succeed(
      ['train', ...ofSign, '--no-figures', '--until', '160', '--plugin', 'mine.ts', '--out', 'half'],
      folder,
    );
    const moved = emptyFolder();
    for (const command of [
      ['resume', 'half', '--no-figures'],
      ['eval', 'half'],
      ['plot', 'half'],
      ['deploy', 'half', '--chip', 'spinnaker2'],
      ['diagnose', 'half', '--no-figures'],
    ]) {
      await succeed([...command.slice(0, 1), join(folder, command[1]), ...command.slice(2)], moved);
    }
    const whole = readFileSync(join(folder, 'two/sign-e-prop/seed-1/weights/rec.npy'));
    expect(readFileSync(join(folder, 'half/weights/rec.npy')).equals(whole)).toBe(true);
  });

  it('is refused where the copy has changed, with a way out', async () => {
    await train(folder, '--plugin', 'mine.ts', '--out', 'changed');
    const copy = join('changed', 'plugins', 'mine.ts');
    appendFileSync(join(folder, copy), '\n// another one\n');
    const refused = await spiketrace(['eval', 'changed'], folder);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(
      /is not the plug-in that the run was made with \(SHA-256 [0-9a-f]{64}\): .*--plugin/,
    );
    await succeed(['eval', 'changed', '--plugin', copy], folder);
    await succeed(['eval', 'changed', '--plugin', 'mine.ts'], folder);
  });

  it('is told from another one of the same name in the run beside', async () => {
    const other = folderWith({ 'mine.ts': `${source}\n// another one\n` });
    await train(other, '--plugin', 'mine.ts', '--out', join(folder, 'mixed/b'));
    await train(folder, '--plugin', 'mine.ts', '--out', 'mixed/a');
    const { code, stderr } = await spiketrace(['eval', 'mixed'], folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /mixed\/b\/plugins\/mine\.ts: is another plug-in than .*mixed\/a\/.*: take these runs one at a time/,
    );
  });
});

describe('check', () => {
  it('says that a part is the same in two threads, and names one that is not', async () => {
    const told = source
      .replace(/^/, "import { threadId } from 'node:worker_threads';\n")
      .replace('Math.sign(', '(1 + threadId) * Math.sign(');
    const folder = folderWith({ 'mine.ts': source, 'told.ts': told });
    const rowOf = (text: string) =>
      jsonLines<{ entry: string; check: string }>(text).find(
        ({ entry, check }) => entry === 'rules sign-e-prop' && check === 'same bits in two threads',
      );
    const { stdout } = await succeed(['check', 'mine.ts', '--json'], folder);
    expect(rowOf(stdout)).toMatchObject({ outcome: 'holds' });
    const fails = await spiketrace(['check', 'told.ts', '--json'], folder);
    expect(fails.code).toBe(1);
    expect(rowOf(fails.stdout)).toMatchObject({
      outcome: 'fails',
      detail: expect.stringMatching(/in another thread \S+ differs/),
    });
  });
});

describe('nothing is run that was not named', () => {
  const marking = `import { writeFileSync } from 'node:fs';\nwriteFileSync('ran', '');\n${source}`;

  it('by an experiment that lists a plug-in', async () => {
    const folder = folderWith({ 'mine.ts': marking });
    const experiment = { ...preset('four-six-back'), rule: { name: 'sign-e-prop' }, plugins: ['mine.ts'] };
    writeFileSync(join(folder, 'e.json'), JSON.stringify(experiment));
    const { code, stderr } = await spiketrace(['show', 'e.json'], folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /plugins\.0: got "mine\.ts", expected a file that the command line names .*--plugin mine\.ts/,
    );
    expect(existsSync(join(folder, 'ran'))).toBe(false);
    await succeed(['show', 'e.json', '--plugin', 'mine.ts'], folder);
    expect(existsSync(join(folder, 'ran'))).toBe(true);
  });

  it('by a run folder whose list of hashes does not know it, or leads elsewhere', async () => {
    const folder = folderWith();
    await train(folder, '--plugin', 'mine.ts', '--out', 'run');
    copyFileSync(join(folder, 'mine.ts'), join(folder, 'other.ts'));
    for (const list of ['[{"file":"../../other.ts","sha256":"00"}]', '[{"file":"mine.ts"}]', '{}', 'no JSON']) {
      writeFileSync(join(folder, 'run/plugins.json'), list);
      const { code, stderr } = await spiketrace(['eval', 'run'], folder);
      expect(code).toBe(2);
      expect(stderr).toMatch(/plugins\.json: is no list of plug-ins/);
    }
  });
});

describe('a file that is no plug-in is refused by name', () => {
  const rule = (text: string) => `import { z } from 'zod';\nexport default { rules: [${text}] };`;
  it.concurrent.each([
    ['no file', '', /none\.ts: does not exist/],
    ['a slip of syntax', 'export default {', /mine\.ts: cannot be loaded as a plug-in: ParseError: .*mine\.ts:1:\d+/],
    ['an error of its own', 'throw new Error("no weights")', /mine\.ts: cannot be loaded as a plug-in: no weights/],
    [
      'a package that is not there',
      "import 'left-pad';",
      /cannot be loaded as a plug-in: Cannot find module 'left-pad'/,
    ],
    ['a file beside it', "import { a } from './a.ts';", /mine\.ts: imports "\.\/a\.ts": a plug-in is one file/],
    ['no export', 'const a = 1;', /mine\.ts: default export: got \{\}, expected an object of lists: neurons, /],
    ['an unknown list', 'export default { laws: [] }', /default export: got "laws", expected an object of lists/],
    ['no list', 'export default { rules: {} }', /mine\.ts: rules: got \{\}, expected a list/],
    ['no name', rule('{}'), /rules\.0\.name: got undefined, expected a name/],
    ['no source', rule("{ name: 'a' }"), /rules\.0\.source: got undefined, expected a paper/],
    ['no parts', rule("{ name: 'a', source: 'own' }"), /rules\.0\.parts: got undefined, expected a function/],
    [
      'parameters of another name',
      rule("{ name: 'a', source: 'own', parts: () => null, params: z.strictObject({ name: z.literal('b') }) }"),
      /rules\.0\.params: .*z\.strictObject\(\{ name: z\.literal\("a"\), \.\.\. \}\)/,
    ],
    [
      'a name that is taken',
      rule("{ name: 'rflo', source: 'own', parts: () => null, params: z.strictObject({ name: z.literal('rflo') }) }"),
      /rules\.0\.name: got "rflo", expected a name that is not taken/,
    ],
  ] as const)('%s', async (_, text, message) => {
    const folder = folderWith(text === '' ? {} : { 'mine.ts': text });
    const file = text === '' ? 'none.ts' : 'mine.ts';
    const { code, stdout, stderr } = await spiketrace(['list', 'rules', '--plugin', file], folder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('new', () => {
  it.each([
    ['rule', 'my-rule', 'four-six-back', { rule: { name: 'my-rule' } }],
    ['neuron', 'my-neuron', 'four-six-back-rates', { 'network.neuron': { kind: 'my-neuron' } }],
    ['task', 'my-task', 'four-six-back', { task: { kind: 'my-task' } }],
  ] as const)('writes a %s that passes every check and trains', async (kind, name, preset, settings) => {
    const folder = emptyFolder();
    const { stdout } = await succeed(['new', kind, name], folder);
    expect(stdout).toMatch(
      new RegExp(`^${name}\\.ts\\n\\n    spiketrace check ${name}\\.ts\\n    spiketrace train ${preset} `),
    );
    const checked = await succeed(['check', `${name}.ts`, '--json'], folder);
    const rows = jsonLines<{ entry: string; outcome: string }>(checked.stdout);
    expect(rows.some(({ entry }) => entry === `${kind}s ${name}`)).toBe(true);
    expect(rows.filter(({ outcome }) => outcome === 'fails')).toEqual([]);
    const few = set({ 'training.total': 800, 'training.chunkSteps': 50, 'evaluation.total': 400 });
    await succeed(['train', preset, '--plugin', `${name}.ts`, ...set(settings), ...few, '--no-figures'], folder);
    const again = await spiketrace(['new', kind, name], folder);
    expect(again.stderr).toMatch(/NAME: got .*expected a name whose file is not there yet/);
  });

  it('writes a chip that can be asked', async () => {
    const folder = emptyFolder();
    await succeed(['new', 'chip', 'my-chip'], folder);
    const { stdout } = await succeed(['deploy', 'four-six-back', '--chip', 'my-chip.json'], folder);
    expect(stdout).toContain('my-chip');
  });

  it('refuses what it does not know', async () => {
    for (const [args, message] of [
      [['law', 'a'], /KIND: got "law", expected one of rule, neuron, task, chip/],
      [['rule', 'My Rule'], /NAME: got "My Rule", expected small letters/],
      [['rule', '../a'], /NAME: got /],
    ] as const) {
      const { code, stderr } = await spiketrace(['new', ...args]);
      expect(code).toBe(2);
      expect(stderr).toMatch(message);
    }
  });
});

describe('check', () => {
  it('ends with 1 where something does not hold, and names it', async () => {
    const folder = folderWith({ 'mine.ts': source.replace('Math.sign(error', 'Math.random() * (error') });
    const { code, stdout } = await spiketrace(['check', 'mine.ts'], folder);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^signals sign-broadcast +is repeatable +FAILS +the same training once more: /m);
    expect(stdout).toMatch(/\d+ hold, \d+ fail, \d+ say nothing here\n$/);
  });

  it('takes parameters that have no default', async () => {
    const needs = source.replace("z.literal('sign-e-prop')", "z.literal('sign-e-prop'), gain: z.number()");
    const folder = folderWith({ 'mine.ts': needs });
    expect((await spiketrace(['check', 'mine.ts'], folder)).code).toBe(1);
    await succeed(['check', 'mine.ts', '--with', '{"name":"sign-e-prop","gain":2}'], folder);
    const odd = await spiketrace(['check', 'mine.ts', '--with', '{}'], folder);
    expect(odd.stderr).toMatch(/--with: got "\{\}", expected an object with the kind or name/);
  });
});
