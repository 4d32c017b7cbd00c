import { channelName } from '../core/bindings.ts';
import { type Field, type Real, startField } from '../core/layout.ts';
import type { Network, NetworkSpec } from '../core/network.ts';
import type { SignalInstance } from '../core/plugins.ts';
import { type Rows, rowAt } from '../core/rows.ts';

/** What happens to a network where one trial ends and the next begins; its lists are made once, so that a trial allocates nothing. */
export interface Borders {
  /** State and traces at the start of a trial, and the activity that is still under way. */
  enter(): void;
  /** The activity that is still under way alone: what goes on is the trial that has just been left. */
  goOn(): void;
  /** The last rows of activity go on into the next trial. */
  leave(steps: number): void;
}

export function bindBorders(network: Network): Borders {
  const { spec, state } = network;
  const pasts = pastsOf(network);
  const starts = spec.state === 'reset' ? startsOf(network) : [];
  const cleared = spec.traces === 'restart' ? restarting(network) : [];
  forEachSignal(spec, (group, { losses }) => {
    if (losses.length > 0) cleared.push(state.field(`${group}.losses`));
  });
  const nStream = spec.sizes.stream;
  const goOn = () => {
    for (const { rows, tail, kept } of pasts) {
      for (let b = 0; b < nStream; b++) copy(rows.data, rowAt(rows, b, -rows.history), tail, b * kept, kept);
    }
  };
  return {
    enter() {
      for (const { values, initial } of starts) startField(values, initial);
      for (const values of cleared) values.fill(0);
      goOn();
    },
    goOn,
    leave(steps) {
      for (const { rows, tail, kept } of pasts) {
        for (let b = 0; b < nStream; b++) copy(tail, b * kept, rows.data, rowAt(rows, b, steps - rows.history), kept);
      }
    },
  };
}

/** Neurons, their activity and readouts as they are before a first step; what only learning keeps stays as it is. */
export function resetState(network: Pick<Network, 'state'>): void {
  for (const { values, initial } of startsOf(network)) startField(values, initial);
}

function startsOf({ state }: Pick<Network, 'state'>): { readonly values: Real; readonly initial: Field['initial'] }[] {
  return state.table.flatMap(({ name, role, declared }) => {
    if ((role !== 'neuron' && role !== 'readout' && role !== 'past') || declared.restarts) return [];
    return [{ values: state.field(name), initial: declared.initial }];
  });
}

/** Traces, and what signals, direct rules and readouts keep as traces are kept. */
function restarting({ state }: Network): Real[] {
  return state.table
    .filter(({ role, declared }) => {
      if (role === 'trace') return true;
      return (role === 'signal' || role === 'direct' || role === 'readout') && declared.restarts === true;
    })
    .map(({ name }) => state.field(name));
}

/** Rows that go on into the next trial, where they wait for it, and how many numbers of a stream. */
function pastsOf({ spec, state, trial, activity }: Network) {
  const past = (rows: Rows, name: string) => ({ rows, tail: state.field(name), kept: rows.history * rows.width });
  return [
    ...spec.populations.map(({ name }, p) => past(activity[p].z, `population.${name}.tail`)),
    ...(spec.sizes.inHistory > 0 ? [past(trial.x, 'task.tail')] : []),
  ];
}

/** Every signal with the name of its group of state. */
export function forEachSignal(spec: NetworkSpec, action: (group: string, signal: SignalInstance) => void): void {
  for (const { name, signals } of spec.populations) {
    signals.forEach((signal, c) => {
      action(channelName(`population.${name}.signal`, spec, c), signal);
    });
  }
}

function copy(to: Real, at: number, from: Real, start: number, n: number): void {
  for (let s = 0; s < n; s++) to[at + s] = from[start + s];
}
