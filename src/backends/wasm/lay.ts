import { channelName, readoutSizes } from '../../core/bindings.ts';
import { UnsupportedError } from '../../core/errors.ts';
import { viewsOf } from '../../core/feedback.ts';
import type { Real } from '../../core/layout.ts';
import { type Network, type NetworkSpec, synapseCount } from '../../core/network.ts';
import type { LossKernel, NeuronKernel } from '../../core/plugins.ts';
import { type ConstantRows, cellRows, linearRows, rowLength } from './constants.ts';
import {
  adaptationOf,
  distances,
  learningInto,
  matricesInto,
  type Plan,
  type PlannedPopulation,
  type PlannedShard,
  slicesOf,
  traceInto,
} from './memory.ts';
import { type RecordValues, writeRecord } from './record.ts';
import { eventsFields, feedbackFields, netFields, projectionFields, readFields, readoutFields } from './records.ts';

type Values<F extends readonly string[]> = RecordValues<F[number]>;

/** Writes the records of a network where its plan has room for them. */
export function layNetwork(network: Network, plan: Plan, memory: WebAssembly.Memory): void {
  layEvents(network, plan, memory);
  layConstants(network, plan, memory);
  layTopology(network, plan, memory);
  layFeedback(network, plan, memory);
  for (const shard of plan.shards) layShard(network, plan, shard, memory);
  if (plan.whole) layShard(network, plan, plan.whole, memory);
}

function at(array: Real | undefined): number {
  return array?.byteOffset ?? 0;
}

function layEvents(
  { spec, trial, activity }: Network,
  { sources, populations }: Plan,
  memory: WebAssembly.Memory,
): void {
  const write = (record: number, values: Values<typeof eventsFields>) =>
    writeRecord(memory.buffer, record, eventsFields, values);
  sources.forEach(({ record, list, ends, from, size }, s) => {
    const next = sources[s + 1]?.record ?? 0;
    const { data, width, history } = trial.x;
    write(record, { list, ends, data: at(data), width, from, size, history, valued: 1, next });
  });
  populations.forEach(({ events: { record, list, ends } }, p) => {
    const { data, width, history, size } = activity[p].z;
    const valued = spec.populations[p].spiking ? 0 : 1;
    write(record, { list, ends, data: at(data), width, from: 0, size, history, valued, next: 0 });
  });
}

/** Currents and constants of every neuron. */
function layConstants({ spec }: Network, { populations }: Plan, memory: WebAssembly.Memory): void {
  const put = (to: number, values: ArrayLike<number>) => new Float32Array(memory.buffer, to, values.length).set(values);
  spec.populations.forEach(({ neuron, current, size }, p) => {
    const { strength, constant, cells, linear } = populations[p];
    const putRows = (to: number, rows: ConstantRows) =>
      rows.forEach((row, r) => {
        put(to + 4 * r * rowLength(size), row);
      });
    if (strength) put(strength, adaptationOf(neuron.kernel)?.strength ?? []);
    if (constant && current) put(constant, current);
    putRows(cells, cellRows(neuron.kernel));
    putRows(linear, linearRows(matricesInto(spec, p)));
  });
}

function layTopology({ spec }: Network, { topology }: Plan, memory: WebAssembly.Memory): void {
  spec.projections.forEach(({ synapses }, q) => {
    const { rows, post, narrow } = topology[q];
    if (synapses.dense) return;
    new Int32Array(memory.buffer, rows, synapses.rowStart.length).set(synapses.rowStart);
    if (narrow) new Uint16Array(memory.buffer, post, synapses.nSyn).set(distances(synapses));
    else new Int32Array(memory.buffer, post, synapses.nSyn).set(synapses.post);
  });
}

/** Matrices through which the errors of a channel come to a population: its own, or those of the readouts that read it. */
function feedbackOf({ spec, state, weights }: Network, p: number, c: number) {
  const kernel = spec.populations[p].signals[c]?.kernel;
  const channel = spec.channels[c];
  if (!kernel || !channel) return [];
  if (kernel.matrix === 'B') {
    const group = channelName(`population.${spec.populations[p].name}.signal`, spec, c);
    return [{ weights: state.field(`${group}.B`), size: channel.size, column: channel.column }];
  }
  const readouts = channel.readouts.map((r) => spec.readouts[r]);
  return viewsOf(
    readouts,
    readouts.map(({ name }) => weights[name]),
    p,
    spec.populations.map(({ size }) => size),
  );
}

function layFeedback(network: Network, { populations }: Plan, memory: WebAssembly.Memory): void {
  populations.forEach(({ heard }, p) => {
    heard.forEach(({ feedback }, c) => {
      const parts = feedbackOf(network, p, c);
      parts.forEach(({ weights, size, column }, part) => {
        const next = part + 1 < parts.length ? feedback[part + 1] : 0;
        const values: Values<typeof feedbackFields> = { weights: at(weights), size, column, next };
        writeRecord(memory.buffer, feedback[part], feedbackFields, values);
      });
    });
  });
}

function layShard(network: Network, plan: Plan, shard: PlannedShard, memory: WebAssembly.Memory): void {
  const { spec } = network;
  const gradientOf = (block: string) => shard.gradients?.[block] ?? network.gradient[block].byteOffset;
  layReadouts(network, plan, shard, memory, gradientOf);
  const whole = wholeValues(network, plan);
  shard.channels.forEach(({ nets, projections }, c) => {
    layProjections(network, plan, shard, c, memory, gradientOf);
    nets.forEach((record, p) => {
      const first = spec.projections.findIndex(({ post }) => post === p);
      const values = {
        ...whole,
        ...populationValues(network, plan, p),
        ...heardValues(network, plan, p, c),
        ...shard.scratch[p],
        projections: first < 0 ? 0 : projections[first],
        sources: p === 0 ? (plan.sources[0]?.record ?? 0) : 0,
        readouts: shard.readouts[0].record,
        next: nets[p + 1] ?? 0,
        nextTrace: nets[p + 1] ?? shard.channels[c + 1]?.nets[0] ?? 0,
      } as unknown as Values<typeof netFields>;
      writeRecord(memory.buffer, record, netFields, values);
    });
  });
}

function layProjections(
  network: Network,
  plan: Plan,
  shard: PlannedShard,
  c: number,
  memory: WebAssembly.Memory,
  gradientOf: (block: string) => number,
): void {
  const { spec, state, weights } = network;
  const { projections: records } = shard.channels[c];
  const slices = slicesOf(spec.projections);
  const online = spec.execution === 'online';
  const plastic = new Set(spec.blocks.flatMap((block) => (block.plastic ? [block.name] : [])));
  spec.projections.forEach(({ name, pre, post, delay, from, synapses, traces }, q) => {
    const source = slices.findIndex((slice) => slice.from === from && slice.size === synapses.nPre);
    const later = spec.projections.findIndex((other, r) => r > q && other.post === post);
    const kept = state.views(channelName(`projection.${name}.trace`, spec, c), 'trace');
    const learns = traces.length > 0 || (spec.passes !== null && plastic.has(name));
    // A trace behind a gate of its input has one state, which is the eligibility itself.
    const { eps = kept.e } = kept;
    const remembers = matricesInto(spec, post)?.transition.some((value) => value !== 0) ?? true;
    if (traces.length > 0 && online && remembers && !eps) {
      throw new UnsupportedError('backend "wasm": the trace keeps no "eps", which its kernel needs');
    }
    const { times, entries } = shard.lists[q];
    const { rows, post: targets, narrow } = plan.topology[q];
    const values: Values<typeof projectionFields> = {
      events: pre === null ? plan.sources[source].record : plan.populations[pre].events.record,
      delay,
      w: at(weights[name]),
      g: gradientOf(name),
      rows,
      post: targets,
      narrow: narrow ? 1 : 0,
      syn: synapses.nSyn,
      learns: learns ? 1 : 0,
      eps: at(eps),
      epsA: at(kept.epsA),
      e: kept.eps ? at(kept.e) : 0,
      eBar: at(kept.eBar),
      sum: at(kept.sum),
      times,
      entries,
      offset: learningInto(spec, post).offsets.get(q) ?? 0,
      next: later < 0 ? 0 : records[later],
    };
    writeRecord(memory.buffer, records[q], projectionFields, values);
  });
}

const lossKinds: Readonly<Record<LossKernel['name'], number>> = { square: 0, softmax: 1, bernoulli: 2 };

function layReadouts(
  { spec, state, trial, weights }: Network,
  plan: Plan,
  shard: PlannedShard,
  memory: WebAssembly.Memory,
  gradientOf: (block: string) => number,
): void {
  spec.readouts.forEach((readout, r) => {
    const { name, reads, size, column, decay, gain, weight, window, loss } = readout;
    const { record, reads: records } = shard.readouts[r];
    const kept = state.views(`readout.${name}`, 'readout');
    const { pre } = readoutSizes(spec, readout);
    let before = 0;
    reads.forEach((p, part) => {
      const n = spec.populations[p].size;
      const values: Values<typeof readFields> = {
        events: plan.populations[p].events.record,
        w: at(weights[name]) + 4 * before * size,
        g: gradientOf(name) + 4 * before * size,
        zBar: at(kept.zBar) + 4 * before,
        pre,
        n,
        next: records[part + 1] ?? 0,
      };
      writeRecord(memory.buffer, records[part], readFields, values);
      before += n;
    });
    const values: Values<typeof readoutFields> = {
      reads: records[0],
      valued: reads.some((p) => !spec.populations[p].spiking) ? 1 : 0,
      nOut: size,
      column,
      u: at(kept.u),
      b: at(weights[`${name}.bias`]),
      gBias: gradientOf(`${name}.bias`),
      bias: readout.readout.bias ? 1 : 0,
      lossKind: loss.kernel ? lossKinds[loss.kernel.name] : 0,
      decay,
      gain,
      weight,
      injected: trial.injected.width === 0 ? 0 : at(trial.injected.data),
      start: window?.start ?? 0,
      end: window ? window.start + window.length : 2 ** 31 - 1,
      next: shard.readouts[r + 1]?.record ?? 0,
    };
    writeRecord(memory.buffer, record, readoutFields, values);
  });
}

/** What every record of a population says of the whole network. */
function wholeValues({ spec, trial }: Network, { scale }: Plan) {
  const { sizes, rateTerm, update, channels } = spec;
  const { strength, target, mean, runningRate, everySteps } = rateTerm;
  return {
    streams: sizes.stream,
    stride: sizes.step,
    nOut: sizes.out,
    y: at(trial.y.data),
    target: at(trial.target.data),
    weight: at(trial.weight.data),
    error: at(trial.error.data),
    scale,
    dropBorder: spec.borderSpikes === 'drop' ? 1 : 0,
    rateStrength: channels.length > 0 ? strength : 0,
    rateAfterTrial: strength > 0 && mean !== 'running' ? 1 : 0,
    rateTarget: target,
    rateRunning: runningRate,
    rateEvery: everySteps,
    ratePerStream: update.reduction === 'sum' ? sizes.stream : 1,
  };
}

function populationValues(network: Network, plan: Plan, p: number) {
  const { spec, state, activity } = network;
  const { name, size, history, neuron } = spec.populations[p];
  const { z, psi, injected } = activity[p];
  const planned = plan.populations[p];
  const cell = state.views(`population.${name}`, 'neuron');
  return {
    history,
    n: size,
    events: planned.events.record,
    z: at(z.data),
    psi: at(psi.data),
    v: at(cell.v ?? cell.u),
    refractory: at(cell.refractory),
    a: at(cell.a),
    i: at(cell.i),
    fBar: at(state.field(`population.${name}.mean`)),
    epsWidth: learningInto(spec, p).width,
    strength: planned.strength,
    constant: planned.constant,
    injected: injected.width === 0 ? 0 : at(injected.data),
    cells: planned.cells,
    ...neuronValues(neuron.kernel as NeuronKernel),
  };
}

/** What a population hears of a channel, and the traces that meet it. The firing-rate term acts through the first one alone. */
function heardValues(network: Network, { populations, noRate }: Plan, p: number, c: number) {
  const { spec, trial, activity } = network;
  const { rateTerm, signals } = activity[p];
  const { told, feedback } = populations[p].heard[c];
  return {
    feedback: feedbackOf(network, p, c).length > 0 ? feedback[0] : 0,
    told: told ?? at(trial.error.data),
    signal: at(signals[c].data),
    signalRows: signals[c].steps,
    rateTerm: c === 0 ? at(rateTerm.data) : noRate,
    rateRows: c === 0 ? rateTerm.steps : 1,
    ...(c === 0 ? {} : { rateStrength: 0, rateAfterTrial: 0 }),
    ...traceValues(spec, p, c, populations[p]),
  };
}

/** What `kernels/forward.ts` calls a neuron. */
function neuronKind(kernel: NeuronKernel): number {
  if (kernel.name === 'rate') return kernel.leaks === 'potential' ? 4 : 3;
  return { threshold: 0, cells: 1, integrator: 2 }[kernel.name];
}

/** Constants of a population; what differs from neuron to neuron is in `cells`. */
function neuronValues(kernel: NeuronKernel) {
  const alike = kernel.name === 'threshold' ? kernel : null;
  const fires = kernel.name === 'threshold' || kernel.name === 'cells' ? kernel : null;
  const { decay, gain } = kernel.name === 'rate' || kernel.name === 'threshold' ? kernel : { decay: 0, gain: 1 };
  return {
    neuronKind: neuronKind(kernel),
    decay,
    gain,
    vTh: alike?.vTh ?? 0,
    psiHeight: alike?.psiHeight ?? 0,
    psiWidth: alike?.psiWidth ?? 1,
    rho: alike?.adaptation?.decay ?? 0,
    nRef: fires?.nRef ?? 0,
    orEqual: fires?.orEqual ? 1 : 0,
    resetToZero: fires?.resetToZero ? 1 : 0,
    psiHighest: fires?.psiLevels ? fires.psiLevels - 1 : 0,
  };
}

/** Constants of the traces onto a population: the same for all its projections. */
function traceValues(spec: NetworkSpec, p: number, c: number, { strength, linear }: PlannedPopulation) {
  const instance = traceInto(spec, p, c);
  const kernel = instance?.kernel;
  const matrices = matricesInto(spec, p);
  const kinds = { online: kernel?.outer ? 1 : 2, deferred: 3, postponed: 4 };
  return {
    traceKind: kernel ? kinds[spec.execution] : 0,
    linear: matrices ? linear : 0,
    states: matrices?.states ?? 1,
    gateInput: matrices?.gate === 'input' ? 1 : 0,
    traceDecay: kernel?.decay ?? 0,
    traceStrength: kernel?.adaptive && !matrices ? strength : 0,
    kappa: instance?.filter.decay ?? 0,
    traceGain: instance?.filter.gain ?? 1,
    restartEvery: kernel?.restartEvery ?? 0,
  };
}

/** Synapse-steps of a trial, for whether threads pay. */
export function workOf(spec: NetworkSpec): number {
  return synapseCount(spec) * spec.sizes.step * spec.sizes.stream;
}
