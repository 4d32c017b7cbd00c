import { inputGain, linearOf } from '../../src/core/dynamics.ts';
import { addCurrent } from '../../src/core/forward.ts';
import type { Real } from '../../src/core/layout.ts';
import { addOuter, predict } from '../../src/core/linearMaps.ts';
import type {
  BoundOuter,
  DirectContext,
  LinearDynamics,
  OuterBinding,
  ProjectionShape,
  PsiTriangle,
} from '../../src/core/plugins.ts';
import { type Rows, rowAt } from '../../src/core/rows.ts';
import { bindBackward } from '../traces/backward.ts';
import { addRows, filter } from '../traces/kernels.ts';
import { backThrough, bindWayBack } from './wayBack.ts';

/** Constants of the rule; see `models/direct/learnedSignal.ts` for its equations. */
interface Constants {
  /** Place of the module among the populations. */
  readonly module: number;
  /** Of the update between the passes. */
  readonly rate: number;
  /** Of the filter on the module's spikes, per step, and the factor on what it reads. */
  readonly decay: number;
  readonly gain: number;
  /** Whether initial weights hear of the inner trial. */
  readonly full: boolean;
}

/** A projection whose weights differ from stream to stream in the test trial. */
interface Adapted extends ProjectionShape {
  readonly pre: number | null;
  readonly rows: Rows;
  /** Weights of the test trial, and dE/dW' of it. [syn] */
  readonly weights: Real;
  readonly debt: Real;
}

/** A population that is taught, and what both sides of the update share of a stream. [step][self] each */
interface Taught {
  readonly place: number;
  readonly size: number;
  /** Its first column among the neurons that are taught. */
  readonly column: number;
  readonly dynamics: LinearDynamics;
  readonly ends: readonly Adapted[];
  /** What the trace's own filter backwards in time makes of L: of one unit of input, and of the spike. */
  readonly drive: Float64Array;
  readonly total: Float64Array;
  /** Change of the distance from the threshold in the direction G'. */
  readonly moved: Float64Array;
  /** States in this direction, [self][m], those of one neuron, and what arrives and leaves. [self] */
  readonly h: Float64Array;
  readonly next: Float64Array;
  readonly arriving: Float64Array;
  readonly spike: Float64Array;
}

/** Both sides of the update between the passes, on the rows of a network. */
export function bindLearnedSignal(binding: OuterBinding, context: DirectContext, own: Constants): BoundOuter {
  const taught = taughtOf(binding, context, own.module);
  const signals = bindSignals(binding, taught, own);
  const adaptOne = bindAdapt(binding, context, own);
  const creditOne = bindTangent(binding, context, own, signals.credit, signals.columns);
  const back = bindInnerWayBack(binding, context, own, taught, signals);
  const { projections, test } = binding;
  return {
    adapt(b, steps) {
      test.forEach((pass, q) => {
        pass?.weights.set(projections[q].weights);
      });
      signals.tell(b, steps);
      for (const population of taught) adaptOne(population, b, steps);
    },
    credit(b, steps) {
      test.forEach((pass, q) => {
        if (!pass) return;
        const { gradient } = pass;
        for (const s of binding.network.projections[q].synapses.masked) gradient[s] = 0;
        for (let s = 0; s < gradient.length; s++) projections[q].gradient[s] += gradient[s];
      });
      for (const population of taught) creditOne(population, b, steps);
      signals.learn(steps);
      back(b, steps);
    },
    signalCredit: signals.credit,
  };
}

function taughtOf(binding: OuterBinding, context: DirectContext, module: number): Taught[] {
  const { network, projections, test } = binding;
  const { step } = network.sizes;
  let columns = 0;
  return network.populations.flatMap(({ size }, place): Taught[] => {
    if (place === module) return [];
    const column = columns;
    columns += size;
    const ends = network.projections.flatMap((shape, q): Adapted[] => {
      const pass = test[q];
      if (shape.post !== place || !pass || !context.plastic[q]) return [];
      return [{ ...shape, rows: projections[q].pre, weights: pass.weights, debt: pass.gradient }];
    });
    const rows = () => new Float64Array(step * size);
    const dynamics = linearOf(context.neurons[place], size);
    const { states } = dynamics;
    const [h, next, arriving, spike] = [size * states, states, size, size].map((n) => new Float64Array(n));
    const shared = { drive: rows(), total: rows(), moved: rows() };
    return [{ place, size, column, dynamics, ends, ...shared, h, next, arriving, spike }];
  });
}

/** From the module's spikes to learning signals, and what these owe. */
interface Signals {
  /** Neurons that are taught. */
  readonly columns: number;
  /** dE/dL. [step][columns] */
  readonly credit: Float64Array;
  /** Writes L of a stream into the rows of those that are taught. */
  tell(b: number, steps: number): void;
  /** Adds the gradient of Psi. */
  learn(steps: number): void;
  /** What the module's activity owes through step t; from the last step to the first. [module] */
  bring(out: Real, t: number): void;
  /** Nothing is owed by what comes later. */
  start(): void;
}

function bindSignals(
  { network, populations, signal }: OuterBinding,
  taught: readonly Taught[],
  own: Constants,
): Signals {
  const { module, decay, gain } = own;
  const nModule = network.populations[module].size;
  const columns = taught.reduce((sum, { size }) => sum + size, 0);
  const filtered = new Float64Array(network.sizes.step * nModule);
  const now = new Float64Array(nModule);
  const row = new Float64Array(columns);
  const credit = new Float64Array(network.sizes.step * columns);
  const owed = new Float64Array(nModule);
  const spikes = populations[module].z;
  return {
    columns,
    credit,
    tell(b, steps) {
      now.fill(0);
      for (let t = 0; t < steps; t++) {
        filter(now, spikes.data, 0, rowAt(spikes, b, t), decay, gain, nModule);
        filtered.set(now, t * nModule);
        row.fill(0);
        predict(row, 0, signal.weights, now, 0, nModule, columns);
        for (const { place, column, size } of taught) {
          const { signal: L } = populations[place];
          L.data.set(row.subarray(column, column + size), rowAt(L, b, t));
        }
      }
    },
    learn(steps) {
      addOuter(signal.gradient, filtered, 0, nModule, credit, 1, nModule, columns, steps);
    },
    start: () => owed.fill(0),
    bring(out, t) {
      pullBackRow(owed, signal.weights, credit, t * columns, decay, gain, nModule, columns);
      out.set(owed);
    },
  };
}

/** W' = W - rate sum_t L e, the sum by the trace's filter backwards in time: one row for every presynaptic spike. */
function bindAdapt(
  { populations }: OuterBinding,
  { neurons, borderSpikes }: DirectContext,
  { rate }: Constants,
): (population: Taught, b: number, steps: number) => void {
  const backs = populations.map(({ psi }, p) => bindBackward(neurons[p], psi.data, psi.size, false));
  return ({ place, size, ends, drive, total }, b, steps) => {
    const { psi, signal } = populations[place];
    const back = backs[place];
    const scale = -rate * inputGain(neurons[place]);
    back.start();
    for (let t = steps - 1; t >= 0; t--) {
      const from = rowAt(signal, b, t);
      for (let j = 0; j < size; j++) {
        back.credit[j] = signal.data[from + j];
        total[t * size + j] = back.credit[j] + back.ownCredit(j);
      }
      back.step(rowAt(psi, b, t));
      drive.set(back.drive, t * size);
      if (t === 0 && borderSpikes === 'drop') continue;
      for (const { rows, weights, delay, synapses } of ends) {
        const { rowStart, post, nPre } = synapses;
        addRows(weights, rows.data, back.drive, rowStart, post, rowAt(rows, b, t - delay), scale, nPre);
      }
    }
    for (const { weights, synapses } of ends) for (const s of synapses.masked) weights[s] = 0;
  };
}

/**
 * The local dynamics of a population in the direction G', forwards; without psi it is `moved`:
 *
 *     h(t) = transition h(t-1) + input sum_i G'_ij p_i(t-d) + own s(t-1),    s(t) = psi(t) read . h(t),    dE/dL(t) = - rate s(t)
 */
function bindTangent(
  { populations }: OuterBinding,
  { borderSpikes }: DirectContext,
  { rate }: Constants,
  credit: Float64Array,
  columns: number,
): (population: Taught, b: number, steps: number) => void {
  return ({ place, size, column, dynamics, ends, moved, h, next, arriving, spike }, b, steps) => {
    const { psi } = populations[place];
    h.fill(0);
    spike.fill(0);
    for (let t = 0; t < steps; t++) {
      arriving.fill(0);
      if (t > 0 || borderSpikes === 'keep') {
        for (const { rows, debt, delay, synapses } of ends) {
          addCurrent(arriving, debt, rows.data, synapses, rowAt(rows, b, t - delay));
        }
      }
      advance(moved, h, next, arriving, spike, dynamics, t * size, size);
      const from = rowAt(psi, b, t);
      for (let j = 0; j < size; j++) {
        spike[j] = psi.data[from + j] * moved[t * size + j];
        credit[t * columns + column + j] = -rate * spike[j];
      }
    }
  };
}

/** Backwards through the inner trial: the module, and in full also those that it teaches. */
function bindInnerWayBack(
  binding: OuterBinding,
  context: DirectContext,
  { module, rate, full }: Constants,
  taught: readonly Taught[],
  signals: Signals,
): (b: number, steps: number) => void {
  const { network, populations } = binding;
  const way = bindWayBack(binding, context, true, (p) => full || p === module);
  const { borderSpikes, neurons, kinds } = context;
  let last = 0;
  /** As a presynaptic spike of the traces that it acts on later. */
  const bringTrace = (place: number, t: number) => {
    const { credit } = way.neurons[place];
    for (const { place: post, size, ends, drive } of taught) {
      for (const { pre, delay, debt, synapses } of ends) {
        if (pre !== place || t + delay >= last) continue;
        if (delay === 0 && t === 0 && borderSpikes === 'drop') continue;
        const gain = -rate * inputGain(neurons[post]);
        backThrough(credit, debt, drive, (t + delay) * size, synapses.rowStart, synapses.post, gain, synapses.nPre);
      }
    }
  };
  const own = network.populations.map((_, p) => taught.find(({ place }) => place === p) ?? null);
  const bring = (place: number, b: number, t: number) => {
    const { credit } = way.neurons[place];
    const population = own[place];
    if (!population) return signals.bring(credit, t);
    const { z, psi } = populations[place];
    const { size, total, moved } = population;
    const { slope, peak } = kinds[place].triangle as PsiTriangle;
    const [ofPsi, ofZ] = [rowAt(psi, b, t), rowAt(z, b, t)];
    credit.fill(0);
    bringTrace(place, t);
    bringSlope(credit, total, moved, psi.data, z.data, slope, peak, -rate, t * size, ofPsi, ofZ, size);
  };
  return (b, steps) => {
    last = steps;
    way.start();
    signals.start();
    for (let t = steps - 1; t >= 0; t--) way.step(b, t, bring);
  };
}

/**
 * credit += factor total moved dpsi/dx / psi: what the spike owes through psi of its own trace, psi times which the distance x owes.
 * dpsi/dx = -slope above the threshold, where z is above its value at the peak, slope below.   rows: of total and moved at `at`
 */
function bringSlope(
  credit: Real,
  total: Real,
  moved: Real,
  psi: Real,
  z: Real,
  slope: Real,
  peak: number,
  factor: number,
  at: number,
  ofPsi: number,
  ofZ: number,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    const height = psi[ofPsi + j];
    if (height === 0) continue;
    const side = z[ofZ + j] > peak ? -slope[j] : slope[j];
    credit[j] += (factor * total[at + j] * moved[at + j] * side) / height;
  }
}

/** h <- transition h + input arriving + own spike;  moved = read . h.   h: [self][m]; moved: row at `at` */
function advance(
  moved: Real,
  h: Real,
  next: Real,
  arriving: Real,
  spike: Real,
  { states: m, transition, input, own, read }: LinearDynamics,
  at: number,
  n: number,
): void {
  for (let j = 0; j < n; j++) {
    const first = j * m;
    let sum = 0;
    for (let r = 0; r < m; r++) {
      let value = input[first + r] * arriving[j] + own[first + r] * spike[j];
      for (let k = 0; k < m; k++) value += transition[(first + r) * m + k] * h[first + k];
      next[r] = value;
      sum += read[first + r] * value;
    }
    for (let r = 0; r < m; r++) h[first + r] = next[r];
    moved[at + j] = sum;
  }
}

/** F_m(t) = gain sum_j Psi_mj c_j(t) + decay F_m(t+1).   F: [n]; c: row at `from`, [columns] */
function pullBackRow(
  F: Real,
  Psi: Real,
  c: Real,
  from: number,
  decay: number,
  gain: number,
  n: number,
  columns: number,
): void {
  for (let m = 0; m < n; m++) {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += Psi[m * columns + j] * c[from + j];
    F[m] = gain * sum + decay * F[m];
  }
}
