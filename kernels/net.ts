/**
 * What every kernel knows of a network: for each population its sizes, addresses of its arrays in this memory, and constants, with
 * the projections that end on it; the readouts; and where the events of inputs and populations are. All fields are four bytes, in
 * this order; `src/backends/wasm/records.ts` is made of them by `scripts/records.mjs`. Lists go on at `next`, 0 at
 * their end.
 */

/** Entries that are not 0 of rows that projections read: of the activity of a population, or of columns of the input. */
@unmanaged
export class Events {
  // index of every entry that is not 0, [stream][history + step][size] at most, with the ends of the steps; rows: data + from, a row
  // of width numbers a step, `history` rows before step 0; valued: entries are not all 1
  list: usize; ends: usize; data: usize; width: i32; from: i32; size: i32; history: i32; valued: i32; next: usize;
}

/** Synapses ([pre][post] where rows is 0, else CSR by presynaptic neuron); post: targets of four bytes, or where narrow is 1 of two:
 *  each one's distance from the last target of its row, the first one's from 0. */
@unmanaged
export class Projection {
  events: usize; delay: i32; w: usize; g: usize; rows: usize; post: usize; narrow: i32; syn: i32; learns: i32;
  // traces; scratch of the deferred gradient; first column in epsSteps
  eps: usize; epsA: usize; e: usize; eBar: usize; sum: usize; times: usize; entries: usize; offset: i32;
  next: usize;
}

/** Weights through which errors come to a population: its rows of [neuron][size], heard at `column`. */
@unmanaged
export class Feedback {
  weights: usize; size: i32; column: i32; next: usize;
}

/** A population that a readout reads: rows of its weights, and of the filtered activity, `pre` numbers a stream. */
@unmanaged
export class Read {
  events: usize; w: usize; g: usize; zBar: usize; pre: i32; n: i32; next: usize;
}

@unmanaged
export class Readout {
  // valued: events of a population that it reads are not all 1
  reads: usize; valued: i32; nOut: i32; column: i32; u: usize; b: usize; gBias: usize; bias: i32; lossKind: i32;
  decay: f32; gain: f32; weight: f32;
  // added to what it sums, [stream][step][out of all readouts]; 0: nothing
  injected: usize;
  // steps at which it has a loss
  start: i32; end: i32; next: usize;
}

/**
 * A population, as it is to the readouts of one filter. What belongs to the whole network stands in every record, lists of inputs and
 * readouts in the first. `next` goes through the populations, `nextTrace` then goes on with those records that hear further
 * readouts and are for traces only.
 */
@unmanaged
export class Net {
  // sizes
  streams: i32; stride: i32; history: i32; n: i32; nOut: i32;
  // lists
  events: usize; projections: usize; feedback: usize; sources: usize; readouts: usize; next: usize; nextTrace: usize;
  // arrays of a trial
  z: usize; psi: usize; y: usize; target: usize; weight: usize; error: usize; told: usize;
  signal: usize; signalRows: i32; rateTerm: usize; rateRows: i32;
  // state
  v: usize; refractory: usize; a: usize; i: usize; fBar: usize;
  // scratch; epsWidth: presynaptic units of all projections that learn
  current: usize; list: usize; feedbackT: usize; errorBack: usize; drive: usize; owed: usize;
  block: usize; lanes: usize; scale: usize;
  epsSteps: usize; epsWidth: i32; damp: usize; packed: usize; spare: usize; actives: usize;
  // neuron
  decay: f32; gain: f32; vTh: f32; psiHeight: f32; psiWidth: f32; nRef: f32; orEqual: i32; resetToZero: i32;
  rho: f32; strength: usize; psiHighest: i32;
  // added to the summed input: [n], and [stream][step][n]; 0: nothing
  constant: usize; injected: usize;
  // 0: threshold neurons that are alike; 1: each by its own constants; 2: integrators; 3: rates; 4: rates of leaky potentials. cells: rows of constants of every neuron
  neuronKind: i32; cells: usize;
  // trace, rate term
  dropBorder: i32;
  // linear: rows of the matrices of every neuron, 0 where the trace has a closed form; states: numbers of a neuron that they act on
  linear: usize; states: i32; gateInput: i32;
  traceKind: i32; traceDecay: f32; traceStrength: usize; kappa: f32; traceGain: f32; restartEvery: i32;
  rateStrength: f32; rateTarget: f32; rateRunning: f32; rateEvery: i32; rateAfterTrial: i32; ratePerStream: i32;
}
