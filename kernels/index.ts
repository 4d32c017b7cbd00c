export { bpttBack } from './bptt';
export { backBlockLinear } from './deferred';
export { correlate } from './correlate';
export { dendriteStep } from './dendrite';
export { forward, neuronsEach } from './forward';
export { addTo, gradientAtEnd, gradientOnline, reduce, wholeTrial } from './gradient';
export {
  alif, alifFiltered, alifFilteredRated, alifFilteredSummed, alifRated, alifSummed,
  lifFiltered, lifFilteredRated, lifFilteredSummed, lifRated, lifSummed, traceEnd,
} from './online';
export { learnedAdapt, learnedCredit } from './learned';
export { backLinear, denseOne, denseTwo } from './linear';
export { pullBack4 } from './maps';
export { drawNormal, drawSign } from './noise';
export { backOverValues, errors, readValues, readout } from './output';
export { broadcast, rateOfBatch, rateOfStreams, rateRunning } from './signal';
export { clearDiagonal, follow, multiply, squares, stepAdam, stepMomentum, stepOnce, stepSgd, take } from './update';
