import { linearOf } from '../../core/dynamics.ts';
import type { Real } from '../../core/layout.ts';
import type { Network, NetworkSpec } from '../../core/network.ts';
import type { BoundOuter, LearnedSignalKernel, LinearDynamics, NeuronDynamics, OuterPart } from '../../core/plugins.ts';
import { layPopulation, layWayBack, type PlannedBptt, scratchLengths, type WholeRecords } from './bptt.ts';
import type { Kernels } from './module.ts';
import { type RecordValues, writeRecord } from './record.ts';
import { adaptedFields, learnedFields, taughtFields } from './records.ts';
import { type Allot, allotAll, type Scratch } from './scratch.ts';

type Values<F extends readonly string[]> = RecordValues<F[number]>;

/** Where what both sides of the update between two passes need lies: of the rule, of each population that is taught, of each projection. */
export interface PlannedLearned {
  readonly rule: Scratch;
  readonly taught: readonly PlannedTaught[];
  readonly ends: readonly PlannedEnd[];
}

interface PlannedTaught {
  /** Its place among all populations, and its first column among those that are taught. */
  readonly place: number;
  readonly column: number;
  readonly own: Scratch;
  /** What its own memory has for its way back. */
  readonly trace: Scratch;
}

/** A projection that is in the test trial, and ends on a population that is taught. */
interface PlannedEnd {
  readonly projection: number;
  readonly own: Scratch;
}

/** The rule of a network in two passes; null: it has none, or one without a kernel. */
function ruleOf({ direct }: NetworkSpec): { readonly kernel: LearnedSignalKernel; readonly outer: OuterPart } | null {
  const { kernel, outer } = direct ?? {};
  return kernel?.name === 'learned-signal' && outer ? { kernel, outer } : null;
}

export function planLearned(spec: NetworkSpec, allot: Allot): PlannedLearned | null {
  const rule = ruleOf(spec);
  if (!rule) return null;
  const { populations, projections } = spec;
  const { step } = spec.sizes;
  const { module } = rule.outer;
  let columns = 0;
  const taught = populations.flatMap(({ size }, place): PlannedTaught[] => {
    if (place === module) return [];
    const column = columns;
    columns += size;
    const linear = allMatricesOf(spec, place);
    const rows = step * size;
    const own = { record: taughtFields.length, drive: rows, total: rows, moved: rows, h: linear.states * size };
    return [
      {
        place,
        column,
        own: allotAll({ ...own, arriving: size + 4, spike: size, slope: size }, allot),
        trace: allotAll(scratchLengths(spec, place, linear), allot),
      },
    ];
  });
  const n = populations[module].size;
  return {
    rule: allotAll({ record: learnedFields.length, filtered: step * n, owed: n, credit: step * columns + 4 }, allot),
    taught,
    ends: projections.flatMap(({ pre, post, synapses: { nSyn } }, projection): PlannedEnd[] => {
      if (post === module || pre === module) return [];
      const own = allotAll({ record: adaptedFields.length, weights: nSyn + 4, debt: nSyn + 4 }, allot);
      return [{ projection, own }];
    }),
  };
}

/** Matrices of a population, those of a closed form too: its memory is taken forwards and backwards by them. */
function allMatricesOf({ populations }: NetworkSpec, p: number): LinearDynamics {
  const { neuron, size } = populations[p];
  return linearOf(neuron.eligibility as NeuronDynamics, size);
}

/** Both sides of the update between the passes, for the network of the test trial, whose memory is another. */
export function bindLearned(
  network: Network,
  kernels: Kernels,
  whole: WholeRecords,
  { learned, bptt }: { readonly learned: PlannedLearned; readonly bptt: PlannedBptt },
  memory: WebAssembly.Memory,
): (test: Network) => BoundOuter {
  const { spec, weights, gradient } = network;
  const { kernel, outer } = ruleOf(spec) as NonNullable<ReturnType<typeof ruleOf>>;
  const { module } = outer;
  const { record, ...scratch } = learned.rule;
  const goes = kernel.triangles ? spec.populations.map((_, p) => p) : [module];
  const list = layWayBack(network, { goes, attached: true }, whole, bptt, memory);
  const numbers = (at: number, length: number): Real => new Float32Array(memory.buffer, at, length);
  const columns = learned.taught.reduce((sum, { place }) => sum + spec.populations[place].size, 0);
  const signal = spec.blocks.find(({ kind }) => kind === 'signal')?.name ?? '';
  layTaught(network, kernel, whole, { learned, bptt }, memory);
  const values: Values<typeof learnedFields> = {
    ...(scratch as Record<'filtered' | 'owed' | 'credit', number>),
    first: whole.nets[0],
    list,
    taught: learned.taught[0].own.record,
    module: bptt.populations[module].record,
    psi: weights[signal].byteOffset,
    gradient: gradient[signal].byteOffset,
    columns,
    rate: kernel.rate,
    decay: kernel.decay,
    gain: kernel.gain,
  };
  writeRecord(memory.buffer, record, learnedFields, values);
  const ends = learned.ends.map(({ projection, own }) => {
    const { name, synapses } = spec.projections[projection];
    const { nSyn, masked } = synapses;
    return { name, nSyn, masked, adapted: numbers(own.weights, nSyn), debt: numbers(own.debt, nSyn) };
  });
  return (test) => ({
    adapt(b, steps) {
      for (const { name, adapted } of ends) adapted.set(weights[name]);
      kernels.learnedAdapt(record, b, steps);
      for (const { name, adapted, masked } of ends) {
        for (const s of masked) adapted[s] = 0;
        test.weights[name].set(adapted);
      }
    },
    credit(b, steps) {
      for (const { name, nSyn, debt, masked } of ends) {
        debt.set(test.gradient[name]);
        for (const s of masked) debt[s] = 0;
        kernels.addTo(gradient[name].byteOffset, debt.byteOffset, nSyn);
      }
      kernels.learnedCredit(record, b, steps);
    },
    signalCredit: numbers(learned.rule.credit, spec.sizes.step * columns),
  });
}

function layTaught(
  network: Network,
  { triangles, adapts }: LearnedSignalKernel,
  { nets, projections }: WholeRecords,
  { learned, bptt }: { readonly learned: PlannedLearned; readonly bptt: PlannedBptt },
  memory: WebAssembly.Memory,
): void {
  const { spec } = network;
  learned.taught.forEach(({ place, column, own, trace }, k) => {
    const { record, ...scratch } = own;
    const triangle = triangles?.[place];
    if (triangle) new Float32Array(memory.buffer, own.slope, triangle.slope.length).set(triangle.slope);
    layPopulation(network, place, trace, memory, {
      linear: allMatricesOf(spec, place),
      attached: false,
      net: nets[place],
      outgoing: 0,
      feedback: 0,
      next: 0,
      filtered: bptt.filtered,
      tells: false,
    });
    const ends = learned.ends.filter(
      ({ projection }) => adapts[projection] && spec.projections[projection].post === place,
    );
    ends.forEach(({ projection, own: { record: at, weights, debt } }, e) => {
      const { pre } = spec.projections[projection];
      const values: Values<typeof adaptedFields> = {
        projection: projections[projection],
        pre: pre === null ? 0 : bptt.populations[pre].record,
        weights,
        debt,
        next: ends[e + 1]?.own.record ?? 0,
      };
      writeRecord(memory.buffer, at, adaptedFields, values);
    });
    const values = {
      ...scratch,
      bptt: bptt.populations[place].record,
      trace: trace.record,
      ends: ends[0]?.own.record ?? 0,
      next: learned.taught[k + 1]?.own.record ?? 0,
      column,
      peak: triangle?.peak ?? 0,
    } as unknown as Values<typeof taughtFields>;
    writeRecord(memory.buffer, record, taughtFields, values);
  });
}
