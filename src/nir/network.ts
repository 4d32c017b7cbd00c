import { UnsupportedError } from '../core/errors.ts';
import { cellsOf, delaySteps, type NirCells } from './cells.ts';
import type { Convention } from './convention.ts';
import { broadcastField, convolutions } from './layers.ts';
import { added, composed, identityMap, type LinearMap, rowsOfMap } from './maps.ts';
import { type Edge, firing, type Place, type Topology } from './topology.ts';

/** What may be said otherwise than in the file, on request. */
export const approximations = {
  'multi-spike': 'one spike a step where the file lets a neuron have several',
  'min-v': 'no lower bound of the membrane',
  convolution: 'convolutions and pools as synapses of their own, which do not learn',
  'readout-bias': 'the bias of an LI as the value that it comes to, from the first step on',
} as const;
export type Approximation = keyof typeof approximations;

/** What reaches a node, by source and delay, through everything that is linear; `fixed`: through a convolution or a pool. */
export interface Arriving {
  readonly paths: ReadonlyMap<string, ReadonlyMap<number, LinearMap>>;
  readonly offset: Float64Array;
  readonly fixed: boolean;
}

/** A node that becomes a population, or one integrator behind another. */
export interface Unit {
  /** Node that gives the output: a neuron, an LI, or the Threshold behind it. */
  readonly name: string;
  /** Node that the membrane belongs to, and its constants; null of a Threshold on its own. */
  readonly membrane: string | null;
  readonly cells: NirCells | null;
  /** Of a unit that has thresholds without a reset. */
  readonly threshold: Float64Array | null;
  readonly size: number;
  readonly arriving: Arriving;
  /** Steps from the spike that the engine has to the output of the file. */
  readonly lag: number;
}

/** A NIR graph as units and what connects them: each step computes them in this order. */
export interface UnitGraph {
  readonly units: readonly Unit[];
  readonly outputs: readonly { readonly name: string; readonly size: number; readonly arriving: Arriving }[];
  /** Size of the input. */
  readonly nIn: number;
  /** What is not as in the file, in words. */
  readonly notes: readonly string[];
  readonly allowed: ReadonlySet<Approximation>;
}

/** Name of the input as a source. */
export const inputSource = '';

/**
 * The units of a graph, with everything linear between them multiplied out.
 * @throws UnsupportedError naming every node that the engine has no neuron for, with what it would take
 */
export function unitGraphOf(
  topology: Topology,
  convention: Convention,
  allowed: ReadonlySet<Approximation>,
): UnitGraph {
  const { places, inputs, path } = topology;
  const refused: string[] = [];
  const notes: string[] = [];
  const refuse = (what: string, approximation?: Approximation): void => {
    if (approximation === undefined) refused.push(what);
    else if (allowed.has(approximation)) notes.push(`${what}: ${approximations[approximation]}, as asked for`);
    else refused.push(`${what}; --allow ${approximation} makes it ${approximations[approximation]}`);
  };
  const sizes = new Set(inputs.map((name) => places.get(name)?.size ?? 0));
  if (sizes.size !== 1) refuse(`the inputs ${inputs.join(', ')} differ in size: one input that all share`);
  const hidden = hiddenIntegrators(topology);
  const gathering = new Gathering(topology, convention, hidden, refuse);
  const units: Unit[] = [];
  const behind = new Set(hidden.values());
  for (const place of places.values()) {
    if (place.layer || place.node.type === 'Delay' || behind.has(place.name)) continue;
    units.push(unitOf(place, hidden.get(place.name) ?? null, topology, gathering, convention, refuse));
  }
  const outputs = [...places.values()]
    .filter(
      ({ node, name }) =>
        node.type === 'Output' && ![...places.values()].some(({ from }) => from.some((edge) => edge.from === name)),
    )
    .map(({ name, size }) => ({ name, size, arriving: gathering.of(name) }));
  if (outputs.length === 0) refuse('there is no Output: at least one');
  const all = [...new Set(refused)];
  if (all.length > 0) throw new UnsupportedError(`${path}: the engine cannot say all of this graph: ${all.join('; ')}`);
  return { units, outputs, nIn: [...sizes][0], notes: [...new Set(notes)], allowed };
}

type Refuse = (what: string, approximation?: Approximation) => void;

/** LI and CubaLI nodes whose only way out is one Threshold that gets nothing else, by name, with that Threshold. */
function hiddenIntegrators({ places }: Topology): ReadonlyMap<string, string> {
  const all = [...places.values()];
  const found = new Map<string, string>();
  for (const { node, name, from } of all) {
    if (node.type !== 'Threshold' || from.length !== 1) continue;
    const source = places.get(from[0].from);
    const ways = all.flatMap((place) => place.from).filter((edge) => edge.from === source?.name);
    if (source && ['LI', 'CubaLI', 'I'].includes(source.node.type) && ways.length === 1) found.set(source.name, name);
  }
  return found;
}

/** Multiplies out what reaches a node. */
class Gathering {
  readonly #topology: Topology;
  readonly #convention: Convention;
  readonly #hidden: ReadonlyMap<string, string>;
  readonly #refuse: Refuse;
  readonly #given = new Map<string, Arriving | null>();

  constructor(topology: Topology, convention: Convention, hidden: ReadonlyMap<string, string>, refuse: Refuse) {
    this.#topology = topology;
    this.#convention = convention;
    this.#hidden = hidden;
    this.#refuse = refuse;
  }

  /** What a node gets: the sum over its edges. */
  of(name: string): Arriving {
    const place = this.#topology.places.get(name) as Place;
    const size = place.layer ? place.layer.map.nIn : place.size;
    let sum: Arriving = { paths: new Map(), offset: new Float64Array(size), fixed: false };
    for (const edge of place.from)
      sum = plus(sum, delayedBy(this.#from(edge), edgeDelay(edge, this.#topology, this.#convention)), name);
    return sum;
  }

  /** What the node at the beginning of an edge gives. */
  #from({ from }: Edge): Arriving {
    const known = this.#given.get(from);
    if (known) return known;
    const place = this.#topology.places.get(from) as Place;
    const { size } = place;
    const none = { offset: new Float64Array(size), fixed: false };
    if (known === null) {
      this.#refuse(`"${from}" is in a loop of delays without a neuron: a neuron in the loop`);
      return { ...none, paths: new Map() };
    }
    const source = (name: string, delay: number): Arriving => ({
      ...none,
      paths: new Map([[name, new Map([[delay, identityMap(size)]])]]),
    });
    this.#given.set(from, null);
    const given = this.#topology.inputs.includes(from)
      ? source(inputSource, 0)
      : place.layer
        ? this.#through(place)
        : place.node.type === 'Delay'
          ? this.#delayed(place)
          : source(from, this.lagOf(place));
    this.#given.set(from, given);
    return given;
  }

  /** Steps from the output that the engine has of a unit to that of the file. */
  lagOf({ node, from, name }: Place): number {
    if (node.type !== 'Threshold' || this.#hidden.get(from[0]?.from ?? '') !== name) return 0;
    return from[0].late ? 1 : 0;
  }

  #through(place: Place): Arriving {
    const { map } = place.layer as NonNullable<Place['layer']>;
    const { paths, offset, fixed } = this.of(place.name);
    const { type } = place.node;
    const spatial = convolutions.includes(type) || type.endsWith('Pool2d');
    if (spatial) this.#refuse(`"${place.name}" is a ${type}, whose synapses share their weights`, 'convolution');
    if (
      this.#convention.noRecurrentBiasAtFirstStep &&
      place.from.some(({ late }) => late) &&
      map.offset.some((b) => b !== 0)
    ) {
      this.#refuse(`"${place.name}" has a bias that is missing in the first step: one that always acts`);
    }
    const outer = map.offset.slice();
    for (let j = 0; j < map.nOut; j++) {
      for (let s = map.rowStart[j]; s < map.rowStart[j + 1]; s++) outer[j] += map.weight[s] * offset[map.pre[s]];
    }
    const path = `${this.#topology.path} ${place.name}`;
    return { paths: mapped(paths, (inner) => composed(map, inner, path)), offset: outer, fixed: fixed || spatial };
  }

  #delayed(place: Place): Arriving {
    const { steps, off } = delaySteps(place, this.#convention, this.#topology.path);
    if (off > 1e-4) this.#refuse(`"${place.name}" has delays of ${off.toFixed(3)} steps off the grid: whole steps`);
    const { paths, offset, fixed } = this.of(place.name);
    if (offset.some((value, j) => value !== 0 && steps[j] > 0))
      this.#refuse(`"${place.name}" delays a bias: a bias behind it`);
    const out = new Map<string, Map<number, LinearMap>>();
    const path = `${this.#topology.path} ${place.name}`;
    for (const [source, byDelay] of paths) {
      for (const [delay, map] of byDelay) {
        for (const d of new Set(steps))
          merge(
            out,
            source,
            delay + d,
            rowsOfMap(map, (j) => steps[j] === d, path),
            path,
          );
      }
    }
    return { paths: out, offset, fixed };
  }
}

/** Steps that an edge takes. What a neuron emits before its update is one step behind its membrane, wherever it goes. */
function edgeDelay({ from, late }: Edge, { places }: Topology, { emit }: Convention): number {
  const type = places.get(from)?.node.type ?? '';
  return emit === 'before-update' && firing.includes(type) ? 1 : late ? 1 : 0;
}

function mapped(paths: Arriving['paths'], change: (map: LinearMap) => LinearMap): Arriving['paths'] {
  return new Map(
    [...paths].map(([source, byDelay]) => [source, new Map([...byDelay].map(([d, map]) => [d, change(map)]))]),
  );
}

function merge(
  out: Map<string, Map<number, LinearMap>>,
  source: string,
  delay: number,
  map: LinearMap,
  path: string,
): void {
  const byDelay = out.get(source) ?? new Map<number, LinearMap>();
  const known = byDelay.get(delay);
  byDelay.set(delay, known ? added(known, map, path) : map);
  out.set(source, byDelay);
}

function delayedBy({ paths, offset, fixed }: Arriving, steps: number): Arriving {
  if (steps === 0) return { paths, offset, fixed };
  return {
    paths: new Map(
      [...paths].map(([source, byDelay]) => [source, new Map([...byDelay].map(([d, map]) => [d + steps, map]))]),
    ),
    offset,
    fixed,
  };
}

function plus(a: Arriving, b: Arriving, path: string): Arriving {
  const paths = new Map([...a.paths].map(([source, byDelay]) => [source, new Map(byDelay)]));
  for (const [source, byDelay] of b.paths) for (const [delay, map] of byDelay) merge(paths, source, delay, map, path);
  return { paths, offset: a.offset.map((value, j) => value + b.offset[j]), fixed: a.fixed || b.fixed };
}

/** The unit of a node; `behind` an integrator: the Threshold that makes spikes of it. */
function unitOf(
  place: Place,
  behind: string | null,
  { places, path }: Topology,
  gathering: Gathering,
  convention: Convention,
  refuse: Refuse,
): Unit {
  const { name, node, size } = place;
  const arriving = gathering.of(name);
  const fires = node.type === 'Threshold' ? place : behind === null ? null : (places.get(behind) as Place);
  const threshold = fires && broadcastField(fires.node, 'threshold', fires.shape, `${path} ${fires.name}`);
  if (threshold?.some((value) => !(value > 0))) refuse(`"${fires?.name}" has a threshold that is not > 0: one that is`);
  if (fires === place) return { name, membrane: null, cells: null, threshold, size, arriving, lag: 0 };
  const cells = cellsOf(place, convention, path);
  refuseCells(name, cells, convention, refuse);
  const lag = fires ? gathering.lagOf(fires) : convention.emit === 'before-update' && cells.fires ? 1 : 0;
  return { name: fires?.name ?? name, membrane: name, cells, threshold, size, arriving, lag };
}

/** Says what a population of ours cannot be. */
function refuseCells(name: string, { a, v0, synapse, fires }: NirCells, convention: Convention, refuse: Refuse): void {
  if (a.some((value) => value < 0))
    refuse(`"${name}" decays by a factor < 0: time constants of at least a step, or a shorter step (dt)`);
  if (synapse?.s.some((value) => !(value >= 0 && value < 1))) {
    refuse(`"${name}" has a synapse whose decay is not in [0, 1): time constants of at least a step`);
  }
  if (!fires) {
    if (v0.some((value) => value !== 0)) refuse(`"${name}" is an integrator that does not begin at 0: v_leak 0`);
    return;
  }
  const { threshold, when } = fires;
  if (threshold.some((value) => !(value > 0))) refuse(`"${name}" has a threshold that is not > 0: one that is`);
  if (convention.spikes === 'multi') refuse(`"${name}" may have several spikes in a step`, 'multi-spike');
  if (convention.minV) refuse(`"${name}" has a membrane that is held above ${convention.minV}`, 'min-v');
  if (when === 'next-step-lost' || when === 'same-step-snntorch')
    refuse(`"${name}" is reset as "${when}" says: another reset`);
  if (convention.emit === 'before-update' && v0.some((value, j) => value > threshold[j])) {
    refuse(`"${name}" emits a spike before its first update: v_leak below its threshold`);
  }
}
