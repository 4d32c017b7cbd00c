// What `diagnose` says of networks that are broken, each in one way, and of healthy ones; and the sweeps that its thresholds are from.
//
//     npm run build && node scripts/diagnosis.mjs [--only NAME] [--out docs/results/diagnosis.jsonl]
//     npm run build && node scripts/diagnosis.mjs --sweep NAME [--out docs/results/diagnosis-sweeps.jsonl]
//
// One JSON object a line: case, what is expected, the verdict, the gain (0: no better than a constant output, 1: the best that there is), and the
// findings in their order. A broken network is told if its cause is named first; a healthy one is not accused if its verdict is `learns`
// and nothing was said in the course of its training.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { broadcast } from '../dist/models/signals/broadcast.js';
import { catalogue as ours } from '../dist/src/cli/catalogue.js';
import { preset, presetNames } from '../dist/src/config/presets.js';
import { applySettings } from '../dist/src/config/settings.js';
import { rowAt } from '../dist/src/core/rows.js';
import { scoreOf } from '../dist/src/engine/scores.js';
import { diagnose } from '../dist/src/experiment/diagnosis/diagnose.js';
import { createExperiment } from '../dist/src/experiment/experiment.js';
import { digits } from '../dist/tasks/digits.js';
import { matchToSample } from '../dist/tasks/matchToSample.js';
import { nBack } from '../dist/tasks/nBack.js';
import { parity } from '../dist/tasks/parity.js';
import { storeRecall } from '../dist/tasks/storeRecall.js';
import { bases, heldOut } from './diagnosisHeldOut.mjs';

/** A task with the targets of another stream. */
const shuffledOf = (given, kind) => ({
  ...given,
  kind,
  params: given.params.safeExtend({ kind: z.literal(kind) }),
  derive(p, context) {
    const task = given.derive({ ...p, kind: given.kind }, context);
    return {
      ...task,
      bounds: [],
      fill(out, rng, start, split) {
        // Many trials away: some tasks draw by the number of a trial, not from the generator.
        task.fill(
          { ...out, x: new Float64Array(out.steps * out.xStride) },
          rng.split('others'),
          start + 1_000_003,
          split,
        );
        const [target, expected] = [out.target.slice(), out.expected.slice()];
        task.fill(out, rng, start, split);
        out.target.set(target);
        out.expected.set(expected);
      },
    };
  },
});
const shuffled = shuffledOf(nBack, 'shuffled');
const shuffledTasks = [storeRecall, digits, matchToSample, parity].map((task) =>
  shuffledOf(task, `shuffled-${task.kind}`),
);

/** A broadcast with the wrong sign for a share of the neurons, the first ones. */
const opposed = {
  ...broadcast,
  kind: 'opposed',
  params: broadcast.params.safeExtend({ kind: z.literal('opposed'), share: z.number().default(1) }),
  derive(p, context) {
    const { share, ...others } = p;
    const own = broadcast.derive({ ...others, kind: 'broadcast' }, context);
    return {
      ...own,
      kernel: null,
      bind(binding) {
        const bound = own.bind(binding);
        const { signal, sizes } = binding;
        return {
          ...bound,
          step(t, ...rest) {
            bound.step(t, ...rest);
            for (let b = 0; b < sizes.stream; b++) {
              const row = rowAt(signal, b, t);
              for (let j = row; j < row + share * sizes.self; j++) signal.data[j] *= -1;
            }
          },
        };
      },
    };
  },
};
const catalogue = { ...ours, tasks: [...ours.tasks, shuffled, ...shuffledTasks], signals: [...ours.signals, opposed] };

const back = ['training.total=160000', 'evaluation.total=40000'];
const poisson = (cells) => `task.encoding={"kind":"poisson","cells":${cells},"rateHz":100}`;
const words = (bits) => `fixed={"formats":{"*.weights":{"bits":${bits},"range":4,"rounding":"nearest"}}}`;

const opposedRule = (share) =>
  `rule={"name":"factored","trace":{"kind":"eligibility"},"signal":{"kind":"opposed","feedback":"symmetric","share":${share}}}`;
const rates = (factor) => `optimizer.rates={"in":${0.2 * factor},"rec":${0.2 * factor},"out":${0.03 * factor}}`;
const short = ['training.total=64000', 'evaluation.total=40000'];

/** Networks that do not learn: source, settings, and the cause. */
const broken = [
  ['silent', 'four-six-back', [...back, 'network.neuron.vTh=20', 'rateTerm.strength=0'], 'silent'],
  ['saturated', 'four-six-back', [...back, 'network.input.bias=3', 'rateTerm.strength=0'], 'saturated'],
  ['rates of 1e-9', 'four-six-back', [...back, 'optimizer.rates={"in":1e-9,"rec":1e-9,"out":1e-9}'], 'updates-small'],
  ['rates of 1e3', 'four-six-back', [...back, 'optimizer.rates={"in":1000,"rec":1000,"out":1000}'], 'updates-large'],
  ['feedback of the wrong sign', 'four-six-back', [...short, opposedRule(1)], 'signal-opposed'],
  ['psi too narrow', 'four-six-back', [...back, 'network.neuron.psiWidth=0.0001'], 'psi-narrow'],
  ['4-bit weights, nearest', 'four-six-back', [...short, words(4)], 'updates-lost'],
  ['shuffled targets', 'four-six-back', [...back, 'task={"kind":"shuffled"}'], 'no-information'],
  ['a signal that vanishes', 'four-six-back', [...back, 'rule.feedbackScale=1e-6'], 'signal-vanishes'],
  ['a readout that dominates', 'four-six-back', [...back, 'optimizer.rates.out=300'], 'readout-dominates'],
  ['a rate term too strong', 'four-six-back', [...back, 'rateTerm.strength=10'], 'rate-term'],
  ['a noisy drive', 'four-six-back', [...back, poisson(20)], 'noisy-drive'],
];

/** Networks that learn, of different tasks, rules, neurons and backends. */
const healthy = [
  ['e-prop 1', 'four-six-back', ['training.total=320000']],
  ['SG-r/D', 'four-six-back', ['rule={"name":"sg-r-d"}', 'training.total=320000']],
  ['lean SG-r/D in fixed point', 'four-six-back-8bit', []],
  ['synthetic gradients, rates', 'four-six-back-rates', []],
  [
    'BPTT',
    'four-six-back',
    [
      'rule={"name":"bptt","window":16,"segment":8}',
      'network.neuron.gamma=1',
      'training.update.every=8',
      'training.chunkSteps=256',
      'training.total=320000',
    ],
  ],
  ['pattern generation', 'pattern-generation', []],
  ['RFLO, rates', 'periodic-output', []],
  ['RFLO, cued segments', 'cued-segments', []],
  ['reward-based e-prop', 'cart-pole', ['training.total=3200']],
  ['contrastive', 'contrastive', []],
  ['node perturbation', 'subtasks', []],
  ['E/I network with delays', 'examples/ei-network.json', []],
  ['store-recall', 'store-recall', []],
  ['e-prop 2', 'one-shot-patterns', ['training.total=2400']],
];

/** One setting each, from healthy to broken: its values, and what is told of the quantities. */
const sweeps = {
  rates: [
    [1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 30, 100, 1000],
    (f) => [...back, rates(f)],
    ['reach', 'step', 'growth', 'drift'],
  ],
  threshold: [
    [1, 2, 3, 4, 6, 10, 20],
    (v) => [...back, `network.neuron.vTh=${v}`, 'rateTerm.strength=0'],
    ['spikes', 'psi'],
  ],
  bias: [
    [0.1, 0.5, 0.8, 1, 1.5, 2, 3],
    (b) => [...back, `network.input.bias=${b}`, 'rateTerm.strength=0'],
    ['spikes', 'psi'],
  ],
  psi: [[1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 1e-4], (w) => [...back, `network.neuron.psiWidth=${w}`], ['psi']],
  readout: [[0.03, 0.3, 1, 3, 10, 30, 100, 300], (r) => [...back, `optimizer.rates.out=${r}`], ['readoutStep']],
  'rate-term': [[0.1, 0.3, 1, 2, 3, 5, 10, 30], (c) => [...back, `rateTerm.strength=${c}`], ['rateShare']],
  feedback: [[1, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-5], (s) => [...back, `rule.feedbackScale=${s}`], ['signalNorm']],
  sign: [[0, 0.25, 0.5, 0.75, 1], (s) => [...short, opposedRule(s)], ['opposition']],
  bits: [[12, 10, 8, 7, 6, 5, 4], (b) => [...short, words(b)], ['lost']],
  noise: [
    [200, 180, 150, 120, 100, 70, 50, 20],
    (r) => [...back, poisson(20).replace('100}', `${r}}`)],
    ['driveNoise'],
  ],
  information: [
    [1, 0.7, 0.5, 0.35, 0.25, 0.15, 0],
    (f) => [...back, `task.effects=[${0.5 * f},${-0.25 * f}]`],
    ['information'],
  ],
};

function read(source, settings) {
  const raw = presetNames.includes(source) ? preset(source) : JSON.parse(readFileSync(source, 'utf8'));
  return applySettings(raw, settings, catalogue);
}

/** Trains, with what is said in its course, and looks. */
export function look(source, settings) {
  const experiment = createExperiment(read(source, settings), catalogue);
  const history = [];
  const said = [];
  let failed = null;
  const began = performance.now();
  try {
    experiment.train({
      listener(event) {
        if (event.type === 'trial') history.push(scoreOf(event));
        if (event.type === 'warning' && event.finding) said.push(event.finding.cause);
      },
    });
  } catch (error) {
    failed = error.message;
  }
  const trained = performance.now();
  const diagnosis = diagnose(experiment, catalogue, { history });
  experiment.close();
  const seconds = [(trained - began) / 1000, (performance.now() - trained) / 1000].map((s) => Number(s.toFixed(1)));
  return { ...diagnosis, said, failed, seconds };
}

const rounded = (value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value);

/** A line of the result. */
function line(name, group, source, settings, expected) {
  const { progress, findings, measures, said, failed, seconds } = look(source, settings);
  const named = findings.map(({ cause, severity, value, fromStart }) => ({
    cause,
    severity,
    value: rounded(value),
    fromStart,
  }));
  const right =
    group !== 'healthy' && expected !== null
      ? named[0]?.cause === expected && (group === 'held out' || progress.verdict !== 'learns')
      : progress.verdict === 'learns' && said.length === 0;
  const numbers = measures
    .filter(({ value }) => value !== null)
    .map(({ quantity, where, when, value }) => [quantity, where, when, rounded(value)]);
  const { verdict, start, now, constant, best, gain } = progress;
  return {
    case: name,
    group,
    expected: expected ?? null,
    right,
    verdict,
    gain: rounded(gain),
    start: rounded(start),
    now: rounded(now),
    constant: rounded(constant),
    best: rounded(best),
    findings: named,
    said,
    failed,
    seconds,
    source,
    settings,
    numbers,
  };
}

const { values } = parseArgs({
  options: { only: { type: 'string' }, group: { type: 'string' }, out: { type: 'string' }, sweep: { type: 'string' } },
});
if (values.out && existsSync(values.out) && !values.only && !values.group) writeFileSync(values.out, '');
const write = (object) => {
  if (values.out) appendFileSync(values.out, `${JSON.stringify(object)}\n`);
  else console.log(JSON.stringify(object));
};
const all = [
  ...bases.flatMap((base) => heldOut(base, opposedRule).map((row) => [row[0], 'held out', ...row.slice(1)])),
  ...broken.map(([name, source, settings, cause]) => [name, 'broken', source, settings, cause]),
  ...healthy.map(([name, source, settings]) => [name, 'healthy', source, settings]),
];
if (values.sweep) {
  const names = values.sweep === 'all' ? Object.keys(sweeps) : [values.sweep];
  for (const name of names) {
    const [settings, change, quantities] = sweeps[name];
    for (const value of settings) {
      const { progress, measures, failed } = look('four-six-back', change(value));
      const told = measures.filter((measure) => quantities.includes(measure.quantity) && measure.value !== null);
      const numbers = told.map((measure) => [measure.quantity, measure.where, measure.when, rounded(measure.value)]);
      write({ sweep: name, value, gain: rounded(progress.gain), now: rounded(progress.now), failed, numbers });
    }
  }
} else {
  for (const row of all) {
    if (values.only && row[0] !== values.only && row[2] !== values.only) continue;
    if (values.group && row[1] !== values.group) continue;
    write(line(...row));
  }
}
