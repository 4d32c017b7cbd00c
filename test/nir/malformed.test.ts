import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, FileError, UnsupportedError } from '../../src/core/errors.ts';
import { createRng } from '../../src/core/rng.ts';
import {
  experimentOf,
  graphOfTree,
  namedConventions,
  parseConvention,
  readGraph,
  readHdf5,
  treeOfJson,
  unitGraphOf,
} from '../../src/nir/index.ts';
import { scratchFolder } from '../record/scratch.ts';

/** A group or a dataset of a JSON twin. */
interface Part {
  members: Record<string, Part>;
  shape: number[];
  value: unknown;
}

const golden = (name: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, `../golden/nir-run-${name}.json`), 'utf8')) as {
    run: { convention: unknown };
    hdf5: Part;
  };

/** Reads a graph that was changed first, as far as it would be imported. */
function readChanged(edit: (nodes: Part['members'], node: Part) => void, name = 'snntorch-rleaky') {
  const { run, hdf5 } = golden(name);
  const node = hdf5.members.node;
  edit(node.members.nodes.members, node);
  const convention = parseConvention(run.convention, 'convention');
  const topology = readGraph(graphOfTree(treeOfJson(hdf5, 'net.nir'), 'net.nir'), convention, 'net.nir');
  return experimentOf(unitGraphOf(topology, convention, new Set(['convolution'])), convention);
}

const edgesOf = (node: Part) => node.members.edges as Part & { value: [string, string][] };
const addEdge = (node: Part, from: string, to: string) => {
  edgesOf(node).value.push([from, to]);
  edgesOf(node).shape[0]++;
};

describe('a graph that is none is refused by name', () => {
  it.each<[string, (nodes: Part['members'], node: Part) => void, RegExp]>([
    ['no type', (nodes) => delete nodes['1.lif'].members.type, /nodes\/1\.lif: has no type/],
    [
      'a type that is not known',
      (nodes) => (nodes['1.lif'].members.type.value = 'Izhikevich'),
      /unknown type "Izhikevich"/,
    ],
    [
      'a type like a property of objects',
      (nodes) => (nodes['1.lif'].members.type.value = 'constructor'),
      /unknown type "constructor"/,
    ],
    [
      'a name with control characters, which are written out',
      (nodes) => (nodes['odd\0\n'] = { ...nodes['1.lif'], members: {} }),
      /nodes\/odd\\u0000\\u000a: has no type$/,
    ],
    ['a missing field', (nodes) => delete nodes['1.lif'].members.tau, /lacks the field "tau" of a node of type LIF/],
    [
      'a field that is not known',
      (nodes) => (nodes['1.lif'].members.beta = nodes['1.lif'].members.tau),
      /unknown field "beta"/,
    ],
    ['not a number', (nodes) => ((nodes['1.lif'].members.tau.value as unknown[])[2] = Number.NaN), /tau\[2\]: got NaN/],
    [
      'text in place of numbers',
      (nodes) => ((nodes['1.lif'].members.tau.value as unknown[])[2] = 'x'),
      /expected a number/,
    ],
    ['null', (nodes) => ((nodes['1.lif'].members.tau.value as unknown[])[2] = null), /expected a number/],
    ['a time constant of 0', (nodes) => ((nodes['1.lif'].members.tau.value as unknown[])[2] = 0), /tau\[2\]: got 0/],
    [
      'a shape that is not that of its values',
      (nodes) => (nodes['1.lif'].members.tau.shape = [9]),
      /has 8 values, expected 9/,
    ],
    ['a huge shape', (nodes) => (nodes['1.lif'].members.tau.shape = [2 ** 30, 2 ** 20]), /at most \d+ entries/],
    ['a negative shape', (nodes) => (nodes['1.lif'].members.tau.shape = [-8]), /at most \d+ entries/],
    ['a huge input', (nodes) => (nodes.input.members.shape.value = [2 ** 40]), /at most \d+ entries/],
    ['weights of other neurons', (nodes) => (nodes['0'].members.weight.shape = [5, 8]), /its input has shape \[5\]/],
    ['an edge to nowhere', (_, node) => addEdge(node, '0', 'nobody'), /names the node "nobody"/],
    ['edges that are no pairs', (_, node) => (edgesOf(node).shape = [14]), /expected pairs of names/],
    ['no edges', (_, node) => delete node.members.edges, /has no edges/],
    ['no nodes', (_, node) => delete node.members.nodes, /has no nodes/],
    ['a cycle without a neuron', (_, node) => addEdge(node, '2', '2'), /cycle without a neuron in it, among/],
    [
      'a node that nothing reaches',
      (nodes) => (nodes.alone = structuredClone(nodes['3'])),
      /alone: is reached from no node/,
    ],
    ['no input', (nodes) => (nodes.input.members.type.value = 'Output'), /no node of type Input/],
  ])('%s', (_what, edit, message) => {
    expect(() => readChanged(edit)).toThrow(message);
    expect(() => readChanged(edit)).toThrow(/net\.nir/);
  });

  it.each<[string, (nodes: Part['members']) => void, RegExp]>([
    [
      'a kernel that is longer than its input',
      (nodes) => (nodes.layer_2.members.kernel_size.value = [9, 9]),
      /kernel of 9 over 6/,
    ],
    ['a stride of 0', (nodes) => (nodes.layer_0.members.stride.value = [0, 0]), /stride: got \[0,0\]/],
    ['half a stride', (nodes) => (nodes.layer_0.members.stride.value = [0.5, 1]), /whole numbers >= 1/],
    ['padding of another name', (nodes) => (nodes.layer_0.members.padding.value = 'most'), /got "most"/],
    [
      'groups that do not divide',
      (nodes) => (nodes.layer_0.members.groups.value = 2),
      /groups: got 2, expected a divisor/,
    ],
    [
      'a Flatten of another shape',
      (nodes) => (nodes.layer_3.members.input_type.value = [3, 3, 4]),
      /input_type: states shape \[3,3,4\]/,
    ],
  ])('of a convolution: %s', (_what, edit, message) => {
    expect(() => readChanged(edit, 'spyx-conv')).toThrow(message);
  });

  it('graphs without end', () => {
    let graph = golden('spyx-rlif').hdf5.members.node;
    for (let depth = 0; depth < 40; depth++) {
      const outer = structuredClone(golden('spyx-rlif').hdf5.members.node);
      outer.members.nodes.members.layer_1 = graph;
      graph = outer;
    }
    const tree = () => graphOfTree(treeOfJson({ kind: 'group', members: { node: graph } }, 'net.nir'), 'net.nir');
    expect(tree).toThrow(/nested more than 32 graphs deep/);
  });
});

describe('a file that is no NIR file', () => {
  const whole = readFileSync(join(import.meta.dirname, '../data/nir/spyx-rlif.nir'));
  const write = (bytes: Uint8Array | string) => {
    const path = join(scratchFolder(), 'net.nir');
    writeFileSync(path, bytes);
    return path;
  };

  it('is not read, nor one that is not there', async () => {
    await expect(readHdf5(write('no HDF5'))).rejects.toThrow(/net\.nir: HDF5 cannot read it: /);
    await expect(readHdf5(write(''))).rejects.toThrow(FileError);
    await expect(readHdf5(join(scratchFolder(), 'nowhere.nir'))).rejects.toThrow(FileError);
  });

  it.each([0.1, 0.3, 0.6, 0.9, 0.99])('ends in a named error where %f of it is left', async (share) => {
    await expect(readHdf5(write(whole.subarray(0, Math.floor(share * whole.length))))).rejects.toThrow(FileError);
  });

  it('says what to install where h5wasm is missing', async () => {
    const missing = readHdf5('net.nir', () => Promise.reject(new Error("Cannot find package 'h5wasm'")));
    await expect(missing).rejects.toThrow(/npm install h5wasm/);
    await expect(missing).rejects.toThrow(UnsupportedError);
  });

  it('with bytes changed is read, or ends in a named error', async () => {
    const rng = createRng(7);
    const named = [FileError, ConfigError, UnsupportedError];
    const spyx = namedConventions().get('spyx');
    if (!spyx) throw new Error('no convention');
    let refused = 0;
    for (let k = 0; k < 60; k++) {
      const bytes = Uint8Array.from(whole);
      for (let m = 0; m < 20; m++) bytes[rng.integer(bytes.length)] = rng.integer(256);
      const path = write(bytes);
      try {
        const topology = readGraph(graphOfTree(await readHdf5(path), path), spyx, path);
        experimentOf(unitGraphOf(topology, spyx, new Set()), spyx);
      } catch (error) {
        refused++;
        expect(
          named.some((kind) => error instanceof kind),
          String(error),
        ).toBe(true);
      }
    }
    expect(refused).toBeGreaterThan(5);
  });
});
