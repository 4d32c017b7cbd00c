/**
 * What every kernel knows of a network: sizes, addresses of its arrays in this memory, and constants. All fields are four
 * bytes, in this order; `src/backends/wasm/net.ts` has the same names in the same order and a test compares the two.
 */
@unmanaged
export class Net {
  // sizes
  streams: i32; stride: i32; history: i32; nIn: i32; n: i32; nOut: i32;
  // arrays of a trial
  x: usize; z: usize; psi: usize; y: usize; target: usize; weight: usize; error: usize; told: usize;
  signal: usize; signalRows: i32; rateTerm: usize; rateRows: i32;
  // state
  v: usize; refractory: usize; a: usize; u: usize; zBar: usize; fBar: usize;
  // weights, gradients, synapses ([pre][post] where rowStart is 0, else CSR by presynaptic neuron); post: targets of
  // four bytes, or where narrow is 1 of two: each one's distance from the last target of its row, the first one's from 0
  wIn: usize; wRec: usize; wOut: usize; bOut: usize;
  gIn: usize; gRec: usize; gOut: usize; gBias: usize;
  rowsIn: usize; postIn: usize; narrowIn: i32; rowsRec: usize; postRec: usize; narrowRec: i32; synIn: i32; synRec: i32;
  // traces and feedback
  epsIn: usize; epsRec: usize; epsAIn: usize; epsARec: usize; eBarIn: usize; eBarRec: usize; sumIn: usize; sumRec: usize;
  feedback: usize;
  // scratch
  current: usize; list: usize; feedbackT: usize; errorBack: usize; drive: usize; owed: usize;
  block: usize; timesX: usize; timesZ: usize; entriesX: usize; entriesZ: usize; lanes: usize; scale: usize;
  epsSteps: usize; damp: usize; packed: usize; spare: usize; actives: usize;
  // events of a trial: index of every input that is not 0 with the ends of the steps, and the spikes likewise; the
  // first list of spikes is that of the step before the trial
  xList: usize; xEnds: usize; zList: usize; zEnds: usize;
  // neuron
  decay: f32; gain: f32; vTh: f32; psiHeight: f32; psiWidth: f32; nRef: f32; orEqual: i32; resetToZero: i32;
  rho: f32; strength: usize; psiHighest: i32;
  // readout, loss, trace, rate term
  readoutDecay: f32; readoutGain: f32; readoutBias: i32; lossKind: i32; dropBorder: i32;
  traceKind: i32; traceDecay: f32; traceStrength: usize; kappa: f32; traceGain: f32; restartEvery: i32; rateAfterTrial: i32;
  rateStrength: f32; rateTarget: f32; rateRunning: f32; rateEvery: i32; ratePerStream: i32;
}
