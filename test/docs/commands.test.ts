import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { emptyFolder, root } from '../cli/cli.ts';
import { installed, packed, ran, tsc } from '../cli/installed.ts';
import { type Block, blocks, commandsOf, pages } from './blocks.ts';

/** What a block is: commands, a program, a file that commands below read, or what nobody can run, with the reason. Found by how its text begins. */
type Kind = 'commands' | 'program' | { readonly savedAs: string } | { readonly notRun: string };

const formula = { notRun: 'formulas' };
const kinds: readonly (readonly [page: string, begins: string, kind: Kind])[] = [
  ['README.md', 'npm ci && npm start', 'commands'],
  ['README.md', 'npm install ./spiketrace', 'commands'],
  ['README.md', 'import { createExperiment', 'program'],
  ['README.md', 'npx spiketrace train four-six-back --seeds 5', 'commands'],
  ['README.md', 'npx spiketrace study', 'commands'],
  ['README.md', 'npx spiketrace show', 'commands'],
  ['README.md', 'npx spiketrace train four-six-back --set', 'commands'],
  ['README.md', 'npx spiketrace train four-six-back-8bit', 'commands'],
  ['README.md', 'npx spiketrace train store-recall', 'commands'],
  ['README.md', 'npx spiketrace train cart-pole', 'commands'],
  ['README.md', 'npx spiketrace train one-shot-patterns', 'commands'],
  ['README.md', 'npx spiketrace train subtasks', 'commands'],
  ['CONTRIBUTING.md', 'npm ci', 'commands'],
  [
    'CONTRIBUTING.md',
    "import { z } from 'zod'",
    { notRun: 'carried out, with all that is said of it, in rule.test.ts' },
  ],
  ['CONTRIBUTING.md', 'npm run build\nnpx spiketrace train', { notRun: 'carried out in rule.test.ts' }],
  ['docs/architecture.md', 'dW_ij', formula],
  ['docs/architecture.md', 'task ──►', { notRun: 'a drawing' }],
  ['docs/architecture.md', 'a_j(t)', formula],
  ['docs/data.md', 'npx spiketrace train examples/recording.json', 'commands'],
  ['docs/data.md', 'npm install h5wasm', { notRun: 'it installs what the tests have' }],
  [
    'docs/data.md',
    'npx spiketrace train examples/shd.json',
    { notRun: 'users bring SHD; train.test.ts has a stand-in' },
  ],
  ['docs/data.md', 'pip download', { notRun: 'it downloads; docs/results/vowels.md has what came out' }],
  ['docs/data.md', 'import numpy', { notRun: 'Python' }],
  ['docs/data.md', "save('spikes.mat'", { notRun: 'MATLAB' }],
  ['docs/data.md', '{ "kind": "recording", "file": "spikes.dat"', { notRun: 'a part of an experiment file' }],
  ['docs/data.md', '{ "kind": "recording", "file": "reach.npz"', { notRun: 'a part of an experiment file' }],
  ['docs/data.md', "import { openRecording } from 'spiketrace'", 'program'],
  ['docs/data.md', 'npx spiketrace export', 'commands'],
  ['docs/data.md', 'import pandas', { notRun: 'Python' }],
  ['docs/data.md', 'spikes = readtable', { notRun: 'MATLAB' }],
  ['docs/hardware.md', 'npx spiketrace', 'commands'],
  ['docs/interop.md', 'npm install h5wasm', 'commands'],
  ['docs/interop.md', 'npx spiketrace', 'commands'],
  ['docs/interop.md', 'node scripts/nir-out.mjs', 'commands'],
  ['docs/performance.md', 'F_k(t)', formula],
  ['docs/studies.md', 'npx spiketrace study', 'commands'],
  ['docs/studies.md', '{\n  "base"', { notRun: 'a study file; plan.test.ts plans it' }],
  ['docs/playground.md', 'npm run web', 'commands'],
  ['docs/dashboard.md', 'npx spiketrace train', 'commands'],
  ['docs/dashboard.md', 'npx spiketrace plot', 'commands'],
  ['docs/tutorial-own-rule.md', 'npm install', 'commands'],
  ['docs/tutorial-own-rule.md', 'sed -i', 'commands'],
  ['docs/tutorial-own-rule.md', 'npx spiketrace check', 'commands'],
  ['docs/tutorial-own-rule.md', 'npx spiketrace train', 'commands'],
  ['docs/tutorial-own-rule.md', 'npx spiketrace audit', 'commands'],
  ['docs/tutorial-own-rule.md', 'npx spiketrace deploy', 'commands'],
  ['docs/tutorial-first-run.md', 'npm install', 'commands'],
  ['docs/tutorial-first-run.md', 'npx spiketrace train pattern-generation --out', 'commands'],
  ['docs/tutorial-first-run.md', 'npx spiketrace diagnose', 'commands'],
  ['docs/tutorial-first-run.md', 'npx spiketrace train pattern-generation --until', 'commands'],
  ['docs/tutorial-first-run.md', 'npx spiketrace compare', 'commands'],
  ['docs/tutorial-first-run.md', 'npx spiketrace train pattern-generation --set', 'commands'],
  ['docs/tutorial-rule.md', 'dE/dw_ij', formula],
  ['docs/tutorial-rule.md', 'eps_i(t)', formula],
  ['docs/tutorial-rule.md', 'psi_j(t)', formula],
  ['docs/tutorial-rule.md', 'e_ij(t)', formula],
  ['docs/tutorial-rule.md', 'L_j(t)', formula],
  ['docs/tutorial-rule.md', 'w_ij', formula],
  ['docs/tutorial-rule.md', 'npx spiketrace audit', 'commands'],
  ['docs/tutorial-rule.md', 'npx spiketrace train pattern-generation --set rule.readoutFilter', 'commands'],
  ['docs/tutorial-rule.md', 'npx spiketrace train pattern-generation --set rule.feedback', 'commands'],
  ['docs/tutorial-own-data.md', 'import { writeFileSync }', { savedAs: 'make-spikes.mjs' }],
  ['docs/tutorial-own-data.md', '{', { savedAs: 'own-data.json' }],
  ['docs/tutorial-own-data.md', 'node make-spikes', 'commands'],
  ['docs/tutorial-own-data.md', 'npx spiketrace train', 'commands'],
  ['docs/tutorial-own-data.md', 'npx spiketrace compare', 'commands'],
  ['docs/tutorial-own-data.md', 'npx spiketrace diagnose', 'commands'],
  ['docs/tutorial-chip.md', 'npx spiketrace deploy four-six-back --chip', 'commands'],
  [
    'docs/tutorial-chip.md',
    'npx spiketrace deploy four-six-back --set network.neuron.membrane.decay=0.9 --chip',
    'commands',
  ],
  ['docs/tutorial-chip.md', 'npx spiketrace deploy four-six-back --set rule', 'commands'],
  [
    'docs/tutorial-chip.md',
    'npx spiketrace deploy four-six-back --set network.neuron.membrane.decay=0.9 --set',
    'commands',
  ],
  ['docs/tutorial-chip.md', 'npx spiketrace train', 'commands'],
  ['docs/tutorial-chip.md', 'npx spiketrace new chip', 'commands'],
  ['docs/troubleshooting.md', 'npx spiketrace train', 'commands'],
  ['docs/troubleshooting.md', 'gain =', formula],
];

/** Commands that are not run, by how they begin, with the reason. */
const notRun: readonly (readonly [begins: string, reason: string])[] = [
  ['npx spiketrace watch', 'it goes on until it is stopped; test/cli/live.test.ts opens what it serves'],
  ['npm ci', 'a clean install is the first step of .ci/run'],
  ['npm test', 'this suite is a part of it'],
  ['npm run lint', '.ci/run runs it'],
  ['npm run check', '.ci/run runs it'],
  ['npm run site', '.ci/run builds it, and test/web/docs.test.ts opens it'],
  ['npm run web', 'test/web/page.test.ts builds the site, and opens it'],
  ['npm install h5wasm', 'an optional package, which is there for the tests'],
];

/** Commands that need a clone; all others are run where the package is installed, which can lack what a clone has. */
const ofAClone = /^(npm (ci|test|run|start)|node scripts)/;

/**
 * How a command is shortened: settings at its end, or one text for another. The command still starts as it stands in the page,
 * trains, and has to end with 0.
 */
const few = '--set training.total=1600 --set evaluation.total=1600';
const shorter: readonly (readonly [RegExp, (command: string) => string])[] = [
  [/^npx spiketrace train .*--until 250/, (c) => `${c.replace('250', '2')} --set training.total=4 --no-figures`],
  [/^npx spiketrace train own-data/, (c) => `${c} --set training.total=32 --no-figures`],
  [/^npx spiketrace compare own-data/, (c) => `${c.replace('--seeds 3', '--seeds 1')} --set training.total=32`],
  [
    /^npx spiketrace compare pattern/,
    (c) => `${c.replace('--seeds 2', '--seeds 1')} --set training.total=4 --set task.steps=100`,
  ],
  [/^npx spiketrace train .*--until 320000/, (c) => `${c.replace('320000', '8000')} --set training.total=16000`],
  [/^npx spiketrace train \S*recording\.json/, (c) => `${c} --set training.total=32 --no-figures`],
  [/^npx spiketrace train store-recall/, (c) => `${c} --set training.total=128 --set evaluation.total=64 --no-figures`],
  [/^npx spiketrace train one-shot/, (c) => `${c} --set training.total=48 --set evaluation.total=24 --no-figures`],
  [/^npx spiketrace train cart-pole/, (c) => `${c} --set training.total=32 --no-figures`],
  [/^npx spiketrace train (subtasks|contrastive)/, (c) => `${c} --set training.total=80 --no-figures`],
  [/^npx spiketrace compare cue-reward/, (c) => `${c.replace('=9600', '=64')} --set evaluation.total=64`],
  [/^npx spiketrace train \S*ei-network/, (c) => `${c} --set training.total=2 --no-figures`],
  [/^npx spiketrace train pattern-generation/, (c) => `${c} --set training.total=4 --no-figures`],
  [/^npx spiketrace study (plan|run|slurm) /, (c) => `${c} ${few} --set training.chunkSteps=50`],
  [/^npx spiketrace study commands /, (c) => c.replace(' |', ` ${few} --set training.chunkSteps=50 |`)],
  [/^npx spiketrace compare /, (c) => `${c} ${few} --set training.chunkSteps=50`],
  [/^npx spiketrace train /, (c) => `${c} ${few} --set training.chunkSteps=50 --no-figures`],
  [/^npx spiketrace audit /, (c) => `${c} ${few} --windows 2 --set training.chunkSteps=50`],
  [/^npx spiketrace deploy .*--accuracy/, (c) => `${c} ${few}`],
  [/^npx spiketrace widths /, (c) => `${c.replace(/--margin \S+/, '--margin 100%')} ${few} --set network.neurons=10`],
  [/^npx spiketrace tune /, (c) => `${c} ${few} --budget 5 --set training.chunkSteps=50`],
  [/^npx spiketrace eval /, (c) => c.replace('80000', '1600')],
  [/^node scripts\/mutate\.mjs/, (c) => `${c} --list`],
];

function shortened(command: string): string {
  const fewer = command.replace('--seeds 5', '--seeds 2');
  return shorter.find(([pattern]) => pattern.test(command))?.[1](fewer) ?? command;
}

function kindOf({ page, text }: Block): Kind | undefined {
  return kinds.find(([where, begins]) => where === page && text.startsWith(begins))?.[2];
}

const isOfCommands = (block: Block) => kindOf(block) === 'commands';

/** Commands of a page one after the other, `a && b` as two. */
function runnable(page: string, belongs: (command: string) => boolean): string[] {
  const commands = blocks.filter((block) => block.page === page && isOfCommands(block)).flatMap(commandsOf);
  return commands
    .flatMap((command) => command.split(' && '))
    .filter((command) => !notRun.some(([begins]) => command.startsWith(begins)) && belongs(command));
}

describe('every block of the pages', () => {
  it('is known: as commands, as a program, or with a reason why it is not run', () => {
    const unknown = blocks.filter((block) => kindOf(block) === undefined);
    expect(unknown.map(({ page, line, text }) => `${page}:${line} ${text.slice(0, 60)}`)).toEqual([]);
  });

  it('that is listed here is there', () => {
    const lost = kinds.filter(
      ([page, begins]) => !blocks.some((block) => block.page === page && block.text.startsWith(begins)),
    );
    expect(lost).toEqual([]);
  });

  it('has scripts in its text that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    for (const page of pages) {
      const text = readFileSync(join(root, page), 'utf8');
      for (const [, name] of text.matchAll(/npm run (\w+)/g)) expect(Object.keys(scripts)).toContain(name);
      for (const [, path] of text.matchAll(/node (scripts\/\w[\w.-]+)/g))
        expect(existsSync(join(root, path))).toBe(true);
    }
  });
});

/** Files that a page says to save, in a folder where its commands will be run. */
function saveFilesOf(page: string, folder: string): void {
  for (const block of blocks.filter((one) => one.page === page)) {
    const kind = kindOf(block);
    if (typeof kind === 'object' && 'savedAs' in kind) writeFileSync(join(folder, kind.savedAs), `${block.text}\n`);
  }
}

/** A copy of the clone, with what was built. */
function clone(): string {
  const folder = join(emptyFolder(), 'clone');
  const left = new Set(['node_modules', '.git', 'runs', `docs${sep}site`]);
  cpSync(root, folder, {
    recursive: true,
    filter: (path) => !left.has(path.slice(root.length)),
  });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

describe('in a clone', () => {
  const ours = (command: string) => ofAClone.test(command);
  describe.each(pages.filter((page) => runnable(page, ours).length > 0))('%s', (page) => {
    const commands = runnable(page, ours);
    let folder = '';
    beforeAll(() => {
      folder = clone();
    });

    it.each(commands)('%s', async (command) => {
      await ran('bash', ['-c', inAClone(command)], folder);
    });
  });

  it('the files that commands name are there', () => {
    const named = pages
      .flatMap((page) => runnable(page, () => true))
      .flatMap((command) => command.match(/(?<= )(node_modules\/spiketrace\/)?(examples|test)\/[\w./*-]+/g) ?? [])
      .map((path) => path.replace('node_modules/spiketrace/', ''));
    expect(named).not.toEqual([]);
    // Of a pattern only its folder is looked for.
    expect(named.filter((path) => !existsSync(join(root, path.replace(/[^/]*\*.*$/, ''))))).toEqual([]);
  });

  /** `npm start` is what it stands for, its training shortened. */
  function inAClone(command: string): string {
    if (command !== 'npm start') return shortened(command);
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const [, ...steps] = String(scripts.start).split(' && ');
    return steps.map((step) => shortened(step.replace('node dist/src/cli/main.js', 'npx spiketrace'))).join(' && ');
  }
});

describe('where the package is installed', () => {
  let tarball = '';
  let prepared = '';
  beforeAll(async () => {
    tarball = await packed();
    prepared = await installed(tarball);
  }, 120_000);

  const theirs = (command: string) => !ofAClone.test(command);
  describe.each(pages.filter((page) => runnable(page, theirs).length > 0))('%s', (page) => {
    const commands = runnable(page, theirs).map(ofTheUser);
    let folder = '';
    beforeAll(() => {
      folder = join(emptyFolder(), 'user');
      cpSync(prepared, folder, { recursive: true, verbatimSymlinks: true });
      copyFileSync(tarball, join(folder, 'spiketrace-0.1.0.tgz'));
      saveFilesOf(page, folder);
    });

    it.each(commands)('%s', async (command) => {
      linkPeer(folder);
      await ran('bash', ['-c', shortened(command)], folder);
    });
  });

  /** The optional peer that some commands ask for; an installation removes what it has not installed itself. */
  function linkPeer(folder: string): void {
    const link = join(folder, 'node_modules/h5wasm');
    if (!existsSync(link)) symlinkSync(join(root, 'node_modules/h5wasm'), link);
  }

  /** Examples and golden files lie in the package. */
  function ofTheUser(command: string): string {
    return command.replace(/ (examples|test)\//g, ' node_modules/spiketrace/$1/');
  }

  const programs = blocks.filter((block) => kindOf(block) === 'program');
  it.each(programs)('the program of $page, line $line, compiles and runs', async ({ text }) => {
    const folder = join(emptyFolder(), 'user');
    cpSync(prepared, folder, { recursive: true, verbatimSymlinks: true });
    for (const name of ['@types/node', 'undici-types']) {
      mkdirSync(join(folder, 'node_modules/@types'), { recursive: true });
      cpSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), { recursive: true });
    }
    writeFileSync(join(folder, 'program.ts'), text);
    const options = '--ignoreConfig --strict --target es2022 --module nodenext --lib es2022 --types node'.split(' ');
    await ran(process.execPath, [tsc, ...options, 'program.ts'], folder);
    expect(await ran(process.execPath, ['program.js'], folder)).not.toBe('');
  });
});
