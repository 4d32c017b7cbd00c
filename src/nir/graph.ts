import { FileError } from '../core/errors.ts';
import { type Hdf5Dataset, type Hdf5Group, limits, type NirArray } from './tree.ts';

/** A node of a NIR graph: a primitive with its fields, or a graph within the graph. */
export interface NirNode {
  readonly type: string;
  readonly fields: ReadonlyMap<string, NirArray | string>;
  readonly graph: NirGraph | null;
}

/** Nodes in the order of their names, edges in that of the file. */
export interface NirGraph {
  readonly nodes: ReadonlyMap<string, NirNode>;
  readonly edges: readonly (readonly [from: string, to: string])[];
  readonly metadata: Hdf5Group | null;
}

interface Fields {
  readonly required: readonly string[];
  readonly optional?: readonly string[];
}

const conv: Fields = {
  required: ['weight'],
  optional: ['input_shape', 'stride', 'padding', 'dilation', 'groups', 'bias'],
};
const pool: Fields = { required: ['kernel_size', 'stride', 'padding'] };
const leaky = ['tau', 'r', 'v_leak'];
const current = ['tau_syn', 'tau_mem', 'r', 'v_leak'];

/** Fields of the primitives, as the reference library 1.0.8 writes and reads them. */
const primitives: Readonly<Record<string, Fields>> = {
  Input: { required: ['shape'] },
  Output: { required: ['shape'] },
  Linear: { required: ['weight'] },
  Affine: { required: ['weight', 'bias'] },
  Scale: { required: ['scale'] },
  Conv1d: conv,
  Conv2d: conv,
  SumPool2d: pool,
  AvgPool2d: pool,
  Flatten: { required: [], optional: ['input_type', 'start_dim', 'end_dim'] },
  Delay: { required: ['delay'] },
  Threshold: { required: ['threshold'] },
  I: { required: ['r'] },
  IF: { required: ['r', 'v_threshold'], optional: ['v_reset'] },
  LI: { required: leaky },
  LIF: { required: [...leaky, 'v_threshold'], optional: ['v_reset'] },
  CubaLI: { required: current, optional: ['w_in'] },
  CubaLIF: { required: [...current, 'v_threshold'], optional: ['v_reset', 'w_in'] },
};

/**
 * The graph of a NIR file: /node, a NIRGraph, with all of its nodes checked by their type.
 * @throws FileError naming the node for what is missing, unknown, of another kind, or not finite
 */
export function graphOfTree(root: Hdf5Group | Hdf5Dataset, path: string): NirGraph {
  const node = root.kind === 'group' ? root.members.get('node') : undefined;
  if (node?.kind !== 'group') throw new FileError(path, 'has no group /node: it is no NIR file');
  if (typeOf(node, `${path} /node`) !== 'NIRGraph') throw new FileError(`${path} /node`, 'is no NIRGraph');
  return graphOf(node, `${path} /node`, 1);
}

function typeOf(group: Hdf5Group, path: string): string {
  const type = group.members.get('type');
  if (type?.kind !== 'dataset' || type.value instanceof Float64Array || type.value.length !== 1) {
    throw new FileError(path, 'has no type');
  }
  return type.value[0];
}

function graphOf(group: Hdf5Group, path: string, depth: number): NirGraph {
  if (depth > limits.depth) throw new FileError(path, `is nested more than ${limits.depth} graphs deep`);
  for (const name of group.members.keys()) {
    if (!['type', 'nodes', 'edges', 'metadata', 'input_type', 'output_type'].includes(name))
      throw new FileError(path, `has the unknown field "${name}"`);
  }
  const members = group.members.get('nodes');
  if (members?.kind !== 'group') throw new FileError(path, 'has no nodes');
  if (members.members.size > limits.nodes) throw new FileError(path, `has more than ${limits.nodes} nodes`);
  const nodes = new Map<string, NirNode>();
  for (const name of [...members.members.keys()].sort()) {
    const member = members.members.get(name);
    if (member?.kind !== 'group') throw new FileError(`${path}/nodes/${name}`, 'is no node');
    nodes.set(name, nodeOf(member, `${path}/nodes/${name}`, depth));
  }
  const metadata = group.members.get('metadata');
  return { nodes, edges: edgesOf(group, nodes, path), metadata: metadata?.kind === 'group' ? metadata : null };
}

function edgesOf(group: Hdf5Group, nodes: ReadonlyMap<string, NirNode>, path: string): [string, string][] {
  const edges = group.members.get('edges');
  if (edges?.kind !== 'dataset') throw new FileError(path, 'has no edges');
  const { shape, value } = edges;
  if (value.length === 0) return [];
  if (value instanceof Float64Array || shape.length !== 2 || shape[1] !== 2) {
    throw new FileError(`${path}/edges`, `got shape [${shape}], expected pairs of names [edges][2]`);
  }
  return Array.from({ length: shape[0] }, (_, e) => {
    const edge: [string, string] = [value[2 * e], value[2 * e + 1]];
    const missing = edge.find((name) => !nodes.has(name));
    if (missing !== undefined) throw new FileError(`${path}/edges`, `names the node "${missing}", which there is not`);
    return edge;
  });
}

function nodeOf(group: Hdf5Group, path: string, depth: number): NirNode {
  const type = typeOf(group, path);
  if (type === 'NIRGraph') return { type, fields: new Map(), graph: graphOf(group, path, depth + 1) };
  const known = Object.hasOwn(primitives, type) ? primitives[type] : undefined;
  if (!known) {
    const names = [...Object.keys(primitives), 'NIRGraph'].join(', ');
    throw new FileError(path, `is of the unknown type "${type}"; known are ${names}`);
  }
  const fields = new Map<string, NirArray | string>();
  for (const [name, member] of group.members) {
    if (name === 'type' || name === 'metadata') continue;
    if (![...known.required, ...(known.optional ?? [])].includes(name)) {
      throw new FileError(path, `has the unknown field "${name}" for a node of type ${type}`);
    }
    if (member.kind !== 'dataset') throw new FileError(`${path}/${name}`, 'is a group, expected numbers');
    fields.set(name, fieldOf(member, `${path}/${name}`));
  }
  const missing = known.required.find((name) => !fields.has(name));
  if (missing !== undefined) throw new FileError(path, `lacks the field "${missing}" of a node of type ${type}`);
  return { type, fields, graph: null };
}

function fieldOf({ shape, value }: Hdf5Dataset, path: string): NirArray | string {
  if (!(value instanceof Float64Array)) {
    if (value.length === 1) return value[0];
    throw new FileError(path, `holds ${value.length} strings, expected numbers`);
  }
  const odd = value.findIndex((number) => !Number.isFinite(number));
  if (odd >= 0) throw new FileError(`${path}[${odd}]`, `got ${value[odd]}, expected a finite number`);
  return { shape, data: value };
}

/** A graph without graphs in it; a node within a graph is called graph/node. */
export interface FlatGraph {
  readonly nodes: ReadonlyMap<string, NirNode>;
  readonly edges: readonly (readonly [from: string, to: string])[];
}

const spiking = ['LIF', 'CubaLIF', 'IF'];
const dense = ['Linear', 'Affine'];

/** Puts subgraphs in the place of their nodes. The Input and the Output of a subgraph stay, and pass on what they get. @throws FileError */
export function flattened(graph: NirGraph, path: string): FlatGraph {
  const nodes = new Map<string, NirNode>();
  const edges: (readonly [string, string])[] = [];
  const walk = (inner: NirGraph, prefix: string) => {
    for (const [name, node] of inner.nodes) {
      if (node.graph) walk(node.graph, `${prefix}${name}/`);
      else nodes.set(prefix + name, node);
    }
    const end = (name: string, type: 'Input' | 'Output') =>
      prefix + portOf(inner, name, type, `${path} ${prefix}${name}`);
    for (const [from, to] of withInputAtTheNeuron(inner)) edges.push([end(from, 'Output'), end(to, 'Input')]);
  };
  walk(graph, '');
  const once = new Map(edges.map((edge) => [JSON.stringify(edge), edge]));
  return { nodes, edges: [...once.values()] };
}

function portOf(graph: NirGraph, name: string, type: 'Input' | 'Output', path: string): string {
  const inner = graph.nodes.get(name)?.graph;
  if (!inner) return name;
  const ports = [...inner.nodes].filter(([, node]) => node.type === type).map(([port]) => port);
  if (ports.length !== 1) throw new FileError(path, `has ${ports.length} nodes of type ${type}, expected one`);
  return `${name}/${ports[0]}`;
}

/**
 * Edges of a graph of four nodes, an input, an output, a neuron and its recurrent weights, where exporters write that the input
 * goes to the weights: it goes to the neuron.
 */
function withInputAtTheNeuron({ nodes, edges }: NirGraph): NirGraph['edges'] {
  const named = (types: readonly string[]) =>
    [...nodes].filter(([, { type }]) => types.includes(type)).map(([name]) => name);
  const parts = [named(['Input']), named(spiking), named(dense), named(['Output'])];
  if (nodes.size !== 4 || parts.some((names) => names.length !== 1)) return edges;
  const [input, neuron, weights] = parts.map(([name]) => name);
  const has = (from: string, to: string) => edges.some((edge) => edge[0] === from && edge[1] === to);
  if (!has(input, weights) || has(input, neuron) || !has(neuron, weights) || !has(weights, neuron)) return edges;
  return edges.map((edge) => (edge[0] === input && edge[1] === weights ? ([input, neuron] as const) : edge));
}
