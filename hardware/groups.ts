import { blockGroup, blockLength, signalNames } from '../src/core/bindings.ts';
import type { GroupedField, WidthGroup } from '../src/core/format.ts';
import type { NetworkSpec } from '../src/core/network.ts';
import { demandOf, type Variable } from './demand.ts';

/**
 * Every number that a network and its rule keep or hand on, in the groups that get a width together: what a chip would store, less
 * spikes (or rates) and copies of them, counters, single numbers and the optimiser's own state.
 */
export function groupedFields(spec: NetworkSpec): GroupedField[] {
  const { inference, learning } = demandOf(spec);
  const { populations, readouts, blocks, rateTerm } = spec;
  const running = rateTerm.strength > 0 && rateTerm.mean === 'running';
  const one = (group: WidthGroup, field: string, count: number): GroupedField => ({ field, group, count });
  const perPopulation = (group: WidthGroup, field: string) =>
    populations.map(({ name, size }) => one(group, `population.${name}.${field}`, size));
  const perReadout = (group: WidthGroup, field: string) =>
    readouts.map(({ name, size }) => one(group, `readout.${name}.${field}`, size));
  return [
    ...blocks.map((block) => one('weights', `${blockGroup(block, spec)}.weights`, blockLength(block, spec))),
    ...inference
      .filter(({ name }) => !name.endsWith('.refractory'))
      .map(({ name, count }) => one('membranes', name, count)),
    ...(learning?.variables ?? [])
      .filter(({ binary, home }) => !binary && home !== 'global')
      .map((variable) => one(groupOf(variable), variable.name, variable.count)),
    ...(running ? perPopulation('traces', 'mean') : []),
    ...perReadout('membranes', 'y'),
    ...perPopulation('signals', 'psi'),
    ...perReadout('signals', 'error'),
    ...signalNames(spec).flatMap((signal) => perPopulation('signals', signal)),
    ...(rateTerm.strength > 0 ? perPopulation('signals', 'rateTerm') : []),
  ];
}

/** Matrices learn like weights; a number per neuron belongs to the part that keeps it. */
function groupOf({ part, kind }: Variable): WidthGroup {
  if (kind === 'matrix') return 'weights';
  return part === 'signal' ? 'signals' : 'traces';
}
