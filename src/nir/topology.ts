import { FileError } from '../core/errors.ts';
import type { Convention } from './convention.ts';
import { type FlatGraph, flattened, type NirGraph, type NirNode } from './graph.ts';
import { type Layer, layerOf, linearTypes, numbersOf, ownInputSize, sizeOf } from './layers.ts';
import { entriesOf } from './tree.ts';

/** Nodes with a memory; an edge out of one may be a step late. */
export const stateful = ['LIF', 'CubaLIF', 'LI', 'CubaLI', 'IF', 'I', 'Delay'];
export const firing = ['LIF', 'CubaLIF', 'IF'];

export interface Edge {
  readonly from: string;
  readonly to: string;
  /** Whether what it brings is that of the step before. */
  readonly late: boolean;
}

export interface Place {
  readonly name: string;
  readonly node: NirNode;
  /** Shape of what the node gives. */
  readonly shape: readonly number[];
  readonly size: number;
  /** Of a node that is linear and has no state. */
  readonly layer: Layer | null;
  readonly from: readonly Edge[];
}

/** A graph in the order in which a step computes it. */
export interface Topology {
  readonly places: ReadonlyMap<string, Place>;
  /** Root nodes of type Input. */
  readonly inputs: readonly string[];
  readonly path: string;
}

/**
 * The order of a graph: breadth-first from its inputs, in the order of the file's edges. An edge out of a node with a state is a step late where
 * it leads, through nodes without one, to a node with a state that stands in that order at or before the node where it begins.
 * @throws FileError for a cycle without a neuron, a node that no input reaches, shapes that do not fit
 */
export function topologyOf(graph: FlatGraph, convention: Convention, path: string): Topology {
  const inputs = [...graph.nodes]
    .filter(([name, { type }]) => type === 'Input' && !graph.edges.some(([, to]) => to === name))
    .map(([name]) => name);
  if (inputs.length === 0) throw new FileError(path, 'has no node of type Input where it could begin');
  const order = breadthFirst(graph, inputs);
  const found = new Set(order);
  const lost = [...graph.nodes.keys()].find((name) => !found.has(name));
  if (lost !== undefined) throw new FileError(`${path} ${lost}`, 'is reached from no node of type Input');
  const edges = withLate(graph, order);
  const sorted = sortedBy(edges, order, path);
  const places = new Map<string, Place>();
  for (const name of sorted) places.set(name, placeOf(name, graph, edges, places, convention, path));
  return { places, inputs, path };
}

function breadthFirst({ edges }: FlatGraph, inputs: readonly string[]): string[] {
  const next = new Map<string, string[]>();
  for (const [from, to] of edges) next.set(from, [...(next.get(from) ?? []), to]);
  const seen = new Set<string>(inputs);
  const order = [...inputs];
  for (let at = 0; at < order.length; at++) {
    for (const name of next.get(order[at]) ?? []) {
      if (seen.has(name)) continue;
      seen.add(name);
      order.push(name);
    }
  }
  return order;
}

function withLate({ nodes, edges }: FlatGraph, order: readonly string[]): Edge[] {
  const rank = new Map(order.map((name, at) => [name, at]));
  const rankOf = (name: string) => rank.get(name) ?? 0;
  const keeps = (name: string) => stateful.includes(nodes.get(name)?.type ?? '');
  const reached = (start: string): string[] => {
    const seen = new Set([start]);
    const found: string[] = [];
    const queue = [start];
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      if (keeps(name)) {
        found.push(name);
        continue;
      }
      for (const [from, to] of edges) {
        if (from !== name || seen.has(to)) continue;
        seen.add(to);
        queue.push(to);
      }
    }
    return found;
  };
  return edges.map(([from, to]) => {
    const late = keeps(from) && reached(to).some((name) => rankOf(name) <= rankOf(from));
    return { from, to, late };
  });
}

/** Nodes behind all that they need within a step. */
function sortedBy(edges: readonly Edge[], order: readonly string[], path: string): string[] {
  const sorted: string[] = [];
  const done = new Set<string>();
  const left = new Set(order);
  while (left.size > 0) {
    const ready = [...left].find((name) => edges.every(({ from, to, late }) => to !== name || late || done.has(from)));
    if (ready === undefined)
      throw new FileError(path, `has a cycle without a neuron in it, among ${[...left].join(', ')}`);
    left.delete(ready);
    done.add(ready);
    sorted.push(ready);
  }
  return sorted;
}

function placeOf(
  name: string,
  { nodes }: FlatGraph,
  edges: readonly Edge[],
  before: ReadonlyMap<string, Place>,
  convention: Convention,
  file: string,
): Place {
  const path = `${file} ${name}`;
  const node = nodes.get(name) as NirNode;
  const from = edges.filter(({ to }) => to === name);
  const shape = inputShape(node, from, before, nodes, path);
  if (!(linearTypes as readonly string[]).includes(node.type)) {
    return { name, node, shape, size: sizeOf(shape), layer: null, from };
  }
  const layer = layerOf(node, shape, convention, path);
  return { name, node, shape: layer.shape, size: layer.map.nOut, layer, from };
}

/** Shape of what a node gets: all of its edges bring the same number of entries. */
function inputShape(
  node: NirNode,
  from: readonly Edge[],
  before: ReadonlyMap<string, Place>,
  nodes: FlatGraph['nodes'],
  path: string,
): readonly number[] {
  if (node.type === 'Input' && from.length === 0) {
    const shape = [...numbersOf(node, 'shape', path).data];
    entriesOf(shape, `${path}/shape`);
    return shape;
  }
  const shapes = from
    .map((edge) => before.get(edge.from)?.shape ?? lateShape(nodes.get(edge.from), path))
    .filter((shape) => shape !== null);
  const own = ownInputSize(node, path);
  const shape = shapes[0] ?? (own === null ? null : [own]);
  if (shape === null) throw new FileError(path, 'gets an input whose shape is not known');
  const odd = shapes.find((other) => sizeOf(other) !== sizeOf(shape));
  if (odd) throw new FileError(path, `gets inputs of different shapes, [${shape}] and [${odd}]`);
  return shape;
}

/** Shape of a neuron that comes later in a step: that of its first field. */
function lateShape(node: NirNode | undefined, path: string): readonly number[] | null {
  const name = node && ['v_threshold', 'tau', 'tau_mem', 'delay', 'r'].find((field) => node.fields.has(field));
  return node && name ? numbersOf(node, name, path).shape : null;
}

/** A NIR graph in the order of a step. @throws FileError */
export function readGraph(graph: NirGraph, convention: Convention, path: string): Topology {
  return topologyOf(flattened(graph, path), convention, path);
}
