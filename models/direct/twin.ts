import type { Layout, Real } from '../../src/core/layout.ts';
import type { DirectBinding, DirectContext, NetworkShape } from '../../src/core/plugins.ts';
import { rowAt } from '../../src/core/rows.ts';
import { neuronsOf, startsOf } from './feedback.ts';

/** A twin of the network that is given noise: what becomes of a change of a rate, tried out. */
export interface Twin {
  /** Before step t of all streams. @returns whether it starts again, from the rates of the network */
  begin(t: number): boolean;
  /** Step t of stream b. @returns the noise that is to be kept of it. [neurons] */
  step(b: number, t: number): Real;
  /** twin_j(t) - z_j(t).   out: [stream][neurons] */
  deviation(out: Real, b: number, t: number): void;
  /** After step t of all streams. */
  end(): void;
}

/** Rates still under way, the latest last, and where the twin stands. */
export function twinLayout({ populations }: NetworkShape): Layout {
  const rates = populations.map(
    ({ name, size, history }): Layout => ({
      [`${name}.twin`]: { shape: ['stream', history, size], home: 'post', unit: '1', doc: 'last rates of the twin' },
    }),
  );
  return {
    ...Object.assign({}, ...rates),
    age: {
      shape: [1],
      home: 'global',
      unit: 'steps',
      doc: 'steps since the twin started',
      bookkeeping: true,
      restarts: true,
    },
    drawn: { shape: [1], home: 'global', unit: 'steps', doc: 'steps for which noise was drawn', bookkeeping: true },
  };
}

/** @param noise of number `count` for stream b; `order` `code`: the twin gets that of the step before */
export function bindTwin(
  binding: DirectBinding,
  { goesOn }: DirectContext,
  { order, resetEvery }: { readonly order: 'aligned' | 'code'; readonly resetEvery: number | null },
  noise: (out: Real, count: number, b: number) => void,
): Twin {
  const { network, state, populations, replica } = binding;
  const starts = startsOf(network);
  const n = neuronsOf(network);
  const { z: rates, step } = replica();
  const parts = network.populations.map(({ name, size, history }, p) => ({
    size,
    length: history * size,
    history,
    start: starts[p],
    tail: state[`${name}.twin`],
    rates: rates[p],
    own: populations[p].z,
  }));
  const zeta = new Float64Array(n);
  let fresh = true;
  const add = (b: number, t: number) => {
    for (const { rates: to, start, size } of parts) addAt(to.data, zeta, rowAt(to, b, t), start, size);
  };
  /** Rows t - history to t - 1 of the twin, from where they wait or from the network. */
  const take = (b: number, t: number) => {
    for (const { rates: to, own, tail, history, length } of parts) {
      const at = rowAt(to, b, t - history);
      if (fresh) copyAt(to.data, own.data, at, rowAt(own, b, t - history), length);
      else copyAt(to.data, tail, at, b * length, length);
    }
  };
  return {
    begin(t) {
      fresh = state.age[0] === 0 || (t === 0 && !goesOn) || (resetEvery !== null && state.age[0] >= resetEvery);
      if (fresh) state.age[0] = 0;
      return fresh;
    },
    step(b, t) {
      const { drawn } = state;
      take(b, t);
      if (order === 'code') {
        noise(zeta, drawn[0], b);
        add(b, t - 1);
      }
      step(b, t);
      noise(zeta, drawn[0] + 1, b);
      if (order === 'aligned') add(b, t);
      for (const { rates: from, tail, history, length } of parts) {
        copyAt(tail, from.data, b * length, rowAt(from, b, t - history + 1), length);
      }
      return zeta;
    },
    deviation(out, b, t) {
      for (const { rates: twin, own, start, size } of parts) {
        subtractAt(out, twin.data, own.data, b * n + start, rowAt(twin, b, t), rowAt(own, b, t), size);
      }
    },
    end() {
      state.age[0] += 1;
      state.drawn[0] += 1;
    },
  };
}

/** out_j += x_j.   out: at `at`; x: at `from`, [n] */
function addAt(out: Real, x: Real, at: number, from: number, n: number): void {
  for (let j = 0; j < n; j++) out[at + j] += x[from + j];
}

/** out_j = x_j.   out: at `at`; x: at `from`, [n] */
function copyAt(out: Real, x: Real, at: number, from: number, n: number): void {
  for (let j = 0; j < n; j++) out[at + j] = x[from + j];
}

/** out_j = x_j - y_j.   out: at `at`; x: at `from`; y: at `row`, [n] */
function subtractAt(out: Real, x: Real, y: Real, at: number, from: number, row: number, n: number): void {
  for (let j = 0; j < n; j++) out[at + j] = x[from + j] - y[row + j];
}
