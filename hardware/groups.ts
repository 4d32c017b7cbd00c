import { blockGroup, blockLength, signalNames } from '../src/core/bindings.ts';
import type { GroupedField, WidthKind } from '../src/core/format.ts';
import type { NetworkSpec, WeightBlock } from '../src/core/network.ts';
import { demandOf, type Variable } from './demand.ts';

/**
 * Every number that a network and its rule keep or hand on, in the groups that get a width together: what a chip would store, less
 * spikes (or rates) and copies of them, counters, single numbers and the optimiser's own state. A network of one population has one
 * group of each kind, `weights`; one of several has those of every population, projection and readout: `projection.exc-inh.weights`.
 */
export function groupedFields(spec: NetworkSpec): GroupedField[] {
  const { inference, learning } = demandOf(spec);
  const { populations, projections, readouts, blocks, rateTerm } = spec;
  const running = rateTerm.strength > 0 && rateTerm.mean === 'running';
  const wholes = new Map(projections.map(({ name, whole }) => [`projection.${name}`, `projection.${whole.name}`]));
  const one = (kind: WidthKind, owner: string, field: string, count: number): GroupedField => {
    const group = populations.length > 1 ? `${wholes.get(owner) ?? owner}.${kind}` : kind;
    return { field, group, kind, count };
  };
  const perPopulation = (kind: WidthKind, field: string) =>
    populations.map(({ name, size }) => one(kind, `population.${name}`, `population.${name}.${field}`, size));
  const perReadout = (kind: WidthKind, field: string) =>
    readouts.map(({ name, size }) => one(kind, `readout.${name}`, `readout.${name}.${field}`, size));
  return [
    ...blocks.map((block) => {
      const owner = ownerOf(block, spec);
      return one('weights', owner, `${blockGroup(block, spec)}.weights`, blockLength(block, spec));
    }),
    ...inference
      .filter(({ name }) => !name.endsWith('.refractory'))
      .map(({ name, owner, count }) => one('membranes', owner, name, count)),
    ...(learning?.variables ?? [])
      .filter(({ binary, home }) => !binary && home !== 'global')
      .map((variable) => one(kindOf(variable), variable.owner, variable.name, variable.count)),
    ...(running ? perPopulation('traces', 'mean') : []),
    ...perReadout('membranes', 'y'),
    ...perPopulation('signals', 'psi'),
    ...perReadout('signals', 'error'),
    ...signalNames(spec).flatMap((signal) => perPopulation('signals', signal)),
    ...(rateTerm.strength > 0 ? perPopulation('signals', 'rateTerm') : []),
  ];
}

function ownerOf({ kind, owner }: WeightBlock, { populations, projections, readouts }: NetworkSpec): string {
  if (kind === 'projection') return `projection.${projections[owner].name}`;
  return kind === 'signal' ? `population.${populations[owner].name}` : `readout.${readouts[owner].name}`;
}

/** Matrices learn like weights; a number per neuron belongs to the part that keeps it. */
function kindOf({ part, kind }: Variable): WidthKind {
  if (kind === 'matrix') return 'weights';
  return part === 'signal' ? 'signals' : 'traces';
}
