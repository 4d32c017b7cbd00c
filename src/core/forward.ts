import { bindingOfNeuron, populationSizes, presynapticRows } from './bindings.ts';
import { cut, type Group, type Real, startField } from './layout.ts';
import { scratchOf } from './loops.ts';
import type { Network } from './network.ts';
import type { Activity, Replica } from './plugins.ts';
import type { Projection } from './projection.ts';
import { noRows, type Rows, rowAt } from './rows.ts';

/** One step of one population: what arrives, in the order of the projections, then its neurons. */
export function bindPopulation(network: Network, p: number): (b: number, t: number) => void {
  const { spec, activity, weights, loops } = network;
  const { size, neuron, current: constant } = spec.populations[p];
  const { addCurrent } = { ...plain, ...loops };
  const current = scratchOf(loops)(size);
  const step = neuron.bind(bindingOfNeuron(network, p, current));
  const { current: kept, injected } = activity[p];
  const arriving = spec.projections.flatMap(({ name, post, delay, synapses }, q) =>
    post === p ? [{ rows: presynapticRows(network, q), weights: weights[name], delay, synapses }] : [],
  );
  return (b, t) => {
    if (constant) current.set(constant);
    else current.fill(0);
    if (t > 0 || spec.borderSpikes === 'keep') {
      for (const { rows, weights: w, delay, synapses } of arriving) {
        addCurrent(current, w, rows.data, synapses, rowAt(rows, b, t - delay));
      }
    }
    if (injected.width > 0) addRow(current, injected.data, rowAt(injected, b, t), size);
    if (kept.data.length > 0) kept.data.set(current, rowAt(kept, b, t));
    step(b, t);
  };
}

/** I_j += sum_i p_i w_ij over the active presynaptic neurons.   current: [self]; w: [syn]; p: row at `from`, [pre] */
export function addCurrent(current: Real, w: Real, p: Real, { nPre, rowStart, post }: Projection, from: number): void {
  for (let i = 0; i < nPre; i++) {
    const activity = p[from + i];
    if (activity === 0) continue;
    const end = rowStart[i + 1];
    for (let s = rowStart[i]; s < end; s++) current[post[s]] += activity * w[s];
  }
}

const plain = { addCurrent };

function addRow(sum: Real, x: Real, row: number, n: number): void {
  for (let j = 0; j < n; j++) sum[j] += x[row + j];
}

/** The populations a second time; what they keep starts at its initial values. */
export function replicaOf(network: Network): Replica {
  const { spec, loops } = network;
  const scratch = scratchOf(loops);
  const groups = spec.populations.map((population): Group => {
    const { name, neuron } = population;
    return {
      name: `population.${name}`,
      role: 'neuron',
      layout: neuron.layout,
      sizes: populationSizes(spec, population),
    };
  });
  const state = cut(groups, scratch);
  for (const { name, declared } of state.table) startField(state.field(name), declared.initial);
  const activity = network.activity.map((own): Activity => {
    const rows = (of: Rows): Rows => {
      const { size, history, steps } = of;
      return {
        data: scratch(spec.sizes.stream * (history + steps) * size),
        width: size,
        from: 0,
        size,
        history,
        steps,
      };
    };
    const none = noRows(new Float64Array(0));
    return { ...own, z: rows(own.z), psi: rows(own.psi), current: none, injected: none };
  });
  const steps = spec.populations.map((_, p) => bindPopulation({ ...network, state, activity }, p));
  return {
    z: activity.map(({ z }) => z),
    step(b, t) {
      for (let p = 0; p < steps.length; p++) steps[p](b, t);
    },
  };
}
