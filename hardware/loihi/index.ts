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
export { createLif, type Lif, type LifParams, stepLif, stepLifTwosComplement } from './lif.ts';
