import { blockKey } from '../../core/chance.ts';
import { UnsupportedError } from '../../core/errors.ts';
import type { Real } from '../../core/layout.ts';
import {
  isPlastic,
  type Network,
  type NetworkSpec,
  rateAt,
  type Stages,
  type WeightName,
  weightNames,
} from '../../core/network.ts';
import type { LossKernel, ThresholdKernel, TraceInstance } from '../../core/plugins.ts';
import { weightRanges } from '../../core/projection.ts';
import { bindBptt } from './bptt.ts';
import { aloneCrew } from './crew.ts';
import { layDendrite } from './dendrite.ts';
import { distances, isNarrow, scratchLengths, sharedLengths } from './memory.ts';
import { instantiate, type Kernels } from './module.ts';
import { type NetValues, netBytes, netFields } from './net.ts';
import { writeRecord } from './record.ts';
import { threadCrew } from './threads.ts';
import { bindTell, layTold } from './told.ts';

type Take = (length: number) => number;

/** Where a network lies and who works on it. */
export interface Site {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly take: Take;
  readonly shards: number;
  readonly threads: number;
}

/** Stages of a network whose memory is laid out: every call goes to one kernel on every shard. */
export function compileStages(network: Network, site: Site): Stages {
  const { spec } = network;
  const { module, memory } = site;
  const kernels = instantiate(module, memory);
  const told = layTold(network, site);
  const common = describe(network, site, told);
  const nets = layShards(network, site, common);
  const net = nets[0].net;
  const shards = nets.map(({ net: at, b0, b1 }) => ({ net: at, b0, b1 }));
  const crew =
    site.threads > 1
      ? threadCrew(kernels, { module, memory, controlAt: common.control, shards }, site.threads)
      : aloneCrew(kernels, shards);
  const dendrite = layDendrite(network, memory, site.take);
  const direct = bindBptt(network, kernels, wholeNet(network, site, common), memory, site.take);
  const scales = new Float32Array(memory.buffer, common.values.scale, spec.sizes.stream);
  const fused = sharesRows(spec).signal;
  const running = spec.rateTerm.mean === 'running';
  const rated = spec.rateTerm.strength > 0 && spec.rule !== null;
  const reduceAll = () => {
    if (nets.length === 1) return;
    for (const { parts } of nets) for (const { sum, part, n } of parts) kernels.reduce(sum, part, n);
  };
  const tell = told ? bindTell(network, told) : () => {};
  const wholeTrial = (steps: number, scale: Float64Array) => {
    scales.set(scale);
    crew.run('wholeTrial', 0, steps);
    reduceAll();
  };
  return {
    forward: (t0, t1) => crew.run('forward', t0, t1),
    readout: (t0, t1) => crew.run('readout', t0, t1),
    error(t0, t1, scale) {
      scales.set(scale);
      crew.run('errors', t0, t1);
    },
    rateRunning(t0, t1) {
      if (rated && running) crew.run('rateRunning', t0, t1);
    },
    rateOfTrial(steps) {
      if (!rated || running) return;
      if (spec.rateTerm.mean === 'batch') kernels.rateOfBatch(net, steps);
      else crew.run('rateOfStreams', 0, steps);
    },
    signal(t0, t1, progress) {
      tell(t0, t1);
      if (dendrite) {
        // The signal's matrices are shared by all streams, so it is made for all of them at once.
        for (let t = t0; t < t1; t++) kernels.dendriteStep(net, dendrite, t, progress(t));
        return;
      }
      // The deferred gradient makes the signal itself; only a watched step needs it here.
      if (spec.rule && (!fused || t1 - t0 === 1)) crew.run('broadcast', t0, t1);
    },
    direct: (t0, t1) => direct?.(t0, t1),
    gradient: (t0, t1) => crew.run('gradientOnline', t0, t1),
    gradientEnd() {
      if (rated && !running) kernels.traceEnd(net);
      reduceAll();
    },
    gradientOfTrial(steps) {
      crew.run('gradientAtEnd', 0, steps);
      reduceAll();
    },
    update: bindUpdate(network, kernels),
    ...(wholeTrials(spec) ? { wholeTrial } : {}),
    ready: () => crew.ready(),
    close: () => crew.close(),
  };
}

/** Whether a learning trial can be done stream by stream: nothing in it waits for all streams. */
function wholeTrials({ rule, direct, execution, rateTerm }: NetworkSpec): boolean {
  return (
    rule !== null &&
    !rule.signal.kernel?.errorSpikes &&
    direct === null &&
    execution === 'deferred' &&
    (rateTerm.strength === 0 || rateTerm.mean !== 'batch')
  );
}

/** The first shard's record with the whole gradient in place of its own, for a stage that is not divided. */
function wholeNet({ spec }: Network, { memory, take }: Site, { values }: Common): number {
  if (!spec.direct) return 0;
  const net = take(netBytes / 4);
  writeRecord(memory.buffer, net, netFields, { ...values, current: take(spec.sizes.rec + 4) });
  return net;
}

/** A shard's gradient and where it is added. */
interface Part {
  readonly sum: number;
  readonly part: number;
  readonly n: number;
}

/** One record, scratch and (of several shards) gradient for each part of the streams. The first record serves as the whole one. */
function layShards(network: Network, { memory, take, shards }: Site, { values }: Common) {
  const { spec, gradient } = network;
  const { stream } = spec.sizes;
  const scratch = scratchLengths(spec);
  return Array.from({ length: shards }, (_, s) => {
    const own = Object.fromEntries(Object.entries(scratch).map(([name, length]) => [name, take(length)]));
    const parts: Part[] = [];
    const sums = { gIn: gradient.wIn, gRec: gradient.wRec, gOut: gradient.wOut, gBias: gradient.bOut };
    const gradients = Object.fromEntries(
      Object.entries(sums).map(([name, array]) => {
        const part = shards > 1 ? take(array.length) : array.byteOffset;
        parts.push({ sum: array.byteOffset, part, n: array.length });
        return [name, part];
      }),
    );
    const net = take(netBytes / 4);
    writeRecord(memory.buffer, net, netFields, { ...values, ...own, ...gradients });
    return { net, b0: Math.floor((s * stream) / shards), b1: Math.floor(((s + 1) * stream) / shards), parts };
  });
}

/** Whole-time arrays of which one row serves all steps. */
export function sharesRows(spec: NetworkSpec): { readonly signal: boolean; readonly rateTerm: boolean } {
  const deferred = spec.execution === 'deferred';
  return { signal: deferred, rateTerm: deferred && spec.rateTerm.mean !== 'running' };
}

const lossKinds: Readonly<Record<LossKernel['name'], number>> = { square: 0, softmax: 1, bernoulli: 2 };

function lossKind({ loss, kinds }: NetworkSpec): number {
  if (!loss.kernel) throw new UnsupportedError(`backend "wasm" has no kernel for the loss "${kinds.loss}"`);
  return lossKinds[loss.kernel.name];
}

/** What the records of all shards have in common, and the control block of the threads. */
interface Common {
  readonly values: NetValues;
  readonly control: number;
}

/**
 * Addresses and constants of the network, by the names of `Net`; a shard puts its scratch and gradient over them. `told`: what the
 * neurons hear of the errors; null for the errors themselves.
 */
function describe(network: Network, { memory, take }: Site, told: Real | null): Common {
  const { spec, trial, weights, gradient, state } = network;
  const { sizes } = spec;
  const neuron = spec.neuron.kernel as ThresholdKernel;
  const trace = spec.rule?.trace.kernel ?? null;
  const at = (array: Real | undefined): number => array?.byteOffset ?? 0;
  const traces = state.views('trace');
  const online = trace !== null && spec.execution === 'online';
  const cell = state.views('neuron');
  const shared = sharedLengths(spec);
  const own = Object.fromEntries(Object.keys(scratchLengths(spec)).map((name) => [name, 0])) as ScratchAddresses;
  const strength = neuron.adaptation ? copied(neuron.adaptation.strength, shared.strength, memory, take) : 0;
  const rowsOf = (array: Real) => array.length / (sizes.stream * sizes.rec);
  const values: NetValues = {
    streams: sizes.stream,
    stride: sizes.step,
    history: sizes.history,
    nIn: sizes.in,
    n: sizes.rec,
    nOut: sizes.out,
    x: at(trial.x),
    z: at(trial.z),
    psi: at(trial.psi),
    y: at(trial.y),
    target: at(trial.target),
    weight: at(trial.weight),
    error: at(trial.error),
    told: at(told ?? trial.error),
    signal: at(trial.signal),
    signalRows: rowsOf(trial.signal),
    rateTerm: at(trial.rateTerm),
    rateRows: rowsOf(trial.rateTerm),
    v: at(cell.v),
    refractory: at(cell.refractory),
    a: at(cell.a),
    u: at(state.field('readout.u')),
    zBar: at(state.field('readout.zBar')),
    fBar: at(state.field('run.fBar')),
    wIn: at(weights.wIn),
    wRec: at(weights.wRec),
    wOut: at(weights.wOut),
    bOut: at(weights.bOut),
    gIn: at(gradient.wIn),
    gRec: at(gradient.wRec),
    gOut: at(gradient.wOut),
    gBias: at(gradient.bOut),
    ...topology('In', spec, memory, take),
    ...topology('Rec', spec, memory, take),
    synIn: sizes.synIn,
    synRec: sizes.synRec,
    epsIn: online ? required(traces.epsIn, 'epsIn') : 0,
    epsRec: online ? required(traces.epsRec, 'epsRec') : 0,
    epsAIn: at(traces.epsAIn),
    epsARec: at(traces.epsARec),
    eBarIn: at(traces.eBarIn),
    eBarRec: at(traces.eBarRec),
    sumIn: at(traces.sumIn),
    sumRec: at(traces.sumRec),
    feedback: feedbackAddress(network),
    ...own,
    scale: take(shared.scale),
    xList: take(shared.xList),
    xEnds: take(shared.xEnds),
    zList: take(shared.zList),
    zEnds: take(shared.zEnds),
    ...neuronConstants(neuron),
    strength,
    readoutDecay: spec.readout.decay,
    readoutGain: spec.readout.gain,
    readoutBias: spec.readout.bias ? 1 : 0,
    lossKind: lossKind(spec),
    dropBorder: spec.borderSpikes === 'drop' ? 1 : 0,
    ...traceConstants(spec.rule?.trace ?? null, spec.execution, strength),
    ...rateConstants(network),
  };
  return { values, control: take(shared.control) };
}

type ScratchAddresses = Readonly<Record<keyof ReturnType<typeof scratchLengths>, number>>;

/** A kernel would take a field that is not there for address 0. */
function required(array: Real | undefined, name: string): number {
  if (!array) throw new UnsupportedError(`backend "wasm": the trace keeps no "${name}", which its kernel needs`);
  return array.byteOffset;
}

function neuronConstants(neuron: ThresholdKernel) {
  return {
    decay: neuron.decay,
    gain: neuron.gain,
    vTh: neuron.vTh,
    psiHeight: neuron.psiHeight,
    psiWidth: neuron.psiWidth,
    nRef: neuron.nRef,
    orEqual: neuron.orEqual ? 1 : 0,
    resetToZero: neuron.resetToZero ? 1 : 0,
    psiHighest: neuron.psiLevels === null ? 0 : neuron.psiLevels - 1,
    rho: neuron.adaptation?.decay ?? 0,
  };
}

function traceConstants(instance: TraceInstance | null, execution: NetworkSpec['execution'], strength: number) {
  const trace = instance?.kernel;
  const kinds = { online: trace?.outer ? 1 : 2, deferred: 3, postponed: 4 };
  return {
    traceKind: trace ? kinds[execution] : 0,
    traceDecay: trace?.decay ?? 0,
    traceStrength: trace?.adaptive ? strength : 0,
    kappa: instance?.filter.decay ?? 0,
    traceGain: instance?.filter.gain ?? 1,
    restartEvery: trace?.restartEvery ?? 0,
    rateAfterTrial: trace?.rateTermAfterTrial ? 1 : 0,
  };
}

function rateConstants({ spec }: Network) {
  const { strength, target, runningRate, everySteps } = spec.rateTerm;
  return {
    rateStrength: spec.rule ? strength : 0,
    rateTarget: target,
    rateRunning: runningRate,
    rateEvery: everySteps,
    ratePerStream: spec.update.reduction === 'sum' ? spec.sizes.stream : 1,
  };
}

function feedbackAddress({ spec, state, weights }: Network): number {
  const kernel = spec.rule?.signal.kernel;
  if (!kernel) return weights.wOut.byteOffset;
  return kernel.matrix === 'wOut' ? weights.wOut.byteOffset : state.field('signal.B').byteOffset;
}

function copied(values: Real, length: number, memory: WebAssembly.Memory, take: Take): number {
  const at = take(length);
  new Float32Array(memory.buffer, at, values.length).set(values);
  return at;
}

/** Index arrays of a sparse projection; 0 for a dense one. */
function topology<N extends 'In' | 'Rec'>(name: N, spec: NetworkSpec, memory: WebAssembly.Memory, take: Take) {
  const projection = spec.projections[name === 'In' ? 'in' : 'rec'];
  const put = (values: Int32Array | Uint16Array): number => {
    const at = take(values.byteLength / 4);
    new Uint8Array(memory.buffer, at, values.byteLength).set(
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    );
    return at;
  };
  const narrow = !projection.dense && isNarrow(spec, projection);
  const rows = projection.dense ? 0 : put(projection.rowStart);
  const post = projection.dense ? 0 : put(narrow ? distances(projection) : projection.post);
  return { [`rows${name}`]: rows, [`post${name}`]: post, [`narrow${name}`]: narrow ? 1 : 0 } as Record<
    `rows${N}` | `post${N}` | `narrow${N}`,
    number
  >;
}

/** One update of all plastic weights; see the reference backend for the order of things. */
function bindUpdate(network: Network, kernels: Kernels): Stages['update'] {
  const { spec, state, weights, gradient } = network;
  const { optimizer, rates, clamp, rule, sizes } = spec;
  const kernel = optimizer.kernel;
  if (!kernel) throw new UnsupportedError('backend "wasm" has no kernel for this optimiser');
  const masked = { wIn: spec.projections.in.masked, wRec: spec.projections.rec.masked, wOut: null, bOut: null };
  const plastic = weightNames.filter((name) => isPlastic(name, spec));
  const frozen = weightNames.filter((name) => !isPlastic(name, spec));
  const slotsOf = (name: WeightName) =>
    optimizer.slots.map((slot) => state.field(`optimizer.${slot}.${name}`).byteOffset);
  const slots = new Map(plastic.map((name) => [name, slotsOf(name)]));
  const projections = { wIn: spec.projections.in, wRec: spec.projections.rec, wOut: null, bOut: null };
  const free = (n: number) => weightRanges(null, n, null);
  const limits = new Map(plastic.map((name) => [name, weightRanges(projections[name], weights[name].length, clamp)]));
  const keep = rule?.signal.kernel?.keep ?? null;
  const B = keep === null ? 0 : state.field('signal.B').byteOffset;
  return (progress, count, trials) => {
    const scale = spec.update.reduction === 'mean' ? 1 / (sizes.stream * trials) : 1;
    for (const name of frozen) gradient[name].fill(0);
    for (const name of plastic) {
      const g = gradient[name].byteOffset;
      const w = weights[name].byteOffset;
      const n = gradient[name].length;
      const rate = rateAt(rates[name], progress);
      const [first = 0, second = 0] = slots.get(name) ?? [];
      if (masked[name] && masked[name].length > 0) kernels.clearDiagonal(g, sizes.rec);
      const block = weightNames.indexOf(name);
      let left = 1;
      switch (kernel.name) {
        case 'sgd':
          if (name === 'wOut' && keep !== null) kernels.stepSgd(g, n, rate * scale);
          else left = rate * scale;
          break;
        case 'momentum':
          kernels.stepMomentum(g, first, n, scale, rate, kernel.momentum);
          break;
        case 'adam': {
          const corrected = (rate * Math.sqrt(1 - kernel.beta2 ** count)) / (1 - kernel.beta1 ** count);
          kernels.stepAdam(g, first, second, n, scale, corrected, kernel.beta1, kernel.beta2, kernel.epsilon);
          break;
        }
        case 'one-step':
          kernels.stepOnce(g, n, rate * scale, kernel.deltas[block], blockKey(kernel.key, block), count);
          break;
        default:
          kernel satisfies never;
      }
      if (name === 'wOut' && keep !== null) kernels.follow(B, g, n, keep);
      const decays = name === 'wOut' && keep !== null;
      for (const { from, to, low, high } of decays ? free(n) : (limits.get(name) ?? free(n))) {
        kernels.take(w + 4 * from, g + 4 * from, to - from, left, low, high);
      }
      if (decays) {
        kernels.multiply(w, n, keep);
        if (clamp) kernels.take(w, g, n, 0, clamp[0], clamp[1]);
      }
      if (clamp && masked[name] && masked[name].length > 0) kernels.clearDiagonal(w, sizes.rec);
    }
  };
}
