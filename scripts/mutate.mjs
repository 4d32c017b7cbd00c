// Breaks one equation at a time and looks whether the tests notice.
//
//     node scripts/mutate.mjs [--only text] [--list] [--workers n]
//
// Every mutant is a place of a source file, unique in it, and what to write there instead. It is tried on a copy of the
// project in the system's temporary folder. Prints a table; exits with 1 if any mutant survived, with 2 if the tests fail
// without a mutant, or if a mutant's place is gone from the sources.

import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { mutants, suitesOf } from './mutants.mjs';

const root = join(import.meta.dirname, '..');
const left = new Set(['node_modules', '.git', 'dist', 'runs', 'docs']);

const option = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? null : (process.argv[at + 1] ?? '');
};

main().then((code) => {
  process.exitCode = code;
});

async function main() {
  const only = option('only') ?? '';
  const chosen = mutants.filter(({ file, from, to }) => `${file} ${from} ${to}`.includes(only));
  const lost = chosen.filter(({ file, from }) => readFileSync(join(root, file), 'utf8').split(from).length !== 2);
  for (const { file, from } of lost) console.error(`not found exactly once in ${file}: ${from}`);
  if (lost.length > 0) return 2;
  if (process.argv.includes('--list')) {
    for (const mutant of chosen) console.log(describe(mutant));
    console.log(`${chosen.length} mutants`);
    return 0;
  }
  const queue = chosen.map((mutant, index) => ({ mutant, index }));
  const results = new Array(chosen.length);
  const workers = Number(option('workers') ?? 2);
  const codes = await Promise.all(Array.from({ length: Math.min(workers, queue.length) }, () => work(queue, results)));
  if (codes.some((code) => code !== 0)) return 2;
  const survived = results.filter(({ outcome }) => outcome !== 'killed');
  console.log(`\n${results.length} mutants, ${results.length - survived.length} killed, ${survived.length} not`);
  for (const { mutant, outcome } of survived) console.log(`${outcome}: ${describe(mutant)}`);
  return survived.length === 0 ? 0 : 1;
}

/** Takes mutants from the queue until it is empty, on a copy of its own. */
async function work(queue, results) {
  const copy = mkdtempSync(join(tmpdir(), 'spiketrace-mutants-'));
  try {
    cpSync(root, copy, { recursive: true, filter: (path) => !left.has(path.slice(root.length + 1).split(sep)[0]) });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    const clean = await test(copy, [...new Set(mutants.flatMap(({ file }) => suitesOf(file).flat()))]);
    if (clean.outcome !== 'survived') {
      console.error(`the tests fail without a mutant:\n${clean.output.slice(-3000)}`);
      return 2;
    }
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { mutant, index } = next;
      const started = Date.now();
      const outcome = await tryMutant(copy, mutant);
      results[index] = { mutant, outcome };
      console.log(
        `${outcome.padEnd(9)} ${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s  ${describe(mutant)}`,
      );
    }
    return 0;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function tryMutant(copy, { file, from, to }) {
  const path = join(copy, file);
  const original = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    original.replace(from, () => to),
  );
  try {
    for (const suites of suitesOf(file)) {
      const { outcome } = await test(copy, suites);
      if (outcome !== 'survived') return outcome;
    }
    return 'survived';
  } finally {
    writeFileSync(path, original);
  }
}

/** `killed`: a test failed. `broken`: the sources do not run at all, so the mutant says nothing about the tests. */
function test(copy, suites) {
  const flags = ['run', '--bail', '1', '--pool', 'threads', '--maxWorkers', '1', '--no-isolate', '--reporter', 'dot'];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', ...flags, ...suites], {
      cwd: copy,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
      timeout: 240_000,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
    child.on('close', (code) => {
      if (code === 0) resolve({ outcome: 'survived', output });
      else resolve({ outcome: code === null || /Tests\s.*\d+ failed/.test(output) ? 'killed' : 'broken', output });
    });
  });
}

function describe({ file, from, to }) {
  const line = (text) => text.replace(/\s+/g, ' ');
  return `${file}: ${line(from)}  ->  ${line(to)}`;
}
