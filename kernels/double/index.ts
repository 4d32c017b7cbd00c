/**
 * Loops in float64, two numbers at a time, for learning in fixed point: numbers on a grid are integers times a power of two, which
 * float64 holds exactly, so these are integer kernels with accumulators of 53 bits. Every entry sees the operations of the
 * plain loops in their order: the numbers are equal to the last bit. M, grad, w: [pre][n]. Addresses and sizes are in bytes and numbers.
 */

export { addFilteredRounded } from './filtered';
export { takeRounded } from './learn';
export {
  addFiltered, addOuter, addRows, addUnfiltered, eligibilityLif, eligibilityPostThenFilter, filter, multiply, pullBack, take,
} from './loops';
export { addMirrored, reflect } from './mirror';
export { learnOuter } from './outer';
export { learnProducts } from './products';
export { emit, integrateSubtract, integrateToZero, meet, runningTerm, triangle } from './neuron';
export { addError, project, read } from './readout';
export { settle } from './settle';
