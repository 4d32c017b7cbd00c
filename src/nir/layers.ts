import { FileError } from '../core/errors.ts';
import type { Convention } from './convention.ts';
import type { NirNode } from './graph.ts';
import { identityMap, type LinearMap, mapOf, scaleMap } from './maps.ts';
import { entriesOf, limits, type NirArray } from './tree.ts';

/** What a node without a state does to what it gets, and the shape of what it gives. */
export interface Layer {
  readonly map: LinearMap;
  readonly shape: readonly number[];
}

/** Types of nodes that are linear and have no state. */
export const linearTypes = [
  'Input',
  'Output',
  'Linear',
  'Affine',
  'Scale',
  'Conv1d',
  'Conv2d',
  'SumPool2d',
  'AvgPool2d',
  'Flatten',
] as const;
export const convolutions = ['Conv1d', 'Conv2d'];

export const sizeOf = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);

/** The numbers of a field. @throws FileError where it is text or missing */
export function numbersOf(node: NirNode, name: string, path: string): NirArray {
  const field = node.fields.get(name);
  if (field === undefined || typeof field === 'string') throw new FileError(`${path}/${name}`, 'expected numbers');
  return field;
}

/** A field with one number for each entry of a shape, by NumPy's rules of broadcasting. @throws FileError where it has no such shape */
export function broadcastField(node: NirNode, name: string, shape: readonly number[], path: string): Float64Array {
  const { data, shape: given } = numbersOf(node, name, path);
  const size = sizeOf(shape);
  if (data.length === size) return data;
  const aligned = [...new Array<number>(Math.max(0, shape.length - given.length)).fill(1), ...given];
  if (aligned.length !== shape.length || aligned.some((length, d) => length !== 1 && length !== shape[d])) {
    throw new FileError(`${path}/${name}`, `has shape [${given}], expected [${shape}], the shape of its input`);
  }
  const out = new Float64Array(size);
  for (let at = 0; at < size; at++) {
    let rest = at;
    let from = 0;
    for (let d = shape.length - 1, stride = 1; d >= 0; d--) {
      if (aligned[d] > 1) from += (rest % shape[d]) * stride;
      stride *= aligned[d];
      rest = Math.floor(rest / shape[d]);
    }
    out[at] = data[from];
  }
  return out;
}

/** The layer of a node behind something of a shape; null: behind something whose shape is not known. @throws FileError */
export function layerOf(node: NirNode, shape: readonly number[], convention: Convention, path: string): Layer {
  switch (node.type) {
    case 'Input':
    case 'Output':
      return { map: identityMap(sizeOf(shape)), shape };
    case 'Linear':
    case 'Affine':
      return affine(node, shape, path);
    case 'Scale':
      return { map: scaleMap(broadcastField(node, 'scale', shape, path)), shape };
    case 'Conv1d':
    case 'Conv2d':
      return convolution(node, shape, node.type === 'Conv1d' ? 1 : 2, path);
    case 'SumPool2d':
    case 'AvgPool2d':
      return pool(node, shape, path);
    case 'Flatten':
      return flat(node, shape, convention, path);
    default:
      throw new FileError(path, `of type ${node.type} is not linear`);
  }
}

/** Shape that a node makes of its own where nothing says that of its input. */
export function ownInputSize(node: NirNode, path: string): number | null {
  if (node.type === 'Linear' || node.type === 'Affine') return numbersOf(node, 'weight', path).shape[1] ?? null;
  return null;
}

function affine(node: NirNode, shape: readonly number[], path: string): Layer {
  const { shape: given, data } = numbersOf(node, 'weight', path);
  if (given.length !== 2) throw new FileError(`${path}/weight`, `has shape [${given}], expected [post][pre]`);
  const [nOut, nIn] = given;
  if (sizeOf(shape) !== nIn) {
    throw new FileError(`${path}/weight`, `has shape [${given}], but its input has shape [${shape}]`);
  }
  const offset = node.fields.has('bias') ? broadcastField(node, 'bias', [nOut], path).slice() : undefined;
  const row = (j: number, add: (pre: number, weight: number) => void) => {
    for (let i = 0; i < nIn; i++) add(i, data[j * nIn + i]);
  };
  return { map: mapOf(nIn, nOut, path, row, offset), shape: [nOut] };
}

/** A parameter of each spatial axis, given once or for each. */
function axesOf(node: NirNode, name: string, axes: number, otherwise: number, path: string): number[] {
  if (!node.fields.has(name)) return new Array<number>(axes).fill(otherwise);
  const { data } = numbersOf(node, name, path);
  const least = name === 'padding' ? 0 : 1;
  if ((data.length !== 1 && data.length !== axes) || !data.every((n) => Number.isInteger(n) && n >= least)) {
    throw new FileError(`${path}/${name}`, `got [${data}], expected one or ${axes} whole numbers >= ${least}`);
  }
  return Array.from({ length: axes }, (_, axis) => data[data.length === 1 ? 0 : axis]);
}

/** Channels and lengths of what a spatial layer gets: leading axes of length 1 are batches; a flat input has the stated lengths. */
function spatial(
  shape: readonly number[],
  channels: number | null,
  stated: readonly number[] | null,
  axes: number,
  path: string,
) {
  let given = [...shape];
  while (given.length > axes + 1 && given[0] === 1) given = given.slice(1);
  if (given.length !== axes + 1 && stated && channels !== null && sizeOf(shape) === channels * sizeOf(stated))
    given = [channels, ...stated];
  if (given.length !== axes + 1 || (channels !== null && given[0] !== channels)) {
    const expected = `[${channels ?? 'channels'}${', length'.repeat(axes)}]`;
    throw new FileError(path, `gets an input of shape [${shape}], expected ${expected}`);
  }
  return { channels: given[0], lengths: given.slice(1) };
}

/** Where a window over one axis begins and how many there are. */
interface Axis {
  readonly length: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly count: number;
}

function axisOf(
  length: number,
  kernel: number,
  stride: number,
  dilation: number,
  padding: number | 'same',
  path: string,
): Axis {
  const span = dilation * (kernel - 1);
  const total = padding === 'same' ? span : 2 * padding;
  const before = padding === 'same' ? Math.floor(span / 2) : padding;
  const count = Math.floor((length + total - span - 1) / stride) + 1;
  if (count < 1) throw new FileError(path, `has a kernel of ${kernel} over ${length} entries, which is longer`);
  return { length, kernel, stride, dilation, before, count };
}

/** Calls `visit(kernel place, input place)` for every tap of a window that lies within the input; places are row-major. */
function eachTap(axes: readonly Axis[], out: readonly number[], visit: (tap: number, from: number) => void): void {
  const taps = sizeOf(axes.map(({ kernel }) => kernel));
  for (let tap = 0; tap < taps; tap++) {
    let rest = tap;
    let from = 0;
    let stride = 1;
    let inside = true;
    for (let d = axes.length - 1; d >= 0; d--) {
      const axis = axes[d];
      const place = out[d] * axis.stride - axis.before + (rest % axis.kernel) * axis.dilation;
      inside &&= place >= 0 && place < axis.length;
      from += place * stride;
      stride *= axis.length;
      rest = Math.floor(rest / axis.kernel);
    }
    if (inside) visit(tap, from);
  }
}

/** Places of an output of these lengths, row-major. */
function placeOf(at: number, axes: readonly Axis[]): number[] {
  const place = new Array<number>(axes.length);
  for (let d = axes.length - 1, rest = at; d >= 0; d--) {
    place[d] = rest % axes[d].count;
    rest = Math.floor(rest / axes[d].count);
  }
  return place;
}

function convolution(node: NirNode, shape: readonly number[], dims: number, path: string): Layer {
  const { shape: given, data } = numbersOf(node, 'weight', path);
  if (given.length !== dims + 2) {
    throw new FileError(`${path}/weight`, `has shape [${given}], expected ${dims + 2} lengths, [out][in][kernel]`);
  }
  const groups = axesOf(node, 'groups', 1, 1, path)[0];
  const [outs, inGroup, ...kernels] = given;
  if (outs % groups !== 0)
    throw new FileError(`${path}/groups`, `got ${groups}, expected a divisor of ${outs} channels`);
  const stated = node.fields.has('input_shape') ? [...numbersOf(node, 'input_shape', path).data] : null;
  const { channels, lengths } = spatial(shape, inGroup * groups, stated, dims, path);
  const stride = axesOf(node, 'stride', dims, 1, path);
  const dilation = axesOf(node, 'dilation', dims, 1, path);
  const padding = paddingOf(node, dims, path);
  const axes = lengths.map((length, d) => axisOf(length, kernels[d], stride[d], dilation[d], padding[d], path));
  const bias = node.fields.has('bias') ? broadcastField(node, 'bias', [outs], path) : null;
  const [area, inArea, taps] = [sizeOf(axes.map(({ count }) => count)), sizeOf(lengths), sizeOf(kernels)];
  tooMany(outs * area, inGroup * taps, path);
  const offset = Float64Array.from({ length: outs * area }, (_, j) => bias?.[Math.floor(j / area)] ?? 0);
  const row = (j: number, add: (pre: number, weight: number) => void) => {
    const out = Math.floor(j / area);
    const first = Math.floor(out / (outs / groups)) * inGroup;
    const place = placeOf(j % area, axes);
    for (let c = 0; c < inGroup; c++) {
      eachTap(axes, place, (tap, from) => add((first + c) * inArea + from, data[(out * inGroup + c) * taps + tap]));
    }
  };
  const map = mapOf(channels * inArea, outs * area, path, row, offset);
  return { map, shape: [outs, ...axes.map(({ count }) => count)] };
}

function paddingOf(node: NirNode, dims: number, path: string): (number | 'same')[] {
  const padding = node.fields.get('padding');
  if (typeof padding !== 'string') return axesOf(node, 'padding', dims, 0, path);
  if (padding !== 'same' && padding !== 'valid') {
    throw new FileError(`${path}/padding`, `got "${padding}", expected "same", "valid" or whole numbers`);
  }
  return new Array<number | 'same'>(dims).fill(padding === 'same' ? 'same' : 0);
}

function pool(node: NirNode, shape: readonly number[], path: string): Layer {
  const { channels, lengths } = spatial(shape, null, null, 2, path);
  const [kernel, stride, padding] = ['kernel_size', 'stride', 'padding'].map((name) => axesOf(node, name, 2, 1, path));
  const axes = lengths.map((length, d) => axisOf(length, kernel[d], stride[d], 1, padding[d], path));
  const [area, inArea] = [sizeOf(axes.map(({ count }) => count)), sizeOf(lengths)];
  tooMany(channels * area, sizeOf(kernel), path);
  const weight = node.type === 'AvgPool2d' ? 1 / sizeOf(kernel) : 1;
  const row = (j: number, add: (pre: number, weight: number) => void) => {
    const channel = Math.floor(j / area);
    eachTap(axes, placeOf(j % area, axes), (_, from) => add(channel * inArea + from, weight));
  };
  return {
    map: mapOf(channels * inArea, channels * area, path, row),
    shape: [channels, ...axes.map(({ count }) => count)],
  };
}

function tooMany(rows: number, perRow: number, path: string): void {
  if (rows * perRow > limits.entries) throw new FileError(path, `has more than ${limits.entries} connections`);
}

/** The order of the numbers stays, unless channels come last; which axes are merged changes the shape alone. */
function flat(node: NirNode, shape: readonly number[], { flatten }: Convention, path: string): Layer {
  const stated = node.fields.has('input_type') ? [...numbersOf(node, 'input_type', path).data] : null;
  if (stated) entriesOf(stated, `${path}/input_type`);
  const size = sizeOf(shape);
  if (stated && sizeOf(stated) !== size) {
    throw new FileError(`${path}/input_type`, `states shape [${stated}], but its input has shape [${shape}]`);
  }
  const from = shape.length === 3 || !stated ? shape : stated;
  if (flatten === 'channels-first' || from.length !== 3) return { map: identityMap(size), shape: [size] };
  const [channels, , width] = from;
  const area = from[1] * width;
  const row = (j: number, add: (pre: number, weight: number) => void) => {
    add((j % channels) * area + Math.floor(j / channels), 1);
  };
  return { map: mapOf(size, size, path, row), shape: [size] };
}
