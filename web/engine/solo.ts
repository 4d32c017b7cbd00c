import { type Catalogue, createExperiment, type Experiment, nextSteps, type Run, runTrial } from '../../src/browser.ts';
import type { Line } from '../views/types.ts';
import type { Place } from './synapse.ts';

/**
 * Stream 0 alone, with its traces. Fast execution keeps none, or makes them at the end of a trial, and sums over streams; here the same trial
 * runs in the plain loops (in fixed point in its own), one stream, online, weights held, so that every step says what it adds to the gradient.
 */
export interface Solo {
  /** @param others further synapses, of which only the trace is shown */
  explain(place: Place, others: readonly Place[]): Explained;
}

export interface Explained {
  /** Traces at the synapse, then those at the neurons on its two sides. */
  readonly own: readonly Line[];
  /** The first trace of it and of the others. */
  readonly traces: readonly Line[];
  /** dE/dw of each step. [steps]; null: not made step by step */
  readonly terms: Float32Array | null;
}

/** @param original is only read */
export function createSolo(original: Experiment, catalogue: Catalogue): Solo {
  const { config } = original;
  const { streams, total } = config.training;
  const training = { ...config.training, streams: 1, total: Math.ceil(total / streams), execution: 'online' };
  const backend = config.fixed ? 'fixed' : 'reference';
  const { run, feed } = createExperiment({ ...config, backend, training }, catalogue).observer(1, 'train');
  return {
    explain(place, others) {
      adopt(run, original.run);
      const steps = nextSteps(run, feed.task, run.totalSteps);
      const watched = knownInSteps(run) ? tracesOf(run, place) : [];
      const first = watched.length > 0 ? others.flatMap((other) => tracesOf(run, other).slice(0, 1)) : [];
      const own = watched.map(({ label }, n) => line(label, n, steps));
      const beside = first.map((_, n) => line(nameOf(others[n]), n + 1, steps));
      const gradient = run.network.gradient[run.network.spec.projections[place.part].name];
      const sums = new Float64Array(steps);
      const before = gradient[place.s];
      feed.fill(steps);
      runTrial(run, steps, {
        learn: true,
        freeze: true,
        answer: feed.answer,
        onStep(t) {
          watched.forEach(({ array, at }, n) => {
            own[n].values[t] = array[at];
          });
          first.forEach(({ array, at }, n) => {
            beside[n].values[t] = array[at];
          });
          sums[t] = gradient[place.s];
        },
      });
      const terms = Float32Array.from(sums, (sum, t) => sum - (t > 0 ? sums[t - 1] : before));
      const [main] = own;
      const traces = main ? [{ ...main, label: nameOf(place), colour: 0 }, ...beside] : [];
      return { own, traces, terms: knownInSteps(run) && terms.some((term) => term !== 0) ? terms : null };
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

/** Whether signals and traces are there after every step: a window, or a factor that comes with the end of a trial, keeps them waiting. */
function knownInSteps({ network: { spec } }: Run): boolean {
  const windows = spec.populations.some(({ signals }) => signals.some(({ window }) => window !== null && window.steps > 1));
  return !windows && !(spec.modulator !== null && spec.update.unit === 'trial');
}

/** The state of a run of many streams, for a run of its first one alone. Traces that the run does not keep begin at their rest. */
function adopt(solo: Run, original: Run): void {
  const held = new Map(original.network.state.table.map((entry) => [entry.name, entry]));
  for (const { name, length } of solo.network.state.table) {
    const to = solo.network.state.field(name);
    if (held.has(name)) to.set(original.network.state.field(name).subarray(0, length));
    else to.fill(0);
  }
  Object.assign(solo.clock, original.clock);
}

/** Where a trace has its number for a synapse: one a synapse, or one for either side. */
function tracesOf({ network: { spec, state } }: Run, { part, s, pre, post }: Place) {
  const group = `projection.${spec.projections[part].name}.trace`;
  const places: Readonly<Record<string, number>> = { syn: s, pre, post };
  return state.table.flatMap(({ name, role, dims }) => {
    const at = places[dims[1]];
    if (role !== 'trace' || !name.startsWith(group) || dims[0] !== 'stream' || dims.length !== 2 || at === undefined) return [];
    return [{ label: name.slice(group.length).replace(/^\./, ''), array: state.field(name), at, perSynapse: dims[1] === 'syn' }];
  }).sort((a, b) => Number(b.perSynapse) - Number(a.perSynapse));
}
