export {
  parseReckon,
  type ReckonConfig,
  type ReckonSettings,
  type ReckonSizes,
  reckonSchema,
  sizesOf,
} from './config.ts';
export {
  createReckon,
  type GeneratorWords,
  type PhaseObserver,
  type Reckon,
  type ReckonOptions,
  type ReckonSample,
  type ReckonTick,
  type ReckonWeights,
} from './reckon.ts';
export { type Register, type RegisterName, registerNames, registers } from './registers.ts';
export type { Randomness, ReckonCounters, ReckonState } from './state.ts';
