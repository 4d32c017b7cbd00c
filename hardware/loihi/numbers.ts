import { createRng, type Rng } from '../../src/core/rng.ts';
import { type SynapseVariable, type TraceName, traceNames } from './rule.ts';
import type { Draws } from './trace.ts';

/** The random numbers of a learning engine: `step` renews `repeated`, `epoch` all others. */
export interface Numbers {
  /** For impulses of spikes that are not the last of their epoch. */
  readonly repeated: Readonly<Record<TraceName, Draws>>;
  /** For the decay of each trace, uniform in [0, 1). */
  readonly decay: Readonly<Record<TraceName, Draws>>;
  /** For impulses of the last spike of an epoch, integers of 7 or 8 bit. */
  readonly impulse: Readonly<Record<TraceName, Draws>>;
  /** For weights, delays and tags: that of synapse s is values[s perSynapse], uniform in [0, 1). */
  readonly rounding: Readonly<Record<SynapseVariable, { readonly values: Float64Array; readonly perSynapse: number }>>;
  step(): void;
  epoch(): void;
}

/** The six numbers that lava has for all traces and synapses. Impulses: integers 0..127, others uniform in [0, 1). */
export interface SharedNumbers {
  yRepeated: number;
  xDecay: number;
  xImpulse: number;
  yDecay: number;
  yImpulse: number;
  rounding: number;
}

/** Hands out lava's numbers: `step` is asked for yRepeated at every step, `epoch` for the others at the end of an epoch. */
export interface SharedSource {
  step(into: SharedNumbers): void;
  epoch(into: SharedNumbers): void;
}

/**
 * lava's numbers from a generator of ours (numpy's is not emulated): one for all, 7 bits for an impulse, and a generator
 * for the rounding of synapses that has seed 2 whatever the seed of the others.
 */
export function lavaSource(rng: Rng): SharedSource {
  const traces = rng.split('traces');
  const rounding = createRng(2);
  return {
    step(into) {
      into.yRepeated = traces.integer(128);
    },
    epoch(into) {
      into.xDecay = traces.uniform();
      into.xImpulse = traces.integer(128);
      into.yDecay = traces.uniform();
      into.yImpulse = traces.integer(128);
      into.rounding = rounding.uniform();
    },
  };
}

/** Arrays of one number each, shared by strides of 0. A repeated spike of x is not rounded: its number is always 0. */
export function lavaNumbers(source: SharedSource): Numbers {
  const taken: SharedNumbers = { yRepeated: 0, xDecay: 0, xImpulse: 0, yDecay: 0, yImpulse: 0, rounding: 0 };
  const always = one();
  const [yRepeated, xDecay, xImpulse, yDecay, yImpulse] = [one(), one(), one(), one(), one()];
  const rounding = { values: new Float64Array(1), perSynapse: 0 };
  return {
    repeated: { x1: always, x2: always, y1: yRepeated, y2: yRepeated, y3: yRepeated },
    decay: { x1: xDecay, x2: xDecay, y1: yDecay, y2: yDecay, y3: yDecay },
    impulse: { x1: xImpulse, x2: xImpulse, y1: yImpulse, y2: yImpulse, y3: yImpulse },
    rounding: { w: rounding, d: rounding, t: rounding },
    step() {
      source.step(taken);
      yRepeated.values[0] = taken.yRepeated;
    },
    epoch() {
      source.epoch(taken);
      xDecay.values[0] = taken.xDecay;
      xImpulse.values[0] = taken.xImpulse;
      yDecay.values[0] = taken.yDecay;
      yImpulse.values[0] = taken.yImpulse;
      rounding.values[0] = taken.rounding;
    },
  };
}

function one(): Draws {
  return { values: new Float64Array(1), at: 0, perStep: 0, perNeuron: 0 };
}

/** A number for every trace and step of every neuron, 8 bits for an impulse, and one for every variable of every synapse. */
export function ownNumbers(rng: Rng, nPre: number, nPost: number, epochSteps: number): Numbers {
  const [ofRepeated, ofDecay, ofImpulse, ofRounding] = ['repeated', 'decay', 'impulse', 'rounding'].map(rng.split);
  const lengthOf = (name: TraceName) => (name.startsWith('x') ? nPre : nPost);
  const perNeuron = (steps: number) =>
    Object.fromEntries(
      traceNames.map((name) => {
        const n = lengthOf(name);
        return [name, { values: new Float64Array(steps * n), at: 0, perStep: n, perNeuron: 1 }];
      }),
    ) as Record<TraceName, Draws>;
  const [repeated, decay, impulse] = [perNeuron(1), perNeuron(epochSteps), perNeuron(1)];
  const perSynapse = () => ({ values: new Float64Array(nPre * nPost), perSynapse: 1 });
  const rounding = { w: perSynapse(), d: perSynapse(), t: perSynapse() };
  return {
    ...{ repeated, decay, impulse, rounding },
    step() {
      for (const name of traceNames) fillBytes(repeated[name].values, ofRepeated);
    },
    epoch() {
      for (const name of traceNames) {
        fillUniform(decay[name].values, ofDecay);
        fillBytes(impulse[name].values, ofImpulse);
      }
      fillUniform(rounding.w.values, ofRounding);
      fillUniform(rounding.d.values, ofRounding);
      fillUniform(rounding.t.values, ofRounding);
    },
  };
}

function fillUniform(values: Float64Array, rng: Rng): void {
  for (let s = 0; s < values.length; s++) values[s] = rng.uniform();
}

function fillBytes(values: Float64Array, rng: Rng): void {
  for (let s = 0; s < values.length; s++) values[s] = rng.integer(256);
}
