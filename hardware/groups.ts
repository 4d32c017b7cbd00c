import type { GroupedField, WidthGroup } from '../src/core/format.ts';
import { type NetworkSpec, weightNames } from '../src/core/network.ts';
import { demandOf, type Variable } from './demand.ts';

/**
 * Every number that a network and its rule keep or hand on, in the groups that get a width together: what a chip would store, less
 * spikes (or rates) and copies of them, counters, single numbers and the optimiser's own state.
 */
export function groupedFields(spec: NetworkSpec): GroupedField[] {
  const { inference, learning } = demandOf(spec);
  const { rec, out, synIn, synRec } = spec.sizes;
  const running = spec.rateTerm.strength > 0 && spec.rateTerm.mean === 'running';
  const weightCounts = { wIn: synIn, wRec: synRec, wOut: rec * out, bOut: out };
  const one = (group: WidthGroup, field: string, count: number): GroupedField => ({ field, group, count });
  return [
    ...weightNames.map((name) => one('weights', `weights.${name}`, weightCounts[name])),
    ...inference
      .filter(({ name }) => name !== 'neuron.refractory')
      .map(({ name, count }) => one('membranes', name, count)),
    ...(learning?.variables ?? [])
      .filter(({ binary, home }) => !binary && home !== 'global')
      .map((variable) => one(groupOf(variable), variable.name, variable.count)),
    ...(running ? [one('traces', 'run.fBar', rec)] : []),
    one('membranes', 'trial.y', out),
    one('signals', 'trial.psi', rec),
    one('signals', 'trial.error', out),
    one('signals', 'trial.signal', rec),
    ...(spec.rateTerm.strength > 0 ? [one('signals', 'trial.rateTerm', rec)] : []),
  ];
}

/** Matrices learn like weights; a number per neuron belongs to the part that keeps it. */
function groupOf({ name, kind }: Variable): WidthGroup {
  if (kind === 'matrix') return 'weights';
  return name.startsWith('signal.') ? 'signals' : 'traces';
}
