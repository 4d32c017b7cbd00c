import { type Convention, namedConventions, parseConvention } from './convention.ts';
import { experimentOf, type NirExperiment } from './experiment.ts';
import { conventionOf, type Export, exportNetwork } from './export.ts';
import { graphOfTree, type NirGraph } from './graph.ts';
import { readHdf5 } from './hdf5.ts';
import { interpret, type Observed } from './interpret.ts';
import { type OwnParameters, ownParameters, writtenOwn } from './metadata.ts';
import { type Approximation, approximations, unitGraphOf } from './network.ts';
import { type Target, targets } from './targets.ts';
import { readGraph, type Topology } from './topology.ts';
import { treeOfJson } from './tree.ts';
import { treeOf } from './written.ts';

export {
  type Approximation,
  approximations,
  type Convention,
  conventionOf,
  type Export,
  experimentOf,
  exportNetwork,
  graphOfTree,
  interpret,
  type NirExperiment,
  type NirGraph,
  namedConventions,
  type Observed,
  type OwnParameters,
  ownParameters,
  parseConvention,
  readGraph,
  readHdf5,
  type Target,
  type Topology,
  targets,
  treeOf,
  treeOfJson,
  unitGraphOf,
  writtenOwn,
};
