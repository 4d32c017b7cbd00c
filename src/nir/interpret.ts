import { FileError } from '../core/errors.ts';
import { cellsOf, delaySteps, type NirCells } from './cells.ts';
import type { Convention } from './convention.ts';
import { broadcastField } from './layers.ts';
import { addTo } from './maps.ts';
import type { Place, Topology } from './topology.ts';

/** What a node gave, and its membrane where it has one: a row for each step. */
export interface Observed {
  readonly output: Float64Array[];
  readonly v: Float64Array[] | null;
}

/** A node at work: what it gives for what it gets. */
interface Working {
  readonly place: Place;
  readonly cells: { readonly v: Float64Array } | null;
  /** Of a neuron that emits before its update: its spikes of this step. */
  readonly emitted: (() => Float64Array) | null;
  readonly step: (input: Float64Array, t: number) => Float64Array;
}

/**
 * Runs a NIR graph under a convention, in float64, node by node as the equations stand: for what the engine has no neuron for, and as an
 * oracle for the rest. Spikes may be several a step.
 * @param x input of every step, which all root inputs get
 */
export function interpret(
  topology: Topology,
  convention: Convention,
  x: readonly Float64Array[],
): ReadonlyMap<string, Observed> {
  const { places, path } = topology;
  const working = [...places.values()].map((place) => workingOf(place, convention, path));
  const observed = new Map(
    working.map(({ place, cells }) => [place.name, { output: [], v: cells ? [] : null } as Observed]),
  );
  const previous = new Map<string, Float64Array>();
  for (let t = 0; t < x.length; t++) {
    for (const { place, emitted } of working) if (emitted) previous.set(place.name, emitted());
    const outputs = new Map<string, Float64Array>();
    for (const { place, cells, step } of working) {
      const output = step(inputOf(place, topology, x[t], outputs, previous), t);
      outputs.set(place.name, output);
      observed.get(place.name)?.output.push(output);
      if (cells) observed.get(place.name)?.v?.push(cells.v.slice());
    }
    for (const [name, output] of outputs) previous.set(name, output);
  }
  return observed;
}

function inputOf(
  { name, node, shape, size, layer, from }: Place,
  { inputs, path }: Topology,
  x: Float64Array,
  outputs: ReadonlyMap<string, Float64Array>,
  previous: ReadonlyMap<string, Float64Array>,
): Float64Array {
  if (inputs.includes(name)) {
    if (x.length !== size)
      throw new FileError(`${path} ${name}`, `gets ${x.length} values a step, expected [${shape}]`);
    return x;
  }
  const sum = new Float64Array(layer ? layer.map.nIn : size);
  for (const { from: source, late } of from) {
    const values = (late ? previous : outputs).get(source);
    if (!values) continue;
    if (values.length !== sum.length) {
      throw new FileError(
        `${path} ${name}`,
        `of type ${node.type} gets ${values.length} values from ${source}, expected ${sum.length}`,
      );
    }
    for (let j = 0; j < sum.length; j++) sum[j] += values[j];
  }
  return sum;
}

function workingOf(place: Place, convention: Convention, file: string): Working {
  const { layer, node, name, shape } = place;
  if (layer) return linear(place, convention);
  const path = `${file} ${name}`;
  if (node.type === 'Threshold') {
    const threshold = broadcastField(node, 'threshold', shape, path);
    return {
      place,
      cells: null,
      emitted: null,
      step: (input) => input.map((value, j) => Number(value > threshold[j])),
    };
  }
  if (node.type === 'Delay') return delayed(place, delaySteps(place, convention, file).steps);
  return neuron(place, cellsOf(place, convention, file), convention);
}

function linear(place: Place, { noRecurrentBiasAtFirstStep }: Convention): Working {
  const { map } = place.layer as NonNullable<Place['layer']>;
  const recurrent = noRecurrentBiasAtFirstStep && place.from.some(({ late }) => late);
  const step = (input: Float64Array, t: number) => {
    const y = new Float64Array(map.nOut);
    addTo(y, map, input);
    return recurrent && t === 0 ? y.map((value, j) => value - map.offset[j]) : y;
  };
  return { place, cells: null, emitted: null, step };
}

function delayed(place: Place, steps: Int32Array): Working {
  const past: Float64Array[] = [];
  const longest = steps.reduce((most, d) => Math.max(most, d), 0);
  const step = (input: Float64Array) => {
    past.unshift(input.slice());
    if (past.length > longest + 1) past.pop();
    return input.map((_, j) => past[steps[j]]?.[j] ?? 0);
  };
  return { place, cells: null, emitted: null, step };
}

function neuron(place: Place, cells: NirCells, convention: Convention): Working {
  const { a, gain, leak, v0, synapse, fires } = cells;
  const v = v0.slice();
  const i = new Float64Array(place.size);
  const drive = (input: Float64Array, j: number): number => {
    if (!synapse) return gain[j] * input[j];
    i[j] = synapse.s[j] * i[j] + synapse.gain[j] * input[j] + synapse.leak[j];
    return gain[j] * i[j];
  };
  if (!fires) {
    const step = (input: Float64Array) => v.map((_, j) => (v[j] = a[j] * v[j] + leak[j] + drive(input, j)));
    return { place, cells: { v }, emitted: null, step };
  }
  const { threshold, reset, subtracts, when } = fires;
  const before = convention.emit === 'before-update';
  const spikes = spikesOf(convention);
  let z = new Float64Array(place.size);
  const emitted = () => v.map((value, j) => spikes(value, threshold[j]));
  const step = (input: Float64Array) => {
    if (before) z = emitted();
    const next = new Float64Array(place.size);
    for (let j = 0; j < next.length; j++) {
      const added = leak[j] + drive(input, j);
      const th = threshold[j];
      const held = when === 'same-step-snntorch' && v[j] > th ? th : 0;
      if (when === 'next-step')
        v[j] = subtracts ? a[j] * v[j] + added - z[j] * th : a[j] * (z[j] > 0 ? reset[j] : v[j]) + added;
      else if (when === 'next-step-lost') v[j] = z[j] > 0 ? reset[j] : a[j] * v[j] + added;
      else if (when === 'next-step-decayed') v[j] = a[j] * (v[j] - z[j] * th) + added;
      else v[j] = a[j] * v[j] + added;
      next[j] = before ? z[j] : spikes(v[j] - held, th);
      if (when.startsWith('same-step')) v[j] = subtracts ? v[j] - next[j] * th : next[j] > 0 ? reset[j] : v[j];
      if (convention.minV && !before) v[j] = Math.max(v[j], -th);
    }
    z = next;
    return next;
  };
  return { place, cells: { v }, emitted: before ? emitted : null, step };
}

/** Spikes that a membrane gives at once. */
function spikesOf({ spikes, threshold }: Convention): (v: number, threshold: number) => number {
  if (spikes === 'binary') return threshold === '>=' ? (v, th) => Number(v >= th) : (v, th) => Number(v > th);
  if (threshold === 'trunc') return (v, th) => (v > 0 ? Math.trunc(v / th) : 0);
  return (v, th) => (v >= th ? Math.floor(v / th) : 0);
}
