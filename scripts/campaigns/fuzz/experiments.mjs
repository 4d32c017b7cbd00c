// Mutated experiments: what `scripts/campaigns/fuzz.mjs` and its test try, and what they call a fault.

import { generator } from '../program.mjs';

const isNode = (value) => typeof value === 'object' && value !== null;

/** Places that are looked for: an experiment that holds itself twice has no end of them. */
const mostPlaces = 20_000;

/** Every place of an experiment: the object or list that holds it, and its key there. */
function places(node, found = [], depth = 0) {
  if (!isNode(node) || depth > 40 || found.length > mostPlaces) return found;
  for (const key of Object.keys(node)) {
    found.push({ holder: node, key });
    places(node[key], found, depth + 1);
  }
  return found;
}

/** As JSON.parse does it: a key "__proto__" is a key. */
function put(holder, key, value) {
  if (Array.isArray(holder) && key === 'length') return;
  // It holds nothing else.
  if (ArrayBuffer.isView(holder) && typeof value !== 'number') return;
  Reflect.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

function nested(rng) {
  const depth = rng.pick([3, 30, 300, 20_000]);
  const key = rng.pick(['a', 'kind', 'decay', 'network', 0]);
  let value = rng.pick([1, {}, null]);
  for (let n = 0; n < depth; n++) value = key === 0 ? [value] : { [key]: value };
  return value;
}

function cyclic() {
  const value = { kind: 'lif' };
  value.self = value;
  return value;
}

const oddNumbers = [
  ...[0, -0, 1, -1, 2, 0.5, -0.5, 1.5, 1e-3, 7, 21, 255, 256, 1000, 65_536, 1e6, 1e6 + 1, -1e6, 1e7],
  ...[2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 53 + 2, 1e15, 1e30, 1e39, 1e300, 1e308, -1e308, -1e30],
  ...[5e-324, 1e-300, 1e-39, 1e-13, 1e-12, 1e-9, 1 - 2 ** -53, 1 + 2 ** -52, Number.NaN, Infinity, -Infinity],
];
const oddTexts = [
  '',
  ' ',
  'NaN',
  '1',
  '-1',
  'null',
  '__proto__',
  'constructor',
  'toString',
  '*',
  'trace.*',
  '\u0000',
  '😀',
];
const oddKeys = ['__proto__', 'constructor', 'toString', 'kind', 'name', '', '0', 'extra', 'tauMs', 'decay', 'length'];

function junk(rng, words) {
  switch (rng.below(12)) {
    case 0:
    case 1:
    case 2:
      return rng.pick(oddNumbers);
    case 3:
      return rng.pick(oddTexts);
    case 4:
    case 5:
      return rng.pick(words);
    case 6:
      return rng.pick([null, undefined, true, false]);
    case 7:
      return rng.pick([
        [],
        {},
        [1],
        [[]],
        [null],
        [1, 2],
        ['x'],
        { kind: null },
        { kind: 'x' },
        { tauMs: 1 },
        { decay: 0 },
      ]);
    case 8:
      return nested(rng);
    case 9:
      return rng.pick([10n, Symbol('x'), () => 1, new Date(0), new Map(), /x/, new Float64Array(2), cyclic()]);
    case 10:
      return 'x'.repeat(rng.pick([100, 10_000]));
    default:
      return Array.from({ length: rng.pick([3, 100, 5000]) }, (_, n) =>
        rng.below(2) === 0 ? n : rng.pick(oddNumbers),
      );
  }
}

function nudged(value, rng) {
  const by = rng.pick([-1, 0.5, 2, 3, 10, 1e3, 1e6, 1e12, 1e-3, 1e-9, 1e-300]);
  return rng.below(3) === 0 ? value + rng.pick([1, -1, 0.5, 1e-9]) : value * by;
}

const mutations = [
  ({ holder, key }) => Reflect.deleteProperty(holder, key),
  ({ holder, key }, { rng, words }) => put(holder, key, junk(rng, words)),
  ({ holder, key }, { rng, words }) => put(holder, key, rng.pick(words)),
  ({ holder, key }, { rng }) => {
    if (typeof holder[key] === 'number') put(holder, key, nudged(holder[key], rng));
    else put(holder, key, rng.pick(oddNumbers));
  },
  ({ holder, key }, { rng }) =>
    put(holder, key, rng.below(2) === 0 ? [holder[key]] : { [rng.pick(oddKeys)]: holder[key] }),
  ({ holder, key }, { rng, words }) => {
    const target = isNode(holder[key]) ? holder[key] : holder;
    put(target, rng.pick(oddKeys), junk(rng, words));
  },
  ({ holder, key }, { rng, all }) => {
    const other = rng.pick(all);
    const mine = holder[key];
    put(holder, key, other.holder[other.key]);
    put(other.holder, other.key, mine);
  },
  ({ holder, key }, { rng, all }) => {
    const other = rng.pick(all);
    if (isNode(other.holder)) put(other.holder, key, holder[key]);
  },
  // A whole part of another experiment in the place of this one's.
  ({ holder, key }, { rng, donor }) => {
    const same = places(donor).filter((place) => place.key === key);
    if (same.length > 0) {
      const { holder: other, key: at } = rng.pick(same);
      put(holder, key, other[at]);
    }
  },
];

/** The experiment of a seed: a base with one to four mutations. */
export function mutantOf(seed, bases, words) {
  const rng = generator(seed);
  if (rng.below(500) === 0) return junk(rng, words);
  const input = structuredClone(rng.pick(bases));
  const count = 1 + rng.below(rng.below(3) === 0 ? 4 : 2);
  for (let n = 0; n < count; n++) {
    const all = places(input);
    if (all.length === 0) break;
    const donor = structuredClone(rng.pick(bases));
    rng.pick(mutations)(rng.pick(all), { rng, words, all, donor });
  }
  return input;
}

const small = {
  stream: { total: 40, streams: 2, chunkSteps: 10 },
  trial: { total: 4 },
};

/** A base that is built in a millisecond: few neurons, short trials. */
function shrunk(config) {
  const { network, training, evaluation, task } = config;
  const streaming = task.kind === 'n-back';
  const perSymbol = task.stepsPerSymbol ?? 1;
  const own = streaming ? { ...small.stream, chunkSteps: 10 * perSymbol } : small.trial;
  return {
    ...config,
    task: streaming
      ? task
      : { ...task, steps: 20, ...(task.inputs || task.kind === 'pattern-generation' ? { inputs: 5 } : {}) },
    network: { ...network, neurons: 6 },
    training: { ...training, ...own, checkpointEvery: null },
    evaluation: { ...evaluation, total: streaming ? 20 : 1, streams: 1 },
  };
}

/**
 * Experiments to mutate: presets and examples as they are, small, and with every default written out; one for every rule,
 * neuron, trace and signal there is.
 */
export function basesOf({ parseExperiment, catalogue, presets, examples }) {
  const raw = [...presets, ...examples];
  const smaller = raw.map(shrunk);
  const [first] = smaller;
  const accepted = (candidates) =>
    candidates.flatMap((candidate) => {
      try {
        return [parseExperiment(candidate, catalogue)];
      } catch {
        return [];
      }
    });
  const rules = catalogue.rules.map(({ name }) => ({ ...first, rule: { name } }));
  const pairs = catalogue.traces.flatMap((trace) =>
    catalogue.signals.map((signal) => ({
      ...first,
      rule: { name: 'factored', trace: { kind: trace.kind }, signal: { kind: signal.kind } },
    })),
  );
  const neurons = catalogue.neurons.map(({ kind }) => ({ ...first, network: { ...first.network, neuron: { kind } } }));
  const optimizers = ['sgd', 'momentum', 'adam', 'one-step'].map((kind) => ({
    ...first,
    optimizer: { ...first.optimizer, kind, ...(kind === 'one-step' ? { delta: 0.1 } : {}) },
  }));
  const fixed = {
    ...first,
    fixed: {
      formats: { 'weights.*': { bits: 8, range: 2 }, 'trace.*': { bits: 12, fraction: 8 } },
      decays: { kind: 'shift' },
    },
  };
  const sparse = {
    ...first,
    network: {
      ...first.network,
      input: { connectivity: { kind: 'in-degree', n: 1 } },
      recurrent: { connectivity: { kind: 'probability', p: 0.5 }, delayMs: 10, dale: { excitatory: 0.8 } },
    },
  };
  const small = [...smaller, ...rules, ...pairs, ...neurons, ...optimizers, fixed, sparse, graphOf(first)];
  return JSON.parse(JSON.stringify([...raw, ...small, ...accepted(small)]));
}

/** Two populations with delays of all kinds, constant currents and weights that stay, read by two readouts. */
function graphOf({ network: { dtMs, neuron }, optimizer, ...rest }) {
  const projection = (from, to, more = {}) => ({ from, to, ...more });
  return {
    ...rest,
    network: {
      dtMs,
      populations: { exc: { size: 4, neuron, current: 0.1 }, inh: { size: 3, neuron: { kind: 'alif' } } },
      projections: {
        in: projection('input', 'exc', { bias: 0.01 }),
        ee: projection('exc', 'exc', { delayMs: { kind: 'uniform', low: 5, high: 15 }, dale: 'excitatory' }),
        ei: projection('exc', 'inh', { delayMs: 0, connectivity: { kind: 'in-degree', n: 2 } }),
        ie: projection('inh', 'exc', { delayMs: { kind: 'list', values: Array(12).fill(10) }, plastic: false }),
      },
      readouts: { one: { from: 'exc' }, both: { from: ['exc', 'inh'], weight: 0.5, loss: { kind: 'square' } } },
    },
    optimizer: { ...optimizer, rates: { in: 0.01, ee: 0.01, ei: 0.01, one: 0.01, both: 0.01 } },
  };
}

/** Words that stand somewhere in an experiment: names of kinds in places where they do not belong. */
export function wordsOf(schema, bases) {
  const words = new Set();
  const collect = (node) => {
    if (typeof node === 'string' && node.length < 30) words.add(node);
    if (isNode(node)) for (const [key, value] of Object.entries(node)) [key, value].forEach(collect);
  };
  bases.forEach(collect);
  const consts = (node) => {
    if (!isNode(node)) return;
    if (typeof node.const === 'string') words.add(node.const);
    for (const word of node.enum ?? []) words.add(word);
    Object.values(node).forEach(consts);
  };
  consts(schema);
  return [...words];
}

/** The schemas that a key leads to from these: all that any branch allows. */
function below(schemas, key) {
  return schemas.flatMap(branches).flatMap((schema) => {
    if (schema.properties && Object.hasOwn(schema.properties, key)) return [schema.properties[key]];
    if (schema.prefixItems && /^\d+$/.test(key)) return schema.prefixItems;
    if (schema.items && /^\d+$/.test(key)) return [schema.items];
    return isNode(schema.additionalProperties) && Object.keys(schema.additionalProperties).length > 0
      ? [schema.additionalProperties]
      : [];
  });
}

function branches(schema) {
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return [schema, ...inner.flatMap(branches)];
}

/** Names of keys between dots; one that could not be read so stands in brackets: `network.populations[""].size`. */
function keysOf(path) {
  return [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|[^.[]+/g)].map(([key, quoted]) => quoted ?? key);
}

/** Whether a path of an error leads from the root to something that the schema knows. Names of fields and of blocks may have dots in them. */
export function pathExists(path, schema, parts) {
  if (path === 'experiment') return true;
  let schemas = [schema];
  const keys = keysOf(path);
  for (const [n, key] of keys.entries()) {
    if (['fixed.formats', 'optimizer.rates'].includes(keys.slice(0, n).join('.'))) return true;
    const prefix = keys.slice(0, n + 1).join('.');
    schemas = parts[prefix] ? [...below(schemas, key), ...parts[prefix]] : below(schemas, key);
    if (schemas.length === 0) return false;
  }
  return true;
}

/** An UnsupportedError names two parts that do not fit together rather than one value. */
const unsupported =
  /^(backend "[a-z]+"|rule: |the rule "|the (network|run) needs \d+ MiB.*\((training|evaluation)\.streams\))/;

/** Where it was thrown, in our own code. */
function frameOf(error) {
  const frames = String(error?.stack).split('\n');
  const frame = frames.find((line) => /\/(src|models|tasks)\//.test(line) && !line.includes('node_modules'));
  return frame
    ? ` (${frame
        .trim()
        .replace(/^at /, '')
        .replace(/\S*\/(src|models|tasks)\//, '$1/')})`
    : '';
}

/** What is wrong with an error, or null. */
export function faultOf(error, { ConfigError, UnsupportedError, schema, parts }) {
  if (error instanceof UnsupportedError)
    return unsupported.test(error.message) ? null : `names no part: ${error.message}`;
  // A task names a file that is not there.
  if (error?.name === 'FileError')
    return /^[^\n]+: [^\n]+$/.test(error.message) ? null : `more than a line: ${error.message}`;
  if (!(error instanceof ConfigError))
    return `${error?.name}: ${error?.message}`.split('\n')[0].slice(0, 200) + frameOf(error);
  const path = /^(.*?): got /s.exec(error.message)?.[1];
  if (path === undefined) return `names no path: ${error.message}`;
  if (/[\n\r\0]/.test(error.message)) return `more than a line: ${JSON.stringify(error.message)}`;
  if (error.message.length > 1500)
    return `a message of ${error.message.length} characters: ${error.message.slice(0, 100)}`;
  const known = /, expected no key "/.test(error.message) ? parentOf(error.message, path) : path;
  return pathExists(known, schema, parts) ? null : `path unknown to the schema: ${error.message.slice(0, 300)}`;
}

/** The path of an unknown key, without that key, which may have dots in it or stand in brackets. */
function parentOf(message, path) {
  const key = /, expected no key "((?:[^"\\]|\\.)*)"/.exec(message)?.[1] ?? '';
  const parent = path.endsWith(']') ? path.slice(0, path.lastIndexOf('[')) : path.slice(0, -key.length - 1);
  return parent === '' ? 'experiment' : parent;
}

/** Whether one trial of an accepted experiment is a matter of milliseconds. */
function cheap({ run }) {
  const { sizes, populations, projections, direct } = run.network.spec;
  const neurons = populations.reduce((sum, { size }) => sum + size, 0);
  const synapses = projections.reduce((sum, { synapses: { nSyn } }) => sum + nSyn, neurons * sizes.out);
  return sizes.stream * sizes.step * synapses * (direct ? neurons : 1) < 300_000;
}

/**
 * Tries the mutant of a seed.
 * @returns {{ outcome: 'refused' | 'built' | 'trained' | 'fault', fault?: string }}
 */
export function tryMutant(seed, context) {
  const { createExperiment, DivergenceError, catalogue, bases, words } = context;
  const mutant = mutantOf(seed, bases, words);
  try {
    const experiment = createExperiment(mutant, catalogue, { maxBytes: 2 ** 24 });
    if (!cheap(experiment)) return { outcome: 'built' };
    experiment.trainTrials().next();
    return { outcome: 'trained' };
  } catch (error) {
    if (error instanceof DivergenceError) return { outcome: 'trained' };
    const fault = faultOf(error, context);
    return fault === null ? { outcome: 'refused' } : { outcome: 'fault', fault };
  }
}

/** All that `tryMutant` needs, from the public API. */
export function contextOf({ api, models, tasks, toJSONSchema, examples }) {
  const catalogue = { ...models, tasks };
  const presets = api.presetNames.map((name) => api.preset(name));
  const bases = basesOf({ parseExperiment: api.parseExperiment, catalogue, presets, examples });
  const schema = api.experimentJsonSchema(catalogue);
  const parameters = (entries) =>
    entries.map(({ params }) => toJSONSchema(params, { io: 'input', unrepresentable: 'any' }));
  const parts = { 'rule.trace': parameters(catalogue.traces), 'rule.signal': parameters(catalogue.signals) };
  return { ...api, catalogue, bases, words: wordsOf(schema, bases), schema, parts };
}
