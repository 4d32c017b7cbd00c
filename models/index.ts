import type { Catalogue } from '../src/core/plugins.ts';
import { bptt } from './direct/bptt.ts';
import { kernl } from './direct/kernl.ts';
import { learnedSignal } from './direct/learnedSignal.ts';
import { rtrl } from './direct/rtrl.ts';
import { uoro } from './direct/uoro.ts';
import { bernoulli } from './losses/bernoulli.ts';
import { policy } from './losses/policy.ts';
import { softmax } from './losses/softmax.ts';
import { square } from './losses/square.ts';
import { value } from './losses/value.ts';
import { tdError } from './modulators/tdError.ts';
import { alif } from './neurons/alif.ts';
import { cubaLif } from './neurons/cubaLif.ts';
import { integrator } from './neurons/integrator.ts';
import { lif } from './neurons/lif.ts';
import { rate } from './neurons/rate.ts';
import { adam } from './optimizers/adam.ts';
import { gradientDescent } from './optimizers/gradientDescent.ts';
import { momentum } from './optimizers/momentum.ts';
import { oneStep } from './optimizers/oneStep.ts';
import { contrastive } from './passes/contrastive.ts';
import { nodePerturbation, weightPerturbation } from './passes/perturbation.ts';
import { leaky } from './readouts/leaky.ts';
import { deepR } from './rewiring/deepR.ts';
import { pruneRegrow } from './rewiring/pruneRegrow.ts';
import { bptt as bpttRule } from './rules/bptt.ts';
import { contrastive as contrastiveRule } from './rules/contrastive.ts';
import { dni, sgd, sgr, sgrd, sgrdLean, sgv, sgz } from './rules/dendrite.ts';
import { eprop1 } from './rules/eprop1.ts';
import { eprop2 } from './rules/eprop2.ts';
import { eprop3 } from './rules/eprop3.ts';
import { factored } from './rules/factored.ts';
import { kernl as kernlRule } from './rules/kernl.ts';
import {
  nodePerturbation as nodePerturbationRule,
  weightPerturbation as weightPerturbationRule,
} from './rules/perturbation.ts';
import { rateTermOnly } from './rules/rateTermOnly.ts';
import { readoutOnly } from './rules/readoutOnly.ts';
import { rflo } from './rules/rflo.ts';
import { rtrl as rtrlRule } from './rules/rtrl.ts';
import { uoro as uoroRule } from './rules/uoro.ts';
import { presynaptic } from './scaling/presynaptic.ts';
import { broadcast } from './signals/broadcast.ts';
import { dendrite } from './signals/dendrite.ts';
import { window } from './signals/window.ts';
import { eligibility } from './traces/eligibility.ts';

/** Every published model, one line each. Adding one is its file, its line here and its test. */
export const models = {
  neurons: [lif, alif, cubaLif, integrator, rate],
  readouts: [leaky],
  losses: [square, softmax, bernoulli, policy, value],
  traces: [eligibility],
  signals: [broadcast, dendrite, window],
  modulators: [tdError],
  direct: [bptt, rtrl, uoro, kernl, learnedSignal],
  passes: [weightPerturbation, nodePerturbation, contrastive],
  rules: [
    sgrd,
    sgrdLean,
    sgr,
    sgv,
    sgz,
    sgd,
    dni,
    eprop1,
    eprop2,
    eprop3,
    rflo,
    bpttRule,
    rtrlRule,
    uoroRule,
    kernlRule,
    weightPerturbationRule,
    nodePerturbationRule,
    contrastiveRule,
    readoutOnly,
    rateTermOnly,
    factored,
  ],
  rewirings: [deepR, pruneRegrow],
  scalings: [presynaptic],
  optimizers: [gradientDescent, momentum, adam, oneStep],
} satisfies Omit<Catalogue, 'tasks'>;

export {
  bindCueOrder,
  type CueOrder,
  type CueOrderBinding,
  type CueOrderParams,
  type Drives,
} from './circuits/cueOrder.ts';
export { feedbackParams } from './direct/feedback.ts';
export { kernlWith, type TwinNoise } from './direct/kernl.ts';
export {
  deriveSpiking,
  fire,
  fireConstants,
  spikingLoops,
  spikingParams,
} from './neurons/spiking.ts';
export { nodePerturbationWith, type PerturbationNoise, weightPerturbationWith } from './passes/perturbation.ts';
export { deepRWith } from './rewiring/deepR.ts';
export type { RewiringChance } from './rewiring/kernels.ts';
export { broadcastOf, broadcastParams, errorSpikeSize } from './signals/broadcast.ts';
export { bindBackward, filterBack } from './traces/backward.ts';
export * as traceKernels from './traces/kernels.ts';
export {
  adam,
  alif,
  bernoulli,
  bptt,
  broadcast,
  contrastive,
  cubaLif,
  deepR,
  dendrite,
  dni,
  eligibility,
  eprop1,
  eprop2,
  eprop3,
  factored,
  gradientDescent,
  integrator,
  kernl,
  leaky,
  learnedSignal,
  lif,
  momentum,
  nodePerturbation,
  oneStep,
  policy,
  presynaptic,
  pruneRegrow,
  rate,
  rateTermOnly,
  readoutOnly,
  rflo,
  rtrl,
  sgd,
  sgr,
  sgrd,
  sgrdLean,
  sgv,
  sgz,
  softmax,
  square,
  tdError,
  uoro,
  value,
  weightPerturbation,
  window,
};
