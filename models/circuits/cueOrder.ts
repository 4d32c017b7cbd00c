import { cut, type Layout, type Real, type Views } from '../../src/core/layout.ts';
import { type Rows, rowAt } from '../../src/core/rows.ts';

export interface CueOrderParams {
  /** Share of a unit's trace that is kept from step to step. */
  readonly decay: number;
  /** Learning rate of M at an onset. */
  readonly rateM: number;
  /** Learning rate of K at an onset. */
  readonly rateK: number;
  /** Factor on what the state of the network adds to a drive. */
  readonly weightK: number;
  /** Drive above which the winner takes over, in units of the trace. */
  readonly threshold: number;
  /** Steps from one decision to the next: the length of a segment. */
  readonly every: number;
  /** Input of the active unit, not 0. */
  readonly cue: number;
}

export interface CueOrderBinding {
  /** The input of the network, one column for each unit first. [stream][history + step][in] */
  readonly x: Rows;
  /** Rates of the network. [stream][history + step][self] */
  readonly z: Rows;
  /** Cue units. */
  readonly units: number;
  /** The stream that it goes with. */
  readonly stream: number;
}

/** What a decision saw: the drive of every unit, NaN for the active one, which has none. [unit] */
export type Drives = Float64Array;

export interface CueOrder {
  /** Its matrices and traces. */
  readonly state: Views;
  /** Learns from a trial of so many steps that has been cued. */
  learn(steps: number): void;
  /** Before a trial in which the loop cues: the unit that is active at its start. */
  begin(unit: number): void;
  /** The network has put out step t: writes the cue of the step after it. @returns the drives where it decided, else null */
  answer(t: number): Drives | null;
}

/** @param units cue units @param n neurons of the network */
function layoutOf(units: number, n: number): Layout {
  return {
    M: { shape: [units, units], home: 'synapse', unit: '1', doc: 'from unit to unit' },
    K: { shape: [n, units], home: 'synapse', unit: '1', doc: 'from the network to the units' },
    trace: { shape: [units], home: 'pre', unit: '1', doc: 'trace of the active unit' },
  };
}

/**
 * The second population of the augmented circuit: of its units one is active at a time, and is the tonic cue of a segment for a network that
 * has learned segments by RFLO. Its synapses learn the order of cues without reward, and then it cues the network itself.
 *
 *     tr_i(t)  = lambda tr_i(t-1) + (1 - lambda) s_i(t-1)                                s: one-hot, the cue; 0 at the start of a trial
 *     learning, where unit j sets in at step t > 0:
 *         M_ij += rateM (tr_i(t) - M_ij)  for i != j,      K_lj += rateK (h_l(t-1) - K_lj)
 *     recall, at steps t > 0 that `every` divides, for every unit j but the active one:
 *         drive_j = sum_i tr_i(t) M_ij + weightK (sum_l h_l(t-1) K_lj - |K_j|^2 / 2) / n
 *         the unit of the largest drive takes over if it is above the threshold
 *
 * The architecture is that of Murray 2019 (eLife 8:e43299): short segments, each cued by one unit of a sparse population, and a separate
 * rule without reward for their order. The equations of the order are ours. M remembers one step: what follows a
 * unit that occurs twice with different successors is decided by K alone, and only where the states of the network at the ends differ.
 */
export function bindCueOrder({ x, z, units, stream }: CueOrderBinding, p: CueOrderParams): CueOrder {
  const n = z.size;
  const state = cut([{ name: 'order', layout: layoutOf(units, n), sizes: {} }]).views('order');
  const { M, K, trace } = state;
  const drives = new Float64Array(units);
  const unitAt = (t: number) => activeUnit(x.data, rowAt(x, stream, t), units);
  return {
    state,
    learn(steps) {
      trace.fill(0);
      for (let t = 1; t < steps; t++) {
        const before = unitAt(t - 1);
        const active = unitAt(t);
        follow(trace, before, p.decay, units);
        if (active === before || active < 0) continue;
        approachTrace(M, trace, active, p.rateM, units);
        approachState(K, z.data, active, rowAt(z, stream, t - 1), p.rateK, n, units);
      }
    },
    begin(unit) {
      trace.fill(0);
      cue(x.data, unit, p.cue, rowAt(x, stream, 0), units);
    },
    answer(t) {
      const active = unitAt(t);
      follow(trace, active, p.decay, units);
      const decides = (t + 1) % p.every === 0 && t + 1 < x.steps;
      if (decides) drive(drives, M, K, trace, z.data, active, rowAt(z, stream, t), p.weightK, n, units);
      const winner = decides ? largest(drives, units) : active;
      const next = winner >= 0 && winner !== active && drives[winner] > p.threshold ? winner : active;
      if (t + 1 < x.steps) cue(x.data, next, p.cue, rowAt(x, stream, t + 1), units);
      return decides ? Float64Array.from(drives) : null;
    },
  };
}

/** The unit whose input is on, -1 for none. x: row at `row` */
function activeUnit(x: Real, row: number, units: number): number {
  for (let i = 0; i < units; i++) if (x[row + i] !== 0) return i;
  return -1;
}

/** x_i = level [i is the unit].   x: row at `row` */
function cue(x: Real, unit: number, level: number, row: number, units: number): void {
  for (let i = 0; i < units; i++) x[row + i] = i === unit ? level : 0;
}

/** tr_i = lambda tr_i + (1 - lambda) [i was active].   tr: [unit] */
function follow(tr: Real, active: number, lambda: number, units: number): void {
  for (let i = 0; i < units; i++) tr[i] = lambda * tr[i] + (i === active ? 1 - lambda : 0);
}

/** M_ij += rate (tr_i - M_ij), i != j.   M: [unit][unit]; tr: [unit] */
function approachTrace(M: Real, tr: Real, j: number, rate: number, units: number): void {
  for (let i = 0; i < units; i++) if (i !== j) M[i * units + j] += rate * (tr[i] - M[i * units + j]);
}

/** K_lj += rate (h_l - K_lj).   K: [n][unit]; h: row at `row` */
function approachState(K: Real, h: Real, j: number, row: number, rate: number, n: number, units: number): void {
  for (let l = 0; l < n; l++) K[l * units + j] += rate * (h[row + l] - K[l * units + j]);
}

/** d_j = sum_i tr_i M_ij + c (h . K_j - |K_j|^2 / 2) / n;  NaN of the active unit.   d: [unit]; h: row at `row` */
function drive(
  d: Real,
  M: Real,
  K: Real,
  tr: Real,
  h: Real,
  active: number,
  row: number,
  c: number,
  n: number,
  units: number,
): void {
  for (let j = 0; j < units; j++) {
    let ordered = 0;
    for (let i = 0; i < units; i++) ordered += tr[i] * M[i * units + j];
    let near = 0;
    for (let l = 0; l < n; l++) near += (h[row + l] - K[l * units + j] / 2) * K[l * units + j];
    d[j] = j === active ? Number.NaN : ordered + (c * near) / n;
  }
}

/** The unit of the largest drive, -1 where there is none; NaN is no drive. d: [unit] */
function largest(d: Real, units: number): number {
  let best = -1;
  for (let j = 0; j < units; j++) if (!Number.isNaN(d[j]) && (best < 0 || d[j] > d[best])) best = j;
  return best;
}
