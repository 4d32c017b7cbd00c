import type { Run } from '../../src/browser.ts';
import type { Line } from '../views/types.ts';
import { rowNow } from './rows.ts';
import { type Place, sentAt } from './synapse.ts';

/** What a synapse keeps, meets and adds to its gradient over a trial; see `SynapseRows`. */
export interface Probed {
  readonly input: Float32Array;
  readonly own: readonly Line[];
  /** The first trace of it and of others onto the same neuron. */
  readonly traces: readonly Line[];
  readonly psi: Float32Array;
  readonly signals: readonly Line[];
  readonly terms: Float32Array;
  readonly weight: Float32Array;
  readonly after: number;
}

/** Reads a synapse of stream 0 while a trial is run step by step. `read` after every step, `rows` at the end. */
export interface Probe {
  read(t: number): void;
  rows(): Probed;
}

/** @param others further synapses, of which only the trace is read */
export function createProbe(run: Run, place: Place, others: readonly Place[], steps: number): Probe {
  const { spec, weights, gradient, activity } = run.network;
  const { name, post: population } = spec.projections[place.part];
  const watched = tracesOf(run, place);
  const own = watched.map(({ label }, n) => line(label, n, steps));
  const beside = others.flatMap((other) => tracesOf(run, other).slice(0, 1));
  const besideLines = beside.map((_, n) => line(nameOf(others[n]), n + 1, steps));
  const { psi: slopes, signals: heard } = activity[population];
  const signals = heard.map((_, channel) => line(heard.length > 1 ? `channel ${channel + 1}` : '', channel, steps));
  const psi = new Float32Array(steps);
  const input = new Float32Array(steps);
  const weight = new Float32Array(steps);
  const terms = new Float32Array(steps);
  let last = { sum: gradient[name][place.s], updates: run.clock.updates };
  return {
    read(t) {
      watched.forEach(({ array, at }, n) => {
        own[n].values[t] = array[at];
      });
      beside.forEach(({ array, at }, n) => {
        besideLines[n].values[t] = array[at];
      });
      input[t] = sentAt(run, place, t);
      psi[t] = slopes.data[rowNow(slopes, t) + place.post];
      signals.forEach(({ values }, channel) => {
        values[t] = heard[channel].data[rowNow(heard[channel], t) + place.post];
      });
      weight[t] = weights[name][place.s];
      const sum = gradient[name][place.s];
      // An update takes what had been added up.
      terms[t] = sum - (run.clock.updates === last.updates ? last.sum : 0);
      last = { sum, updates: run.clock.updates };
    },
    rows() {
      const [main] = own;
      return {
        input,
        own,
        traces: main ? [{ ...main, label: nameOf(place), colour: 0 }, ...besideLines] : [],
        psi,
        signals,
        terms,
        weight,
        after: weights[name][place.s],
      };
    },
  };
}

const line = (label: string, colour: number, steps: number): Line => ({
  label,
  colour,
  dashed: false,
  values: new Float32Array(steps),
});

const nameOf = ({ pre, post }: Place) => `${pre} to ${post}`;

/** Where a trace has its number for a synapse: one a synapse, first in the list, or one for either side. */
function tracesOf({ network: { spec, state } }: Run, { part, s, pre, post }: Place) {
  const group = `projection.${spec.projections[part].name}.trace`;
  const places: Readonly<Record<string, number>> = { syn: s, pre, post };
  const found = state.table.flatMap(({ name, role, dims }) => {
    const at = places[dims[1]];
    if (role !== 'trace' || !name.startsWith(group) || dims[0] !== 'stream' || dims.length !== 2) return [];
    if (at === undefined) return [];
    const label = name.slice(group.length).replace(/^\./, '');
    return [{ label, array: state.field(name), at, perSynapse: dims[1] === 'syn' }];
  });
  return found.sort((a, b) => Number(b.perSynapse) - Number(a.perSynapse));
}
