import { type Convention, namedConventions, parseConvention } from './convention.ts';
import { experimentOf, type NirExperiment } from './experiment.ts';
import { type FlatGraph, flattened, graphOfTree, type NirGraph } from './graph.ts';
import { readHdf5, writeHdf5 } from './hdf5.ts';
import { interpret, type Observed } from './interpret.ts';
import { type OwnParameters, ownParameters } from './metadata.ts';
import { type Approximation, approximations, unitGraphOf } from './network.ts';
import { type Topology, topologyOf } from './topology.ts';
import { treeOfJson } from './tree.ts';

export {
  type Approximation,
  approximations,
  type Convention,
  experimentOf,
  type FlatGraph,
  flattened,
  graphOfTree,
  interpret,
  type NirExperiment,
  type NirGraph,
  namedConventions,
  type Observed,
  type OwnParameters,
  ownParameters,
  parseConvention,
  readHdf5,
  type Topology,
  topologyOf,
  treeOfJson,
  unitGraphOf,
  writeHdf5,
};

/** A NIR graph in the order of a step. @throws FileError */
export function readGraph(graph: NirGraph, convention: Convention, path: string): Topology {
  return topologyOf(flattened(graph, path), convention, path);
}
