// Formats that are JSON beside experiments: studies, chips, golden files.
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { demandOf, deploy, profileSchema, profiles } from '../../../dist/hardware/index.js';
import { verifyFile } from '../../../dist/src/cli/verify/index.js';
import { parseWhole } from '../../../dist/src/config/parse.js';
import { planStudy } from '../../../dist/src/study/plan.js';
import { parseStudy, studyJsonSchema } from '../../../dist/src/study/schema.js';
import { mutantOf, wordsOf } from './experiments.mjs';
import { outcomeOf } from './verdict.mjs';

const root = join(import.meta.dirname, '../../..');
const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));

const studies = [
  read('examples/study.json'),
  { base: 'four-six-back', factors: { 'rule.name': ['e-prop-1', 'sg-r-d'] }, seeds: [1, 2, 3] },
  {
    base: 'four-six-back',
    factors: { 'network.neurons': { range: [10, 40, 10] }, 'optimizer.rates.in': { log: [0.01, 1, 4] } },
    only: [{ 'network.neurons': { min: 20 } }],
    resources: { memoryMb: 100, threads: 1, sbatch: ['--time=5'] },
  },
  {
    base: 'four-six-back',
    factors: { speed: { uniform: [0.1, 1], paths: ['optimizer.rates.in', 'optimizer.rates.rec'] } },
    draws: { kind: 'random', n: 5, seed: 3 },
    stop: [{ after: 0.5, measure: 'rateHz', worseThan: 100 }],
  },
];

/** A study is refused by a path, or its plan has cells with names that are folders, each once. */
export function study() {
  const words = wordsOf(studyJsonSchema(), studies);
  return (seed) => {
    const input = mutantOf(seed, studies, words);
    return outcomeOf(() => {
      const { cells, runs } = planStudy(parseStudy(input));
      if (new Set(runs.map(({ name }) => name)).size !== runs.length) throw new Error('two runs of one name');
      const odd = cells.find(({ name }) => name === '' || /^\.+$|[/\\\0]/.test(name) || Buffer.byteLength(name) > 255);
      if (odd) throw new Error(`a cell with the name ${JSON.stringify(odd.name)}`);
    }, /^(study|base|set|factors|draws|seeds|only|exclude|stop|measures|resources)\b.*: got /s);
  };
}

/** A chip is refused by a path, or a network can be laid on it. */
export function chip({ api, models, tasks }) {
  const schema = api.experimentJsonSchema({ ...models, tasks });
  const bases = JSON.parse(JSON.stringify(profiles));
  const words = wordsOf(schema, bases);
  const { run } = api.createExperiment(api.preset('four-six-back'), { ...models, tasks });
  const demand = demandOf(run.network.spec);
  return (seed) => {
    const input = mutantOf(seed, bases, words);
    return outcomeOf(() => deploy(demand, parseWhole(profileSchema, input, 'chip.json')), /^chip\.json\b.*: got /s);
  };
}

/** A golden file is refused by its name, or compared; small ones, so that a mutant takes milliseconds. */
export function golden() {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-golden-'));
  const names = readdirSync(join(root, 'test/golden')).filter((name) => name.endsWith('.json'));
  const texts = names.map((name) => readFileSync(join(root, 'test/golden', name), 'utf8'));
  const bases = texts.filter((text) => text.length < 20_000).map((text) => JSON.parse(text));
  const words = wordsOf({}, bases);
  const path = join(folder, 'mutant.json');
  return (seed) => {
    writeFileSync(path, textOf(mutantOf(seed, bases, words)));
    return outcomeOf(() => verifyFile(path), basename(path));
  };
}

/** What a file can hold of a value; one that no JSON can hold is a file of another kind. */
function textOf(value) {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return String(Object.keys(value));
  }
}
