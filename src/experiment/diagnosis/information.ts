import type { Measure } from '../../core/findings.ts';
import { square } from '../../core/linearMaps.ts';
import { createRng, type Rng } from '../../core/rng.ts';
import type { Experiment } from '../experiment.ts';
import { idealOf } from './progress.ts';
import { predictedShare, type Table } from './regression.ts';
import type { Samples, Sequence } from './samples.ts';
import { now, unmeasured } from './updates.ts';

/** Lags that are looked through, in steps; those kept, few and many; steps of a trial that are looked at; rows of either half; random features. */
const most = { lags: 512, few: 8, kept: 48, perTrial: 8, rows: 2500, random: 64 };
const where = 'the targets';

/**
 * What of the targets inputs tell: ridge regressions on a few inputs of the past (the lags at which they go with the target most); on more of
 * them, leaky traces, and the place in the trial; on random tanh units beside these; and on leaky traces of single cells. Inputs are means of the
 * cells of a group. Each is fitted to one half of the data and measured on the other, and the best one counts. Where the task knows what nobody
 * can do better than, that counts too: no probe finds what only several inputs together say.
 *
 * @param constant loss of the best output that is always the same; null: there is none
 */
export function measureInformation({ task }: Experiment, samples: Samples, constant: number | null): Measure {
  if (task.environment) return unmeasured('information', where, 'the task answers: its targets are the actions taken');
  const { sequences, oneTrial, nOut } = samples;
  if (oneTrial || !task.testIsNew)
    return unmeasured('information', where, 'the trials are to be learned by heart, so that none are new');
  const endless = task.mode.kind === 'stream';
  const half = (first: boolean) =>
    endless
      ? sequences.map((sequence) => placesOf(sequence, (t) => t < sequence.steps / 2 === first))
      : sequences.map((sequence, n) => ((n % 2 === 0) === first ? placesOf(sequence, () => true) : []));
  const [train, test] = [half(true), half(false)].map((places) => thinned(places, endless));
  if (count(train) < 20) return unmeasured('information', where, 'fewer than 20 scored steps in the data looked at');
  const lags = chosenLags(samples, train);
  const tables = (features: Features) =>
    [train, test].map((places) => tableOf(sequences, places, features, nOut)) as [Table, Table];
  const few = tables(featuresOf(samples, { lags: lags.slice(0, most.few), taus: [] }, true));
  const linear = tables(featuresOf(samples, { lags, taus: tausFor(samples.groups.length) }, endless));
  const mixed = withRandom(...linear, createRng(1).split('probe'));
  const cells = samples.nIn > samples.groups.length ? [tables(cellsOf(samples, endless))] : [];
  const probed = [few, linear, mixed, ...cells].map((pair) => predictedShare(...pair));
  return now('information', where, Math.max(knownShare(idealOf(task), constant), ...probed));
}

/** Of the loss of the best constant output, what an ideal predictor has less; -Infinity where neither or only one is known. */
function knownShare(ideal: number | null, constant: number | null): number {
  return ideal === null || !constant ? Number.NEGATIVE_INFINITY : 1 - ideal / constant;
}

function placesOf({ scored }: Sequence, belongs: (t: number) => boolean): number[] {
  return scored.filter(belongs);
}

/** As many steps of every sequence as are needed, evenly. */
function thinned(places: readonly (readonly number[])[], endless: boolean): number[][] {
  const filled = places.filter((own) => own.length > 0).length;
  const each = Math.max(1, Math.min(endless ? most.rows : most.perTrial, Math.ceil(most.rows / Math.max(1, filled))));
  return places.map((own) => {
    const stride = Math.max(1, own.length / each);
    return Array.from({ length: Math.min(each, own.length) }, (_, n) => own[Math.floor(n * stride)]);
  });
}

function count(places: readonly (readonly number[])[]): number {
  return places.reduce((sum, own) => sum + own.length, 0);
}

/** The pairs of a group and a lag whose input goes with the target most. */
function chosenLags({ sequences, groups, nOut }: Samples, places: readonly (readonly number[])[]) {
  const longest = Math.min(most.lags, Math.max(...sequences.map(({ steps }) => steps)));
  const found: { g: number; lag: number; strength: number }[] = [];
  for (let g = 0; g < groups.length; g++) {
    for (let lag = 0; lag < longest; lag++) {
      found.push({ g, lag, strength: correlation(sequences, places, { g, lag, width: groups.length, nOut }) });
    }
  }
  return found.sort((a, b) => b.strength - a.strength).slice(0, most.kept);
}

/** Sum over outputs of the squared correlation of x_g(t - lag) with the target. */
function correlation(
  sequences: readonly Sequence[],
  places: readonly (readonly number[])[],
  { g, lag, width, nOut }: { g: number; lag: number; width: number; nOut: number },
): number {
  let [n, sx, sxx] = [0, 0, 0];
  const sy = new Float64Array(nOut);
  const syy = new Float64Array(nOut);
  const sxy = new Float64Array(nOut);
  sequences.forEach(({ input, target }, s) => {
    for (const t of places[s]) {
      const x = t >= lag ? input[(t - lag) * width + g] : 0;
      n += 1;
      sx += x;
      sxx += x * x;
      for (let k = 0; k < nOut; k++) {
        const y = target[t * nOut + k];
        sy[k] += y;
        syy[k] += y * y;
        sxy[k] += x * y;
      }
    }
  });
  let sum = 0;
  const vx = sxx - (sx * sx) / n;
  for (let k = 0; k < nOut; k++) {
    const vy = syy[k] - (sy[k] * sy[k]) / n;
    if (vx > 1e-9 && vy > 1e-9) sum += (sxy[k] - (sx * sy[k]) / n) ** 2 / (vx * vy);
  }
  return sum;
}

/** Features of every step of a sequence that is asked for. */
type Features = (sequence: Sequence, places: readonly number[]) => Float64Array[];

/** Wide inputs have fewer time constants, or there would be more features than rows. */
function tausFor(width: number): readonly number[] {
  return width > 32 ? [16, 256] : [2, 4, 8, 16, 32, 64, 128, 256, 1024];
}

function featuresOf(
  { groups }: Samples,
  { lags, taus }: { readonly lags: readonly { g: number; lag: number }[]; readonly taus: readonly number[] },
  endless: boolean,
): Features {
  const width = groups.length;
  const shown = Math.min(width, 64);
  return ({ input, steps }, places) =>
    tracesAt(input, { width, shown, taus, steps }, places).map((traces, n) => {
      const t = places[n];
      const taps = lags.map(({ g, lag }) => (t >= lag ? input[(t - lag) * width + g] : 0));
      return Float64Array.from([...taps, ...traces, ...(endless ? [] : placeIn(t, steps))]);
    });
}

/** Leaky traces of single cells, where a group may say more than its mean does. */
function cellsOf({ nIn }: Samples, endless: boolean): Features {
  const shown = Math.min(nIn, 128);
  return ({ cells, steps }, places) =>
    tracesAt(cells, { width: nIn, shown, taus: [16, 256], steps }, places).map((traces, n) =>
      Float64Array.from([...traces, ...(endless ? [] : placeIn(places[n], steps))]),
    );
}

/** Leaky means of the first columns of x at some steps, in ascending order.   x: [step][width] */
function tracesAt(
  x: Float64Array,
  { width, shown, taus, steps }: { width: number; shown: number; taus: readonly number[]; steps: number },
  places: readonly number[],
): Float64Array[] {
  const traces = new Float64Array(taus.length * shown);
  const keeps = taus.map((tau) => Math.exp(-1 / tau));
  const rows: Float64Array[] = [];
  for (let t = 0; t < steps && rows.length < places.length; t++) {
    for (let c = 0; c < keeps.length; c++) {
      for (let g = 0; g < shown; g++) {
        const at = c * shown + g;
        traces[at] = keeps[c] * traces[at] + (1 - keeps[c]) * x[t * width + g];
      }
    }
    if (places[rows.length] === t) rows.push(traces.slice());
  }
  return rows;
}

/** Where in a trial a step lies, as waves over the trial. */
function placeIn(t: number, steps: number): number[] {
  return [1, 2, 3, 4].flatMap((k) => waves((2 * Math.PI * k * t) / steps));
}

const waves = (phase: number) => [Math.sin(phase), Math.cos(phase)];

function tableOf(
  sequences: readonly Sequence[],
  places: readonly (readonly number[])[],
  features: Features,
  nOut: number,
): Table {
  const x: Float64Array[] = [];
  const y: Float64Array[] = [];
  sequences.forEach((sequence, s) => {
    x.push(...features(sequence, places[s]));
    for (const t of places[s]) y.push(sequence.target.slice(t * nOut, (t + 1) * nOut));
  });
  return { x, y };
}

/** The same rows with tanh of random sums of the features behind them. */
function withRandom(train: Table, test: Table, rng: Rng): [Table, Table] {
  const width = train.x[0].length;
  const weights = Float64Array.from({ length: most.random * (width + 1) }, () => rng.normal());
  const squares = train.x.reduce((sum, row) => sum + square(row, 0, width), 0);
  const gain = 1.5 / Math.max(1e-9, Math.sqrt(squares / train.x.length));
  const wider = ({ x, y }: Table): Table => ({ x: x.map((row) => withUnits(row, weights, gain)), y });
  return [wider(train), wider(test)];
}

/** x, then tanh(gain W x + c).   W, c: [random][width + 1] */
function withUnits(x: Float64Array, weights: Float64Array, gain: number): Float64Array {
  const n = x.length;
  const out = new Float64Array(n + most.random);
  out.set(x);
  for (let u = 0; u < most.random; u++) {
    const row = u * (n + 1);
    let sum = 0;
    for (let f = 0; f < n; f++) sum += weights[row + f] * x[f];
    out[n + u] = Math.tanh(gain * sum + weights[row + n]);
  }
  return out;
}
