import { inputGain, linearOf } from '../../core/dynamics.ts';
import { viewsOf } from '../../core/feedback.ts';
import type { Network, NetworkSpec, PopulationSpec } from '../../core/network.ts';
import type { LinearDynamics, NeuronDynamics } from '../../core/plugins.ts';
import { type ConstantRows, matrixRows, rowLength } from './constants.ts';
import type { Kernels } from './module.ts';
import { type RecordValues, writeRecord } from './record.ts';
import { bpttFields, feedbackFields, outgoingFields } from './records.ts';
import { type Allot, allotAll, type Scratch } from './scratch.ts';

type Values<F extends readonly string[]> = RecordValues<F[number]>;

/** Where what backpropagation needs lies: F of all outputs, and what each population and each projection has. */
export interface PlannedBptt {
  readonly filtered: number;
  readonly populations: readonly Scratch[];
  /** Records of the feedback, for each population at most one for every readout. */
  readonly feedback: readonly (readonly number[])[];
  /** Records of projections from populations; 0 of those from the input. */
  readonly outgoing: readonly number[];
}

/** Of a direct rule that has a kernel, whichever: all go back through the populations. */
export function planBptt(spec: NetworkSpec, allot: Allot): PlannedBptt | null {
  if (!spec.direct?.kernel) return null;
  const { sizes, populations, projections, readouts } = spec;
  return {
    filtered: allot(sizes.stream * sizes.out),
    populations: populations.map((population, p) => allotAll(scratchLengths(spec, p, matricesOf(population)), allot)),
    feedback: populations.map(() => readouts.map(() => allot(feedbackFields.length))),
    outgoing: projections.map(({ pre }) => (pre === null ? 0 : allot(outgoingFields.length))),
  };
}

/** Four-byte words of a population, by the names of the record; and the record itself. @param linear its matrices */
export function scratchLengths(
  spec: NetworkSpec,
  p: number,
  linear: LinearDynamics | null,
): Readonly<Record<string, number>> {
  const { size } = spec.populations[p];
  const rows = spec.sizes.stream * size + 4;
  return {
    credit: rows,
    part: rows,
    drive: rows,
    owed: (linear?.states ?? 1) * rows,
    later: depthOf(spec, p) * rows,
    linear: constantRows(linear, false).length * rowLength(size),
    record: bpttFields.length,
  };
}

/** Rows of D that are kept: of this step, and as many as the spikes that made it have travelled. */
function depthOf({ projections }: NetworkSpec, p: number): number {
  const delays = projections.filter(({ pre, post }) => pre !== null && post === p).map(({ delay }) => delay);
  return Math.max(1, ...delays) + 1;
}

/** Matrices of all neurons but those of the closed form of spikes, which has a loop of its own. */
function matricesOf({ neuron, size }: PopulationSpec): LinearDynamics | null {
  const { eligibility } = neuron;
  return eligibility === null || eligibility.form === 'filter-then-post' ? null : linearOf(eligibility, size);
}

/** Rows of `linear` in `kernels/bptt.ts`. @param attached whether credit goes through the neuron's own reset */
function constantRows(linear: LinearDynamics | null, attached: boolean): ConstantRows {
  if (!linear) return [];
  const { transition, input, own, reset, read } = linear;
  return matrixRows(linear, [transition, input, own, attached ? reset : reset.map(() => 0), read]);
}

/** Records of populations and of projections, with the whole gradient. */
export interface WholeRecords {
  readonly nets: readonly number[];
  readonly projections: readonly number[];
}

/** The stage of backpropagation; nothing where the direct rule is another. */
export function bindBptt(
  network: Network,
  kernels: Kernels,
  whole: WholeRecords,
  plan: PlannedBptt,
  memory: WebAssembly.Memory,
): (t0: number, t1: number) => void {
  const { spec } = network;
  const kernel = spec.direct?.kernel;
  if (kernel?.name !== 'bptt') return () => {};
  const all = spec.populations.map((_, p) => p);
  const last = layWayBack(network, { goes: all, attached: kernel.attached }, whole, plan, memory);
  const longest = kernel.segment ?? kernel.window ?? Number.POSITIVE_INFINITY;
  const window = kernel.window ?? Number.POSITIVE_INFINITY;
  return (t0, t1) => {
    for (let s0 = t0; s0 < t1; s0 += longest) {
      if (kernel.drops && s0 + longest > t1) return;
      const s1 = Math.min(s0 + longest, t1);
      kernels.bpttBack(whole.nets[0], last, s0, s1, Math.max(0, s1 - window));
    }
  };
}

/** The populations on their way back. @param goes those that take it, in order @returns the record of the last one */
export function layWayBack(
  network: Network,
  { goes, attached }: { readonly goes: readonly number[]; readonly attached: boolean },
  { nets, projections }: WholeRecords,
  plan: PlannedBptt,
  memory: WebAssembly.Memory,
): number {
  const { spec } = network;
  const outgoing = spec.projections.flatMap(({ pre, post }, q) => (pre !== null && goes.includes(post) ? [q] : []));
  goes.forEach((p, place) => {
    const first = outgoing.find((q) => spec.projections[q].pre === p);
    layPopulation(network, p, plan.populations[p], memory, {
      linear: matricesOf(spec.populations[p]),
      attached,
      net: nets[p],
      outgoing: first === undefined ? 0 : plan.outgoing[first],
      feedback: layFeedback(network, p, plan.feedback[p], memory),
      next: place > 0 ? plan.populations[goes[place - 1]].record : 0,
      filtered: plan.filtered,
      tells: network.spec.direct?.kernel?.name === 'bptt',
    });
  });
  for (const q of outgoing) {
    const { pre, post } = spec.projections[q];
    const next = outgoing.find((r) => r > q && spec.projections[r].pre === pre);
    const values: Values<typeof outgoingFields> = {
      projection: projections[q],
      to: plan.populations[post].record,
      next: next === undefined ? 0 : plan.outgoing[next],
    };
    writeRecord(memory.buffer, plan.outgoing[q], outgoingFields, values);
  }
  return plan.populations[goes[goes.length - 1]].record;
}

/** What the record of a population holds besides its scratch. */
interface OnItsWay {
  readonly linear: LinearDynamics | null;
  readonly attached: boolean;
  readonly net: number;
  readonly outgoing: number;
  readonly feedback: number;
  readonly next: number;
  readonly filtered: number;
  /** Whether dz goes to the rows of the signal; else it is not kept. */
  readonly tells: boolean;
}

export function layPopulation(
  { spec, activity }: Network,
  p: number,
  { record, ...scratch }: Scratch,
  memory: WebAssembly.Memory,
  { linear, attached, tells, ...given }: OnItsWay,
): void {
  const { size, neuron } = spec.populations[p];
  const dynamics = neuron.eligibility as NeuronDynamics;
  constantRows(linear, attached).forEach((row, r) => {
    new Float32Array(memory.buffer, scratch.linear + 4 * r * rowLength(size), size).set(row);
  });
  const signal = activity[p].signals[0];
  const values = {
    ...scratch,
    ...given,
    signal: tells ? signal.data.byteOffset : scratch.credit,
    signalRows: tells ? signal.steps : 1,
    depth: depthOf(spec, p),
    gain: linear ? 1 : inputGain(dynamics),
    resetGain: attached && !linear && dynamics.form !== 'linear' ? dynamics.resetGain : 0,
    linear: linear ? scratch.linear : 0,
    states: linear?.states ?? 1,
    gateInput: linear?.gate === 'input' ? 1 : 0,
  } as unknown as Values<typeof bpttFields>;
  writeRecord(memory.buffer, record, bpttFields, values);
}

/** @returns the first record of what brings errors to a population; 0 where nothing does */
function layFeedback(network: Network, p: number, records: readonly number[], memory: WebAssembly.Memory): number {
  const parts = feedbackOf(network, p);
  parts.forEach(({ weights, size, column }, part) => {
    const next = part + 1 < parts.length ? records[part + 1] : 0;
    const values: Values<typeof feedbackFields> = { weights: weights.byteOffset, size, column, next };
    writeRecord(memory.buffer, records[part], feedbackFields, values);
  });
  return parts.length > 0 ? records[0] : 0;
}

function feedbackOf({ spec, state, weights }: Network, p: number) {
  const sizes = spec.populations.map(({ size }) => size);
  const { out } = spec.sizes;
  const kernel = spec.direct?.kernel;
  if (kernel?.name !== 'bptt') return [];
  if (kernel.matrix === 'B') {
    const before = sizes.slice(0, p).reduce((sum, size) => sum + size, 0);
    return [{ weights: state.field('direct.B').subarray(before * out), size: out, column: 0 }];
  }
  const readouts = spec.readouts.map(({ name }) => weights[name]);
  return viewsOf(spec.readouts, readouts, p, sizes);
}
