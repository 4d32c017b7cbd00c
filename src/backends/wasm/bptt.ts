import { inputGain, linearOf } from '../../core/dynamics.ts';
import { viewsOf } from '../../core/feedback.ts';
import type { Network, NetworkSpec, PopulationSpec } from '../../core/network.ts';
import type { LinearDynamics, NeuronDynamics } from '../../core/plugins.ts';
import { type ConstantRows, matrixRows, rowLength } from './constants.ts';
import type { Kernels } from './module.ts';
import { type RecordValues, writeRecord } from './record.ts';
import { bpttFields, feedbackFields, outgoingFields } from './records.ts';
import type { Allot, Scratch } from './scratch.ts';

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

export function planBptt(spec: NetworkSpec, allot: Allot): PlannedBptt | null {
  if (!spec.direct?.kernel) return null;
  const { sizes, populations, projections, readouts } = spec;
  return {
    filtered: allot(sizes.stream * sizes.out),
    populations: populations.map((_, p) =>
      Object.fromEntries(Object.entries(scratchLengths(spec, p)).map(([name, length]) => [name, allot(length)])),
    ),
    feedback: populations.map(() => readouts.map(() => allot(feedbackFields.length))),
    outgoing: projections.map(({ pre }) => (pre === null ? 0 : allot(outgoingFields.length))),
  };
}

/** Four-byte words of a population, by the names of the record; and the record itself. */
function scratchLengths(spec: NetworkSpec, p: number): Readonly<Record<string, number>> {
  const { size } = spec.populations[p];
  const linear = matricesOf(spec.populations[p]);
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

/** The stage of the direct rule. @param nets records of populations, @param projections of projections, with the whole gradient */
export function bindBptt(
  network: Network,
  kernels: Kernels,
  { nets, projections }: { readonly nets: readonly number[]; readonly projections: readonly number[] },
  plan: PlannedBptt,
  memory: WebAssembly.Memory,
): (t0: number, t1: number) => void {
  const { spec } = network;
  const kernel = spec.direct?.kernel;
  if (!kernel) return () => {};
  spec.populations.forEach((_, p) => {
    layPopulation(network, p, kernel.attached, nets[p], plan, memory);
  });
  spec.projections.forEach(({ pre, post }, q) => {
    if (pre === null) return;
    const next = spec.projections.findIndex((other, r) => r > q && other.pre === pre);
    const values: Values<typeof outgoingFields> = {
      projection: projections[q],
      to: plan.populations[post].record,
      next: next < 0 ? 0 : plan.outgoing[next],
    };
    writeRecord(memory.buffer, plan.outgoing[q], outgoingFields, values);
  });
  const last = plan.populations[plan.populations.length - 1].record;
  const longest = kernel.segment ?? kernel.window ?? Number.POSITIVE_INFINITY;
  const window = kernel.window ?? Number.POSITIVE_INFINITY;
  return (t0, t1) => {
    for (let s0 = t0; s0 < t1; s0 += longest) {
      if (kernel.drops && s0 + longest > t1) return;
      const s1 = Math.min(s0 + longest, t1);
      kernels.bpttBack(nets[0], last, s0, s1, Math.max(0, s1 - window));
    }
  };
}

function layPopulation(
  network: Network,
  p: number,
  attached: boolean,
  net: number,
  plan: PlannedBptt,
  memory: WebAssembly.Memory,
): void {
  const { spec } = network;
  const { size, neuron } = spec.populations[p];
  const { record, ...scratch } = plan.populations[p];
  const dynamics = neuron.eligibility as NeuronDynamics;
  const linear = matricesOf(spec.populations[p]);
  constantRows(linear, attached).forEach((row, r) => {
    new Float32Array(memory.buffer, scratch.linear + 4 * r * rowLength(size), size).set(row);
  });
  const first = spec.projections.findIndex(({ pre }) => pre === p);
  const values = {
    ...scratch,
    net,
    outgoing: first < 0 ? 0 : plan.outgoing[first],
    feedback: layFeedback(network, p, plan.feedback[p], memory),
    next: p > 0 ? plan.populations[p - 1].record : 0,
    filtered: plan.filtered,
    depth: depthOf(spec, p),
    gain: linear ? 1 : inputGain(dynamics),
    resetGain: attached && dynamics.form !== 'linear' ? dynamics.resetGain : 0,
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
  if (spec.direct?.kernel?.matrix === 'B') {
    const before = sizes.slice(0, p).reduce((sum, size) => sum + size, 0);
    return [{ weights: state.field('direct.B').subarray(before * out), size: out, column: 0 }];
  }
  const readouts = spec.readouts.map(({ name }) => weights[name]);
  return viewsOf(spec.readouts, readouts, p, sizes);
}
