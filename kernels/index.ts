export { bpttBack } from './bptt';
export { dendriteStep } from './dendrite';
export { forward } from './forward';
export { gradientAtEnd, gradientOnline, reduce, wholeTrial } from './gradient';
export {
  alif, alifFiltered, alifFilteredRated, alifFilteredSummed, alifRated, alifSummed,
  lifFiltered, lifFilteredRated, lifFilteredSummed, lifRated, lifSummed, traceEnd,
} from './online';
export { pullBack4 } from './maps';
export { errors, readout } from './output';
export { broadcast, rateOfBatch, rateOfStreams, rateRunning } from './signal';
export { clearDiagonal, follow, multiply, stepAdam, stepMomentum, stepOnce, stepSgd, take } from './update';
