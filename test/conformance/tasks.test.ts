import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { models } from '../../models/index.ts';
import { parseWith } from '../../src/config/parse.ts';
import { ConfigError } from '../../src/core/errors.ts';
import type { Catalogue, Split, TaskInstance } from '../../src/core/plugins.ts';
import { createRng } from '../../src/core/rng.ts';
import { createExperiment } from '../../src/experiment/experiment.ts';
import { tasks as registered } from '../../tasks/index.ts';

const tasks: Catalogue['tasks'] = registered;

interface TaskRow {
  /** Settings at which the task is tried. */
  readonly settings: readonly object[];
  /** Settings out of range, and the path that the refusal has to name. */
  readonly refused: readonly (readonly [settings: object, path: string])[];
  /** A task of trials whose target does not follow from the input: two settings that differ in the input alone. */
  readonly inputs?: readonly [object, object];
  /** Why its data do not depend on the seed, where they do not. */
  readonly seedless?: string;
  /** The package that its data come from, without which it is not tried. */
  readonly needs?: string;
}

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));
const recordings = fileURLToPath(new URL('../golden/recordings/', import.meta.url));
const events = { file: `${examples}recording.csv`, labelFile: `${examples}recording-labels.csv`, durationMs: 100 };
const raster = { file: `${recordings}raster-counts-int64.npy`, target: { kind: 'next' } };

/** What every registered task is tried with; a task without a row here is a failure. */
const rows: Readonly<Record<string, TaskRow>> = {
  'n-back': {
    settings: [
      {},
      { lags: [1, 2], inputProbability: 0.3, base: 0.1, effects: [0.2, 0.6] },
      { lags: [6, 4], stepsPerSymbol: 3, outputs: 1 },
      { lags: [3, 3], stepsPerSymbol: 4, scoreAt: 'every-step' },
      { encoding: { kind: 'poisson', cells: 5, rateHz: 300, silentHz: 40 }, stepsPerSymbol: 2 },
      { encoding: { kind: 'regular', cells: 5, rateHz: 200 }, stepsPerSymbol: 5 },
    ],
    refused: [
      [{ lags: [0, 6] }, 'task.lags.0'],
      [{ lags: [4, 1.5] }, 'task.lags.1'],
      [{ lags: [4] }, 'task.lags'],
      [{ inputProbability: 1.2 }, 'task.inputProbability'],
      [{ base: -0.1 }, 'task.base'],
      [{ base: 0.9 }, 'task.effects'],
      [{ effects: [0.5, -0.6] }, 'task.effects'],
      [{ stepsPerSymbol: 0 }, 'task.stepsPerSymbol'],
      [{ scoreAt: 'never' }, 'task.scoreAt'],
      [{ outputs: 3 }, 'task.outputs'],
      [{ encoding: { kind: 'poisson', rateHz: 1001 } }, 'task.encoding.rateHz'],
      [{ encoding: { kind: 'poisson', rateHz: -1 } }, 'task.encoding.rateHz'],
      [{ encoding: { kind: 'poisson', cells: 0 } }, 'task.encoding.cells'],
      [{ encoding: { kind: 'regular', rateHz: 3000 } }, 'task.encoding.rateHz'],
      [{ encoding: { kind: 'morse' } }, 'task.encoding.kind'],
      [{ surprise: 1 }, 'task.surprise'],
    ],
  },
  'pattern-generation': {
    inputs: [{ inputRateHz: 0 }, { inputRateHz: 400 }],
    settings: [
      { steps: 60, inputs: 5 },
      { steps: 60, inputs: 3, outputs: 2, cycles: [1, 4], amplitude: [1, 1] },
    ],
    refused: [
      [{ steps: 0 }, 'task.steps'],
      [{ inputs: 2.5 }, 'task.inputs'],
      [{ inputRateHz: 1001 }, 'task.inputRateHz'],
      [{ inputRateHz: -1 }, 'task.inputRateHz'],
      [{ outputs: 0 }, 'task.outputs'],
      [{ cycles: [] }, 'task.cycles'],
      [{ cycles: [-1] }, 'task.cycles.0'],
      [{ amplitude: [1] }, 'task.amplitude'],
    ],
  },
  'cue-reward': {
    inputs: [{ rate: 0.1 }, { rate: 0.9 }],
    settings: [
      {},
      { cues: 3, cueSteps: 4, gapSteps: 0, delaySteps: 0, decisionSteps: 1, cellsPerGroup: 1, noise: 0.5 },
    ],
    refused: [
      [{ cues: 4 }, 'task.cues'],
      [{ cues: 0 }, 'task.cues'],
      [{ cueSteps: 0 }, 'task.cueSteps'],
      [{ gapSteps: -1 }, 'task.gapSteps'],
      [{ decisionSteps: 0 }, 'task.decisionSteps'],
      [{ rate: 1.1 }, 'task.rate'],
      [{ noise: -0.1 }, 'task.noise'],
      [{ share: 2 }, 'task.share'],
    ],
  },
  'delayed-choice': {
    inputs: [{ rate: 0.1 }, { rate: 0.9 }],
    settings: [{}, { choices: 5, cellsPerGroup: 1, cueSteps: 3, delaySteps: 0, goSteps: 1, noise: 0.5, reward: 2 }],
    refused: [
      [{ choices: 1 }, 'task.choices'],
      [{ choices: 2.5 }, 'task.choices'],
      [{ cellsPerGroup: 0 }, 'task.cellsPerGroup'],
      [{ cueSteps: 0 }, 'task.cueSteps'],
      [{ delaySteps: -1 }, 'task.delaySteps'],
      [{ goSteps: 0 }, 'task.goSteps'],
      [{ rate: 1.1 }, 'task.rate'],
      [{ noise: -0.1 }, 'task.noise'],
      [{ reward: -1 }, 'task.reward'],
      [{ penalty: -1 }, 'task.penalty'],
    ],
  },
  'memory-saccade': {
    inputs: [{ rate: 0.1 }, { rate: 0.9 }],
    settings: [
      {},
      { directions: 8, ringCells: 3, cellsPerGroup: 2, fixationSteps: 0, targetSteps: 1, delaySteps: 0, noise: 0.5 },
      { directions: 3, stepsPerAction: 1, responseActions: 4, width: 5, wrong: 2 },
    ],
    refused: [
      [{ directions: 1 }, 'task.directions'],
      [{ ringCells: 0 }, 'task.ringCells'],
      [{ width: 0 }, 'task.width'],
      [{ cellsPerGroup: 0 }, 'task.cellsPerGroup'],
      [{ fixationSteps: -1 }, 'task.fixationSteps'],
      [{ targetSteps: 0 }, 'task.targetSteps'],
      [{ delaySteps: 0.5 }, 'task.delaySteps'],
      [{ stepsPerAction: 0 }, 'task.stepsPerAction'],
      [{ responseActions: 0 }, 'task.responseActions'],
      [{ rate: -1 }, 'task.rate'],
      [{ noise: 2 }, 'task.noise'],
      [{ reward: -1 }, 'task.reward'],
      [{ held: -1 }, 'task.held'],
      [{ broken: -1 }, 'task.broken'],
      [{ missed: -1 }, 'task.missed'],
      [{ wrong: -1 }, 'task.wrong'],
    ],
  },
  'one-shot-patterns': {
    inputs: [{ codeRate: 0.1 }, { codeRate: 0.9 }],
    settings: [{}, { steps: 23, everySteps: 3, harmonics: 1, clockGroups: 4, cellsPerGroup: 1, codeCells: 2 }],
    refused: [
      [{ steps: 0 }, 'task.steps'],
      [{ everySteps: 1.5 }, 'task.everySteps'],
      [{ harmonics: 0 }, 'task.harmonics'],
      [{ clockGroups: 81 }, 'task.clockGroups'],
      [{ cellsPerGroup: 0 }, 'task.cellsPerGroup'],
      [{ codeRange: 0 }, 'task.codeRange'],
      [{ codeWidth: -1 }, 'task.codeWidth'],
      [{ codeCells: 1 }, 'task.codeCells'],
      [{ codeRate: 1.1 }, 'task.codeRate'],
    ],
  },
  'one-shot-arm': {
    inputs: [{ codeRate: 0.1 }, { codeRate: 0.9 }],
    settings: [
      { steps: 60, codeCells: 10 },
      { steps: 40, sines: 1, shoulder: 200, elbow: 0, segment: 1, codeCells: 5 },
    ],
    refused: [
      [{ steps: 1 }, 'task.steps'],
      [{ sines: 0 }, 'task.sines'],
      [{ shoulder: -1 }, 'task.shoulder'],
      [{ elbow: -1 }, 'task.elbow'],
      [{ segment: 0 }, 'task.segment'],
      [{ codeRate: 2 }, 'task.codeRate'],
    ],
  },
  'store-recall': {
    inputs: [{ rate: 0.1 }, { rate: 0.9 }],
    settings: [{ recall: 0.5 }, { symbols: 20, symbolSteps: 3, cellsPerGroup: 2, rate: 0.5, store: 0.3, recall: 0.7 }],
    refused: [
      [{ symbols: 0 }, 'task.symbols'],
      [{ symbols: 1 }, 'task.symbols'],
      [{ symbolSteps: 2.5 }, 'task.symbolSteps'],
      [{ cellsPerGroup: 0 }, 'task.cellsPerGroup'],
      [{ rate: 1.1 }, 'task.rate'],
      [{ store: -0.1 }, 'task.store'],
      [{ store: 0.6, recall: 0.5 }, 'task.recall'],
      [{ recall: 0 }, 'task.recall'],
    ],
  },
  evidence: {
    inputs: [{ rate: 0.1 }, { rate: 0.9 }],
    settings: [
      {},
      { cues: 3, cueSteps: 4, gapSteps: 0, delaySteps: 0, decisionSteps: 1, cellsPerGroup: 1, noise: 0.5 },
    ],
    refused: [
      [{ cues: 4 }, 'task.cues'],
      [{ cueSteps: 0 }, 'task.cueSteps'],
      [{ gapSteps: -1 }, 'task.gapSteps'],
      [{ delaySteps: 0.5 }, 'task.delaySteps'],
      [{ decisionSteps: 0 }, 'task.decisionSteps'],
      [{ rate: 1.1 }, 'task.rate'],
      [{ noise: -0.1 }, 'task.noise'],
      [{ share: 2 }, 'task.share'],
    ],
  },
  parity: {
    inputs: [{ rate: 0.1 }, { rate: 0.9 }],
    settings: [{}, { pulses: 5, pulseSteps: 3, delaySteps: 0, goSteps: 1, cellsPerGroup: 2, noise: 0.5 }],
    refused: [
      [{ pulses: 0 }, 'task.pulses'],
      [{ pulses: 1.5 }, 'task.pulses'],
      [{ pulseSteps: 0 }, 'task.pulseSteps'],
      [{ delaySteps: -1 }, 'task.delaySteps'],
      [{ goSteps: 0 }, 'task.goSteps'],
      [{ cellsPerGroup: 0 }, 'task.cellsPerGroup'],
      [{ rate: 1.1 }, 'task.rate'],
      [{ noise: -0.1 }, 'task.noise'],
    ],
  },
  'match-to-sample': {
    inputs: [{ rate: 0.1 }, { rate: 0.9 }],
    settings: [
      {},
      { stimuli: 6, same: 0.3, sampleSteps: 2, delaySteps: 0, testSteps: 3, goSteps: 1, cellsPerGroup: 3, noise: 0.5 },
    ],
    refused: [
      [{ stimuli: 1 }, 'task.stimuli'],
      [{ same: 2 }, 'task.same'],
      [{ sampleSteps: 0 }, 'task.sampleSteps'],
      [{ delaySteps: 0.5 }, 'task.delaySteps'],
      [{ testSteps: 0 }, 'task.testSteps'],
      [{ goSteps: 0 }, 'task.goSteps'],
      [{ cellsPerGroup: 0 }, 'task.cellsPerGroup'],
      [{ rate: -1 }, 'task.rate'],
      [{ noise: 2 }, 'task.noise'],
    ],
  },
  'interval-matching': {
    inputs: [{ rate: 0.1 }, { rate: 0.9 }],
    settings: [{}, { intervals: [4, 9], onsetSteps: 3, waitSteps: 12, pulseSteps: 4, bumpSteps: 2, cellsPerGroup: 1 }],
    refused: [
      [{ intervals: [0, 5] }, 'task.intervals.0'],
      [{ intervals: [60, 50] }, 'task.intervals'],
      [{ intervals: [30, 3000] }, 'task.intervals.1'],
      [{ pulseSteps: 31 }, 'task.pulseSteps'],
      [{ onsetSteps: -1 }, 'task.onsetSteps'],
      [{ waitSteps: 0.5 }, 'task.waitSteps'],
      [{ bumpSteps: 0 }, 'task.bumpSteps'],
      [{ cellsPerGroup: 0 }, 'task.cellsPerGroup'],
      [{ rate: 1.1 }, 'task.rate'],
      [{ noise: -0.1 }, 'task.noise'],
    ],
  },
  'copy-repeat': {
    inputs: [{ rate: 0.1 }, { rate: 0.9 }],
    settings: [
      {},
      { symbols: 4, length: [2, 5], repeats: [3, 3], lengthenEvery: 2, symbolSteps: 3, cellsPerGroup: 2, noise: 0.5 },
    ],
    refused: [
      [{ symbols: 1 }, 'task.symbols'],
      [{ length: [0, 3] }, 'task.length.0'],
      [{ length: [4, 3] }, 'task.length'],
      [{ repeats: [2, 1] }, 'task.repeats'],
      [{ repeats: [1, 0.5] }, 'task.repeats.1'],
      [{ lengthenEvery: 0 }, 'task.lengthenEvery'],
      [{ symbolSteps: 0 }, 'task.symbolSteps'],
      [{ cellsPerGroup: 0 }, 'task.cellsPerGroup'],
      [{ rate: 1.1 }, 'task.rate'],
      [{ noise: -0.1 }, 'task.noise'],
    ],
  },
  recording: {
    settings: [
      events,
      {
        ...events,
        target: { kind: 'next', steps: 3 },
        split: { kind: 'trials', test: [5, 7] },
        keep: [9, 1, 2, 3, 4, 5],
        pool: 2,
        perStep: 'count',
        jitterMs: 2,
        shiftMs: 10,
        shiftUnits: 2,
      },
      { ...raster, split: { kind: 'trials', test: [1] }, rowSteps: 3, coding: { kind: 'poisson', rate: 0.9, high: 3 } },
    ],
    refused: [
      [{ ...events, durationMs: null }, 'task.durationMs'],
      [{ ...events, durationMs: 1e12 }, 'task.durationMs'],
      [{ ...events, file: '' }, 'task.file'],
      [{ ...events, timeUnit: 'hours' }, 'task.timeUnit'],
      [{ ...events, units: 0 }, 'task.units'],
      [{ ...events, unitIds: 'names' }, 'task.unitIds'],
      [{ ...events, keep: [0, 10] }, 'task.keep.1'],
      [{ ...events, keep: [0, 3, 0] }, 'task.keep.2'],
      [{ ...events, pool: 0 }, 'task.pool'],
      [{ ...events, perStep: 'two' }, 'task.perStep'],
      [{ ...events, longer: 'wrap' }, 'task.longer'],
      [{ ...events, jitterMs: -1 }, 'task.jitterMs'],
      [{ ...events, shiftUnits: 0.5 }, 'task.shiftUnits'],
      [{ ...events, coding: { kind: 'delta' } }, 'task.coding.kind'],
      [{ ...events, target: { kind: 'label', classes: 1 } }, 'task.target.classes'],
      [{ ...events, target: { kind: 'label', fromMs: 100 } }, 'task.target.fromMs'],
      [{ ...events, target: { kind: 'next', steps: 100 } }, 'task.target.steps'],
      [{ ...events, split: { kind: 'share', heldOut: 1 } }, 'task.split.heldOut'],
      [{ ...events, split: { kind: 'share', heldOut: 0.999 } }, 'task.split.heldOut'],
      [{ ...events, split: { kind: 'trials', test: [60] } }, 'task.split.test.0'],
      [{ ...events, split: { kind: 'file', file: raster.file } }, 'task.split.file'],
      [{ ...events, sha256: { file: 'abc' } }, 'task.sha256.file'],
      [{ ...raster, units: 6 }, 'task.units'],
      [{ ...raster, jitterMs: 1 }, 'task.jitterMs'],
      [{ ...raster, coding: { kind: 'latency', low: 1, high: 1 } }, 'task.coding.high'],
      [{ file: `${recordings}kilosort.tsv`, durationMs: 1000 }, 'task.timeUnit'],
    ],
  },
  digits: {
    needs: 'mnist',
    inputs: [{ coding: { kind: 'poisson', rate: 0.1 } }, { coding: { kind: 'poisson', rate: 0.9 } }],
    settings: [
      {},
      { stepsPerRow: 2, answerSteps: 1, heldOut: 10, splitSeed: 7, coding: { kind: 'poisson', rate: 0.9 } },
      { stepsPerRow: 1, coding: { kind: 'delta', threshold: 0.5 } },
    ],
    refused: [
      [{ stepsPerRow: 0 }, 'task.stepsPerRow'],
      [{ answerSteps: 0 }, 'task.answerSteps'],
      [{ heldOut: 10_000 }, 'task.heldOut'],
      [{ splitSeed: -1 }, 'task.splitSeed'],
      [{ coding: { kind: 'poisson', rate: 2 } }, 'task.coding.rate'],
      [{ coding: { kind: 'delta', threshold: -0.1 } }, 'task.coding.threshold'],
      [{ coding: { kind: 'morse' } }, 'task.coding.kind'],
    ],
  },
  associations: {
    inputs: [{ amplitude: 0.5 }, { amplitude: 1 }],
    settings: [{}, { steps: 7, patterns: 3, inputs: 4, outputs: 2, target: 0.9 }],
    refused: [
      [{ patterns: 0 }, 'task.patterns'],
      [{ inputs: 2.5 }, 'task.inputs'],
      [{ amplitude: -1 }, 'task.amplitude'],
    ],
  },
  subtasks: {
    settings: [{}, { inputs: 30, active: 5, outputs: 3, steps: 40, outOfReach: 2 }],
    refused: [
      [{ active: 60 }, 'task.active'],
      [{ inputs: 0 }, 'task.inputs'],
      [{ steps: 40 }, 'task.steps'],
      [{ steps: 55, outOfReach: 1 }, 'task.steps'],
      [{ power: 0 }, 'task.power'],
      [{ outOfReach: -1 }, 'task.outOfReach'],
    ],
  },
  'cart-pole': {
    inputs: [{ sharpness: 1 }, { sharpness: 3 }],
    settings: [{ moves: 10 }, { moves: 5, stepsPerMove: 1, cells: 4, sharpness: 0.5 }],
    refused: [
      [{ moves: 0 }, 'task.moves'],
      [{ stepsPerMove: 1.5 }, 'task.stepsPerMove'],
      [{ cells: 1 }, 'task.cells'],
      [{ sharpness: 0 }, 'task.sharpness'],
    ],
  },
  'cued-segments': {
    inputs: [{ cue: 0 }, { cue: 2 }],
    settings: [
      { segments: 5, steps: 12 },
      { segments: 6, steps: 10, outputs: 3, harmonics: 1, amplitude: 0.4, rounds: 2 },
    ],
    refused: [
      [{ segments: 0 }, 'task.segments'],
      [{ steps: 2.5 }, 'task.steps'],
      [{ outputs: 0 }, 'task.outputs'],
      [{ harmonics: 0 }, 'task.harmonics'],
      [{ amplitude: 0 }, 'task.amplitude'],
      [{ order: [] }, 'task.order'],
      [{ rounds: 0 }, 'task.rounds'],
      [{ order: [0, 4] }, 'task.order'],
      [{ order: [0.5] }, 'task.order.0'],
    ],
  },
  'periodic-output': {
    inputs: [{ cue: 0 }, { cue: 3 }],
    seedless: 'the pattern is the one of the paper, and there is no input but the cue',
    settings: [{}, { steps: 60, period: 25, amplitudes: [0.3], cue: -2 }],
    refused: [
      [{ steps: 0 }, 'task.steps'],
      [{ steps: 2.5 }, 'task.steps'],
      [{ period: 0 }, 'task.period'],
      [{ amplitudes: [] }, 'task.amplitudes'],
      [{ cue: 'go' }, 'task.cue'],
    ],
  },
};

it('has a row for every registered task', () => {
  expect(Object.keys(rows).sort()).toEqual(tasks.map(({ kind }) => kind).sort());
});

const { resolve } = createRequire(import.meta.url);

function isInstalled(name: string): boolean {
  try {
    return resolve(name) !== '';
  } catch {
    return false;
  }
}

const isTried = (kind: string) => [rows[kind]?.needs ?? []].flat().every(isInstalled);
const cases = tasks
  .filter(({ kind }) => isTried(kind))
  .flatMap(({ kind }) => (rows[kind]?.settings ?? []).map((settings) => ({ kind, settings })));
const untried = tasks.filter(({ kind }) => !isTried(kind)).map(({ kind }) => ({ kind, needs: rows[kind]?.needs }));

it.skip.each(untried)('task $kind needs the package $needs', () => {});

const refusals = tasks.flatMap(({ kind }) =>
  (rows[kind]?.refused ?? []).map(([settings, path]) => ({ kind, settings, path })),
);

function derive(kind: string, settings: object, seed = 1): TaskInstance {
  const model = tasks.find((task) => task.kind === kind);
  if (!model) throw new Error(`no task "${kind}"`);
  const params = parseWith(model.params, { kind, ...settings }, 'task');
  return model.derive(params as never, { dtMs: 1, rng: createRng(seed).split('task') });
}

interface Filled {
  readonly x: Float64Array;
  readonly target: Float64Array;
  readonly expected: Float64Array;
  readonly weight: Float64Array;
}

/** Lengths of the pieces in which [0, total) is filled; each piece in arrays of its own. */
function fillInPieces(
  task: TaskInstance,
  pieces: readonly number[],
  stream: number,
  seed: number,
  split: Split = 'train',
): Filled {
  const rng = createRng(seed)
    .split(split === 'train' ? 'data' : 'evaluation')
    .split(stream);
  const filled = { x: [] as number[], target: [] as number[], expected: [] as number[], weight: [] as number[] };
  let start = 0;
  for (const steps of pieces) {
    const piece = emptyPiece(task, steps);
    task.fill({ ...piece, steps, xStride: task.nIn }, rng, start, split);
    start += steps;
    for (const name of ['x', 'target', 'expected', 'weight'] as const) filled[name].push(...piece[name]);
  }
  const { x, target, expected, weight } = filled;
  return {
    x: Float64Array.from(x),
    target: Float64Array.from(target),
    expected: Float64Array.from(expected),
    weight: Float64Array.from(weight),
  };
}

/** Arrays full of NaN, so that what a task leaves out is seen. */
function emptyPiece(task: TaskInstance, steps: number): Filled {
  const array = (length: number) => new Float64Array(length).fill(Number.NaN);
  return {
    x: array(steps * task.nIn),
    target: array(steps * task.nOut),
    expected: array(steps * task.nOut),
    weight: array(steps),
  };
}

const length = (task: TaskInstance) => (task.mode.kind === 'trial' ? task.mode.steps : 60);

/** Trials (or stretches of a stream) that occur in both splits, of so many streams each. */
function sharedTrials(task: TaskInstance, count: number): number {
  const textOf = (stream: number, split: Split) => {
    const { x, target } = fillInPieces(task, [length(task)], stream, 1, split);
    return `${x.join()};${target.join()}`;
  };
  const trained = new Set(Array.from({ length: count }, (_, b) => textOf(b, 'train')));
  return Array.from({ length: count }, (_, b) => textOf(b, 'test')).filter((text) => trained.has(text)).length;
}

describe('training and test', () => {
  const labels = (claims: Partial<TaskInstance>, keyed: boolean): TaskInstance => ({
    ...derive('pattern-generation', { steps: 20, inputs: 2 }),
    ...claims,
    fill(out, _rng, start, split) {
      const own = createRng(5)
        .split(keyed ? split : 'all')
        .split(start);
      for (let s = 0; s < 20; s++) {
        for (let i = 0; i < 2; i++) out.x[s * out.xStride + i] = own.uniform();
        out.target[s] = own.bernoulli(0.5);
        out.weight[s] = 1;
      }
    },
  });

  it('are told apart where a task learns labels by heart', () => {
    expect(sharedTrials(labels({ testIsNew: true }, false), 4)).toBe(4);
    expect(sharedTrials(labels({ testIsNew: true }, true), 4)).toBe(0);
  });
});

describe.each(cases)('task $kind with $settings', ({ kind, settings }) => {
  const task = derive(kind, settings);
  it('shares no trial between training and test, or says that it has but one', () => {
    expect(sharedTrials(task, 8)).toBe(task.testIsNew ? 0 : 8);
  });

  const n = length(task);
  const whole = fillInPieces(task, [n], 0, 1);

  it('fills every entry with finite numbers, and weights within [0, 1]', () => {
    for (const array of [whole.x, whole.target, whole.weight]) expect(array.every(Number.isFinite)).toBe(true);
    if (task.statesExpected) expect(whole.expected.every(Number.isFinite)).toBe(true);
    expect(whole.weight.every((w) => w >= 0 && w <= 1)).toBe(true);
    expect(whole.weight.some((w) => w > 0)).toBe(true);
    expect(whole.x.some((value) => value !== 0)).toBe(true);
  });

  it('leaves alone what is not its own: the bias column and everything after its steps', () => {
    const steps = task.mode.kind === 'trial' ? n : n - 7;
    const stride = task.nIn + 1;
    const wide = { ...emptyPiece(task, n + 5), x: new Float64Array((n + 5) * stride).fill(Number.NaN) };
    task.fill({ ...wide, steps, xStride: stride }, createRng(1).split('data').split(0), 0, 'train');
    wide.x.forEach((value, s) => {
      const [t, i] = [Math.floor(s / stride), s % stride];
      if (t < steps && i < task.nIn) expect(value).toBe(whole.x[t * task.nIn + i]);
      else expect(value).toBeNaN();
    });
    expect(wide.target.subarray(steps * task.nOut).every(Number.isNaN)).toBe(true);
    expect(wide.weight.subarray(steps).every(Number.isNaN)).toBe(true);
    expect(wide.target.subarray(0, steps * task.nOut)).toBeBitEqual(whole.target.subarray(0, steps * task.nOut));
  });

  it('is the same for the same seed and another for another', () => {
    expect(fillInPieces(derive(kind, settings), [n], 0, 1)).toEqual(whole);
    const other = fillInPieces(derive(kind, settings, 2), [n], 0, 2);
    if (rows[kind]?.seedless) expect(other).toEqual(whole);
    else expect(other.x).not.toBeBitEqual(whole.x);
  });

  it('names its input populations and its bounds', () => {
    expect(task.inputPopulations.reduce((sum, { size }) => sum + size, 0)).toBe(task.nIn);
    expect(task.bounds.every(({ value }) => Number.isFinite(value) && value >= 0)).toBe(true);
  });
});

const streams = cases.filter(({ kind, settings }) => derive(kind, settings).mode.kind === 'stream');

describe.each(streams)('stream $kind with $settings', ({ kind, settings }) => {
  const task = derive(kind, settings);

  it('is causal: a prefix filled alone or in chunks of any size has the same bits', () => {
    const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 3 }), (sizes, more, stream) => {
        const n = sizes.reduce((sum, size) => sum + size, 0);
        const chunked = fillInPieces(task, sizes, stream, 4);
        const longer = fillInPieces(task, [n + more], stream, 4);
        for (const name of ['x', 'target', 'expected', 'weight'] as const) {
          expect(longer[name].subarray(0, chunked[name].length), name).toBeBitEqual(chunked[name]);
        }
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  it('stays the same across the blocks in which its random numbers come', () => {
    const whole = fillInPieces(task, [5000], 0, 4);
    const pieces = fillInPieces(task, [1023, 1, 1, 1999, 1976], 0, 4);
    for (const name of ['x', 'target', 'weight'] as const) expect(pieces[name]).toBeBitEqual(whole[name]);
  });

  it('has streams that do not know of one another', () => {
    const n = 4000;
    // Cells that fire regularly share their clock over all streams; what they tell of is still each stream's own.
    const regular = JSON.stringify(settings).includes('regular');
    const of = (filled: ReturnType<typeof fillInPieces>) =>
      regular ? filled.expected.filter((_, s) => s % task.nOut === 0) : filled.x.filter((_, s) => s % task.nIn === 0);
    const inputs = [0, 1, 2].map((stream) => of(fillInPieces(task, [n], stream, 4)));
    const perSymbol = task.mode.kind === 'stream' ? task.mode.stepsPerSymbol : 1;
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ]) {
      expect(Math.abs(correlation(inputs[a], inputs[b]))).toBeLessThan(4 / Math.sqrt(n / perSymbol));
    }
  });
});

function correlation(a: Float64Array, b: Float64Array): number {
  const mean = (x: Float64Array) => x.reduce((sum, value) => sum + value, 0) / x.length;
  const [ma, mb] = [mean(a), mean(b)];
  const sum = (f: (s: number) => number) => a.reduce((total, _, s) => total + f(s), 0);
  const covariance = sum((s) => (a[s] - ma) * (b[s] - mb));
  return covariance / Math.sqrt(sum((s) => (a[s] - ma) ** 2) * sum((s) => (b[s] - mb) ** 2));
}

const trials = cases.filter(({ kind, settings }) => rows[kind]?.inputs && derive(kind, settings).mode.kind === 'trial');

describe.each(trials)('trial $kind with $settings', ({ kind, settings }) => {
  it('has a target that does not know the input', () => {
    const n = length(derive(kind, settings));
    const [quiet, loud] = (rows[kind]?.inputs ?? []).map((input) =>
      fillInPieces(derive(kind, { ...settings, ...input }), [n], 0, 1),
    );
    expect(quiet.x).not.toBeBitEqual(loud.x);
    expect(quiet.target).toBeBitEqual(loud.target);
  });
});

describe('settings out of range', () => {
  it.each(refusals)('$kind refuses $settings and names $path', ({ kind, settings, path }) => {
    const build = () =>
      createExperiment(
        {
          task: { kind, ...settings },
          network: { neurons: 4, neuron: { kind: 'lif' } },
          rule: { name: 'e-prop-1' },
          loss: { kind: 'square' },
          optimizer: { kind: 'sgd', rates: { in: 0, rec: 0, out: 0 } },
          training: { total: 1 },
        },
        { ...models, tasks },
      );
    expect(build).toThrow(ConfigError);
    expect(build).toThrow(new RegExp(`^${path.replaceAll('.', '\\.')}: got .*, expected `));
  });
});
