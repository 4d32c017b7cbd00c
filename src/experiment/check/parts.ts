import { fixed as fixedBackend } from '../../backends/fixed/index.ts';
import { ConfigError, UnsupportedError } from '../../core/errors.ts';
import type { Catalogue } from '../../core/plugins.ts';
import { rowAt } from '../../core/rows.ts';
import { formattableFields } from '../../engine/network.ts';
import { gradientOf, type Run } from '../../engine/run.ts';
import type { Experiment } from '../experiment.ts';
import { readsWhatItDeclares } from './reads.ts';
import { type Checks, fails, firstDifference, holds, type Outcome, skipped } from './report.ts';
import { errorIsSlope, gradientIsSlope } from './slopes.ts';
import { type Build, doTrial, type Json, type List, ours, smallNetworks, steps, trained, trials } from './small.ts';
/** ms, of whatever beginning. */
export type Clock = () => number;

/** What two orders of adding up may differ by, as a share of the largest number. */
const rounding = 1e-9;

/** Whether a part can be put into a network by itself, and not only as that which a rule is made of. */
const standsAlone = (list: List): boolean => list !== 'direct' && list !== 'passes';

/**
 * What every part keeps to in a small network of seven neurons: its numbers follow from the configuration and the seed, its state is
 * in its layout, streams do not know of one another, nothing is known before it happens, and gradients that are summed
 * as time goes on are those that are made afterwards.
 * @param choice the part with its parameters, `{ kind }` or `{ name }` with what has no default
 */
export function partChecks(list: List, choice: Json, catalogue: Catalogue, clock: Clock | null): Checks {
  let built: Build | null = null;
  const tried = (check: (build: Build) => Outcome) => () => (built ? check(built) : skipped('it cannot be built'));
  return {
    'is built': () => {
      if (!standsAlone(list)) return skipped('it is checked by the rule that is made of it');
      const build = smallNetworks(list, choice, catalogue);
      if (typeof build === 'string') return fails(build);
      built = build;
      return holds();
    },
    'stays finite': tried((make) => finite(make())),
    'is repeatable': tried(repeatable),
    'resumes to the bit': tried(resumes),
    'begins a trial anew': tried(beginsAnew),
    'is causal': tried(causal),
    'has streams of their own': tried(ownStreams),
    'reads what it declares': tried(declares),
    'online is deferred': tried(onlineIsDeferred),
    'gradient is the slope of the loss': tried((make) => gradientIsSlope(list, choice, catalogue, make)),
    'fixed point converges': tried(converges),
    ...(clock ? { 'speed per step': tried((make) => speedBeside(make(), eprop1In(catalogue), clock)) } : {}),
    ...(list === 'losses' ? { 'error is the slope of the loss': tried((make) => errorIsSlope(make())) } : {}),
  };
}

/** @throws Error where a catalogue lacks it */
function eprop1In(catalogue: Catalogue): Experiment {
  const build = smallNetworks('rules', ours, catalogue);
  if (typeof build === 'string') throw new Error(build);
  return build();
}

const stateOf = ({ run }: Experiment) => Float64Array.from(run.network.state.data);

/** Which field of the state an index lies in. */
function fieldAt({ run }: Experiment, index: number): string {
  const { table } = run.network.state;
  return table.find(({ offset, length }) => index >= offset && index < offset + length)?.name ?? `state[${index}]`;
}

/** State after a small training, by field; null where no network can be built. */
export function trainedState(list: List, choice: Json, catalogue: Catalogue): ReadonlyMap<string, Float64Array> | null {
  const build = standsAlone(list) ? smallNetworks(list, choice, catalogue) : null;
  if (typeof build !== 'function') return null;
  const { state } = trained(build()).run.network;
  return new Map(state.table.map(({ name }) => [name, Float64Array.from(state.field(name))]));
}

function sameState(a: Experiment, b: Experiment, what: string): Outcome {
  const at = firstDifference(stateOf(a), stateOf(b));
  return at === null ? holds() : fails(`${what}: ${fieldAt(a, at)} differs`);
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
