import { parseWith } from '../../config/parse.ts';
import type { Entry, Split, TaskInstance, TaskModel } from '../../core/plugins.ts';
import { createRng } from '../../core/rng.ts';
import { type Checks, fails, firstDifference, holds, type Outcome, skipped } from './report.ts';

/** Trials that are compared with one another, and steps of a stream. */
const trials = 6;
const streamSteps = 60;

type Rows = 'x' | 'target' | 'expected' | 'weight';
const rowNames: readonly Rows[] = ['x', 'target', 'expected', 'weight'];
type Filled = Readonly<Record<Rows, Float64Array>>;

/**
 * What every task keeps to, whatever it is about: `fill` is a pure function of parameters, generator, position and split; it writes
 * all of its rows and nothing else; what comes later changes nothing that was; training and test share no trial, unless the
 * task says that they do.
 * @param params of the task, with defaults where they are left out
 */
export function taskChecks(model: Entry<TaskModel>, params: object): Checks {
  const derive = (seed = 1) => derived(model, params, seed);
  return {
    'is made': () => made(derive()),
    'fills all rows': () => fillsAll(derive()),
    'writes no more': () => writesNoMore(derive()),
    'is pure': () => pure(derive),
    'is causal': () => causal(derive()),
    'has streams of their own': () => ownStreams(derive()),
    'test is new': () => testIsNew(derive()),
    'follows the seed': () => followsSeed(derive),
  };
}

function derived(model: Entry<TaskModel>, params: object, seed: number): TaskInstance {
  const given = parseWith(model.params, { kind: model.kind, ...params }, 'task');
  return model.derive(given as never, { dtMs: 1, rng: createRng(seed).split('task') });
}

/** Rows of the first trials, by name. */
export function firstRows(model: Entry<TaskModel>, params: object): ReadonlyMap<string, Float64Array> {
  const task = derived(model, params, 1);
  const trialsOf = Array.from({ length: trials }, (_, n) =>
    fill(task, { start: task.mode.kind === 'trial' ? n : n * streamSteps }),
  );
  return new Map(trialsOf.flatMap((rows, n) => rowNames.map((name) => [`${name} of trial ${n}`, rows[name]] as const)));
}

const lengthOf = ({ mode }: TaskInstance) => (mode.kind === 'trial' ? mode.steps : streamSteps);

/** Rows that are not written are NaN. @param start a trial, or the first step of a stream */
function fill(task: TaskInstance, at: { start: number; steps?: number; stream?: number; split?: Split }): Filled {
  const { start, steps = lengthOf(task), stream = 0, split = 'train' } = at;
  const array = (width: number) => new Float64Array(steps * width).fill(Number.NaN);
  const out = { x: array(task.nIn), target: array(task.nOut), expected: array(task.nOut), weight: array(1) };
  task.fill({ ...out, steps, xStride: task.nIn }, createRng(3).split(split).split(stream), start, split);
  return out;
}

/** Where two fillings of the same length part, in words; null: nowhere. */
function parting(task: TaskInstance, a: Filled, b: Filled): string | null {
  for (const name of rowNames) {
    if (name === 'expected' && !task.statesExpected) continue;
    const at = firstDifference(a[name], b[name]);
    if (at === null) continue;
    const width = name === 'x' ? task.nIn : name === 'weight' ? 1 : task.nOut;
    return `${name}[${Math.floor(at / width)}][${at % width}] is ${a[name][at]} once and ${b[name][at]} then`;
  }
  return null;
}

const judged = (difference: string | null, otherwise = ''): Outcome =>
  difference === null ? holds(otherwise) : fails(difference);

function made(task: TaskInstance): Outcome {
  const { nIn, nOut, inputPopulations, bounds } = task;
  const sizes = inputPopulations.reduce((sum, { size }) => sum + size, 0);
  if (sizes !== nIn) return fails(`inputPopulations have ${sizes} cells, nIn is ${nIn}`);
  const odd = bounds.find(({ value }) => !(Number.isFinite(value) && value >= 0));
  if (odd) return fails(`bound "${odd.label}" is ${odd.value}, expected a number >= 0`);
  return holds(`${nIn} inputs, ${nOut} outputs, ${lengthOf(task)} steps`);
}

function fillsAll(task: TaskInstance): Outcome {
  if (task.environment) return skipped('it answers: later rows follow from actions');
  let scored = 0;
  for (let n = 0; n < trials; n++) {
    const filled = fill(task, { start: task.mode.kind === 'trial' ? n : n * streamSteps });
    for (const name of rowNames) {
      if (name === 'expected' && !task.statesExpected) continue;
      const at = filled[name].findIndex((value) => !Number.isFinite(value));
      if (at >= 0) return fails(`${name}[${at}] of trial ${n} is ${filled[name][at]}`);
    }
    const odd = filled.weight.find((value) => value < 0 || value > 1);
    if (odd !== undefined) return fails(`a weight of ${odd}, expected 0 to 1`);
    scored += filled.weight.filter((value) => value > 0).length;
  }
  return scored > 0 ? holds(`${scored} steps of ${trials} trials are scored`) : fails('no step has a weight above 0');
}

/** A row of x may be wider than nIn, and the arrays longer than what is asked for. */
function writesNoMore(task: TaskInstance): Outcome {
  const steps = task.mode.kind === 'trial' ? lengthOf(task) : streamSteps - 7;
  const xStride = task.nIn + 1;
  const array = (length: number) => new Float64Array(length).fill(Number.NaN);
  const more = steps + 5;
  const out = { x: array(more * xStride), target: array(more * task.nOut), expected: array(more * task.nOut) };
  const weight = array(more);
  task.fill({ ...out, weight, steps, xStride }, createRng(3).split('train').split(0), 0, 'train');
  for (let s = 0; s < out.x.length; s++) {
    const [t, i] = [Math.floor(s / xStride), s % xStride];
    if ((t >= steps || i >= task.nIn) && !Number.isNaN(out.x[s])) {
      return fails(`x is written at step ${t}, column ${i} of ${task.nIn}: rows are xStride numbers apart`);
    }
  }
  const rest = [
    out.target.subarray(steps * task.nOut),
    out.expected.subarray(steps * task.nOut),
    weight.subarray(steps),
  ];
  return rest.every((values) => values.every(Number.isNaN))
    ? holds()
    : fails(`something is written behind step ${steps}`);
}

/** The same again: after other trials, of an instance made anew, and of one that has done other trials first. */
function pure(derive: (seed?: number) => TaskInstance): Outcome {
  const task = derive();
  const first = fill(task, { start: 2 * lengthOfUnit(task) });
  for (let n = trials; n >= 0; n--) fill(task, { start: n * lengthOfUnit(task), stream: 1, split: 'test' });
  return judged(
    parting(task, first, fill(task, { start: 2 * lengthOfUnit(task) })) ??
      parting(task, first, fill(derive(), { start: 2 * lengthOfUnit(task) })),
  );
}

const lengthOfUnit = (task: TaskInstance) => (task.mode.kind === 'trial' ? 1 : streamSteps);

/** A stream in pieces is the stream: no piece knows where it ends. */
function causal(task: TaskInstance): Outcome {
  if (task.mode.kind === 'trial') return skipped('trials are filled as a whole');
  const whole = fill(task, { start: 0 });
  for (const cut of [1, 7, 23, streamSteps - 1]) {
    const pieces = [fill(task, { start: 0, steps: cut }), fill(task, { start: cut, steps: streamSteps - cut })];
    const joined = Object.fromEntries(
      rowNames.map((name) => [name, Float64Array.from([...pieces[0][name], ...pieces[1][name]])]),
    ) as unknown as Filled;
    const difference = parting(task, whole, joined);
    if (difference) return fails(`cut at step ${cut}: ${difference}`);
  }
  return holds();
}

function ownStreams(task: TaskInstance): Outcome {
  if (!task.testIsNew && task.mode.kind === 'trial') return skipped('it has but one set of trials');
  // Trials are counted over all streams, steps in each of its own.
  const rows = [0, 1].map((stream) => fill(task, { start: task.mode.kind === 'trial' ? stream : 0, stream }));
  return firstDifference(rows[0].x, rows[1].x) === null && firstDifference(rows[0].target, rows[1].target) === null
    ? fails('two streams have the same inputs and targets: draw from the generator that fill is given')
    : holds();
}

function testIsNew(task: TaskInstance): Outcome {
  const textOf = (n: number, split: Split) => {
    const { x, target } = fill(task, { start: n * lengthOfUnit(task), stream: n, split });
    return `${x.join()};${target.join()}`;
  };
  const trained = new Set(Array.from({ length: trials }, (_, n) => textOf(n, 'train')));
  const shared = Array.from({ length: trials }, (_, n) => textOf(n, 'test')).filter((text) => trained.has(text)).length;
  if (task.testIsNew)
    return shared === 0 ? holds() : fails(`${shared} of ${trials} trials of the test are of the training`);
  return shared === trials ? holds('says that they are the same') : fails('testIsNew is false, and they differ');
}

function followsSeed(derive: (seed?: number) => TaskInstance): Outcome {
  const of = (seed: number) => {
    const task = derive(seed);
    const rng = createRng(seed).split('train').split(0);
    const steps = lengthOf(task);
    const array = (width: number) => new Float64Array(steps * width);
    const out = { x: array(task.nIn), target: array(task.nOut), expected: array(task.nOut), weight: array(1) };
    task.fill({ ...out, steps, xStride: task.nIn }, rng, 0, 'train');
    return [...out.x, ...out.target];
  };
  return firstDifference(of(1), of(2)) === null ? skipped('the same data for every seed') : holds();
}
