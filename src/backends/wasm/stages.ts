import { blockGroup, channelName, readoutParts } from '../../core/bindings.ts';
import { blockKey } from '../../core/chance.ts';
import { UnsupportedError } from '../../core/errors.ts';
import {
  clipFactor,
  type Network,
  type NetworkSpec,
  rateAt,
  type Stages,
  tellsNeurons,
  type WeightBlock,
} from '../../core/network.ts';
import { type Projection, weightRanges } from '../../core/projection.ts';
import { bindError } from '../reference/forward.ts';
import { arraysOf } from './arrays.ts';
import { bindBptt } from './bptt.ts';
import { aloneCrew } from './crew.ts';
import { dendriteOf, layDendrite } from './dendrite.ts';
import { layNetwork } from './lay.ts';
import { bindLearned } from './learned.ts';
import type { Plan } from './memory.ts';
import { instantiate, type Kernels } from './module.ts';
import { threadCrew } from './threads.ts';
import { bindTell } from './told.ts';

/** Where a network lies and who works on it. */
export interface Site {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly plan: Plan;
  readonly threads: number;
}

/** Stages of a network whose memory is laid out: every call goes to one kernel on every shard. */
export function compileStages(network: Network, { module, memory, plan, threads }: Site): Stages {
  const { spec } = network;
  const kernels = instantiate(module, memory);
  layNetwork(network, plan, memory);
  const shards = plan.shards.map(({ channels, b0, b1 }) => ({ net: channels[0].nets[0], b0, b1 }));
  const crew =
    threads > 1
      ? threadCrew(kernels, { module, memory, controlAt: plan.control, shards }, threads)
      : aloneCrew(kernels, shards);
  const net = shards[0].net;
  const dendrites = bindDendrites(network, plan, memory);
  const { whole, bptt, learned } = plan;
  const direct = whole && bptt ? bindBptt(network, kernels, whole.channels[0], bptt, memory) : null;
  const outer =
    whole && bptt && learned ? bindLearned(network, kernels, whole.channels[0], { bptt, learned }, memory) : null;
  const scales = new Float32Array(memory.buffer, plan.scale, spec.sizes.stream);
  const learns = spec.channels.length > 0;
  const fused = sharesRows(spec).signal;
  const running = spec.rateTerm.mean === 'running';
  const rated = spec.rateTerm.strength > 0 && learns;
  const plainErrors = spec.readouts.every(({ loss }) => loss.kernel) ? null : bindError(network);
  const reduceAll = bindReduce(network, plan, kernels);
  const tell = bindTell(network, plan, memory);
  const wholeTrial = (steps: number, scale: Float64Array) => {
    scales.set(scale);
    crew.run('wholeTrial', 0, steps);
    reduceAll();
  };
  const correlate = (steps: number) => {
    crew.run('correlate', 0, steps);
    reduceAll();
  };
  return {
    forward: (t0, t1) => crew.run('forward', t0, t1),
    readout: (t0, t1) => crew.run('readout', t0, t1),
    error(t0, t1, scale) {
      // A loss without a kernel is a few numbers a step, so that all of them are made here.
      if (plainErrors) return plainErrors(t0, t1, scale);
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
      if (dendrites.length > 0) {
        // The signal's matrices are shared by all streams, so it is made for all of them at once.
        for (let t = t0; t < t1; t++) {
          for (const { net, record } of dendrites) kernels.dendriteStep(net, record, t, progress(t));
        }
        return;
      }
      // The deferred gradient makes the signal itself; only a watched step needs it here.
      if (learns && (!fused || t1 - t0 === 1)) crew.run('broadcast', t0, t1);
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
    ...(spec.passes ? { correlate, arrays: arraysOf(kernels, memory) } : {}),
    ...(outer ? { outer } : {}),
    update: bindUpdate(network, kernels),
    ...(wholeTrials(spec) ? { wholeTrial } : {}),
    ready: () => crew.ready(),
    close: () => crew.close(),
  };
}

/** Dendrite signals: records of each, and of the population as it hears a channel. */
function bindDendrites(network: Network, { populations, shards }: Plan, memory: WebAssembly.Memory) {
  return shards[0].channels.flatMap(({ nets }, c) =>
    nets.flatMap((net, p) => {
      const kernel = dendriteOf(network.spec, p, c);
      const { dendrite } = populations[p].heard[c];
      return kernel ? [{ net, record: layDendrite(network, kernel, p, c, memory, dendrite) }] : [];
    }),
  );
}

/** Whether a learning trial can be done stream by stream: nothing in it waits for all streams. */
function wholeTrials({ populations, readouts, channels, direct, execution, rateTerm }: NetworkSpec): boolean {
  return (
    channels.length > 0 &&
    !populations.some(({ signals }) => signals.some(({ kernel }) => kernel?.errorSpikes)) &&
    direct === null &&
    readouts.every(({ loss }) => loss.kernel !== null) &&
    execution === 'deferred' &&
    (rateTerm.strength === 0 || rateTerm.mean !== 'batch')
  );
}

/** Adds the gradients of the shards up, in their order. */
function bindReduce({ gradient }: Network, { shards }: Plan, kernels: Kernels): () => void {
  if (shards.length === 1) return () => {};
  const parts = shards.flatMap(({ gradients }) =>
    Object.entries(gradients ?? {}).map(([name, part]) => ({
      sum: gradient[name].byteOffset,
      part,
      n: gradient[name].length,
    })),
  );
  return () => {
    for (const { sum, part, n } of parts) kernels.reduce(sum, part, n);
  };
}

/** Whole-time arrays of which one row serves all steps. */
export function sharesRows(spec: NetworkSpec): { readonly signal: boolean; readonly rateTerm: boolean } {
  const [deferred, silent] = [spec.execution === 'deferred', !tellsNeurons(spec)];
  // Between two passes the signal of all steps is read.
  return {
    signal: (deferred && !spec.direct?.outer) || silent,
    rateTerm: silent || (deferred && spec.rateTerm.mean !== 'running'),
  };
}

/** One update of all plastic weights; see the reference backend for the order of things. */
function bindUpdate(network: Network, kernels: Kernels): Stages['update'] {
  const { spec, gradient } = network;
  const plastic = spec.blocks.flatMap((block, index) =>
    block.plastic ? [bindBlock(network, kernels, block, index)] : [],
  );
  const frozen = spec.blocks.filter((block) => !block.plastic).map(({ name }) => gradient[name]);
  const clip = bindClip(network, kernels);
  return (progress, count, trials) => {
    const scale = spec.update.reduction === 'mean' ? 1 / (spec.sizes.stream * trials) : 1;
    for (const step of frozen) step.fill(0);
    const clipped = clip(scale);
    for (const update of plastic) update(progress, count, scale * clipped);
  };
}

/** Of the gradient of all blocks that learn together. */
function bindClip({ spec, gradient }: Network, kernels: Kernels): (scale: number) => number {
  const { clip } = spec;
  if (clip === null) return () => 1;
  const blocks = spec.blocks.flatMap(({ name, plastic, synapses }) => {
    const { byteOffset: g, length } = gradient[name];
    return plastic ? [{ g, length, diagonal: synapses ? diagonalOf(synapses) : 0 }] : [];
  });
  return (scale) => {
    let sum = 0;
    for (const { g, length, diagonal } of blocks) {
      if (diagonal > 0) kernels.clearDiagonal(g, diagonal);
      sum += kernels.squares(g, length);
    }
    return clipFactor(clip, scale, sum);
  };
}

/** Neurons whose autapses exist in the storage only; 0: there are none such. */
function diagonalOf({ masked, nPost }: Projection): number {
  return masked.length > 0 ? nPost : 0;
}

/** Feedback that takes the steps of a readout: part of its rows, its columns in a matrix, and the share that both keep. */
interface Follower {
  readonly B: number;
  readonly row: number;
  readonly n: number;
  readonly width: number;
  readonly size: number;
  readonly keep: number;
}

function followersOf({ spec, state }: Network, { kind, owner }: WeightBlock): Follower[] {
  if (kind !== 'readout') return [];
  const { size, column } = spec.readouts[owner];
  const c = spec.channels.findIndex(({ readouts }) => readouts.includes(owner));
  return readoutParts(spec, owner).flatMap(({ population, row, n, keep }) => {
    const { name, signals } = spec.populations[population];
    if ((signals[c]?.kernel?.keep ?? null) === null) return [];
    const { column: first, size: width } = spec.channels[c];
    const B = state.field(`${channelName(`population.${name}.signal`, spec, c)}.B`);
    return [{ B: B.byteOffset + 4 * (column - first), row, n, width, size, keep }];
  });
}

function bindBlock(
  network: Network,
  kernels: Kernels,
  block: WeightBlock,
  index: number,
): (progress: number, count: number, scale: number) => void {
  const { spec, state, weights, gradient } = network;
  const { kernel } = spec.optimizer;
  if (!kernel) throw new UnsupportedError('backend "wasm" has no kernel for this optimiser');
  const { clamp } = spec;
  const { name, synapses, rate: given } = block;
  const [g, w, n] = [gradient[name].byteOffset, weights[name].byteOffset, gradient[name].length];
  const group = blockGroup(block, spec);
  const [first = 0, second = 0] = spec.optimizer.slots.map((slot) => state.field(`${group}.${slot}`).byteOffset);
  const followers = followersOf(network, block);
  const follows = followers.length > 0;
  const limits = follows ? weightRanges(null, n, null) : weightRanges(synapses, n, clamp);
  const diagonal = synapses ? diagonalOf(synapses) : 0;
  return (progress, count, scale) => {
    const rate = rateAt(given, progress);
    if (diagonal > 0) kernels.clearDiagonal(g, diagonal);
    let left = 1;
    switch (kernel.name) {
      case 'sgd':
        if (follows) kernels.stepSgd(g, n, rate * scale);
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
        kernels.stepOnce(g, n, rate * scale, kernel.deltas[index], blockKey(kernel.key, index), count);
        break;
      default:
        kernel satisfies never;
    }
    for (const { B, row, n: rows, width, size, keep } of followers) {
      kernels.follow(B, g + 4 * row * size, rows, width, size, keep);
    }
    for (const { from, to, low, high } of limits) kernels.take(w + 4 * from, g + 4 * from, to - from, left, low, high);
    for (const { row, n: rows, size, keep } of followers) kernels.multiply(w + 4 * row * size, rows * size, keep);
    if (follows && clamp) kernels.take(w, g, n, 0, clamp[0], clamp[1]);
    if (clamp && diagonal > 0) kernels.clearDiagonal(w, diagonal);
  };
}
