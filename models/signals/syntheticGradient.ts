import { z } from 'zod';
import { drawFeedback } from '../../src/core/feedback.ts';
import type { Field, Layout, Real } from '../../src/core/layout.ts';
import * as maps from '../../src/core/linearMaps.ts';
import { type FastLoops, scratchOf } from '../../src/core/loops.ts';
import type { Rng } from '../../src/core/rng.ts';
import { countTo, magnitude } from '../../src/core/schema.ts';
import { nearestPowerOfTwo } from '../../src/core/units.ts';

const { square } = maps;

/** Parameters of the prediction, which a rule has by the same names. */
export const predictorParams = {
  rate: magnitude.default(0.05).describe('of Psi'),
  normalised: z.boolean().default(true).describe('divide it by the squared length of the features'),
  hidden: countTo(100_000)
    .nullable()
    .default(null)
    .describe('tanh units between the features and Psi, which learn with the same rate; null: Psi reads the features'),
};

interface Params {
  readonly rate: number;
  readonly normalised: boolean;
  readonly hidden: number | null;
}

/** A prediction of credit: lengths of f and of what is predicted. */
export interface Predictor extends Params {
  readonly features: number;
  readonly targets: number;
  /** Whether rates are rounded to powers of two. */
  readonly powersOfTwo: boolean;
}

/** Numbers that Psi reads: f, or the hidden units and a 1. */
const readOf = ({ features, hidden }: Predictor) => (hidden === null ? features : hidden + 1);

export function predictorLayout(predictor: Predictor): Layout {
  const { features, targets, hidden } = predictor;
  const credit = (doc: string): Field => ({
    shape: ['stream', targets],
    home: 'post',
    unit: 'dE/dh',
    doc,
    transient: true,
  });
  const matrix = (shape: [number, number], doc: string): Field => ({
    shape,
    home: 'synapse',
    unit: '1',
    doc,
    outer: true,
  });
  return {
    Psi: matrix([readOf(predictor), targets], 'predictor of the credit behind a window, [feature or unit][target]'),
    ...(hidden === null ? {} : { V: matrix([features, hidden], 'weights of the hidden units, [feature][unit]') }),
    border: {
      shape: ['stream', features],
      home: 'post',
      unit: '1',
      doc: 'f at the end of the last window, its last entry 1; 0 where nothing follows it',
      restarts: true,
    },
    predicted: credit('what Psi said at the end of the last window'),
    target: credit('credit at its beginning: what Psi should have said before'),
    losses: {
      shape: [3],
      home: 'global',
      unit: '1',
      doc: 'summed losses of Psi and of a prediction of 0, and windows',
      bookkeeping: true,
    },
  };
}

/** Psi starts at 0, so that the first prediction is 0; weights of hidden units are normal, sd 1 / sqrt(features). */
export function initPredictor({ features, hidden }: Predictor, state: Readonly<Record<string, Real>>, rng: Rng): void {
  if (hidden !== null) drawFeedback(state.V, 1, features, rng);
}

interface Binding {
  readonly state: Readonly<Record<string, Real>>;
  readonly loops?: FastLoops | undefined;
  readonly stream: number;
}

/** @returns predict: writes `predicted` of every stream for these f, [stream][features]; learn: Psi follows `target` of the border before */
export function bindPredictor(predictor: Predictor, binding: Binding) {
  const { features, targets } = predictor;
  const { state, loops, stream } = binding;
  const { predict } = { ...maps, ...loops };
  const read = readOf(predictor);
  const unitsOf = bindUnits(predictor, binding);
  return {
    predict(now: Real): void {
      const q = unitsOf(now);
      state.predicted.fill(0);
      for (let b = 0; b < stream; b++) predict(state.predicted, b * targets, state.Psi, q, b * read, read, targets);
    },
    learn: bindLearning(predictor, binding, unitsOf, features),
  };
}

/** What Psi reads of f, for all streams: f itself, or q = [tanh(V^T f), 1].   f: [stream][features] @returns [stream][read] */
function bindUnits({ features, hidden }: Predictor, { state, loops, stream }: Binding): (f: Real) => Real {
  if (hidden === null) return (f) => f;
  const { predict } = { ...maps, ...loops };
  const read = hidden + 1;
  const q = scratchOf(loops)(stream * read);
  return (f) => {
    q.fill(0);
    for (let b = 0; b < stream; b++) {
      const at = b * read;
      predict(q, at, state.V, f, b * features, features, hidden);
      for (let l = 0; l < hidden; l++) q[at + l] = Math.tanh(q[at + l]);
      q[at + hidden] = f[(b + 1) * features - 1];
    }
    return q;
  };
}

function bindLearning(
  predictor: Predictor,
  binding: Binding,
  unitsOf: (f: Real) => Real,
  features: number,
): (rateScale: number) => void {
  const { targets, hidden, powersOfTwo, normalised } = predictor;
  const { state, loops, stream } = binding;
  const { Psi, V, border, target, losses } = state;
  const { predict, addOuter } = { ...maps, ...loops };
  const read = readOf(predictor);
  const wrong = scratchOf(loops)(stream * targets);
  const owed = scratchOf(loops)(stream * (hidden ?? 0));
  const applied = (rate: number) => (powersOfTwo ? nearestPowerOfTwo(rate) : rate);
  return (rateScale) => {
    const rate = (predictor.rate * rateScale) / stream;
    const q = unitsOf(border);
    const length = hidden !== null && normalised ? square(Psi, 0, hidden * targets) : 0;
    wrong.fill(0);
    for (let b = 0; b < stream; b++) {
      const at = b * targets;
      const from = b * features;
      if (border[from + features - 1] === 0) continue;
      predict(wrong, at, Psi, q, b * read, read, targets);
      for (let s = 0; s < targets; s++) wrong[at + s] -= target[at + s];
      losses[0] += square(wrong, at, targets) / (2 * stream);
      const size = square(target, at, targets);
      losses[1] += size / (2 * stream);
      if (hidden !== null) {
        // Where nothing is owed and nothing said, nothing is to be learned.
        const unit = normalised ? square(border, from, features) * (length + size) : 1;
        bringBack(owed, q, Psi, wrong, unit > 0 ? applied(rate / unit) : 0, b, hidden, targets);
      }
      const own = applied(normalised ? rate / square(q, b * read, read) : rate);
      for (let s = 0; s < targets; s++) wrong[at + s] *= own;
    }
    losses[2] += 1;
    addOuter(Psi, q, 0, read, wrong, -1, read, targets, stream);
    if (hidden !== null) addOuter(V, border, 0, features, owed, -1, features, hidden, stream);
  };
}

/** owed_l = rate (1 - q_l^2) sum_s Psi_ls wrong_s of stream b.   owed: [stream][hidden]; q: [stream][hidden + 1]; wrong: [stream][targets] */
function bringBack(
  owed: Real,
  q: Real,
  Psi: Real,
  wrong: Real,
  rate: number,
  b: number,
  hidden: number,
  targets: number,
): void {
  const at = b * targets;
  for (let l = 0; l < hidden; l++) {
    const unit = q[b * (hidden + 1) + l];
    let sum = 0;
    for (let s = 0; s < targets; s++) sum += Psi[l * targets + s] * wrong[at + s];
    owed[b * hidden + l] = rate * (1 - unit * unit) * sum;
  }
}
