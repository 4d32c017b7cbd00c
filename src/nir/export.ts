import { UnsupportedError } from '../core/errors.ts';
import { type Network, type PopulationSpec, type Whole, wholesOf } from '../core/network.ts';
import type { CellsKernel, ThresholdKernel } from '../core/plugins.ts';
import { perNeuron } from '../core/values.ts';
import type { Written, WrittenNumbers } from '../data/hdf5Write.ts';
import { type Convention, parseConvention } from './convention.ts';
import { graphOfTree } from './graph.ts';
import { inputSource, unitGraphOf } from './network.ts';
import type { Target } from './targets.ts';
import { readGraph } from './topology.ts';
import { treeOf } from './written.ts';

/** A graph to be written, and what it does not say. */
export interface Export {
  readonly graph: Written;
  /** What is not as in our network. */
  readonly lost: readonly string[];
  /** What is left out on purpose. */
  readonly notes: readonly string[];
  /** Node of each population. */
  readonly neurons: readonly string[];
}

export interface ExportOptions {
  /** Whether what NIR cannot say may be dropped. */
  readonly lossy: boolean;
  /** Whether readouts are written, as Affine and LI. */
  readonly readouts: boolean;
  /** Metadata of the graph. */
  readonly metadata: Written;
}

/**
 * A network as a NIR graph by the recipe of a target: v(t) = a v(t-1) + x(t), threshold 1, weights with the gain of the input and 1 / vTh
 * in them, tau = dt / (1 - a) and r = tau / dt. Nodes are named so that their alphabetical order is that of execution, which snnTorch needs.
 * @throws UnsupportedError naming everything that NIR, or the target, cannot say; with `lossy` it is dropped where it can be
 */
export function exportNetwork(network: Network, target: Target, options: ExportOptions): Export {
  return new Exporting(network, target, options).result();
}

/** Constants of a population that can be written. [self] each */
interface Cells {
  readonly decay: Float64Array;
  /** Factor on the weights: the gain of the input over the threshold. */
  readonly scale: Float64Array;
  readonly synapse: Float64Array | null;
}

const numbers = (
  type: WrittenNumbers['type'],
  shape: readonly number[],
  values: ArrayLike<number>,
): WrittenNumbers => ({ type, shape, values });
const floats = (values: ArrayLike<number>) => numbers('float32', [values.length], values);
const port = (type: 'Input' | 'Output', size: number): Written => ({ type, shape: numbers('int64', [1], [size]) });
const filled = (size: number, value: number) => new Float64Array(size).fill(value);

class Exporting {
  readonly #network: Network;
  readonly #target: Target;
  readonly #options: ExportOptions;
  readonly #lost: string[] = [];
  readonly #impossible: string[] = [];
  readonly #notes: string[] = [];
  readonly #nodes: Record<string, Written> = {};
  readonly #edges: (readonly [string, string])[] = [];
  /** Node that gives the spikes of each population. */
  readonly #neurons: string[] = [];
  #count = 0;

  constructor(network: Network, target: Target, options: ExportOptions) {
    this.#network = network;
    this.#target = target;
    this.#options = options;
  }

  result(): Export {
    const { populations, sizes } = this.#network.spec;
    const cells = populations.map((population) => this.#cellsOf(population));
    const matrices = this.#matrices();
    const hasBias = wholesOf(this.#network.spec).some(({ parts }) => parts[0].bias);
    const nIn = sizes.in - (hasBias ? 1 : 0);
    this.#refuse();
    this.#nodes.input = port('Input', nIn);
    for (let p = 0; p < populations.length; p++) this.#population(populations[p], p, matrices, cells as Cells[]);
    this.#output();
    this.#refuse();
    const metadata = Object.keys(this.#options.metadata).length > 0 ? { metadata: this.#options.metadata } : {};
    const graph = { type: 'NIRGraph', nodes: this.#nodes, edges: this.#edges, ...metadata };
    this.#checkOrder(graph as Written);
    return { graph: graph as Written, lost: this.#lost, notes: this.#notes, neurons: this.#neurons };
  }

  /** What stands in the way, all at once. */
  #refuse(): void {
    const all = [
      ...this.#impossible,
      ...(this.#options.lossy ? [] : this.#lost.map((what) => `${what} (--lossy writes it all the same)`)),
    ];
    if (all.length > 0)
      throw new UnsupportedError(
        `the network cannot be written as NIR for ${this.#target.frameworks.join(' and ')}: ${all.join('; ')}`,
      );
  }

  /** Importers take the delay of an edge from the order in which they find the nodes: it has to be that of our populations. */
  #checkOrder(graph: Written): void {
    const convention = conventionOf(this.#target);
    const { units } = unitGraphOf(
      readGraph(graphOfTree(treeOf({ node: graph }), 'export'), convention, 'export'),
      convention,
      new Set(),
    );
    const nodes = this.#neurons.map((name) =>
      this.#target.loop === 'subgraph' && !units.some((unit) => unit.name === name) ? `${name}/lif` : name,
    );
    for (const { name, arriving } of units) {
      const post = nodes.indexOf(name);
      for (const [source, byDelay] of arriving.paths) {
        const pre = nodes.indexOf(source);
        const least = source === inputSource ? 0 : pre >= post ? 1 : this.#target.layerDelay;
        const { populations } = this.#network.spec;
        for (const delay of byDelay.keys()) {
          if (post >= 0 && delay !== least) {
            this.#impossible.push(
              `what ${populations[pre]?.name ?? 'the input'} sends to ${populations[post].name} would be read ${delay - least} steps late, by the order of the nodes`,
            );
          }
        }
      }
    }
    this.#refuse();
  }

  #cellsOf({ name, kind, size, neuron }: PopulationSpec): Cells | null {
    const { kernel, layout } = neuron;
    if (kernel?.name !== 'threshold' && kernel?.name !== 'cells') {
      this.#impossible.push(`population ${name} has neurons "${kind}" as they are set, for which NIR has no node`);
      return null;
    }
    const { reset, filters } = this.#target;
    const lose = (when: boolean, what: string) => when && this.#lost.push(`population ${name}: ${what}`);
    lose(kernel.adaptation !== null, 'its threshold adaptation is not in NIR, a LIF without it remains');
    lose(kernel.nRef > 1, `its refractory period of ${kernel.nRef - 1} steps is not in NIR`);
    lose(kernel.orEqual, 'it fires at its threshold, NIR only above it');
    lose(
      kernel.resetToZero !== (reset === 'zero'),
      `its reset "${kernel.resetToZero ? 'zero' : 'subtract'}" becomes "${reset}"`,
    );
    lose(
      kernel.name === 'cells' && kernel.leak.some((value) => value !== 0),
      'its resting potential is read in different ways, 0 is written',
    );
    lose(layout.v?.initial !== undefined, 'its membrane does not begin at 0');
    const synapse = kernel.name === 'cells' && kernel.synapse ? Float64Array.from(kernel.synapse) : null;
    if (synapse && !filters)
      this.#impossible.push(
        `population ${name} filters its input, which ${this.#target.frameworks.join(', ')} resets in another way`,
      );
    const decay = each(kernel.decay, size);
    if (decay.includes(1)) this.#impossible.push(`population ${name} has membranes that do not leak, tau is infinite`);
    const [gain, vTh] = [each(kernel.gain, size), each(kernel.vTh, size)];
    return { decay, scale: gain.map((value, j) => value / vTh[j]), synapse };
  }

  /** Matrices [pre][post] and biases between populations, by source (-1 the input) and target; several projections are added up. */
  #matrices(): Matrices {
    const { spec, weights } = this.#network;
    const { populations, sizes } = spec;
    const hasBias = wholesOf(spec).some(({ parts }) => parts[0].bias);
    const found: Matrices = {
      between: new Map(),
      bias: populations.map(({ size, current }) => current?.slice() ?? new Float64Array(size)),
    };
    for (const whole of wholesOf(spec)) {
      const [{ pre, post, from, bias }] = whole.parts;
      this.#checkDelays(whole);
      const nPost = populations[post].size;
      const nPre = pre === null ? sizes.in - (hasBias ? 1 : 0) : populations[pre].size;
      const key = `${pre ?? -1} ${post}`;
      const matrix = found.between.get(key) ?? new Float64Array(nPre * nPost);
      for (const { name, synapses } of whole.parts) {
        const last = synapses.nPre - 1;
        for (let i = 0; i < synapses.nPre; i++) {
          for (let s = synapses.rowStart[i]; s < synapses.rowStart[i + 1]; s++) {
            if (bias && i === last) found.bias[post][synapses.post[s]] += weights[name][s];
            else matrix[((pre === null ? from : 0) + i) * nPost + synapses.post[s]] += weights[name][s];
          }
        }
      }
      if (!bias || whole.synapses.nPre > 1) found.between.set(key, matrix);
    }
    return found;
  }

  #checkDelays({ name, parts }: Whole): void {
    const { feedback, frameworks, layerDelay } = this.#target;
    for (const { pre, post, delay } of parts) {
      const least = pre === null ? 0 : pre >= post ? 1 : layerDelay;
      if (delay !== least)
        this.#lost.push(
          `projection ${name}: its delay of ${delay} steps becomes ${least}, as importers read the order of nodes`,
        );
      if (pre !== null && pre > post && !feedback)
        this.#impossible.push(
          `projection ${name} feeds back to an earlier population, which ${frameworks.join(', ')} cannot read`,
        );
    }
  }

  /** A name behind all before it, and before all behind it. */
  #add(label: string, node: Written): string {
    const name = `n${String(this.#count++).padStart(4, '0')}_${label}`;
    this.#nodes[name] = node;
    return name;
  }

  #connect(...path: string[]): void {
    for (let k = 1; k < path.length; k++) this.#edges.push([path[k - 1], path[k]]);
  }

  #population({ name, size }: PopulationSpec, p: number, { between, bias }: Matrices, all: readonly Cells[]): void {
    const cells = all[p];
    const forward: string[] = [];
    let owed = bias[p].some((value) => value !== 0) ? bias[p].map((value, j) => value * cells.scale[j]) : null;
    for (let from = -1; from < p; from++) {
      const matrix = between.get(`${from} ${p}`);
      if (!matrix) continue;
      const source = from < 0 ? 'input' : this.#neurons[from];
      const linear = this.#add(`to_${name}`, linearOf(matrix, cells.scale, owed));
      owed = null;
      this.#connect(source, linear);
      forward.push(linear);
    }
    if (forward.length === 0)
      this.#impossible.push(
        `population ${name} gets nothing from the input or an earlier population, where a graph begins`,
      );
    const recurrent = between.get(`${p} ${p}`);
    const neuron =
      recurrent && this.#target.loop === 'subgraph'
        ? this.#subgraph(name, size, cells, recurrent)
        : this.#add(name, this.#neuronOf(size, cells));
    for (const linear of forward) this.#connect(linear, neuron);
    this.#neurons[p] = neuron;
    if (recurrent && this.#target.loop === 'identity') {
      const weights = this.#add(`${name}_rec`, linearOf(recurrent, cells.scale, null));
      const same = this.#add(`${name}_same`, linearOf(identity(size), filled(size, 1), null));
      this.#connect(neuron, weights, same, neuron);
    }
    for (let to = 0; to < p; to++) {
      const matrix = between.get(`${p} ${to}`);
      if (matrix)
        this.#connect(neuron, this.#add(`${name}_back`, linearOf(matrix, all[to].scale, null)), this.#neurons[to]);
    }
  }

  #neuronOf(size: number, { decay, synapse }: Cells): Written {
    const { dt, neuron } = this.#target;
    const tau = decay.map((a) => dt / (1 - a));
    const common = {
      r: floats(tau.map((value) => value / dt)),
      v_leak: floats(filled(size, 0)),
      v_threshold: floats(filled(size, 1)),
      v_reset: floats(filled(size, 0)),
    };
    if (neuron === 'LIF') return { type: 'LIF', tau: floats(tau), ...common };
    const tauSyn = (synapse ?? filled(size, 0)).map((sigma) => dt / (1 - sigma));
    return {
      type: 'CubaLIF',
      tau_syn: floats(tauSyn),
      tau_mem: floats(tau),
      w_in: floats(tauSyn.map((value) => value / dt)),
      ...common,
    };
  }

  #subgraph(name: string, size: number, cells: Cells, recurrent: Float64Array): string {
    const nodes = {
      input: port('Input', size),
      lif: this.#neuronOf(size, cells),
      w_rec: linearOf(recurrent, cells.scale, null),
      output: port('Output', size),
    };
    const edges = [
      ['input', 'lif'],
      ['lif', 'w_rec'],
      ['w_rec', 'lif'],
      ['lif', 'output'],
    ];
    return this.#add(name, { type: 'NIRGraph', nodes, edges });
  }

  /** The spikes of the last population that a readout reads; or the readout. */
  #output(): void {
    const { readouts, populations } = this.#network.spec;
    const read = readouts.flatMap(({ reads }) => reads);
    const last = read.length > 0 ? Math.max(...read) : populations.length - 1;
    if (!this.#options.readouts) {
      this.#nodes.output = port('Output', populations[last].size);
      this.#connect(this.#neurons[last], 'output');
      const names = readouts.map(({ name }) => name).join(', ');
      this.#notes.push(
        `the output is the spikes of ${populations[last].name}; readouts (${names}) stand in the metadata alone, --readouts writes them`,
      );
      return;
    }
    if (readouts.length !== 1) {
      this.#impossible.push(`${readouts.length} readouts: a graph for these frameworks has one output`);
      return;
    }
    this.#readout();
  }

  #readout(): void {
    const { spec, weights } = this.#network;
    const [{ name, size, reads, readout }] = spec.readouts;
    const { dt } = this.#target;
    const ends: string[] = [];
    let row = 0;
    for (const p of reads) {
      const n = spec.populations[p].size;
      const matrix = Float64Array.from(weights[name].subarray(row * size, (row + n) * size));
      row += n;
      const linear = this.#add(`to_${name}`, linearOf(matrix, filled(size, readout.gain), null));
      this.#connect(this.#neurons[p], linear);
      ends.push(linear);
    }
    if (readout.decay > 0) {
      const tau = dt / (1 - readout.decay);
      const li = this.#add(name, {
        type: 'LI',
        tau: floats(filled(size, tau)),
        r: floats(filled(size, tau / dt)),
        v_leak: floats(filled(size, 0)),
      });
      for (const end of ends.splice(0)) this.#connect(end, li);
      ends.push(li);
    }
    if (readout.bias) {
      const bias = this.#add(
        `${name}_bias`,
        linearOf(identity(size), filled(size, 1), Float64Array.from(weights[`${name}.bias`])),
      );
      for (const end of ends.splice(0)) this.#connect(end, bias);
      ends.push(bias);
    }
    this.#nodes.output = port('Output', size);
    for (const end of ends) this.#connect(end, 'output');
    this.#notes.push(
      `the readout ${name} is written as nodes of its own; an LI makes snnTorch raise, and Norse drops it`,
    );
  }
}

interface Matrices {
  readonly between: Map<string, Float64Array>;
  readonly bias: Float64Array[];
}

const each = (value: ThresholdKernel['decay'] | CellsKernel['decay'], size: number): Float64Array =>
  typeof value === 'number' ? perNeuron(value, size) : Float64Array.from(value);

/** Linear, or Affine where there is a bias: [post][pre] from a matrix [pre][post], each row times the scale of its neuron. */
function linearOf(matrix: Float64Array, scale: Float64Array, bias: Float64Array | null): Written {
  const nPost = scale.length;
  const nPre = matrix.length / nPost;
  const weight = new Float64Array(matrix.length);
  for (let j = 0; j < nPost; j++)
    for (let i = 0; i < nPre; i++) weight[j * nPre + i] = matrix[i * nPost + j] * scale[j];
  const node = { weight: numbers('float32', [nPost, nPre], weight) };
  return bias ? { type: 'Affine', ...node, bias: floats(bias) } : { type: 'Linear', ...node };
}

function identity(n: number): Float64Array {
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) matrix[i * n + i] = 1;
  return matrix;
}

/** The convention by which our own reader has the network again. */
export function conventionOf({ dt, reset, layerDelay }: Target): Convention {
  return parseConvention(
    {
      dt,
      decay: 'euler',
      gain: 'r*dt/tau',
      synGain: 'w_in*dt/tau_syn',
      reset: reset === 'zero' ? 'v_reset' : 'subtract',
      resetWhen: 'next-step',
      emit: layerDelay === 1 ? 'before-update' : 'after-update',
    },
    'target',
  );
}
