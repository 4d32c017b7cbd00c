export {
  parseReckon,
  type ReckonConfig,
  type ReckonSettings,
  type ReckonSizes,
  reckonSchema,
  sizesOf,
} from './config.ts';
export { cueAccumulation } from './cueAccumulation.ts';
export { configOf, exportImage, loadReckon, type ReckonImage, readImage, writeImage } from './image.ts';
export { type Agreement, agreementOf, type ReckonNetwork, reckonOf, spikesOf } from './network.ts';
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
export { imageOfStream, spiStream } from './spi.ts';
export type { Randomness, ReckonCounters, ReckonState } from './state.ts';
