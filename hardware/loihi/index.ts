export { clip, decayTowardZero, shift, wrapOnce, wrapTwosComplement } from './arithmetic.ts';
export { type Atrlif, type AtrlifParams, createAtrlif, decayOfFraction, stepAtrlif } from './atrlif.ts';
export {
  addActivation,
  type Connection,
  createConnection,
  prepareWeights,
  type SignMode,
  signModeOf,
} from './connection.ts';
export { createLearning, type InitialSynapses, type Learning } from './learning.ts';
export { createLif, type Lif, type LifParams, stepLif, stepLifTwosComplement } from './lif.ts';
export type { SharedNumbers, SharedSource } from './numbers.ts';
export { type FactorName, factorWidths, type LearningParams, type SynapseVariable, type TraceName } from './rule.ts';
