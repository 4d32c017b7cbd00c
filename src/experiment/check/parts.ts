import { fixed as fixedBackend } from '../../backends/fixed/index.ts';
import { ConfigError, UnsupportedError } from '../../core/errors.ts';
import type { Catalogue, Entry, TaskModel } from '../../core/plugins.ts';
import { createRng } from '../../core/rng.ts';
import { rowAt } from '../../core/rows.ts';
import { createFeed } from '../../engine/feed.ts';
import { formattableFields } from '../../engine/network.ts';
import { gradientOf, type Run, runTrial } from '../../engine/run.ts';
import { createExperiment, type Experiment } from '../experiment.ts';
import { checkTask } from './driver.ts';
import { readsWhatItDeclares } from './reads.ts';
import { type Checks, fails, firstDifference, holds, type Outcome, skipped } from './report.ts';

type List = Exclude<keyof Catalogue, 'tasks'>;
type Json = Readonly<Record<string, unknown>>;
/** ms, of whatever beginning. */
export type Clock = () => number;

const lif = { kind: 'lif', membrane: { decay: 0.8 }, vTh: 0.6, nRef: 3, psiWidth: 1.2 };
const leaky = { kind: 'leaky', filter: { decay: 0.7 } };
const trials = 6;
const steps = 30;
/** What two orders of adding up may differ by, as a share of the largest number. */
const rounding = 1e-9;

/** Networks that are tried one after the other; the first that can be built is checked. */
const surroundings: readonly Json[] = [
  {},
  { loss: { kind: 'softmax' }, task: { target: 'one-hot' } },
  { network: { neuron: { kind: 'rate' } } },
  { training: { update: { every: 1, unit: 'step' } }, rateTerm: { mean: 'running' } },
];

/**
 * What every part keeps to in a small network of seven neurons: its numbers follow from the configuration and the seed, its state is
 * in its layout, streams do not know of one another, nothing is known before it happens, and gradients that are summed
 * as time goes on are those that are made afterwards.
 * @param choice the part with its parameters, `{ kind }` or `{ name }` with what has no default
 */
export function partChecks(list: List, choice: Json, catalogue: Catalogue, clock: Clock | null): Checks {
  const parts: Catalogue = { ...catalogue, tasks: [checkTask as unknown as Entry<TaskModel>] };
  let found: Json | null = null;
  const configOf = (changes: Json = {}): Json => merge(merge(base(list, choice), found ?? {}), changes);
  const build = (changes: Json = {}): Experiment => createExperiment(configOf(changes), parts);
  const tried = (run: () => Outcome) => () => (found ? run() : skipped('it cannot be built'));
  return {
    'is built': () => {
      if (list === 'direct' || list === 'passes') return skipped('it is checked by the rule that is made of it');
      const reasons: string[] = [];
      for (const changes of surroundings) {
        try {
          createExperiment(merge(base(list, choice), changes), parts).close();
          found = changes;
          return holds();
        } catch (error) {
          if (!(error instanceof ConfigError || error instanceof UnsupportedError)) throw error;
          reasons.push(error.message);
        }
      }
      return fails(reasons[0]);
    },
    'stays finite': tried(() => finite(build())),
    'is repeatable': tried(() => repeatable(build)),
    'resumes to the bit': tried(() => resumes(build)),
    'begins a trial anew': tried(() => beginsAnew(build)),
    'is causal': tried(() => causal(build)),
    'has streams of their own': tried(() => ownStreams(build)),
    'reads what it declares': tried(() => declares(build)),
    'online is deferred': tried(() => onlineIsDeferred(build)),
    'fixed point converges': tried(() => converges(build)),
    ...(clock
      ? { 'speed per step': tried(() => speedBeside(build(), createExperiment(base('rules', ours), parts), clock)) }
      : {}),
    ...(list === 'losses' ? { 'error is the slope of the loss': tried(() => slope(build())) } : {}),
  };
}

/** The rule of parts that are no rule. */
const ours = { name: 'e-prop-1', feedback: 'symmetric' };

function base(list: List, choice: Json): Json {
  const network = {
    neurons: 7,
    neuron: lif,
    readout: leaky,
    input: { init: { kind: 'normal', gain: 1.2 }, bias: 0.15 },
  };
  const config = {
    seed: 5,
    backend: 'reference',
    task: { kind: checkTask.kind, steps },
    network,
    rule: ours,
    loss: { kind: 'square' },
    optimizer: { kind: 'sgd', rates: { in: 0.01, rec: 0.01, out: 0.01 } },
    training: { total: 2 * trials, streams: 2 },
    evaluation: { total: 2, streams: 1 },
  };
  const factored = { name: 'factored', trace: { kind: 'eligibility' }, signal: { kind: 'broadcast' } };
  switch (list) {
    case 'neurons':
      return merge(config, { network: { neuron: choice } });
    case 'readouts':
      return merge(config, { network: { readout: choice } });
    case 'losses':
      return merge(config, { loss: choice });
    case 'traces':
      return { ...config, rule: { ...factored, trace: choice } };
    case 'signals':
      return { ...config, rule: { ...factored, signal: choice } };
    case 'modulators':
      return { ...config, modulator: choice };
    case 'rewirings':
      return merge(config, {
        network: { recurrent: { connectivity: { kind: 'probability', p: 0.5 }, rewiring: choice } },
      });
    case 'scalings':
      return merge(config, { network: { recurrent: { scaling: choice } } });
    case 'optimizers':
      return merge(config, { optimizer: { ...(config.optimizer as Json), ...choice } });
    case 'rules':
      return { ...config, rule: choice };
    case 'direct':
    case 'passes':
      return config;
    default:
      return list satisfies never;
  }
}

/** Objects without a kind or name of their own are merged; all else is replaced. */
function merge(into: Json, changes: Json): Json {
  const isPlain = (value: unknown): value is Json =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  return Object.fromEntries(
    [...new Set([...Object.keys(into), ...Object.keys(changes)])].map((key) => {
      const [old, given] = [into[key], changes[key]];
      if (!Object.hasOwn(changes, key)) return [key, old];
      const whole = !isPlain(old) || !isPlain(given) || Object.hasOwn(given, 'kind') || Object.hasOwn(given, 'name');
      return [key, whole ? given : merge(old, given)];
    }),
  );
}

type Build = (changes?: Json) => Experiment;

const stateOf = ({ run }: Experiment) => Float64Array.from(run.network.state.data);

/** Which field of the state an index lies in. */
function fieldAt({ run }: Experiment, index: number): string {
  const { table } = run.network.state;
  return table.find(({ offset, length }) => index >= offset && index < offset + length)?.name ?? `state[${index}]`;
}

function sameState(a: Experiment, b: Experiment, what: string): Outcome {
  const at = firstDifference(stateOf(a), stateOf(b));
  return at === null ? holds() : fails(`${what}: ${fieldAt(a, at)} differs`);
}

function trained(experiment: Experiment): Experiment {
  experiment.train();
  return experiment;
}

function finite(experiment: Experiment): Outcome {
  const before = stateOf(trained(experiment));
  const at = before.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) return fails(`${fieldAt(experiment, at)} is ${before[at]} after ${trials} updates`);
  const { accuracy: _, ...scores } = experiment.evaluate();
  return Number.isFinite(scores.lossPerStep)
    ? holds(`loss ${scores.lossPerStep.toPrecision(3)} after ${trials} updates`)
    : fails(`the loss is ${scores.lossPerStep}`);
}

/** Beside another one, and after it: state that is no network's would be shared. */
function repeatable(build: Build): Outcome {
  const first = trained(build());
  trained(build({ seed: 6 }));
  const again = sameState(first, trained(build()), 'the same training once more');
  if (again.outcome === 'fails') return again;
  const [a, b] = [build(), build()];
  const [one, other] = [a.trainTrials(), b.trainTrials()];
  let more = true;
  while (more) {
    more = !one.next().done;
    other.next();
  }
  return sameState(first, a, 'two trainings side by side');
}

function resumes(build: Build): Outcome {
  const whole = trained(build());
  const half = build();
  half.train({ until: trials });
  const rest = build();
  rest.restore(half.checkpoint());
  return sameState(
    whole,
    trained(rest),
    `resumed after ${trials} of ${2 * trials} trials: what it keeps is not in its layout`,
  );
}

/** The next trial of a run; weights stay. */
function doTrial(experiment: Experiment, learn: boolean): Run {
  const { run, task, config } = experiment;
  const rng = createRng(config.seed).split('data');
  createFeed(run, task, rng, config.loss.window, 'train').fill(run.network.spec.sizes.step);
  runTrial(run, run.network.spec.sizes.step, { learn, freeze: true });
  return run;
}

/** What neurons and readouts did in steps [0, until) of a stream, and, where asked for, signals. */
function activityOf({ network }: Run, stream: number, until: number, signals: boolean): Map<string, Float64Array> {
  const rows = new Map<string, Float64Array>();
  const take = (name: string, of: { readonly data: ArrayLike<number>; readonly width: number }) => {
    const first = rowAt(of as never, stream, 0);
    rows.set(
      name,
      Float64Array.from({ length: until * of.width }, (_, s) => of.data[first + s]),
    );
  };
  network.activity.forEach((own, p) => {
    const { name } = network.spec.populations[p];
    take(`${name}.z`, own.z);
    take(`${name}.psi`, own.psi);
    for (const [c, signal] of signals ? own.signals.entries() : []) take(`${name}.signal ${c}`, signal);
  });
  take('y', network.trial.y);
  if (signals) take('error', network.trial.error);
  return rows;
}

function sameActivity(a: Map<string, Float64Array>, b: Map<string, Float64Array>, what: string): Outcome {
  for (const [name, values] of a) {
    const at = firstDifference(values, b.get(name) ?? []);
    if (at !== null) return fails(`${what}: ${name} differs at step ${Math.floor(at / (values.length / steps)) || 0}`);
  }
  return holds();
}

/** Trial 1 after trial 0 and after trial 3: with the same weights the network does the same. */
function beginsAnew(build: Build): Outcome {
  const after = (first: number) => {
    const experiment = build({ task: { order: [first, 1] }, training: { total: 2, streams: 1 } });
    doTrial(experiment, false);
    return activityOf(doTrial(experiment, false), 0, steps, false);
  };
  return sameActivity(after(0), after(3), 'a trial after another one than before');
}

/** What a part has learned within the trial that is common to all streams, or to the whole trial. */
function learnsWithin({ run }: Experiment): boolean {
  const { spec, state } = run.network;
  if (spec.direct || spec.passes) return true;
  return state.table.some(({ name, role, dims }) => {
    if (role !== 'signal' || dims[0] === 'stream') return false;
    return (
      state.field(name).length > 0 &&
      spec.populations.some(({ signals }) => signals.some(({ losses }) => losses.length > 0))
    );
  });
}

/** Said, and nothing that could fail: the network is so small that most of a step is the engine's. */
function speedBeside(own: Experiment, other: Experiment, clock: Clock): Outcome {
  const timed = (experiment: Experiment) => {
    const start = clock();
    trained(experiment);
    return ((clock() - start) * 1000) / (2 * trials * steps);
  };
  const [mine, theirs] = [timed(own), timed(other)];
  return holds(`${mine.toPrecision(2)} us, ${(mine / theirs).toPrecision(2)} times e-prop 1 in LIF neurons`);
}

/** Another world from step 15 on changes nothing before. Signals of rules that go backwards know what comes; their neurons do not. */
function causal(build: Build): Outcome {
  const from = steps / 2;
  const of = (changedFrom: number | null) => {
    const experiment = build({ task: { changedFrom }, training: { total: 1, streams: 1 } });
    const { populations, direct, passes } = experiment.run.network.spec;
    const forwards = !direct && !passes && populations.every(({ signals }) => signals.every(({ window }) => !window));
    return { forwards, rows: activityOf(doTrial(experiment, true), 0, from, forwards) };
  };
  const [kept, changed] = [of(null), of(from)];
  const outcome = sameActivity(kept.rows, changed.rows, `what comes from step ${from} on changes what was before`);
  return outcome.outcome === 'holds' && !kept.forwards
    ? holds('of neurons and readouts; its signals go backwards')
    : outcome;
}

/** Another trial in stream 1 changes nothing in stream 0, and the sum over streams is that over trials. */
function ownStreams(build: Build): Outcome {
  const beside = (other: number) => {
    const experiment = build({ task: { order: [0, other] }, training: { total: 2, streams: 2 } });
    const own = !learnsWithin(experiment);
    return { own, rows: activityOf(doTrial(experiment, true), 0, steps, own) };
  };
  const [one, two] = [beside(1), beside(4)];
  const outcome = sameActivity(one.rows, two.rows, 'another trial in the stream beside');
  if (outcome.outcome !== 'holds' || !one.own) return outcome;
  const batch = build({ training: { total: trials, streams: trials } });
  const summed = gradientOf(doTrial(batch, true));
  const single = build({ training: { total: trials, streams: 1 } });
  for (let n = 0; n < trials; n++) doTrial(single, true);
  return sameGradient(summed, gradientOf(single.run), `${trials} streams against ${trials} trials`);
}

function sameGradient(a: Record<string, Float64Array>, b: Record<string, Float64Array>, what: string): Outcome {
  let worst = 0;
  for (const [name, values] of Object.entries(a)) {
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    values.forEach((value, s) => {
      worst = Math.max(worst, Math.abs(value - b[name][s]) / (largest || 1));
    });
    if (!(worst <= rounding))
      return fails(`${what}: the gradient of ${name} differs by ${worst.toPrecision(2)} of its largest entry`);
  }
  return holds(`within ${worst.toExponential(0)}`);
}

/** Of traces and signals that go forwards: what goes backwards reads more than the row of its step, and whole rules are bound to all. */
function declares(build: Build): Outcome {
  let experiment: Experiment;
  try {
    experiment = build({ training: { execution: 'online' } });
  } catch (error) {
    if (error instanceof ConfigError || error instanceof UnsupportedError) return skipped(error.message);
    throw error;
  }
  const { populations, direct, passes } = experiment.run.network.spec;
  if (direct || passes) return skipped('it is a rule of the whole network');
  if (populations.some(({ signals }) => signals.some(({ window }) => window)))
    return skipped('its signals go backwards');
  return readsWhatItDeclares(doTrial(experiment, true).network);
}

function onlineIsDeferred(build: Build): Outcome {
  const of = (execution: string) => {
    try {
      return gradientOf(doTrial(build({ training: { execution } }), true));
    } catch (error) {
      if (error instanceof ConfigError || error instanceof UnsupportedError) return error.message;
      throw error;
    }
  };
  const [online, deferred] = [of('online'), of('deferred')];
  if (typeof online === 'string') return skipped(online);
  if (typeof deferred === 'string') return skipped(deferred);
  return sameGradient(online, deferred, 'summed as time goes on against made afterwards');
}

/**
 * With words of 32 bits a training is near floating point, and nearer than with 16. What an optimiser keeps is left out: a mean of squares needs a
 * range of its own, which only a task can tell.
 */
function converges(build: Build): Outcome {
  const float = trained(build());
  const { spec } = float.run.network;
  const fields = formattableFields(spec, fixedBackend).filter(
    (name) => !spec.optimizer.slots.some((slot) => name.endsWith(`.${slot}`)),
  );
  const distance = (bits: number) => {
    const formats = Object.fromEntries(fields.map((field) => [field, { bits, range: 256, signed: true }]));
    const experiment = trained(build({ backend: 'fixed', fixed: { formats } }));
    const { weights } = experiment.run.network;
    let sum = 0;
    let all = 0;
    for (const [name, values] of Object.entries(float.run.network.weights)) {
      for (let s = 0; s < values.length; s++) {
        sum += (values[s] - weights[name][s]) ** 2;
        all += values[s] ** 2;
      }
    }
    return Math.sqrt(sum / all);
  };
  let wide: number;
  try {
    wide = distance(32);
  } catch (error) {
    if (error instanceof ConfigError || error instanceof UnsupportedError) return skipped(error.message);
    throw error;
  }
  const narrow = distance(16);
  const said = `weights are off by ${narrow.toExponential(1)} with 16 bits, ${wide.toExponential(1)} with 32`;
  return wide <= 1e-3 && wide <= narrow / 10 ? holds(said) : fails(said);
}

/** dE/dy by central differences of the loss, against the error, at drawn outputs. */
function slope({ run }: Experiment): Outcome {
  const [{ loss, size }] = run.network.spec.readouts;
  if (loss.targetless || loss.acts) return skipped('its error is no slope of one step');
  const rng = createRng(9);
  const width = 1e-5;
  let worst = 0;
  for (let n = 0; n < 20; n++) {
    const y = Float64Array.from({ length: size }, () => rng.normal());
    const label = rng.integer(size);
    const target = Float64Array.from({ length: size }, (_, k) =>
      loss.classification ? Number(k === label) : rng.normal(),
    );
    const error = new Float64Array(size);
    loss.error(error, y, target, 0, size);
    for (let k = 0; k < size; k++) {
      const at = (by: number) =>
        loss.value(
          y.map((value, c) => value + (c === k ? by : 0)),
          target,
          0,
          size,
        );
      worst = Math.max(worst, Math.abs((at(width) - at(-width)) / (2 * width) - error[k]) / (1 + Math.abs(error[k])));
    }
  }
  const said = `off by ${worst.toExponential(1)} of 1 + |error|`;
  return worst < 1e-6 ? holds(said) : fails(said);
}
