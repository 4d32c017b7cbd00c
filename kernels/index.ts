export { gradientOfTrial } from './deferred';
export { forward } from './forward';
export { traceEnd, traceOuter, traceSynaptic } from './online';
export { errors, readout, readoutGradient, readoutGradientOfTrial } from './output';
export { broadcast, rateOfTrial, rateRunning } from './signal';
export { clearDiagonal, follow, multiply, stepAdam, stepMomentum, stepSgd, take } from './update';
export { postponed } from './postponed';
